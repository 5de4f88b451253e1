"""Records to numbers: what the serving model computes with, of a model, an accelerator, number formats and a layout.

A record is a plain dict, a row of ``data/``; :mod:`tokenecon.serving.lookups` finds it by its id.  Like all arithmetic of
``estimate`` this runs on floats, on arrays and on MicroPython.
"""

from tokenecon import model_shape
from tokenecon.formulas import compute
from tokenecon.numerics import ceil, maximum, minimum, where
from tokenecon.serving import coefficients as known
from tokenecon.serving.coefficients import FAMILIES, PADDED_TO
from tokenecon.units import FLOP_PER_MULTIPLY_ADD

WEIGHTS = ("fp16", "bf16", "fp8", "int8", "mxfp4", "nvfp4", "int4")
CACHES = {"fp16": 2.0, "bf16": 2.0, "fp8": 1.0, "int8": 1.0, "int4": 0.5}  # bytes of a value
# number formats that serve like another: the same to 0.1 bit a value
SAME_SPEED = {"fp8-block": "fp8", "mxfp8": "fp8", "int4-g32": "int4", "int4-g64": "int4", "nf4": "int4"}
# Groups of weights by how they lie and compute: attention on its ranks, what every token passes, experts; and what lies in
# memory beside the layers. Towers are read once a picture or a sound, which no case asks for.
DENSE = ("ffn", "shared", "router")
PARTS = {"attention": ("attention",), "dense": DENSE, "expert": ("experts",)}
OUTER = ("embedding", "head", "small", "encoder", "layer_embeddings", "towers")
ENDLESS = float("inf")  # requests in flight: as many as fit; requests of a queue: more follow
UNSTATED = float("nan")
UNLIMITED = 1e12  # positions; a window that is none
LINEAR_PASSES = 8 / 3  # chunked prefill of linear attention computes each product about this often
LAYOUT = ("n_gpus", "tp", "pp", "attention_dp", "ep", "prefill_gpus", "prefill_tp")
MEMORY = ("memory_share", "reserve_gb")  # what a case may state of its memory; NaN where it does not
SETUP = LAYOUT + MEMORY  # numbers that belong to a setup, not to a row
LARGE_BYTES = 70.0 * 1024**3  # from which on vLLM profiles long passes of many sequences; it leaves out the A100
PROFILE = {False: (2048.0, 256.0), True: (8192.0, 1024.0)}  # tokens of a pass, sequences at once
SIZES = (1, 2, 4, 8)  # GPUs of a replica inside one server
NEEDED_OF_A_GPU = ("engine_memory_bytes", "bandwidth_bytes_per_s", "bf16_flop_per_s")


def of_model(shape):
    """Numbers of an architecture record that every pass needs."""
    groups, work = model_shape.parameter_groups(shape), model_shape.attention_work(shape)
    pair = {"flop_per_multiply_add": FLOP_PER_MULTIPLY_ADD, "pairs": 1.0, "layers": 1.0}
    mixing = shape["full_layers"] + shape["window_layers"] + shape["linear_layers"] + shape["state_layers"]
    halves = minimum(mixing, shape["layers"]) + minimum(shape["ffn_layers"] + shape["moe_layers"], shape["layers"])
    found = {
        # a layer is a mixer and a feed-forward block; some models count each as a layer, some leave out one of them
        "layers": halves / 2, "hidden": shape["hidden_size"], "vocab": shape["vocab"],
        "positions": shape["max_positions"] or UNLIMITED, "ffn_size": max(shape["ffn_size"], shape["shared_size"]),
        "expert_size": shape["expert_size"],
        "attention_params": groups["attention"],
        "dense_params": sum(groups[name] for name in DENSE),
        "expert_params": groups["experts"], "experts": max(shape["experts"], 1),
        "experts_per_token": shape["experts_per_token"], "routed_layers": shape["moe_layers"],
        "routed": shape["experts"] > 0, "routed_groups": shape["routed_groups"] or UNLIMITED,
        "head_params": shape["vocab"] * shape["hidden_size"],
        "full_values": work["full_values"], "window_values": work["window_values"], "every_values": work["every_values"],
        "window": shape["window"] or UNLIMITED, "reach": work["reach"] or UNLIMITED,
        # states alone divide freely
        "kv_heads": 1 if shape["kv_lora_rank"] else (shape["global_kv_heads"] or shape["kv_heads"] or UNLIMITED),
        "full_prefill_flop": compute.attention_flop(attention_width=work["prefill"], **pair),
        "full_decode_flop": compute.attention_flop(attention_width=work["decode"], **pair),
        "window_flop": compute.attention_flop(attention_width=work["window"], **pair),
        "every_flop": compute.attention_flop(attention_width=work["every"], **pair),
        "state_bytes": model_shape.cache(shape, bytes_per_value=1.0)["state_bytes"],
        "state_flop": model_shape.recurrence_flop(shape, positions=1.0) * LINEAR_PASSES,
        "latent": shape["kv_lora_rank"] > 0, "shared": shape["shared_size"] > 0,
        "state_share": 2 * (shape["linear_layers"] + shape["state_layers"]) / max(halves, 1),
        "state_layers": shape["linear_layers"] + shape["state_layers"], "full_layers": shape["full_layers"],
    }  # fmt: skip
    return {name: float(value) for name, value in found.items()}


def _fact(record, name):
    """A number of a record; NaN where it has none, which JSON writes as null."""
    return float("nan") if record[name] is None else float(record[name])


def lacking(chip):
    """The first fact that the serving model needs of an accelerator and its record lacks, or nothing."""
    for name in NEEDED_OF_A_GPU:
        if not _fact(chip, name) > 0:
            return name
    return ""


def of_gpu(chip):
    """Numbers of a GPU's record that every pass needs."""
    rate, watts = _fact(chip, "bf16_flop_per_s"), _fact(chip, "board_power_w")
    large = _fact(chip, "engine_memory_bytes") >= LARGE_BYTES and not chip["gpu"].startswith("a100")
    tokens, sequences = PROFILE[large]
    domain, server, shared = (_fact(chip, name) for name in ("link_domain_gpus", "server_gpus", "host_memory_bytes"))
    family = "amd" if chip["vendor"] == "AMD" else "gaudi" if chip["gpu"].startswith("gaudi") else "common"
    return {
        "memory_bytes": _fact(chip, "engine_memory_bytes"), "bandwidth_bytes_per_s": _fact(chip, "bandwidth_bytes_per_s"),
        "full_flop_per_s": rate, "watts": watts if watts > 0 else rate / 1e12,
        "link_bytes_per_s": _fact(chip, "link_bytes_per_s"), "link_domain": domain,
        "pcie_bytes_per_s": _fact(chip, "pcie_bytes_per_s"), "server_gpus": server if server > domain else domain,
        "host_bytes": shared if shared > 0 else 0.0,
        "pcie": float(str(chip["interconnect"]).startswith(("PCIe", "two"))),
        "family": FAMILIES.index(family), "profile_tokens": tokens, "profile_sequences": sequences,
    }  # fmt: skip


def of_weights(shape, formats, precisions, chip, own):
    """Bytes of a parameter and the arithmetic that the chip has for it, for parts of the model that lie or compute alike.

    ``formats`` are those of each group as :func:`model_shape.published` gives them, ``precisions`` the rows they name, by id;
    ``own`` says that the model is published in them.
    """
    sizes = model_shape.parameter_groups(shape)
    held = model_shape.bytes_by_group(shape, formats, precisions=precisions)
    found = {"outer_bytes": sum(held[name] for name in OUTER)}
    for part, names in PARTS.items():
        params, read = sum(sizes[name] for name in names), sum(held[name] for name in names)
        seconds = unpacked = 0.0  # of one multiplication of each parameter; parameters that are unpacked for it
        for name in names:
            for form, share in formats[name].items():
                rate, widened = arithmetic(precisions[form], chip, own)
                seconds += share * sizes[name] / rate
                unpacked += share * sizes[name] * widened
        found.update({part + "_bytes": read / params if params else 0.0, part + "_unpacked": unpacked / params if params else 0.0,
                      part + "_flop_per_s": params / seconds if params else _fact(chip, "bf16_flop_per_s")})
    head = "embedding" if shape["tied"] else "head"
    found["head_bytes"] = held[head] / sizes[head]
    padded, width = "mxfp4" in formats["experts"], shape["hidden_size"]
    # kernels for MXFP4 pad one side of an expert and keep no workspace: 13.47 GiB of gpt-oss-20b, 64.38 of 120b
    found["expert_room_bytes"] = found["expert_bytes"] * (ceil(width / PADDED_TO) * PADDED_TO / width if padded else 1.0)
    found["integer"] = float("int8" in formats["attention"] and found["attention_unpacked"] == 0.0)
    found["four_bit"] = float(sizes["experts"] > 0 and found["expert_bytes"] < 1.0)
    found["workspace"] = 0.0 if padded else 1.0
    return found


def formats(shape, published, weights, precision):
    """Formats of each group of weights, and whether they are those that the model is published in; ``precision`` finds a row."""
    own = SAME_SPEED.get(published, published) == weights
    return model_shape.published(shape) if own else model_shape.converted(shape, precision(weights)), own


def layouts(sizes, server_gpus, routed):
    """Sizes of a replica worth trying, in GPUs, each with its attention groups: experts may also run attention data-parallel."""
    return [(size, ranks) for size in sizes or [one for one in SIZES if one <= server_gpus]
            for ranks in ((1, size) if routed and size > 1 else (1,))]


def arithmetic(precision, chip, own):
    """Rate at which a chip computes with weights in a format, and 1 where it unpacks them to 16 bits first, else 0. [FLOP/s]

    A chip without the format stores the weights in it and computes at 16 bits.
    """
    full = _fact(chip, "bf16_flop_per_s")
    rate = _fact(chip, precision["flop_class"] + "_flop_per_s")
    if precision["id"] == "mxfp4" and rate > 0 and own:  # models released in MXFP4 compute on 8-bit activations
        rate = _fact(chip, "fp8_flop_per_s")
    if not rate > full:
        rate = full
    return rate, float(precision["bits"] < 16 and rate == full)


def layout(number):
    """How a model lies on its GPUs: ``group`` share a layer, in ``dp`` attention groups of ``tp``; so many ``replicas`` decode.

    ``number`` has :data:`SETUP`; a tp or an ep that is not given is NaN,
    and so is a number of :data:`MEMORY`, which is passed on.
    """
    n_gpus, tp, pp, attention_dp, ep, prefill_gpus, prefill_tp = (number[name] for name in LAYOUT)
    whole = where(tp == tp, tp, n_gpus / pp)
    group = where(whole % attention_dp == 0, whole, whole * attention_dp)
    prefill_group = where((prefill_tp == prefill_tp) & (prefill_gpus > 0), prefill_tp, group)
    replicas = (n_gpus - prefill_gpus) / (group * pp)
    return {
        "n_gpus": n_gpus, "prefill_gpus": prefill_gpus, "group": group, "dp": attention_dp, "tp": group / attention_dp, "pp": pp,
        "ep": where(ep == ep, ep, where(attention_dp > 1, group, 1.0)), "replicas": replicas, "prefill_group": prefill_group,
        # replicas that prefill for each one that decodes, where they have GPUs of their own
        "split": prefill_gpus / (prefill_group * pp) / where(replicas > 0, replicas, 1.0),
        "memory_share": number["memory_share"], "reserve_gb": number["reserve_gb"],
    }


def of_prefill(layout):
    """The layout of replicas that only prefill: attention ranks of the same size, as many as they have GPUs for."""
    group, apart, ep = layout["prefill_group"], layout["dp"] > 1, layout["ep"]
    return dict(layout, group=group, dp=where(apart, group / layout["tp"], 1.0), tp=where(apart, layout["tp"], group),
                ep=where((ep == layout["group"]) | (group % ep != 0), group, ep))


def completed(case):
    """The columns that follow from others, and those of options not asked for."""
    case["state_traffic"] = 2 * case["state_bytes"] * minimum(case["tp"], case["kv_heads"]) / case["tp"]
    for name, value in (("cached", 0.0), ("draft_tokens", 0.0), ("tokens_per_pass", 1.0), ("split", 0.0),
                        ("transfer_s", 0.0), ("requests", ENDLESS), ("release", 0), ("memory_share", UNSTATED),
                        ("reserve_gb", UNSTATED), ("exchange", 0), ("tuning", 0), ("era", 0)):
        case.setdefault(name, value)
    # early engines were measured on NVIDIA alone, tuned ones on AMD
    family = where((case["era"] > 0) & (case["family"] == 0), case["era"], case["family"])
    case["family"] = where((case["tuning"] > 0) & (family == known.AMD), known.AMD_TUNED, family)
    # a bridge joins the cards of its domain, the host those of its server, the network all others; experts beyond a server get
    # their tokens by an exchange of its own form
    beyond, outside = case["tp"] > case["link_domain"], case["tp"] > case["server_gpus"]
    bridged, hosted = (where(case[name] > 0, case[name], known.NETWORK_BYTES_PER_S)
                       for name in ("link_bytes_per_s", "pcie_bytes_per_s"))
    case["link_bytes_per_s"] = where(outside, known.NETWORK_BYTES_PER_S, where(beyond, hosted, bridged))
    case["pcie"] = where(beyond, 1.0, case["pcie"])
    joined = maximum(case["link_domain"], case["server_gpus"])
    case["spread"] = where((case["dp"] > 1) & (case["group"] > known.GATHERED), 1.0, 0.0)
    case["racked"] = where(case["group"] <= joined, 1.0, 0.0)  # all of them linked
    # places elsewhere that a token is sent to: by expert in decode, once to each server in prefill, or to each GPU of a rack
    servers = where(case["racked"] > 0, maximum(case["group"], 1.0), maximum(case["group"] / joined, 1.0))
    chosen = case["experts_per_token"]
    case["decode_copies"] = chosen * (1.0 - 1.0 / servers)
    most = where(case["racked"] > 0, chosen, minimum(case["routed_groups"], chosen))
    case["prompt_copies"] = minimum((servers - 1.0) * (1.0 - (1.0 - 1.0 / servers) ** chosen), most * (1.0 - 1.0 / servers))
    return case


# --- what does not go together ---------------------------------------------------------------------


def undivided(layout, hidden):
    """What does not divide in a layout: GPUs by replicas, tp by ep, prefill GPUs by theirs, the hidden size by tp."""
    prefill, replica = layout["prefill_gpus"], layout["group"] * layout["pp"]
    rest, read = layout["n_gpus"] - prefill, layout["prefill_group"] * layout["pp"]
    apart = (layout["dp"] > 1) & (layout["prefill_group"] % layout["tp"] != 0)
    return ((prefill == 0) & (rest % replica != 0), layout["group"] % layout["ep"] != 0,
            (prefill > 0) & ((prefill % read != 0) | (rest % replica != 0) | (rest <= 0) | apart),
            (hidden % layout["tp"] != 0) | ((prefill > 0) & (layout["dp"] <= 1) & (hidden % layout["prefill_group"] != 0)))


def layout_sentence(layout, hidden, model):
    """What is wrong with one layout."""
    n_gpus, group, pp, ep, tp = (layout[name] for name in ("n_gpus", "group", "pp", "ep", "tp"))
    gpus, experts, prefill, width = undivided(layout, hidden)
    if gpus:
        return (f"n_gpus {n_gpus:g} is not a multiple of tp {group:g} times pp {pp:g}; "
                "give a tp and pp whose product divides n_gpus")
    if experts:
        return f"ep {ep:g} does not divide the {group:g} GPUs of tp"
    if prefill:
        return (f"prefill_gpus {layout['prefill_gpus']:g} must be a multiple of prefill_tp times pp "
                f"({layout['prefill_group'] * pp:g}) and leave to decode a multiple of tp times pp ({group * pp:g}); with "
                f"attention_dp, prefill_tp is a multiple of tp over attention_dp ({tp:g})")
    if width:
        name, size = ("tp", tp) if hidden % tp else ("prefill_tp", layout["prefill_group"])
        return f"{name} {size:g} does not divide the hidden size {hidden:.0f} of {model}; give an n_gpus or a tp that does"
    return ""


def too_long(isl, osl, positions):
    """Whether prompt and answer together need more positions than a model has."""
    return isl + osl > positions


def length_sentence(isl, osl, positions, model):
    """What is wrong with a length; the limit is that of the model's config.json, with its own scaling of positions."""
    return (f"isl {isl:g} and osl {osl:g} are {isl + osl:.0f} positions, but {model} has {positions:.0f}; lower isl or osl, or "
            "give a config.json whose max_position_embeddings is larger")
