"""What the card of a number says: where it is from, how it is known, how far to trust it, and where else it stands.

One card an address.  A card is plain text and links, made while the book is built; ``_static/cards.mjs`` shows it, and never as
HTML.  A link is a pair of its text and its target, from the top of the site.
"""

import re
from html import unescape
from types import SimpleNamespace

import numpy as np

from tokenecon import __version__, data, units
from tokenecon.decision import scenario_prices
from tokenecon.prices import gpu_prices
from tokenecon.queries import kept
from tokenecon.serving.calibration import held_out
from tokenecon_book import citations
from tokenecon_book.build import catalogue
from tokenecon_book.chapters.claims import ledger
from tokenecon_book.chapters.validation.validation import KINDS as ARCHITECTURES
from tokenecon_book.chapters.validation.validation import QUANTITIES, VENDORS
from tokenecon_book.charts import claims_list
from tokenecon_book.charts.ranges import KINDS
from tokenecon_book.documents import base
from tokenecon_book.documents.words import count, dollars, percent, price
from tokenecon_book.site import numbers, numbers_page, parts, reference, tables

# how a named quantity is known -> its basis, and what that says
BASIS = {
    "price": ("quoted", "what sellers ask on dated lists"), "arithmetic": ("derived", "arithmetic on other numbers"),
    "model": ("estimate", "from the model of serving, fitted to published measurements"),
    "draws": ("estimate", "from drawn futures"), "measured": ("measured", "from published measurements"),
    "count": ("derived", "counted"),
}  # fmt: skip
# names of prices of an hour or of a GPU -> their kind in data/prices.csv
ASKED = {name: kind for kind, name in base.HOURS.items() if kind != "own"} | {"purchase-price": gpu_prices.BOUGHT}
API = "api-all"
SELLERS = "price-"  # begins the names of how many sellers a price has and how old it is
ERROR_OF = {"ms/tok_out": "tpot", "ms": "ttft", "s": "ttft"}  # unit -> quantity whose error a card tells; throughput otherwise
MEASURED = ["Against measurements", "validation.html"]
ROWS = {"claims": "A figure of the documents", "assumptions": "An assumption", "traces": "A measured load",
        "optimisations": "A published effect", "gpus": "A fact of an accelerator"}  # fmt: skip
# fields of a case that are rows of data/: field -> table
MADE_OF = {"model": "models", "gpu": "gpus", "weights": "precisions"}


def cards(said, titles):
    """Address to card of every named quantity of some :func:`numbers.texts`; ``titles`` are the names of their pages."""
    usual, known, found = numbers_page.base_case(), numbers_page.names(), {}
    rows = data.table("quantities").set_index("id").to_dict("index")
    for one in _placed(said):
        name, address = one["name"], one["address"]
        if name.startswith(numbers.OWN):
            card = of_parameter(one)
        elif name in rows:
            card = of_quantity(one, rows[name], numbers_page.case_words(one["case"], usual, known))
        else:
            card = of_row(one)
        printed = [[titles[page], f"{page}.html"] for page in one["pages"]]
        if per_million(unit_of(name)):
            card["per_million"] = True
        page, _, mark = address.partition(".html")
        card["rows"] += [["Pages", printed], ["Address", [[citations.address(page, mark), address]]],
                         ["Cite", [cited(card, citations.versioned(address))]]]
        found[address] = card
    return found


def cited(card, address):
    """How to cite a number, in one line."""
    value = f"{card['value']} {card['unit']}".strip()
    return (f"“{card['title']}: {value}”, in: {citations.TITLE}, version {__version__}, data of {citations.data_date()}, "
            f"{address}. CC BY 4.0.")


def _placed(said):
    """The quantities of some texts, each address once: with the text that shows most, the pages and the sources of figures."""
    found = {}
    for text in said:
        for one in text["quantities"]:
            address = numbers.address(one, text["page"])
            entry = found.setdefault(address, one | {"address": address, "page": text["page"], "pages": [], "sources": []})
            entry["text"] = max(entry["text"], one["text"], key=len)
            entry["ends"] = max(entry.get("ends") or "", one.get("ends") or "", key=len)
            entry["pages"] += [text["page"]] * (text["page"] not in entry["pages"])
            entry["sources"] += [source for source in text["sources"] if source not in entry["sources"]]
    return found.values()


def unit_of(name):
    """The unit of a named quantity or of a row of ``data/``; of a parameter, whose entry says it, nothing."""
    if name.startswith(numbers.OWN):
        return ""
    return data.table("quantities").set_index("id")["unit"].get(name) or data.show(name)["rows"][0]["unit"]


def per_million(unit):
    """Whether a number is of a million tokens."""
    return "/Mtok" in unit


def unit_words(unit):
    """A unit as a reader says it; of a kind of parameter, which is no unit, nothing."""
    return tables.unit_words(unit) if unit in units.UNITS and unit != "count" else ""


def _card(title, text, unit, basis, says, what, rows):
    said = text.endswith("%") or unit in text  # the number says its unit itself
    unit = "" if said else unit.removeprefix("USD ") if "$" in text else unit
    return {"title": title, "value": text, "unit": unit, "basis": basis, "says": says, "what": what,
            "rows": [[label, parts] for label, parts in rows if parts]}


# --- a named quantity --------------------------------------------------------------------------------------


def of_quantity(one, row, case):
    """The card of a row of ``data/quantities.csv`` in one case."""
    behind = asked(one)
    asked_of_sellers = row["range"] == "bound" and one["case"].get("kind") == "api"  # of such a bill only the price has ends
    kind = KINDS.get("sellers" if asked_of_sellers else row["range"])
    ends = one.get("ends") or (behind["ends"] if behind and one["name"] in ASKED else "")
    ends = f"{ends}: " if ends else ""
    single = one.get("low") is not None and one["low"] == one["high"]  # of one seller, of one way: there is no range
    rows = [
        ("Range", [f"{ends}{kind.name}, {kind.says}"] if kind and not single else []),
        ("Error", error(one, row)),
        ("Of", [unescape(case)] if case else []),
        ("Note", [by_name(row["apart"])] if row["apart"] else []),
        ("Price", price_words(behind) if behind else []),
        ("Offers", offers(behind) if behind else []),
        ("Formula", formula(row["formula"]) if row["formula"] else []),
        ("Made of", made_of(one["case"])),
        ("Sources", sources(one, behind)),
    ]
    return _card(row["name"], one["text"], unit_words(row["unit"]), *BASIS[row["known"]], row["definition"], rows)


def by_name(text):
    """A remark in which quantities go by their names in place of their ids."""
    known = data.table("quantities").set_index("id")["name"]
    return re.sub(r"[a-z]+(?:-[a-z0-9]+)+", lambda found: f"“{known[found[0]]}”" if found[0] in known else found[0], text)


def asked(one):
    """What is behind a price, or behind a count or the age of its offers; None for another number.

    A dict: typical, ends (or None), sellers, setting, rule, date (as known on), table, and rows: id, provider, quoted, source and
    what each ``asks``.  Raises :class:`ValueError` where a page prints another price than these offers make.
    """
    name, case = one["name"], one["case"]
    kind = case.get("kind") if name.startswith(SELLERS) else ASKED.get(name)
    if name == API:
        found = _api(case)
    elif kind in gpu_prices.PRICE_KINDS and "gpu" in case:
        found = _hour(case, kind)
    else:
        return None
    if not name.startswith(SELLERS) and not np.isclose(found["typical"], one["value"]):
        raise ValueError(f"{one['page']} says {one['value']:g} for {name} of {case}, but its offers make {found['typical']:g}")
    return found


def _hour(case, kind):
    found = gpu_prices.price_range(case["gpu"], kind, case["as_of"], rule=case.get("rule", "typical"))
    rows = gpu_prices.offers(case["gpu"], kind, found["date"])
    rows = rows[rows["id"].isin(found["rows"])].sort_values("value")
    return found | {"ends": f"{dollars(found['low'])} to {dollars(found['high'])}", "table": "prices",
                    "rows": rows.assign(asks=rows["value"].map(dollars))}


def _api(case):
    full = base.of(SimpleNamespace(model=case["model"], as_of=case["as_of"], isl=float(case["isl"]), osl=float(case["osl"]),
                                   cached_prefix=float(case["cached_prefix"])))
    found = scenario_prices.api(full, case["rule"])
    rows = gpu_prices.ruled(scenario_prices.api_offers(full), case["rule"], case["as_of"])
    asks = [f"{price(one.input)} in, {price(one.output)} out" for one in rows.itertuples()]
    return {"typical": found["blend"][1], "ends": None, "table": "api_prices", "rows": rows.assign(asks=asks),
            "sellers": found["count"], "setting": gpu_prices.named(found["sellers"][1:2]), "rule": case["rule"],
            "date": case["as_of"]}


def price_words(found):
    """Of how many sellers a price is, whose it is, and how old its offers are."""
    seen, many = found["rows"]["quoted"], count(len(found["rows"]), "offer")
    how = "cheapest" if found["rule"] == "best" else "median"
    of = f"{how} of {count(found['sellers'], 'seller')} with {many}" if found["sellers"] > 1 else f"one seller with {many}"
    days = gpu_prices.age_days({"newest": seen.max(), "date": found["date"]}, "newest")
    return [f"{of}, set by {' and '.join(found['setting'])}; newest {seen.max()}, {count(days, 'day')} old on {found['date']}, "
            f"oldest {seen.min()}"]


def offers(found):
    """The rows behind a price, each a link."""
    rows = found["rows"]
    return [[f"{name} {row.asks} ({row.quoted})", parts.address(found["table"], row.id)]
            for name, row in zip(gpu_prices.named(rows["provider"]), rows.itertuples(), strict=True)]


def error(one, row):
    """How far the model missed what it had not seen, for the maker and the kind of model that an estimate is of."""
    case = one["case"]
    known = case.get("gpu") in data.ids("gpus") and case.get("model") in data.ids("models")
    if BASIS[row["known"]][0] != "estimate" or not known:
        return []
    return error_of(ERROR_OF.get(row["unit"], "rate"), case["gpu"], case["model"])


def error_of(quantity, gpu, model):
    """The same for a quantity of the serving model, an accelerator and a model."""
    maker = data.gpu(gpu)["vendor"]
    kind = ARCHITECTURES["routed" if data.model(model)["experts"] > 0 else "dense"]
    group = f"{QUANTITIES[quantity]} of {kind} models on {maker}"
    if (found := errors().get((quantity, maker, kind))) is None:
        return [f"no measurement of the {group} is known", MEASURED]
    return [f"{missed(found)}: {group}", MEASURED]


def missed(found):
    """Median error and coverage of some cases of :func:`errors`, in words."""
    cases, inside, miss = found
    return f"±{percent(miss)} on unseen sources, {inside:,} of {cases:,} inside"


def said_of_model(quantity="rate"):
    """Error and coverage of a quantity that the model says, of throughput by default, over all accelerators and models."""
    return f"Modelled {QUANTITIES[quantity]}: {missed(errors()[quantity])}"


@kept
def errors():
    """(quantity, maker, kind of model), and quantity alone, to cases, cases inside their interval and median error.

    Each case was predicted without its family of sources.
    """
    cases = held_out.tried()
    finest = cases.groupby([cases["quantity"], cases["maker"].map(VENDORS), cases["kind"].map(ARCHITECTURES)])
    return {key: (len(own), int(own["inside"].sum()), float(np.expm1(own["residual"].abs().median())))
            for groups in (finest, cases.groupby("quantity")) for key, own in groups}


def formula(name):
    """What a formula says of itself, and its page."""
    module, function = name.split(".")
    known = {one.__name__: one for one in reference.functions(module)[1]}
    return [reference.summary(known[function]).replace("``", ""), [name, f"formulas/{module}.html#{function}"]]


def made_of(case):
    """The model, the accelerator and the number format of a case, each with its facts."""
    known = numbers_page.names()
    return [[known[case[field]], parts.address(table, case[field])] for field, table in MADE_OF.items()
            if case.get(field) in known]


def sources(one, behind):
    """Of a price the lists that it is read from, else those of the facts that it is made of, or of the figures that say it."""
    if behind:
        found = behind["rows"]["source"]
    else:
        names = numbers_page.names()
        found = [row["source"] for field in MADE_OF if one["case"].get(field) in names
                 for row in data.show(one["case"][field])["rows"] if row.get("source")] or one["sources"]
    return [source(one) for one in dict.fromkeys(found)]


def source(id, place=""):
    """A source by publisher and title, the place in it, and its entry in the list of sources."""
    row = data.source(id)
    return [", ".join(filter(None, (row["publisher"], row["title"], place))), parts.address("sources", id)]


# --- a row of data/, a parameter -----------------------------------------------------------------------------


def of_row(one):
    """The card of a number that stands in ``data/`` as it is printed: a figure of the documents, an assumption, a measurement."""
    found = data.show(one["name"])
    row, table = {name: value for name, value in found["rows"][0].items() if value == value and value != ""}, found["table"]
    unit, basis = unit_words(row["unit"]), row.get("basis", "claimed")
    ends = [tables.number(row[end]) for end in ("low", "high") if end in row]
    if table == "claims":
        what, found_in = row["statement"], claimed(row)
    else:
        what, found_in = row.get("note") or f"{row['field']} of {row['trace']}", located(row["source"], row.get("locator", ""))
    rows = [
        ("Range", [f"{' to '.join(ends)} {unit}".strip()] if len(set(ends)) > 1 else []),
        *(judged(one["name"]) if table == "claims" else []),
        ("Conditions", [row["conditions"]] if "conditions" in row else []),
        ("As of", [row["as_of"]] if "as_of" in row else []),
        ("Sources", found_in),
    ]
    return _card(f"{ROWS[table]}: {one['name']}", one["text"], unit, basis, tables.BASIS[basis], what, rows)


def of_claim(address):
    """The card of a claim at its address in the ledger: what is printed and where, the verdict, what is recomputed and how."""
    name = address.partition("#")[2]
    row = _judged()[name]
    printed = claims_list.quantity(row, "claimed") or "a claim without a number"
    card = _card(f"Claim {name}", printed, "", "claimed", tables.BASIS["claimed"], row["statement"], [
        *judged(name), ("Sources", claimed(data.claim(name)))])
    card["rows"] += [["Address", [[citations.address("claims", f"#{name}"), address]]],
                     ["Cite", [citations.claim(name, row["statement"])["text"]]]]
    return card


@kept
def _judged():
    return {row["id"]: row for row in ledger.ledger().table.to_dict("records")}


def judged(name):
    """What the ledger says of a claim: rows of its card."""
    row = _judged()[name]
    rows = {"Verdict": claims_list.VERDICTS[row["verdict"]][1], "If": row["assumption"],
            "Recomputed": claims_list.quantity(row, "recomputed"), "Would have to be": row["needed"], "Note": row["note"]}
    page, _, anchor = (row["chapter"] or "").partition("#")
    sums = [row["arithmetic"]] if row["arithmetic"] else []
    chapter = [[claims_list.chapter_title(page), f"{page}.html{anchor and '#'}{anchor}"]] if page else []
    return [*((label, [str(text)]) for label, text in rows.items() if text and text == text), ("Arithmetic", sums),
            ("Chapter", chapter), ("Ledger", [["its entry", f"claims.html#{name}"]])]


def claimed(row):
    """In which of the documents a claim stands, and in which line."""
    return [source(document, f"line {row[line]:.0f}") for document, line in (("doc-uk", "uk_line"), ("doc-th", "th_line"))
            if line in row]


def located(id, locator):
    """A source and the place in it; an address is a link of its own."""
    if locator.startswith("https://"):
        return [source(id), ["at its origin", locator.split()[0].rstrip(";")]]
    return [source(id, locator)]


def of_parameter(one):
    """The card of a parameter of a page: what it is, where its default is from, and how to change it."""
    name = one["name"].removeprefix(numbers.OWN)
    row = next(row for row in catalogue.all_parameters(one["page"]) if row["name"] == name)
    from_row = row["from"] if row["from"] in data.ids("assumptions") else ""
    basis = data.show(from_row)["rows"][0]["basis"] if from_row else "assumed"
    says = tables.BASIS[basis] if from_row else "a choice of this page; yours may differ"
    taken = [[from_row, parts.address("assumptions", from_row)]] if from_row else (
        [f"the scenario, {row['from']}"] if row["from"] else [])
    rows = [("Taken from", taken), ("Allowed", [row["allowed"].replace("`", "")]),
            ("Change it", [f"{citations.rerun_command(one['page'])} -p {name} …", ["How to rerun", "rerun.html"]])]
    what = f"{row['meaning'][:1].upper()}{row['meaning'][1:]}."
    return _card(f"Parameter {name}", one["text"], unit_words(row["unit"]), basis, says, what, rows)
