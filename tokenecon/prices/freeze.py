"""``make freeze-prices``: append what the price lists say today to ``data/api_prices.csv`` and ``api_terms.csv``.

It says what changed.
A row is never rewritten.  A vintage is all offers of one list on one day, so that an offer missing from the next
vintage is an offer that disappeared.  A list that says what it said before, in the same version, adds nothing.
"""

import argparse
import csv
import datetime
import io
import sys
from collections import Counter
from pathlib import Path

from tokenecon import data, files
from tokenecon.errors import BadInput
from tokenecon.importers import genai_prices, litellm_prices, sellers

TABLE = data.ROOT / "api_prices.csv"
TERMS = "api_terms.csv"  # beside it: what the lists say of an offer besides its price
MONEY = ("usd_per_mtok_in", "usd_per_mtok_out", "usd_per_mtok_cached")
LISTS = {genai_prices.SOURCE: "genai-prices", litellm_prices.SOURCE: "LiteLLM"}  # id in sources.csv -> its name in locators
LICENCE = "MIT"  # of both lists
DEAREST = 1000.0  # USD for a million tokens; ten times what the dearest model ever asked, and lists do slip by powers of ten
LOOKED_FOR = "every model of data/models.csv and every model that the table already has"


class NotFrozen(BadInput):
    """Nothing was written; the message says why."""


def models(rows, also=()):
    """What to look for: ids with their aliases, of the models with known shape and of all others in the table."""
    known = {name: tuple(aliases.split()) for name, aliases in data.models()["aliases"].items()}
    return known | {name: () for name in [*(row["model"] for row in rows), *also]
                    if name not in known and name not in sellers.MOVING}


def read(path):
    """Rows of the table, with its columns in the order of ``data/datapackage.json``."""
    columns = [field["name"] for field in data.schema("api_prices")]
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        if rows.fieldnames != columns:
            raise NotFrozen(f"'{path}' has the columns {rows.fieldnames}, data/datapackage.json says {columns}")
        return list(rows), columns


def vintage(rows, source, day):
    """The newest vintage of a list up to a day: its date, or None, and its offers by the seller's name."""
    dates = [row["last_seen"] for row in rows if row["source"] == source and row["last_seen"] <= day]
    newest = max(dates, default=None)
    held = [row for row in rows if row["source"] == source and row["last_seen"] == newest]
    return newest, {row["seller_model"]: row for row in sorted(held, key=lambda row: row["as_of"])}


def frozen(rows, source, version, offers, day):
    """The rows that a list adds on a day, and the report: a list of sentences."""
    day, name = day.isoformat(), f"{LISTS[source]} {version}"
    before, old = vintage(rows, source, day)
    wrong = [offer for offer in offers if max(offer[field] or 0.0 for field in MONEY) > DEAREST]
    new = {offer["seller_model"]: row(offer, source, name, day) for offer in offers if offer not in wrong}
    same = before and new.keys() == old.keys() and not any(changes(old[one], new[one]) for one in new)
    if before == day or (same and all(one["locator"].split(";")[0] == name for one in old.values())):
        return [], [f"{name}: nothing new since {before}, nothing added" if same else
                    f"{name}: {day} is frozen already with other prices, nothing added; the next vintage can be tomorrow's"]
    taken = Counter()
    ids = {one["id"] for one in rows}
    for one in sorted(new.values(), key=lambda one: (one["model"], one["provider"], one["seller_model"])):
        stem = f"{one['model']}.{one['provider']}.{LISTS[source].lower()}.{day}"
        taken[stem] += 1
        one["id"] = stem if taken[stem] == 1 else f"{stem}-{taken[stem]}"
        if one["id"] in ids:
            raise NotFrozen(f"the id '{one['id']}' is taken in the table, and ids are never used twice")
    added = sorted(new.keys() - old.keys()) if before else []
    gone = sorted(old.keys() - new.keys())
    changed = [(one, changes(old[one], new[one])) for one in sorted(new.keys() & old.keys())]
    changed = [(one, words) for one, words in changed if words]
    report = [f"{name}: {len(new)} prices of {len({one['model'] for one in new.values()})} models by "
              f"{len({one['provider'] for one in new.values()})} sellers, as of {day}"]
    if before:
        report.append(f"against {before}: {len(added)} added, {len(changed)} changed, {len(gone)} disappeared")
    report += [f"  refused      {one['seller_model']}: {one['usd_per_mtok_in']:.6g} and {one['usd_per_mtok_out']:.6g} USD for "
               "a million tokens in and out are a slip of the list" for one in wrong]
    report += [f"  added        {one}" for one in added]
    report += [f"  changed      {one}: {'; '.join(words)}" for one, words in changed]
    report += [f"  disappeared  {one}" for one in gone]
    return sorted(new.values(), key=lambda one: one["id"]), report


def row(offer, source, name, day):
    """An offer as a row of the table, still without its id."""
    money = {field: "" if offer[field] is None else f"{offer[field]:.10g}" for field in MONEY}
    locator = "; ".join(part for part in (name, offer["locator"]) if part)
    return {"id": "", "model": offer["model"], "provider": offer["provider"], "seller_model": offer["seller_model"], **money,
            "as_of": offer["as_of"] or day, "last_seen": day, "status": offer["status"], "basis": "quoted",
            "source": source, "licence": LICENCE, "locator": locator, "note": offer["note"]}


def terms(offers, source, name, day):
    """The rows of ``api_terms.csv`` of a list's offers on a day; offers of which it says nothing more have none."""
    found, taken = [], Counter()
    for offer in sorted(offers, key=lambda one: (one["model"], one["provider"], one["seller_model"])):
        for term in offer.get("terms", ()):
            stem = f"{offer['model']}.{offer['provider']}.{LISTS[source].lower()}.{term['tier']}.{day}"
            taken[stem] += 1
            money = {field: "" if term[field] is None else f"{term[field]:.10g}" for field in MONEY}
            found.append({"id": stem if taken[stem] == 1 else f"{stem}-{taken[stem]}", "model": offer["model"],
                          "provider": offer["provider"], "seller_model": offer["seller_model"], "tier": term["tier"], **money,
                          "weights": "", "context": term["context"] or "", "tok_out_per_s": "", "as_of": day,
                          "basis": "quoted", "source": source, "licence": LICENCE, "locator": name, "note": ""})
    return found


def changes(old, new):
    """What an offer now says otherwise, in words; a price that the older vintage did not have is one that became known."""
    words = [f"{field} {old[field] or 'unknown'} -> {new[field] or 'unknown'}"
             for field in MONEY if _number(old[field]) != _number(new[field])]
    return words + ([f"{old['status']} -> {new['status']}"] if old["status"] != new["status"] else [])


def _number(text):
    return round(float(text), 9) if text else None


def append(path, columns, rows):
    """Write rows at the end of the table, in one go; one that is not there begins with its head."""
    text = io.StringIO()
    csv.DictWriter(text, columns, lineterminator="\n").writerows(rows)
    before = Path(path).read_bytes().decode() if Path(path).exists() else ",".join(columns)
    with files.replaced(path) as file:
        file.write(before + ("" if before.endswith("\n") else "\n") + text.getvalue())


def freeze(path=TABLE, *, day=None, litellm=None, also=()):
    """Append the vintage of a day to the table at a path; returns the report, a list of sentences."""
    day = day or datetime.date.today()
    if day > datetime.date.today():
        raise NotFrozen(f"day '{day}' is in the future; a price is known on its day at the earliest")
    rows, columns = read(path)
    wanted = models(rows, also)
    lists = [(genai_prices.SOURCE, *genai_prices.read(wanted, day))]
    if litellm:
        lists.append((litellm_prices.SOURCE, *litellm_prices.read(litellm, wanted, day)))
    report, new, said = [], [], []
    for source, version, offers in lists:
        if not offers:
            raise NotFrozen(f"{LISTS[source]} {version} has no price of any model that was looked for ({LOOKED_FOR}); "
                            "nothing was written")
        more, words = frozen(rows, source, version, offers, day)
        new += more
        report += words
        said += terms(offers, source, f"{LISTS[source]} {version}", day.isoformat()) if more else []
    if new:
        append(path, columns, new)
    if said:
        append(Path(path).with_name(TERMS), [field["name"] for field in data.schema("api_terms")], said)
    return [*report, f"{len(new)} rows added to {path}"]


def main(arguments=None):
    """Run from the command line; what cannot be done is one sentence and exit code 2."""
    parser = argparse.ArgumentParser(
        prog="freeze_prices", description=f"Append today's token prices to data/api_prices.csv, of {LOOKED_FOR}.")
    parser.add_argument("--table", type=Path, default=TABLE, help="another copy of the table")
    parser.add_argument("--day", type=datetime.date.fromisoformat, help="the day the list was read, YYYY-MM-DD; default today")
    parser.add_argument("--litellm", type=Path, help="model_prices_and_context_window.json of LiteLLM, as a second list")
    parser.add_argument("--also", nargs="*", default=(), metavar="MODEL", help="further models to look for, e.g. gpt-4")
    given = parser.parse_args(arguments)
    try:
        report = freeze(given.table, day=given.day, litellm=given.litellm, also=given.also)
    except (BadInput, OSError, genai_prices.LibraryMissing, litellm_prices.NotThePriceFile) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print("\n".join(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
