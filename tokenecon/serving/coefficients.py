"""The coefficients of the serving model: what each one is, and where it may lie."""

ENGINES = ("tensorrt-llm", "vllm", "sglang")
# Coefficients that hold for one software family only, as a factor on the common one.
AMD, AMD_TUNED = 1, 5  # places among them
FAMILIES = ("common", "amd", "gaudi", "early-pytorch", "early-tensorrt", "amd-tuned")
# The first version of an engine that computes as today's do, and the family of those before it: vLLM rewrote its scheduler in
# 0.6, and TensorRT-LLM's tables change their character from 0.14 to 0.17.
CURRENT = {"vllm": ((0, 6), "early-pytorch"), "tensorrt-llm": ((0, 17), "early-tensorrt")}
TUNINGS = ("stock", "tuned")  # as it is released, or as its maker or a submitter of a benchmark set it up

# Not fitted: a convention, or a value the rows cannot tell from others.
BATCH_BUDGET = 8192.0  # tokens an engine packs into one pass: the default of TensorRT-LLM, near that of the others
BATCH_CAP = 4096.0  # sequences an engine runs at once on one rank, at most
PAGED_SHARE = 0.6  # of the answer that a sequence holds on average, with a margin against preemption
KNEE_FLOP_PER_S_PER_WATT = 2.827e12  # the H100 in FP8: 1979 TFLOP/s on 700 W; above it power begins to limit
LARGE_MESSAGE_BYTES = 5e5  # where engines leave the one-step all-reduce
ACTIVATION_BYTES = 2.0  # hidden states on the links and in memory
# Experts over several servers: each token is sent to those it chose and comes back, over the network card of its GPU. Rows
# `deepseek_ep.*` and `deepseek_day.*` of data/assumptions.csv; their bandwidths count what stays in the server, too: one
# server in four, and one in sixteen.
GATHERED = 8.0  # GPUs up to which each gathers the tokens of all, as engines did wherever it was measured
NETWORK_BYTES_PER_S = 50e9
PROMPT_NETWORK_BYTES_PER_S = 45.5e9 * 3 / 4  # attained by kernels that send a token once to each server
DECODE_NETWORK_BYTES_PER_S = 39e9 * 15 / 16  # attained by kernels that send a token once to each expert
DISPATCH_BYTES, COMBINE_BYTES = 1.0, 2.0  # of a value of the hidden state: 8 bits there, 16 back

# Room for the cache, by engine and by `any`, which takes vLLM's: the strictest, as it is a share of the whole GPU. Each has a
# row `memory.*` in data/assumptions.csv with its source; data/capacity.csv holds the readings behind them.
MEMORY_SHARE = (0.9, 0.9, 0.85, 0.9)  # of what is free after weights and activations, of the GPU, of the GPU less the context
WEIGHTS_BEFORE = (1.0, 0.0, 0.0, 0.0)  # whether the share is taken of what the weights leave
RESERVE_BEFORE = (1.0, 0.0, 1.0, 0.0)  # whether it is taken of what the reserve leaves
PROFILED = (0.0, 1.0, 0.0, 1.0)  # whether a profile run's activations are inside the share
BUILT_IN_BYTES = (2.0 * 1024**3, 0.0, 0.0, 0.0)  # what else an engine keeps free: activations of TensorRT-LLM
CONTEXT_BYTES = 0.19 * 1024**3  # CUDA context of one GPU alone
CONTEXT_BYTES_LINKED = 2.1 * 1024**3  # the same with communication buffers
# Of vLLM by the year of its release; `any` where it is not known.
RELEASES = ("any", "2024", "2025", "2026")
LOGIT_COPIES = ((9.5 * 3.7) ** 0.5, 9.5, 9.5, 3.7)  # alive at the peak of sampling; the kernels of 0.19 need fewer
SHARE_MORE = (0.0, 0.0, 0.0, 0.02)  # of the memory share by default
GRAPH_BYTES = (0.0, 0.0, 0.0, 1.0 * 1024**3)  # CUDA graphs, inside the share since 0.21
WHOLE_WINDOWS = (0.0, 1.0, 0.0, 0.0)  # whether windowed layers are kept at full length
BLOCK = 16.0  # positions of a page of cache
LOGIT_BYTES = 4.0
PADDED_TO = 256.0  # to which multiple kernels for MXFP4 pad one side of an expert

# name: (prior, low, high, unit, meaning)
DEFINITIONS = {
    "bandwidth": (0.80, 0.4, 1.0, "fraction", "share of the memory bandwidth that matrices reach"),
    "cache_bandwidth": (0.75, 0.2, 1.0, "fraction", "share of the memory bandwidth that attention reaches"),
    "compute": (0.68, 0.2, 0.95, "fraction", "share of the dense peak that large matrices reach"),
    "throttle": (0.3, 0.005, 1.0, "1", "exponent of the loss where the peak outruns the power"),
    "prompt_attention": (0.6, 0.05, 0.95, "fraction", "share of the 16-bit peak in prompt attention"),
    "decode_attention": (0.35, 0.02, 0.95, "fraction", "share of the 16-bit peak in decode attention"),
    "expert_compute": (0.8, 0.2, 1.0, "ratio", "what expert matrices reach of large ones"),
    "unpacking": (0.8, 0.2, 1.0, "ratio", "arithmetic reached where weights are unpacked to 16 bits first"),
    "expert_unpacking": (0.7, 0.1, 1.0, "ratio", "the same in experts, on top"),
    "integer_compute": (0.7, 0.1, 1.0, "ratio", "what 8-bit integers reach of the share that 8-bit floats do"),
    "activation_bytes": (25.0, 1.0, 200.0, "B", "moved per value of the hidden state and layer"),
    "routed_bytes": (8.0, 0.5, 100.0, "B", "moved per value of each copy sent to an expert"),
    "padding": (32.0, 1.0, 256.0, "sequence", "empty rows for each expert touched"),
    "independence": (0.95, 0.6, 1.0, "1", "how independently tokens choose experts"),
    "layer": (7e-6, 1e-6, 1e-4, "s", "fixed time of a layer"),
    "narrow_layer": (2e-6, 1e-8, 1e-4, "s", "more of it where activations are converted to 8 or 4 bits"),
    "routed_layer": (15e-6, 1e-7, 5e-4, "s", "fixed time that routing adds to a layer"),
    "choice": (2e-6, 1e-8, 1e-4, "s", "more of it for each expert that a token chooses"),
    "shared_layer": (5e-6, 1e-7, 1e-4, "s", "more of it with a shared expert"),
    "fused_experts": (0.7, 0.1, 2.0, "ratio", "routing time with 4-bit experts, whose kernels are fused, over that of others"),
    "latent_layer": (5e-6, 1e-7, 1e-4, "s", "fixed time that latent attention adds to a layer"),
    "state_layer": (5e-6, 1e-7, 1e-4, "s", "fixed time that a recurrent state adds to a layer"),
    "step": (1e-3, 1e-5, 0.1, "s", "scheduler and host, per pass"),
    "sequence": (8e-6, 1e-8, 1e-4, "s", "sampling and streaming, per sequence and pass"),
    "routed_row": (2e-8, 1e-10, 1e-6, "s", "per sequence, expert chosen and layer with experts"),
    "link_latency": (8e-6, 1e-7, 1e-4, "s", "smallest all-reduce over NVLink or a like fabric"),
    "link_latency_large": (25e-6, 1e-7, 3e-4, "s", "more of it for large messages"),
    "pcie_latency": (25e-6, 1e-7, 1e-3, "s", "all-reduce over PCIe"),
    "link_bandwidth": (0.7, 0.1, 1.8, "ratio", "ring bandwidth reached; above 1 where the switch adds up"),
    "pcie_bandwidth": (0.55, 0.1, 1.0, "ratio", "ring bandwidth reached over PCIe"),
    "exchange_latency": (1.2, 0.1, 10.0, "ratio", "latency of an expert exchange over that of an all-reduce"),
    "attention_dp": (1.2, 1.0, 4.0, "ratio", "the busiest rank's expert work over the mean, attention data-parallel"),
    "attention_dp_ranks": (0.1, 0.005, 0.6, "1", "its growth with ranks, an exponent"),
    "burst_tensorrt-llm": (0.1, 0.01, 1.5, "fraction", "requests of a closed loop that arrive at once"),
    "burst_vllm": (0.1, 0.01, 1.5, "fraction", "the same"),
    "burst_sglang": (0.5, 0.01, 1.5, "fraction", "the same"),
    "passes_tensorrt-llm": (4.0, 1.0, 20.0, "ratio", "passes from arrival to first token in a busy engine"),
    "passes_vllm": (2.0, 1.0, 20.0, "ratio", "the same"),
    "passes_sglang": (3.0, 1.0, 20.0, "ratio", "the same"),
    "routed_layer_vllm": (1.5, 0.2, 10.0, "ratio", "routing time over that of TensorRT-LLM"),
    "routed_layer_sglang": (1.5, 0.2, 10.0, "ratio", "the same"),
    "sequence_sglang": (1.0, 0.2, 10.0, "ratio", "time per sequence over that of the other engines"),
    "overhead_amd": (1.5, 0.3, 20.0, "ratio", "fixed times over those of current engines on NVIDIA"),
    "overhead_gaudi": (1.5, 0.3, 20.0, "ratio", "the same"),
    "overhead_early-pytorch": (5.0, 0.3, 20.0, "ratio", "the same, engines of 2023 in Python"),
    "overhead_early-tensorrt": (1.5, 0.3, 20.0, "ratio", "the same, TensorRT-LLM before 0.17 and its kin"),
    "bandwidth_amd": (0.8, 0.3, 1.1, "ratio", "bandwidth reached over that of NVIDIA"),
    "bandwidth_gaudi": (0.9, 0.3, 1.1, "ratio", "the same"),
    "link_amd": (0.8, 0.2, 1.2, "ratio", "link bandwidth reached over that of NVIDIA"),
    "overhead_amd-tuned": (1.0, 0.3, 20.0, "ratio", "as overhead_amd, of engines tuned for it"),
    "bandwidth_amd-tuned": (0.9, 0.3, 1.1, "ratio", "the same"),
    "compute_amd-tuned": (0.9, 0.2, 1.5, "ratio", "the same"),
    "link_amd-tuned": (0.8, 0.2, 1.2, "ratio", "the same"),
    "compute_amd": (0.6, 0.2, 1.1, "ratio", "arithmetic reached over that of NVIDIA"),
    "compute_gaudi": (0.9, 0.2, 1.5, "ratio", "the same"),
}


def priors():
    """Round values of the right size, where the search begins and to which a coefficient that no row bears on is drawn."""
    return {name: row[0] for name, row in DEFINITIONS.items()}


def by_engine(values, name, ratio=False):
    """A coefficient for each engine and for `any`, their geometric mean; a ratio is 1 where an engine has none."""
    each, product = [], 1.0
    for engine in ENGINES:
        value = values.get(name + "_" + engine, 1.0) if ratio else values[name + "_" + engine]
        each.append(value)
        product *= value
    return each + [product ** (1 / len(each))]  # noqa: RUF005  (MicroPython knows no star in a list)


def by_family(values, name):
    """A factor for each family, 1 where the coefficient has none."""
    return [values.get(name + "_" + family, 1.0) for family in FAMILIES]
