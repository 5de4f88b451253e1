"""How a page says how to cite something: as text, BibTeX and CSL-JSON, each with a button that copies it."""

import re
from html import escape

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

from tokenecon import data
from tokenecon_book import citations

PLACE = re.compile(r'<div data-cite="([^"]+)"></div>')
FORMS = {"text": "Text", "bibtex": "BibTeX", "csl": "CSL-JSON"}


def html(entry):
    """The three forms of a citation (:mod:`tokenecon_book.citations`); without an address of the site it says so."""
    rows = "".join(f'<div class="te-cite-form"><p>{words}</p>{field(entry[form])}</div>' for form, words in FORMS.items())
    return f'<div class="te-cite">{notice()}{rows}</div>'


def field(text):
    """A text in a field; sphinx_copybutton puts its button there."""
    return f'<div class="highlight te-field"><pre>{escape(text, quote=False)}</pre></div>'


def notice():
    """The sentence that the site's address is not set, or nothing."""
    return "" if citations.site_url() else f'<p class="te-unset">{escape(citations.UNSET)}</p>'


def fold(claim_id):
    """The citation of a claim, folded."""
    cited = html(citations.claim(claim_id, data.claim(claim_id)["statement"]))
    return f'<details class="te-claim-cite"><summary aria-label="Cite claim {claim_id}">Cite</summary>{cited}</details>'


class ClaimsCited(SphinxPostTransform):
    """Puts its citation below each claim, where the ledger (:mod:`tokenecon_book.charts.claims_list`) leaves a place for it."""

    default_priority = 200
    formats = ("html",)

    def run(self, **kwargs):
        for raw in [one for one in self.document.findall(nodes.raw) if "data-cite=" in one.astext()]:
            cited = PLACE.sub(lambda found: fold(found[1]), raw.astext())
            raw.replace_self(nodes.raw("", cited, format="html"))


def setup(app):
    app.add_post_transform(ClaimsCited)
