"""The built site, read as files: every address good, nothing foreign, everything signed and dated."""

import csv
import html
import io
import json
import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from sphinx.errors import ExtensionError

from tokenecon import __version__, data, units
from tokenecon_book import citations, mathml
from tokenecon_book.build import notebooks
from tokenecon_book.charts import theme
from tokenecon_book.site import assets, parts, reference, tables

# Elements that make a browser fetch something by itself.
FETCHED = {"script": "src", "img": "src", "source": "src", "iframe": "src", "video": "src", "audio": "src"}
DOWNLOADS = ("csv", "svg", "png", "json", "vl.json", "html")


class Page(HTMLParser):
    """The addresses, anchors and figures of one page."""

    def __init__(self, path):
        super().__init__()
        self.path, self.ids, self.links, self.fetched, self.figures = path, [], [], [], []
        self.headings, self.language = [], None
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if tag == "html":
            self.language = attrs.get("lang")
        if tag == "a" and "href" in attrs:
            self.links.append(attrs["href"])
        if tag == "link" and "alternate" not in attrs.get("rel", ""):
            self.fetched.append(attrs["href"])
        if tag in FETCHED and attrs.get(FETCHED[tag]):
            self.fetched.append(attrs[FETCHED[tag]])
        if tag == "figure" and "te-figure" in attrs.get("class", ""):
            self.figures.append(attrs["id"].removeprefix("fig-"))
        if tag == "h1":
            self.headings.append(tag)


@pytest.fixture(scope="module")
def pages(site):
    """Every page of the site by its address."""
    return {path.relative_to(site).as_posix(): Page(path) for path in sorted(site.rglob("*.html"))}


def is_foreign(address):
    return urlsplit(address).scheme in ("http", "https") or address.startswith("//")


def target(site, page, address):
    """The file and the anchor that an address on a page means."""
    parts = urlsplit(address)
    start = site / parts.path[1:] if parts.path.startswith("/") else page.path.parent / unquote(parts.path)
    path = page.path if not parts.path else start.resolve()
    return path / "index.html" if path.is_dir() else path, unquote(parts.fragment)


# --- addresses ---------------------------------------------------------------------------------


def test_every_internal_address_is_good(site, pages):
    bad = []
    ids = {page.path.resolve(): set(page.ids) for page in pages.values()}
    for name, page in pages.items():
        for address in page.links + page.fetched:
            if is_foreign(address) or urlsplit(address).scheme in ("mailto", "data"):
                continue
            path, anchor = target(site, page, address)
            if not path.exists():
                bad.append(f"{name}: {address} leads to no file")
            elif anchor and path.suffix == ".html" and anchor not in ids[path.resolve()] and anchor != "top":
                bad.append(f"{name}: {address} leads to no anchor")
    assert not bad, "\n".join(bad[:40])


def test_no_page_fetches_anything_from_elsewhere(pages):
    bad = [
        f"{name}: {address}"
        for name, page in pages.items()
        for address in page.fetched
        if is_foreign(address)
    ]
    assert not bad, "\n".join(bad)


def test_no_style_or_module_fetches_anything_from_elsewhere(site):
    bad = []
    for path in [*site.rglob("*.css"), *site.rglob("*.mjs")]:
        if (
            path.name == "vega-bundle.mjs"
        ):  # names addresses of schemas and loads none; the browser tests watch it
            continue
        text = path.read_text(encoding="utf-8")
        found = re.findall(r"(?:url\(|@import |import\(|from )\s*[\"']?((?:https?:)?//[^\"')\s]+)", text)
        bad += [f"{path.name}: {address}" for address in found]
    assert not bad, "\n".join(bad)


def test_ids_are_unique_on_every_page(pages):
    bad = []
    for name, page in pages.items():
        twice = (
            sorted({one for one in page.ids if page.ids.count(one) > 1})
            if len(page.ids) != len(set(page.ids))
            else []
        )
        if twice:
            bad.append(f"{name}: {', '.join(twice[:8])}")
    assert not bad, "\n".join(bad)


def test_every_row_of_every_table_has_an_address(pages):
    for name in tables.titles():
        there = {f"{leaf.page}.html": set(pages[f"{leaf.page}.html"].ids) for leaf in parts.leaves(parts.of(name))}
        lost = [row for row in data.table(name)["id"] if parts.address(name, row).partition("#")[2] not in
                there[parts.address(name, row).partition("#")[0]]]
        assert not lost, f"no anchor of {name}: {lost[:5]}"
    for table in parts.GROUPED:
        for gpu in data.table(table)["gpu"].unique():
            page, _, mark = parts.address(table, parts.group_mark(table, gpu)).partition("#")
            assert mark in pages[page].ids, (table, gpu)
    assert set(data.table("sources")["id"]) <= set(pages["sources.html"].ids)
    assert set(data.table("claims")["id"]) <= set(pages["claims.html"].ids)
    assert set(data.table("corrections")["id"]) <= set(pages["errata.html"].ids)


def test_every_formula_has_an_address_and_its_mathematics(pages):
    for module in reference.modules():
        _, functions = reference.functions(module)
        if not functions:
            continue
        page = pages[f"formulas/{module}.html"]
        assert {function.__name__ for function in functions} <= set(page.ids), module
        assert page.text.count("<math ") >= sum(".. math::" in function.__doc__ for function in functions), (
            module
        )


# --- what a page says about itself ---------------------------------------------------------------


def test_every_page_is_signed_dated_and_can_be_made_again(pages):
    for name, page in pages.items():
        assert f"version {__version__}" in page.text, name
        assert f'<time datetime="{citations.data_date()}">' in page.text, name
        assert (page.language == "en" and page.headings == ["h1"]), name


def test_a_page_made_by_a_notebook_says_how_to_rerun_it(root, pages):
    for path in (root / "notebooks").rglob("*.ipynb"):
        name = path.relative_to(root / "notebooks").with_suffix("").as_posix()
        assert f"{name}.html" in pages, f"notebooks/{name}.ipynb has no page; add it to _toc.yml"
        assert f"<code>tokenecon run {name}</code>" in pages[f"{name}.html"].text


def test_every_chapter_asks_a_question_of_its_own(root, pages):
    contents = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [one["file"] for one in contents["parts"][0]["chapters"]]
    chapters += [name for name in notebooks.catalogue() if name.startswith("cases/")]
    titles = {name: re.search("<title>(.*?) &#8212;", page.text) for name, page in pages.items()}
    titles = {name: unescape(found[1]) for name, found in titles.items() if found}
    for name in chapters:
        assert titles[f"{name}.html"].endswith("?"), f"{name}: a chapter's title is a question"
    shown = re.compile("figures/|data/.+/")  # pages that are titled by what they show
    assert not [title for name, title in titles.items() if len(title) >= 60 and not shown.match(name)]
    asked = [titles[f"{name}.html"] for name in chapters]
    assert len(asked) == len(set(asked))


def test_the_front_page_types_no_result(root):
    text = (root / "book" / "index.md").read_text(encoding="utf-8")
    typed = re.sub(r"\{glue:text\}`[^`]+`|\([^)]*\)", "", text)
    assert re.findall(r"\d+", typed) == ["2025"]  # the year of the documents; every other figure is glued


def test_no_latex_is_left_on_a_page(pages):
    for name, page in pages.items():
        assert r"\(" not in re.sub(r"<(pre|code|script)\b.*?</\1>", "", page.text, flags=re.S), name
        for formula in re.findall(r"<math .*?</math>", page.text, flags=re.S):
            assert "\\" not in re.sub(r"<[^>]+>", "", formula), f"{name}: {formula}"


# --- figures -------------------------------------------------------------------------------------


def test_every_figure_offers_its_data_pictures_and_citation(site, pages):
    seen = set()
    for name, page in pages.items():
        for figure in page.figures:
            files = {end: (site / "figures" / f"{figure}.{end}") for end in DOWNLOADS}
            assert all(path.stat().st_size for path in files.values()), figure
            about = json.loads(files["json"].read_text(encoding="utf-8"))
            assert about["version"] == __version__ and citations.data_date() in about["citation"], figure
            assert name == f"figures/{figure}.html" or about["page"].endswith(f"{name}#fig-{figure}"), figure
            rows = list(csv.reader(io.StringIO(files["csv"].read_text(encoding="utf-8"))))
            assert len(rows) == about["rows"] + 1 and len(rows[0]) == len(about["columns"]), figure
            assert files["png"].read_bytes().startswith(b"\x89PNG"), figure
            assert name.startswith("figures/") or f'href="{citations.root(name)}figures/{figure}.html"' in page.text, figure
            seen.add((figure, name.startswith("figures/")))
    assert len(seen) == 2 * len({figure for figure, _ in seen}) > 0  # each in its chapter and on its own page


def test_the_page_of_a_figure_has_all_that_can_be_taken_away(site, pages):
    for path in (site / "figures").glob("*.html"):
        page, name = pages[f"figures/{path.name}"], path.stem
        about = json.loads((site / "figures" / f"{name}.json").read_text(encoding="utf-8"))
        assert {f"{name}.{end}" for end in DOWNLOADS if end != "html"} <= set(page.links), name
        back = about["page"].removeprefix(f"{citations.site_url()}/{citations.LATEST}/")
        assert f"../{back}" in page.links, name
        cited = citations.figure(name, about["title"])
        for form in ("text", "bibtex", "csl"):
            assert html.escape(cited[form], quote=False) in page.text, (name, form)
        assert f"/v{__version__}/figures/{name}.html" in f"/{about['address']}", name
        assert bool(citations.site_url()) != (html.escape(citations.UNSET) in page.text), name
        assert {one["name"] for one in about["parameters"]} and all(one["meaning"] for one in about["parameters"]), name


def test_a_picture_that_is_taken_away_says_where_it_is_from(site):
    for path in (site / "figures").glob("*.svg"):
        about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", path.read_text(encoding="utf-8"))))
        assert f"Data of {citations.data_date()}." in text and re.search(r"Sources?: ", text), path.name
        assert about["address"] in text.replace(" ", "") or about["address"] in text, path.name
        assert not about["case"] or " ".join(about["case"].split()[:6]) in text, path.name


def test_every_claim_can_be_cited_below_it(pages):
    text = pages["claims.html"].text
    assert "data-cite=" not in text
    for claim in data.ids("claims"):
        assert f"v{__version__}/claims.html#{claim}" in text, claim
    assert text.count('class="te-claim-cite"') == len(data.ids("claims"))


MIXED = {"deepseek-compare"}  # figures whose rows say their units in words


def test_every_number_of_a_figure_has_its_unit(site):
    for path in sorted({*(site / "figures").glob("*.json")} - {*(site / "figures").glob("*.vl.json")}):
        about = json.loads(path.read_text(encoding="utf-8"))
        if about["id"] in MIXED or "unit" in [column["name"] for column in about["columns"]]:  # each row has its own
            continue
        bare = [column["name"] for column in about["columns"] if column["type"] in ("number", "integer") and "unit" not in column]
        assert not bare, f"figure {about['id']}: give the Finding units of {', '.join(bare)}"
        assert {column["unit"] for column in about["columns"] if "unit" in column} <= set(units.UNITS), about["id"]


def test_every_chapter_has_two_to_six_figures(pages):
    for name in (
        "economics",
        "hardware",
        "software",
        "deployment",
        "cases/spotify",
        "cases/shopify",
        "cases/jpmorgan",
    ):
        assert 2 <= len(pages[f"{name}.html"].figures) <= 6, name


def test_a_picture_without_script_stands_in_the_page(pages):
    for name, page in pages.items():
        assert page.text.count('class="te-static te-wide"') == len(page.figures), name


# --- what is served ------------------------------------------------------------------------------


def test_nothing_is_served_that_no_page_uses(site):
    names = [path.relative_to(site).as_posix() for path in site.rglob("*")]
    assert not [name for name in names if name.endswith(".map") or "fontawesome" in name]
    assert not [path for path in site.rglob("*.css") if "webfonts" in path.read_text(encoding="utf-8")]


def test_the_font_for_formulas_is_small(site):
    size = (site / "_static" / "fonts" / assets.FONT_NAME).stat().st_size
    assert 20_000 < size < 80_000


def test_the_fonts_are_those_of_the_locked_packages(root, node_modules):
    files = sorted((root / "book" / "_static" / "fonts").glob("*.woff2"))
    assert sum(path.stat().st_size for path in files) < 150_000
    for path in files:
        (source,) = node_modules.glob(f"@fontsource*/*/files/{path.name}")
        assert path.read_bytes() == source.read_bytes(), f"copy {source} to {path}"


def test_every_font_that_the_style_names_is_served(site):
    style = (site / "_static" / "book.css").read_text(encoding="utf-8")
    faces = re.findall(r'@font-face \{\s+font-family: "([^"]+)";\s+src: url\("([^"]+)"\)', style)
    assert all((site / "_static" / address).exists() for _, address in faces)
    served = {family for family, _ in faces}
    first = {stack.split(",")[0].strip('"') for stack in re.findall(r"--book-(?:sans|serif|mono): ([^;]+);", style)}
    assert first == served - {"STIX Two Math Subset"}
    assert theme.FONT.split(",")[0].strip("'") in served


def test_every_icon_on_a_page_is_drawn(site, pages):
    drawn = set(re.findall(r"\.fa-([a-z-]+) \{ --icon", (site / "_static" / "icons.css").read_text()))
    used = {
        name
        for page in pages.values()
        for name in re.findall(r'class="[^"]*fa-solid fa-([a-z-]+)', page.text)
    }
    assert used - {"lg"} <= drawn


# --- the parts that make it ----------------------------------------------------------------------


def test_a_formula_that_cannot_be_set_stops_the_build():
    with pytest.raises(ExtensionError, match="not know"):
        mathml.mathml(r"a + \nosuchcommand", "inline")


def test_a_formula_becomes_mathml():
    # One fraction, numerator a, denominator b.
    assert "<mfrac><mrow><mi>a</mi></mrow><mrow><mi>b</mi></mrow></mfrac>" in mathml.mathml(
        r"\frac{a}{b}", "block"
    )


def test_a_label_in_a_subscript_stands_upright():
    assert "<mi>act</mi>" in mathml.mathml("P_{act}", "inline")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("    GPUs of a replica, G. [GPU]", ("GPUs of a replica.", "G", "GPU")),
        ("    Zero point, b_z; 0 without. [bit]", ("Zero point; 0 without.", "b_z", "bit")),
        ("    Bytes, weights and all. [B]", ("Bytes, weights and all.", "", "B")),
        ("    No unit here", ("No unit here", "", "")),
    ],
)
def test_meaning_symbol_and_unit_of_an_argument(body, expected):
    assert reference.meaning_of(body) == expected


def test_an_unknown_docstring_section_is_refused():
    with pytest.raises(ValueError, match="Exampels"):
        reference.sections("A sum.\n\nExampels\n--------\n1 + 1\n")


def test_a_fact_is_shown_with_unit_and_range():
    row = {"value": 4.8, "unit": "TB/s", "low": 4.5, "high": float("nan"), "text": ""}
    assert re.sub(r"<[^>]+>", "", tables.quantity(row)) == "4.8 TB per second (4.5 – …)"


def test_the_icon_font_is_taken_out_and_the_rest_left():
    css = '@font-face{font-family:"Font Awesome 6 Free";src:url(a)}.a{b:c}.fa-bars:before,.fa-list:before{content:"x"}.d{e:f}'
    assert assets.without_icon_font(css) == ".a{b:c}.d{e:f}"


def test_every_page_says_in_its_head_what_it_holds(site):
    found = {}
    for path in site.glob("*.html"):
        said = re.findall(r'<meta name="description" content="([^"]+)" />', path.read_text(encoding="utf-8"))
        assert len(said) == 1 and 10 < len(said[0]) <= 302, (path.name, said)
        found[path.name] = said[0]
    chapters = [found[f"{name}.html"] for name in notebooks.catalogue() if f"{name}.html" in found]
    assert len(set(chapters)) == len(chapters) > 9
