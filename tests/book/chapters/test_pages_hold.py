"""The pages of this part over parameters that nobody had in mind: ordered ranges, whole sentences, or one refusal."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from tokenecon import kinds
from tokenecon.errors import CannotSimulate, Infeasible, NoEstimate, NoInput, TooSlow
from tokenecon.fleet import erlang
from tokenecon.prices import gpu_prices
from tokenecon_book.build import notebooks, parameters
from tokenecon_book.chapters.cases.deepseek import day, token_costs
from tokenecon_book.chapters.cases.jpmorgan import isolation
from tokenecon_book.chapters.cases.shopify import conversations, monthly_bill
from tokenecon_book.chapters.cases.spotify import transcription
from tokenecon_book.chapters.contracts import contract_prices, mix
from tokenecon_book.chapters.deployment import deployment, edge, own_or_api, pool_sizes, serverless
from tokenecon_book.chapters.hour import comparison, energy, lifetime, rent
from tokenecon_book.chapters.traffic import idle
from tokenecon_book.documents.printed import n

# what a page computes from its parameters; the whole page would draw its figures, too
PAGES = {
    "hour": (rent.breakdown, rent.kinds, comparison.check, lifetime.life, lifetime.cash, energy.carbon, rent.line,
             rent.own_parts),
    "traffic": (idle.headline, idle.fleets, idle.policies),
    "deployment": (deployment.headline, pool_sizes.utilisations, edge.penalty, deployment.latency, deployment.egress,
                   own_or_api.volume, serverless.offers, serverless.at_loads, deployment.hybrid),
    "contracts": (contract_prices.spot, contract_prices.commitment, contract_prices.prices, mix.by_hour, mix.one_more, mix.bills,
                  mix.headline),
    "cases/spotify": (transcription.identities, transcription.audio_hour, transcription.bottom_up, transcription.implied,
                      transcription.arithmetic, transcription.reconcile, transcription.stacking, transcription.sensitivity),
    "cases/shopify": (conversations.identities, conversations.turn, conversations.bottom_up, conversations.implied,
                      conversations.price_levels, monthly_bill.headline, monthly_bill.reconcile),
    "cases/jpmorgan": (isolation.headline, isolation.concurrency, isolation.isolation_parts,
                       isolation.by_size, isolation.strictness, isolation.reconcile),
    "cases/deepseek": (day.headline, day.identities, day.compare, day.ways,
                       token_costs.speed, token_costs.where, token_costs.kinds),
}  # fmt: skip
# parameters that each broke a page once, or stand at an edge of what is allowed; how the refusal begins, or nothing: a page
DRAWS = {
    "hour": (
        ({"years": 1.0, "residual_share": 0.0, "gpu": "b200-sxm-180gb", "gpus": "gb300,l4,tpu-v5p"}, ""),
        ({"gpu": "gb300"}, "GB300 NVL72 cannot be owned for this case: no purchase price of gb300: only an estimate is known"),
        ({"discount_rate": 1.0, "usd_per_kwh": 100.0, "pue": 2.6, "gpus": "h100-sxm-80gb"}, ""),
        ({"years": 1e9}, "parameter 'years' is 1000000000.0, but must be a whole number of years from 1 to 15"),
        ({"pue": 0.5}, "parameter 'pue' is 0.5"),
        ({"gco2e_per_kwh": 0.0}, ""),
        ({"as_of": "2023-02-01"}, "no choice of the scenario can be had: own: H100 SXM: no purchase price of h100"),
        ({"gpu": "tpu-v5p"}, "TPU v5p cannot be owned for this case: no purchase price of tpu-v5p"),
        ({"ttft_ms": 0.001}, "H100 SXM cannot be owned for this case: one request alone has a TTFT"),
    ),
    "traffic": (
        ({"requests_per_day": 1e-4}, ""), ({"requests_per_day": 1e12}, "parameter 'requests_per_day' is 1e+12"),
        ({"n_gpus": 1, "floor": 0, "policy": "autoscale", "profile": "servegen-m-mid"}, ""), ({"percentile": 0.5}, ""),
        ({"tpot_ms": 0.0}, "parameter 'tpot_ms' is 0"), ({"kv": "fp32"}, "parameter 'kv' is 'fp32'"),
        ({"model": "whisper-large-v3"}, "parameter 'model' is 'whisper-large-v3'"),
        ({"model": "llama-3.1-405b"}, "parameter 'n_gpus' is 2: .* does not fit"),
    ),
    "deployment": (
        ({"isl": 100000, "osl": 100000, "ttft_ms": 1e6, "edge_share": 0.0, "requests_per_day": 1.0},
         "parameter 'isl' is 100000: .* 131072"),
        ({"model": "gpt-oss-120b", "central_gpus": 4, "edge_sites": 1, "wait_probability": 0.999999}, ""),
        ({"ttft_ms": 0.0}, "parameter 'ttft_ms' is 0"), ({"small_model": "whisper-large-v3"}, "parameter 'small_model' is"),
        ({"requests_per_day": 0.0}, "parameter 'requests_per_day' is 0"),
        ({"central_gpus": 1, "edge_sites": 1}, "parameter 'central_gpus' is 1"),
        ({"edge_sites": 2000}, "parameter 'edge_sites' is 2000"),
    ),
    "contracts": (
        ({"spot_discount": 1.0, "commitment_discount": 1.0, "provider_gpus": 2, "requests_per_day": 1e4}, ""),
        ({"gpu": "gb300", "provider_gpus": 64, "spot_share": 0.0}, ""),
        ({"requests_per_day": 0.0}, "parameter 'requests_per_day' is 0"),
        ({"requests_per_day": 1e9}, "parameter 'provider_gpus' is 8"), ({"n_gpus": 1000}, "parameter 'n_gpus' is 1000"),
        ({"sellers": "marketplace", "gpu": "gb300"}, "no on_demand price of gb300 on 20"),
    ),
    "cases/spotify": (
        ({"usd_per_day_after": 45000.0}, ""), ({"usd_per_day_after": 1e-3, "mfu": 1.0, "gpu": "l4", "utilisation": 1e-4}, ""),
        ({"tokens_per_day": 0.0}, "parameter 'tokens_per_day' is 0"), ({"gpu": "trainium2"}, "no on_demand price of trainium2"),
    ),
    "cases/shopify": (
        ({"usd_per_month_after": 1e8, "policy": "to_zero"}, ""), ({"usd_per_month_after": 1.0, "isl": 1}, ""),
        ({"tpot_ms": 1.0}, "parameter 'tpot_ms' is 1"), ({"weights": "int3"}, "parameter 'weights' is 'int3'"),
        ({"peak_to_mean": 24.0}, "parameter 'peak_to_mean' is 24"),
    ),
    "cases/jpmorgan": (
        ({"requests_per_analyst_hour": 1e12}, ""), ({"analysts": 10}, ""), ({"requests_per_analyst_hour": 1e-6}, ""),
        ({"groups": 1}, "parameter 'groups' is 1"), ({"groups": 50001}, "parameter 'groups' is 50001"),
        ({"wait_probability": 1.0}, "parameter 'wait_probability' is 1"),
    ),
    "cases/deepseek": (
        ({"input_tokens": 1.2e12}, ""), ({"user_speed": 1e-6}, ""), ({"user_speed": 35.0}, ""),
        ({"kv": "mxfp4"}, "parameter 'kv' is 'mxfp4'"), ({"output_tokens": 1.0}, "parameter 'kv_length' is 4989"),
        ({"peak_to_mean": 0.5}, "parameter 'peak_to_mean' is 0.5"), ({"model": "qwen3-8b"}, "parameter 'model' is 'qwen3-8b'"),
    ),
}  # fmt: skip
ALL = [(page, change, refusal) for page, draws in DRAWS.items() for change, refusal in draws]
BROKEN = re.compile(r"\b(nan|inf|None|<NA>)\b|\$-|-\d[\d.]* ?%|\b0\.0 times|  |"
                    r"(?<![\d.,])1 (GPUs|replicas|places|sites|groups|years|offers)\b")


@pytest.fixture(scope="module")
def declared():
    """The default parameters of a notebook, by its name, with some changed."""

    def read(name, change):
        given = notebooks.defaults(name) | change
        return given | ({"gpus": kinds.split(given["gpus"])} if "gpus" in given else {})

    return read


def sentences(found):
    """Everything of a result that a reader reads as text."""
    words = found.table.select_dtypes(exclude="number")
    texts = [found.sentence, found.note, *found.values.values(), *(cell for name in words for cell in words[name])]
    return [text for text in texts if isinstance(text, str)]


def disordered(table):
    """Columns of a table whose ends do not enclose them."""
    wrong = []
    for name in table.select_dtypes("number"):
        if f"{name}_low" in table and f"{name}_high" in table:
            low, value, high = (table[column].to_numpy(dtype=float) for column in (f"{name}_low", name, f"{name}_high"))
            near = 1e-9 * np.abs(value)
            if ((low > value + near) | (value > high + near)).any():
                wrong.append(name)
    return wrong


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("page", "change", "refusal"), ALL, ids=[f"{page}-{change}" for page, change, _ in ALL])
def test_a_page_is_right_or_refuses_in_one_sentence(page, change, refusal, declared):
    case = SimpleNamespace(**declared(page, change))
    if refusal:
        with pytest.raises(ValueError, match="^" + refusal.replace("+", r"\+")) as error:
            for compute in reversed(PAGES[page]):
                compute(case)
        failed = notebooks.NotebookFailed(page, 1, "", f"{error.type.__name__}: {error.value}", "")
        assert failed.refusal and not BROKEN.search(failed.refusal)  # exit code 2, not a traceback
        return
    for compute in PAGES[page]:
        found = compute(case)
        for text in sentences(found):
            assert not BROKEN.search(text), f"{compute.__name__}: {text}"
        assert found.sources, f"{compute.__name__} asked nothing of data/"
        assert len(found) and not disordered(found.table), f"{compute.__name__}: {disordered(found.table)}"
        assert not np.isinf(found.table.select_dtypes("number").to_numpy(dtype=float)).any(), compute.__name__


def test_every_kind_of_refusal_of_these_pages_is_known_to_the_command():
    refusals = (NoEstimate, NoInput, Infeasible, TooSlow, CannotSimulate)
    assert {one.__name__ for one in refusals} <= set(notebooks.REFUSALS)


def test_an_idle_fleet_is_never_cheaper_than_a_full_one(declared):
    """Allocation is at least usage also where the busiest hours find no place: what a fleet turns away is not sold."""
    for percentile in (1.0, 0.5, 0.01):
        found = idle.cost_over_load(SimpleNamespace(**declared("traffic", {"percentile": percentile})))
        assert (found.table["usd_per_mtok"] >= found["used"] * (1 - 1e-9)).all()


def test_a_bill_beyond_the_curve_is_said_to_be_beyond_it(declared):
    def at(usd):
        return monthly_bill.headline(SimpleNamespace(**declared("cases/shopify", {"usd_per_month_after": usd}))).sentence

    assert "fewer than" in at(1.0) and "more than" in at(1e9)
    assert "than" not in at(450000.0) and re.search(r"at [\d,]+ tokens a turn, not 10\.", at(450000.0))


def test_another_volume_is_not_called_the_published_one(declared):
    here, twice = (day.headline(SimpleNamespace(**declared("cases/deepseek", {"input_tokens": tokens}))).sentence
                   for tokens in (6.08e11, 1.216e12))
    assert here.startswith("DeepSeek's published day, served on 226.75 nodes, takes ")
    assert twice.startswith("Beside DeepSeek's published day, served on 226.75 nodes, the tokens of this page take ")


def test_a_discount_of_next_to_nothing_saves_nothing_rather_than_less(declared):
    change = {"commitment_discount": 1e-9, "profile": "servegen-m-mid"}
    assert "-0%" not in contract_prices.commitment(SimpleNamespace(**declared("contracts", change))).sentence


def test_erlang_holds_for_more_slots_than_there_are_digits():
    """Load half a root of the slots below them: Halfin and Whitt's limit, 1 / (1 + b * N(b) / n(b)) with b = 0.5."""
    limit = 1 / (1 + 0.5 * stats.norm.cdf(0.5) / stats.norm.pdf(0.5))
    for slots in (1e8, 1e12, 1e16):
        waits = erlang.waiting(slots=slots, load=slots - 0.5 * np.sqrt(slots))
        assert waits == pytest.approx(limit, rel=1e-3)
    assert erlang.waiting(slots=np.array([1.0, 1e6]), load=np.zeros(2)).tolist() == [0.0, 0.0]


def test_a_large_number_keeps_its_hundreds_with_two_digits():
    assert n(1.3e8, 2) == "130 million" and n(140e9) == "140 billion" and n(7e18, 2) == "7,000,000 trillion"


def test_a_day_that_a_notebook_types_is_that_of_the_newest_gpu_price():
    newest = gpu_prices.newest_price_date()
    old = [f"notebooks/{name}.ipynb: {one.name} = {one.default}"
           for name, path in notebooks.catalogue().items() for one in parameters.spec(path).values()
           if one.unit == "date" and not one.origin and one.default not in (None, newest)]
    assert not old, f"the newest price of data/prices.csv is of {newest}; set it in {', '.join(old)}"
