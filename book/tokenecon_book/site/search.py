"""What the search finds besides pages: findings, prices, facts, models, terms, numbers, claims …, each with a line of the answer.

``_static/search.json`` holds one entry for each: ``kind``, ``title``, ``line`` (the answer), ``to`` (its address from the top of
the site), ``words``, under which people look for it besides those of title and line, and ``rank``, by which it goes before others
with the same words.  The page loads it when somebody searches.
"""

import html
import json
from math import log10
from pathlib import Path

from docutils import nodes

from tokenecon import data
from tokenecon.numbers import number
from tokenecon.prices import price_book
from tokenecon_book.build import catalogue
from tokenecon_book.charts import claims_list
from tokenecon_book.charts.theme import unit_words
from tokenecon_book.documents import words
from tokenecon_book.site import accelerators, numbers, numbers_page, parts, reference
from tokenecon_book.site.assets import write_if_changed

# What a reader most likely looks for, where two kinds have the same words.
RANKS = {
    "Finding": 2.5, "Term": 2.5, "Price": 1.5, "Model": 1.7, "Accelerator": 1.0, "Number": 1.2, "Assumption": 0.7, "Claim": 0.9,
    "Seller": 1.0, "Formula": 0.7, "Figure": 0.7, "Published effect": 0.5, "Source": 0.4,
}  # fmt: skip
MANY = 4  # prices that stand for all
SHORT = 60  # letters of a case that a line has room for
# of the prices and facts of one accelerator, and of numbers
FIRST = {"on_demand": 2.0, "purchase": 0.9, "memory": 1.6, "bandwidth": 1.7, "hour-on-demand": 3.5, "api-all": 2.0}
# What people call a thing, where the page has another word for it.  Each is checked to exist.
CHAPTERS = {
    "economics": "price cost of a token per million tokens cheap",
    "hardware": "gpu accelerator comparison which gpu best cheapest h100 h200 b200 mi300x",
    "software": "optimisation quantisation batching speculative decoding caching savings",
    "market": "price prices rental hourly history trend index api token",
    "hour": "own buy purchase depreciation power electricity colocation capex opex tco total cost of ownership",
    "traffic": "utilisation load peak busy idle demand",
    "deployment": "cloud edge region latency egress serverless central",
    "contracts": "spot commitment reserved committed discount on demand",
    "decision": "own or rent buy build self-host api break-even breakeven choose choice tco",
    "reconciliation": "compare price spread why different",
    "claims": "fact check verdict article introl documents ledger",
    "validation": "accuracy error trust benchmark measured",
}  # fmt: skip
TERMS = {
    "ISL": "context length prompt length input tokens", "OSL": "answer length output tokens", "TTFT": "latency response time",
    "TPOT": "latency itl inter-token latency speed", "break-even": "breakeven pay off payback", "on demand": "hourly price",
    "attention heads": "MHA GQA MQA MLA", "KV cache": "context length memory", "throughput": "speed tokens per second",
}  # fmt: skip
NUMBERS = {
    "hour-on-demand": "price price rent rental hourly", "hour-spot": "price spot", "hour-owned": "own buy price",
    "cost-all": "price of a token cost per million tokens", "api-all": "price of a token api",
    "break-even-api": "breakeven own or rent volume api", "own-over-rent": "own or rent buy or rent",
}  # fmt: skip
PRICES = {
    "on_demand": "price cost rent rental hire lease hourly hour on-demand cloud today", "spot": "price cost spot preemptible "
    "interruptible hourly hour rent", "marketplace": "price cost rent hourly hour marketplace vast", "purchase":
    "price cost buy purchase own capex", "reserved_3m": "price cost rent hourly reserved contract commitment",
    "committed_1y": "price cost rent hourly reserved contract commitment", "committed_3y":
    "price cost rent hourly reserved contract commitment", "rental_3y": "price cost rent hourly contract",
}  # fmt: skip
FACTS = {
    "memory": "vram hbm capacity size", "bandwidth": "hbm speed memory", "bf16": "flops tflops compute peak fp16", "fp8":
    "flops tflops compute peak", "fp4": "flops tflops compute peak nvfp4 mxfp4", "int8": "tops compute peak", "board_power":
    "tdp watt power consumption", "link_bandwidth": "nvlink interconnect", "release": "launch date year age",
}  # fmt: skip


def entry(kind, title, line, to, words="", first=1.0):
    """One entry of the index; ``first`` is by how much it goes before others of its kind."""
    line = " ".join(line.split())
    return {"kind": kind, "title": title, "line": line[:1].upper() + line[1:], "to": to, "words": " ".join(words.split()),
            "rank": round(RANKS[kind] * first, 2)}


def _known(offers):
    """By how much what many offer goes before what few do: many look for it."""
    return 1 + log10(1 + offers) / 2


def chapters(said):
    """The pages of notebooks, each with its finding."""
    findings = {one["page"]: one["text"] for one in said if one["key"] == f"{one['page'].rpartition('/')[2]}-finding"}
    found = []
    for one in catalogue.all_notebooks():
        page = one["notebook"]
        found.append(entry("Finding", one["question"], findings.get(page, ""), f"{page}.html",
                           f"{page.rpartition('/')[2]} {CHAPTERS.get(page, '')}"))
    return found


def gpus():
    """Of each accelerator its prices, each with count and age, and the facts of its data sheet."""
    found, hours = [], []
    as_of = accelerators.day()
    for gpu, name in data.gpus()["name"].items():
        vendor = f"{data.gpu(gpu)['vendor']} gpu accelerator {gpu}"
        priced = accelerators.priced(gpu, as_of)
        known = _known(sum(one["offers"] for one in priced.values()))
        if "on_demand" in priced:
            hours.append((-priced["on_demand"]["sellers"], f"{name} {words.dollars(priced['on_demand']['typical'])}"))
        for kind, one in priced.items():
            found.append(entry("Price", f"{name}: {accelerators.KINDS[kind].lower()}", accelerators.said(one),
                               f"accelerators.html#{gpu}", f"{vendor} {PRICES[kind]}", known * FIRST.get(kind, 1)))
        for field, row in accelerators.facts(gpu).items():
            if row["unit"] == "count":
                continue
            text = row["text"] or f"{row['value']:,g} {row['unit']}"
            source = data.source(row["source"])
            found.append(entry("Accelerator", f"{name}: {accelerators.FACTS[field].lower()}",
                               f"{text}, {accelerators.basis(row)}, from {source['title']}", f"accelerators.html#{row['id']}",
                               f"{vendor} {FACTS.get(field, '')}", known * FIRST.get(field, 1)))
    most = ", ".join(text for _, text in sorted(hours)[:MANY])
    found.append(entry("Price", "Price of an hour, by accelerator", f"On demand: {most} …", "accelerators.html",
                       f"gpu gpus {PRICES['on_demand']}", 3))
    return found


def models():
    """Models with their shape, and what their tokens cost."""
    found = []
    for row in data.models().reset_index().to_dict("records"):
        size = f"{number(row['parameters'], 'param')} parameters"
        if row["active_parameters"] != row["parameters"]:
            size += f", {number(row['active_parameters'], 'param')} of them active"
        line = f"{size}, {row['layers']:.0f} layers"
        if row["max_positions"] == row["max_positions"]:
            line += f", context length {row['max_positions']:,.0f} tokens"
        found.append(entry("Model", row["name"], line, parts.address("models", row["id"]),
                           f"{row['id']} {row['aliases']} {row['family']} parameters layers size shape context window"))
    return found


def token_prices():
    """What a million tokens of each model cost at the median seller, by the rule of :func:`price_book.token_price`."""
    as_of = accelerators.day()
    names = data.models()["name"]
    found, lines = [], []
    for model, rows in price_book.token_prices(None, as_of).groupby("model"):
        sellers = rows.groupby("provider")[[price_book.MONEY[side] for side in ("input", "output")]].median()
        count = "1 seller" if len(sellers) == 1 else f"median of {len(sellers)} sellers"
        read, written = (words.price(sellers[price_book.MONEY[side]].median()) for side in ("input", "output"))
        line = (f"{read} a million tokens in, {written} out, {count}, "
                f"newest {accelerators.date(min(rows['last_seen'].max(), as_of))}")
        lines.append((-len(sellers), f"{names.get(model, model)} {read} in and {written} out"))
        found.append(entry("Price", f"{names.get(model, model)}: tokens at an API", line,
                           parts.address("api_prices", rows["id"].iloc[0]),
                           f"{model} price cost api token tokens inference per million", _known(len(sellers))))
    most = "; ".join(text for _, text in sorted(lines)[:MANY])
    found.append(entry("Price", "Price of a million tokens, by model", f"{most} …", "data/api_prices.html",
                       "cost api inference", 3))
    return found


def terms(env):
    """The terms of the glossary with what they mean."""
    found = []
    for item in env.get_doctree("glossary").findall(nodes.definition_list_item):
        names = list(item.findall(nodes.term))
        meaning = next(item.findall(nodes.definition)).astext()
        found += [entry("Term", name.astext(), meaning, f"glossary.html#{name['ids'][0]}", TERMS.get(name.astext(), ""))
                  for name in names if name["ids"]]
    return found


def quantities(said):
    """The named quantities, each with the value whose case is nearest to the base case."""
    usual, known = numbers_page.base_case(), numbers_page.names()
    found = []
    for row in numbers.listed(said):
        line = row["definition"]
        if row["values"]:
            cases = [(html.unescape(numbers_page.case_words(one["case"], usual, known)), one) for one in row["values"]]
            of, shown = min(cases, key=lambda case: (len(case[0]), -len(case[1]["pages"])))
            line = f"{shown['text'].removesuffix(' than')}{f' ({of})' if 0 < len(of) <= SHORT else ''}. {line}"
        first = FIRST.get(row["id"], 0.5 if row["known"] == "count" else 1.6 if row["id"] in NUMBERS else 1.0)
        found.append(entry("Number", row["name"], line, f"numbers.html#{row['id']}",
                           f"{row['id']} {NUMBERS.get(row['id'], '')}", first))
    return found


def claims():
    """The claims of the documents with their verdicts and what was recomputed."""
    from tokenecon_book.chapters.claims import ledger

    found = []
    for row in ledger.ledger().table.to_dict("records"):
        _, verdict = claims_list.VERDICTS[row["verdict"]]
        recomputed = claims_list.quantity(row, "recomputed")
        found.append(entry("Claim", row["statement"], f"{verdict}{f': {recomputed} recomputed' if recomputed else ''}",
                           parts.address("claims", row["id"]), f"{row['id']} {row['section']} claim"))
    return found


def assumptions():
    """What the book assumes, with its range."""
    found = []
    for row in data.table("assumptions").to_dict("records"):
        unit = "" if row["unit"] in ("1", "ratio", "fraction", "count", "text") else f" {unit_words(row['unit'])}"
        value = number(row["value"], row["unit"]) + unit.removeprefix(" USD")
        if row["low"] == row["low"] and row["high"] == row["high"]:
            value += f", {number(row['low'], row['unit'])} to {number(row['high'], row['unit'])}"
        title, _, rest = row["note"].partition(". ")
        found.append(entry("Assumption", title.removesuffix("."), f"{value}, {row['basis']}. {rest}",
                           parts.address("assumptions", row["id"]), row["id"]))
    return found


def others(said):
    """Figures, formulas, sellers, published effects of optimisations and sources."""
    found = [entry("Figure", one["title"], f"Figure on “{one['page'].rpartition('/')[2]}”",
                   f"{one['page']}.html#fig-{one['key'].removeprefix('figure ')}", "chart")
             for one in said if one["key"].startswith("figure ")]
    found += [entry("Formula", name, sentence, f"formulas/{page}#{name}", f"{title} formula")
              for title, page, _, functions in reference.contents() for name, sentence in functions]
    found += [entry("Seller", row["name"], f"{row['kind'].capitalize()}. {row['note']}", parts.address("providers", row["id"]),
                    f"{row['id']} cloud") for row in data.table("providers").to_dict("records")]
    found += [entry("Published effect", f"{row['lever'].replace('_', ' ').capitalize()} against {row['baseline']}",
                    f"{number(row['value'], row['unit'])}, {row['conditions'] or row['note']}",
                    parts.address("optimisations", row["id"]), row["id"])
              for row in data.table("optimisations").to_dict("records")]
    found += [entry("Source", row["title"], ", ".join(filter(None, (row["publisher"], row["published"]))),
                    parts.address("sources", row["id"]), row["id"]) for row in data.table("sources").to_dict("records")]
    return found


def of_data(app, env):
    """Collect what does not come from prose.  It stays in Sphinx's environment: a build that keeps that has the same data."""
    if not hasattr(env, "tokenecon_found"):
        said = numbers.texts(Path(app.srcdir))
        env.tokenecon_found = [*chapters(said), *gpus(), *models(), *token_prices(), *quantities(said), *claims(), *assumptions(),
                               *others(said)]
    return []  # no page is to be read again


def write(app, exception):
    """Write the index beside the scripts of the site."""
    if exception is None and app.builder.name == "html":
        text = json.dumps([*app.env.tokenecon_found, *terms(app.env)], ensure_ascii=False, separators=(",", ":"))
        write_if_changed(Path(app.outdir) / "_static" / "search.json", text.replace("},{", "},\n{") + "\n")


def setup(app):
    app.connect("env-updated", of_data)
    app.connect("build-finished", write)
