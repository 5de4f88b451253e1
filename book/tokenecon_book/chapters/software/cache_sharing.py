"""How many requests fit at a time: by attention structure, packing and width of the KV cache."""

import pandas as pd

from tokenecon import data
from tokenecon.errors import DoesNotFit
from tokenecon.finding import Finding, finding, given, named
from tokenecon.formulas import kv_cache, memory
from tokenecon.serving import textbook
from tokenecon_book.chapters.software.lever_points_textbook import BASE_FORMAT
from tokenecon_book.documents import base
from tokenecon_book.documents.words import percent

LATENT = "deepseek-v3"  # the model whose latent dimensions stand for latent attention
MULTI, GROUPED, SINGLE, LATENTS = "multi-head", "grouped-query", "multi-query", "latent"
PACKINGS = (("contiguous", BASE_FORMAT), ("paged", BASE_FORMAT), ("paged", "fp8"), ("paged", "int4"))
GROUPS = 8  # key-value heads of a grouped-query model, where the model itself has none


def structures(model):
    """KV bytes of a position at 16 bits by attention structure, other things of the model equal: {name: bytes}."""
    record, latent = textbook.shape(model), textbook.shape(LATENT)
    layers = record["full_layers"] + record["window_layers"]
    heads, width = record["query_heads"], record["head_dim"]
    value = memory.bytes_per_param(bits_per_param=data.precision(BASE_FORMAT)["bits"])
    own = record["kv_heads"] if 1 < record["kv_heads"] < heads else min(GROUPS, heads)

    def per_head(kv_heads):
        return kv_cache.kv_bytes_per_token(layers=layers, kv_heads=kv_heads, head_dim=width, bytes_per_value=value)

    return {
        f"{MULTI}: {heads} heads": per_head(heads),
        f"{GROUPED}: {own} heads": per_head(own),
        f"{SINGLE}: 1 head": per_head(1),
        f"{LATENTS}, as {data.model(LATENT)['name']}": kv_cache.kv_bytes_per_token_mla(
            layers=layers, kv_lora_rank=latent["kv_lora_rank"], rope_head_dim=latent["rope_head_dim"],
            bytes_per_value=value),
    }


@finding
def concurrency(case):
    """Requests that fit in the memory, and how many times those of multi-head attention in contiguous 16 bits."""
    positions = case.isl + case.osl
    place = textbook.placement(case.model, case.gpu, case.n_gpus, case.weights)
    wide = data.precision(BASE_FORMAT)["bits"]
    waste = {"contiguous": case.contiguous_waste, "paged": case.paged_waste}
    rows = []
    for structure, kv_bytes in structures(case.model).items():
        for packing, fmt in PACKINGS:
            fits = memory.batch_ceiling(
                usable_bytes=place["usable_bytes"], weight_bytes=place["weight_bytes"],
                activation_bytes=place["activation_bytes"], kv_waste=waste[packing],
                kv_bytes_per_sequence=positions * kv_bytes * data.precision(fmt)["bits"] / wide)
            rows.append({"structure": structure, "packing": f"{packing}, {data.precision(fmt)['name'].split()[0]}",
                         "kv_bytes": kv_bytes * data.precision(fmt)["bits"] / wide, "sequences": float(fits)})
    table = pd.DataFrame(rows)
    if table["sequences"].iloc[0] == 0:
        raise DoesNotFit(
            f"parameter 'n_gpus' is {case.n_gpus}, but {case.n_gpus} x {case.gpu} do not hold the weights of {case.model} in "
            f"{case.weights}; raise it")
    table["factor"] = table["sequences"] / table["sequences"].iloc[0]
    by = table.set_index(["structure", "packing"])["factor"]
    names = list(structures(case.model))
    columns = list(dict.fromkeys(table["packing"]))
    single, grouped = (by[name, columns[0]] for name in (names[2], names[1]))
    together = by[names[1], columns[2]]
    shared, total = data.claim("sw-mqa-cache-factor")["low"], data.claim("sw-kv-concurrency")["low"]
    waste_cut = data.claim("sw-paged-attention-waste")["low"]
    by_documents = kv_cache.concurrency_gain(
        kv_shrink=shared, waste_before=case.contiguous_waste, waste_after=case.contiguous_waste * (1 - waste_cut))
    of = base.cased(case, "model", "contiguous_waste", "paged_waste")
    narrow = data.precision(PACKINGS[2][1])["name"].split()[0]
    more = named("cache-requests", together, "{:.0f}".format, what=columns[2], **of)
    theirs = named("sw-kv-concurrency", total, "{:.0f}".format)
    smaller, half = (named("cache-smaller", factor, "{:.0f}".format, model=case.model, attention=names[place])
                     for place, factor in ((2, single), (1, grouped)))
    claimed = named("sw-mqa-cache-factor", shared, "{:.0f}".format)
    cut, waste = named("sw-paged-attention-waste", waste_cut, percent), given(case, "contiguous_waste", percent)
    give = named("cache-requests", by_documents, "{:.0f}".format, what="the documents' two figures", **of)
    return Finding(table, (
        f"Grouped-query attention, paging and a cache in {narrow} hold {more} times as many requests as multi-head "
        f"attention without them; the documents say {theirs}"), (
        f"Requests of this page's length beside weights in {data.precision(case.weights)['name'].split()[0]}; multi-head "
        "attention in contiguous 16 bits = 1. Other structures are what-ifs with the layers and heads of the model; windows "
        "count as full attention."),
        units={"kv_bytes": "B/position", "sequences": "sequence"},
        sharing=f"One key-value head for all makes the cache of {data.model(case.model)['name']} {smaller} times smaller, "
                f"grouped-query attention {half} times; the documents give {claimed} for multi-query attention.",
        documents=f"Their own two figures, a cache {claimed} times smaller and {cut} less waste, give "
                  f"{give} times when {waste} of the memory is wasted before.",
        by_documents=by_documents)


@finding
def grid(found):
    """:func:`concurrency` for reading: a row a structure, a column a packing."""
    table = found.table
    wide = table.pivot(index="structure", columns="packing", values="factor")
    wide = wide.loc[list(dict.fromkeys(table["structure"])), list(dict.fromkeys(table["packing"]))]
    wide = wide.reset_index()
    wide.columns.name = None
    return Finding(wide, note=found.note, units=dict.fromkeys(wide.columns.drop("structure"), "ratio"))


def columns(found):
    """Headings of :func:`grid`."""
    return {"structure": ("Attention", None)} | {packing: (packing, "ratio") for packing in dict.fromkeys(found.table["packing"])}
