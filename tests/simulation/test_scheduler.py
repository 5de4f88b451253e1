"""The discrete-event simulation: by hand on a machine with round times, by law, and against the arithmetic of the chapters."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenecon import data
from tokenecon.errors import CannotSimulate
from tokenecon.fleet import traffic
from tokenecon.formulas import queueing
from tokenecon.serving import cases, estimate, lookups, steady_state
from tokenecon.simulation import answer_lengths, pass_times, scheduler, summary
from tokenecon_book.chapters.software import batching, charts, simulation_check, simulation_claims, simulation_load

CASE = {"model": "llama-2-70b", "gpu": "h100-sxm-80gb", "n_gpus": 4, "weights": "fp8", "kv": "fp8", "isl": 1155, "osl": 211}
PAGE = SimpleNamespace(model="llama-2-70b", gpu="h100-sxm-80gb", n_gpus=4, weights="fp8", kv="fp8", isl=2000,
                       osl=500, slots=24, trace="azure-2023-conv", batch_wait_s=1.0)
FLAT = pd.DataFrame({"side": ["input"] * 3 + ["output"] * 3, "percentile": [0, 50, 100] * 2,
                     "tokens": [10.0, 510.0, 1010.0, 0.0, 500.0, 1000.0]})


def clock(slots, seconds=1.0, budget=100.0):
    """A machine whose every pass takes the same time."""
    return pass_times.Engine(
        slots=slots, budget=budget, cached=0.0, work=[[seconds] * 2] * (slots + 1), prompts=[0.0, 1e9], contexts=[0.0, 1e9],
        attention=[[0.0] * 2] * (slots + 1), reading=[0.0, 0.0], ranks=1.0, stages=1.0, prompt=100.0)


def arriving(arrival_s, isl, osl):
    return pd.DataFrame({"arrival_s": arrival_s, "isl": isl, "osl": osl}, dtype=float)


@pytest.fixture(scope="module")
def engine():
    return pass_times.engine(**CASE, slots=64)


@pytest.fixture(scope="module")
def lengths():
    return traffic.lengths("azure-2023-conv")


# --- pass times -------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [
    {}, {"model": "llama-3.1-8b", "n_gpus": 1}, {"model": "mixtral-8x7b", "pp": 2, "weights": "bf16", "kv": "bf16"},
    {"model": "gpt-oss-120b", "gpu": "h200-sxm-141gb", "n_gpus": 1, "weights": "mxfp4", "kv": "bf16"},  # windows
    {"model": "deepseek-v3", "gpu": "h200-sxm-141gb", "n_gpus": 8, "attention_dp": 8},
])  # fmt: skip
def test_tabulated_pass_times_are_those_of_the_model(change):
    case = CASE | change
    table = pass_times.engine(**case, slots=200)
    ask = cases.read(cases.frame(pd.DataFrame([case | {"load": "closed_loop"}])))
    columns = estimate.columns(ask, np.array([0]))
    rate = steady_state.prepared(columns, lookups.coefficients())
    pp = table.stages
    for decoding, context, prompt_tokens, position in (
        (1, 100, 0, 0), (17, 3333, 0, 0), (150, 1111, 0, 0), (0, 0, 777, 400), (0, 0, 8192, 2000), (13, 999, 500, 123),
        (90, 9000, 4000, 7000), (1, 500, 10, 5),
    ):  # fmt: skip
        exact = steady_state.pass_seconds(columns, rate, decoding=decoding / pp, context=context,
                                          prompt_tokens=prompt_tokens / pp, prompts=prompt_tokens / pp / table.prompt,
                                          mean_context=position)[0]
        read = table.seconds(decoding, decoding * context, prompt_tokens, prompt_tokens * position)
        assert read == pytest.approx(exact, rel=5e-3), (decoding, context, prompt_tokens)


def test_as_many_sequences_as_memory_holds_or_fewer():
    full = pass_times.engine(**CASE)
    held = estimate.estimate(CASE | {"load": "closed_loop"}).iloc[0]["max_concurrency"]
    assert full.slots == held
    assert pass_times.engine(**CASE, slots=7).slots == 7
    assert pass_times.engine(**CASE, slots=10**6).slots == held


@pytest.mark.parametrize(("change", "sentence"), [
    ({"draft_tokens": 4}, "does not play speculation; leave draft_tokens away"),
    ({"tp": 2}, "4 GPUs are 2 replicas; the simulation plays one: give n_gpus 2"),
    ({"n_gpus": 1, "weights": "bf16"}, "hold no sequence of 1155 \\+ 211 tokens beside the weights of llama-2-70b"),
    ({"gpu": "h1000"}, "h1000"),
])  # fmt: skip
def test_a_case_that_is_not_played_is_refused_in_a_sentence(change, sentence):
    with pytest.raises(CannotSimulate, match=sentence):
        pass_times.engine(**CASE | change)


# --- lengths ----------------------------------------------------------------------------------------


def test_lengths_even_on_a_stretch():
    # even on 10 to 1,010: mean 510; the longest of B draws from 0 to 1,000 is 1000 B/(B + 1) on average
    assert answer_lengths.mean_length(FLAT, "input") == pytest.approx(510)
    for batch in (1, 2, 5, 50):
        assert answer_lengths.mean_of_longest(FLAT, "output", batch) == pytest.approx(1000 * batch / (batch + 1), rel=1e-3)
    assert list(answer_lengths.draw(FLAT, "input", [0.0, 0.25, 1.0])) == [10, 260, 1010]
    assert list(answer_lengths.draw(FLAT, "input", [0.0, 0.25, 1.0], mean=51)) == [1, 26, 101]


def test_the_last_stretch_bends_to_the_mean_of_the_trace():
    # half the mass is even on 0 to 500 (mean 250); the rest has to average 650 for a mean of 450: 500 + 500/(1 + a), a = 7/3
    table = FLAT.assign(mean=450.0)
    assert answer_lengths.mean_length(table, "output") == pytest.approx(450, rel=1e-3)
    assert answer_lengths.quantiles(table, "output", 0.75) == pytest.approx(500 + 500 * 0.5 ** (7 / 3))
    assert answer_lengths.quantiles(table, "output", 1.0) == 1000


@pytest.mark.parametrize("trace", ["azure-2023-conv", "azure-2023-code", "mooncake-conversation"])
@pytest.mark.parametrize("side", ["input", "output"])
def test_drawn_lengths_have_the_mean_that_was_measured(trace, side):
    table = traffic.lengths(trace)
    assert answer_lengths.mean_length(table, side) == pytest.approx(traffic.fact(trace, f"{side}_mean"), rel=2e-3)


def test_percentiles_without_ends_are_refused():
    with pytest.raises(answer_lengths.BadLengths, match="side 'output' need the percentiles 0 and 100"):
        answer_lengths.quantiles(FLAT[FLAT["percentile"] < 100], "output", 0.5)


def test_arrivals_have_the_rate_and_the_variation_asked_for(lengths):
    for variation in (0.25, 1.0, 8.0):
        table = scheduler.requests(lengths, count=40_000, requests_per_s=2.5, variation=variation, seed=3)
        gaps = np.diff(table["arrival_s"])
        assert gaps.mean() == pytest.approx(0.4, rel=0.05)
        assert gaps.var() / gaps.mean() ** 2 == pytest.approx(variation, rel=0.1)
    assert table["osl"].mean() == pytest.approx(211.1, rel=0.02)


def test_the_same_seed_gives_the_same_digits(engine, lengths):
    ask = {"count": 300, "requests_per_s": 4.0, "variation": 3.0}
    first, again = (scheduler.simulate(engine, scheduler.requests(lengths, **ask, seed=5), slots=8) for _ in range(2))
    pd.testing.assert_frame_equal(first.requests, again.requests, check_exact=True)
    other = scheduler.requests(lengths, **ask, seed=6)
    assert (other["osl"] != first.requests["osl"]).any()
    # the rate only stretches the arrivals
    faster = scheduler.requests(lengths, count=300, requests_per_s=8.0, variation=3.0, seed=5)
    assert np.allclose(faster["arrival_s"] * 2, first.requests["arrival_s"]) and (faster["osl"] == first.requests["osl"]).all()


# --- by hand ----------------------------------------------------------------------------------------


def test_continuous_batching_by_hand():
    # Passes of 1 s, 100 prompt tokens each, 2 slots. Pass 1 reads request 0; pass 2 reads request 1 (one token, done at 2) and
    # decodes 0; request 2 came at 0.5 to full slots: pass 3 reads it beside the last token of 0; pass 4 writes its second.
    run = scheduler.simulate(clock(2), arriving([0, 0, 0.5], [100, 100, 100], [3, 1, 2]))
    done = run.requests
    assert list(done["admitted_s"]) == [0, 0, 2] and list(done["first_s"]) == [1, 2, 3] and list(done["last_s"]) == [3, 2, 4]
    assert list(done["slot"]) == [0, 1, 1] and list(done["queued"]) == [False, False, True]
    assert list(done["ttft_s"]) == [1, 2, 2.5]
    assert done["tpot_s"][0] == 1 and np.isnan(done["tpot_s"][1])  # one token has no time between tokens


def test_prompts_of_their_own_by_hand():
    # The same without shared passes: 0 waits while 1 and 2 are read.
    done = scheduler.simulate(clock(2), arriving([0, 0, 0.5], [100, 100, 100], [3, 1, 2]), chunked=False).requests
    assert list(done["first_s"]) == [1, 2, 3] and list(done["last_s"]) == [5, 2, 4]


def test_a_long_prompt_is_read_in_chunks():
    # 250 tokens at 100 a pass: first token after the third pass, second after the fourth
    run = scheduler.simulate(clock(1), arriving([7], [250], [2]))
    assert run.requests["first_s"][0] == 10 and run.requests["last_s"][0] == 11
    assert list(run.passes["prompt_tokens"]) == [100, 100, 50, 0]


def test_static_batching_by_hand():
    # The first two fill a batch: two passes of prompts, two of decoding until the longer ends at 4. The third waits for company.
    run = scheduler.simulate(clock(2), arriving([0, 0, 0.5], [100, 100, 100], [3, 1, 2]), batching="static", wait_s=10.0)
    done = run.requests
    assert list(done["first_s"]) == [2, 2, 11.5] and list(done["last_s"]) == [4, 2, 12.5]
    assert list(done["freed_s"]) == [4, 4, 12.5]
    assert list(done["admitted_s"]) == [0, 0, 10.5] and list(done["queued"]) == [False, False, True]
    # 2 + 0 + 1 decode passes of live answers in 2 passes of two slots and one of one
    assert summary.occupancy(run) == pytest.approx(3 / (2 * 2 + 1))


def test_one_request_alone_takes_the_passes_of_the_model(engine):
    run = scheduler.simulate(engine, arriving([3.0], [1155], [211]))
    prefill = engine.seconds(0, 0, 1155, 1155 * 1155 / 2)  # mean position: half the prompt
    # 210 passes with 1,156 to 1,365 positions in the cache
    decode = sum(engine.seconds(1, 1156 + k) for k in range(210))
    assert run.requests["ttft_s"][0] == pytest.approx(prefill)
    assert run.requests["tpot_s"][0] == pytest.approx(decode / 210, rel=1e-6)
    state = estimate.estimate(CASE | {"load": "closed_loop", "concurrency": 1.0}).iloc[0]
    assert run.requests["tpot_s"][0] * 1000 == pytest.approx(state["tpot_ms"], rel=1e-3)


# --- laws -------------------------------------------------------------------------------------------

TABLES = st.lists(st.tuples(st.floats(0, 20), st.integers(1, 400), st.integers(1, 40)), min_size=1, max_size=30)


@settings(max_examples=40, deadline=None)
@given(rows=TABLES, slots=st.integers(1, 5), mode=st.sampled_from(["continuous", "own passes", "closed", "static"]))
def test_every_request_leaves_once_and_work_is_conserved(rows, slots, mode):
    table = arriving(*zip(*rows, strict=True))
    options = {"continuous": {}, "own passes": {"chunked": False}, "closed": {"clients": 3},
               "static": {"batching": "static", "wait_s": 2.0}}[mode]
    run = scheduler.simulate(clock(slots, seconds=0.3), table, **options)
    done = run.requests
    assert sorted(done["osl"]) == sorted(table["osl"])
    for earlier, later in (("arrival_s", "admitted_s"), ("admitted_s", "first_s"), ("first_s", "last_s"), ("last_s", "freed_s")):
        assert (done[earlier] <= done[later] + 1e-9).all()
    assert (done["admitted_s"].diff().dropna() >= 0).all()  # first come, first served
    assert run.passes["prompt_tokens"].sum() == pytest.approx(table["isl"].sum())
    work = (run.passes["decoding"] * run.passes["passes"]).sum()
    asked_for = (table["osl"] - 1).sum()
    assert work == asked_for if mode != "static" else work >= asked_for
    assert ((done["last_s"] - done["first_s"]) * (1 / 0.3) >= done["osl"] - 1 - 1e-6).all()
    for _, held in done.groupby("slot"):  # nobody shares a slot
        assert (held["freed_s"].iloc[:-1].to_numpy() <= held["admitted_s"].iloc[1:].to_numpy() + 1e-9).all()
    assert (run.passes["start_s"] + run.passes["seconds"]).max() == pytest.approx(done["freed_s"].max())


def test_time_of_passes_is_the_time_of_answers(engine, lengths):
    run = scheduler.simulate(engine, scheduler.requests(lengths, count=500, requests_per_s=4.0, seed=2), slots=16)
    decoded = (run.passes["decoding"] * run.passes["seconds"]).sum()
    assert decoded == pytest.approx((run.requests["last_s"] - run.requests["first_s"]).sum())


def test_littles_law(engine, lengths):
    # requests in flight = rate times mean time from arrival to the last token; the ends of the run blur it a little
    for batching_, wait_s in (("continuous", None), ("static", 1.0)):
        table = scheduler.requests(lengths, count=6000, requests_per_s=1.5, seed=4)
        run = scheduler.simulate(engine, table, slots=24, batching=batching_, wait_s=wait_s)
        found, done = summary.summary(run), run.requests.iloc[600:]
        stay = (done["last_s"] - done["arrival_s"]).mean()
        assert found["in_flight"] == pytest.approx(found["requests_per_s"] * stay, rel=0.03)
        assert found["requests_per_s"] == pytest.approx(1.5, rel=0.05)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), variation=st.sampled_from([0.5, 1.0, 4.0]))
def test_latency_and_occupancy_rise_with_load(engine, lengths, seed, variation):
    found = []
    for rate in (1.0, 3.0, 4.6):
        table = scheduler.requests(lengths, count=800, requests_per_s=rate, variation=variation, seed=seed)
        found.append(summary.summary(scheduler.simulate(engine, table, slots=24)))
    for name in ("ttft_ms", "tpot_ms", "decoding"):
        assert found[0][name] < found[1][name] < found[2][name], name
    assert found[0]["ttft_ms_p95"] < 1.05 * found[2]["ttft_ms_p95"]  # at light load it is that of the longest prompts


def test_shares_of_slot_time_add_up(engine, lengths):
    for batching_, wait_s in (("continuous", None), ("static", 0.5)):
        table = scheduler.requests(lengths, count=1000, requests_per_s=2.0, seed=1)
        found = summary.summary(scheduler.simulate(engine, table, slots=24, batching=batching_, wait_s=wait_s))
        assert sum(found[state] for state in summary.STATES) == pytest.approx(1.0)
        assert (found["padding"] > 0) == (batching_ == "static")


# --- against the arithmetic -------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [4, 24, 64])
def test_static_occupancy_from_a_full_queue(engine, lengths, batch):
    table = scheduler.requests(lengths, count=200 * batch, requests_per_s=1.0, seed=batch).assign(arrival_s=0.0)
    run = scheduler.simulate(engine, table, batching="static", slots=batch, wait_s=0.0)
    # exactly: decode passes asked for over those of the longest answer of each batch of the draw
    answers = run.requests["osl"].to_numpy().reshape(-1, batch) - 1
    assert summary.occupancy(run) == pytest.approx(answers.mean() / answers.max(axis=1).mean())
    # and up to the sampling error what the percentiles say
    assert summary.occupancy(run) == pytest.approx(batching.occupancy_of(lengths, batch), rel=0.04)


def test_continuous_batching_from_a_full_queue_is_nearly_full(engine, lengths):
    table = scheduler.requests(lengths, count=1500, requests_per_s=1.0, seed=1).assign(arrival_s=0.0)
    found = summary.summary(scheduler.simulate(engine, table, slots=24))
    assert found["empty"] < 0.001 and found["decoding"] > 0.95


@pytest.mark.source("erlang-1917")
@pytest.mark.parametrize(("servers", "load"), [(4, 0.5), (4, 0.8), (12, 0.85)])
def test_waiting_is_that_of_erlang_c_where_passes_do_not_depend_on_the_load(servers, load):
    # Answers of geometric length, mean 400 passes of 0.01 s, prompts read in a pass beside: M/M/c but for 1 part in 400.
    machine = clock(servers, seconds=0.01, budget=1e9)
    service_s, waited = 401 * 0.01, []
    for seed in range(6):
        draw = np.random.default_rng(seed)
        gaps = draw.exponential(service_s / (load * servers), 4000)
        table = arriving(np.cumsum(gaps), np.ones(4000), draw.geometric(1 / 400, 4000) + 1)
        waited.append(summary.summary(scheduler.simulate(machine, table))["queued"])
    expected = queueing.erlang_c(servers=servers, offered_load=load * servers)
    assert np.mean(waited) == pytest.approx(expected, rel=0.08)


def test_the_check_stays_near_the_arithmetic(lengths):
    table = simulation_check.check(CASE, lengths, concurrencies=(1, 16), slots=16).set_index("what")
    for what, low, high in (("answer tokens", 0.95, 1.05), ("TPOT, mean", 0.95, 1.10),
                            ("slots of a static batch that decode a live answer", 0.95, 1.05)):
        assert table.loc[[what], "ratio"].between(low, high).all(), table.loc[[what]]
    wait = table.loc[["requests that wait for a slot (Erlang C)"]]
    assert (wait["simulated_low"] < wait["analytic"]).all()  # the formula errs on the safe side
    assert (table["simulated_low"] <= table["simulated"]).all() and (table["simulated"] <= table["simulated_high"]).all()
    with pytest.raises(CannotSimulate, match="fewer than the 5000 asked for"):
        simulation_check.check(CASE, lengths, concurrencies=(5000,), slots=16)


# --- what the pages show ----------------------------------------------------------------------------


def test_the_timeline_fills_slots_without_overlap():
    full = simulation_load.runs(PAGE)
    found = simulation_load.timeline(PAGE, full)
    table = found.table
    for _, rows in table.groupby(["batching", "slot"]):
        rows = rows.sort_values("start_s")
        assert (rows["end_s"].iloc[:-1].to_numpy() <= rows["start_s"].iloc[1:].to_numpy() + 1e-9).all()
    assert set(table["batching"]) == {"static", "continuous"} and table["slot"].max() == 24
    assert found.sentence.endswith(", static batches 72")  # three static batches of 24
    assert charts.slots(found).to_dict()["layer"]
    assert {"azure-traces-2023", data.model(PAGE.model)["source"]} <= set(found.sources)
    loaded = simulation_load.over_load(PAGE, full).table
    assert loaded[["decoding", "reading", "padding", "empty"]].sum(axis=1).to_numpy() == pytest.approx(1.0)
    full_rows = loaded.set_index("batching")
    assert full_rows.loc["static, full queue", "decoding"] < 0.5 < full_rows.loc["continuous, full queue", "decoding"]


def test_the_claims_are_simulated_at_the_documents_batch():
    rows = simulation_claims.full_queues("llama-3.1-70b", "h100-sxm-80gb", 4, 32)
    assert [row["trace"] for row in rows] == ["conversations", "coding", "long documents"]
    for row in rows:
        assert row["continuous"] > 0.9 and row["static"] < 0.4 and 0.2 < row["saving"] < 0.7


@pytest.mark.parametrize(("options", "sentence"), [
    ({"slots": 3}, "slots 3 must be from 1 to the 2"), ({"batching": "dynamic"}, "batching 'dynamic' is not known"),
    ({"batching": "static"}, "wait_s"), ({"wait_s": 1.0}, "wait_s"),
    ({"batching": "static", "wait_s": 1.0, "clients": 2}, "leave clients away"),
])  # fmt: skip
def test_what_cannot_be_simulated_is_refused(options, sentence):
    with pytest.raises(scheduler.BadSimulation, match=sentence):
        scheduler.simulate(clock(2), arriving([0], [100], [3]), **options)


def test_requests_that_cannot_be_drawn_or_summed_up_are_refused():
    with pytest.raises(scheduler.BadSimulation, match="must be above 0"):
        scheduler.requests(FLAT, count=10, requests_per_s=0.0, seed=1)
    with pytest.raises(scheduler.BadSimulation, match="must have rows"):
        scheduler.simulate(clock(2), arriving([], [], []))
    with pytest.raises(scheduler.BadSimulation, match="too few for a summary"):
        summary.summary(scheduler.simulate(clock(2), arriving([0, 0], [5, 5], [3, 3])))
