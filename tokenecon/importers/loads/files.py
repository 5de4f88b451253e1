"""A reader's load from a file of any of the kinds that people have, as hours, lengths and what is found in a cache.

Hours with a row each; steps of any length; a row a request (the layouts of Azure, BurstGPT and Mooncake, JSON Lines); a range
export of Prometheus; a provider's usage export.  Times without a zone count as UTC.
"""

import json

import numpy as np
import pandas as pd

from tokenecon.importers.loads import exports, hours
from tokenecon.importers.loads.hours import Steps
from tokenecon.importers.loads.table import TrafficError, as_path, read_csv, read_lines
from tokenecon.units import SECONDS_PER_HOUR

MS = 1e-3
LARGEST = 2_000_000_000  # bytes of a file of JSON, which is read whole
BLOCK = 512  # tokens of a block of the cache in Mooncake's traces


def read(path, gaps=None):
    """The load in a file; ``gaps`` fills hours that are missing, by `zero` or by the `same_hour` of other days."""
    path = as_path(path)
    with path.open("rb") as file:
        start = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start not in (b"{", b"["):
        return _of_table(read_csv(path), gaps)
    try:
        text = path.read_bytes()[:LARGEST].decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TrafficError(f"{path}: is not text in UTF-8; give JSON, or a table in CSV") from None
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        return _of_table(read_lines(path, text), gaps)
    if isinstance(tree, dict) and "data" not in tree:
        return _of_table(read_lines(path, json.dumps(tree)), gaps)
    return hours.load(path, exports.steps(path, tree), gaps)


def _of_table(table, gaps):
    if "hour" in table and "requests" in table:
        return hours.load(table.path, _hours(table), gaps)
    if "requests" in table or "rate" in table:
        return hours.load(table.path, _steps(table), gaps)
    return _requests(table, gaps)


def _hours(table):
    """A row an hour, numbered from any hour on."""
    number = table.numbers("hour", least=-1e9)
    name = table.called["hour"]
    table.refuse(number != number.round(), lambda n: f"'{name}' is {table.texts('hour').iloc[n]}, not a whole number")
    before = number.diff()
    table.refuse((before <= 0) & (number.index > 0), lambda n: (
        f"hour {table.texts('hour').iloc[n].strip()} follows {table.texts('hour').iloc[n - 1].strip()}; give each hour one row, "
        "and sort by time"))
    return Steps("hours", (number * SECONDS_PER_HOUR).to_numpy(), np.full(len(number), SECONDS_PER_HOUR),
                 table.numbers("requests").to_numpy(), absolute=False, tokens=_tokens(table))


def _tokens(table):
    return {side: table.numbers(side).to_numpy() for side in ("in", "out", "cached") if side in table}


def _steps(table):
    """A row a step of any length, in UTC; several rows of one time, such as one a model, are one step."""
    seconds, absolute = table.seconds("time")
    counted = "requests" if "requests" in table else "rate"
    frame = pd.DataFrame({"start": seconds, "requests": table.numbers(counted), **_tokens(table)})
    if "end" in table:
        frame["length"] = table.seconds("end")[0] - seconds
        table.refuse(~(frame["length"] > 0), lambda n: f"'{table.called['end']}' is not after '{table.called['time']}'")
    sums = frame.groupby("start").agg({name: "first" if name == "length" else "sum" for name in frame if name != "start"})
    starts = sums.index.to_numpy()
    if "length" not in sums:
        sums["length"] = exports.step(table.path, starts)
    if counted == "rate":
        sums["requests"] *= sums["length"]
    kind = "a provider's usage export" if "end" in table else "steps"
    return Steps(kind, starts, sums["length"].to_numpy(), sums["requests"].to_numpy(), absolute=absolute,
                 tokens={side: sums[side].to_numpy() for side in ("in", "out", "cached") if side in sums})


def _requests(table, gaps):
    """A row a request: times, lengths, and from the hashes of their blocks what a cache without end would find."""
    layout = ("Mooncake" if "blocks" in table else "Azure" if table.called.get("in", "").lower() == "contexttokens" else
              "BurstGPT" if table.called.get("in", "").lower() == "request tokens" else "")
    named_ms = table.called["time"].lower().endswith("_ms")
    from_first_ms = layout == "Mooncake" or named_ms or table.called.get("in") == "input_length"
    seconds, absolute = table.seconds("time", unit_s=MS if from_first_ms else 1.0)
    tokens, notes = _tokens(table), []
    answered = tokens["out"] > 0 if "out" in tokens else np.ones(len(seconds), dtype=bool)
    if not answered.all():
        notes.append(f"{(~answered).sum():,} requests without an answer left out")
    if not answered.any():
        raise TrafficError(f"{table.path}: no request of the {len(answered):,} has an answer, so there is no load to plan for")
    order = np.argsort(seconds.to_numpy(), kind="stable")
    order = order[answered[order]]
    if "blocks" in table and "in" in tokens:
        tokens["cached"] = _found_before(table, tokens["in"], order)
        notes.append("cached share of a cache without end: at most what one of yours finds")
    return hours.of_requests(table.path, f"a row a request{f', {layout} layout' if layout else ''}", seconds.to_numpy()[order],
                             absolute, {side: column[order] for side, column in tokens.items()}, notes, gaps)


def _found_before(table, prompts, order):
    """Tokens of each prompt whose blocks came before, from its first on, in the order of arrival."""
    name, blocks = table.called["blocks"], table.columns["blocks"].tolist()
    wrong = pd.Series([not isinstance(one, list) or not all(isinstance(part, int | str) for part in one) for one in blocks])
    table.refuse(wrong, lambda n: f"'{name}' is no list of hashes")
    count = np.array([len(one) for one in blocks])
    size, most = BLOCK, float(np.max(prompts[count > 0] / count[count > 0], initial=1.0))
    while size / 2 >= most:
        size /= 2
    while size < most:
        size *= 2
    seen, found = set(), np.zeros(len(blocks))
    for at in order:
        own = blocks[at]
        hit = next((place for place, one in enumerate(own) if one not in seen), len(own))
        found[at] = min(hit * size, prompts[at])
        seen.update(own)
    return found
