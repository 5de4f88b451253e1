"""What a token costs: the formulas, the dated facts, the serving model and the decision behind the book."""

from typing import TYPE_CHECKING, Any

from tokenecon.errors import BadInput

if TYPE_CHECKING:
    import os

    import pandas as pd

__all__ = ["BadInput", "estimate", "facts"]
__version__ = "0.4.0"


def estimate(cases: "pd.DataFrame | dict[str, Any]", *, intervals: bool = True) -> "pd.DataFrame":
    """Predict tokens per second, latency and cost of each case: a DataFrame, or a dict of one, in; a DataFrame out.

    Parameters
    ----------
    cases : pandas.DataFrame or dict
        One row a case. ``model``, ``gpu``, ``n_gpus``, ``isl`` and ``osl`` are needed; ``tokenecon estimate --help`` lists the
        others with their defaults.
    intervals : bool
        Whether to give the ends of the intervals, ``_low`` and ``_high``.

    Returns
    -------
    pandas.DataFrame
        The same rows with ``ttft_ms``, ``tpot_ms``, ``output_tok_s``, ``usd_per_mtok`` and others, each with the 80 % interval
        ``_low`` to ``_high``; ``error`` says of a row without numbers what is wrong with it.

    Raises
    ------
    BadInput
        A needed column is missing, or a column is misspelt.

    Examples
    --------
    >>> case = {"model": "llama-3.1-8b", "gpu": "h100-sxm-80gb", "n_gpus": 1, "isl": 1000, "osl": 200, "concurrency": 8}
    >>> row = estimate(case).iloc[0]
    >>> bool(row["tpot_ms_low"] < row["tpot_ms"] < row["tpot_ms_high"])
    True
    """
    from tokenecon.serving.estimate import estimate as run  # pandas loads here, not on import

    return run(cases, intervals)


def facts(folder: "str | os.PathLike[str] | None") -> "dict[str, tuple[str, ...]]":
    """Reckon with facts of your own, laid over those of the book, for the rest of this process.

    Parameters
    ----------
    folder : path or None
        A folder with any of ``gpus.csv``, ``models.csv``, ``prices.csv``, ``api_prices.csv``, ``assumptions.csv``,
        ``providers.csv`` and ``sources.csv``, with the columns of ``data/``; None takes them off again. A row with the id of
        one of the book's takes its place.

    Returns
    -------
    dict
        Ids of your rows by table.

    Raises
    ------
    BadInput
        A file or a row is not allowed; the sentence names it, and the facts stay what they were.
    """
    from tokenecon import data

    return data.use(folder)
