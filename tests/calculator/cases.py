"""Twenty cases in which the page must print what the command prints."""

from tokenecon.calculator import parameters

H100, H200, MI300X, L40S = "h100-sxm-80gb", "h200-sxm-141gb", "mi300x-192gb", "l40s-48gb"
ONE = {"gpus": H100}
CASES = {
    "the base case": {},
    "half a million requests": {"requests_per_day": 500000},
    "four GPUs at 3:1": ONE | {"n_gpus": 4, "isl": 3000, "osl": 1000},
    "the cheapest offers": ONE | {"price_rule": "best"},
    "list prices": ONE | {"price_rule": "list"},
    "a price of one's own": ONE | {"usd_per_gpu_hour": 2.25},
    "few requests": ONE | {"requests_per_day": 900},
    "many requests": ONE | {"requests_per_day": 30_000_000},
    "a steady load": ONE | {"profile": "flat"},
    "a smooth day": ONE | {"peak_to_mean": 3.5},
    "another trace": ONE | {"profile": "servegen-deepseek-r1", "requests_per_day": 60000},
    "a cached prefix": ONE | {"cached_prefix": 0.6, "isl": 4000},
    "prices of an earlier day": ONE | {"as_of": "2026-06-30"},
    "strict limits": ONE | {"ttft_ms": 400, "tpot_ms": 20},
    "nothing is fast enough": ONE | {"tpot_ms": 1},
    "sixteen bits": ONE | {"weights": "bf16", "kv": "bf16"},
    "four bits on AMD": {"gpus": MI300X, "weights": "int4"},
    "cards and experts": {"model": "gpt-oss-120b", "gpus": L40S, "weights": "mxfp4", "kv": "bf16"},
    "latent attention": {"model": "deepseek-v3", "gpus": H200, "isl": 6000, "osl": 800.5},
    "no people, no spare, dear power": ONE | {"people": 0, "spare_replicas": 0, "usd_per_kwh": 0.31, "osl": 1},
}  # fmt: skip


def text(given):
    """Values as a page has them."""
    return {name: parameters.text_of(float(value) if isinstance(value, int) else value) for name, value in given.items()}
