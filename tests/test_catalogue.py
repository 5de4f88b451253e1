"""Prices as `tokenecon list` prints them: dated, and marked where a reader should distrust one."""

import json

import pytest

from tokenecon import catalogue, cli
from tokenecon.numbers import jsonable
from tokenecon.prices import price_book


def test_gpu_prices_are_listed_with_their_marks():
    rows = {row["id"]: row for row in catalogue.listed("prices", "h200-sxm-141gb")}
    offers = price_book.gpu_offers("h200-sxm-141gb").set_index("id")
    assert {name: row["marks"] for name, row in rows.items()} == dict(offers["marks"])
    azure = next(row for row in rows.values() if row["provider"] == "azure")
    assert azure["marks"] == "old, outside"
    assert all(row["as_of"] <= row["last_seen"] for row in rows.values())


def test_token_prices_are_listed_for_one_model_or_all():
    one = catalogue.listed("token-prices", "llama-3.3-70b")
    assert {row["model"] for row in one} == {"llama-3.3-70b"}
    everything = catalogue.listed("token-prices")
    assert len(everything) > len(one) > 20
    text = json.dumps(jsonable(everything), allow_nan=False)
    assert '"usd_per_mtok_cached": null' in text


@pytest.mark.parametrize(
    ("only", "sentence"),
    [
        ("llama-9", "model 'llama-9' is not known; use 'llama-"),
        ("gpt-j-6b", "no seller in the price lists offers gpt-j-6b by the token"),
    ],
)
def test_a_model_that_nobody_sells_is_one_sentence(only, sentence, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["list", "token-prices", only])
    told = capsys.readouterr()
    assert stopped.value.code == 2
    assert told.out == ""
    assert sentence in told.err
    assert told.err.count("\n") == 1


def test_the_date_and_the_marks_are_explained():
    for name in ("prices", "token-prices"):
        assert catalogue.note(name).startswith(f"as of {price_book.newest_date()}, the newest date in the book; old: ")
    assert catalogue.note("models") == ""
