"""How a page says how to cite something: as text, BibTeX and CSL-JSON, each with a button that copies it."""

from html import escape

from tokenecon_book import citations

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
