"""Static and continuous batching on the hardware of the documents, with the lengths of measured traces, for the claims."""

from tokenecon.errors import CannotSimulate
from tokenecon.fleet import traffic
from tokenecon.formulas import levers
from tokenecon.queries import remembered
from tokenecon.simulation import pass_times, scheduler
from tokenecon.simulation.scheduler import STATIC
from tokenecon.simulation.summary import summary

TRACES = {"azure-2023-conv": "conversations", "azure-2023-code": "coding", "mooncake-conversation": "long documents"}
COUNT = 1600  # requests of a run
SEED = 1
WEIGHTS = KV = "bf16"


@remembered
def full_queues(model, gpu, n_gpus, batch):
    """One dict a trace: shares of the slot time that decode, and what continuous batching saves, from a full queue."""
    rows = []
    for trace, words in TRACES.items():
        lengths = traffic.lengths(trace)
        engine = pass_times.engine(
            model=model, gpu=gpu, n_gpus=n_gpus, weights=WEIGHTS, kv=KV, isl=traffic.fact(trace, "input_mean"),
            osl=traffic.fact(trace, "output_mean"), slots=batch)
        if engine.slots < batch:
            raise CannotSimulate(f"{n_gpus} x {gpu} hold {engine.slots} requests of {trace}, fewer than {batch}")
        table = scheduler.requests(lengths, count=COUNT, requests_per_s=1.0, seed=SEED).assign(arrival_s=0.0)
        static = summary(scheduler.simulate(engine, table, batching=STATIC, wait_s=0.0))
        continuous = summary(scheduler.simulate(engine, table))
        rows.append({
            "trace": words, "static": static["decoding"], "continuous": continuous["decoding"],
            "saving": levers.saving(before=1 / static["requests_per_s"], after=1 / continuous["requests_per_s"])})  # fmt: skip
    return rows
