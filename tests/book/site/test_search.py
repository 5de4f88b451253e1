"""The index of the search: every entry leads to a place that is there and says an answer; prices are those of the rule."""

import json
from html.parser import HTMLParser

import pytest

from tokenecon import data
from tokenecon.prices import gpu_prices, price_book
from tokenecon_book.build import notebooks
from tokenecon_book.documents import words
from tokenecon_book.site import accelerators, assets, parts, search


@pytest.fixture(scope="module")
def found(site):
    return json.loads((site / "_static" / "search.json").read_text(encoding="utf-8"))


class Ids(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.ids = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.ids |= {value for name, value in attrs if name == "id"}


def test_every_entry_leads_to_a_place_that_is_there(site, found):
    known = {}
    for one in found:
        page, _, anchor = one["to"].partition("#")
        if page not in known:
            known[page] = Ids((site / page).read_text(encoding="utf-8")).ids
        assert not anchor or anchor in known[page], one
        assert one["title"] and one["line"] and one["kind"] in search.RANKS, one


def test_every_claim_model_accelerator_term_and_number_has_an_entry(found):
    places = {one["to"] for one in found}
    for table, page in (("claims", "claims"), ("models", "data/models"), ("assumptions", "data/assumptions"),
                        ("quantities", "numbers"), ("sources", "sources"), ("providers", "data/providers")):
        missing = [one for one in data.ids(table) if f"{page}.html#{one}" not in places]
        assert not missing, f"{table}: {missing[:3]}"
    assert {f"accelerators.html#{gpu}.bandwidth" for gpu in data.ids("gpus")} <= places
    assert {f"{name}.html" for name in notebooks.catalogue()} <= places


def test_prices_of_the_index_are_those_of_the_rule(found):
    as_of = accelerators.day()
    hour = gpu_prices.price_range("h200-sxm-141gb", "on_demand", as_of)
    said = next(one["line"] for one in found if one["title"] == "H200 SXM: on demand")
    assert said.startswith(f"${hour['typical']:.2f} an hour on demand, median of {hour['sellers']} sellers, newest ")
    token = price_book.token_price("llama-3.3-70b", as_of)
    said = next(one["line"] for one in found if one["title"] == "Llama 3.3 70B: tokens at an API")
    assert said.startswith(f"{words.price(token['input'][1])} a million tokens in, {words.price(token['output'][1])} out, "
                           f"median of {token['providers']} sellers")


def test_other_words_are_given_to_things_that_exist(found):
    titles = {one["title"] for one in found}
    assert set(search.CHAPTERS) <= set(notebooks.catalogue())
    assert set(search.TERMS) <= titles
    assert set(search.NUMBERS) <= set(data.ids("quantities"))
    assert set(search.PRICES) == set(accelerators.KINDS) <= set(gpu_prices.PRICE_KINDS)
    fields = set(data.table("gpus")["field"])
    assert set(search.FACTS) <= set(accelerators.FACTS) <= fields


def test_an_accelerator_shows_the_rows_behind_its_price(site):
    text = (site / "accelerators.html").read_text(encoding="utf-8")
    section = text[text.index('id="h200-sxm-141gb"'):]
    section = section[:section.index("</section>")]
    for row in gpu_prices.price_range("h200-sxm-141gb", "on_demand", accelerators.day())["rows"]:
        assert f'href="{parts.address("prices", row)}"' in section, row
    assert data.source("nvidia-h200-datasheet")["url"] in section


def test_the_library_of_the_search_is_that_of_the_locked_package(site, node_modules):
    package, served = node_modules / "minisearch", site / "_static" / "minisearch"
    source = (package / "dist" / "es" / "index.js").read_text(encoding="utf-8")
    assert assets.without_map((served / "index.mjs").read_text(encoding="utf-8")) == assets.without_map(source)
    assert (served / "LICENSE.txt").read_bytes() == (package / "LICENSE.txt").read_bytes()
