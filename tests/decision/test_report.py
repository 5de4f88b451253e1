"""`tokenecon cost` and `tokenecon decide`: tables, JSON, CSV, and refusals that write nothing."""

import csv
import json
import re

import pytest

from tokenecon.decision import scenario

SMALL = """\
name: Small
model: llama-3.1-8b
weights: fp8
kv: fp8
gpus: [h100-sxm-80gb]
workload: {isl: 700, osl: 90, requests_per_day: 3000000}
traffic: {peak_to_mean: 2.5}
money:
  as_of: 2026-08-01
  api: {usd_per_mtok_in: 0.05, usd_per_mtok_out: 0.15}
"""


@pytest.fixture
def small(tmp_path):
    (tmp_path / "small.yml").write_text(SMALL)
    return tmp_path / "small.yml"


def test_cost_prints_what_each_choice_costs(command, small):
    code, out, err = command("cost", small)
    assert (code, err) == (0, "")
    assert out.startswith("Small: llama-3.1-8b, prices known on 2026-08-01\n")
    # the API: (700 * 0.05 + 90 * 0.15)/790 = 0.0614 a million tokens, and 833 USD of people on 72,088 of them a month
    for words in ("own: H100 SXM\t$", "on demand: H100 SXM\t$", "API\t$0.073\t$0.061",
                  "requests a day from which it beats the API",
                  "The bill of a month, and what is bound", "without people", "not to be had",
                  "At median prices, calling the API of the scenario costs least today, $5,260 a month",
                  "allocated: all paid time over all tokens"):
        assert words in out


def test_cost_as_json_has_every_table_and_no_nan(command, small):
    code, out, _ = command("cost", small, "--json")
    found = json.loads(out, parse_constant=lambda name: pytest.fail(f"JSON holds {name}"))
    assert code == 0
    assert set(found["tables"]) == {"choices", "bills", "energy", "api_sellers", "break_even", "refused"}
    assert found["scenario"]["requests_per_day"] == 3000000
    assert found["scenario"]["as_of"] == "2026-08-01"
    for row in found["tables"]["choices"]:
        assert row["usd_per_mtok_low"] <= row["usd_per_mtok"] <= row["usd_per_mtok_high"]


def test_the_csv_is_the_first_table(command, small, tmp_path):
    code, out, _ = command("cost", small, "--json", "--csv", tmp_path / "out.csv")
    assert code == 0
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    choices = json.loads(out)["tables"]["choices"]
    assert [row["name"] for row in rows] == [row["name"] for row in choices]
    assert [float(row["usd_per_mtok"]) for row in rows] == pytest.approx([row["usd_per_mtok"] for row in choices])


def test_decide_gives_probabilities_with_errors_and_the_same_every_time(command, small):
    code, out, _ = command("decide", small, "--draws", 2000, "--json")
    assert code == 0
    found = json.loads(out)
    assert set(found["tables"]) == {"choices", "kinds", "bills", "questions", "api_sellers", "drivers", "waiting", "inputs"}
    assert (found["draws"], found["seed"]) == (2000, 1)
    assert sum(row["probability"] for row in found["tables"]["choices"]) == pytest.approx(1)
    assert all("usd_per_mtok_low_error" in row and "probability_error" in row for row in found["tables"]["choices"])
    assert command("decide", small, "--draws", 2000, "--json")[1] == out
    assert command("decide", small, "--draws", 2000, "--json", "--seed", 5)[1] != out


def test_decide_prints_its_tables_and_findings(command, small):
    code, out, _ = command("decide", small, "--draws", 500)
    assert code == 0
    for words in ("How often each choice is the cheapest", "What drives it", "Buy now or in a year", "What was drawn",
                  "500 draws, seed 1", "is cheapest in", "What a finance lead asks", "How often each kind is", "look again"):
        assert words in out


@pytest.mark.parametrize("verb", ["cost", "decide"])
def test_the_price_rule_may_be_given_and_a_wrong_one_is_refused(command, verb):
    less = ("--draws", 300) if verb == "decide" else ()
    for rule in ("typical", "best", "list"):
        code, out, _ = command(verb, "chat-assistant", *less, "--price-rule", rule, "--json")
        found = json.loads(out)
        assert (code, found["scenario"]["price_rule"]) == (0, rule)
        api = {row["rule"]: row for row in found["tables"]["api_sellers"]}
        assert list(api) == ["typical", "best", "list"], "the cheapest seller stands beside the median, whatever the rule"
        assert api["best"]["usd_per_mtok"] < api["typical"]["usd_per_mtok"]
        used = next(row for row in found["tables"]["choices"] if row["kind"] == "api")
        if verb == "cost":
            assert used["usd_per_mtok_used"] == api[rule]["usd_per_mtok"], "without people: what the seller asks"
    code, out, err = command(verb, "chat-assistant", "--price-rule", "cheap")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "money.price_rule is 'cheap', but must be one of typical, best, list" in err


def test_a_task_a_user_and_another_currency_share_the_same_bill(command, small):
    small.write_text(SMALL.replace(
        "workload: {isl: 700, osl: 90, requests_per_day: 3000000}",
        "workload: {users: 400, tenants: 7}\n"
        "task: {turns: 4, first_tok: 600, added_tok: 200, osl: 90, held_share: 0.8, retries: 0.25, tasks_per_day: 60000}"
    ).replace("as_of: 2026-08-01", "as_of: 2026-08-01\n  currency: EUR\n  usd_per_unit: 1.25\n  rate_as_of: 2026-07-15"))
    code, out, _ = command("cost", small, "--json")
    tables = {key: {row["name"]: row for row in rows} for key, rows in json.loads(out)["tables"].items()}
    assert code == 0
    for name, row in tables["choices"].items():
        borne, euros = tables["shares"][name], tables["in_currency"][name]
        assert borne["usd_per_task"] == pytest.approx(row["usd_per_month"] * 12 / 365 / 60_000)
        assert borne["usd_per_user_month_high"] == pytest.approx(row["usd_per_month_high"] / 400)
        assert borne["usd_per_tenant_month_marginal"] == pytest.approx(row["usd_per_month_marginal"] / 7)
        assert euros["per_task"] == pytest.approx(borne["usd_per_task"] / 1.25)
        assert euros["per_month"] == pytest.approx(row["usd_per_month"] / 1.25)
    # the API is paid by the token: four prompts of 600, 890, 1180 and 1470 tokens, a quarter of them sent twice, at 0.05 each
    # way of a cache that it gives no discount on; 90 tokens of answer at 0.15
    tokens = 1.25 * ((600 + 890 + 1180 + 1470) * 0.05 + 4 * 90 * 0.15) / 1e6
    assert tables["shares"]["API"]["usd_per_task_marginal"] == pytest.approx(tokens)
    code, out, _ = command("cost", small)
    assert "In EUR, of which one is 1.25 USD on 2026-07-15" in out and "What a task costs, and a user or tenant bears" in out
    # the draws say what a token costs over the years: 60,000 tasks a day of 5 requests, whose tokens cost so much
    code, out, _ = command("decide", small, "--draws", 200, "--json")
    tables = {key: {row["name"]: row for row in rows} for key, rows in json.loads(out)["tables"].items() if "name" in rows[0]}
    tok = 1.25 * (600 + 890 + 1180 + 1470 + 4 * 90)
    for name, row in tables["choices"].items():
        borne, euros = tables["shares"][name], tables["in_currency"][name]
        for end in ("", "_low", "_high"):
            assert borne[f"usd_per_task{end}"] == pytest.approx(row[f"usd_per_mtok{end}"] * tok / 1e6)
            month = borne[f"usd_per_task{end}"] * 60_000 * 365 / 12
            assert borne[f"usd_per_user_month{end}"] == pytest.approx(month / 400)
            assert borne[f"usd_per_tenant_month{end}"] == pytest.approx(month / 7)
        assert euros["per_task"] == pytest.approx(borne["usd_per_task"] / 1.25)
        assert euros["per_month"] == pytest.approx(tables["bills"][name]["usd_per_month"] / 1.25)


@pytest.mark.parametrize("verb", ["cost", "decide"])
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("h100-sxm-80gb", "h100-sxm-80", "gpus is ['h100-sxm-80'], but must be"),
        ("peak_to_mean: 2.5", "utilisation: 1.5", "traffic.utilisation is 1.5, but must be a number above 0 and at most 1"),
        ("peak_to_mean: 2.5", "file: none.csv", "traffic.file is 'none.csv', but"),
        ("as_of: 2026-08-01", "currency: EUR", "money.currency is 'EUR', and must have its rate beside it: usd_per_unit"),
        ("usd_per_mtok_in: 0.05", "usd_per_mtok_in: -1", "money.api.usd_per_mtok_in is -1, but must be a number above 0"),
        ("gpus: [h100-sxm-80gb]", "gpus: [h100-sxm-80gb", "is not YAML at line"),
        ("money:", "latency: {tpot_ms: 0.1}\nchoices: [rent]\nmoney:", "no choice of the scenario can be had: H100 SXM: one"),
    ],
)  # fmt: skip
def test_a_bad_scenario_is_one_sentence_and_writes_nothing(command, small, tmp_path, verb, old, new, words):
    assert old in SMALL
    small.write_text(SMALL.replace(old, new))
    code, out, err = command(verb, small, "--csv", tmp_path / "out.csv")
    assert (code, out) == (2, "")
    assert err.startswith("error: scenario '")
    assert err.count("\n") == 1
    assert words in err
    assert not (tmp_path / "out.csv").exists()


def test_options_are_refused_in_one_sentence(command, small):
    wrong = ((("--draws", 5), "'--draws'"), (("--seed", -1), "'--seed'"), (("--csv", small), "cannot be made: File exists"))
    for arguments, words in wrong:
        code, out, err = command("decide", small, *arguments)
        assert (code, out) == (2, "")
        assert words in err
        assert err.count("\n") == 1


@pytest.mark.parametrize("verb", ["cost", "decide"])
def test_the_help_has_an_example_that_exists(command, verb):
    code, out, _ = command(verb, "--help")
    assert code == 0
    example = re.search(rf"Examples?: tokenecon {verb} (\S+)", " ".join(out.split()))[1]
    assert example in scenario.names()


@pytest.mark.parametrize("name", scenario.names())
def test_every_shipped_scenario_is_decided(command, name):
    code, out, _ = command("decide", scenario.FOLDER / f"{name}.yml", "--draws", 400, "--json")
    found = json.loads(out)
    assert code == 0
    assert {row["choice"] for row in found["tables"]["choices"]} == {"own", "rent", "api"}
