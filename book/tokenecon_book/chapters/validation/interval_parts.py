"""What an interval is made of: what sources differ by, the spread within one, and what nobody measured."""

import numpy as np
import pandas as pd

from tokenecon.finding import Finding, finding, named
from tokenecon.serving import intervals, lookups
from tokenecon_book.chapters.validation.validation import QUANTITIES
from tokenecon_book.documents.words import percent

PARTS = {"source": "sources differ", "within": "spread within a source", "whole": "both, of something like what was measured"}
NEW = {"gpu": "new accelerator", "arithmetic": "new number format", "architecture": "new architecture",
       "load": "new load or option"}
ALL = "with everything new"
DRAWN = ("source", "within", "whole", "all")
COLUMNS = {"part": ("Part", None)} | {name: (words[0].upper() + words[1:], "fraction") for name, words in QUANTITIES.items()}


@finding
def parts(found):
    """How far each part of the interval would reach alone, by quantity: of the cell of the typical case."""
    cases, rows, cells = found.table, [], intervals.cells()
    for quantity, words in QUANTITIES.items():
        source, lows, highs, added = lookups.widths()[quantity]
        own = cases[cases["quantity"] == quantity]
        places = [cells.index(one) for one in zip(own["load"], own["kind"], own["maker"], strict=True)]
        low, high = (float(np.median([ends[place] for place in places])) for ends in (lows, highs))
        squares = {"source": (source, source), "within": (low, high), "whole": (source + low, source + high)}
        squares |= {name: (square, square) for name, square in zip(intervals.NEW, added, strict=True)}
        squares["all"] = (source + low + sum(added), source + high + sum(added))
        for name, (below, above) in squares.items():
            rows.append({"part": (PARTS | NEW | {"all": ALL})[name], "name": name, "what": words, "drawn": name in DRAWN,
                         "below": float(np.expm1(-np.sqrt(below))), "above": float(np.expm1(np.sqrt(above)))})
    table = pd.DataFrame(rows)
    ends = table.set_index(["name", "what"])[["below", "above"]]
    like, new = (named("interval-reach", ends.loc[(name, QUANTITIES["rate"]), "above"], percent, what=words)
                 for name, words in (("whole", "something like what was measured"), ("all", "everything new")))
    return Finding(
        table, f"Real throughput may be {like} above our estimate for setups like those measured, {new} above for entirely "
        "new ones",
        "Parts add up by the squares of their logarithms, so the largest counts most. Spread within a source: of the load, kind "
        "of model and vendor that is typical of the cases.", units={"below": "fraction", "above": "fraction"})


def side_by_side(found):
    """The parts as rows, with the ends of each quantity in columns."""
    table = found.table
    out = pd.DataFrame({"part": table["part"].unique()})
    for name, words in QUANTITIES.items():
        own = table[table["what"] == words].set_index("part").loc[out["part"]]
        out[f"{name}_low"], out[f"{name}_high"] = own["below"].to_numpy(), own["above"].to_numpy()
    return out
