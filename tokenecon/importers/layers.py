"""What each layer of a model mixes tokens with, which feed-forward block it has, and how many positions they reach."""

from tokenecon.importers.fields import COUNTED, LENGTH, BadField, UnknownArchitecture, whole

ATTENTION = ("full", "window", "linear", "state", "convolution", "hybrid", "cross", "csa", "hca", "none")
NAMES = {  # what a list of layers calls them
    "full_attention": "full", "attention": "full", "global_attention": "full", "indexed_attention": "full",
    "deepseek_sparse_attention": "full", "global": "full", "minimax_m3_sparse": "full",
    "sliding_attention": "window", "chunked_attention": "window", "local_attention": "window", "local": "window",
    "reference_sliding_attention": "window",
    "linear_attention": "linear", "mamba": "state", "mamba2": "state", "recurrent": "recurrent",
    "conv": "convolution", "short_conv": "convolution", "hybrid": "hybrid",
    "compressed_sparse_attention": "csa", "heavily_compressed_attention": "hca", "moe": "none", "mlp": "none",
}  # fmt: skip
LETTERS = {"M": "state", "*": "full", "-": "none", "E": "none"}  # of Nemotron-H
RATIOS = {0: "window", 4: "csa", 128: "hca"}  # positions that DeepSeek V4 keeps as one


OTHER_WAYS = ("max_window_layers", "full_attention_interval", "sliding_window_pattern", "layer_group_size", "full_attn_idxs",
              "attn_layer_indices", "attention_chunk_size", "no_rope_layers", "no_rope_layer_interval", "hybrid_layer_pattern",
              "attn_type_list", "attn_layer_period", "attn_layer_offset", "compress_ratios", "linear_attn_config", "layer_types",
              "use_sliding_window", "sliding_window", "attention_types")  # when one has been read, the others need not be
SPARSE_WAYS = ("mlp_layer_types", "moe_layer_freq", "first_k_dense_replace", "decoder_sparse_step", "mlp_only_layers",
               "interleave_moe_layer_step", "moe_layers", "expert_layer_period", "expert_layer_offset", "moe_layer_start_index",
               "moe_layer_end_index", "moe_layer_interval", "moe_layers_enum")


def mixers(fields, layers, pattern):
    """Kind of mixer of each layer: what the file says first, then the pattern of its class, then its switches."""
    fields.read.update(OTHER_WAYS)
    for rule in (_letters, _cross, _named, _ratios, _marked, _periods, _interval, _chunked, _windows):
        found = rule(fields, layers)
        if found is not None:
            return _windowless(fields, found)
    if pattern:
        fields.filled.add("layer_types")
        kinds = [NAMES.get(one, one) for one in pattern]
        if len(kinds) > 8 and len(kinds) != layers:
            raise UnknownArchitecture(
                f"a configuration of family '{fields.family}' with {layers} layers must list their kinds in layer_types: the "
                f"class has a list for {len(kinds)} only")
        return _windowless(fields, [kinds[i % len(kinds)] for i in range(layers)])
    return _windowless(fields, ["window" if fields.number("sliding_window") else "full"] * layers)


def _windowless(fields, kinds):
    """The same without windows, where the file switches them off."""
    off = fields.given("use_sliding_window") and not fields.flag("use_sliding_window")
    off = off or ("use_sliding_window" in fields.defaults and not fields.flag("use_sliding_window"))
    return ["full" if off and kind == "window" else kind for kind in kinds]


def count(fields):
    """How many layers there are: as stated, else as many as are listed."""
    listed = fields.values.get("hybrid_override_pattern") or fields.values.get("layer_types")
    if not fields.given("num_hidden_layers") and isinstance(listed, str | list) and listed:
        return len(listed)
    return fields.need("num_hidden_layers")


def _letters(fields, layers):
    text = fields.text("hybrid_override_pattern")
    if not text:
        return None
    strange = sorted(set(text) - set(LETTERS))
    if strange:
        raise UnknownArchitecture(f"letters of hybrid_override_pattern are not understood: {' '.join(strange)}; known: "
                                  f"{' '.join(LETTERS)}")
    if len(text) != layers:
        raise BadField("hybrid_override_pattern", text, f"must have a letter for each of {layers} layers, and has {len(text)}")
    found = [LETTERS[one] for one in text]
    if _named(fields, layers) not in (None, found):
        raise BadField("hybrid_override_pattern", text, "layer_types lists other kinds of layers")
    return found


def _cross(fields, layers):
    places = fields.places("cross_attention_layers", layers)
    return None if places is None else ["cross" if i in places else "full" for i in range(layers)]


def _named(fields, layers):
    given = fields.entries("layer_types", str) if fields.given("layer_types") else None
    if given is None:
        return None
    strange = sorted(set(given) - set(NAMES))
    if strange:
        raise UnknownArchitecture(f"kinds of layers in layer_types are not understood: {', '.join(strange)}; known: "
                                  f"{', '.join(NAMES)}")
    if not fields.lists(given, layers):
        raise BadField(fields.where + fields.spelling.get("layer_types", "layer_types"), given,
                       f"must list each of {layers} layers, and lists {len(given)}")
    return [NAMES[one] for one in given[:layers]]


def _ratios(fields, layers):
    given = fields.entries("compress_ratios", int)
    if given is None:
        return None
    if not fields.lists(given, layers) or set(given) - set(RATIOS):
        raise BadField("compress_ratios", given, f"must list one of {', '.join(map(str, RATIOS))} for each of {layers} layers")
    return [RATIOS[one] for one in given[:layers]]


def _marked(fields, layers):
    """Lists of marks or of places: which layers attend to everything, or to a window, or in linear time."""
    for key, marks in (("attn_type_list", {0: "linear", 1: "full"}), ("hybrid_layer_pattern", {0: "full", 1: "window"})):
        given = fields.entries(key, int)
        if given is not None:
            if not fields.lists(given, layers) or set(given) - set(marks):
                raise BadField(key, given, f"must list 0 or 1 for each of {layers} layers")
            return [marks[one] for one in given[:layers]]
    for key, other in (("full_attn_idxs", "convolution"), ("attn_layer_indices", "state")):
        places = fields.places(key, layers)
        if places is not None:
            return ["full" if i in places else other for i in range(layers)]
    places = fields.block("linear_attn_config").get("full_attn_layers")
    if places is None:
        return None
    if not isinstance(places, list) or not all(whole(one, 1, layers) for one in places):
        raise BadField("linear_attn_config", places, f"must list its full_attn_layers, from 1 to {layers}")
    others = fields.block("linear_attn_config").get("kda_layers")
    if others is not None and not (isinstance(others, list) and sorted(map(str, [*others, *places])) == sorted(
            map(str, range(1, layers + 1)))):
        raise BadField("linear_attn_config", others, "kda_layers must list the layers that full_attn_layers does not")
    return ["full" if i + 1 in places else "linear" for i in range(layers)]


def _periods(fields, layers):
    every = fields.number("attn_layer_period")
    if every is None:
        return None
    offset = _offset_below(fields, "attn_layer_offset", every)
    return ["full" if i % every == offset else "state" for i in range(layers)]


def _offset_below(fields, key, every):
    offset = fields.number(key, 0)
    if offset >= every:
        raise BadField(key, offset, f"must be below the period {every}")
    return offset


def _interval(fields, layers):
    every = fields.number("full_attention_interval") or fields.number("layer_group_size")
    return every and ["full" if (i + 1) % every == 0 else "linear" for i in range(layers)]


def _chunked(fields, layers):
    if not (fields.given("attention_chunk_size") or "attention_chunk_size" in fields.defaults) or fields.given("sliding_window"):
        return None
    if fields.number("attention_chunk_size") is None:
        return ["full"] * layers
    every = fields.usual("no_rope_layer_interval", 4)
    rope = fields.entries("no_rope_layers", int) or [int((i + 1) % every != 0) for i in range(layers)]
    if not fields.lists(rope, layers):
        raise BadField("no_rope_layers", rope, f"must list each of {layers} layers")
    return ["window" if rope[i] else "full" for i in range(layers)]


def _windows(fields, layers):
    """Windows by a number: every so many layers, or from a layer on."""
    if fields.given("use_sliding_window") or "use_sliding_window" in fields.defaults:
        if not fields.flag("use_sliding_window"):
            return ["full"] * layers
        upper = fields.number("max_window_layers", layers)
        return ["window" if i >= upper else "full" for i in range(layers)]
    if not fields.number("sliding_window"):
        return ["full"] * layers if "sliding_window" in fields.values or "sliding_window" in fields.defaults else None
    if fields.given("sliding_window_pattern") and isinstance(fields.raw("sliding_window_pattern"), str):
        text = fields.text("sliding_window_pattern")
        if not text or set(text) - set("LG"):
            raise BadField("sliding_window_pattern", text, "must be of the letters L and G")
        return ["window" if text[i % len(text)] == "L" else "full" for i in range(layers)]
    every = fields.number("sliding_window_pattern")
    return every and ["full" if (i + 1) % every == 0 else "window" for i in range(layers)]


def blocks(fields, layers):
    """Feed-forward block of each layer: dense, sparse (with routed experts), both, or none."""
    letters = fields.text("hybrid_override_pattern")
    names = fields.entries("layer_types", str) if fields.given("layer_types") else None
    if letters:
        return [{"-": "dense", "E": "sparse"}.get(one, "none") for one in letters]
    if names and {"moe", "mlp"} & set(names):
        return [{"mlp": "dense", "moe": "sparse"}.get(one, "none") for one in names[:layers]]
    experts = fields.number("num_experts")
    fields.read.update(SPARSE_WAYS)
    if not experts:
        return ["dense"] * layers
    if fields.raw("enable_moe_block") is not None:
        return ["both" if fields.flag("enable_moe_block") else "dense"] * layers
    for stated in (True, False):  # a rule that the file states goes before a rule of its class
        for key, rule in RULES.items():
            if (fields.given(key) if stated else fields.raw(key) is not None):
                return ["sparse" if one else "dense" for one in rule(fields, layers)]
    return ["sparse"] * layers


def _listed(fields, layers):
    given = fields.entries("mlp_layer_types", str)
    known = {"dense": False, "sparse": True, "moe": True, "hash_moe": True}
    if not fields.lists(given, layers) or set(given) - set(known):
        raise BadField("mlp_layer_types", given, f"must list dense, sparse, moe or hash_moe for each of {layers} layers")
    return [known[one] for one in given[:layers]]


def _frequency(fields, layers):
    if isinstance(fields.raw("moe_layer_freq"), list):
        given = fields.entries("moe_layer_freq", int)
        if not fields.lists(given, layers):
            raise BadField("moe_layer_freq", given, f"must list each of {layers} layers")
        return [bool(one) for one in given[:layers]]
    first, every = fields.number("first_k_dense_replace", 0), fields.number("moe_layer_freq", 1)
    return [i >= first and i % every == 0 for i in range(layers)]


def _step(fields, layers):
    dense, every = set(fields.places("mlp_only_layers", layers) or []), fields.number("decoder_sparse_step", 1)
    return [i not in dense and (i + 1) % every == 0 for i in range(layers)]


def _interleaved(fields, layers):
    places = fields.places("moe_layers", layers)
    step = fields.number("interleave_moe_layer_step", 1)
    return [i in (places or range(step - 1, layers, step)) for i in range(layers)]


def _offset(fields, layers):
    every = fields.number("expert_layer_period")
    offset = _offset_below(fields, "expert_layer_offset", every)
    return [i % every == offset for i in range(layers)]


def _span(fields, layers):
    first, last = fields.each("moe_layer_start_index", 1, 0)[0], fields.raw("moe_layer_end_index")
    last = layers - 1 if last in (None, -1) else fields.number("moe_layer_end_index")
    every = fields.number("moe_layer_interval", 1)
    return [first <= i <= last and (i + 1) % every == 0 for i in range(layers)]


def _enumerated(fields, layers):
    """Places in one text, such as "3,4,5"."""
    text = fields.text("moe_layers_enum")
    places = text.replace(" ", "").split(",")
    if not all(one.isdigit() and int(one) < layers for one in places):
        raise BadField("moe_layers_enum", text, f"must list places of layers below {layers}, with commas")
    return [str(i) in places for i in range(layers)]


RULES = {"mlp_layer_types": _listed, "moe_layers_enum": _enumerated, "moe_layer_freq": _frequency,
         "moe_layer_start_index": _span, "first_k_dense_replace": _frequency, "decoder_sparse_step": _step,
         "mlp_only_layers": _step, "interleave_moe_layer_step": _interleaved, "moe_layers": _interleaved,
         "expert_layer_period": _offset}  # fmt: skip


UNSTRETCHED = ("default", "llama3", "longrope", "su", "mrope", "proportional")  # kinds of rope whose factor is no length
STRETCHED = ("linear", "dynamic", "ntk", "yarn")
STRETCHED_ALREADY = "gemma3"  # states the length after its linear scaling
ALIBI = ("bloom",)  # positions are slopes on the scores, so no number bounds them
LARGEST_FACTOR = 1_000_000


def positions(fields, kinds):
    """Positions that a sequence may have, with rope scaling; 0 where nothing bounds them, None where nothing says it.

    YaRN reaches `factor` times the length before scaling. The stated length may be the same (DeepSeek V3: 163840 = 40 x 4096)
    or still the old one (the block that Qwen tells its users to add: 4 x 32768 beside 40960); the longer counts. Without a
    length before, linear and dynamic scaling stretch the stated one. The factors of Llama 3 are about frequencies alone. vLLM and
    SGLang agree on all of these but on Qwen's block, for which vLLM until September 2026 takes the longer and SGLang the shorter.
    """
    blocks = [(key, fields.block(key)) for key in ("rope_scaling", "rope_parameters")]
    original = fields.raw("original_max_position_embeddings")
    stated = _stated_length(fields)
    if stated is None:
        return 0 if fields.family in ALIBI or not set(kinds) - {"linear", "state", "convolution", "none"} else None
    lengths = [stated]
    for key, block in blocks:  # one for each kind of layer, or one for all
        inner = {f"{key}.{name}": one for name, one in block.items() if isinstance(one, dict)} or {key: block}
        lengths += [_stretched(fields, fields.where + name, one, original, stated) for name, one in inner.items()]
    return max(lengths)


def _stated_length(fields):
    """As the file states it, else its class. Of several the shortest, but `model_max_length` (Command R) goes before them."""
    given = {key: value for key, value in fields.stated.get(LENGTH, {}).items() if value is not None}
    for key, value in given.items():
        if not whole(value, 1, COUNTED[LENGTH]):
            raise BadField(fields.where + key, value, f"must be a whole number from 1 to {COUNTED[LENGTH]:,}")
    usual = fields.number(LENGTH)
    return given.get("model_max_length") or min(given.values(), default=usual)


def _stretched(fields, name, block, original, stated):
    """Positions of one rope block."""
    kind, factor = block.get("rope_type") or block.get("type"), block.get("factor")
    original = block.get("original_max_position_embeddings") or original
    if not isinstance(kind, str | None):
        raise BadField(f"{name}.rope_type", kind, "must be a text")
    if kind in UNSTRETCHED or (factor is None and kind not in STRETCHED):
        return stated
    if not kind or not any(one in kind for one in STRETCHED):
        raise BadField(f"{name}.rope_type", kind, f"must be one of {', '.join(UNSTRETCHED + STRETCHED)} where there is a factor")
    if factor is None and original:  # the factor is what it takes
        return stated
    if original is None and "yarn" in kind:
        raise BadField(f"{name}.original_max_position_embeddings", None, "YaRN is about that length")
    if isinstance(factor, bool) or not isinstance(factor, int | float) or not 1 <= factor <= LARGEST_FACTOR:
        raise BadField(f"{name}.factor", factor, f"must be a number from 1 to {LARGEST_FACTOR:,}")
    if original is not None:
        if not whole(original, 1, COUNTED[LENGTH]):
            raise BadField(f"{name}.original_max_position_embeddings", original, "must be a whole number from 1")
        return int(original * factor)
    return stated if fields.family.startswith(STRETCHED_ALREADY) else int(stated * factor)
