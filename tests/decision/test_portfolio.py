"""The cheapest mix of contracts and providers: optima by hand, the newsvendor's rule, and laws that must hold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenecon.decision import portfolio
from tokenecon.decision.portfolio import COMMITTED, ON_DEMAND, SPOT, cheapest
from tokenecon.errors import Infeasible, NoPrice
from tokenecon.formulas import contracts
from tokenecon.prices import gpu_prices

INF = float("inf")


def offers(*rows):
    return pd.DataFrame([{"offer": f"{provider}, {kind}", "provider": provider, "kind": kind, "usd_per_gpu_hour": usd,
                          "limit": limit} for provider, kind, usd, limit in rows])


def free(demand, known):
    """No requirement but the demand."""
    return cheapest(demand, known, spot_share=1.0, lost_share=1.0)


# --- by hand ----------------------------------------------------------------------------------------


def test_two_offers_and_three_hours_by_hand():
    # Demand 2, 5, 9. A GPU committed at 1.5 for all three hours costs 4.5; on demand at 4 it costs 4 an hour. The second
    # GPU is needed in 3 hours (12 > 4.5), the fifth in 2 (8 > 4.5), the sixth in 1 (4 < 4.5): commit 5, rent 4 once.
    found = free([2, 5, 9], offers(("a", ON_DEMAND, 4.0, INF), ("b", COMMITTED, 1.5, INF)))
    assert found["committed"]["b, committed"] == pytest.approx(5)
    assert found["cost"] == pytest.approx(5 * 1.5 * 3 + 4 * 4)
    assert found["paid"][0] == pytest.approx([0, 0, 4])
    # one more in the third hour is rented; one more in the second moves the commitment: 4.5 less the 4 of the third hour
    assert found["shadow"] == pytest.approx([0, 0.5, 4])


def test_merit_order_within_limits():
    # 7 GPUs: 3 from the cheapest, 3 from the next, 1 from the dearest; one more costs what the dearest asks
    found = free([7], offers(("a", ON_DEMAND, 1.0, 3), ("b", ON_DEMAND, 2.0, 3), ("c", ON_DEMAND, 5.0, 3)))
    assert found["cost"] == pytest.approx(3 * 1 + 3 * 2 + 1 * 5)
    assert found["shadow"] == pytest.approx([5.0])


def test_a_share_on_spot_and_a_provider_that_may_fail():
    # 10 GPUs, at most 3 on spot; if a provider fails, at most 4 may be missing, so the other one carries 6
    known = offers(("a", SPOT, 1.0, INF), ("a", ON_DEMAND, 2.0, INF), ("b", ON_DEMAND, 3.0, INF))
    assert cheapest([10], known, spot_share=0.3, lost_share=1.0)["cost"] == pytest.approx(3 * 1 + 7 * 2)
    found = cheapest([10], known, spot_share=0.3, lost_share=0.4)
    # a and b must have 6 each; 7 must be firm, 6 of them at b, so a needs 1 on demand and may have 5 on spot
    assert found["cost"] == pytest.approx(6 * 3 + 1 * 2 + 5 * 1)
    # any of the two may fail without loss: 10 each, and b's are firm already
    assert cheapest([10], known, spot_share=0.0, lost_share=0.0)["cost"] == pytest.approx(10 * 1 + 10 * 3)


def test_the_limit_is_for_all_offers_of_a_provider():
    known = offers(("a", SPOT, 1.0, 4), ("a", ON_DEMAND, 2.0, 4), ("b", ON_DEMAND, 6.0, INF))
    assert free([10], known)["cost"] == pytest.approx(4 * 1 + 6 * 6)


# --- rules that others proved -------------------------------------------------------------------------


@pytest.mark.parametrize("discount", [0.22, 0.37, 0.57, 0.83])
def test_one_commitment_follows_the_newsvendor(discount):
    # Commit to the load exceeded in more than 1 - discount of the hours (Arrow, Harris, Marschak 1951)
    demand = np.array([3, 4, 4, 6, 9, 13, 20, 24, 25, 30], dtype=float)
    found = free(demand, offers(("a", ON_DEMAND, 2.5, INF), ("b", COMMITTED, 2.5 * (1 - discount), INF)))
    use = contracts.commitment_break_even_use(discount=discount)
    best = max(level for level in [0, *demand] if (demand >= level).mean() > use or level == 0)
    assert found["committed"].iloc[0] == pytest.approx(best)
    mean = contracts.committed_usd_per_hour(on_demand_usd_per_gpu_hour=2.5, discount=discount, committed_gpus=best,
                                            demand_gpus=list(demand))
    assert found["cost"] == pytest.approx(10 * mean)


def test_a_commitment_of_nothing_is_all_on_demand():
    demand = [3.0, 7.0, 5.0]
    plain = offers(("a", ON_DEMAND, 2.0, INF))
    dear = offers(("a", ON_DEMAND, 2.0, INF), ("b", COMMITTED, 2.0, INF))  # at the full price for every hour
    found = free(demand, dear)
    assert found["cost"] == pytest.approx(free(demand, plain)["cost"]) == pytest.approx(2.0 * 15)
    assert contracts.committed_usd_per_hour(on_demand_usd_per_gpu_hour=2.0, discount=0.5, committed_gpus=0,
                                            demand_gpus=demand) * 3 == pytest.approx(found["cost"])


prices = st.floats(0.1, 20.0)
kinds = st.sampled_from(portfolio.KINDS)
demands = st.lists(st.integers(0, 60), min_size=1, max_size=6)
many = st.lists(st.tuples(st.sampled_from("bcd"), kinds, prices), min_size=0, max_size=5)


@settings(max_examples=15, deadline=None)
@given(demand=demands, rows=many, more=st.tuples(st.sampled_from("bcde"), kinds, prices), spot=st.floats(0, 1))
def test_the_bill_never_rises_when_an_offer_is_added(demand, rows, more, spot):
    terms = {"spot_share": spot, "lost_share": 1.0}
    few = offers(("a", ON_DEMAND, 5.0, INF), *((*row, INF) for row in rows))
    all_of_them = pd.concat([few, offers((*more, INF))], ignore_index=True)
    one, other = cheapest(demand, few, **terms), cheapest(demand, all_of_them, **terms)
    assert other["cost"] <= one["cost"] * (1 + 1e-9) + 1e-9
    # requirements in proportion to the demand and no limits: the shadow prices make up the bill exactly
    assert (one["shadow"] * np.array(demand)).sum() == pytest.approx(one["cost"], abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(demand=demands, rows=many, spot=st.floats(0, 1), lost=st.floats(0, 1))
def test_every_requirement_is_kept(demand, rows, spot, lost):
    known = offers(("a", ON_DEMAND, 5.0, 100), ("z", ON_DEMAND, 9.0, 100), *((*row, 100) for row in rows))
    found = cheapest(demand, known, spot_share=spot, lost_share=lost)
    paid, need = found["paid"], np.array(demand)
    firm = (known["kind"] != SPOT).to_numpy()
    assert (paid >= -1e-9).all() and (paid.sum(axis=0) >= need - 1e-6).all()
    assert (paid[firm].sum(axis=0) >= (1 - spot) * need - 1e-6).all()
    for provider in set(known["provider"]):
        own = (known["provider"] == provider).to_numpy()
        assert (paid[~own].sum(axis=0) >= (1 - lost) * need - 1e-6).all()
        assert (paid[own].sum(axis=0) <= 100 + 1e-6).all()


# --- what cannot be met -------------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "terms", "words"), [
    ([("a", ON_DEMAND, 1.0, 4), ("b", SPOT, 1.0, 3)], {"spot_share": 1.0, "lost_share": 1.0},
     "hour 1 needs 8 GPUs for the demand, but the offers that count for it hold 7"),
    ([("a", ON_DEMAND, 1.0, 4), ("b", SPOT, 1.0, 30)], {"spot_share": 0.25, "lost_share": 1.0},
     "hour 1 needs 6 GPUs for the 75% of the demand that may not run on spot, but the offers that count for it hold 4"),
    ([("a", ON_DEMAND, 1.0, 30), ("b", ON_DEMAND, 1.0, 3)], {"spot_share": 1.0, "lost_share": 0.5},
     "hour 1 needs 4 GPUs for the 50% of the demand that must run when a fails, but the offers that count for it hold 3"),
    ([("a", ON_DEMAND, 1.0, INF)], {"spot_share": 1.0, "lost_share": 0.5}, "must run when a fails"),
])  # fmt: skip
def test_the_requirement_that_fails_is_named(rows, terms, words):
    with pytest.raises(Infeasible, match=words):
        cheapest([2, 8, 5], offers(*rows), **terms)


def test_bad_input_gets_a_sentence():
    good = offers(("a", ON_DEMAND, 1.0, INF))
    with pytest.raises(Infeasible, match="there is no offer"):
        free([1], good.iloc[:0])
    with pytest.raises(ValueError, match="offers lack the column 'limit'"):
        free([1], good.drop(columns="limit"))
    with pytest.raises(ValueError, match="usd_per_gpu_hour of offer 'a, on demand' is -1"):
        free([1], good.assign(usd_per_gpu_hour=-1.0))
    with pytest.raises(ValueError, match="offer kind 'loan'"):
        free([1], good.assign(kind="loan"))
    with pytest.raises(ValueError, match="different limits"):
        free([1], offers(("a", ON_DEMAND, 1.0, 3), ("a", SPOT, 1.0, 4)))
    with pytest.raises(ValueError, match=r"parameter 'spot_share' is 1\.2"):
        cheapest([1], good, spot_share=1.2, lost_share=1.0)
    for demand in ([], [-1.0], [float("nan")]):
        with pytest.raises(ValueError, match="demand must be"):
            free(demand, good)


# --- offers of the price book -------------------------------------------------------------------------


TERMS = {"limit": INF, "availability": 0.9, "interruptions": 0.1, "restart": 0.2, "lost": 0.3}


def test_offers_are_the_cheapest_of_each_provider_and_contract():
    known = portfolio.market("h100-sxm-80gb", "2026-09-06", **TERMS)
    assert not known.duplicated(["provider", "kind", "contract"]).any()
    rows = gpu_prices.offers("h100-sxm-80gb", "on_demand", "2026-09-06")
    full = rows.groupby("provider")["value"].min()
    plain = known[known["kind"] == ON_DEMAND].set_index("provider")["usd_per_gpu_hour"]
    assert plain.to_dict() == pytest.approx(full.to_dict())
    # Azure: spot 2.2712 in nine tenths of the hours, a twentieth repeated (0.1 * 0.5), the rest at 12.29
    azure = known[(known["provider"] == "azure") & (known["kind"] == SPOT)].iloc[0]
    assert azure["usd_per_gpu_hour"] == pytest.approx(0.9 * 2.2712 * 1.05 + 0.1 * 12.29)


def test_sellers_of_one_kind_only():
    known = portfolio.market("h100-sxm-80gb", "2026-09-06", sellers="hyperscaler", **TERMS)
    assert set(known["provider"]) <= {"aws", "azure", "gcp", "oracle"}
    with pytest.raises(NoPrice, match="no on_demand price of gaudi3-128gb"):
        portfolio.market("gaudi3-128gb", "2026-09-06", **TERMS)


# --- whole replicas -----------------------------------------------------------------------------------


def test_a_replica_is_bought_whole_and_of_one_provider():
    # Replicas of 2 GPUs at 3 and 4 USD a GPU-hour; 2, 2.2 and 4 GPUs: the second hour is a tenth of an hour with two replicas.
    known = offers(("a", ON_DEMAND, 3.0, INF), ("b", ON_DEMAND, 4.0, INF))
    alone = cheapest([2, 2.2, 4], known, spot_share=1.0, lost_share=1.0, whole=2)
    assert alone["cost"] == pytest.approx(6 + (0.9 * 6 + 0.1 * 12) + 12)
    assert alone["paid"] == pytest.approx(np.array([[2, 2.2, 4], [0, 0, 0]]))
    # half may be lost: one replica at each, even where one would do; parts of a replica would be 1 GPU at each
    safe = cheapest([2, 2.2, 4], known, spot_share=1.0, lost_share=0.5, whole=2)
    assert safe["paid"] == pytest.approx(np.full((2, 3), 2.0)) and safe["cost"] == pytest.approx(3 * (6 + 8))
    assert cheapest([2], known, spot_share=1.0, lost_share=0.5)["cost"] == pytest.approx(3 + 4)
    assert "shadow" not in safe


def test_whole_replicas_take_whole_limits():
    # of 5 GPUs two replicas of 2 can be had
    known = offers(("a", ON_DEMAND, 1.0, 5), ("b", ON_DEMAND, 3.0, INF))
    assert cheapest([6], known, spot_share=1.0, lost_share=1.0, whole=2)["cost"] == pytest.approx(4 * 1 + 2 * 3)
    with pytest.raises(Infeasible, match="hour 0 needs 6 GPUs for the demand, but the offers that count for it hold 4"):
        cheapest([5], known[:1], spot_share=1.0, lost_share=1.0, whole=2)


def test_whole_replicas_never_cost_less_than_parts():
    known = offers(("a", SPOT, 1.0, 16), ("a", ON_DEMAND, 2.5, 16), ("b", COMMITTED, 1.6, 16), ("c", ON_DEMAND, 3.0, 16))
    demand = np.array([4, 4, 8, 14, 10, 6], dtype=float)
    terms = {"spot_share": 0.3, "lost_share": 0.5}
    parts, whole = (cheapest(demand, known, **terms, whole=size)["cost"] for size in (None, 2))
    assert parts <= whole + 1e-9
