"""The replica that the documents' deployment section means, by the calibrated model: what the claims' recomputations share.

Llama 2 70B in FP16 on the H100 that hold it with the documents' batch, prompts of their context, answers of the length
assumed elsewhere, and latency limits of a chat.
"""

from types import SimpleNamespace

from tokenecon import data, units
from tokenecon.decision import portfolio
from tokenecon.fleet import erlang, planning, pools, traffic
from tokenecon.formulas import money, queueing
from tokenecon.queries import remembered
from tokenecon.serving import operating_point
from tokenecon_book.chapters.deployment import serverless
from tokenecon_book.documents.printed import H100, LLAMA2_70B, NOTHING, PERFECT, serving_gpus

FORMAT = "fp16"
DAILY = "diurnal"
HALF = 1 / 2  # what two equal providers lose when one of them fails


def case(c):
    """The documents' example as the chapter's case, on the day of the documents."""
    return SimpleNamespace(
        model=LLAMA2_70B, gpu=H100, n_gpus=int(serving_gpus(c)), weights=FORMAT, kv=FORMAT,
        isl=int(c.value("ec-context-2000")), osl=int(data.value("workload.osl")),
        ttft_ms=data.value("service.ttft"), tpot_ms=data.value("service.tpot"), profile=DAILY,
        wait_probability=data.value("service.wait_probability"),
        central_gpus=int(c.value("dep-central-gpus")), edge_sites=int(c.value("dep-edge-clusters")), site_overhead=0.0,
        ops_overhead=0.0, as_of=c.day())


def full(c, n_gpus):
    """Share of its places that a pool of so many GPUs may have busy at the waiting target, and those places."""
    found = pools.replica(case(c))
    places = n_gpus // found["n_gpus"] * found["concurrency"]
    return float(erlang.utilisation(slots=places, wait_probability=data.value("service.wait_probability"))), places


def peaks():
    """Busiest hour over the mean of the services with published rates: (flattest, sharpest)."""
    ratios = [traffic.peak_to_mean(traffic.profile(name)) for name in traffic.HOURLY]
    return min(ratios), max(ratios)


def through_peaks(c, n_gpus):
    """Mean busy share of such a pool when it is sized for the busiest hour: (sharpest peaks, flattest peaks)."""
    busy, _ = full(c, n_gpus)
    flat, sharp = peaks()
    return tuple(float(queueing.mean_utilisation(peak_utilisation=busy, peak_to_mean=peak)) for peak in (sharp, flat))


@remembered
def _batch(n_gpus, isl, osl, batch, rents):
    low, high = rents
    return operating_point.point(model=LLAMA2_70B, gpu=H100, n_gpus=n_gpus, weights=FORMAT, kv=FORMAT, isl=isl, osl=osl,
                                 concurrency=batch, usd_per_gpu_hour=(low, (low + high) / 2, high), utilisation=PERFECT)


def million(c, kind=""):
    """USD per million tokens at the documents' batch and rents, every paid hour used: both kinds, or ``_in``, ``_out``."""
    meant = case(c)
    row = _batch(meant.n_gpus, meant.isl, meant.osl, int(c.value("ec-batch32-size")),
                 c.span("up-h100-cloud-price-now"))
    return row[f"usd_per_mtok{kind}_low"], row[f"usd_per_mtok{kind}_high"]


def steady(c):
    """USD per million tokens of whole replicas that serve the documents' volume through a day, at the documents' rents."""
    meant, volume = case(c), c.value("up-billion-token-volume")
    found, tokens = pools.replica(meant), meant.isl + meant.osl
    rate = volume / tokens / units.SECONDS_PER_DAY
    low, high = c.span("up-h100-cloud-price-now")

    def usd_per_mtok(rent, speed):
        held = planning.demand_curve(
            traffic.profile(DAILY), demands=[rate], requests_per_s=found[f"requests_per_s{speed}"],
            concurrency=found["concurrency"], wait_probability=meant.wait_probability, policy="fixed", start_h=NOTHING, floor=1)
        return float(money.usd_per_mtok(usd_per_gpu_hour=rent, n_gpus=held[0] * meant.n_gpus, tok_per_s=rate * tokens,
                                        utilisation=PERFECT))

    return usd_per_mtok(low, "_high"), usd_per_mtok(high, "_low")


def few_requests(c, price):
    """Requests an hour up to which a replica costs more than an API at a price, by the second and around the clock."""
    wide = serverless.over_load(case(c))
    best = wide[["seconds", "fixed"]].min(axis=1)
    return serverless.crossing(wide["requests_per_hour"], [price] * len(best), best)


def two_providers(c):
    """Bill of the cheapest on-demand offers of the documents' day if half may be lost, over that of the middle provider alone."""
    offers = portfolio.market(H100, c.day(), limit=float("inf"), availability=PERFECT, interruptions=0.0, restart=0.0,
                              lost=0.0)
    offers = offers[offers["kind"] == portfolio.ON_DEMAND]
    demand = traffic.profile(DAILY)["ratio"].to_numpy()
    best = portfolio.cheapest(demand, offers, spot_share=0.0, lost_share=HALF)["cost"] / demand.sum()
    middle = float(offers["usd_per_gpu_hour"].median())
    return {"best": best, "middle": middle, "offers": len(offers)}
