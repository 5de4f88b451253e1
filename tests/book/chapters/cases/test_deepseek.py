"""DeepSeek's published day: its own arithmetic, and ours from the bottom up."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokenecon
from tokenecon import data
from tokenecon.formulas import parallelism
from tokenecon.serving import lookups, steady_state
from tokenecon_book.chapters.cases.deepseek import day as cases_deepseek
from tokenecon_book.chapters.cases.deepseek import node_rates, published, token_costs

ROWS = {
    "input_tokens": "deepseek_day.input_tokens", "cached_tokens": "deepseek_day.cached_tokens",
    "output_tokens": "deepseek_day.output_tokens", "user_speed": "deepseek_day.user_speed",
    "kv_length": "deepseek_day.kv_length", "prefill_ranks": "deepseek_day.prefill_ranks",
    "decode_ranks": "deepseek_day.decode_ranks", "usd_per_gpu_hour": "deepseek_day.usd_per_gpu_hour",
    "peak_to_mean": "workload.peak_to_mean",
}  # fmt: skip


@pytest.fixture(scope="module")
def page(case):
    """Parameters of the page, with some of them changed."""
    return lambda **change: case("deepseek", **change)


def test_the_defaults_are_those_of_the_data(declared):
    defaults = declared("deepseek")
    for parameter, row in ROWS.items():
        assert defaults[parameter] == pytest.approx(data.value(row)), f"{parameter} differs from {row} of data/assumptions.csv"


# --- the day itself ---------------------------------------------------------------------------------


def test_the_published_figures_agree(page):
    found = cases_deepseek.identities(page())
    assert found["paid"] == 226.75 * 8 * 24 * 2 == 87_072  # nodes, GPUs, hours, USD: to the dollar
    # 342 billion at 0.14, 266 at 0.55, 168 at 2.19 USD a million; printed 562,027, from counts before rounding
    assert found["revenue"] == pytest.approx(47_880 + 146_300 + 367_920)
    assert found["revenue"] == pytest.approx(562_027, rel=2e-4)
    assert pytest.approx(5.45, abs=0.005) == (562_027 - 87_072) / 87_072
    # 608e9/86,400 over 73,700 and 168e9/86,400 over 14,800
    assert found["nodes"]["prefill"] == pytest.approx(95.48, abs=0.01)
    assert found["nodes"]["decode"] == pytest.approx(131.38, abs=0.01)
    assert sum(found["nodes"].values()) == pytest.approx(226.75, rel=1e-3)
    # 1.944 million tokens a second at 21 for each user, on 131.4 * 8 GPUs
    assert found["flight"] == pytest.approx(168e9 / 86_400 / 21)
    assert found["each"] == pytest.approx(88.1, abs=0.1)


def test_figures_that_do_not_agree_are_called_so(page):
    assert cases_deepseek.identities(page()).sentence.startswith("The published figures agree: ")
    assert cases_deepseek.identities(page(usd_per_gpu_hour=3.0)).sentence.startswith("These figures do not agree: ")


def test_lengths_give_the_printed_mean_back(page):
    length = node_rates.lengths(page())
    assert length["isl"] + length["osl"] / 2 == pytest.approx(4989)
    assert length["isl"] / length["osl"] == pytest.approx(608 / 168)
    assert length["cached"] == pytest.approx(0.5625)  # printed 56.3%


# --- the exchange between experts -------------------------------------------------------------------


@pytest.mark.source("zhao-2025-isca", "section 2.3.2")
def test_published_limit_of_the_speed_of_a_user():
    once = parallelism.all_to_all_seconds(tokens=32, copies=9, hidden_size=7000, bytes_there=1, bytes_back=2, bytes_per_s=50e9)
    assert once == pytest.approx(120.96e-6)
    # two half batches in each of 61 layers: printed 14.76 ms
    assert 61 * parallelism.two_batch_seconds(half_s=once, exchange_s=once) == pytest.approx(14.76e-3, abs=5e-6)


def test_low_latency_kernels_as_published(page):
    # 128 tokens to 8 experts, 7168 values: 192 us there and 369 us back over 128 GPUs; over 16 GPUs printed 118 and 195
    for ranks, there, back, tolerance in ((128, 192, 369, 0.02), (16, 118, 195, 0.1)):
        columns = node_rates.unit(page(), ranks)
        layer = 128 * steady_state.prepared(columns, lookups.coefficients())["sent_decode_s"][0] / 58
        assert layer == pytest.approx((there + back) * 1e-6, rel=tolerance)


def test_the_page_is_what_estimate_says(page):
    day, ranks, batch = page(), 144, 16
    length = node_rates.lengths(day)
    row = tokenecon.estimate({
        "model": day.model, "gpu": day.gpu, "n_gpus": 2 * ranks, "prefill_gpus": ranks, "tp": ranks, "attention_dp": ranks,
        "weights": day.weights, "kv": day.kv, "isl": length["isl"], "osl": length["osl"], "cached_prefix": length["cached"],
        "concurrency": batch * ranks, "usd_per_gpu_hour": 2.0}).iloc[0]  # fmt: skip
    near = SimpleNamespace(**(vars(day) | {"kv_length": length["isl"] + length["osl"] / 2}))
    step = node_rates.passes(near, node_rates.unit(near, ranks), batch, decoding=True)
    assert row["error"] == "" and not row["calibrated"]
    assert step["total"][0] * 1e3 == pytest.approx(row["tpot_ms"], rel=1e-6)


def test_the_sources_are_those_of_what_was_asked_for(page):
    day = page()
    own, points = cases_deepseek.compare(day).sources, published.others().sources
    model, card = data.model(day.model)["source"], data.row("gpus", f"{day.gpu}.bandwidth")["source"]
    assert {"deepseek-inference-2025", model, card} <= set(own)
    assert {"sglang-wide-ep-2025", data.row("gpus", "h100-sxm-80gb.bandwidth")["source"], card} <= set(points)
    assert "sglang-wide-ep-2025" not in own


# --- from the bottom up -----------------------------------------------------------------------------


def test_the_day_is_reproduced_within_a_factor_of_one_and_a_half(page):
    table = cases_deepseek.compare(page()).table.set_index("figure")
    assert 1 / 1.5 < table.loc["Nodes", "ratio"] < 1.5
    assert table.loc["Nodes", "ratio_low"] < 1 < table.loc["Nodes", "ratio_high"]
    assert table.loc["Cost of the day", "ours"] == pytest.approx(table.loc["Nodes", "ours"] * 8 * 24 * 2)


@pytest.fixture(scope="module")
def measured_elsewhere():
    return published.others().table.set_index("id")


@pytest.mark.source("sglang-wide-ep-2025", "Evaluation")
def test_units_that_nothing_was_fitted_to_are_met(measured_elsewhere):
    # 57,674, 54,543, 50,302 and 22,282 tokens a second for a server of eight H100
    found = measured_elsewhere.loc[["wide-ep-03", "wide-ep-04", "wide-ep-05", "wide-ep-07"]]
    assert (found["measured"] * 8).to_list() == [57_674, 54_543, 50_302, 22_282]
    assert found["ratio"].between(0.8, 1.2).all()


def test_every_published_rate_is_near_or_says_why_not(measured_elsewhere):
    table = data.table("wide_ep")
    assert set(measured_elsewhere.index) == set(table.loc[table["flag"] == "", "id"])
    far = measured_elsewhere[~measured_elsewhere["near"]]
    assert set(far.index) == set(published.OUTSIDE) and (far["why"] != "").all()
    assert measured_elsewhere["near"].sum() >= 11  # of 22; two thirds is the aim, which six rates of the H20 stand against
    # what does not fit: 671 billion parameters, 654 of them experts in 4.5 bits, into two GPUs of 186 GiB
    assert set(far.index[far["ratio"].isna()]) == {"wide-ep-13", "wide-ep-43"}
    assert (654e9 * 4.5 / 8 + 17e9 * 2) / 2 > 186 * 1024**3


def test_a_pool_that_answers_makes_what_its_sequences_say(measured_elsewhere):
    """72 H100 with 256 sequences each: 256 tokens in the time of one token, whatever pool reads the prompts."""
    row = next(one for one in published.rows().itertuples() if one.id == "wide-ep-07")
    asked = published.cases(row)[0]
    step_ms = tokenecon.estimate(pd.DataFrame([asked]))["tpot_ms"].iloc[0]
    assert measured_elsewhere.loc["wide-ep-07", "ours"] == pytest.approx(256 / step_ms * 1e3)
    assert asked["isl"] + asked["osl"] / 2 == 2000
    larger = tokenecon.estimate(asked | {"n_gpus": 72 * 401, "prefill_gpus": 72 * 400})["tpot_ms"].iloc[0]
    assert larger == pytest.approx(step_ms)


@pytest.mark.source("sglang-h20-2025", "accepted length 1.8 to 1.9 with one draft, 2.4 to 2.7 with two")
def test_drafts_are_accepted_as_published():
    assert published.acceptance(1) == pytest.approx(0.85)
    chance = published.acceptance(2)
    assert 1 + chance + chance**2 == pytest.approx(2.55)


def test_users_get_the_speed_asked_for_and_memory_suffices(page):
    found = node_rates.decode(page())
    assert 1 / found["total"] == pytest.approx(21.0)
    assert found["tokens"] < found["room"]
    patient = node_rates.decode(page(user_speed=5.0))
    assert patient["tokens"] == patient["room"] and 1 / patient["total"] > 5.0  # the memory is full before they wait so long


def test_no_estimate_beats_the_perfect_machine(page):
    found = cases_deepseek.ways(page())
    table = found.table
    assert table["nodes"].iloc[0] == found["floor"] < data.value("deepseek_day.nodes")
    assert table["way"].iloc[0] == "perfect machine"
    # network of a prefill GPU: 4 nodes * 7168 values * 3 bytes in 58 layers at 50 GB/s
    assert node_rates.bounds(page())["prefill"]["network"] == pytest.approx(50e9 / (4 * 7168 * 3 * 58))


def test_hidden_is_never_slower_than_its_parts(page):
    day = page()
    columns = node_rates.unit(day, day.decode_ranks)
    batch = np.array([4.0, 40.0, 130.0])
    hidden, added = (node_rates.passes(day, columns, batch, decoding=True, exchange=way) for way in ("hidden", "added"))
    assert (hidden["total"] >= added["exchange"] - 1e-12).all()
    assert (hidden["total"] <= added["total"] + 1e-12).all()
    assert hidden[list(node_rates.PARTS)].sum(axis=1).to_list() == pytest.approx(hidden["total"].to_list())


def test_what_the_nodes_do_adds_up(page):
    day = page()
    nodes = cases_deepseek.estimate(day)["nodes"][1]
    assert token_costs.where(day).table["nodes"].sum() == pytest.approx(nodes)
    # each kind of token times its cost is the bill of the day
    kinds = token_costs.kinds(day).table
    cost = kinds[kinds["offer"] == "cost from the bottom up"]["usd_per_mtok"].to_numpy()
    assert cost @ [266e3, 342e3, 168e3] == pytest.approx(nodes * 8 * 24 * 2)


def test_prefill_waits_as_the_load_of_the_day_says(page):
    # a busiest hour 1.86 times the mean, on a fleet whose most is 278/226.75 times its mean
    assert node_rates.utilisation(page())[1] == pytest.approx(278 / 226.75 / 1.86)
    assert node_rates.utilisation(page(peak_to_mean=1.0))[1] == 1.0


@settings(max_examples=10, deadline=None)
@given(speed=st.floats(16.0, 30.0), faster=st.floats(1.02, 1.15))
def test_faster_users_need_more_nodes(page, speed, faster):
    slow, fast = (cases_deepseek.estimate(page(user_speed=one))["nodes"][1] for one in (speed, speed * faster))
    assert fast > slow


def test_headline_and_sensitivity_speak_for_other_days(page):
    other = page(cached_tokens=0.0, user_speed=15.0)
    assert cases_deepseek.headline(other).note.endswith("million tokens against $0.11.")
    assert len(token_costs.kinds(other)) == 4  # nothing found in a cache has no cost
    table = cases_deepseek.sensitivity(page()).table.set_index("change")["nodes"]
    assert table["that kernel, and no experts busier"] < table["no experts busier than others"] < table["the page itself"]


def test_what_is_too_slow_is_left_out_and_said(page):
    found = cases_deepseek.ways(page(user_speed=60.0))
    assert "after computation" not in set(found.table["way"]) and "Too slow for these users: after computation" in found.note


@pytest.mark.parametrize(("change", "message"), [
    ({"user_speed": 200.0}, "parameter 'user_speed' is 200, but with one request on each GPU a user gets"),
    ({"decode_ranks": 8}, "parameter 'decode_ranks' is 8, too few for the weights"),
    ({"cached_tokens": 608e9}, "parameter 'cached_tokens' is 6.08e\\+11, but only 6.08e\\+11"),
    ({"output_tokens": 0.0}, "parameter 'output_tokens' is 0"),
    ({"model": "llama-3.1-70b"}, "parameter 'model' is 'llama-3.1-70b', which has no experts"),
])  # fmt: skip
def test_days_that_cannot_be_are_refused(page, change, message):
    with pytest.raises(ValueError, match=message):
        cases_deepseek.estimate(page(**change))
