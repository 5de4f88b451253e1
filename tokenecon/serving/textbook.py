"""Operating points by the textbook: one instance of GPUs serving one model at one batch, with ranges.

A pass costs the slower of memory and arithmetic plus the links (``formulas.roofline``); nothing
interferes with anything, which is why such models are optimistic.  Every result has three values:
expected, and the two ends that the ranges of the efficiencies and of the price allow.
"""

import numpy as np
import pandas as pd

from tokenecon import data, model_shape, units
from tokenecon.errors import CannotServe, DoesNotFit
from tokenecon.formulas import compute, memory, money, parallelism, roofline, serving
from tokenecon.queries import remembered
from tokenecon.serving import lookups

ALL_REDUCES_PER_LAYER = 2  # one after attention, one after the feed-forward block
ACTIVATION_BYTES = 2  # activations stay at 16 bits
ARITHMETIC = {"bf16": "bf16_flop_per_s", "fp8": "fp8_flop_per_s", "fp4": "fp4_flop_per_s",
              "int8": "int8_flop_per_s"}  # fmt: skip
# The first word of a GPU's `interconnect` and the latency of a hop on it.
LINK_LATENCY = {"NVLink": "link.latency_nvlink", "Infinity": "link.latency_infinity_fabric",
                "PCIe": "link.latency_pcie", "RoCE": "link.latency_roce", "ICI": "link.latency_ici",
                "HCCS": "link.latency_hccs", "NeuronLink": "link.latency_ici"}  # chip to chip in a torus, as ICI
EFFICIENCIES = ("mbu.decode", "mfu.decode", "mfu.prefill", "step.overhead")
# Order of the three values of a range everywhere in this module.
POOR, EXPECTED, GOOD = 0, 1, 2


def ideal():
    """Efficiencies of a perfect machine, for claims that assume one."""
    one = (1.0, 1.0, 1.0)
    return {"mbu.decode": one, "mfu.decode": one, "mfu.prefill": one, "step.overhead": (0.0, 0.0, 0.0)}


def assumed():
    """Efficiencies of ``data/assumptions.csv`` as (poor, expected, good)."""
    spans = {name: data.span(name) for name in EFFICIENCIES}
    low, middle, high = spans["step.overhead"]
    return spans | {"step.overhead": (high, middle, low)}


@remembered
def shape(model):
    """The architecture record of a model in the catalogue."""
    return lookups.served(model_shape.record(data.model(model)), model)


def arithmetic_flop_per_s(gpu, weights):
    """Dense peak that the GPU reaches with these weights, and whether it computes in their format.

    A chip without the format stores the weights in it and computes in BF16 (weight-only).
    """
    row, wanted = data.gpu(gpu), data.precision(weights)["flop_class"]
    native = float(row[ARITHMETIC[wanted]])
    if native == native:
        return native, True
    fallback = float(row[ARITHMETIC["bf16"]])
    if fallback != fallback:
        raise ValueError(f"gpu '{gpu}' has no BF16 rate in {data.file('gpus')}, which weights '{weights}' would need")
    return fallback, False


def link(gpu, n_gpus):
    """Bandwidth [B/s] per direction and hop latency [s] between so many GPUs."""
    row = data.gpu(gpu)
    domain = row["link_domain_gpus"]
    inside = n_gpus <= (domain if domain == domain else 1)
    if not inside and n_gpus <= row["server_gpus"] and row["pcie_bytes_per_s"] > 0:  # cards of one server that no bridge joins
        return row["pcie_bytes_per_s"], units.convert(data.value(LINK_LATENCY["PCIe"]), "us", "s")
    if inside and row["link_bytes_per_s"] == row["link_bytes_per_s"]:
        words = str(row["interconnect"] or "").split() or [""]
        kind = words[0]
        if kind not in LINK_LATENCY:
            raise CannotServe(f"interconnect '{' '.join(words)}' of gpu '{gpu}' has no latency; its first word must be one of "
                              f"{', '.join(LINK_LATENCY)}; mend the row {gpu}.interconnect of {data.file('gpus')}")
        return row["link_bytes_per_s"], units.convert(data.value(LINK_LATENCY[kind]), "us", "s")
    bandwidth = units.convert(data.value("link.network_bandwidth"), "GB/s", "B/s")
    return bandwidth, units.convert(data.value("link.latency_roce"), "us", "s")


def usable_share(row):
    """Share of its memory that an accelerator gives to weights and cache: no more than a host leaves that lives in it, too."""
    host = row["host_memory_bytes"]
    return min(data.value("memory.usable"), 1.0 - (host if host > 0 else 0.0) / row["engine_memory_bytes"])


@remembered
def placement(model, gpu, n_gpus, weights):
    """What does not depend on the load: weights, memory for the cache, arithmetic, links."""
    record, row = shape(model), data.gpu(gpu)
    weight_bytes = model_shape.weight_bytes(record, data.precision(weights))
    usable = memory.usable_bytes(
        memory_bytes_per_gpu=row["engine_memory_bytes"], usable_fraction=usable_share(row), n_gpus=n_gpus)
    activation = n_gpus * units.convert(data.value("memory.activation"), "GiB", "B")
    flop_per_s, native = arithmetic_flop_per_s(gpu, weights)
    link_bytes_per_s, link_latency_s = link(gpu, n_gpus)
    return {
        "weight_bytes": weight_bytes, "usable_bytes": usable, "activation_bytes": activation,
        "flop_per_s": flop_per_s, "native_arithmetic": native, "bytes_per_s": row["bandwidth_bytes_per_s"],
        "link_bytes_per_s": link_bytes_per_s, "link_latency_s": link_latency_s,
        "board_power_w": row["board_power_w"],
    }  # fmt: skip


@remembered
def decode_flop(model, positions):
    """Arithmetic of one decoded token at a context of so many positions. [FLOP]"""
    return model_shape.decode_flop(shape(model), positions=positions)


@remembered
def kv_bytes(model, kv, positions):
    """KV cache of one sequence of so many positions. [B]"""
    value = memory.bytes_per_param(bits_per_param=data.precision(kv)["bits"])
    return model_shape.kv_bytes_of_context(shape(model), positions=positions, bytes_per_value=value)


def max_concurrency(*, model, gpu, n_gpus, weights, kv, positions):
    """Sequences of this length that fit beside the weights (not rounded). [sequence]"""
    place = placement(model, gpu, n_gpus, weights)
    return float(memory.batch_ceiling(
        usable_bytes=place["usable_bytes"], weight_bytes=place["weight_bytes"],
        activation_bytes=place["activation_bytes"], kv_waste=data.value("kv.waste_paged"),
        kv_bytes_per_sequence=kv_bytes(model, kv, positions)))


def smallest_instance(*, model, gpu, weights, kv, positions):
    """Fewest GPUs (a power of two) that hold the weights and the cache of one sequence. [GPU]"""
    row = data.gpu(gpu)
    needed = model_shape.weight_bytes(shape(model), data.precision(weights)) + kv_bytes(model, kv, positions)
    room = usable_share(row) * row["engine_memory_bytes"] - units.convert(
        data.value("memory.activation"), "GiB", "B")
    least = memory.gpus_to_hold(
        bytes_needed=needed, memory_bytes_per_gpu=room, usable_fraction=1.0, gpus_per_step=1)
    return int(memory.parallel_size(n_gpus=least, smallest_group=1))


@remembered
def weights_read(model, weights, batch):
    """Bytes of weights that a decode step reads: of a mixture of experts, only the experts touched. [B]"""
    record = shape(model)
    total = model_shape.weight_bytes(record, data.precision(weights))
    if not record["experts"]:
        return total
    row = data.precision(weights)
    bits = memory.effective_bits(value_bits=row["bits"], scale_bits=row["scale_bits"],
                                 zero_bits=row["zero_bits"], group_size=row["group_size"])
    expert_bytes = memory.weight_bytes(parameters=model_shape.parameter_groups(record)["experts"],
                                       bytes_per_param=memory.bytes_per_param(bits_per_param=bits))
    touched = compute.experts_touched(
        experts=record["experts"], experts_per_token=record["experts_per_token"], batch=batch)
    return compute.weight_bytes_read(common_bytes=total - expert_bytes, expert_bytes=expert_bytes,
                                     experts=record["experts"], experts_touched=touched)


def communication_s(model, gpu, n_gpus, weights, batch, positions):
    """Time of a pass on the links between tensor-parallel GPUs. [s]"""
    if n_gpus == 1:
        return 0.0
    place, record = placement(model, gpu, n_gpus, weights), shape(model)
    message = parallelism.all_reduce_message(batch=batch, positions=positions,
                                             hidden_size=record["hidden_size"], bytes_per_value=ACTIVATION_BYTES)
    each = parallelism.ring_all_reduce_seconds(
        message_bytes=message, ranks=n_gpus, link_bytes_per_s=place["link_bytes_per_s"],
        link_latency_s=place["link_latency_s"])
    return float(parallelism.tensor_parallel_comm_seconds(
        layers=record["layers"], all_reduces_per_layer=ALL_REDUCES_PER_LAYER, all_reduce_s=each))


def decode_step(*, model, gpu, n_gpus, weights, kv, positions, batch, efficiencies):
    """Parts and total of a decode step in seconds, each as [poor, expected, good]."""
    place = placement(model, gpu, n_gpus, weights)
    reach = {name: np.array(span) for name, span in efficiencies.items()}

    def read(bytes_moved):
        return roofline.memory_seconds(bytes_moved=bytes_moved, n_gpus=n_gpus,
                                       bytes_per_s_per_gpu=place["bytes_per_s"], mbu=reach["mbu.decode"])

    weights_s = read(weights_read(model, weights, batch))
    cache_s = read(batch * kv_bytes(model, kv, positions))
    compute_s = roofline.compute_seconds(
        flop=batch * decode_flop(model, positions), n_gpus=n_gpus,
        flop_per_s_per_gpu=place["flop_per_s"], mfu=reach["mfu.decode"])
    comm_s = communication_s(model, gpu, n_gpus, weights, batch, 1)
    fixed_s = units.convert(reach["step.overhead"], "ms", "s")
    step_s = roofline.pass_seconds(memory_s=weights_s + cache_s, compute_s=compute_s, comm_s=comm_s,
                                   fixed_s=fixed_s)
    return {"weights_s": weights_s, "cache_s": cache_s, "compute_s": compute_s,
            "comm_s": np.full(3, comm_s), "fixed_s": fixed_s, "step_s": step_s}


def prefill(*, model, gpu, n_gpus, weights, isl, efficiencies):
    """Time to prefill one prompt in seconds, as [poor, expected, good]."""
    place = placement(model, gpu, n_gpus, weights)
    reach = {name: np.array(span) for name, span in efficiencies.items()}
    return roofline.prefill_seconds(
        flop=model_shape.prefill_flop(shape(model), positions=isl), weight_bytes=place["weight_bytes"],
        n_gpus=n_gpus, bytes_per_s_per_gpu=place["bytes_per_s"], mbu=reach["mbu.decode"],
        flop_per_s_per_gpu=place["flop_per_s"], mfu=reach["mfu.prefill"],
        comm_s=communication_s(model, gpu, n_gpus, weights, 1, isl),
        fixed_s=units.convert(reach["step.overhead"], "ms", "s"))


def point(*, model, gpu, n_gpus, weights, kv, isl, osl, concurrency, usd_per_gpu_hour, utilisation,
          efficiencies=None):
    """One operating point as a flat dict: inputs, what fits, times, rates, costs with _low and _high.

    ``usd_per_gpu_hour`` is a number or (low, typical, high).  The decode step is taken at the mean
    context, the memory at the longest.  Raises :class:`DoesNotFit` when the weights do not fit; a concurrency
    beyond the memory is computed and marked ``fits = False``.
    """
    place = placement(model, gpu, n_gpus, weights)
    if place["weight_bytes"] + place["activation_bytes"] > place["usable_bytes"]:
        raise DoesNotFit(
            f"{model} with {weights} weights takes {place['weight_bytes'] / units.BYTES_PER_GB:.0f} GB, more than "
            f"{n_gpus} x {gpu} can allocate; use at least "
            f"{smallest_instance(model=model, gpu=gpu, weights=weights, kv=kv, positions=isl + osl)} "
            f"GPUs or a narrower format (`tokenecon list gpus`, data/precisions.csv)")
    efficiencies = efficiencies or assumed()
    price = np.broadcast_to(np.asarray(usd_per_gpu_hour, dtype=float), 3)[::-1]  # dear first: the poor case
    step = decode_step(model=model, gpu=gpu, n_gpus=n_gpus, weights=weights, kv=kv, batch=concurrency,
                       positions=isl + osl / 2, efficiencies=efficiencies)
    prefill_s = prefill(model=model, gpu=gpu, n_gpus=n_gpus, weights=weights, isl=isl,
                        efficiencies=efficiencies)
    rate = serving.decode_tok_out_per_s(batch=concurrency, tok_out_per_pass=1, step_s=step["step_s"])
    into, out = costs(isl=isl, osl=osl, prefill_s=prefill_s, decode_s=osl / rate,
                      cache_share=cache_share(step), usd_per_gpu_hour=price, n_gpus=n_gpus, utilisation=utilisation)
    blend = money.usd_per_mtok_blend(usd_per_mtok_in=into, usd_per_mtok_out=out, isl=isl,
                                     osl=osl)
    ceiling = max_concurrency(model=model, gpu=gpu, n_gpus=n_gpus, weights=weights, kv=kv,
                              positions=isl + osl)
    memory_s = step["weights_s"] + step["cache_s"]
    bound = "memory" if memory_s[EXPECTED] >= step["compute_s"][EXPECTED] else "compute"
    row = {
        "model": model, "gpu": gpu, "n_gpus": n_gpus, "weights": weights, "kv": kv, "isl": isl,
        "osl": osl, "concurrency": concurrency, "utilisation": utilisation,
        "max_concurrency": ceiling, "fits": bool(concurrency <= ceiling), "bound": bound,
        "native_arithmetic": place["native_arithmetic"], "weight_gb": place["weight_bytes"] / units.BYTES_PER_GB,
    }  # fmt: skip
    for name, seconds in step.items():
        row |= span("tpot_ms" if name == "step_s" else name.removesuffix("_s") + "_ms", seconds * units.MS_PER_SECOND)
    row |= span("ttft_ms", prefill_s * units.MS_PER_SECOND)
    row |= span("output_tok_s", rate) | span("output_tok_s_per_gpu", rate / n_gpus)
    row |= span("usd_per_gpu_hour", price)
    row |= span("usd_per_mtok_in", into) | span("usd_per_mtok_out", out) | span("usd_per_mtok", blend)
    return row


def cache_share(step):
    """Share of a decode step by which reading keys and values lengthens it: none where arithmetic takes longer. [fraction]"""
    without = np.maximum(step["weights_s"], step["compute_s"])
    return (np.maximum(step["weights_s"] + step["cache_s"], step["compute_s"]) - without) / step["step_s"]


def costs(*, isl, osl, prefill_s, decode_s, cache_share, usd_per_gpu_hour, n_gpus, utilisation):
    """Cost of a million input tokens and of a million output tokens, each for the time it causes, as `estimate` has them.

    ``decode_s`` is the part of a request in the time that a batch decodes.
    """
    lengths = {"cache_read_s": decode_s * cache_share, "context_positions": isl + osl / 2}
    seconds = (money.input_seconds(prefill_s=prefill_s, prefix_attention_s=0.0, new_positions=isl, **lengths),
               money.output_seconds(decode_s=decode_s, prompt_positions=isl, **lengths))
    return tuple(money.usd_per_mtok_of_seconds(busy_s=busy_s, tok=tok, usd_per_gpu_hour=usd_per_gpu_hour, n_gpus=n_gpus,
                                               utilisation=utilisation) for busy_s, tok in zip(seconds, (isl, osl), strict=True))


def span(name, values):
    """A range as columns: the expected value under the name, the ends under _low and _high, whichever way the quantity runs."""
    low, high = sorted((float(values[POOR]), float(values[GOOD])))
    return {name: float(values[EXPECTED]), f"{name}_low": low, f"{name}_high": high}


def points(cases, *, efficiencies=None):
    """:func:`point` for every row of a DataFrame of its arguments; a tidy table, same order."""
    efficiencies = efficiencies or assumed()
    return pd.DataFrame([point(efficiencies=efficiencies, **case) for case in cases.to_dict("records")])


def critical_batch(*, gpu, weights, efficiencies=None):
    """Batch at which the arithmetic takes as long as reading the weights (low, expected, high). [sequence]"""
    efficiencies = efficiencies or assumed()
    row = data.precision(weights)
    bits = memory.effective_bits(value_bits=row["bits"], scale_bits=row["scale_bits"],
                                 zero_bits=row["zero_bits"], group_size=row["group_size"])
    flop_per_s, _native = arithmetic_flop_per_s(gpu, weights)
    mfu, mbu = np.array(efficiencies["mfu.decode"]), np.array(efficiencies["mbu.decode"])[::-1]
    low, middle, high = roofline.critical_batch(
        bytes_per_param=memory.bytes_per_param(bits_per_param=bits),
        flop_per_multiply_add=units.FLOP_PER_MULTIPLY_ADD, flop_per_s_per_gpu=flop_per_s, mfu=mfu,
        bytes_per_s_per_gpu=data.gpu(gpu)["bandwidth_bytes_per_s"], mbu=mbu)
    return float(low), float(middle), float(high)
