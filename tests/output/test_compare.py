"""`tokenecon compare`: differences, what each is worth, and that they add up."""

import json

import openpyxl
import pytest
from output import evaluated


@pytest.fixture
def other(small, tmp_path):
    """Another price of answers, another staff and load, and an assumption stated that the first leaves out."""
    text = small.read_text()
    for old, new in (("name: Small", "name: Other"), ("0.15}", "0.3}"), ("people: 0.04", "people: 0.2"), ("3000000", "2000000"),
                     ("years: 3", "years: 3\n  discount_rate: 0.1")):
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "other.yml").write_text(text)
    return tmp_path / "other.yml"


def test_each_difference_is_worth_what_it_changes_and_all_add_up(command, small, other):
    code, out, err = command("compare", small, other, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert [row["input"] for row in found["tables"]["differences"]] == [
        "workload.requests_per_day", "service.api_people", "money.api"], "10% of interest is what the first is given, too"
    worth = {row["input"]: row["usd_per_month"] for row in found["tables"]["worth"]}
    # the API is cheapest: a request 525 * 0.05 + 175 * 0.02 + 90 * 0.15 = 43.25 USD a million, then 56.75
    day, month = 1e-6, 365 / 12
    assert worth["money.api"] == pytest.approx(3e6 * 13.5 * day * month)
    assert worth["workload.requests_per_day"] == pytest.approx(-1e6 * 43.25 * day * month)
    assert worth["service.api_people"] == pytest.approx(0.16 * 180000 / 12)
    assert worth["together beyond one by one"] == pytest.approx(-1e6 * 13.5 * day * month)
    assert worth.pop("whole difference") == pytest.approx(sum(worth.values()))
    assert {row["cheapest"] for row in found["tables"]["worth"]} == {"API", ""}
    assert [row["usd_per_month"] for row in found["tables"]["answers"]] == pytest.approx(
        [3e6 * 43.25 * day * month + 0.04 * 15000, 2e6 * 56.75 * day * month + 0.2 * 15000])


def test_tasks_and_currencies_are_one_difference_each(command, small, tmp_path):
    text = small.read_text().replace(
        "workload: {isl: 700, osl: 90, cached_prefix: 0.25, requests_per_day: 3000000}",
        "task: {turns: 4, first_tok: 600, added_tok: 200, osl: 90, held_share: 0, tasks_per_day: 1000}")
    small.write_text(text)
    (tmp_path / "more.yml").write_text(text.replace("turns: 4", "turns: 5").replace(
        "years: 3", "years: 3\n  currency: EUR\n  usd_per_unit: 1.2\n  rate_as_of: 2026-07-01"))
    code, out, err = command("compare", small, tmp_path / "more.yml", "--json")
    assert (code, err) == (0, "")
    worth = {row["input"]: row for row in json.loads(out)["tables"]["worth"]}
    assert set(worth) == {"task", "money.currency", "together beyond one by one", "whole difference"}
    # a fifth prompt of 600 + 4 * (200 + 90) = 1,760 tokens at 0.05 USD a million, and its answer at 0.15
    assert worth["task"]["usd_per_month"] == pytest.approx(1000 * (1760 * 0.05 + 90 * 0.15) / 1e6 * 365 / 12)
    assert worth["money.currency"]["usd_per_month"] == 0 and worth["money.currency"]["to"] == "EUR; 1.2; 2026-07-01"


def test_what_cannot_stand_alone_is_said(command, small, other):
    for path, n_gpus in ((small, 1), (other, 4)):
        path.write_text(path.read_text().replace("h100-sxm-80gb", "l40s-48gb") + f"choices: [rent]\nn_gpus: {n_gpus}\n")
    other.write_text(other.read_text().replace("llama-3.1-8b", "llama-3.3-70b").replace("weights: fp8", "weights: bf16"))
    code, out, err = command("compare", small, other, "--json")
    assert (code, err) == (0, "")
    worth = {row["input"]: row for row in json.loads(out)["tables"]["worth"]}
    assert worth["model"]["note"].startswith("not alone: ")  # 70 GB of weights are more than 48 GB hold
    assert worth["model"]["usd_per_month"] is None and worth["weights"]["usd_per_month"] > 0
    assert worth["whole difference"]["usd_per_month"] == pytest.approx(
        sum(row["usd_per_month"] or 0 for name, row in worth.items() if name != "whole difference"))


def test_both_bills_have_live_formulas(command, small, other, tmp_path):
    assert command("compare", small, other, "--xlsx", tmp_path / "a.xlsx", "--csv", tmp_path / "all")[0] == 0
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["Answer", "Inputs A", "Bill A", "Inputs B", "Bill B", "Differences", "Answers", "Worth", "Sources"]
    for mark, usd in (("A", 3e6 * 43.25e-6 * 365 / 12 + 600), ("B", 2e6 * 56.75e-6 * 365 / 12 + 3000)):
        row = next(row for row in book[f"Bill {mark}"].iter_rows(min_row=4) if row[0].value == "API")
        assert evaluated.value(book, f"Bill {mark}", row[1].coordinate) == pytest.approx(usd)
    assert sorted(path.stem for path in (tmp_path / "all").iterdir()) == ["answers", "differences", "worth"]


@pytest.mark.parametrize(("arguments", "words"), [
    (["chat-assistant"], "compare takes from 2 to 8 scenarios, not 1"),
    (["chat-assistant", "none.yml"], "none.yml"),
    (["chat-assistant", "coding-agent", "--price-rule", "cheap"], "money.price_rule is 'cheap', but must be one of"),
])
def test_wrong_ones_are_refused_in_one_sentence(command, arguments, words):
    code, out, err = command("compare", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err
