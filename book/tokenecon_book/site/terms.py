"""Terms of the glossary, explained where a page first uses them in its prose: a link, and its text under pointer or focus."""

import re
from html import escape

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

PAGE = "glossary"
ORDINARY = ("as of", "draws", "verdict")  # words that a sentence also uses in their everyday sense
LEFT_ALONE = (nodes.title, nodes.reference, nodes.literal, nodes.table, nodes.math, nodes.FixedTextElement, nodes.term)
HEADLINES = {"finding", "case-line", "finding-card", "verdict-tile", "pasted-text"}  # classes in which no word is a link


class explained(nodes.reference):
    """A word, the address of its entry in the glossary, and what stands there."""


class Terms(SphinxPostTransform):
    """Explains the first use of each term in the paragraphs of a page."""

    default_priority = 300  # after the texts of the notebook were put in
    formats = ("html",)

    def run(self, **kwargs):
        if self.env.docname == PAGE:
            return
        texts = [one for one in self.document.findall(nodes.Text) if _in_prose(one)]
        for term, (anchor, about) in self.env.book_terms.items():  # the longest first: no part stands for a whole
            for place, text in enumerate(texts):
                if found := re.search(form(term), text):
                    address = f"{self.app.builder.get_relative_uri(self.env.docname, PAGE)}#{anchor}"
                    word = explained("", found[0], internal=True, refuri=address, anchor=anchor, about=about)
                    before, after = nodes.Text(text[:found.start()]), nodes.Text(text[found.end():])
                    parent = text.parent
                    at = parent.index(text)
                    parent.remove(text)
                    for node in (after, word, before):
                        parent.insert(at, node)
                    texts[place:place + 1] = [before, after]
                    break


def form(term):
    """A pattern for a term in a sentence: also as its first word and in the plural, but a name only as it is written.

    >>> [bool(re.search(form("replica"), text)) for text in ("Replicas wait", "a replicated", "pre-replica")]
    [True, False, False]
    >>> bool(re.search(form("PUE"), "pue"))
    False
    """
    first = f"[{term[0]}{term[0].upper()}]" if term[0].islower() else re.escape(term[0])
    return rf"(?<![\w-]){first}{re.escape(term[1:])}s?(?![\w-])".replace(r"\ ", r"\s+")


def _in_prose(text):
    """Whether a text stands in a sentence of the page that may hold a link."""
    node, paragraph = text.parent, False
    while node is not None:
        if isinstance(node, LEFT_ALONE) or HEADLINES.intersection(getattr(node, "attributes", {}).get("classes", ())):
            return False
        paragraph = paragraph or isinstance(node, nodes.paragraph)
        node = node.parent
    return paragraph


def collect(app, env):
    """The terms of the glossary, the longest first: their anchors and explanations."""
    found = {}
    for item in env.get_doctree(PAGE).findall(nodes.definition_list_item):
        for term in item.findall(nodes.term):
            if term["ids"] and term.astext() not in ORDINARY:
                found[term.astext()] = term["ids"][0], " ".join(item.children[-1].astext().split())
    env.book_terms = dict(sorted(found.items(), key=lambda one: -len(one[0])))
    return []


def open_term(translator, node):
    """The link, which names its explanation to a screen reader, and the explanation, which the style sheet shows on demand."""
    about = f"about-{node['anchor']}"
    translator.body.append(f'<span class="term"><a href="{escape(node["refuri"])}" aria-describedby="{about}">')


def close_term(translator, node):
    translator.body.append(f'</a><span class="term-about" role="tooltip" id="about-{node["anchor"]}">'
                           f"{escape(node['about'])}</span></span>")


def setup(app):
    app.add_node(explained, html=(open_term, close_term))
    app.connect("env-updated", collect)
    app.add_post_transform(Terms)
    app.add_js_file("terms.mjs", type="module")
