"""The question asked backwards: which configurations keep the limits of the reader's case, and what machines alone cost then."""

import pandas as pd

from tokenecon import data
from tokenecon.errors import BadInput
from tokenecon.finding import Finding, finding
from tokenecon.planning import answer

COLUMNS = {
    "name": ("Instance", None), "layout": ("Layout", None), "replicas": ("At the busiest", "count"), "ttft_ms": ("TTFT", "ms"),
    "tpot_ms": ("TPOT", "ms"), "chance": ("Limits hold in", "fraction"), "usd_per_month": ("Machines, a month", "USD/month"),
}  # fmt: skip
BINDS = {"ttft_ms": "the time to the first token", "tpot_ms": "the time per token", "memory": "memory",
         "speed": "speed"}  # fmt: skip


@finding
def planned(case):
    """The best configuration of each accelerator that keeps the limits of a case, the lowest bill of machines first."""
    try:
        found = answer.plan(case)
    except BadInput as error:
        return Finding(pd.DataFrame(columns=list(COLUMNS)), f"Nothing can be planned here: {error}")
    table = found.best.drop_duplicates("gpu").reset_index(drop=True)
    names = [data.gpu(gpu)["name"] for gpu in table["gpu"]]
    table["name"] = [f"{n_gpus:g} × {name}" for n_gpus, name in zip(table["n_gpus"], names, strict=True)]
    table["layout"] = [answer.layout_words(row) for row in table.to_dict("records")]
    binds = table["binds"].iloc[0]
    kept = "keeps the limits" if found.asked["limits"] else "serves the load"
    said = f"{names[0]} {kept} at the lowest bill of machines" + (f", before {names[1]}" if len(names) > 1 else "")
    ends = [f"{name}{end}" for name in COLUMNS for end in ("_low", "_high") if f"{name}{end}" in table]
    units = {name: unit for name, (_, unit) in COLUMNS.items() if unit}
    return Finding(table[[*COLUMNS, *ends]], f"{said}; {BINDS.get(binds, binds)} binds", found.note, units)
