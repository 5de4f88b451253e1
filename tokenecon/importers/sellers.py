"""Which model and which seller a price list means, when every list and every seller spells them its own way."""

import re
from functools import cache

# What a seller adds to the name of a model without selling another model: its form of service, width, date, context.
ADDED = (r"instruct|chat|hf|it|turbo|lite|fast|instant|versatile|specdec|reasoning|basic|maas|fp8|fp16|bf16|awq|int4|"
         r"nvfp4|mxfp4|dynamic|ultra|us|eu|\d{4}-\d{2}-\d{2}|\d{4,6}|v\d+(?:[:.]\d+)?|\d:\d")
MAKERS = (r"meta|databricks|system\.ai|openai|mistral|mistralai|qwen|deepseek|google|moonshotai|minimax|minimaxai|zai|"
          r"z\.ai|snowflake|fw|us-gov|us|eu|global|regional")
# Names that look like a service of a model and are another one.
OTHERS = ("glm-5-turbo", "gpt-3.5-turbo-instruct", "whisper-large-v3-turbo")
# Names that a maker moves on to its newest model: what they meant on a day, only that day's list can say in words.
MOVING = ("deepseek-chat", "deepseek-reasoner")
BETWEEN = r"[-._ p]?v?"  # what stands between the parts of a name: llama-3.1, llama3-1, llama-v3p1

# list's name of a seller -> ours, where they differ; a router that passes a seller's price on is that seller
SELLERS = {
    "azure_ai": "azure", "azure_text": "azure", "bedrock": "aws", "bedrock_converse": "aws", "bedrock_mantle": "aws",
    "fireworks-ai": "fireworks", "fireworks_ai": "fireworks", "lambda_ai": "lambda", "moonshot": "moonshotai",
    "text-completion-openai": "openai", "together_ai": "together", "vercel_ai_gateway": "vercel",
}  # fmt: skip
ROUTER = "huggingface_"
FAMILY = "vertex_ai"  # LiteLLM has one name for each maker sold there


def seller(name):
    """Our name of a seller: ``huggingface_together`` and ``together_ai`` are ``together``."""
    name = name.lower().removeprefix(ROUTER)
    if name.startswith(FAMILY):
        return "google"
    return re.sub(r"[^a-z0-9-]+", "-", SELLERS.get(name, name)).strip("-")


@cache
def _pattern(model, aliases):
    """The pattern of all spellings of a model: its parts, then only what sellers may add."""
    stem = model.removesuffix("-instruct")
    parts = [part for word in re.split(r"[-._ ]", stem) for part in re.split(r"(?<=[a-z]{3})(?=\d)", word)]
    added = [alias[len(stem) + 1:] for alias in aliases if alias.startswith(f"{stem}-")]
    own = "".join(f"|{re.escape(word)}" for alias in added for word in alias.split("-") if word != "instruct")
    body = BETWEEN.join(map(re.escape, parts))
    return re.compile(rf"(?:(?:{MAKERS})[-._: ]+)*{body}(?:[-_:. ]+(?:{ADDED}{own}))*")


def model_of(seller_model, models, title=""):
    """Id of the model that a seller's name means, or None: a fine-tune, a free trial or a batch queue is not it.

    ``models`` maps each id to its aliases, ``title`` is what the list calls the offer in words.  Of several ids that
    fit, the longest is meant.

    >>> model_of("accounts/fireworks/models/llama-v3p1-70b-instruct", {"llama-3.1-70b": ()})
    'llama-3.1-70b'
    >>> model_of("nousresearch/hermes-3-llama-3.1-70b", {"llama-3.1-70b": ()}) is None
    True
    """
    fits = []
    for spelt in (seller_model, title):
        name = re.sub(r"^[\w .-]+: ", "", spelt.lower().rsplit("/", 1)[-1].strip())  # "Meta: Llama 3.1 8B Instruct"
        if name in OTHERS:
            return None
        if name not in MOVING:
            fits += [model for model, aliases in models.items() if _pattern(model, tuple(aliases)).fullmatch(name)]
    return max(fits, key=len, default=None)
