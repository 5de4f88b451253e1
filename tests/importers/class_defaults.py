"""Writes tokenecon/importers/class_defaults.json from the classes of transformers, built on the meta device: no weights are read.

    python -m venv /tmp/tf && /tmp/tf/bin/pip install transformers torch
    /tmp/tf/bin/python tests/importers/class_defaults.py        # then: pytest tests/importers

For each model type of `counted.jsonl` it notes what a config.json may leave out (`defaults`), what no field says (`parts`:
norms, biases, gates, by the names and sizes of the tensors), the period of its kinds of layers (`layer_types`), the types of the
blocks in it (`blocks`), and towers as sums of products of their widths (`tower`, `projectors`). What the importer then does not
count to a thousandth goes to `refused`, with tensors that no counted class has.
"""

import inspect
import json
import math
import os
import re
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OUT = ROOT / "tokenecon" / "importers" / "class_defaults.json"
LAYER = re.compile(r"(.*?\b(?:layers|h|blocks?|layer|resblocks|transformer_layers))\.(\d+)\.(.*)$")
NORM = re.compile(r"norm|ln_|LayerNorm|_ln\b|\bln\b")
TOWER = re.compile(r"vision|visual|audio|image|projector|vit\b|connector|mm_|resampler|sam_|speech|qformer|merger|aligner|"
                   r"encoder\.|embed_audio|embed_vision|patch_merge|sound|vpm|tower|abstractor|query_tokens|language_projection")
BESIDE = re.compile(r"vision|visual|audio|image|projector|vit\b|connector|mm_|resampler|sam_|speech|qformer|codec|vq")
PROJECTOR = re.compile(r"projector|vision_projection|audio_projection|merger|connector|mm_|aligner|adapter|multi_modal|"
                       r"embed_vision|embed_audio|mlp1|patch_merg|language_projection|qformer|query_tokens|image_newline|deepstack|resampler")
# Their gates belong to linear or latent attention.
UNGATED = ("minimax", "bailing_hybrid", "dots3_note_text", "glm5_next_text", "hy_v4", "hy_v4_vl_text")
QUERY = r"(\b|_)(q|k|v|query|key|value|qkv|c_attn|Wqkv|query_key_value|\w*[qkv]_proj|\w+_attn)\.bias$"
SAYS = re.compile(
    r"(^n_|^num_|_size$|_dims?$|_rank$|head|layers?$|_layers|experts?|window|moe|mlp|attn|attention|conv|ssm|mamba|state|lora|block|"
    r"_pattern$|ratio|bias|qk_norm|tie_word|freq|interval|step|period|offset|group|depth|d_model|d_ff|d_kv|ffn|topk|positions?|"
    r"channels|mel|expand|kernel|length|glu|gat|vocab|emb|indices|indexes|merge|hc_|use_|per_layer|altup|laurel|proj$|"
    r"auto_adjust|multi_query|decoder_arch|parallel|layernorm$|seq_len|dense)")
SILENT = re.compile(
    r"(token_id|token_index|dropout|_pdrop|initializer|chunk_size_feed|output_(att|hid|rou|past|log)|return|num_beam|use_cache|"
    r"pretraining_tp|range|layerdrop|_loss|_std|eps|theta|scal|coef|router_(z|aux)|temperature|logits_to|norm_topk|n_group$|"
    r"topk_group|num_labels|use_mambapy|use_associative|use_mamba_kernels|rescale|residual_in|alpha_factor|beta_factor|softcap|"
    r"attn_implementation|gradient|ctc|mask_|penalty|frame|hop_|sampling|fft|spectro|summary|multipliers?$)")
# What classes take from keyword arguments, and one default that no released model of the family has.
MORE = {name: {"global_head_dim": 512, "hidden_size_per_layer_input": 0} for name in ("gemma4_text", "gemma4_unified_text")}
UNLISTED = ("nemotron_h", "granitemoehybrid")  # their default pattern is no pattern
EXTRA = ("dots1", "hunyuan_v1_dense", "hunyuan_v1_moe", "lfm2_moe", "ministral", "nemotron", "step3p5")  # their defaults fail
TOWERS_TOO = [{"name": "gemma4 with towers", "with": {"vision_config": {}, "audio_config": {}},
               "config": {"architectures": ["Gemma4ForConditionalGeneration"]}}]  # fmt: skip
WIDTHS = {"d": ("embed_dim", "hidden_size", "d_model", "width", "dim"), "f": ("intermediate_size", "encoder_ffn_dim", "mlp_dim"),
          "o": ("out_hidden_size", "projection_dim", "output_dim", "vision_output_dim", "projector_output_dim"),
          "h": ("num_attention_heads", "num_heads", "encoder_attention_heads", "attention_heads")}  # fmt: skip
DEPTHS = ("num_hidden_layers", "depth", "encoder_layers", "num_layers")


def whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def classes():
    """Configuration classes by model type, with those of the blocks inside them."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    found = {}

    def add(one):
        if one.__name__ != "AutoConfig" and one.model_type not in found:
            found[one.model_type] = one
            for inner in (one.sub_configs or {}).values():
                add(inner)

    for kind in CONFIG_MAPPING:
        add(CONFIG_MAPPING[kind])
    return found


def defaults(config_class):
    """Values of fields that say something about the shape, as the class declares them."""
    out = {}
    for name, field in config_class.__dataclass_fields__.items():
        value = field.default
        plain = isinstance(value, str | int | list | tuple) or (name == "mlp_ratio" and isinstance(value, float))
        if plain and SAYS.search(name) and not SILENT.search(name):
            out[name] = list(value) if isinstance(value, tuple) else value
    return out | MORE.get(config_class.model_type, {})


def period(kinds):
    return next(kinds[:n] for n in range(1, len(kinds) + 1) if all(kind == kinds[i % n] for i, kind in enumerate(kinds)))


def entry(config_class):
    """What a class says without its tensors."""
    out = {"defaults": defaults(config_class)}
    try:
        config = config_class()
    except Exception:
        return out, None
    kinds, blocks = getattr(config, "layer_types", None), getattr(config, "mlp_layer_types", None)
    if kinds and config_class.model_type not in UNLISTED:
        out["layer_types"] = period(list(kinds))
    if blocks and set(blocks) == {"dense", "sparse"} and list(blocks) == sorted(blocks):
        out["defaults"].setdefault("first_k_dense_replace", blocks.count("dense"))
    inner = {name: getattr(config, name, None) for name in config_class.sub_configs or {}}
    types = {name: getattr(one, "model_type", None) or getattr(config_class.sub_configs[name], "model_type", None)
             for name, one in inner.items()}
    if any(types.values()):
        out["blocks"] = {name: kind for name, kind in types.items() if kind}
        missing = [name for name in out["blocks"] if inner[name] is None]
        out |= {"optional": missing} if missing else {}
    return out, config


def text_block(block):
    for name in ("text_config", "thinker_config", "llm_config", "language_config", "decoder"):
        if isinstance(block.get(name), dict):
            return text_block(block[name])
    return block


def parts(tensors, block, kind):
    """What no field says: norms, biases and gates, by the names and sizes of the tensors of the language model."""
    d = block.get("hidden_size") or block.get("d_model") or block.get("n_embd")
    heads, width = block.get("num_attention_heads", 0), block.get("head_dim")
    out, norms, layers = Counter(), 0, set()
    for name, size in tensors.items():
        if BESIDE.search(name):
            continue
        inside = LAYER.match(name)
        if not inside:
            _outer(out, name, size, d)
            continue
        layers.add(inside.group(1, 2))
        rest = inside.group(3)
        if re.search(r"(q|k|query|key)_?(layer)?_?norm|[qk]_layernorm", rest):
            out["qk_full" if size[-1] >= 1024 else "qk_head"] = 1
        elif len(size) == 1 and NORM.search(rest) and size[0] == d:
            norms += 1
        else:
            _inner(out, rest, size, d, heads, width or (d // heads if d and heads else 0), kind)
    count = norms / (len(layers) or 1)
    found = {"layer_norms": int(count) if count == int(count) else count, "final_norms": out.pop("final_norms", 0),
             "ffn_matrices": 3 if out.pop("gated", 0) else 2}
    norm = "full" if out.pop("qk_full", 0) else "head" if out.pop("qk_head", 0) else ""
    if out.get("router_bias"):
        out.pop("ffn_bias", None)
    return found | dict(out) | ({"qk_norm": norm} if norm else {}) | ({"lightning": 1} if kind == "minimax" else {})


def _outer(out, name, size, d):
    """Tensors outside the layers."""
    if len(size) == 1 and size[0] == d:
        out["final_norms" if NORM.search(name) else "outer_vectors"] += 1
    elif size == [d, d] and not re.search("altup|pos|wpe", name):
        out["outer_matrices"] += 1
    elif len(size) == 2 and size[1] == d and size[0] <= 8:
        out["outer_vectors"] += size[0]
    if "head" in name and name.endswith("bias") and len(size) == 1 and size[0] > (d or 0):
        out["head_bias"] = 1
    if re.search(r"wpe|embed_positions|position_embeddings|positions_embed", name) and len(size) == 2:
        out["position_embeddings"] = size[0]


def _inner(out, name, size, d, heads, width, kind):
    """Tensors of a layer that are no norms."""
    attention = re.search(r"attn|attention", name, re.I)
    if name.endswith("experts.gate_up_proj_bias"):
        out["router_bias"] = 1
    if name.endswith("bias") and len(size) == 1:
        if attention and re.search(QUERY, name):
            out["qkv_bias"] = 1
        elif attention and size[0] == d:
            out["output_bias"] = 1
        elif not attention and re.search(r"mlp|ffn|feed_forward|fc1|fc2|dense|intermediate|moe", name):
            out["ffn_bias"] = 1
    if len(size) == 2 and re.search(r"(?<!linear_)attn\.(g_proj|gate_proj|output_gate)\.weight$", name) and kind not in UNGATED:
        out["head_gate" if size[0] == heads else "output_gate"] = 1
    if re.search(r"attn\.q_proj\.weight$", name) and size[0] == 2 * heads * width and "gemma" not in kind:
        out["output_gate"] = 1
    for word, key in (("sinks", "sinks"), ("shared_expert_gate", "shared_gate")):
        if word in name:
            out[key] = 1
    if "forget_gate.f_proj" in name:
        out["full_rank_gates"] = 2
    if not attention and re.search(r"gate_proj|gate_up|wi_1|\bw3\b|proj_up_gate|linear_v|input_linear", name):
        out["gated"] = 1


def symbols(block, text_width):
    """Widths of a tower by letter."""
    found = {key: next((block[name] for name in names if whole(block.get(name)) and block[name] > 0), None)
             for key, names in WIDTHS.items()}
    if block.get("mlp_ratio") and found["d"]:
        found["f"] = found["f"] or int(found["d"] * block["mlp_ratio"])
    if block.get("embed_dim") and not found["o"]:
        found["o"] = block.get("hidden_size")
    merge = block.get("spatial_merge_size") or block.get("merge_size") or (block.get("merge_kernel_size") or [0])[0]
    found |= {"t": text_width, "m": merge and found["d"] and found["d"] * merge**2,
              "e": block.get("head_dim") or (found["d"] and found["h"] and found["d"] // found["h"]),
              "a": block.get("head_dim") and found["h"] and found["h"] * block["head_dim"]}
    return {key: value for key, value in found.items() if value and value > 1}


def product(name, size, widths, block, order, wide):
    """A tensor as products of widths, each with how often it occurs; `wide`: all sizes where one of the widths is doubled.

    What does not follow a width is not that width, even where it is as large.
    """
    patch = block.get("patch_size")
    patch = patch[0] if isinstance(patch, list) else patch
    rest, times, letters = [one for one in size if one != 1], 1, []
    if patch and len(size) >= 4 and size[-1] == size[-2] == patch:
        times, letters, rest = math.prod(size[1:-2]), ["pp"], [size[0]]
    elif patch and len(size) == 2 and size[1] % patch**2 == 0 and size[1] // patch**2 in (3, 6, 9, 12) and "patch" in name:
        times, letters, rest = size[1] // patch**2, ["pp"], [size[0]]
    elif "pos" in name.lower() and len(rest) >= 2 and rest[-1] == widths.get("d"):
        known = _positions(math.prod(rest[:-1]), block, patch)
        if known:
            return known
    tried = {key: sizes[name] for key, sizes in wide.items() if len(sizes.get(name, ())) == len(size)}
    for place in [place for place, one in enumerate(size) if one != 1][:len(rest)]:
        one = size[place]
        like = {"m": "d"} | ({} if block.get("head_dim") else {"e": "d"})  # follow the width of the tower
        keys = [key for key in order if like.get(key, key) not in tried or tried[like.get(key, key)][place] != one]
        letter = next(((key, 1) for key in keys if widths.get(key) == one), None) or next(
            ((key, n) for key in keys for n in (2, 3, 4, 5, 6, 8, 16, 0.5, 0.25)
             if key in "dftom" and widths.get(key) and widths[key] * n == one), (None, one))
        letters += [letter[0]] if letter[0] else []
        times *= letter[1]
    return [("*".join(sorted(letters)), times)]


def _positions(rows, block, patch):
    image = block.get("image_size")
    image = image[0] if isinstance(image, list) else image
    if image and patch and rows - (image // patch) ** 2 in (0, 1):
        return [("d*n", 1)] + ([("d", 1)] if rows % 2 else [])
    for name, value in block.items():
        if whole(value) and value > 16 and value in (rows, rows // 2) and re.search("pos|emb|max|length", name):
            return [(f"d*#{name}", rows // value)]
        for other, second in block.items():
            if name < other and whole(value) and whole(second) and value * second == rows and "pos" in name and "pos" in other:
                return [(f"d*#{name}*#{other}", 1)]
    return None


def polynomial(tensors, widths, block, order, wide, share=1):
    total = Counter()
    for name, size in tensors:
        for letters, times in product(name, size, widths, block, order, wide):
            total[letters] += times
    return {letters: int(n / share) if n % share == 0 else n / share for letters, n in total.items() if n}


def tower(tensors, block, text_width, wide):
    """Layers of a tower, what stands around them, a pooling head, and the projector."""
    widths = symbols(block, text_width)
    projector = [one for one in tensors if PROJECTOR.search(one[0])]
    head = [one for one in tensors if re.search(r"\.head\.(probe|attention|mlp|layernorm)", one[0])]
    stacks, outer = {}, []
    for name, size in tensors:
        if (name, size) in projector or (name, size) in head:
            continue
        inside = LAYER.match(name)
        if inside:
            stacks.setdefault(inside.group(1), {}).setdefault(int(inside.group(2)), []).append((name, size))
        else:
            outer.append((name, size))
    found = []
    for layers in stacks.values():
        count = next((name for name in (*DEPTHS, *sorted(block)) if whole(block.get(name)) and block[name] == len(layers)
                      and re.search("layer|depth|block", name)), len(layers))
        every = [one for layer in layers.values() for one in layer]
        found.append([count, polynomial(every, widths, block, "dfoaeh", wide, len(layers))])
    rules = {"stacks": found, "outer": polynomial(outer, widths, block, "dfotmaeh", wide),
             "head": polynomial(head, widths, block, "dfoa", wide)}
    return {key: value for key, value in rules.items() if value}, polynomial(projector, widths, block, "motdfaeh", wide)


def towers(tensors, config, text_width, wide):
    """Rules of each tower block of a configuration, as (block, type, tower, projector)."""
    blocks = {name: one for name, one in config.items()
              if isinstance(one, dict) and re.search(r"(vision|audio|encoder).*_config$", name)}
    mine = [(name, size) for name, size in tensors.items() if TOWER.search(name)
            and not re.search(r"language_model|text_model\.|lm_head|thinker\.model\.", name)]
    for name, block in blocks.items() if mine else ():
        sound = bool(re.search("audio|speech|encoder", name))
        own = [one for one in mine if (len(blocks) == 1 or bool(re.search("audio|speech", one[0])) == sound)]
        yield name, block.get("model_type") or "", *tower(own, block, text_width, wide(name))


def build(line):
    """Configuration and tensors of the class of a line of counted.jsonl, with its defaults and the towers that it may have.

    And whether its attention has biases that spare the output: a switch turns them on, so no tensor shows it.
    """
    import torch
    import transformers
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    config = CONFIG_MAPPING[line["name"].split(" ")[0]](**line.get("with", {}))
    model_class = getattr(transformers, line["config"]["architectures"][0])
    with torch.device("meta"):
        try:
            model = model_class(config)
        except Exception:
            model = model_class(config.get_text_config())
    code = inspect.getsource(sys.modules[model_class.__module__])
    biased, plain = (re.findall(rf"self\.{name}_proj = nn\.Linear\((.*?)\)\n", code, re.S) for name in ("q", "o"))
    unbiased = bool(plain) and all("bias=False" in one for one in plain) and any("_bias" in one for one in biased)
    return config, {name: list(one.shape) for name, one in model.named_parameters()}, unbiased


def wider(line, config, block=None):
    """Sizes of all tensors of the class with one width doubled, by its letter: of the text model and of a tower.

    Widths that the class does not let change alone are left out.
    """
    import torch
    import transformers

    out = {}
    for letter, fields in {"t": ("hidden_size",), **({key: WIDTHS[key] for key in "dfo"} if block else {})}.items():
        full = config.to_dict()
        inner = full[block] if letter != "t" else text_block(full)
        field = next((name for name in fields if whole(inner.get(name))), None)
        if not field:
            continue
        inner[field] *= 2
        if letter == "t" and inner.get("word_embed_proj_dim"):
            inner["word_embed_proj_dim"] *= 2
        try:
            with torch.device("meta"):
                model = getattr(transformers, line["config"]["architectures"][0])(type(config).from_dict(full))
        except Exception:
            continue
        out[letter] = {name: list(one.shape) for name, one in model.named_parameters()}
    return out


def table(lines):
    """Entries of all types: those of the lines, and those of the blocks inside them."""
    known, types, tensors = classes(), {}, {}

    def add(kind):
        if kind in known and kind not in types:
            types[kind], _ = entry(known[kind])
            for inner in types[kind].get("blocks", {}).values():
                add(inner)

    for kind in EXTRA:
        add(kind)
    for line in [*lines, *TOWERS_TOO]:
        name = line["name"].split(" ")[0]
        add(name)
        try:
            config, tensors[line["name"]], unbiased = build(line)
        except Exception as error:
            print(f"{line['name']}: {type(error).__name__}")
            continue
        text = text_block(config.to_dict())
        kind = text.get("model_type") or name
        add(kind)
        if "parts" not in types.setdefault(kind, {"defaults": {}}) or kind == name:
            types[kind]["parts"] = parts(tensors[line["name"]], text, kind) | ({"no_output_bias": 1} if unbiased else {})
        width = text.get("hidden_size")
        for block, tower_kind, rules, projector in towers(tensors[line["name"]], config.to_dict(), width,
                                                          lambda block, line=line, config=config: wider(line, config, block)):
            types.setdefault(tower_kind, {"defaults": {}}).setdefault("tower", rules)
            types[name].setdefault("projectors", {}).setdefault(block, projector)
    return types, tensors


def refused(lines, tensors):
    """Families that the importer does not count to a thousandth with the table as it now is, and tensors that only they have."""
    from tokenecon.errors import BadInput
    from tokenecon.importers import huggingface

    def stem(name):
        return re.sub(r"\d+", "#", re.sub(r"\.(weight|bias)$", "", re.sub(r"^.*?(layers|h|blocks?|layer)\.\d+\.", "", name)))

    counted, out = set(), {}
    for right in (True, False):
        for line in lines:
            try:
                record = huggingface.from_config(line["config"])
            except BadInput:
                continue
            found = record["parameters"] if line["total"] == line["text"] else record["total_parameters"]
            good, names = abs(found - line["total"]) <= 1e-3 * line["total"], tensors.get(line["name"], {})
            if good and right:
                counted |= {stem(name) for name in names}
            elif not good and not right:
                strange = dict.fromkeys(stem(name) for name in names if stem(name) not in counted)
                out[line["name"].split(" ")[0]] = list(strange)[:5]
    return out


def write(types, left_out):
    import transformers

    source = f"classes of transformers {transformers.__version__} (Apache-2.0), by tests/importers/class_defaults.py"
    rows = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in sorted(types.items()) if value]
    lost = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in sorted(left_out.items())]
    head = f'{{"source": {json.dumps(source)},\n"refused": {{\n'
    OUT.write_text(head + ",\n".join(lost) + '\n},\n"types": {\n' + ",\n".join(rows) + "\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    sys.path.insert(0, str(ROOT))
    LINES = [json.loads(line) for line in (HERE / "counted.jsonl").read_text(encoding="utf-8").splitlines()]
    LINES = [line for line in LINES if line["of"] == "class"]
    TYPES, TENSORS = table(LINES)
    write(TYPES, {})
    write(TYPES, refused(LINES, TENSORS))
