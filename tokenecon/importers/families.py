"""Architecture families of Hugging Face configurations: what each means by its fields.

Most fields mean the same everywhere; :data:`FAMILIES` lists what differs. Counts checked against
published totals stand in the tests.
"""

from tokenecon.errors import BadInput, quoted

ALIASES = {  # another spelling of the same field
    "n_embd": "hidden_size", "n_embed": "hidden_size", "d_model": "hidden_size",
    "n_layer": "num_hidden_layers", "decoder_layers": "num_hidden_layers",
    "n_head": "num_attention_heads", "decoder_attention_heads": "num_attention_heads",
    "num_kv_heads": "num_key_value_heads",
    "n_inner": "intermediate_size", "ffn_hidden_size": "intermediate_size",
    "decoder_ffn_dim": "intermediate_size",
    "n_positions": "max_position_embeddings", "seq_length": "max_position_embeddings",
    "max_target_positions": "max_position_embeddings", "max_sequence_length": "max_position_embeddings",
    "num_local_experts": "num_experts", "n_routed_experts": "num_experts",
    "top_k_experts": "num_experts_per_tok", "experts_per_token": "num_experts_per_tok",
    "_sliding_window_pattern": "sliding_window_pattern", "torch_dtype": "dtype",
}

GATED = {"ffn_matrices": 3, "layer_norms": 2, "final_norms": 1}
PLAIN = {"ffn_matrices": 2, "ffn_bias": 1, "final_norms": 2}
GEMMA = GATED | {"layer_norms": 4}

# constants: parts of the record that no field states; defaults: fields that a config may leave out.
FAMILIES = {
    "llama": {"constants": GATED, "defaults": {}},
    "mistral": {"constants": GATED, "defaults": {}, "windows": "all"},
    "mixtral": {"constants": GATED, "defaults": {}, "windows": "all", "experts": "every layer"},
    "phi3": {"constants": GATED, "defaults": {}, "windows": "all"},
    "qwen2": {"constants": GATED | {"qkv_bias": 1}, "defaults": {}, "windows": "upper"},
    "qwen3": {"constants": GATED | {"qk_norm": "head"}, "defaults": {}, "windows": "upper"},
    "qwen2_moe": {"constants": GATED | {"qkv_bias": 1, "shared_gate": 1}, "defaults": {},
                  "windows": "upper", "experts": "sparse step"},
    "qwen3_moe": {"constants": GATED | {"qk_norm": "head"}, "defaults": {}, "windows": "upper",
                  "experts": "sparse step"},
    "qwen3_next": {"constants": GATED | {"qk_norm": "head", "output_gate": 1, "shared_gate": 1},
                   "defaults": {"full_attention_interval": 4, "linear_conv_kernel_dim": 4},
                   "experts": "sparse step"},
    "qwen3_5_text": {"constants": GATED | {"qk_norm": "head", "output_gate": 1},
                     "defaults": {"full_attention_interval": 4, "linear_conv_kernel_dim": 4}},
    "qwen3_5_moe_text": {"constants": GATED | {"qk_norm": "head", "output_gate": 1, "shared_gate": 1},
                         "defaults": {"full_attention_interval": 4, "linear_conv_kernel_dim": 4},
                         "experts": "every layer"},
    "deepseek_v3": {"constants": GATED, "defaults": {}, "experts": "after first"},
    "deepseek_v32": {"constants": GATED, "defaults": {}, "experts": "after first"},
    "kimi_k2": {"constants": GATED, "defaults": {}, "experts": "after first"},
    "glm_moe_dsa": {"constants": GATED, "defaults": {}, "experts": "after first"},
    "glm4_moe": {"constants": GATED, "defaults": {"attention_bias": False}, "experts": "after first"},
    "gpt_oss": {"constants": GATED | {"sinks": 1, "router_bias": 1}, "defaults": {"attention_bias": True},
                "windows": "every other", "experts": "every layer"},
    "minimax_m2": {"constants": GATED | {"qk_norm": "full"}, "defaults": {}, "experts": "every layer"},
    "llama4_text": {"constants": GATED,
                    "defaults": {"no_rope_layer_interval": 4, "attention_chunk_size": 8192},
                    "experts": "interleaved"},
    "gemma2": {"constants": GEMMA, "windows": "every other",
               "defaults": {"tie_word_embeddings": True, "head_dim": 256, "sliding_window": 4096}},
    "gemma3_text": {"constants": GEMMA | {"qk_norm": "head"}, "windows": "pattern",
                    "defaults": {"tie_word_embeddings": True, "head_dim": 256, "sliding_window": 4096,
                                 "sliding_window_pattern": 6, "vocab_size": 262208}},
    "gemma4_text": {"constants": GEMMA | {"qk_norm": "head"}, "windows": "pattern", "experts": "beside",
                    "defaults": {"tie_word_embeddings": True, "sliding_window_pattern": 6,
                                 "global_head_dim": 512}},
    "gpt2": {"constants": PLAIN | {"qkv_bias": 1, "output_bias": 1, "layer_norms": 4},
             "defaults": {"tie_word_embeddings": True}},
    "gptj": {"constants": PLAIN | {"layer_norms": 2, "head_bias": 1}, "defaults": {}},
    "falcon": {"constants": {"ffn_matrices": 2, "layer_norms": 4, "final_norms": 2},
               "defaults": {"tie_word_embeddings": True}},
    "bloom": {"constants": PLAIN | {"qkv_bias": 1, "output_bias": 1, "layer_norms": 4, "final_norms": 4},
              "defaults": {"tie_word_embeddings": True}},
    "whisper": {"constants": PLAIN | {"layer_norms": 4}, "defaults": {"tie_word_embeddings": True}},
    "nemotron-nas": {"constants": GATED, "defaults": {}},
}
WRAPPERS = {  # a multimodal configuration: its text part is read, the vision tower is not counted
    "gemma3": "gemma3_text", "gemma4": "gemma4_text", "llama4": "llama4_text",
    "qwen3_5": "qwen3_5_text", "qwen3_5_moe": "qwen3_5_moe_text", "kimi_k25": "kimi_k2",
    "Yi": "llama",  # the same shape under another name
}
CLASSES = {"deci": "nemotron-nas", "decilm": "nemotron-nas", "gemma3text": "gemma3_text"}


# what a field holds; any other is a whole number
FLAGS = ("attention_bias", "attention_k_eq_v", "attn_output_gate", "bias", "enable_moe_block", "mlp_bias", "multi_query",
         "new_decoder_architecture", "parallel_attn", "qkv_bias", "tie_word_embeddings", "use_double_wide_mlp", "use_qk_norm",
         "use_sliding_window")
TEXTS = ("dtype", "model_type", "qk_norm_type")
LISTS = {"architectures": str, "attn_type_list": int, "block_configs": dict, "indexer_types": str, "layer_types": str,
         "mlp_layer_types": str, "mlp_only_layers": int, "moe_layers": int, "no_rope_layers": int}
# of these a model has one at least, and nobody has published more than a hundredth of the limit
COUNTED = {"num_hidden_layers": 10_000, "encoder_layers": 10_000, "num_attention_heads": 100_000, "num_key_value_heads": 100_000,
           "hidden_size": 10_000_000, "vocab_size": 100_000_000, "head_dim": 1_000_000, "intermediate_size": 100_000_000,
           "full_attention_interval": 10_000, "no_rope_layer_interval": 10_000, "sliding_window_pattern": 10_000,
           "decoder_sparse_step": 10_000, "interleave_moe_layer_step": 10_000, "moe_layer_freq": 10_000}
MOST = 1_000_000_000  # of any other number


def wrong_kind(key, value):
    """What a field must hold, in words, where this value is something else; else nothing."""
    if key in FLAGS:
        return "" if isinstance(value, bool) or value in (0, 1) else "true or false"
    if key in TEXTS:
        return "" if isinstance(value, str) else "a text"
    if key in LISTS:
        kind = LISTS[key]
        words = {str: "texts", int: "whole numbers", dict: "blocks"}[kind]
        return "" if isinstance(value, list) and all(isinstance(one, kind) for one in value) else f"a list of {words}"
    low, high = (1, COUNTED[key]) if key in COUNTED else (0, MOST)
    whole = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    return "" if whole else f"a whole number from {low} to {high:,}"


class Fields:
    """A configuration that remembers which of its fields were read and checks each one; null counts as absent."""

    def __init__(self, config, defaults):
        self.values = dict(defaults)
        self.spelling = {}
        for key, value in config.items():
            name = ALIASES.get(key, key)
            if value is None or (name != key and config.get(name) is not None):
                continue  # the usual spelling beats another one
            self.values[name] = value
            self.spelling[name] = key
        self.read = set()

    def get(self, key, default=None):
        self.read.add(key)
        value = self.values.get(key)
        if value is None:
            return default
        if wanted := wrong_kind(key, value):
            raise BadField(self.spelling.get(key, key), value, f"must be {wanted}")
        return value

    def need(self, key, family):
        value = self.get(key)
        if value is None:
            raise MissingField(
                f"a configuration of family '{family}' needs the field '{key}', which this one lacks")
        return value

    def unread(self):
        """Fields of the file that nobody asked for, with their values."""
        return {self.spelling[key]: self.values[key] for key in self.spelling if key not in self.read}


class UnknownArchitecture(BadInput):
    """A configuration with a family or with fields that the importer does not understand."""


class BadField(UnknownArchitecture):
    """A field of a configuration with a value that it cannot have."""

    def __init__(self, field, value, rest):
        super().__init__(f"field '{field}' of the configuration is {quoted(value)}, but {rest}; compare with the model's "
                         "own config.json")


class MissingField(UnknownArchitecture):
    """A configuration without a field that its family needs."""


def layer_types(fields, family, layers):
    """Kind of attention of every layer: full_attention, sliding_attention, chunked_..., linear_attention."""
    given = fields.get("layer_types")
    rule = FAMILIES[family].get("windows")
    window = fields.get("sliding_window")
    upper = fields.get("max_window_layers", layers)
    sliding_on = fields.get("use_sliding_window", True)
    pattern = fields.get("sliding_window_pattern", 2)
    interval = fields.get("full_attention_interval")
    if given is not None:
        return list(given)
    if family == "llama4_text":
        every = fields.get("no_rope_layer_interval")
        rope = fields.get("no_rope_layers") or [int((i + 1) % every != 0) for i in range(layers)]
        return ["chunked_attention" if rope[i] else "full_attention" for i in range(layers)]
    if interval is not None:
        return ["full_attention" if (i + 1) % interval == 0 else "linear_attention" for i in range(layers)]
    if not window or (rule == "upper" and not sliding_on):
        return ["full_attention"] * layers
    sliding = {
        "all": lambda i: True,
        "upper": lambda i: i >= upper,
        "every other": lambda i: i % 2 == 0,
        "pattern": lambda i: (i + 1) % pattern != 0,
        None: lambda i: False,
    }[rule]
    return ["sliding_attention" if sliding(i) else "full_attention" for i in range(layers)]


def expert_layers(fields, family, layers):
    """How many layers have routed experts, and how many a dense feed-forward block."""
    rule = FAMILIES[family].get("experts")
    if rule is None or not fields.get("num_experts"):
        return 0, layers
    if rule == "every layer":
        return layers, 0
    if rule == "beside":
        return layers, layers
    if rule == "sparse step":
        dense = set(fields.get("mlp_only_layers", []))
        step = fields.get("decoder_sparse_step", 1)
        sparse = sum(i not in dense and (i + 1) % step == 0 for i in range(layers))
    elif rule == "interleaved":
        step = fields.get("interleave_moe_layer_step", 1)
        sparse = len(fields.get("moe_layers") or range(step - 1, layers, step))
    else:
        given = fields.get("mlp_layer_types")
        first, every = fields.get("first_k_dense_replace", 0), fields.get("moe_layer_freq", 1)
        sparse = given.count("sparse") if given else sum(i >= first and i % every == 0 for i in range(layers))
    return sparse, layers - sparse
