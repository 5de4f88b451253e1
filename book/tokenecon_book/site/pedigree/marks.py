"""Numbers in the sentences of a page as links to their entries, which ``_static/cards.mjs`` opens as cards.

A text that was glued and the head of a figure are found again by what they say; which numbers stand in them is known from the
notebook.  Without script a link leads to the entry of the number, the row of data/, or the parameter.
"""

import functools
import json
import re
import shutil
from html import escape, unescape
from pathlib import Path

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

from tokenecon import data
from tokenecon_book import citations
from tokenecon_book.charts.ranges import KINDS
from tokenecon_book.site import numbers, numbers_page
from tokenecon_book.site.pedigree import cards

HEAD = re.compile(r'(<p class="te-figure-(?:title|subtitle)"[^>]*>)([^<]*)(</p>)')
FIGURE = re.compile(r'<figure class="te-figure" id="fig-([^"]+)"')
LINK = re.compile(r'<a class="number(?: [^"]*)?" href="([^"]+)"')
INTERVAL = re.compile(rf'<p class="te-table-note">[^<]*{KINDS["interval"].name}[^<]*</p>')
SOURCES = '<div class="te-figure-sources">'
ERRORS = "validation"  # the page about errors, which says more of them
FOLDER = "cards"  # of the site, one file a page


def pieces(text, quantities):
    """A text in pieces: pairs of a part of it and the named quantity that it is, or None.

    Names of things and dates are no numbers.  Quantities that read the same stand in the order in which they were said; where
    the text has fewer places, a figure that it cites by its row of data/ goes first, for the others come with what it repeats.
    """
    left, shown = {}, []
    for one in quantities:
        left.setdefault(one["text"], []).append(one)
    for word, same in left.items():
        if len(same) > len(re.findall(_whole(word), text)):
            same.sort(key=lambda one: one["name"] in data.ids("quantities"))
    names = [name for name in numbers.names() if name in text and name not in left]
    words = sorted({*left, *names}, key=len, reverse=True)
    known = "|".join(map(_whole, words))
    found, start = re.compile(f"{numbers.DATE.pattern}|{known}" if known else numbers.DATE), 0
    for match in found.finditer(text):
        if same := left.get(match[0]):
            shown += [(text[start:match.start()], None), (match[0], same.pop(0) if len(same) > 1 else same[0])]
            start = match.end()
    return [piece for piece in (*shown, (text[start:], None)) if piece[0]]


def _whole(word):
    """A pattern of a word that is no part of a longer one, nor of another number."""
    return rf"(?<![\w.]){re.escape(word)}(?!\w|%|[.,]\d)"


@functools.cache
def _said(folder, order):
    """Texts of the notebooks of a folder: (page, text) and text alone to the text with its quantities; figures by their key.

    What several pages say is taken from the first of them in the contents.
    """
    found = {}
    for one in sorted(numbers.texts(folder), key=lambda one: order.index(one["page"]) if one["page"] in order else len(order)):
        found.setdefault(_plain(one["text"]), one)
        found.setdefault(one["key"], one)
        found[one["page"], _plain(one["text"])] = one
    return found


def _plain(text):
    """A text without what typography made of its quotation marks."""
    return text.translate(str.maketrans("‘’“”", "''\"\""))


class Marks(SphinxPostTransform):
    """Makes links of the numbers in glued texts and in the heads of figures."""

    default_priority = 199  # after glued texts of other pages have come
    formats = ("html",)

    def run(self, **kwargs):
        said, page = _said(str(self.env.srcdir), tuple(self.env.toctree_includes.get("index", ()))), self.env.docname
        for node in list(self.document.findall(nodes.inline)):
            if "pasted-text" in node["classes"] and not _inside(node, nodes.reference):
                text = node.astext()
                if found := said.get((page, _plain(text))) or said.get(_plain(text)):
                    node.children = []
                    node += [self.link(piece, one, found["page"]) for piece, one in pieces(text, found["quantities"])]
        for node in list(self.document.findall(nodes.raw)):
            if node.get("format") == "html" and page != ERRORS and (note := INTERVAL.search(html := node.astext())):
                node.rawsource = html[:note.end()] + self.error("te-table-note") + html[note.end():]
                node.children = [nodes.Text(node.rawsource)]
            if node.get("format") == "html" and (figure := FIGURE.search(node.astext())):
                found = said[f"figure {figure[1]}"]
                html = HEAD.sub(lambda part, found=found: part[1] + self.html(unescape(part[2]), found) + part[3], node.astext())
                if KINDS["interval"].name in html and page != ERRORS:
                    html = html.replace(SOURCES, self.error() + SOURCES, 1)
                node.children = [nodes.Text(html)]
                node.rawsource = html

    def error(self, kind="te-figure-note"):
        """How far the model misses, for the foot of a figure or a table that shows its interval."""
        return (f'<p class="{kind}">{escape(cards.said_of_model())}, '
                f'<a href="{citations.root(self.env.docname)}{ERRORS}.html">against measurements</a>.</p>')

    def href(self, one, page):
        return citations.root(self.env.docname) + numbers.address(one, page)

    def link(self, piece, one, page):
        if one is None:
            return nodes.Text(piece)
        return nodes.reference("", piece, refuri=self.href(one, page), internal=True, classes=classes(one))

    def html(self, text, found):
        return "".join(escape(piece) if one is None else
                       f'<a class="{" ".join(classes(one))}" href="{escape(self.href(one, found["page"]))}">{escape(piece)}</a>'
                       for piece, one in pieces(text, found["quantities"]))


def classes(one):
    """Of the link of a quantity: ``per-million`` marks what ``_static/per.mjs`` can say by the thousand tokens."""
    return ["number", *(["per-million"] if cards.per_million(cards.unit_of(one["name"])) else [])]


def _inside(node, kind):
    while node := node.parent:
        if isinstance(node, kind):
            return True
    return False


def write(app, exception):
    """Write the cards of the numbers that each finished page shows."""
    if exception is not None or app.builder.name != "html":
        return
    out = Path(app.outdir)
    shutil.rmtree(out / FOLDER, ignore_errors=True)
    known = cards.cards(numbers.texts(app.srcdir), numbers_page.titles())
    for path in sorted(out.rglob("*.html")):
        page = path.relative_to(out).with_suffix("").as_posix()
        root = citations.root(page)
        shown = [unescape(href).removeprefix(root) for href in LINK.findall(path.read_text(encoding="utf-8"))]
        if shown:
            file = out / FOLDER / f"{page}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            own = {address: known.get(address) or cards.of_claim(address) for address in dict.fromkeys(shown)}
            file.write_text(json.dumps(own, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def setup(app):
    app.add_post_transform(Marks)
    app.add_css_file("cards.css")  # _static/cells.mjs brings the script: named by a page itself it would run twice
    app.connect("build-finished", write)
