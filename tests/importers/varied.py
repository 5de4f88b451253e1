"""Writes varied.jsonl: class defaults with one width changed, as transformers counts them on the meta device.

    /tmp/tf/bin/python tests/importers/varied.py        # in the environment of class_defaults.py; then: pytest tests/importers

A rule that holds at the defaults of a class alone may rest on two widths that are equal there; these lines tell them apart.
"""

import copy
import json
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TWICE = ("hidden_size", "d_model", "n_embd", "n_embed", "moe_intermediate_size", "num_experts", "n_routed_experts",
         "num_local_experts", "head_dim", "embed_dim", "out_hidden_size", "projection_dim", "width")  # fmt: skip
MORE = {"intermediate_size": 256, "d_ff": 256, "decoder_ffn_dim": 256, "encoder_ffn_dim": 256, "vocab_size": 1000, "depth": 2,
        "num_hidden_layers": 4, "encoder_layers": 2}  # fmt: skip
TOWERS = ("vision_config", "audio_config")
TEXTS = ("text_config", "llm_config", "language_config", "thinker_config")


def place(config):
    """Names of the blocks that lead to the text model."""
    inner = next((name for name in TEXTS if isinstance(config.get(name), dict)), None)
    return [inner, *place(config[inner])] if inner else []


def inside(config, names):
    for name in names:
        config = config[name]
    return config


def changes(block, tower):
    """Fields of a block with another value each."""
    for key in (*TWICE, *MORE):
        value = block.get(key)
        if isinstance(value, int) and value > 0 and not (tower and key == "vocab_size"):
            yield key, value * 2 if key in TWICE else value + MORE[key]
    heads = block.get("num_key_value_heads")
    if not tower and isinstance(heads, int) and heads % 2 == 0:
        yield "num_key_value_heads", heads // 2


def counted(config_class, model_class, full):
    import torch

    config = config_class.from_dict(full)
    with torch.device("meta"):
        try:
            model = model_class(config)
        except Exception:
            model = model_class(config.get_text_config())
    return sum(one.numel() for one in model.parameters())


def varied(line):
    """Lines of one class."""
    import transformers
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    config_class = CONFIG_MAPPING[line["name"]]
    model_class = getattr(transformers, line["config"]["architectures"][0])
    usual = config_class().to_dict()
    names = place(line["config"])
    blocks = [(names, False), *(([*names[:-1], one], True) for one in TOWERS if isinstance(line["config"].get(one), dict))]
    for where, tower in blocks:
        for key, value in changes(inside(line["config"], where), tower):
            full = copy.deepcopy(usual)
            try:
                inside(full, where)[key] = value
                total = counted(config_class, model_class, full)
            except Exception:  # a class that has other checks, or derives the field
                continue
            yield {"name": line["name"], "where": where, "field": key, "value": value, "total": total}


if __name__ == "__main__":
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    LINES = [json.loads(line) for line in (HERE / "counted.jsonl").read_text(encoding="utf-8").splitlines()]
    with (HERE / "varied.jsonl").open("w", encoding="utf-8") as file:
        for LINE in LINES:
            if LINE["of"] == "class" and " " not in LINE["name"]:
                try:
                    file.writelines(json.dumps(one, separators=(",", ":")) + "\n" for one in varied(LINE))
                except Exception as error:
                    print(f"{LINE['name']}: {type(error).__name__}", file=sys.stderr)
