"""Sentences that stay true for any allowed input: numbers, nouns and comparisons that know one, none, less and the same.

A sentence of a page is put together from these, so that no parameter makes it say "1 sites", "$0.00", "4.9% to 4.9%", "0% less"
or "a share of -15%".
"""

from math import floor, log10

CENT, NOTHING, TEN = 0.01, 1e-9, 10.0
LITTLE = 0.005  # a share below it reads as 0%
FAINT = 1e-6  # and one below it has no digits that anybody reads


def count(number, noun):
    """A whole number of things: "1 site", "1,000 sites"."""
    return f"{number:,.0f} {noun}{'' if round(number) == 1 else 's'}"


def dollars(value):
    """Money to the cent, what is less than one with two digits: "$3.39", "$0.0012", and "$0" for a solver's rounding."""
    size = abs(value)
    if size < NOTHING:
        return "$0"
    if size >= CENT:
        return f"${value:,.2f}"
    return f"${value:.{1 - floor(log10(size))}f}"


def whole_dollars(value):
    """A larger sum without cents: "$407"; below ten as :func:`dollars`."""
    return f"${value:,.0f}" if abs(value) >= TEN else dollars(value)


def about(value):
    """A number that is known to two digits: "about 120,000"."""
    return f"about {float(f'{value:.2g}'):,.10g}"


def price(value):
    """Money in three digits at most, as a cost of tokens is known: "$104", "$79", "$9.94", "$0.0594"."""
    if abs(value) < NOTHING:
        return "$0"
    return f"${value:,.0f}" if abs(value) >= TEN else f"${value:,.{max(0, 2 - floor(log10(abs(value))))}f}"


def span(low, high, show):
    """A range; one number where both ends read the same."""
    return show(low) if show(low) == show(high) else f"{show(low)} to {show(high)}"


def percent(share):
    """A share without decimals; a small one is not said to be none."""
    if 0 < share < FAINT:
        return f"less than {100 * FAINT:.4f}%"
    return f"{100 * share:.1g}%" if 0 < share < LITTLE else f"{share:.0%}"


def saves(share, show="{:.0%}".format):
    """What a way saves, as a verb: "saves 34%", "saves nothing", "costs 12% more"."""
    if show(abs(share)) == show(0.0):
        return "saves nothing"
    return f"saves {show(share)}" if share > 0 else f"costs {show(-share)} more"


def than(ratio, show="{:.0%}".format):
    """How one thing compares with another: "34% less than", "2.1 times as much as", "as much as"."""
    change = ratio - 1
    if show(abs(change)) == show(0.0):
        return "as much as"
    if ratio >= 2:
        return f"{ratio:,.1f} times as much as"
    return f"{show(change)} more than" if change > 0 else f"{show(-change)} less than"


def longer(rise, than="alone"):
    """How much longer something takes than another: "20% longer than alone", "2.9 times as long as alone"."""
    if rise >= 1:
        return f"{1 + rise:,.1f} times as long as {than}"
    share = f"{abs(rise):.0%}"
    return f"as long as {than}" if share == "0%" else f"{share} {'longer' if rise > 0 else 'shorter'} than {than}"


def often(number, show="{:g}".format):
    """How many times something is done: "once", "twice", "4 times"."""
    return {"1": "once", "2": "twice"}.get(show(number), f"{show(number)} times")


def listed(names):
    """Names as a list in a sentence: "a", "a and b", "a, b and c"."""
    *rest, end = names
    return f"{', '.join(rest)} and {end}" if rest else end
