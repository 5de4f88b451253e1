"""A reader's own measurements: a table with the columns of ``data/measurements.csv``, as the model takes it."""

import pandas as pd

from tokenecon import data, own_facts
from tokenecon.errors import BadInput, did_you_mean
from tokenecon.importers.benchmarks.rows import LAYOUT, SHAPE, UNITS
from tokenecon.serving import checks, coefficients, lookups, operands, steady_state
from tokenecon.serving.calibration import measured

FAMILY = "own"
RUN = ["source", "locator", *measured.RUN]  # rows that are alike in them are of one run
UNITS = UNITS | {"e2e_ms": "ms"}
ASIDE = "set aside"
UNSTATED = "?"  # format of a cache that is not stated
NO_ROOM = "by the model it does not fit into memory; see `tokenecon fit`, and check weights and parallelism"
NO_LIMITS = "arrivals under limits are not modelled"
NEVER = dict.fromkeys(("mlperf_server", "mlperf_interactive"), NO_LIMITS)


class BadMeasurements(BadInput):
    """A table of measurements that cannot be used; the sentence names file, line and column."""


def read(path):
    """The rows of a table, checked: see :func:`checked`."""
    return checked(path, own_facts.table(path, {field["name"]: field for field in data.schema("measurements")}))


def checked(path, lines):
    """Rows as texts, with their lines, typed and checked; `aside` says why one is not compared, and is blank where it is."""
    fields = {field["name"]: field for field in data.schema("measurements")}
    found, seen = [], {}
    for line, row in lines:
        if row["id"] in seen:
            _refuse(path, line, row, "id", f"another in each row; line {seen[row['id']]} has it, too")
        seen[row["id"]] = line
        _check(path, line, row)
        found.append(row)
    if not found:
        raise BadMeasurements(f"measurements '{path}' have a header and no row; `tokenecon import` writes such a table")
    rows = pd.DataFrame(found)
    for name, field in fields.items():
        if field["type"] in ("number", "integer"):
            rows[name] = pd.to_numeric(rows[name].replace("", None), errors="coerce").astype(float)
    rows["aside"] = [flag and f"{ASIDE}: {flag}" for flag in rows["flag"]]
    rows.loc[rows["aside"] == "", "aside"] = rows["workload"].map(NEVER).fillna("")
    rows.loc[rows[["isl", "osl"]].isna().any(axis=1) & (rows["aside"] == ""), "aside"] = "the lengths are not stated"
    rows.loc[(rows["parallelism"] == "") & (rows["aside"] == ""), "aside"] = "the layout of the GPUs is not stated"
    rows.loc[(rows["metric"] == "request_s") & (rows["aside"] == ""), "aside"] = "a rate that was sent, not measured"
    return _with_room(measured.completed(rows.assign(family=FAMILY, tuning=coefficients.TUNINGS[0])))


def _with_room(rows):
    """The rows, of which those are set aside that by the model do not fit into memory."""
    closed = rows.index[(rows["aside"] == "") & rows["workload"].isin(measured.LOADS)]
    if len(closed):
        case = measured.to_case(rows.loc[closed].reset_index(drop=True))
        place = case.pop("run")
        rows.loc[closed[steady_state.steady(case, lookups.coefficients())["fit"][place] < 1], "aside"] = NO_ROOM
    return rows


def _refuse(path, line, row, column, allowed):
    raise BadMeasurements(f"measurements '{path}', line {line} ({row['id'][:60]}): {column} is "
                          f"{repr(row[column][:60]) if row[column] else 'blank'}, but must be {allowed}")


def _check(path, line, row):
    """What the columns of a row must be to each other and to the catalogue."""
    for name, known in (("model", data.ids("models")), ("gpu", data.ids("gpus")), ("weights", operands.WEIGHTS),
                        ("kv", (*operands.CACHES, UNSTATED))):
        if row[name] not in known:
            _refuse(path, line, row, name, (f"one of {', '.join(known)}" if len(known) < 10 else "an id of `tokenecon list "
                    f"{name}s`") + did_you_mean(row[name], known))
    for name in ("model", "gpu"):
        if said := checks.word_sentence(name, row[name]):
            raise BadMeasurements(f"measurements '{path}', line {line}: {said}")
    engine = row["engine"].split(" ")[0]
    if measured.LIKE.get(engine, engine) not in measured.ENGINES:
        _refuse(path, line, row, "engine", f"one of {', '.join(measured.ENGINES)} and a version")
    if UNITS.get(row["metric"], row["unit"]) != row["unit"]:
        _refuse(path, line, row, "unit", f"{UNITS[row['metric']]}, since metric is {row['metric']}")
    if not float(row["value"]) > 0:
        _refuse(path, line, row, "value", "above 0")
    _check_layout(path, line, row)
    for name in ("isl", "osl"):
        if row[name] and checks.outside(name, float(row[name])):
            _refuse(path, line, row, name, "a number from 1 to 1e8")
    for name, allowed in (("concurrency", "above 0, or blank for as many as fit"), ("requests", "at least 1, or blank")):
        if row[name] and not float(row[name]) > 0:
            _refuse(path, line, row, name, allowed)


def _check_layout(path, line, row):
    if not row["parallelism"]:
        return
    parts = [LAYOUT.fullmatch(part) for part in row["parallelism"].split("-")]
    if not all(parts) or len({part[1] for part in parts}) < len(parts) or "tp" not in {part[1] for part in parts}:
        _refuse(path, line, row, "parallelism", SHAPE)
    ranks, n_gpus = measured.layout(row["parallelism"]), float(row["n_gpus"])
    if n_gpus % (ranks["tp"] * ranks["pp"]) or ranks["tp"] % ranks["adp"] or ranks["tp"] % ranks["ep"]:
        _refuse(path, line, row, "parallelism", f"so that tp times pp divides n_gpus {n_gpus:g}, and adp and ep divide tp")
    if lookups.model_numbers(row["model"])["hidden"] % (ranks["tp"] / ranks["adp"]):
        _refuse(path, line, row, "parallelism", f"so that its ranks divide the hidden size of {row['model']}")


def used(rows, loads=tuple(measured.LOADS)):
    """The rows that are compared, of some loads, by a new index."""
    return rows[(rows["aside"] == "") & rows["workload"].isin(loads)].reset_index(drop=True)
