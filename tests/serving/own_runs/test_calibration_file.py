"""Coefficients of the reader's own: what they change, what is refused, and that they come off again."""

import re

import pytest

import tokenecon
from tokenecon import data, queries
from tokenecon.errors import BadInput
from tokenecon.serving import lookups
from tokenecon.serving.own_runs import calibration_file

CASE = {"model": "llama-3.3-70b", "gpu": "h100-sxm-80gb", "n_gpus": 4, "isl": 100, "osl": 400, "concurrency": 1, "weights": "fp8"}
GOOD = "coefficients:\n  bandwidth: {value: 0.4, low: 0.4, high: 0.45}\n"


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "mine.yml"
        path.write_text(text, encoding="utf-8")
        return path

    yield write
    calibration_file.use(None)


def test_half_the_bandwidth_takes_nearly_twice_as_long_and_is_said(written):
    """One client on four GPUs reads 70 GB at 4 x 3.35 TB/s x 0.8: 6.5 ms, and 13 ms at 0.4; fixed times stay."""
    before = tokenecon.estimate(CASE).iloc[0]
    calibration_file.use(written(GOOD))
    with queries.recording() as asked:
        after = tokenecon.estimate(CASE).iloc[0]
    assert lookups.coefficients()["bandwidth"] == 0.4 and after["tpot_ms"] - before["tpot_ms"] == pytest.approx(6.5, abs=0.7)
    assert data.own_words(asked) == "mine.yml (1 coefficient)"
    assert "your-file-calibration.csv" in data.sources_of(asked) and data.source("your-file-calibration.csv")["kind"] == "notes"
    calibration_file.use(None)
    assert tokenecon.estimate(CASE).iloc[0]["tpot_ms"] == before["tpot_ms"] and data.calibration_file() is None


def test_every_command_takes_it(written, command, tmp_path):
    cases = tmp_path / "cases.csv"
    cases.write_text(",".join(CASE) + "\n" + ",".join(map(str, CASE.values())) + "\n", encoding="utf-8")
    code, plain, _ = command("estimate", cases)
    code, own, err = command("estimate", cases, "--calibration", written(GOOD))
    assert code == 0 and own != plain and "mine.yml" in err
    code, again, _ = command("estimate", cases)
    assert again == plain  # of one process, another command without it has the published ones
    code, _, err = command("estimate", cases, "--calibration")
    assert code == 2 and "--calibration lacks its file" in err


@pytest.mark.parametrize(("text", "words"), [
    ("", "holds no `name: value` lines"), ("a: 1\n", "'a' is not read"), ("coefficients: {}\n", "has no coefficients"),
    ("coefficients: [1]\n", "has no coefficients"), ("coefficients:\n  bandwith: {value: 1, low: 1, high: 1}\n",
                                                     "does not exist; did you mean 'bandwidth'"),
    (GOOD.replace("0.45", "2"), "from 0.4 to 1 fraction"), (GOOD.replace("high: 0.45", "high: 0.3"), "low, value, high"),
    (GOOD.replace("0.45", "yes"), "must be value, low and high"),
    (GOOD.replace(", high: 0.45", ""), "must be value, low and high"),
    (GOOD.replace("0.45", ".nan"), "must be value, low and high"),
])
def test_a_wrong_one_is_refused_in_a_sentence(written, text, words):
    path = written(text)
    with pytest.raises(BadInput, match=re.escape(words)):
        calibration_file.use(path)
    assert data.calibration_file() is None


def test_one_that_is_not_there_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none.yml"):
        with pytest.raises(BadInput, match="cannot be read"):
            calibration_file.use(path)
