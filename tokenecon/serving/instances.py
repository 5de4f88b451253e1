"""The largest batch that keeps to a latency limit by the textbook."""

from tokenecon.queries import remembered
from tokenecon.serving import textbook


@remembered
def largest_batch(*, n_gpus, tpot_ms, **where):
    """Largest batch that fits and whose step keeps to the limit by the textbook; 0 when a single request does not."""
    def fast(batch):
        row = textbook.point(**where, n_gpus=n_gpus, concurrency=batch, usd_per_gpu_hour=1.0, utilisation=1.0)
        return row["tpot_ms"] <= tpot_ms

    positions = where["isl"] + where["osl"]
    place = {name: where[name] for name in ("model", "gpu", "weights", "kv")}
    low, high = 0, int(textbook.max_concurrency(**place, n_gpus=n_gpus, positions=positions))
    while low < high:  # the step grows with the batch, so the limit can be bisected
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fast(middle) else (low, middle - 1)
    return low
