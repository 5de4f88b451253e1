"""What a token costs: the formulas, the dated facts, the serving model and the decision behind the book.

Results are tables that know where they are from: ``to_frame()`` gives the DataFrame, ``units`` the unit of each column,
``sources`` and ``cited`` whose facts are in it, ``version`` what made it; columns and rows are read as of a DataFrame. A notebook
shows them. What is not allowed raises :class:`BadInput`, one sentence that says what is.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tokenecon.errors import BadInput

if TYPE_CHECKING:
    import datetime
    import os
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from tokenecon.finding import Finding
    from tokenecon.planning.answer import Plan
    from tokenecon.sweeps.result import Sweep

__all__ = ["BadInput", "calibration", "claims", "compare", "cost", "decide", "estimate", "facts", "fit", "gpus", "models", "plan",
           "prices", "sweep", "token_prices"]
__version__ = "0.4.0"
prices: Any = import_module("tokenecon.prices")  # a package, and a function


def _of(module: str, name: str) -> Any:
    """A function of the package, loaded when it is called: an import by name, since all modules import the version from here."""
    return getattr(import_module(f"tokenecon.{module}"), name)


def estimate(cases: "pd.DataFrame | Sequence[Mapping[str, Any]] | Mapping[str, Any]", *, intervals: bool = True,
             percentiles: bool = False) -> "Finding":
    """Predict tokens per second, latency and cost of each case, with the interval of each number.

    Parameters
    ----------
    cases : pandas.DataFrame, list of dicts, or dict
        One row a case, a dict is one. Needed are ``model`` and ``gpu`` (ids of :func:`models` and :func:`gpus`; a model may be
        the path of a config.json), ``n_gpus`` (of the instance), ``isl`` and ``osl`` (tokens of prompt and answer). Often given:
        ``concurrency`` (requests in flight; as many as fit if not given), ``weights`` and ``kv`` (formats such as ``fp8``),
        ``tp``, ``pp``, ``engine``, ``usd_per_gpu_hour`` (the typical price on demand if not given), ``utilisation`` (1 if not
        given), ``load`` with ``requests_per_s``. ``tokenecon estimate --help`` lists all with their defaults; other columns are
        carried along.
    intervals : bool
        Whether to give the ends of the intervals, ``_low`` and ``_high``.
    percentiles : bool
        Whether to give ``ttft_ms_p50``, ``ttft_ms_p90``, ``ttft_ms_p99`` and the same of ``tpot_ms``: over requests, which all
        have the lengths of the case, TPOT as the mean of each request.  Loads ``closed_loop`` (clients that start at once, as
        in benchmark tools) and ``poisson`` have them.

    Returns
    -------
    Finding
        The same rows with ``ttft_ms``, ``tpot_ms``, ``output_tok_s``, ``usd_per_mtok`` and others, each with the 80% interval
        ``_low`` to ``_high``; ``to_frame()`` is the DataFrame. ``error`` says of a row without numbers what is wrong with it,
        ``no_price`` of one that has only speeds why it has no cost. ``calibrated`` is False where nothing like it was measured,
        and ``unmeasured`` names what. Load ``poisson`` takes ``requests_per_s``, arrivals at random; where more come than the
        instance serves, ``fits`` stays what memory says, the numbers are blank, and ``error`` gives the rate that it serves.

    Raises
    ------
    BadInput
        A needed column is missing, or a column is misspelt.

    Examples
    --------
    >>> case = {"model": "llama-3.1-8b", "gpu": "h100-sxm-80gb", "n_gpus": 1, "isl": 1000, "osl": 200, "concurrency": 8}
    >>> found = estimate(case)
    >>> row = found.iloc[0]
    >>> bool(row["tpot_ms_low"] < row["tpot_ms"] < row["tpot_ms_high"]), found.units["tpot_ms"]
    (True, 'ms/tok_out')

    Many cases at once are far quicker than one after the other, some 0.4 us each:

    >>> table = estimate([case | {"concurrency": clients} for clients in (1, 8, 64)]).to_frame()
    >>> bool(table["usd_per_mtok"].is_monotonic_decreasing)  # more clients share the same GPU
    True

    A row that cannot be computed says why, and the others are computed:

    >>> estimate([case, case | {"model": "deepseek-r1"}])["error"].str.partition(":")[0].tolist()
    ['', 'does not fit']
    """
    found: Finding = _of("api.results", "estimate")(cases, intervals, percentiles)
    return found


def cost(scenario: "str | os.PathLike[str] | dict[str, Any]", *, price_rule: str | None = None, **changes: Any) -> "Finding":
    """What a workload costs by every choice: accelerators owned and rented, and an API; the cheapest first.

    Parameters
    ----------
    scenario : str, path or dict
        A name of ``tokenecon list scenarios``, the path of a YAML file, or the mapping in one.
    price_rule : str, optional
        Which offers set a price: ``typical``, ``best`` or ``list``, in place of the scenario's.
    **changes
        Parameters in place of what the scenario says: ``requests_per_day=500_000``, ``isl=3000``, ``gpus="h100-sxm-80gb"``.

    Returns
    -------
    Finding
        A row for each choice that serves the load: ``usd_per_mtok``, ``usd_per_month``, ``replicas``, ``n_gpus`` and others.
        ``["bills"]`` has the bill of a month by line, ``["break_even"]`` the volume from which each beats the API,
        ``["api_sellers"]`` the API by each price rule, ``["refused"]`` why others are out; ``sentence`` is the answer.

    Raises
    ------
    BadInput
        The scenario, a parameter or the rule is not allowed, or nothing serves it.

    Examples
    --------
    >>> found = cost("chat-assistant", requests_per_day=2_000_000)
    >>> bool((found["usd_per_month"] > 0).all()), found.units["usd_per_month"]
    (True, 'USD/month')
    """
    found: Finding = _of("api.results", "cost")(scenario, price_rule, changes)
    return found


def decide(scenario: "str | os.PathLike[str] | dict[str, Any]", *, draws: int = 100_000, seed: int | None = None,
           price_rule: str | None = None, **changes: Any) -> "Finding":
    """How probable it is that owning, renting or an API is the cheapest for a workload, and what decides it.

    Parameters
    ----------
    scenario : str, path or dict
        As :func:`cost` takes it.
    draws : int
        Random draws, from 100 to 5,000,000; more of them narrow the errors.
    seed : int, optional
        Of the draws, in place of the scenario's.
    price_rule, **changes
        As :func:`cost` takes them.

    Returns
    -------
    Finding
        A row for each choice: the ``probability`` that it is the cheapest with its ``probability_error``, and its
        ``usd_per_mtok`` with ``_low`` and ``_high``. ``["kinds"]``, ``["bills"]``, ``["questions"]``, ``["drivers"]``,
        ``["waiting"]`` and ``["inputs"]`` are further tables; ``sentence`` is the answer.

    Raises
    ------
    BadInput
        The scenario or an argument is not allowed, or nothing serves it.

    Examples
    --------
    >>> found = decide("chat-assistant", draws=1000)
    >>> round(float(found["probability"].sum()), 6)  # in each draw one choice is the cheapest
    1.0
    """
    found: Finding = _of("api.results", "decide")(scenario, draws, seed, price_rule, changes)
    return found


def compare(*scenarios: "str | os.PathLike[str] | dict[str, Any]", price_rule: str | None = None) -> "Finding":
    """What differs between scenarios, in the inputs and in the answer, and how much each difference is worth.

    Parameters
    ----------
    *scenarios : str, path or dict
        From two to eight, as :func:`cost` takes them; the others are held against the first.
    price_rule : str, optional
        As :func:`cost` takes it.

    Returns
    -------
    Finding
        A row for each input that differs, with what it alone makes of the bill, ``usd_per_month`` and ``usd_per_mtok``, and
        the ``cheapest`` choice then; then what the differences make ``together beyond one by one``, and the ``whole
        difference``. ``["differences"]`` has the inputs side by side, ``["answers"]`` the cheapest choice of each scenario with
        its bill; ``sentence`` is the answer.

    Raises
    ------
    BadInput
        A scenario or the rule is not allowed, nothing serves it, or there are not two to eight.

    Examples
    --------
    >>> found = compare("chat-assistant", "batch-summariser")
    >>> worth = found.to_frame().set_index("input")["usd_per_month"]
    >>> bool(abs(worth[:-1].sum() - worth["whole difference"]) < 0.01), found.units["usd_per_month"]
    (True, 'USD/month')
    """
    found: Finding = _of("api.results", "compare")(scenarios, price_rule)
    return found


def sweep(grid: "str | os.PathLike[str] | Mapping[str, Any] | pd.DataFrame | Sequence[Mapping[str, Any]]",
          out: "str | os.PathLike[str]", *, scheduler: str | None = None, workers: int | None = None, retry_failed: bool = False,
          progress: bool = True) -> "Sweep":
    """Estimate every combination of a grid into a folder of Parquet files, or run a notebook for each; needs the extra [sweep].

    Ended or killed, it goes on where it was when it is called again, and with nothing changed it does nothing.

    Parameters
    ----------
    grid : path, dict, DataFrame or list of dicts
        A YAML file or the mapping in one (``tokenecon sweep --help`` shows it), or cases as :func:`estimate` takes them.
    out : path
        A folder for this sweep alone.
    scheduler : str, optional
        Address of a dask scheduler; workers on this machine if not given. Its workers need this package, and not the folder.
    workers : int, optional
        How many on this machine; one for each core if not given.
    retry_failed : bool
        Whether to try again what failed before.
    progress : bool
        Whether to show how far it is, on stderr.

    Returns
    -------
    Sweep
        ``to_frame(columns, filters)`` reads the cases, ``done``, ``errors`` and ``failed`` say what came of them. Other programs
        read the folder as one table, such as ``pandas.read_parquet(out)``.

    Raises
    ------
    BadInput
        The grid or the folder is not allowed, the scheduler does not answer, or a package of the extra is missing.

    Examples
    --------
    >>> grid = {"cases": {"model": "llama-3.1-8b", "gpu": ["h100-sxm-80gb", "l40s-48gb"], "n_gpus": 1, "osl": 200,
    ...                   "isl": {"from": 500, "to": 2000, "step": 500}}}
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as out:
    ...     found = sweep(grid, out, workers=1, progress=False)
    ...     found.to_frame(["gpu", "isl", "usd_per_mtok"], [("isl", "<=", 1000)]).shape
    (4, 3)
    """
    with _of("sweeps.progress", "shown")(progress) as tell:
        found: Sweep = _of("sweeps.result", "sweep")(grid, out, scheduler=scheduler, workers=workers, retry_failed=retry_failed,
                                                     tell=tell)
    return found


def models() -> "Finding":
    """Models of the catalogue: ``id``, ``name``, ``kind``, parameters, layers, heads of the cache, source.

    Examples
    --------
    >>> "llama-3.3-70b" in set(models()["id"])
    True
    """
    found: Finding = _of("api.tables", "models")()
    return found


def gpus() -> "Finding":
    """Accelerators of the catalogue: ``id``, ``name``, ``vendor``, memory, bandwidth, arithmetic, power.

    Examples
    --------
    >>> table = gpus().to_frame().set_index("id")
    >>> float(table.loc["h200-sxm-141gb", "memory_GB"]), gpus().units["memory_GB"]
    (141.0, 'GB')
    """
    found: Finding = _of("api.tables", "gpus")()
    return found


def token_prices(model: str | None = None, *, as_of: "str | datetime.date | None" = None) -> "Finding":
    """Offers of tokens by the million as they were known on a day, one row each, with the same marks as :func:`prices`.

    Parameters
    ----------
    model : str, optional
        Id of a model; all if not given.
    as_of : str or date, optional
        The day; the newest date in the book if not given.

    Examples
    --------
    >>> bool((token_prices("llama-3.3-70b")["usd_per_mtok_out"] > 0).all())
    True
    """
    found: Finding = _of("api.tables", "token_prices")(model, as_of)
    return found


def claims(section: str | None = None) -> "Finding":
    """Claims of the two documents with their verdicts, of all sections or of one; needs the book, the extra [book].

    Examples
    --------
    >>> {"id", "statement", "verdict"} <= set(claims().columns)
    True
    """
    found: Finding = _of("api.tables", "claims")(section)
    return found


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
    _of("serving.own_runs.calibration_file", "use")(path)


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

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as mine:
    ...     rows = "id,gpu,kind,value,unit,basis,as_of\\nours,h200-sxm-141gb,on_demand,2.10,USD/GPU/h,quoted,2026-11-01\\n"
    ...     _ = Path(mine, "prices.csv").write_text(rows)
    ...     facts(mine)["prices"]
    ('ours',)
    >>> facts(None)
    {}
    """
    from tokenecon import data

    return data.use(folder)


def fit(model: str, gpu: str | None = None, *, n_gpus: int | None = None, weights: str | None = None, kv: str | None = None,
        isl: float | None = None, osl: float | None = None, users: int | None = None, engine: str | None = None,
        release: str | None = None, memory_share: float | None = None, reserve_gb: float | None = None) -> "Finding":
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
    Finding
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
    given = {"n_gpus": n_gpus, "weights": weights, "kv": kv, "isl": isl, "osl": osl, "users": users, "engine": engine,
             "release": release, "memory_share": memory_share, "reserve_gb": reserve_gb}
    found: Finding = _of("api.results", "fit")(model, gpu, given)
    return found


def plan(model: "str | os.PathLike[str] | dict[str, Any]", *, isl: float | None = None, osl: float | None = None,
         limits: "dict[str, float] | None" = None, gpus: "str | list[str] | None" = None,
         weights: "str | list[str] | None" = None, kv: "str | list[str] | None" = None, n_gpus: "int | list[int] | None" = None,
         requests_per_day: float | None = None, profile: str | None = None, peak_to_mean: float | None = None,
         requests_per_s: float | None = None, concurrency: int | None = None, max_gpus: int | None = None,
         max_kw: float | None = None, max_usd_per_month: float | None = None, chance: float | None = None,
         cached_prefix: float | None = None, engine: str | None = None, kind: str | None = None, price_rule: str | None = None,
         as_of: "str | datetime.date | None" = None, usd_per_gpu_hour: "float | dict[str, float] | None" = None) -> "Plan":
    """Find the configurations that keep latency limits under a load, the cheapest first: all that fit are tried.

    Parameters
    ----------
    model : str, path or dict
        Id of the catalogue, or the path of a config.json. Or a scenario, as :func:`cost` takes it: its model, accelerators,
        load, hours, limits, prices and terms are those asked for, unless they are stated here, too.
    isl, osl : float, optional
        Tokens of prompt and answer of a request; needed with a model.
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
        Whose price of a GPU hour: a kind such as ``own`` or ``committed_1y``; ``typical``, ``list`` or ``best`` (the cheapest
        offer, in whole servers where it is of several GPUs), known on a day; or a price of your own, for all GPUs or by id.

    Returns
    -------
    Plan
        ``to_frame()`` and ``best`` have one row for each GPU, size and formats, the best layout of each, with the load that one
        instance holds, latencies and cost (with ``_low`` and ``_high``), ``chance``, power, and what ``binds``; ``frontier``
        speed against cost; ``turns`` the prices and loads at which the choice turns; ``refused`` why a GPU is not among them;
        ``cases()`` the rows as ``estimate`` takes them. A scenario with a task, users or tenants has ``usd_per_task``,
        ``usd_per_user_month`` and ``usd_per_tenant_month``, too, and one with a currency ``["in_currency"]``.

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
    found: Plan = _of("planning.answer", "plan")(
        model, isl=isl, osl=osl, limits=limits, gpus=gpus, weights=weights, kv=kv, n_gpus=n_gpus,
        requests_per_day=requests_per_day, profile=profile, peak_to_mean=peak_to_mean, requests_per_s=requests_per_s,
        concurrency=concurrency, max_gpus=max_gpus, max_kw=max_kw, max_usd_per_month=max_usd_per_month, chance=chance,
        cached_prefix=cached_prefix, engine=engine, kind=kind, price_rule=price_rule, as_of=as_of,
        usd_per_gpu_hour=usd_per_gpu_hour)
    return found
