"""What a token costs: the formulas, the dated facts, the serving model and the decision behind the book."""

from typing import TYPE_CHECKING, Any

from tokenecon.errors import BadInput

if TYPE_CHECKING:
    import os

    import pandas as pd

    from tokenecon.planning.answer import Plan

__all__ = ["BadInput", "calibration", "estimate", "facts", "fit", "plan"]
__version__ = "0.4.0"


def estimate(cases: "pd.DataFrame | dict[str, Any]", *, intervals: bool = True, percentiles: bool = False) -> "pd.DataFrame":
    """Predict tokens per second, latency and cost of each case: a DataFrame, or a dict of one, in; a DataFrame out.

    Parameters
    ----------
    cases : pandas.DataFrame or dict
        One row a case. ``model``, ``gpu``, ``n_gpus``, ``isl`` and ``osl`` are needed; ``tokenecon estimate --help`` lists the
        others with their defaults.
    intervals : bool
        Whether to give the ends of the intervals, ``_low`` and ``_high``.
    percentiles : bool
        Whether to give ``ttft_ms_p50``, ``ttft_ms_p90``, ``ttft_ms_p99`` and the same of ``tpot_ms``: over requests, which all
        have the lengths of the case, TPOT as the mean of each request.  Loads ``closed_loop`` (clients that start at once, as
        in benchmark tools) and ``poisson`` have them.

    Returns
    -------
    pandas.DataFrame
        The same rows with ``ttft_ms``, ``tpot_ms``, ``output_tok_s``, ``usd_per_mtok`` and others, each with the 80 % interval
        ``_low`` to ``_high``; ``error`` says of a row without numbers what is wrong with it, ``no_price`` of one that has only
        speeds why it has no cost. ``calibrated`` is False where nothing like it was measured, and ``unmeasured`` names what.
        Load ``poisson`` takes ``requests_per_s``, arrivals at random; where more come than the instance serves, ``fits`` stays
        what memory says, the numbers are blank, and ``error`` gives the rate that it serves.

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

    return run(cases, intervals, percentiles)


def calibration(path: "str | os.PathLike[str] | None") -> None:
    """Reckon with coefficients of your own, in place of the published ones, for the rest of this process.

    Parameters
    ----------
    path : path or None
        A file that ``tokenecon calibrate`` wrote; None takes them off again.

    Raises
    ------
    BadInput
        The file is not allowed; the sentence names the coefficient, and those in use stay what they were.
    """
    from tokenecon.serving.own_runs import calibration_file

    calibration_file.use(path)


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


def fit(model: str, gpu: str | None = None, *, n_gpus: int | None = None, weights: str | None = None, kv: str | None = None,
        isl: float | None = None, osl: float | None = None, users: int | None = None, engine: str | None = None,
        release: str | None = None, memory_share: float | None = None, reserve_gb: float | None = None) -> "pd.DataFrame":
    """What the memory of GPUs holds of a model: weights, reserve, cache, sequences of a length, and on how many GPUs.

    Parameters
    ----------
    model : str
        Id of the catalogue, or the path of a config.json.
    gpu : str, optional
        Id of an accelerator; without it one row for each.
    n_gpus : int, optional
        GPUs of the instance; without it the fewest that hold what is asked, doubled from one.
    weights, kv : str, optional
        Formats, as ``estimate`` takes them.
    isl, osl : float, optional
        Prompt and answer of a sequence; 7168 and 1024 where the model goes so far.
    users : int, optional
        Sequences to be held at once, 1 if not given: ``fits``, ``min_n_gpus`` and ``longest_context`` are for so many.
    engine, release, memory_share, reserve_gb : optional
        As ``estimate`` takes them; the engine is vllm if not given.

    Returns
    -------
    pandas.DataFrame
        One row for each GPU. ``memory_gb``, ``weights_gb``, ``reserve_gb``, ``cache_gb`` and ``rest_gb`` (outside of the
        engine's share) are of one GPU, and so are ``cache_kb_per_token``, of the layers that keep every token, and
        ``cache_gb_per_sequence``; ``max_concurrency`` is of the instance. ``said`` is blank, or says what would fit.

    Raises
    ------
    BadInput
        An id, a format or a number is not allowed, or the length is beyond the positions of the model.

    Examples
    --------
    >>> row = fit("llama-3.3-70b", "h100-sxm-80gb", n_gpus=1, weights="fp8").iloc[0]
    >>> bool(row["fits"]), int(row["min_n_gpus"])
    (False, 2)
    """
    from tokenecon.serving.room.fit import fit as run

    return run(model, gpu, n_gpus=n_gpus, weights=weights, kv=kv, isl=isl, osl=osl, users=users, engine=engine, release=release,
               memory_share=memory_share, reserve_gb=reserve_gb)


def plan(model: str, *, isl: float, osl: float, limits: "dict[str, float] | None" = None, gpus: "str | list[str] | None" = None,
         weights: "str | list[str] | None" = None, kv: "str | list[str] | None" = None, n_gpus: "int | list[int] | None" = None,
         requests_per_day: float | None = None, profile: str | None = None, peak_to_mean: float | None = None,
         requests_per_s: float | None = None, concurrency: int | None = None, max_gpus: int | None = None,
         max_kw: float | None = None, max_usd_per_month: float | None = None, chance: float | None = None,
         cached_prefix: float = 0.0, engine: str | None = None, kind: str | None = None, price_rule: str = "typical",
         as_of: str | None = None, usd_per_gpu_hour: "float | dict[str, float] | None" = None) -> "Plan":
    """Find the configurations that keep latency limits under a load, the cheapest first: all that fit are tried.

    Parameters
    ----------
    model : str
        Id of the catalogue, or the path of a config.json.
    isl, osl : float
        Tokens of prompt and answer of a request.
    limits : dict, optional
        Milliseconds at most, by name: ``ttft_ms`` and ``tpot_ms`` (means), or either with ``_p50``, ``_p90`` or ``_p99``.
    gpus, weights, kv : str or list, optional
        What is allowed: all accelerators with a price, and the formats in which the model is published, if not given.
    n_gpus : int or list, optional
        GPUs of an instance; any number up to a server, or with ``max_gpus`` beyond it, if not given.
    requests_per_day, requests_per_s, concurrency : float, optional
        The load, one of them: a day whose hours are those of ``profile`` or ``peak_to_mean``; arrivals at random, the same all
        day; clients that send when they are answered. Without one an instance is as full as the limits allow, and the cheapest
        token comes first; with one the cheapest month.
    max_gpus, max_kw, max_usd_per_month : float, optional
        Budgets of the whole fleet: GPUs, rated power with cooling, the bill of the GPUs.
    chance : float, optional
        The chance with which all limits must hold, by the interval of the model, where 0.9 means nine in ten; if not given, the
        expected latencies must keep to them.
    cached_prefix, engine : optional
        As ``estimate`` takes them.
    kind, price_rule, as_of, usd_per_gpu_hour : optional
        Whose price of a GPU hour: a kind such as ``own`` or ``committed_1y``, ``typical`` or ``list``, known on a day; or a
        price of your own, for all GPUs or by id.

    Returns
    -------
    Plan
        ``to_frame()`` and ``best`` have one row for each GPU, size and formats, the best layout of each, with the load that one
        instance holds, latencies and cost (with ``_low`` and ``_high``), ``chance``, power, and what ``binds``; ``frontier``
        speed against cost; ``turns`` the prices and loads at which the choice turns; ``refused`` why a GPU is not among them;
        ``cases()`` the rows as ``estimate`` takes them.

    Raises
    ------
    BadInput
        A value is not allowed, or no configuration keeps the limits; the sentence says which comes nearest.

    Examples
    --------
    >>> found = plan("llama-3.1-8b", isl=1000, osl=200, gpus="h100-sxm-80gb", n_gpus=1, limits={"ttft_ms": 500, "tpot_ms": 20})
    >>> row = found.to_frame().iloc[0]
    >>> bool(row["ttft_ms"] <= 500), bool(row["tpot_ms"] <= 20), row["binds"]
    (True, True, 'tpot_ms')
    """
    from tokenecon.planning.answer import plan as run

    found: Plan = run(
        model, isl=isl, osl=osl, limits=limits, gpus=gpus, weights=weights, kv=kv, n_gpus=n_gpus,
        requests_per_day=requests_per_day, profile=profile, peak_to_mean=peak_to_mean, requests_per_s=requests_per_s,
        concurrency=concurrency, max_gpus=max_gpus, max_kw=max_kw, max_usd_per_month=max_usd_per_month, chance=chance,
        cached_prefix=cached_prefix, engine=engine, kind=kind, price_rule=price_rule, as_of=as_of,
        usd_per_gpu_hour=usd_per_gpu_hour)
    return found
