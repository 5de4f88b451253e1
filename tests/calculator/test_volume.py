"""What stands behind the answer: the break-even volume of the command, and what would change a bill most."""

import pytest
from calculator.cases import H100, L40S, MI300X, text

from tokenecon.calculator import markup, volume
from tokenecon.decision import break_even, options, scenario
from tokenecon_book.site import calculator

ONE = {"gpus": H100}
CASES = {
    "a service that peaks like its size": ONE,
    "a tie, which the cheaper of today wins": ONE | {"n_gpus": 4, "isl": 3000, "osl": 1000},
    "cards and experts": {"model": "gpt-oss-120b", "gpus": L40S, "weights": "mxfp4", "kv": "bf16"},
    "a steady load": ONE | {"profile": "flat"},
    "a smooth day": {"gpus": MI300X, "peak_to_mean": 3},
    "never": ONE | {"price_rule": "best", "profile": "flat"},
    "nothing serves": ONE | {"tpot_ms": 1},
}  # fmt: skip


@pytest.fixture(scope="module")
def facts(site):
    return calculator.facts(site / "_static/calculator")


@pytest.mark.parametrize("given", CASES.values(), ids=CASES)
def test_the_volume_is_that_of_the_command(facts, given):
    found = markup.run(facts, text(given))["later"]
    if not found:
        assert "tpot_ms" in given
        return
    case = scenario.overridden("chat-assistant", text(given))
    offered = options.offers(case)
    known = break_even.volume(case, offered, break_even.against_api(case, offered)).sentence
    assert found["calc-volume"][2] == [f"{known}."]


def test_what_moves_a_bill_most_comes_first_and_once():
    tried = [("people", 0.2, 90.0), ("people", 1.5, 150.0), ("kwh", 0.2, 101.0), ("weights", "bf16", 40.0), ("same", 1, 100.0)]
    assert volume.most(tried, 100.0, 3) == [("weights", "bf16", 40.0), ("people", 1.5, 150.0), ("kwh", 0.2, 101.0)]


def test_a_dearer_input_of_an_own_machine_is_among_the_changes(facts):
    found = markup.run(facts, text(ONE | {"people": 0.5}))["later"]["calc-swings"]
    rows = found[2][0][2][0][2][2][2]
    assert [row[2][0][2][0] for row in rows] == ["Positions that run the service", "Format of the weights",
                                                 "Limit of the first token"]
    # 1.5 positions in place of 0.5, at 200,000 USD a year: one more is 200,000 / 12 a month
    assert rows[0][2][3][2][1][2] == ["+$16,700"]
