"""The feed of prices and results: each row is what the table or the page says, under an id of its own."""

import csv
import datetime
import io
import json

import pytest

from tokenecon import data
from tokenecon_book import citations
from tokenecon_book.site import numbers
from tokenecon_book.site.takeaway import feeds


@pytest.fixture(scope="module")
def tables(site):
    """Name to rows of the feed's CSV files on the built site."""
    read = {name: list(csv.DictReader((site / "feed" / f"{name}.csv").open(encoding="utf-8"))) for name, *_ in feeds.FEEDS}
    assert all(read.values())
    return read


def test_ids_are_unique_and_columns_are_those_that_the_page_explains(tables):
    for name, columns, _ in feeds.FEEDS:
        assert list(tables[name][0]) == list(columns)
        assert len({row["id"] for row in tables[name]}) == len(tables[name])


def test_json_has_the_same_rows_with_blanks_as_null(site, tables):
    for name, columns, _ in feeds.FEEDS:
        found = json.loads((site / "feed" / f"{name}.json").read_text(encoding="utf-8"))
        assert found["as_of"] == citations.data_date() and found["columns"] == columns
        rows = [{column: "" if value is None else str(value) for column, value in row.items()} for row in found["rows"]]
        assert rows == tables[name]


def test_a_price_is_its_row_of_data_with_its_age(tables):
    gpus = data.table("prices").set_index("id")
    tokens = data.table("api_prices").set_index("id")
    for row in tables["prices"]:
        key, _, kind = row["id"].partition(":")
        one = (tokens if kind else gpus).loc[key]
        assert float(row["usd"]) == pytest.approx(one[f"usd_per_mtok_{kind}" if kind else "value"])
        assert row["as_of"] == one["as_of"] and row["seller"] == one["provider"] and row["source"] == one["source"]
        days = datetime.date.fromisoformat(citations.data_date()) - datetime.date.fromisoformat(one["last_seen"])
        assert int(row["age_days"]) == days.days >= 0
        assert row["unit"] == {"in": "USD/Mtok_in", "out": "USD/Mtok_out", "cached": "USD/Mtok_cached", "": one.get("unit")}[kind]
        assert row["address"].endswith(f".html#{key}")
    assert {row["table"] for row in tables["prices"]} == {"prices", "api_prices"}


def test_every_named_number_of_a_page_is_a_result(site, tables):
    rows = {(row["name"], row["case"]): row for row in tables["results"]}
    said = numbers.quantities(numbers.texts(site.parent / "book"))
    whole = [one for one in said if "end" not in one["case"]]
    assert len(whole) > 300
    for one in whole:
        row = rows[one["name"], one["case"]]
        assert float(row["value"]) == pytest.approx(one["value"]), one
        assert not row["low"] and row["unit"] and row["what"]
        assert datetime.date.fromisoformat(row["as_of"])
    assert {row["unit"] for row in tables["results"] if row["name"] == "hour-on-demand"} == {"USD/GPU/h"}


def test_two_ends_of_a_number_are_one_row(monkeypatch):
    def one(value, text, **case):
        return {"name": "hour-on-demand", "text": text, "value": value, "case": {"gpu": "a", "as_of": "2026-01-02"} | case}

    said = [{"page": "x", "quantities": [one(1.5, "$1.50", end="low"), one(2.5, "$2.50", end="high")]},
            {"page": "y", "quantities": [one(1.5, "$1.50", end="low")]}]
    monkeypatch.setattr(numbers, "texts", lambda _: said)
    (row,) = feeds.results(citations.data.ROOT)
    assert (row["value"], row["low"], row["high"], row["text"]) == ("", 1.5, 2.5, "$1.50 to $2.50")
    assert (row["pages"], row["as_of"], row["case"]) == (2, "2026-01-02", "as_of 2026-01-02, gpu a")


def test_csv_quotes_what_a_spreadsheet_would_split():
    text = feeds.as_csv({"id": "", "what": ""}, [{"id": "a", "what": 'b, "c"'}])
    assert list(csv.reader(io.StringIO(text))) == [["id", "what"], ["a", 'b, "c"']]
