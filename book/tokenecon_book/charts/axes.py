"""Axes: what a column is called, its unit in words, its ticks, and how a tooltip writes it."""

import math
from collections import namedtuple

import altair as alt

from tokenecon.numbers import number, span
from tokenecon_book.charts import theme

Axis = namedtuple("Axis", "column title unit log format domain zero values")


def axis(column, title, unit=None, *, log=False, format=None, domain=None, zero=False, values=None):
    """Name a column for the reader.

    Parameters
    ----------
    column, title : str
        The table's column, and what it is, without the unit.
    unit : str, optional
        A unit of the closed list; it is written out in brackets. Leave it away for categories only.
    log : bool
        A logarithmic axis with ticks at 1, 10, 100, and at 2 and 5 where there is room.
    format : str, optional
        A number format instead of the unit's own, such as ``",.1f"``.
    domain : tuple, optional
        Both ends of the axis, instead of those of the data.
    zero : bool
        Start a linear axis at zero; bars always do.
    values : list, optional
        The ticks, where the data offer better ones, such as batch sizes that are powers of two.
    """
    return Axis(column, title, unit, log, format, domain, zero, values)


def words(ax):
    """Title of an axis with its unit in brackets, and that it is logarithmic."""
    log = ", log scale" if ax.log else ""
    return f"{ax.title} [{theme.unit_words(ax.unit)}{log}]" if ax.unit else ax.title


def band(table, ax):
    """The columns of a range, if the table has both of them."""
    return (f"{ax.column}_low", f"{ax.column}_high") if has_range(table.columns, ax.column) else None


def has_range(columns, name):
    """Whether some columns have both ends of the range of one."""
    return f"{name}_low" in columns and f"{name}_high" in columns


def is_range_end(name, columns):
    """Whether a column is an end of another column's range."""
    stem, _, end = name.rpartition("_")
    return end in ("low", "high") and stem in columns and has_range(columns, stem)


def extent(tables, ax):
    """Smallest and largest number an axis has to show, ranges included."""
    numbers = []
    for table in tables:
        for name in (ax.column, f"{ax.column}_low", f"{ax.column}_high"):
            if name in table.columns:
                numbers += [float(v) for v in table[name] if math.isfinite(v) and (v > 0 or not ax.log)]
    if not numbers:
        wanted = "positive number (the axis is logarithmic)" if ax.log else "finite number"
        raise ValueError(f"column '{ax.column}' holds no {wanted} to draw")
    return min(numbers), max(numbers)


def log_ticks(low, high):
    """Ticks of a logarithmic axis: 1-2-5 below two and a half decades, else whole decades.

    >>> log_ticks(0.3, 20)
    [0.5, 1.0, 2.0, 5.0, 10.0, 20.0]
    """
    steps = (1, 2, 5) if high / low < 320 else (1,)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    ticks = [float(f"{step}e{power}") for power in range(first, last + 1) for step in steps]
    return [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]


def scale(ax, low, high, *, room=0):
    """The scale of an axis over the data's range; `room` pixels stay free for labels at its far end."""
    options = {"nice": False} if ax.log else {"nice": False, "zero": ax.zero}
    if ax.domain:
        options["domain"] = list(ax.domain)
    elif ax.log:
        options["domain"] = [low, high] if low < high else [low * 0.5, high * 2]
    elif ax.zero:
        options.update(domain=[min(0, low), max(0, high)], nice=not room)
    else:
        options.update(domain=[low, high], nice=not room)
    if ax.log:
        options["type"] = "log"
    if room:
        options["rangeMax"] = alt.ExprRef(f"width - {room}")
    return alt.Scale(**options)


def guide(ax, low, high, **options):
    """The drawn axis: title with unit, ticks, labels a reader can say aloud."""
    values = ax.values
    if values is None and ax.log:
        values = log_ticks(*(ax.domain or (low, high)))
    if values is not None:
        options["values"] = list(values)
        if ax.values is not None:
            options.setdefault("labelOverlap", "parity")  # every second, so that the steps stay even
    else:
        options.setdefault("tickCount", 6)
    if ax.format:
        options["format"] = ax.format
    else:
        options["labelExpr"] = theme.label_expression(ax.unit)
    return alt.Axis(title=words(ax), **options)


def labelled(table, *axes):
    """The table with one more column for each axis: its number and range as a reader says them."""
    table = table.copy()
    for ax in axes:
        form = ax.format
        texts = [number(value, ax.unit, form=form) for value in table[ax.column]]
        if ends := band(table, ax):
            ranges = [span(a, b, ax.unit, form=form) for a, b in zip(table[ends[0]], table[ends[1]], strict=True)]
            table[f"{ax.column}_number"] = texts
            texts = [t if r in (t, "–") else f"{t} ({r})" for t, r in zip(texts, ranges, strict=True)]
        else:
            table[f"{ax.column}_number"] = texts
        table[f"{ax.column}_spoken"] = texts
    return table


def tooltip(*fields):
    """Tooltip lines for axes of a :func:`labelled` table and for plain columns given as (column, title)."""
    lines = []
    for field in fields:
        column, title = (f"{field.column}_spoken", words(field._replace(log=False))) if isinstance(field, Axis) else field
        lines.append(alt.Tooltip(f"{clean(column)}:N", title=title))
    return lines


def clean(column):
    """A column name as Altair's shorthand takes it; names with punctuation are refused."""
    if not column.replace("_", "").isalnum():
        raise ValueError(f"column '{column}' must consist of letters, digits and underscores to be drawn")
    return column
