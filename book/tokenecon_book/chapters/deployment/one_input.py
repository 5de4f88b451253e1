"""What would change the answers of the chapter on deployment: one input moved, the others kept."""

import numpy as np
import pandas as pd

from tokenecon.finding import Finding, finding
from tokenecon.fleet import pools
from tokenecon_book.chapters.deployment import deployment, edge


@finding
def sensitivity(case):
    """Edge penalty, break-even volume and saving when one input of the page moves and the others stay."""
    moves = {
        "the page itself": {},
        "sites of twice the size": {"edge_sites": max(1, case.edge_sites // 2)},
        "an hour as dear at a site as in the centre": {"site_overhead": 0.0},
        "one in twenty may wait": {"wait_probability": 0.05},
        "a token may take twice as long": {"ttft_ms": 2 * case.ttft_ms, "tpot_ms": 2 * case.tpot_ms},
        "the same load in every hour": {"profile": "flat"},
        "operations cost as much as the machines": {"ops_overhead": 1.0},
    }
    rows = [_row(text, pools.changed(case, **move)) for text, move in moves.items()
            if not move or any(getattr(case, name) != value for name, value in move.items())]
    rows.append(_row("speeds by the textbook, uncalibrated", case, deployment.by_textbook(case)))
    return Finding(pd.DataFrame(rows), note="A dash: no number of own machines beats the API, or no API price is known.",
                   units={"edge_alone": "ratio", "edge_batched": "ratio", "break_even": "tok/day", "saving": "fraction"})


def _row(text, case, found=None):
    sold = deployment.own_or_api(case, found)
    single = edge.alone(case, gpus_per_site=pools.site_gpus(case), wait_probability=case.wait_probability)
    whole = edge.by_replicas(case, sites=[case.edge_sites], wait_probability=case.wait_probability, found=found)[edge.ALL][0]
    return {"change": text, "edge_alone": float(single), "edge_batched": float(whole),
            "break_even": np.nan if sold["break_even"] is None else sold["break_even"], "saving": sold["saving"]}
