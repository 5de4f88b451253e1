"""What no field of a configuration says, by family: read from the classes of a library, and a few families that it lacks.

`class_defaults.json` is written by `tests/importers/class_defaults.py` from the classes of transformers: for each model type
the values that its class fills in, the parts that its layers have (norms, biases, gates), the pattern of its kinds of layers, and
the types of the blocks inside it. Families that the rules do not count to a thousandth stand in `refused`, with what is not
understood.
"""

import json
from pathlib import Path

TABLE = json.loads((Path(__file__).parent / "class_defaults.json").read_text(encoding="utf-8"))
CLASSES, REFUSED = TABLE["types"], TABLE["refused"]

# Gemma 3n, whose towers another library builds: transformers 5.24 with timm 1.0.31 counts them, at these widths, with projectors
# to 2048.
CLASSES |= {
    "gemma3n": {"blocks": {"text_config": "gemma3n_text", "vision_config": "gemma3n_vision", "audio_config": "gemma3n_audio"}},
    "gemma3n_vision": {"defaults": {"hidden_size": 2048, "num_classes": 2}, "tower": {"outer": {"": 298_587_456}}},
    "gemma3n_audio": {
        "defaults": {"input_feat_size": 128, "hidden_size": 1536, "conf_attention_chunk_size": 12,
                     "conf_attention_context_left": 13, "conf_num_attention_heads": 8,
                     "conf_num_hidden_layers": 12, "conf_conv_kernel_size": 5,
                     "sscp_conv_channel_size": [128, 32], "sscp_conv_kernel_size": [[3, 3], [3, 3]],
                     "sscp_conv_stride_size": [[2, 2], [2, 2]]},
        "tower": {"outer": {"": 684_694_048}}},
}  # fmt: skip

# Kimi K3, which the library lacks: a tower without biases whose heads are wider than it is, and a projector of two matrices.
CLASSES |= {
    "kimi_k3": {"blocks": {"text_config": "kimi_linear", "vision_config": "kimi_k3_vision"},
                "projectors": {"vision_config": {"m*m": 1, "m*t": 1, "t": 1}}},
    "kimi_k3_vision": {
        "defaults": {"vt_hidden_size": 1024, "vt_intermediate_size": 4096, "vt_num_hidden_layers": 27, "qkv_hidden_size": 1536,
                     "patch_size": 14, "pos_emb_height": 64, "pos_emb_width": 64, "merge_kernel_size": [2, 2],
                     "mlp_type": "mlp2"},
        "tower": {"stacks": [["vt_num_hidden_layers", {"d*#qkv_hidden_size": 4, "d*f": 2, "d": 2}]],
                  "outer": {"d*pp": 3, "d*#pos_emb_height*#pos_emb_width": 1, "d": 1}}},
}  # fmt: skip

# Types that the library does not know, or knows by another name: what they are like, and what differs.
LIKE = {
    "Yi": "llama", "mimo": "qwen2", "kimi_k2": "deepseek_v3", "deepseek_ref": "deepseek_v4", "minimax_m3": "minimax_m3_vl_text",
    "gpt-sw3": "gpt2", "hunyuan": "hunyuan_v1_moe", "step3p7_text": "step3p5", "qwen2_5_omni_text": "qwen2",
    "data2vec-text": "roberta", "minimax_text_01": "minimax", "baichuan_7b": "llama", "nemotron-nas": "llama",
}  # fmt: skip
GATED = {"ffn_matrices": 3, "layer_norms": 2, "final_norms": 1}
PARTS = {  # of classes that the library cannot build with its own defaults, and what its tensors do not show by their names
    "hunyuan_v1_dense": GATED | {"qk_norm": "head"}, "hunyuan_v1_moe": GATED | {"qk_norm": "head"},
    "hunyuan_vl_text": GATED | {"qk_norm": "head"}, "dots1": GATED | {"qk_norm": "head"}, "lfm2_moe": GATED | {"qk_norm": "head"},
    "ministral": GATED, "step3p5": GATED | {"qk_norm": "head"}, "exaone4_5_text": GATED | {"qk_norm": "head"},
    "nemotron": {"ffn_matrices": 2, "layer_norms": 4, "final_norms": 2}, "granitemoehybrid": GATED, "olmo_hybrid": GATED,
}  # fmt: skip
PARTS |= {"nemotron-nas": {}, "whisper": {}, "t5": {}, "mt5": {}, "umt5": {}}  # read by rules of their own
