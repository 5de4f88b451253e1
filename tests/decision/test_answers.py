"""What the decision says, in every shipped scenario and by each price rule: short, of three numbers, and true to its tables."""

import re

import pytest

from tokenecon.decision import answers, break_even, choice_words, drivers, montecarlo, options, scenario
from tokenecon.prices import gpu_prices

WORDS, NUMBERS = 25, 3
FIGURE = re.compile(r"\$?\d[\d,.]*\d%?|\$?\d%?")
NAMES = re.compile(r"\b(A|H|B|L|MI|GB)\d+[A-Z]*\b")  # of accelerators


@pytest.fixture(scope="module", params=[(name, rule) for name in scenario.names() for rule in gpu_prices.PRICE_RULES],
                ids=lambda pair: "-".join(pair))
def decided(request):
    name, rule = request.param
    case = scenario.overridden(name, {"price_rule": rule})
    offered = options.offers(case)
    return case, offered, break_even.against_api(case, offered), montecarlo.run(case, offered, draws=400)


def test_every_finding_is_one_breath(decided):
    case, offered, crossings, done = decided
    found = [answers.headline(case, offered, done), answers.what_to_do(case, crossings, done), answers.bills(case, done),
             drivers.kinds(case, done), drivers.tornado(case, done), drivers.waiting(case, done),
             drivers.distribution(case, done), options.compared(offered), break_even.volume(case, offered, crossings)]
    for one in found:
        said = NAMES.sub("", one.sentence)
        assert len(one.sentence.split()) <= WORDS, one.sentence
        assert len(FIGURE.findall(said)) <= NUMBERS, one.sentence
        assert "'" not in one.sentence.replace("hyperscaler's", "").replace("model's", ""), f"quotes a label: {one.sentence}"
    for _, row in answers.questions(case, crossings, done).table.iterrows():
        assert row["answer"][0].isupper() or row["answer"][0] in "$0123456789", row["answer"]
        assert row["answer"].endswith(".") and "  " not in row["answer"] and "nan" not in row["answer"]


def test_the_recommended_choice_has_the_least_mean_cost_and_a_volume_at_which_it_changes(decided):
    case, _, crossings, done = decided
    chosen = done.options[answers.best(done)]
    assert done.costs[:, answers.best(done)].mean() == pytest.approx(done.costs.mean(axis=0).min())
    at, row = answers.turn(crossings, chosen)
    said = answers.what_to_do(case, crossings, done).sentence
    if row is None:
        assert "no volume alone changes this" in said
    else:
        assert choice_words.rounded(float(f"{at:.2g}")) in said
        assert ("above" in said) == (chosen["base"] == "api")


def test_no_estimate_is_a_choice(decided):
    _, offered, _, done = decided
    rows = options.feasible(offered.table)
    assert not rows["price_mark"].str.contains("estimate").any()
    names = set(rows["name"])
    assert all(option["row"]["name"] in names for option in done.options)


def test_commitment_is_kept_apart_from_rent_by_the_hour(decided):
    _, offered, _, done = decided
    for _, row in options.feasible(offered.table).iterrows():
        assert (row["group"] == "commitment") == (row["choice"] == "rent" and row["commitment_months"] > 0), row["name"]
    assert {option["group"] for option in done.options} <= set(options.GROUPS.values())
