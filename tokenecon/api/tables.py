"""What the book knows, as results of the Python interface: accelerators, models, prices, claims."""

import pandas as pd

from tokenecon import catalogue
from tokenecon.finding import Finding, finding
from tokenecon.prices import price_book

GPUS = {"memory_GB": "GB", "bandwidth_TB_per_s": "TB/s", "bf16_TFLOP_per_s": "TFLOP/s", "board_power_W": "W"}
MODELS = {"parameters": "param", "active_parameters": "param", "layers": "layer", "kv_heads": "head"}


@finding
def gpus():
    """Accelerators; see ``tokenecon.gpus``."""
    return Finding(pd.DataFrame(catalogue.gpus()), units=GPUS, fresh=True)


@finding
def models():
    """Models; see ``tokenecon.models``."""
    return Finding(pd.DataFrame(catalogue.models()), units=MODELS, fresh=True)


def prices(gpu, as_of):
    """Offers of GPU-hours; see ``tokenecon.prices``."""
    return _prices(gpu, price_book.day(as_of))


@finding
def _prices(gpu, as_of):
    return Finding(pd.DataFrame(catalogue.prices(gpu, as_of)), note=catalogue.note("prices", as_of), fresh=True)


def token_prices(model, as_of):
    """Offers of tokens; see ``tokenecon.token_prices``."""
    return _token_prices(model, price_book.day(as_of))


@finding
def _token_prices(model, as_of):
    return Finding(pd.DataFrame(catalogue.token_prices(model, as_of)), note=catalogue.note("token-prices", as_of), fresh=True)


@finding
def claims(section):
    """Claims with verdicts; see ``tokenecon.claims``."""
    return Finding(pd.DataFrame(catalogue.listed("claims", section)), fresh=True)
