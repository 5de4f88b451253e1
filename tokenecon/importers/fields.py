"""The fields of a configuration: each is read under any of its spellings, checked, and remembered as read."""

import re

from tokenecon.errors import BadInput, quoted

ALIASES = {  # another spelling of the same field
    "n_embd": "hidden_size", "n_embed": "hidden_size", "d_model": "hidden_size", "n_layer": "num_hidden_layers",
    "n_layers": "num_hidden_layers", "num_layers": "num_hidden_layers", "decoder_layers": "num_hidden_layers",
    "n_head": "num_attention_heads", "num_heads": "num_attention_heads", "attention_heads": "num_attention_heads",
    "n_heads": "num_attention_heads", "decoder_attention_heads": "num_attention_heads", "num_kv_heads": "num_key_value_heads",
    "n_kv_heads": "num_key_value_heads", "num_attention_groups": "num_key_value_heads", "attention_head_dim": "head_dim",
    "n_inner": "intermediate_size", "ffn_hidden_size": "intermediate_size", "decoder_ffn_dim": "intermediate_size",
    "ffn_dim": "intermediate_size", "d_ff": "intermediate_size", "n_positions": "max_position_embeddings",
    "seq_length": "max_position_embeddings", "max_target_positions": "max_position_embeddings",
    "max_sequence_length": "max_position_embeddings", "max_seq_len": "max_position_embeddings",
    "max_seq_length": "max_position_embeddings", "seq_len": "max_position_embeddings",
    "model_max_length": "max_position_embeddings", "num_local_experts": "num_experts", "n_routed_experts": "num_experts",
    "moe_num_experts": "num_experts", "top_k_experts": "num_experts_per_tok", "experts_per_token": "num_experts_per_tok",
    "num_experts_per_token": "num_experts_per_tok", "moe_k": "num_experts_per_tok", "moe_topk": "num_experts_per_tok",
    "moe_top_k": "num_experts_per_tok", "num_shared_experts": "n_shared_experts", "moe_num_shared_experts": "n_shared_experts",
    "num_shared_expert": "n_shared_experts", "expert_ffn_hidden_size": "moe_intermediate_size",
    "moe_shared_expert_intermediate_size": "shared_expert_intermediate_size",
    "shared_intermediate_size": "shared_expert_intermediate_size", "share_expert_dim": "shared_expert_intermediate_size",
    "intermediate_size_mlp": "dense_intermediate_size", "_sliding_window_pattern": "sliding_window_pattern",
    "global_attn_every_n_layers": "sliding_window_pattern", "sliding_window_size": "sliding_window",
    "window_size": "sliding_window", "layers_block_type": "layer_types", "attention_layers": "layer_types",
    "layer_block_types": "layer_types", "torch_dtype": "dtype", "num_dense_layers": "first_k_dense_replace",
    "num_sliding_attention_heads": "swa_num_attention_heads", "routed_expert_hidden_size": "moe_latent_size",
    "mtp_num_hidden_layers": "num_nextn_predict_layers", "num_nextn_layers": "num_nextn_predict_layers",
    "num_mtp_modules": "num_nextn_predict_layers", "num_mtp_layers": "num_nextn_predict_layers",
    "mamba_n_heads": "mamba_num_heads", "mamba_d_head": "mamba_head_dim", "mamba_n_groups": "n_groups",
    "mamba_d_state": "ssm_state_size", "state_size": "ssm_state_size", "mamba_d_conv": "conv_kernel", "mamba_expand": "expand",
    "mamba_dt_rank": "time_step_rank", "mamba_conv_bias": "use_conv_bias", "init_pos_emb_height": "pos_emb_height",
    "init_pos_emb_width": "pos_emb_width", "short_conv_kernel_size": "linear_conv_kernel_dim",
}  # fmt: skip

# Of these a model has one at least, and nobody has published more than a hundredth of the limit; of any other it may have none.
COUNTED = {"num_decoder_layers": 10_000, "num_hidden_layers": 10_000, "max_position_embeddings": 1_000_000_000,
           "encoder_layers": 10_000, "num_attention_heads": 100_000, "num_key_value_heads": 100_000,
           "hidden_size": 10_000_000, "vocab_size": 100_000_000, "head_dim": 1_000_000, "intermediate_size": 100_000_000,
           "full_attention_interval": 10_000, "no_rope_layer_interval": 10_000, "sliding_window_pattern": 10_000,
           "decoder_sparse_step": 10_000, "interleave_moe_layer_step": 10_000, "moe_layer_freq": 10_000,
           "moe_layer_interval": 10_000, "attn_layer_period": 10_000, "expert_layer_period": 10_000, "layer_group_size": 10_000,
           "depth": 10_000, "patch_size": 100_000, "o_groups": 100_000}
MOST = 1_000_000_000
LENGTH = "max_position_embeddings"
MAY_DIFFER = (LENGTH, "num_nextn_predict_layers")  # MiniMax M3 states 1 of the latter, and 7 modules
# A text model that is the whole file states these itself; the part of a wrapper may leave out what its class gives.
STATED = ("hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size", "intermediate_size", "num_experts",
          "num_experts_per_tok", "moe_intermediate_size")
KINDS = {str: "texts", int: "whole numbers", dict: "blocks"}

# A field with such a name may change the shape, so it must be understood; anything else may be ignored.
SHAPELY = re.compile(
    r"(^n_|^num_|_size|_dim|_rank|head|layer|expert|window|moe|mlp|attn|attention|conv|"
    r"ssm|mamba|state|lora|^use_cla|cla_share|channels$|tiles$|block_configs|blocks?$|indexes$|indices$|_pattern$|_multiplier$|_widening|ratio)")
HARMLESS = re.compile(
    r"(dropout|^n_ctx$|_pdrop|layerdrop|norm_eps|norm_epsilon|rope|rotary|router_|routed_scaling|routing|scor|topk_|"
    r"norm_topk|n_group|nextn|mtp|_token_id|_token_index|initializer|_attn_implementation|attn_implementation|softcap|"
    r"attn_scale|attn_temperature|floor_scale|query_pre_attn|scale_attn|attention_softmax|pretraining_tp|summary|aux_loss|"
    r"ep_size|chunk_size_feed_forward|cross_attention_(freq|hidden_size)|mask_|logit_cap|upsampling_ratios|"
    r"layer_?scale_(init_)?value|insert_layer_id|supported_aspect_ratios|logits|"
    r"num_(labels|beams|return_sequences|beam_groups)|is_encoder_decoder|bidirectional|output_attentions|"
    r"output_hidden_states|bad_words|attention_dropout|alibi|apply_residual|ssm_dtype|no_repeat_ngram|encoder_no_repeat|"
    r"max_length|quant|attention_multiplier|index_topk_(freq|pattern)|indexer_rope|layernorm_|shared_moe_mode|image_|"
    r"vision_|video_|audio_|classifier|median_filter|weighted_layer_sum|swiglu|dtype$|(?<!dim_)multipliers?$|"
    r"(?<!expand)(?<!expansion)_factor$|_scale$|chunk_size|kernels$|moe_norm_min|renormalize|expert_group|sink|"
    r"use_attention_gate|^gating$|layer_norm_elementwise|do_layer_norm_before|latent_moe_use_norm|add_qk|logn_attn|"
    r"num_logits|^time_step|hidden_act|hc_sinkhorn|hc_eps|hash_layers|rms_norm|norm_before_gate|use_gemma_norm|codebook|"
    r"frame_size|loss|feat_extract)")
# Blocks that others read, or that say nothing about a shape.
# What all classes that have these fields say of them.
USUAL = {"downsample_ratio": 0.5, "pixel_shuffle_ratio": 0.5, "merged_hidden_size": 24576, "max_num_tiles": 4,
         "deepstack_visual_indexes": [8, 16, 24], "intermediate_layers_indices": [3, 7, 15, 23, 30]}  # fmt: skip
PASSED = ("quantization_config", "compression_config", "generation_config", "task_specific_params", "auto_map", "id2label",
          "label2id", "pruned_heads", "dual_chunk_attention_config", "projector_patch_to_query_dict", "vision_config",
          "audio_config")  # fmt: skip


class UnknownArchitecture(BadInput):
    """A configuration with a family or with fields that the importer does not understand."""


class BadField(UnknownArchitecture):
    """A field of a configuration with a value that it cannot have."""

    def __init__(self, field, value, rest):
        super().__init__(f"field '{field}' of the configuration is {quoted(value)}, but {rest}; compare with the model's "
                         "own config.json")


class MissingField(UnknownArchitecture):
    """A configuration without a field that its family needs."""


def strange(key, value):
    """Whether a field that no rule reads may change the shape: by its name, or as a block."""
    if isinstance(value, dict):
        return bool(value) and key not in PASSED
    return bool(value) and bool(SHAPELY.search(key)) and not HARMLESS.search(key)


def _same(key, value, usual):
    """Whether a value is that of the class; of places of layers only the number matters."""
    places = key.endswith(("indexes", "indices")) and isinstance(value, list) and isinstance(usual, list)
    return len(value) == len(usual) if places else value == usual


def whole(value, low=0, high=MOST):
    """Whether a value is a whole number of this range."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


class Fields:
    """A block of a configuration. What it leaves out, the defaults of its class fill; null says that there is none."""

    def __init__(self, block, defaults, family, where=""):
        self.family, self.where, self.read, self.filled = family, where, set(), set()
        self.values, self.spelling, self.stated = {}, {}, {}
        for key, value in block.items():
            self.stated.setdefault(ALIASES.get(key, key), {})[key] = value
        for name, each in self.stated.items():
            given = {key: value for key, value in each.items() if value is not None} or each
            key = name if name in given else next(iter(given))
            self.values[name], self.spelling[name] = each[key], key
            other = next((key for key, value in given.items() if value != each[self.spelling[name]]), None)
            if other and name not in MAY_DIFFER:
                self._refuse(name, each[key], f"the {quoted(each[other])} of '{where}{other}', which is another spelling of it")
        self.defaults = {ALIASES.get(key, key): value for key, value in defaults.items()}

    def given(self, key):
        """Whether the file itself states the field, and not as null."""
        return self.values.get(key) is not None

    def raw(self, key):
        """The value as it stands in the file, else that of the class, else None."""
        self.read.add(key)
        if key in self.values:
            if self.values[key] is None and key in STATED and self.defaults.get(key) is not None:
                raise self._missing(key)
            return self.values[key]
        if self.defaults.get(key) is not None:
            if key in STATED and not self.where:
                raise self._missing(key)
            self.filled.add(key)
        return self.defaults.get(key)

    def _missing(self, key):
        return MissingField(f"a configuration of family '{self.family}' needs the field '{self.where}{key}', which this one "
                            "lacks")

    def _refuse(self, key, value, wanted):
        raise BadField(self.where + self.spelling.get(key, key), value, f"must be {wanted}")

    def number(self, key, default=None):
        """A whole number in the range of its field."""
        value = self.raw(key)
        if value is None:
            return default
        low, high = (1, COUNTED[key]) if key in COUNTED else (0, MOST)
        if not whole(value, low, high):
            self._refuse(key, value, f"a whole number from {low} to {high:,}")
        return value

    def need(self, key):
        """A whole number that the family cannot do without."""
        value = self.number(key)
        if value is None:
            raise self._missing(key)
        return value

    def usual(self, key, value):
        """A whole number, else what models of its kind have, which is then noted as filled in."""
        found = self.number(key)
        if found is None:
            self.filled.add(key)
        return value if found is None else found

    def flag(self, key, default=False):
        value = self.raw(key)
        if value is None:
            return default
        if not (isinstance(value, bool) or value in (0, 1)):
            self._refuse(key, value, "true or false")
        return bool(value)

    def text(self, key, default=""):
        value = self.raw(key)
        if value is None:
            return default
        if not isinstance(value, str):
            self._refuse(key, value, "a text")
        return value

    def entries(self, key, kind):
        """A list of texts, whole numbers or blocks; None where there is none."""
        value = self.raw(key)
        if value is None:
            return None
        good = isinstance(value, list) and all(
            isinstance(one, kind) and (kind is not int or whole(int(one))) for one in value)
        if not good:
            self._refuse(key, value, f"a list of {KINDS[kind]}")
        return value

    def each(self, key, layers, default=None):
        """A number that each layer may state for itself: one for every layer, as a list."""
        value = self.raw(key)
        if not isinstance(value, list):
            return [self.number(key, default)] * layers
        low, high = (1, COUNTED[key]) if key in COUNTED else (0, MOST)
        if not self.lists(value, layers) or not all(whole(one, low, high) for one in value):
            self._refuse(key, value, f"a whole number, or a list of {layers} of them from {low} to {high:,}")
        return value[:layers]

    def lists(self, values, layers):
        """Whether there is one for each layer, or one more for each layer that predicts further tokens."""
        more = self.values.get("num_nextn_predict_layers")
        return len(values) - layers in (0, more if whole(more) else 0)

    def places(self, key, layers):
        """A list of places of layers, from 0; None where there is none."""
        value = self.entries(key, int)
        if value is not None and not all(one < layers for one in value):
            self._refuse(key, value, f"a list of places below the number of layers, {layers}")
        return value

    def block(self, key):
        """A block inside this one; an empty one where there is none."""
        value = self.raw(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._refuse(key, value, "a block")
        return value

    def understood(self, more=()):
        """Refuse what may change the shape and what no rule has read; `more` are names that say nothing about it here."""
        unread = sorted(self.where + key for key, value in self.unread().items() if strange(key, value) and key not in more)
        if unread:
            raise UnknownArchitecture(f"the configuration is of family '{self.family}', but these fields are not understood: "
                                      f"{', '.join(unread)}; see tokenecon/importers/parts.py")

    def unread(self):
        """Fields of the file that nobody asked for, but those that say what the class says anyway."""
        return {self.spelling[key]: value for key, value in self.values.items()
                if key not in self.read and not _same(key, value, self.defaults.get(key, USUAL.get(key)))}
