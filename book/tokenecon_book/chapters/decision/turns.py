"""Which input would turn the decision: the head's three rows of the page on the reader's own case."""

import pandas as pd

from tokenecon.finding import Finding, finding


@finding
def sensitivity(driven):
    """Of each input of :func:`tokenecon.decision.drivers.tornado` the end at which the cheapest choice leads least."""
    rows = [{"what": "", "to": "", "lead": driven["gap"], "cheapest": driven["leader"]}]
    for row in driven.table.to_dict("records"):
        end, to = ("low", "from") if row["gap_at_low"] < row["gap_at_high"] else ("high", "to")
        rows.append({"what": row["name"], "to": row[to], "lead": row[f"gap_at_{end}"], "cheapest": row[f"winner_at_{end}"]})
    return Finding(pd.DataFrame(rows), units={"lead": "USD/Mtok"})
