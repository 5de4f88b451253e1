"""How a number is written for a reader: by its unit, with about three digits that mean something; on MicroPython, too."""

import math
import re

FEW = 3  # digits of a number in a sentence
POWERS = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
SUPERSCRIPT = dict(zip("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))  # noqa: B905  (MicroPython's zip takes no strict)


def number(value, unit=None, *, form=None, bare=False, places=None):
    """A number as text; an empty one is a dash.

    Parameters
    ----------
    value : float
        In `unit`; fractions are shown in percent.
    unit : str, optional
        A unit of the closed list: dollars get their sign, fractions "%", ratios "×".
    form : str, optional
        A Python format specification instead, such as ``",.1f"``.
    bare : bool
        Leave the sign of the unit away, for columns that name the unit at their top.
    places : int, optional
        Decimals, where a column has the same in all its rows; a number that would read as zero keeps its own.

    Examples
    --------
    >>> number(0.4171, "USD/Mtok_out"), number(0.104, "fraction"), number(70e9, "param")
    ('$0.42', '10.4%', '70 billion')
    """
    if value is None or value != value:
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    sign = "−" if value < 0 else ""
    size = abs(value)
    if form:
        return sign + format(size, form)
    if unit == "date":
        return str(int(value))
    if unit == "fraction":
        # Shares close to one need the digit that tells 99.95% from all.
        if places is not None and 100 * size >= 0.5 * 10**-places:
            return sign + grouped("%.*f" % (places, 100 * size)) + ("" if bare else "%")
        digits = 4 if 0.99 < size < 1 else 3
        return sign + plain(float("%.*e" % (digits - 1, size)), scale="%", bare=bare)
    money = bool(unit) and unit.split("/")[0] == "USD"
    if unit == "request/day" and size != int(size):  # given and counted volumes are whole; one between is a result
        size = float("%.*e" % (FEW - 1, size))
    text = dollars(size) if money else plain(size)
    if places is not None and size >= 0.5 * 10**-places:
        text = grouped("%.*f" % (places, size))
    if bare:
        return sign + text
    return sign + ("$" if money else "") + text + ("%" if unit == "percent" else "×" if unit == "ratio" else "")


def span(low, high, unit=None, **options):
    """A range as "a – b"; one number where both ends read the same."""
    first, last = number(low, unit, **options), number(high, unit, **options)
    return first if first == last else f"{first} – {last}"


def dollars(size):
    """Cents from ten cents to a hundred dollars, whole dollars above, two digits below."""
    if size >= 1e6:
        return plain(size)
    if size >= 100:
        return grouped(f"{size:.0f}")
    if size >= 0.095 or size == 0:
        return f"{size:.2f}" if size else "0"
    return fixed(size, 2) if size >= 1e-5 else plain(size)


def plain(size, scale="", bare=False):
    """Three digits; thousands with commas; millions and more in words; the very small as a power of ten."""
    if scale == "%":
        text = re.sub(r"(\.\d*?)0+%$", r"\1%", f"{size:.6%}").replace(".%", "%")
        return text.rstrip("%") if bare else text
    for power, word in POWERS:
        if size >= power * 0.9995:
            return f"{fixed(size / power, 3)} {word}"
    if size >= 999.5 or (size >= 100 and size == int(size)):
        return grouped(f"{size:.0f}")
    if size >= 1e-4 or size == 0:
        return fixed(size, 3)
    digits, power = f"{size:.1e}".split("e")
    return digits + " × 10" + "".join([SUPERSCRIPT[mark] for mark in str(int(power))])


def grouped(text):
    """A number in digits with commas between its thousands; MicroPython, in the reader's browser, has no format for them.

    >>> grouped("1234567.25"), grouped("477800"), grouped("12")
    ('1,234,567.25', '477,800', '12')
    """
    whole, point, rest = text.partition(".")
    parts = []
    while len(whole) > 3:
        parts.insert(0, whole[-3:])
        whole = whole[:-3]
    return ",".join([whole] + parts) + point + rest  # noqa: RUF005  (MicroPython knows no star in a list)


def fixed(size, digits):
    """A number with so many significant digits, without an exponent and without trailing zeros."""
    if size == 0:
        return "0"
    size = float("%.*e" % (digits - 1, size))
    places = max(0, digits - 1 - math.floor(math.log10(size)))
    text = grouped("%.*f" % (places, size))
    return text.rstrip("0").rstrip(".") if "." in text else text


def money(usd):
    """USD in a sentence: three digits at most.

    >>> money(13738.2), money(448311), money(833.3)
    ('$13,700', '$448,000', '$833')
    """
    return "$" + rounded(usd)


def rounded(value):
    """A number with three digits at most, from 10 on without decimals.

    >>> rounded(1188041), rounded(0.05)
    ('1,190,000', '0.05')
    """
    kept = float("%.*g" % (FEW, value))
    return grouped("%.0f" % kept) if abs(kept) >= 10 or kept == int(kept) else "%g" % kept


def of_text(text):
    """The number that a text states, as Python reads it, else NaN; pandas' own reader crashes on some, such as 1e2147483648."""
    try:
        return math.nan if "_" in text else float(text)
    except (TypeError, ValueError):  # no text at all, or none of a number
        return math.nan


def jsonable(value):
    """A value as JSON has it: no NaN, no NumPy type."""
    if isinstance(value, dict):
        return {key: jsonable(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(one) for one in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
