"""Cards of numbers: what they say of a price, an estimate, a figure of the documents and a parameter, and where they lead."""

import json
import re
from html import unescape

import numpy as np
import pandas as pd
import pytest
from golden import headlines

from tokenecon import data
from tokenecon_book.site import numbers, reference
from tokenecon_book.site.pedigree import cards, marks

CASE = {"gpu": "h100-sxm-80gb", "as_of": "2025-12-08", "rule": "typical"}
TITLES = {"hour": "Hour", "economics": "Economics", "cases/jpmorgan": "JPMorgan"}


def card(name, text, value, page="hour", case=(), sources=()):
    """The one card of a text that says one number."""
    one = {"name": name, "text": text, "value": value, "case": dict(case)}
    found = cards.cards([{"page": page, "key": "k", "text": text, "quantities": [one], "sources": list(sources)}], TITLES)
    assert len(found) == 1
    (address, made), = found.items()
    return address, made | {"rows": dict(made["rows"])}


def test_a_price_says_its_sellers_their_ages_and_its_rows():
    # On 2025-12-08 data/prices.csv knows 8 offers of 7 sellers: CUDO 2.45, Oblivus 2.94, RunPod 2.99, Lambda 3.29, CR8DL 3.95,
    # AWS 6.88 in two rows, Azure 12.29. The fourth of seven is Lambda's, last seen on 2025-02-28, the oldest of them.
    address, found = card("hour-on-demand", "$3.29", 3.29, "cases/jpmorgan", CASE)
    assert address.startswith("numbers.html#hour-on-demand--")
    assert (found["value"], found["unit"], found["basis"]) == ("$3.29", "per GPU and hour", "quoted")
    assert found["rows"]["Range"][0].startswith("$2.45 to $12.29: spread of offers")
    assert found["rows"]["Price"] == ["median of 7 sellers with 8 offers, set by Lambda; newest 2025-12-08, 0 days old on "
                                      "2025-12-08, oldest 2025-02-28"]
    offers = found["rows"]["Offers"]
    assert len(offers) == 8 and offers[0] == ["CUDO Compute $2.45 (2025-03-03)",
                                              "data/prices/h100-sxm-80gb.html#h100-sxm-80gb.cudo.on-demand.2025-03-03"]
    assert found["rows"]["Pages"] == [["JPMorgan", "cases/jpmorgan.html"]]
    assert ["Epoch AI, Hardware prices", "sources.html#epoch-prices"] in found["rows"]["Sources"]
    assert found["rows"]["Cite"][0].startswith("“Hour on demand: $3.29 per GPU and hour”, in: What a token costs, version ")
    # a count of the same price tells of the same offers
    assert card("price-sellers", "7", 7.0, case=CASE | {"kind": "on_demand"})[1]["rows"]["Offers"] == offers


def test_a_token_price_says_the_rows_that_make_it():
    # the middle seller of the rows that the card links, at 1000 tokens in for 500 out: (2 in + 1 out) / 3
    case = {"model": "llama-3.3-70b", "as_of": "2026-11-28", "isl": "1000", "osl": "500", "cached_prefix": "0", "rule": "typical"}
    rows = cards.offers(cards._api(case))
    known = data.table("api_prices").set_index("id").loc[[target.partition("#")[2] for _, target in rows]]
    assert set(known["model"]) == {"llama-3.3-70b"} and known["as_of"].max() <= "2026-11-28"
    sellers = ((2 * known["usd_per_mtok_in"] + known["usd_per_mtok_out"]) / 3).groupby(known["provider"]).median().sort_values()
    middle = sellers.iloc[(len(sellers) - 1) // 2]
    found = card("api-all", f"${middle:.3f}", middle, case=case)[1]
    assert found["rows"]["Offers"] == rows and found["rows"]["Range"][0].startswith("spread of offers")
    assert found["rows"]["Price"][0].startswith(f"median of {len(sellers)} sellers with {len(rows)} offers, set by ")


def test_a_price_that_its_offers_do_not_make_is_refused():
    with pytest.raises(ValueError, match=r"hour says 3\.3 for hour-on-demand .* its offers make 3\.29"):
        card("hour-on-demand", "$3.30", 3.30, case=CASE)


def test_an_estimate_says_the_error_of_its_maker_and_kind_of_model(monkeypatch):
    # Measured over predicted 1.1, 1/1.2 and 1.5 where NVIDIA serves a dense model: the middle miss is 20%, and two are inside.
    logs = np.log([1.1, 1 / 1.2, 1.5, 4.0])
    tried = pd.DataFrame({"quantity": "rate", "maker": ["nvidia"] * 3 + ["amd"], "kind": "dense", "residual": logs,
                          "inside": [True, True, False, False]})
    monkeypatch.setattr(cards.held_out, "tried", lambda: tried)
    monkeypatch.setattr(cards, "errors", cards.errors.__wrapped__)
    # of all four the middle two miss by 20% and 50%: e to the mean of their logarithms is the root of 1.8
    assert cards.said_of_model() == "Modelled throughput: ±34% on unseen sources, 2 of 4 inside"
    case = {"gpu": "h100-sxm-80gb", "model": "llama-3.3-70b", "weights": "fp8"}
    found = card("cost-output", "$2.60", 2.6, "economics", case)[1]
    assert (found["basis"], found["unit"]) == ("estimate", "per million output tokens")
    link = ["Against measurements", "validation.html"]
    assert found["rows"]["Error"] == ["±20% on unseen sources, 2 of 3 inside: throughput of dense models on NVIDIA", link]
    assert found["rows"]["Formula"][1] == ["money.usd_per_mtok_of_kind", "formulas/money.html#usd_per_mtok_of_kind"]
    assert ["H100 SXM", "data/gpus.html#h100-sxm-80gb"] in found["rows"]["Made of"]
    token = card("time-per-token", "49.7", 49.7, "economics", case)[1]
    assert token["rows"]["Error"] == ["no measurement of the time per token of dense models on NVIDIA is known", link]
    assert "Error" not in card("cost-output", "$2.60", 2.6, "economics", case | {"gpu": ""})[1]["rows"]


def test_a_figure_of_the_documents_says_where_they_print_it():
    address, found = card("hw-h100-power", "700", 700.0)
    claim = data.claim("hw-h100-power")  # printed in line 17 of both
    assert address == "claims.html#hw-h100-power"
    assert (found["what"], found["basis"], found["unit"]) == (claim["statement"], "claimed", "W")
    places = [(target, text.rpartition(", ")[2]) for text, target in found["rows"]["Sources"]]
    assert places == [("sources.html#doc-uk", "line 17"), ("sources.html#doc-th", "line 17")]
    assert "Range" not in found["rows"]  # both ends are 700


def test_a_row_and_a_parameter_say_their_basis():
    address, found = card("power.pue", "1.3", 1.3)  # 1.1 to 1.58, assumed, after the Uptime Institute
    assert address == "data/assumptions.html#power.pue"
    assert (found["basis"], found["rows"]["Range"], found["rows"]["As of"]) == ("assumed", ["1.1 to 1.58 times"], ["2024-02-07"])
    (text, target), = found["rows"]["Sources"]
    assert target == "sources.html#uptime-2023" and text.endswith(", industry average 1.58")  # the place that the row names
    address, own = card("parameter.pue", "1.3", 1.3)
    assert address == "rerun.html#parameter-hour-pue"
    assert own["basis"] == "assumed" and own["rows"]["Taken from"] == [["power.pue", "data/assumptions.html#power.pue"]]
    assert own["rows"]["Change it"][0] == "tokenecon run hour -p pue …"


def test_every_formula_of_a_quantity_exists():
    known = {f"{module}.{one.__name__}" for module in reference.modules() for one in reference.functions(module)[1]}
    assert {name for name in data.table("quantities")["formula"] if name} <= known


def test_every_number_of_a_page_has_a_card_and_every_link_of_a_card_an_end(site):
    ids = {}

    def ends(page):
        if page not in ids:
            ids[page] = set(map(unescape, re.findall(r'\bid="([^"]+)"', (site / page).read_text(encoding="utf-8"))))
        return ids[page]

    shown, lost = 0, []
    for path in sorted(site.rglob("*.html")):
        page = path.relative_to(site).as_posix()
        links = [unescape(one).removeprefix("../") for one in marks.LINK.findall(path.read_text(encoding="utf-8"))]
        if not links:
            continue
        known = json.loads((site / marks.FOLDER / page).with_suffix(".json").read_text(encoding="utf-8"))
        assert set(known) == set(links), page
        shown += len(links)
        for one in known.values():
            targets = [part[1] for _, parts in one["rows"] for part in parts if isinstance(part, list)]
            for place, _, mark in (target.partition("#") for target in targets):
                if mark not in {"", *ends(place)}:
                    lost.append(f"{page}: {one['title']}: {place}#{mark}")
    assert not lost, "\n".join(sorted(set(lost))[:20])
    said = numbers.texts(headlines.BUILT)
    assert shown > sum(len(one["quantities"]) for one in said) / 2  # most of what the notebooks name is shown somewhere


def test_the_bill_of_an_api_ranges_over_its_sellers_alone():
    """Of machines price and speed are at their ends together, of an API only the price is."""
    cases = {kind: {"kind": kind, "gpu": ""} for kind in ("api", "own")}
    said = {kind: card("bill-day", "$407", 407.0, case=case)[1]["rows"]["Range"][0] for kind, case in cases.items()}
    assert said["api"].startswith("sellers, 10 to 90%") and said["own"].startswith("outer bound")
