"""Levers together: the textbook against arithmetic written here, the calibrated model against `estimate`, and refusals."""

from types import SimpleNamespace

import pytest

import tokenecon
from tokenecon import data
from tokenecon.errors import DoesNotFit, TooSlow
from tokenecon.serving import textbook
from tokenecon_book.build import notebooks
from tokenecon_book.chapters.software import batching, lever_points_calibrated, lever_points_textbook, stacking, waterfall
from tokenecon_book.documents import base

DEFAULTS = notebooks.defaults("software")
# The documents' model on four H100, whose arithmetic stands below.
OLDER = {"model": "llama-2-70b", "gpu": "h100-sxm-80gb", "n_gpus": 4, "isl": 2000, "osl": 500, "usd_per_gpu_hour": 2.695,
         "utilisation": 0.6, "costed": {}}  # fmt: skip
NONE, ALL = frozenset(), frozenset(lever_points_textbook.LEVERS)
EXPECTED = textbook.EXPECTED
# One long request fills the memory, so that the batch is 1 and the sum fits on paper.
LONG = {"model": "llama-2-7b", "n_gpus": 1, "isl": 50_000, "osl": 1000, "contiguous_waste": 0.5,
        "usd_per_gpu_hour": 3.0, "utilisation": 0.5}


def case(**change):
    return SimpleNamespace(**(DEFAULTS | OLDER | change))


def test_one_long_request_on_a_perfect_machine():
    point = lever_points_textbook.on_machine(case(**LONG), NONE, efficiencies=textbook.ideal())
    # 32 layers, 32 heads of 128, keys and values, 2 B: 524,288 B a position. Mean context 50,000 + 500.
    step_s = (2 * 6_738_415_616 + 50_500 * 524_288) / 3.35e12
    assert point["batch"] == 1 and point["occupancy"] == 1
    assert point["tpot_ms"][EXPECTED] == pytest.approx(1000 * step_s)  # 11.9 ms
    # the prompt's matrices and its scores, 4 FLOP for each pair of positions and value of a head, on 989.5 TFLOP/s
    prefill_s = (2 * 6_607_343_616 * 50_000 + 32 * 4 * 4096 * 50_000**2 / 2) / 989.5e12
    # 3 USD an hour, half of it used, for the prompt, 1000 steps and 51,000 tokens
    assert point["usd_per_mtok"][EXPECTED] == pytest.approx(
        1e6 * (prefill_s + 1000 * step_s) / 51_000 * 3.0 / 0.5 / 3600, rel=1e-3)


def test_what_each_lever_does_to_the_memory():
    base = lever_points_textbook.ceiling(case(), NONE)
    # waste 0.7 to 0.04 leaves 0.96 instead of 0.30 of the room; half the bits hold twice as many
    assert lever_points_textbook.ceiling(case(), {"paging"}) / base == pytest.approx(0.96 / 0.30)
    assert lever_points_textbook.ceiling(case(), {"kv"}) / base == pytest.approx(2)
    # (4 * (0.9 * 79.2 - 2) GiB - 138 GB) * 0.3 / (2500 * 327,680 B): 59 sequences
    room = 4 * (0.9 * 79.2 - 2) * 2**30 - 2 * 68_976_648_192
    assert base == pytest.approx(room * 0.3 / (2500 * 327_680), rel=1e-6)
    freed = 68_976_648_192 - 2 * 32_000 * 8192 - 161 * 8192  # matrices at 1 B; embedding, head and norms stay
    assert lever_points_textbook.ceiling(case(), {"weights"}) / base == pytest.approx((room + freed) / room, rel=1e-6)


def test_levers_on_price_alone():
    base, prefix, routed = (lever_points_textbook.on_machine(case(), on) for on in (NONE, {"prefix"}, {"routing"}))
    prefill_s = textbook.prefill(model="llama-2-70b", gpu="h100-sxm-80gb", n_gpus=4, weights="fp16", isl=2000,
                                 efficiencies=textbook.assumed())
    # 4 * 2.695 USD an hour, 0.6 of it used, for 0.5 * 0.7 of the prefill and 2500 tokens
    assert base["usd_per_mtok"] - prefix["usd_per_mtok"] == pytest.approx(
        0.35 * prefill_s * 4 * 2.695 / 3600 / 0.6 / 2500 * 1e6)
    # 0.67 at a tenth, 0.33 in full, and the router: 0.067 + 0.33 + 0.01
    assert routed["usd_per_mtok"] / base["usd_per_mtok"] == pytest.approx([0.407] * 3)


def test_the_batch_is_the_cheapest_of_all_that_fit():
    small = case(**(LONG | {"isl": 2000, "osl": 400}))  # holds 24 sequences, so all are candidates
    point = lever_points_textbook.on_machine(small, NONE)
    fits = int(lever_points_textbook.ceiling(small, NONE))
    assert 10 < fits < lever_points_textbook.CANDIDATES

    def cost(batch):
        step = textbook.decode_step(model="llama-2-7b", gpu=small.gpu, n_gpus=1, weights="fp16", kv="fp16", positions=2200,
                                    batch=batch, efficiencies=textbook.assumed())["step_s"][EXPECTED]
        return 400 * step / (batch * batching.static_occupancy(batch, "measured"))

    assert point["decode_s"][EXPECTED] == pytest.approx(min(cost(batch) for batch in range(1, fits + 1)))


def test_the_limit_on_time_per_token_is_kept():
    for limit in (15.0, 20.0, 30.0):
        point = lever_points_textbook.on_machine(case(tpot_ms=limit), ALL)
        assert point["tpot_ms"][EXPECTED] <= limit
    tight, loose = (lever_points_textbook.on_machine(case(tpot_ms=limit), ALL)["batch"] for limit in (15.0, 40.0))
    assert tight < loose


def estimated(**more):
    """One estimate of the page's case with other inputs."""
    asked = {"model": "llama-2-70b", "gpu": "h100-sxm-80gb", "n_gpus": 4, "isl": 2000, "osl": 500, "weights": "fp16",
             "kv": "fp16", "usd_per_gpu_hour": 2.695, "utilisation": 0.6}
    return tokenecon.estimate(asked | more).iloc[0]


def test_a_calibrated_point_is_an_estimate():
    levers = {"weights", "kv", "paging", "continuous", "prefix", "speculation"}
    point = lever_points_calibrated.on_machine(case(), frozenset(levers))
    # half of the prompt is found in the cache, which saves 0.7 of its prefill
    own = estimated(weights="fp8", kv="fp8", concurrency=point["batch"], load="closed_loop", cached_prefix=0.35, draft_tokens=4,
                    acceptance=0.8)
    for name in ("tpot_ms", "usd_per_mtok"):
        poor, expected, good = point[name]
        assert expected == pytest.approx(own[name]) and good < expected < poor
        assert (poor, good) == pytest.approx((own[f"{name}_high"], own[f"{name}_low"]))


def test_a_static_batch_runs_as_long_as_its_longest_answer():
    point = lever_points_calibrated.on_machine(case(), NONE)
    busy = batching.static_occupancy(point["batch"], "measured")
    assert point["occupancy"] == busy < 0.5
    own = estimated(concurrency=point["batch"], load="static", osl=500 / busy)
    assert point["tpot_ms"][EXPECTED] == pytest.approx(own["tpot_ms"])
    # all of its time is paid by the 2500 tokens that are of use
    assert point["usd_per_mtok"][EXPECTED] == pytest.approx(own["usd_per_mtok"] * (2000 + 500 / busy) / 2500)
    # one piece of memory a sequence: 0.30 used instead of 0.96
    contiguous, paged = (lever_points_calibrated.ceiling(case(), on) for on in (NONE, {"paging"}))
    assert contiguous / paged == pytest.approx(0.30 / 0.96)


def test_the_calibrated_batch_keeps_the_limit_and_is_the_cheapest_tried():
    on = frozenset({"weights", "kv", "paging", "continuous"})
    for limit in (30.0, 60.0):
        point = lever_points_calibrated.on_machine(case(tpot_ms=limit), on)
        assert point["tpot_ms"][EXPECTED] <= limit
        for batch in lever_points_textbook.spread(int(lever_points_calibrated.ceiling(case(), on))):
            other = estimated(weights="fp8", kv="fp8", concurrency=batch, load="closed_loop")
            assert other["tpot_ms"] > limit or other["usd_per_mtok"] >= point["usd_per_mtok"][EXPECTED] * 0.999999


def test_routing_is_the_same_arithmetic_in_both_models():
    for module in (lever_points_calibrated, lever_points_textbook):
        base, routed = (module.operating_point(case(), on) for on in (NONE, frozenset({"routing"})))
        assert routed["usd_per_mtok"] / base["usd_per_mtok"] == pytest.approx([0.407] * 3)


def test_steps_hang_together():
    found = waterfall.steps(case())
    table = found.table
    assert list(table["kind"][:1]) == ["start"] and table["kind"].iloc[-1] == "total"
    assert list(table["start"][1:-1]) == list(table["end"][:-2])
    assert table["end"].iloc[-1] == table["end"].iloc[-2]
    ups = table[table["kind"] == "up"]
    assert (ups["end"] > ups["start"]).all()
    downs = table[table["kind"] == "down"]
    assert (downs["end"] <= downs["start"]).all()
    factor = table["end"].iloc[0] / table["end"].iloc[-1]
    assert f"{stacking.factor(factor)} times cheaper" in found.sentence
    facts = data.rows("gpus", {"gpu": "h100-sxm-80gb", "field": ["bandwidth", "engine_memory", "bf16"]})
    assert {data.model("llama-2-70b")["source"], *facts["source"]} <= set(found.sources)
    theirs = table["textbook_usd_per_mtok"]
    assert f"textbook from ${theirs.iloc[0]:.2f} to ${theirs.iloc[-1]:.4f}, {theirs.iloc[0] / theirs.iloc[-1]:.1f} times" in (
        found.note)
    on = frozenset()
    for lever, cost in zip((None, *lever_points_textbook.LEVERS), theirs, strict=False):
        on = on | {lever} if lever else on
        assert cost == pytest.approx(stacking.cost(case(), on, "textbook"))


def test_a_step_that_costs_is_named():
    found = waterfall.steps(case(acceptance=0.05))  # one draft in twenty is of use, five positions are checked
    assert found.table.set_index("step")["kind"]["speculative decoding"] == "up"
    assert found.sentence.endswith("; speculating adds cost")


def test_textbook_speculation_saves_with_few_long_requests_alone():
    everything = frozenset(lever_points_textbook.LEVERS)
    for isl, saves in ((2000, False), (20_000, True)):  # 65 requests of 20,000 tokens fill the memory: arithmetic stands idle
        with_it, without = (stacking.cost(case(isl=isl), on, "textbook")
                            for on in (everything, everything - {"speculation"}))
        assert (with_it < without) == saves


def test_refusals_name_the_parameter():
    for module in (lever_points_textbook, lever_points_calibrated):
        with pytest.raises(TooSlow, match="'tpot_ms' is 3, but llama-2-70b on 4 x h100"):
            module.operating_point(case(tpot_ms=3.0), NONE)
        with pytest.raises(DoesNotFit, match="'n_gpus' is 1"):
            module.on_machine(case(n_gpus=1), NONE)


def test_documents_figures_as_savings():
    assert stacking.claimed_saving("speculation") == pytest.approx((1 - 1 / 2, 1 - 1 / 3))
    assert stacking.claimed_saving("weights") == pytest.approx((1 - 1 / 4, 1 - 1 / 6))
    assert stacking.claimed_saving("routing") == pytest.approx((0.6, 0.6))
    # a quarter, a half, a half, 0.4 of the cost: 0.025
    assert stacking.multiplied([0.75, 0.5, 0.5, 0.6]) == pytest.approx(40)


def test_products_against_full_recomputation():
    each = stacking.levers(case())
    table = stacking.products(case(), each).table.set_index("what")
    assert (table["cost_factor_low"] <= table["cost_factor"]).all()
    assert (table["cost_factor"] <= table["cost_factor_high"]).all()
    table = table[table["how"] != "recomputed, textbook"]
    documents = table.loc["4 optimisations: the documents' figures, multiplied"]
    assert (documents["cost_factor_low"], documents["cost_factor_high"]) == pytest.approx((40, 90))
    # 1/4 to 1/6, a half, 1/2 to 1/3, 0.4: the geometric middle of 40 and 90 is 60
    assert documents["cost_factor"] == pytest.approx(60)
    steps = waterfall.steps(case()).table
    assert table.loc["all 7 optimisations, recomputed", "cost_factor"] == pytest.approx(
        steps["end"].iloc[0] / steps["end"].iloc[-1])
    rest = 1.0
    for saved in each.table["alone"]:
        rest *= 1 - saved
    assert table.loc["all 7 optimisations: each alone, multiplied", "cost_factor"] == pytest.approx(1 / rest)


def test_routing_saves_the_same_whatever_else_is_on():
    each = stacking.levers(case()).table.set_index("id")
    assert each.loc["routing", ["alone", "on_top"]].tolist() == pytest.approx([0.593, 0.593])
    assert each.loc["speculation", "textbook_on_top"] < 0 < each.loc["speculation", "textbook_alone"]


def test_ends_of_the_assumed_ranges():
    worst, best = stacking.at_end(case(), 0), stacking.at_end(case(), 1)
    assert (worst.hit_rate, best.hit_rate) == (0.2, 0.7)
    assert (worst.draft_cost, best.draft_cost) == (0.15, 0.02)  # cheap drafts save more
    assert worst.isl == 2000
    assert stacking.at_end(case(acceptance=0.95), 1).acceptance == 0.95  # the case's own value stays inside


def test_the_cheaper_of_two_machines_is_taken():
    for module in (lever_points_calibrated, lever_points_textbook):
        for on in (NONE, frozenset({"weights", "kv", "paging"})):
            taken = module.operating_point(case(), on)
            costs = {n_gpus: module.on_machine(case(n_gpus=n_gpus), on)["usd_per_mtok"][EXPECTED] for n_gpus in (4, 8)}
            assert taken["n_gpus"] == min(costs, key=costs.get) and taken["usd_per_mtok"][EXPECTED] == min(costs.values())
    assert lever_points_textbook.machines(case(n_gpus=8)) == [8]  # a server has no more


@pytest.fixture(scope="module")
def page():
    """The page's own case, with its blanks filled."""
    return base.completed(SimpleNamespace(**DEFAULTS))


def test_the_ladder_of_the_base_case_starts_on_twice_its_machine(page):
    # 70.55 billion parameters in 16 bits are 141 GB of the 153 GB that two H100 give; the cache of a request is cut from a piece
    # of memory of which 0.70 stays empty
    with pytest.raises(DoesNotFit):
        lever_points_calibrated.on_machine(page, NONE)
    found = waterfall.steps(page)
    table = found.table
    assert table["n_gpus"].iloc[0] == 4 and set(table["n_gpus"]) == {2, 4}
    assert "leaves no room for a request on the 2 H100 SXM of this page's case, so the ladder starts on 4;" in found["start"]


def test_the_ladder_passes_the_base_case(page):
    """Weights and cache in FP8, pages, continuous batching: the hours of what `tokenecon cost` prints on demand."""
    steps = waterfall.steps(page)
    row = steps.table.set_index("step").loc["continuous batching"]
    bill = base.bill(page)
    assert (row["n_gpus"], row["batch"]) == (bill["n_gpus"], bill["concurrency"])
    hours = bill["n_gpus"] * bill["replicas"] * 24 * bill["usd_per_gpu_hour"]  # of a day, idle and spare ones included
    assert row["usd_per_mtok"] == pytest.approx(hours / (477_800 * 1366.1) * 1e6, rel=1e-9)
    assert f"at the case of this page: a million tokens cost ${row['usd_per_mtok']:.3f} on 2 H100 SXM." in steps["reached"]
