"""The ``tokenecon`` command: thin, every verb one call into the package."""

import contextlib
import errno
import json
import re
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

from tokenecon import __version__
from tokenecon.errors import BadInput
from tokenecon.numbers import jsonable

BAD_INPUT = 2
NUMBER = re.compile(r"-\.?\d")  # what starts so is a value; any other dash starts an option

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="What a token costs: rerun the book's notebooks, look facts and claims up.\n\n"
    "Example: `tokenecon show h200-sxm-141gb.bandwidth`",
)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
XLSX_HELP = "Write a spreadsheet, too: inputs, every table, costs as formulas that follow the inputs, sources."


def version(wanted: bool):
    """Print the version and stop."""
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def common(
    _version: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version.")
    ] = False,
    facts: Annotated[Path | None, typer.Option(
        metavar="DIR", help="Your own facts: a folder of gpus.csv, models.csv, prices.csv, api_prices.csv, assumptions.csv with "
        "the columns of data/, whose rows join ours or, with the same id, take their place. May stand after the verb, too.")
    ] = None,
    calibration: Annotated[Path | None, typer.Option(
        metavar="FILE", help="Your own coefficients, as `tokenecon calibrate` writes them, in place of the published ones. May "
        "stand after the verb, too.")
    ] = None,
):
    """What holds for every verb."""
    from tokenecon import data

    data.use(facts)  # before any verb reads
    if calibration is not None or data.calibration_file() is not None:
        from tokenecon.serving.own_runs import calibration_file

        calibration_file.use(calibration)


@app.command("list")
def list_(
    what: Annotated[str, typer.Argument(
        help="gpus, models, prices, token-prices, scenarios; with the book claims, notebooks, parameters.")],
    only: Annotated[
        str | None,
        typer.Argument(help="A notebook for its parameters, a gpu or a model for its prices, a section of claims."),
    ] = None,
    as_json: AsJson = False,
):
    """List a catalogue.

    Example: `tokenecon list parameters hardware`
    """
    from tokenecon import catalogue

    rows = jsonable(catalogue.listed(what, only))
    if as_json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
    else:
        print_table(rows)
        if note := catalogue.note(what):
            print(note, file=sys.stderr)


@app.command()
def show(
    id: Annotated[str, typer.Argument(help="Of a fact, gpu, model, price, assumption, claim or source.")],
    as_json: AsJson = False,
):
    """Print a fact, claim or source with its provenance and how to cite it.

    Example: `tokenecon show hw-h100-bandwidth`
    """
    from tokenecon import catalogue

    found = jsonable(catalogue.look_up(id))
    if as_json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return
    print(f"{found['id']} ({catalogue.file(found)})")
    if len(found["rows"]) == 1:
        print_record(found["rows"][0])
    else:
        print_table([{key: row[key] for key in row if key != "id"} for row in found["rows"]])
    if "verdict" in found:
        print("\nrecomputed")
        known = found["rows"][0]
        print_record({key: value for key, value in found["verdict"].items() if key not in known})
    for source in found["sources"]:
        print("\nsource")
        print_record(source)
    print(f"\ncite as\n  {found['cite']}")


@contextlib.contextmanager
def telling_own_facts():
    """Say afterwards which of the reader's own facts were used."""
    from tokenecon import data, queries

    with queries.recording() as asked:
        yield
    if mine := data.own_words(asked):
        print(f"with your own facts: {mine}", file=sys.stderr)


def estimate_help():
    """The columns of a case, written from where they are checked."""
    from tokenecon.serving import case_files

    return ("Predict tokens per second, latency and cost of the cases in a file, with 80% intervals.\n\n"
            "Columns of CASES (.csv, .parquet, or - for standard input):\n\n"
            + "\n".join(f"* {line}" for line in case_files.columns_help())
            + "\n\nRows that are wrong say why in `error`; the others are computed, and where no price is known `no_price` says "
            "so. `usd_per_mtok` is the bill over all tokens; `_in`, `_cached` (of input found in the cache) and `_out` let each "
            "kind pay for the time it causes, and together they pay the bill. Exit code 0; 1 with such a row; "
            "2 where a file cannot be read.\n\nExample: `tokenecon estimate cases.csv -o out.csv`")


def estimate(
    cases: Annotated[str, typer.Argument(help="A table of cases: .csv, .parquet, or - for standard input.")],
    out: Annotated[str, typer.Option("-o", "--out", help="Where to: .csv, .parquet, or - for standard output.")] = "-",
    intervals: Annotated[bool, typer.Option("--intervals/--no-intervals", help="Give the ends of each interval, too.")] = True,
    percentiles: Annotated[bool, typer.Option(
        "--percentiles", help="Give TTFT and TPOT at p50, p90 and p99 over requests, too: of closed loops and poisson.")] = False,
    xlsx: Annotated[Path | None, typer.Option("--xlsx", metavar="FILE.xlsx", help=XLSX_HELP)] = None,
):
    """Predict the cases of a file; ``--help`` lists the columns."""
    from tokenecon.serving import case_files

    with telling_own_facts():
        if xlsx is None:
            rows, wrong = case_files.run(cases, out, intervals, percentiles)
        else:
            from tokenecon.output import case_book

            rows, wrong = case_book.run(cases, out, intervals, percentiles, xlsx)
    if wrong:
        print(f"{wrong} of {rows} rows have an error; see the column error", file=sys.stderr)
        raise typer.Exit(1)


@app.command()
def fit(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Id of `tokenecon list models`, or the path of a config.json.")],
    gpu: Annotated[str | None, typer.Option(help="Id of `tokenecon list gpus`; without it a table over all.")] = None,
    n_gpus: Annotated[str | None, typer.Option(metavar="N", help="GPUs of the instance; without it the fewest that do.")] = None,
    weights: Annotated[str | None, typer.Option(help="Format of the weights, as `estimate` takes it.")] = None,
    kv: Annotated[str | None, typer.Option(help="Format of the KV cache.")] = None,
    isl: Annotated[str | None, typer.Option(metavar="N", help="Prompt tokens; 7168 where the model goes so far.")] = None,
    osl: Annotated[str | None, typer.Option(metavar="N", help="Answer tokens; 1024 where the model goes so far.")] = None,
    users: Annotated[str | None, typer.Option(metavar="N", help="Sequences to be held at once; 1 if not given.")] = None,
    engine: Annotated[str | None, typer.Option(help="tensorrt-llm, vllm, sglang or any; vllm if not given.")] = None,
    release: Annotated[str | None, typer.Option(help="Year of the engine's release: 2024, 2025 or 2026.")] = None,
    memory_share: Annotated[str | None, typer.Option(metavar="SHARE", help="Of the memory that the engine fills.")] = None,
    reserve_gb: Annotated[str | None, typer.Option(metavar="GB", help="On each GPU beside weights and cache.")] = None,
    as_json: AsJson = False,
):
    """What the memory of GPUs holds of a model, how many sequences, how long, and on how many GPUs.

    Exit code 0 also where it does not fit: the answer says what would.

    Example: `tokenecon fit llama-3.3-70b --gpu h100-sxm-80gb --weights fp8`
    """
    from tokenecon.serving.room import fit as room

    with telling_own_facts():
        found = room.fit(model, gpu, n_gpus=n_gpus, weights=weights, kv=kv, isl=isl, osl=osl, users=users, engine=engine,
                         release=release, memory_share=memory_share, reserve_gb=reserve_gb)
    rows = jsonable(found.to_dict("records"))
    if as_json:
        print(json.dumps(rows[0] if gpu else rows, indent=1, ensure_ascii=False))
    elif gpu:
        print_record({name: round(value, 3) if isinstance(value, float) else value for name, value in rows[0].items()})
    else:
        print_table([{name: round(row[name], 1) if isinstance(row[name], float) else row[name] for name in room.SHOWN}
                     for row in rows])


Scenario = Annotated[Path, typer.Argument(
    metavar="SCENARIO", help="Your case, a YAML file, or one of `tokenecon list scenarios`.")]
PriceRule = Annotated[str | None, typer.Option(
    "--price-rule", metavar="best|typical|list", help="Which offers set a price, in place of the scenario's money.price_rule.")]
Changes = Annotated[list[str] | None, typer.Option(
    "-p", "--parameter", metavar="NAME VALUE", help="In place of what the scenario says: requests_per_day 500000. Repeatable.")]
AsCsv = Annotated[Path | None, typer.Option(
    "--csv", metavar="DIR", help="Write every table to a CSV file in DIR, too; a name that ends in .csv is a file of the first.")]
AsXlsx = Annotated[Path | None, typer.Option("--xlsx", metavar="FILE.xlsx", help=XLSX_HELP)]


def hand_on(report, as_json, csv, xlsx, tell=None):
    """Write a report to the files that are asked for, and print it, by ``tell`` where it has a way of its own."""
    from tokenecon.decision import report as reports

    if xlsx is not None:
        from tokenecon.output import live_bill, workbook

        bill = live_bill.bill if "operands" in report else live_bill.bills if "scenarios" in report else None
        workbook.write(report, xlsx, bill)
    (tell or reports.tell)(report, print_table, as_json=as_json, csv=csv)


@app.command()
def cost(
    scenario: Annotated[Path | None, typer.Argument(
        metavar="[SCENARIO]", help="Your case, a YAML file, or one of `tokenecon list scenarios`.")] = None,
    changes: Changes = None,
    price_rule: PriceRule = None,
    as_json: AsJson = False,
    csv: AsCsv = None,
    xlsx: AsXlsx = None,
    from_benchmark: Annotated[Path | None, typer.Option(
        metavar="FILE", help="Price measured runs: a benchmark's result file, or a table of `tokenecon import`. With SCENARIO "
        "they stand in place of the model's speed, where they are of the same case.")] = None,
    gpu: Annotated[str | None, typer.Option(help="Of a result file, as `import` takes it; so are the next four.")] = None,
    n_gpus: Annotated[int | None, typer.Option(min=1, max=100_000, help="GPUs of the whole instance.")] = None,
    model: Annotated[str | None, typer.Option(help="Id of the model, where the file names another.")] = None,
    weights: Annotated[str | None, typer.Option(help="Format of the weights.")] = None,
    engine: Annotated[str | None, typer.Option(metavar="NAME [VERSION]", help="Such as 'vllm 0.11.0'.")] = None,
    usd_per_gpu_hour: Annotated[float | None, typer.Option(
        min=0, max=1e6, metavar="USD", help="Of measured runs; the typical price on demand if not given.")] = None,
    utilisation: Annotated[float, typer.Option(min=1e-6, max=1, help="Share of paid hours that are as busy as the run.")] = 1.0,
    cached_prefix: Annotated[float, typer.Option(min=0, max=0.999, help="Share of the run's prompts found in a cache.")] = 0.0,
):
    """What own, rented and API tokens cost in your case, and from which volume on own ones are cheaper.

    With `--from-benchmark FILE` and no scenario: what a measured run costs, by kind of token.

    Example: `tokenecon cost chat-assistant -p requests_per_day 500000 -p gpus h100-sxm-80gb`, or
    `tokenecon cost --from-benchmark run.json --gpu h200-sxm-141gb --n-gpus 2`
    """
    from tokenecon.decision import report

    said = {"gpu": gpu, "n_gpus": n_gpus, "model": model, "weights": weights, "engine": engine}
    if from_benchmark is None:
        if scenario is None:
            raise typer.BadParameter("name a SCENARIO, or runs with --from-benchmark FILE")
        if given := [name for name, value in said.items() if value is not None]:
            raise typer.BadParameter(f"--{given[0].replace('_', '-')} is of --from-benchmark FILE; state it in the scenario")
        hand_on(report.cost(scenario, price_rule, changes or ()), as_json, csv, xlsx)
        return
    from tokenecon.serving.own_runs import pricing

    if scenario is not None:
        measured = pricing.read(from_benchmark, said)
        hand_on(report.cost(scenario, price_rule, changes or (), measured), as_json, csv, xlsx)
        return
    if xlsx is not None:
        raise typer.BadParameter("--xlsx is of a SCENARIO; the table of measured runs alone is written by --csv FILE.csv")
    with telling_own_facts():
        table = pricing.priced(pricing.read(from_benchmark, said), usd_per_gpu_hour, utilisation, cached_prefix)
    if csv is not None:
        report.write({"runs": table}, csv)
    if as_json:
        print(json.dumps(jsonable(table.to_dict("records")), indent=1, ensure_ascii=False))
        return
    print_table(pricing.shown(table))
    for words in pricing.remarks(table):
        print(words)


@app.command()
def decide(
    scenario: Scenario,
    changes: Changes = None,
    draws: Annotated[int, typer.Option(min=100, max=5_000_000, help="Random draws; more of them narrow the errors.")] = 100_000,
    seed: Annotated[int | None, typer.Option(min=0, help="Of the draws, in place of the scenario's.")] = None,
    price_rule: PriceRule = None,
    as_json: AsJson = False,
    csv: AsCsv = None,
    xlsx: AsXlsx = None,
):
    """How probable it is that owning, renting or an API is the cheapest in your case, and what decides it.

    Example: `tokenecon decide chat-assistant --draws 1000000`
    """
    from tokenecon.decision import report

    hand_on(report.decide(scenario, draws, seed, price_rule, changes or ()), as_json, csv, xlsx)


@app.command()
def compare(
    scenarios: Annotated[list[Path], typer.Argument(
        metavar="SCENARIO…", help="From 2 to 8: files, or some of `tokenecon list scenarios`; the others against the first.")],
    price_rule: PriceRule = None,
    as_json: AsJson = False,
    csv: AsCsv = None,
    xlsx: AsXlsx = None,
):
    """What differs between scenarios, in the inputs and in the answer, and how much each difference is worth.

    Example: `tokenecon compare chat-assistant coding-agent`
    """
    from tokenecon.output import compare as comparison

    hand_on(comparison.compare(scenarios, price_rule), as_json, csv, xlsx)


@app.command()
def memo(
    scenario: Scenario,
    out: Annotated[Path, typer.Option("-o", "--out", help="The memo: a name that ends in .docx, .html, .md or .pdf.")],
    others: Annotated[list[Path] | None, typer.Option(
        "--compare", metavar="SCENARIO", help="Another case to hold it against. Repeatable.")] = None,
    changes: Changes = None,
    draws: Annotated[int, typer.Option(min=100, max=5_000_000, help="Random draws; more of them narrow the errors.")] = 100_000,
    seed: Annotated[int | None, typer.Option(min=0, help="Of the draws, in place of the scenario's.")] = None,
    price_rule: PriceRule = None,
):
    """Write a decision on two pages for a board: answer, chart, alternatives, bill, assumptions, sources, command.

    With `-p` the other cases stay as they are. Word, HTML and Markdown need nothing more; a PDF is printed by Chromium or
    LibreOffice, one of which must be there.

    Example: `tokenecon memo chat-assistant -p requests_per_day 2000000 --compare chat-assistant -o memo.docx`
    """
    from tokenecon.output import memo as memos

    memos.memo(scenario, out, others or (), draws, seed, price_rule, changes or ())
    print(out)


@app.command()
def plan(
    model: Annotated[str, typer.Argument(
        metavar="MODEL|SCENARIO", help="Id of `tokenecon list models`, the path of a config.json; or a scenario, a YAML file or "
        "one of `tokenecon list scenarios`, whose load, limits and prices are then those asked for.")],
    isl: Annotated[float | None, typer.Option(metavar="N", help="Prompt tokens of a request.")] = None,
    osl: Annotated[float | None, typer.Option(metavar="N", help="Answer tokens of a request.")] = None,
    limit: Annotated[list[str] | None, typer.Option(
        "-l", "--limit", metavar="NAME=MS", help="ttft_ms or tpot_ms (means), or at _p50, _p90, _p99. Repeatable.")] = None,
    gpus: Annotated[str | None, typer.Option(metavar="ID,…", help="Ids of `tokenecon list gpus`; blank: all.")] = None,
    weights: Annotated[str | None, typer.Option(metavar="FORMAT,…", help="Formats allowed; blank: as it is published.")] = None,
    kv: Annotated[str | None, typer.Option(metavar="FORMAT,…", help="Formats of the cache that are allowed.")] = None,
    n_gpus: Annotated[str | None, typer.Option(metavar="N,…", help="GPUs of an instance; any of a server if blank.")] = None,
    requests_per_day: Annotated[float | None, typer.Option(metavar="N", help="The load, spread as --profile says.")] = None,
    profile: Annotated[str | None, typer.Option(metavar="NAME", help="Hours of the day: flat, diurnal, or a trace.")] = None,
    peak_to_mean: Annotated[float | None, typer.Option(min=1, max=23.9, metavar="N", help="Or: busiest hour over mean.")] = None,
    requests_per_s: Annotated[float | None, typer.Option(metavar="N", help="Or the load: arrivals at random, all day.")] = None,
    concurrency: Annotated[int | None, typer.Option(metavar="N", help="Or the load: clients that send when answered.")] = None,
    max_gpus: Annotated[int | None, typer.Option(metavar="N", help="GPUs at most, all together.")] = None,
    max_kw: Annotated[float | None, typer.Option(metavar="KW", help="Rated power at most, with cooling.")] = None,
    max_usd_per_month: Annotated[float | None, typer.Option(metavar="USD", help="Bill of the GPUs at most.")] = None,
    chance: Annotated[float | None, typer.Option(metavar="SHARE", help="Chance that all limits hold, such as 0.9.")] = None,
    cached_prefix: Annotated[float | None, typer.Option(metavar="SHARE", help="Share of the prompt found in a cache.")] = None,
    engine: Annotated[str | None, typer.Option(metavar="NAME [VERSION]", help="As `estimate` takes it.")] = None,
    kind: Annotated[str | None, typer.Option(metavar="KIND", help="Of hour: own, committed_1y …; on demand if blank.")] = None,
    price_rule: PriceRule = None,
    as_of: Annotated[str | None, typer.Option(metavar="DATE", help="Prices known on this day.")] = None,
    usd_per_gpu_hour: Annotated[float | None, typer.Option(metavar="USD", help="Of a GPU hour, in place of offers.")] = None,
    as_json: AsJson = False,
    csv: AsCsv = None,
    xlsx: AsXlsx = None,
):
    """Which configurations keep latency limits under a load, what they cost, and what would turn the choice.

    Every instance that fits is tried: GPUs, tp, pp, attention_dp, ep and formats. Without a load each instance is as full as the
    limits allow. Options go before what a SCENARIO says.

    Example: `tokenecon plan llama-3.3-70b --isl 4000 --osl 500 --weights fp8 --gpus h200-sxm-141gb -l ttft_ms=1000`, or
    `tokenecon plan chat-assistant -l tpot_ms=40`
    """
    from tokenecon.planning import told

    limits = {}
    for one in limit or ():
        name, equals, value = one.partition("=")
        if not equals:
            raise typer.BadParameter(f"--limit {one} lacks its value; write --limit {name}=MS")
        limits[name] = value
    report = told.report(
        model, isl=isl, osl=osl, gpus=gpus, weights=weights, kv=kv, n_gpus=n_gpus, limits=limits, chance=chance,
        cached_prefix=cached_prefix, engine=engine, requests_per_s=requests_per_s, requests_per_day=requests_per_day,
        profile=profile, peak_to_mean=peak_to_mean, concurrency=concurrency, max_gpus=max_gpus, max_kw=max_kw,
        max_usd_per_month=max_usd_per_month, kind=kind, price_rule=price_rule, as_of=as_of, usd_per_gpu_hour=usd_per_gpu_hour)
    hand_on(report, as_json, csv, xlsx, told.tell)


SWEEP_HELP = """Compute every combination of a grid, on this machine or a dask cluster, into a folder of Parquet files.

Ended or killed, it goes on where it was with the same command; with nothing changed it does nothing. A failing part is recorded,
and the others go on. Exit code 0; 1 where a part failed. Readers take the folder as one table: `pandas.read_parquet("out")`.

GRID.yml, in which a column is a value, a list or a range:

    cases:                       # columns of `tokenecon estimate`
      model: llama-3.3-70b
      gpu: [h100-sxm-80gb, h200-sxm-141gb]
      isl: {from: 500, to: 8000, step: 500}
      osl: {from: 100, to: 1000, count: 10}
      concurrency: {from: 1, to: 512, factor: 2}
    together:                    # lists that go side by side
      - n_gpus: [2, 4]
        weights: [fp8, bf16]
    intervals: true              # or percentiles: true
    cases_per_part: 50000

`notebook: hardware` with `parameters:` in place of `cases:` runs the notebook for each, as `tokenecon run` does.

Example: `tokenecon sweep grid.yml -o out`
"""


@app.command(help=SWEEP_HELP)
def sweep(
    grid: Annotated[Path, typer.Argument(metavar="GRID.yml", help="What to compute.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="A folder for it alone.")],
    scheduler: Annotated[str | None, typer.Option(
        metavar="ADDRESS", help="Of a dask cluster, such as tcp://10.0.0.1:8786; else workers on this machine.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=1024, help="On this machine; one for each core if not given.")] = None,
    status: Annotated[bool, typer.Option("--status", help="Say what is there, and make nothing.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Make parts that failed again, too.")] = False,
    as_json: AsJson = False,
):
    """Compute a grid; the help stands in ``SWEEP_HELP``."""
    from tokenecon.sweeps import progress, result

    if status:
        found = result.status(grid, out)
    else:
        with progress.shown() as tell:
            found = result.sweep(grid, out, scheduler=scheduler, workers=workers, retry_failed=retry_failed, tell=tell)
    if as_json:
        print(json.dumps(found.summary(), indent=1, ensure_ascii=False))
    else:
        print("\n".join(found.lines()))
    if found.failed:
        raise typer.Exit(1)


@app.command("import")
def import_(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Result files, of one or several tools.")],
    gpu: Annotated[str, typer.Option(help="What the runs were on: an id of `tokenecon list gpus`.")],
    n_gpus: Annotated[int, typer.Option(min=1, max=100_000, help="GPUs of the whole instance.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The table to write, with the columns of data/measurements.csv.")],
    model: Annotated[str | None, typer.Option(help="Id of `tokenecon list models`, where the files name another.")] = None,
    engine: Annotated[str | None, typer.Option(metavar="NAME [VERSION]", help="Such as 'vllm 0.11.0', if not stated.")] = None,
    weights: Annotated[str | None, typer.Option(help="Format of the weights; else as the model is published.")] = None,
    kv: Annotated[str | None, typer.Option(help="Format of the KV cache.")] = None,
    parallelism: Annotated[str | None, typer.Option(metavar="LAYOUT", help="tp2-pp2 or like it; tp of all if not given.")] = None,
    isl: Annotated[float | None, typer.Option(min=1, max=1e8, metavar="N", help="Mean prompt tokens, if not stated.")] = None,
):
    """Read benchmark results into a table of measurements, for `check`, `calibrate` and `cost --from-benchmark`.

    Reads vLLM bench serve, SGLang bench_serving, aiperf, genai-perf, guidellm, InferenceX, inference-perf and llmperf, and
    finds out which. A file that contradicts the options is refused. The table is replaced whole; generated texts are not kept.

    Example: `tokenecon import run.json --gpu h200-sxm-141gb --n-gpus 2 -o measurements.csv`
    """
    from tokenecon.importers.benchmarks import rows

    table, tools = rows.rows(paths, gpu=gpu, n_gpus=n_gpus, model=model, engine=engine, weights=weights, kv=kv,
                             parallelism=parallelism, isl=isl)
    rows.write(table, out)
    runs = len({(row["source"], row["locator"]) for row in table})
    print(f"{len(table)} measurements of {runs} run{'s' * (runs > 1)} ({', '.join(dict.fromkeys(tools))}): {out}")
    notes = [note for row in table for note in (row["flag"] and f"set aside: {row['flag']}", row["note"]) if note]
    for note in dict.fromkeys(notes):
        print(note, file=sys.stderr)


Measurements = Annotated[Path, typer.Option(
    metavar="FILE", help="A table with the columns of data/measurements.csv, such as `tokenecon import` writes.")]


@app.command()
def check(
    measurements: Measurements,
    as_json: AsJson = False,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write every row with its prediction, too.")] = None,
):
    """Compare measurements with what the model says of them: median error, and how many lie inside the 80% interval.

    `error` is the median of |measured / predicted - 1|, `measured/predicted` says to which side.

    Example: `tokenecon check --measurements measurements.csv`
    """
    from tokenecon.serving.own_runs import compare

    with telling_own_facts():
        rows = compare.compared(measurements)
    summary, aside = compare.summary(rows), compare.left_out(rows)
    if csv is not None:
        compare.write(rows, csv)
    if as_json:
        print(json.dumps(jsonable({"summary": summary.to_dict("records"), "left_out": aside}), indent=1, ensure_ascii=False))
        return
    print_table(compare.shown(summary))
    for reason, count in aside.items():
        print(f"{count} row{'s' * (count > 1)} not compared: {reason}", file=sys.stderr)


@app.command()
def calibrate(
    measurements: Measurements,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE.yml", help="The calibration, for `--calibration`.")],
    as_json: AsJson = False,
):
    """Move the coefficients of the model by your own measurements, with the published ones as prior.

    Prints of each coefficient that the runs bear on how far it moved, its 80% interval, what is left of its spread, and what it
    trades off with; `not identified` are those of which the runs say next to nothing alone, though all together fit them.

    Example: `tokenecon calibrate --measurements measurements.csv -o mine.yml`
    """
    from tokenecon.serving.own_runs import compare
    from tokenecon.serving.own_runs import fit as own_fit

    rows, aside, found = own_fit.calibrated(measurements)
    moved = own_fit.table(found)
    own_fit.write(moved, measurements, rows, out)
    if as_json:
        print(json.dumps(jsonable(moved.to_dict("records")), indent=1, ensure_ascii=False))
        return
    print_table(own_fit.shown(moved))
    print(f"\n{own_fit.sentence(rows, found, moved)} Written to {out}.")
    for line in own_fit.remarks(rows, found):
        print(line, file=sys.stderr)
    for reason, count in compare.left_out(aside).items():
        print(f"{count} row{'s' * (count > 1)} not used: {reason}", file=sys.stderr)


@app.command()
def traffic(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Your load: CSV, JSON Lines or JSON.")],
    gaps: Annotated[str | None, typer.Option(metavar="zero|same_hour", help="Fill hours that are missing.")] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE.csv", help="Write the requests of each hour.")] = None,
    as_json: AsJson = False,
):
    """Show what a scenario takes from a file of your load: hours, peaks, lengths, the cached share, and gaps.

    Reads hours or steps of any length, one row a request (Azure, BurstGPT and Mooncake layouts), range exports of Prometheus
    and a provider's usage, with commas or semicolons, times in seconds or milliseconds since 1970 or ISO with a zone.

    Example: `tokenecon traffic load.csv`
    """
    from tokenecon.importers.loads import files as loads
    from tokenecon.importers.loads import hours

    load = loads.read(file, gaps)
    if out is not None:
        hours.refuse_gaps(file, load, gaps)
        hours.write(load, out)
    if as_json:
        print(json.dumps(jsonable(vars(load) | {"hours": load.hours["requests_per_h"].tolist()}), indent=1, ensure_ascii=False))
    else:
        print_table([{"what": what, "value": value} for what, value in hours.said(load)])


@app.command("add-model")
def add_model(
    config: Annotated[str, typer.Argument(metavar="CONFIG.json", help="The model's config.json, or the folder it lies in.")],
    model_id: Annotated[str, typer.Option("--id", help="A new id, such as llama-3.1-8b.")],
    name: Annotated[str, typer.Option(help="The name for readers.")],
    source: Annotated[str, typer.Option(help="Where the file was read: an id of data/sources.csv.")],
    locator: Annotated[str, typer.Option(help="Where in the source.")] = "config.json",
    published_total: Annotated[
        int | None, typer.Option(min=1, help="Parameters as published, where they differ from the shape's.")] = None,
    table: Annotated[Path | None, typer.Option(help="Another copy of data/models.csv.")] = None,
):
    """Write the row of data/models.csv for a model, its parameters counted from the shape.

    Example: `tokenecon add-model config.json --id qwen3-14b --name "Qwen3 14B" --source hf-qwen-qwen3-14b`
    """
    from tokenecon.importers import model_row

    target = table or model_row.default_table()
    row = model_row.row(config, model_id=model_id, name=name, source=source, locator=locator, published_total=published_total)
    model_row.add(target, row)
    print(f"{row['parameters']} parameters, {row['active_parameters']} of them for a token; the row of {model_id} is in {target}")
    if published_total is None:
        print("no publication was compared with that count; give its own with --published-total, and a test compares them",
              file=sys.stderr)


def print_record(record):
    """The fields of one row that hold something."""
    held = {key: value for key, value in record.items() if value not in (None, "")}
    for key, value in held.items():
        print(f"  {key:<{max(map(len, held))}}  {formatted(value)}")


def formatted(value):
    """A value as a reader expects it: a whole number without its ``.0``."""
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def print_table(rows):
    """Rows as a table as wide as the terminal, or tab separated where there is none."""
    columns = [key for key in rows[0] if any(row[key] not in (None, "") for row in rows)] if rows else []
    cells = [["" if row[key] is None else formatted(row[key]) for key in columns] for row in rows]
    if not sys.stdout.isatty():
        for line in [columns, *cells]:
            print("\t".join(line))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for place, key in enumerate(columns):  # an id must stay whole: it is what one copies
        head = key.replace("_per_", "/").replace("_", " ")
        words = [word for text in (head, *(line[place] for line in cells)) for word in text.split()]
        widest = min(max(map(len, words), default=1), 12)  # what fits is not cut within a word
        table.add_column(head, overflow="fold", no_wrap=place == 0, min_width=widest)
    for line in cells:
        table.add_row(*map(escape, line))
    Console(highlight=False).print(table)


BEFORE = {"--facts": "folder; write --facts DIR", "--calibration": "file; write --calibration FILE"}


def facts_first(arguments):
    """The arguments with ``--facts DIR`` and ``--calibration FILE``, wherever they stand, before the verb, and the verb."""
    given, moved, rest = list(arguments), [], []
    while given:
        one = given.pop(0)
        if one == "--":
            rest += [one, *given]
            break
        if one in BEFORE and given:
            moved += [one, given.pop(0)]
        elif one in BEFORE:
            raise typer.BadParameter(f"{one} lacks its {BEFORE[one]}")
        elif one.partition("=")[0] in BEFORE:
            moved.append(one)
        else:
            rest.append(one)
    return moved + rest, rest[0] if rest else ""


def paired(arguments):
    """The arguments with each ``-p NAME VALUE`` as ``-p NAME=VALUE``, which is also allowed as such."""
    given, done = list(arguments), []
    while given:
        one = given.pop(0)
        done.append(one)
        if one in ("-p", "--parameter") and given:
            name = given.pop(0)
            if "=" in name:
                done.append(name)
            elif given and (not given[0].startswith("-") or NUMBER.match(given[0])):
                done.append(f"{name}={given.pop(0)}")
            else:
                raise typer.BadParameter(f"-p {name} lacks its value; write -p {name} VALUE")
    return done


def application(wanted=""):
    """The command with its verbs, and where none of them is ``wanted`` those of other packages; its help may be long."""
    # the help of this verb is read from the tables it checks: only then are they loaded
    app.command("estimate", help=estimate_help() if wanted == "estimate" else
                "Predict tokens per second, latency and cost of a table of cases.")(estimate)
    if wanted not in {verb.name or verb.callback.__name__ for verb in app.registered_commands}:
        for verb in entry_points(group="tokenecon.verbs"):
            app.command(verb.name)(verb.load())
    for verb in app.registered_commands:
        verb.epilog = "With `--facts DIR`, your own facts, and `--calibration FILE`; see `tokenecon --help`."
    return app


def main(arguments=None):
    """Run the command; bad input is one sentence on stderr and exit code 2, never a traceback."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        ordered, verb = facts_first(given)
        code = application(verb)(paired(ordered), prog_name="tokenecon", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        sentence = error.format_message().rstrip(".")
        print(f"error: {sentence}; see `tokenecon --help`", file=sys.stderr)
        code = error.exit_code
    except typer.Abort:
        code = 130
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(f"error: the results cannot be written: {error.strerror}; make room and run again", file=sys.stderr)
        sys.stdout = None  # what is left in it would fail once more at the end
        code = BAD_INPUT
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        code = BAD_INPUT
    sys.exit(code or 0)
