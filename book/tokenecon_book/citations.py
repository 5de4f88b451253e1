"""How the book, a figure, and what stands behind it are cited: version, date of the data, addresses, sources."""


import json
import os

from tokenecon import __version__, data
from tokenecon.catalogue import TITLE
from tokenecon.queries import kept


def payload(content):
    """The content of a figure's MIME type as a dict, whether it came as JSON text or already read."""
    return json.loads(content) if isinstance(content, str | bytes) else content


@kept
def data_date():
    """The newest date that any fact or source in ``data/`` carries."""
    dates = []
    for resource in data.package()["resources"]:
        table = data.table(resource["name"])
        for column in ("accessed", "as_of"):
            if column in table:
                dates += [text for text in table[column] if text]
    if not dates:
        raise ValueError(
            "no table in data/ has a date in `accessed` or `as_of`; the book cannot say how old it is"
        )
    return max(dates)


def root(docname):
    """The way from a page to the top of the site.

    >>> root("cases/spotify")
    '../'
    """
    return "../" * docname.count("/")


def address(docname, anchor=""):
    """The page's address: whole when BOOK_URL says where the book is served, else from its top."""
    base = os.environ.get("BOOK_URL", "").rstrip("/")
    return f"{base}/{docname}.html{anchor}" if base else f"{docname}.html{anchor}"


def figure_citation(docname, figure_id, title):
    """How to cite one figure, in one line."""
    return (
        f"“{title.rstrip('.')}”, figure {figure_id} in: {TITLE}, version {__version__}, "
        f"data of {data_date()}, {address(docname, f'#fig-{figure_id}')}. CC BY 4.0."
    )


def rerun_command(docname):
    """The command that makes the page anew with other parameters."""
    return f"tokenecon run {docname}"


def book_citation():
    """How to cite the whole book, in one line."""
    return (
        f"The tokenecon book authors. {TITLE}: a rerunnable book on the economics of LLM inference. "
        f"Version {__version__}, data of {data_date()}. CC BY 4.0."
    )


def bibtex():
    """The same as a BibTeX entry."""
    base = os.environ.get("BOOK_URL", "")
    link = f"  url     = {{{base}}},\n" if base else ""
    return (
        "@book{tokenecon,\n"
        "  author  = {{The tokenecon book authors}},\n"
        f"  title   = {{{TITLE}: a rerunnable book on the economics of {{LLM}} inference}},\n"
        f"  year    = {{{data_date()[:4]}}},\n"
        f"  version = {{{__version__}}},\n"
        f"{link}"
        f"  note    = {{data of {data_date()}; CC BY 4.0}}\n"
        "}"
    )
