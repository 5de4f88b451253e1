"""What the recomputations of claims share: printed figures, the machines meant, and a few operating points.

Operating points run on datasheet values with nothing lost (``PERFECT``) unless they say otherwise: a claim
that even a perfect machine cannot meet needs no argument about efficiencies.
"""

from math import floor, log10

from tokenecon import data, units
from tokenecon.errors import UnknownId
from tokenecon.formulas import compute, kv_cache, memory, money, parallelism, roofline, serving

# The machines and models that the documents mean, by id.
H100, H200, A100 = "h100-sxm-80gb", "h200-sxm-141gb", "a100-sxm-80gb"
MI300X, GAUDI3, GAUDI3_CARD = "mi300x-192gb", "gaudi3-128gb", "gaudi3-pcie-128gb"
GRAVITON4, GB200 = "graviton4-192vcpu", "gb200"
LLAMA2_70B, LLAMA2_7B, GPT3 = "llama-2-70b", "llama-2-7b", "gpt-3-175b"

PERFECT = 1.0
NOTHING = 0.0
ALL_REDUCES_PER_LAYER = 2  # one after attention, one after the feed-forward part: what splitting by columns means


class Stated:
    """The figures printed in the documents by the id of the claim: of data/claims.csv, or of another table of claims."""

    def __init__(self, table=None):
        self.rows = None if table is None else table.set_index("id", drop=False)

    def row(self, claim_id):
        if self.rows is None:
            return data.claim(claim_id)
        if claim_id not in self.rows.index:
            raise UnknownId("claim", claim_id, self.rows.index, "`tokenecon list claims`")
        return self.rows.loc[claim_id]

    def value(self, claim_id):
        """The printed figure, where it is one number (for "more than", its limit)."""
        low, high = self.span(claim_id)
        if low != high:
            raise ValueError(f"claim '{claim_id}' prints the range {low} to {high}, not one figure; "
                             "take span() of it, or look at its row in data/claims.csv")
        return low

    def span(self, claim_id):
        """Both ends of the printed figure; a limit counts as both."""
        row = self.row(claim_id)
        ends = [float(row[end]) for end in ("low", "high") if row[end] == row[end]]
        if not ends:
            raise ValueError(f"claim '{claim_id}' prints no figure; see its row in data/claims.csv")
        return ends[0], ends[-1]

    def day(self):
        """The day of the documents, as ISO text."""
        digits = f"{self.value('up-document-date'):.0f}"
        return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"


# --- numbers in sentences ---------------------------------------------------------------------------


def n(value, digits=4):
    """A number for a sentence, with four significant digits and words for large powers.

    >>> n(140e9), n(23.9286), n(8.278e-6), n(2000)
    ('140 billion', '23.93', '8.278e-6', '2,000')
    """
    size = abs(value)
    for power, word in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million")):
        if size >= power:
            return f"{float(format(value / power, f'.{digits}g')):,.10g}{word}"  # 130 million, also with two digits
    if size >= 10**digits or (size >= 1000 and value == floor(value)):
        return f"{value:,.0f}"
    if size and size < 1e-3:
        power = floor(log10(size))
        return f"{value / 10.0**power:.{digits}g}e{power}"
    return f"{value:.{digits}g}"


def pct(share):
    """A share in percent, for a sentence: one decimal where it has one."""
    return f"{100 * share:.3g}%"


def span_text(low, high, show=n):
    """A range for a sentence; one number where both ends look alike."""
    return show(low) if show(low) == show(high) else f"{show(low)} to {show(high)}"


# --- bits, bytes, models ----------------------------------------------------------------------------


def bits(precision_id):
    """Bits of a value in a number format."""
    return float(data.precision(precision_id)["bits"])


def weights(parameters, weight_bits):
    """Bytes of the weights."""
    return memory.weight_bytes(parameters=parameters,
                               bytes_per_param=memory.bytes_per_param(bits_per_param=weight_bits))


def kv_per_position(model_id, kv_heads=None):
    """Bytes that one position keeps in the cache, values of 16 bit."""
    model = data.model(model_id)
    return kv_cache.kv_bytes_per_token(
        layers=model["layers"], kv_heads=model["kv_heads"] if kv_heads is None else kv_heads,
        head_dim=model["head_dim"], bytes_per_value=memory.bytes_per_param(bits_per_param=bits("fp16")))


def width(model_id):
    """Width of attention over all heads."""
    model = data.model(model_id)
    return compute.attention_width(query_heads=model["query_heads"], key_head_dim=model["head_dim"],
                                   value_head_dim=model["head_dim"])


def decode_flop(model_id, parameters, positions):
    """FLOP of one decoded token at a context length."""
    return compute.decode_flop_per_token(
        active_parameters=parameters, positions=positions, layers=data.model(model_id)["layers"],
        attention_width=width(model_id), flop_per_multiply_add=units.FLOP_PER_MULTIPLY_ADD)


def prefill_flop(model_id, parameters, positions):
    """FLOP of reading a prompt, the causal mask exploited."""
    return compute.prefill_flop_causal(
        active_parameters=parameters, positions=positions, layers=data.model(model_id)["layers"],
        attention_width=width(model_id), flop_per_multiply_add=units.FLOP_PER_MULTIPLY_ADD)


# --- operating points -------------------------------------------------------------------------------


def step_seconds(*, model_id, parameters, gpu_id, n_gpus, batch, positions, weight_bits, mbu=PERFECT,
                 comm_s=NOTHING):
    """Time of one decode step."""
    gpu = data.gpu(gpu_id)
    return roofline.decode_step_seconds(
        weight_bytes=weights(parameters, weight_bits),
        kv_bytes_per_sequence=positions * kv_per_position(model_id),
        flop_per_sequence=decode_flop(model_id, parameters, positions), batch=batch, n_gpus=n_gpus,
        bytes_per_s_per_gpu=gpu["bandwidth_bytes_per_s"], mbu=mbu,
        flop_per_s_per_gpu=gpu["bf16_flop_per_s"], mfu=PERFECT, comm_s=comm_s, fixed_s=NOTHING)


def single_stream(parameters, weight_bits, gpu_id, n_gpus=1):
    """Tokens per second of one sequence where only reading the weights counts."""
    seconds = roofline.memory_seconds(
        bytes_moved=weights(parameters, weight_bits), n_gpus=n_gpus,
        bytes_per_s_per_gpu=data.gpu(gpu_id)["bandwidth_bytes_per_s"], mbu=PERFECT)
    return serving.decode_tok_out_per_s(batch=1, tok_out_per_pass=1, step_s=seconds)


def gpus_needed(parameters, weight_bits, gpu_id, model_id, batch=0, positions=0):
    """GPUs whose allocatable memory holds the weights and the cache of a batch."""
    needed = weights(parameters, weight_bits) + batch * positions * kv_per_position(model_id)
    return memory.gpus_to_hold(bytes_needed=needed, usable_fraction=PERFECT, gpus_per_step=1,
                               memory_bytes_per_gpu=data.gpu(gpu_id)["engine_memory_bytes"])


def link_seconds(model_id, gpu_id, ranks, batch):
    """Time that a decode step spends in the links of tensor parallelism."""
    model, gpu = data.model(model_id), data.gpu(gpu_id)
    latency = data.assumption("link.latency_nvlink")
    message = parallelism.all_reduce_message(
        batch=batch, positions=1, hidden_size=model["hidden_size"],
        bytes_per_value=memory.bytes_per_param(bits_per_param=bits("fp16")))
    one = parallelism.ring_all_reduce_seconds(
        message_bytes=message, ranks=ranks, link_bytes_per_s=gpu["link_bytes_per_s"],
        link_latency_s=units.convert(latency["value"], latency["unit"], "s"))
    return parallelism.tensor_parallel_comm_seconds(
        layers=model["layers"], all_reduces_per_layer=ALL_REDUCES_PER_LAYER, all_reduce_s=one)


def split_efficiency(*, model_id, parameters, gpu_id, ranks, batch, positions):
    """Share of its speed that a model keeps when split over GPUs."""
    split = step_seconds(model_id=model_id, parameters=parameters, gpu_id=gpu_id, n_gpus=ranks, batch=batch,
                         positions=positions, weight_bits=bits("fp16"))
    return parallelism.parallel_efficiency(split_s=split, comm_s=link_seconds(model_id, gpu_id, ranks, batch))


def serving_gpus(c):
    """H100 that serve the 70B model at the documents' batch and context, in the share of memory engines use."""
    needed = weights(c.value("ec-70b-params"), bits("fp16")) + (
        c.value("ec-batch32-size") * c.value("ec-context-2000") * kv_per_position(LLAMA2_70B))
    n_gpus = memory.gpus_to_hold(bytes_needed=needed, usable_fraction=data.value("memory.usable"), gpus_per_step=1,
                                 memory_bytes_per_gpu=data.gpu(H100)["engine_memory_bytes"])
    return memory.parallel_size(n_gpus=n_gpus, smallest_group=1)


def batched_cost(c):
    """USD per million tokens of the 70B model at the documents' own batch, context and H100 rents.

    The range comes from the rents and from the share of memory bandwidth that engines reach; every paid hour is
    used.
    """
    parameters, batch, n_gpus = c.value("ec-70b-params"), c.value("ec-batch32-size"), serving_gpus(c)
    mbu_low, _, mbu_high = data.span("mbu.decode")
    rents = c.span("up-h100-cloud-price-now")
    ends = []
    for rent, mbu in zip(rents, (mbu_high, mbu_low), strict=True):
        seconds = step_seconds(model_id=LLAMA2_70B, parameters=parameters, gpu_id=H100, n_gpus=n_gpus, batch=batch,
                               positions=c.value("ec-context-2000"), weight_bits=bits("fp16"), mbu=mbu)
        rate = serving.decode_tok_out_per_s(batch=batch, tok_out_per_pass=1, step_s=seconds)
        ends.append(money.usd_per_mtok_out(usd_per_gpu_hour=rent, n_gpus=n_gpus, tok_out_per_s=rate,
                                           utilisation=PERFECT))
    return tuple(ends)


def printed_cost(c):
    """USD per million tokens from the documents' own rate on the two H100 that hold the model."""
    return tuple(
        money.usd_per_mtok_out(usd_per_gpu_hour=rent, n_gpus=c.value("hw-h100-two-gpus"), utilisation=PERFECT,
                               tok_out_per_s=c.value("hw-h100-70b-throughput"))
        for rent in c.span("up-h100-cloud-price-now"))
