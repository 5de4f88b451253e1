"""What would change the answers of the chapter on deployment: one input moved, the others kept."""

import numpy as np
import pandas as pd

from tokenecon.finding import Finding, finding
from tokenecon.fleet import pools
from tokenecon_book.chapters.deployment import edge, own_or_api
from tokenecon_book.documents import base, moved


@finding
def sensitivity(case):
    """Edge penalty, break-even volume and cost over the API when one input of the page moves and the others stay."""
    moves = {
        "the page itself": {},
        "sites of twice the size": {"edge_sites": max(1, case.edge_sites // 2)},
        "ten times the GPUs": {"central_gpus": 10 * case.central_gpus},
        "an hour as dear at a site as in the centre": {"site_overhead": 0.0},
        "one in twenty may wait": {"wait_probability": 0.05},
        "a token may take twice as long": {"ttft_ms": 2 * case.ttft_ms, "tpot_ms": 2 * case.tpot_ms},
        "the same load in every hour": {"profile": "flat"},
        "operations cost as much as the machines": {"ops_overhead": 1.0},
        "machines and API at their cheapest offers": {"price_rule": "best"},
        "a hundred times the volume": {"requests_per_day": 100 * case.requests_per_day},
    }
    rows = [_row(text, pools.changed(case, **move)) | moved.said(move) for text, move in moves.items()
            if not move or any(getattr(case, name, None) != value for name, value in move.items())]
    note = "∞: at no volume. A dash: no API price is known, or nobody sells the machine."
    return Finding(pd.DataFrame(rows), note=note,
                   units={"edge_alone": "ratio", "edge_batched": "ratio", "break_even": "request/day", "over_api": "ratio"})


def _row(text, case):
    own, over = base.break_even_rows(case).get(own_or_api.OWNED), own_or_api.over_api(case)
    single, whole = edge.at_site(case)
    return {"change": text, "edge_alone": single, "edge_batched": whole,
            "break_even": np.nan if own is None else own["requests_per_day"], "over_api": np.nan if over is None else over}
