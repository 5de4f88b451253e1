"""How the book, a figure, a claim, and what stands behind them are cited: version, date of the data, addresses, sources.

Where the site is served is one setting, ``tokenecon_site_url`` of ``_config.yml``, or the variable ``SITE_URL``. There lie the
newest version, in ``latest/``, and each released one for good, in ``v<version>/``: what is cited is cited there.
"""

import json
import os
import re
from functools import cache
from urllib.parse import urlsplit

from tokenecon import __version__, data, yaml_file
from tokenecon.catalogue import TITLE
from tokenecon.errors import BadInput
from tokenecon.queries import kept

AUTHOR = "The tokenecon book authors"
SUBTITLE = "a rerunnable book on the economics of LLM inference"
LICENCE = "CC BY 4.0"
SETTING = "tokenecon_site_url"
LATEST = "latest"
UNSET = (f"The address of this site is not set: put it in front of “v{__version__}/” yourself. "
         f"Whoever builds the site sets {SETTING} in _config.yml.")
TEX = re.compile(r"([%$&#_{}])")
DAY = re.compile(r"\[\s+\[\s+(\d+),\s+(\d+),\s+(\d+)\s+\]\s+\]")  # a day that JSON would spread over seven lines


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


# --- addresses -----------------------------------------------------------------------------------


def root(docname):
    """The way from a page to the top of the site.

    >>> root("cases/spotify")
    '../'
    """
    return "../" * docname.count("/")


def site_url(folder=data.PACKAGE.parent):
    """Where the site is served, without a slash at its end, or nothing: ``SITE_URL``, else a repository's ``_config.yml``."""
    return checked(os.environ.get("SITE_URL", "").strip() or _configured(folder / "_config.yml"))


@cache
def _configured(path):
    """What a ``_config.yml`` says; an installed package has none."""
    if not path.exists():
        return ""
    sphinx = yaml_file.mapping(path).get("sphinx") or {}
    return str((sphinx.get("config") or {}).get(SETTING) or "").strip()


def checked(address):
    """The address of a site without the slash at its end; :class:`BadInput` for what is none.

    >>> checked("https://example.org/book/")
    'https://example.org/book'
    """
    parts = urlsplit(address)
    if address and (parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment or
                    re.search(r"[\s\"'<>]", address)):
        raise BadInput(f"{SETTING} is '{address}', but must be blank or a whole address such as https://example.org/book; "
                       "see _config.yml, or the variable SITE_URL")
    return address.rstrip("/")


def versioned(path, version=__version__):
    """Where a page or file of a version stays: whole where the site has an address, else from the top of what is published.

    >>> versioned("claims.html", version="1.2")[-16:]
    'v1.2/claims.html'
    """
    return f"{site_url()}/v{version}/{path}".removeprefix("/")


def newest(path):
    """Where the newest version of a file is found, in the same two ways."""
    return f"{site_url()}/{LATEST}/{path}".removeprefix("/")


def address(docname, anchor=""):
    """Where the newest version of a page stands: whole where the site has an address, else from the top of the site."""
    return newest(f"{docname}.html{anchor}") if site_url() else f"{docname}.html{anchor}"


def figure_page(figure_id):
    """The page of a figure, from the top of the site."""
    return f"figures/{figure_id}.html"


# --- how to cite ---------------------------------------------------------------------------------


def figure(figure_id, title):
    """How to cite one figure: its ``text``, ``bibtex`` and ``csl``."""
    return part(figure_id, title, f"figure {figure_id}", figure_page(figure_id), "graphic")


def claim(claim_id, statement):
    """How to cite one claim with its verdict, in the same three forms."""
    return part(claim_id, statement, f"claim {claim_id}", f"claims.html#{claim_id}", "webpage")


def part(key, title, what, path, kind):
    """How to cite a part of the book by its title, what it is, its place on the site, and its kind in CSL."""
    title, place = title.rstrip("."), versioned(path)
    text = (f"“{title}”, {what} in: {TITLE}, version {__version__}, data of {data_date()}, {place}. {LICENCE}.")
    fields = {"author": f"{{{AUTHOR}}}", "title": f"{{{tex(title)}}}",
              "howpublished": f"{tex(what[0].upper() + what[1:])} in: {TITLE}, version {__version__}"}
    csl = {"id": f"tokenecon-{key}", "type": kind, "title": title, "container-title": TITLE, "note": f"{what}; {_dated()}"}
    return {"text": text, "bibtex": _bibtex("misc", f"tokenecon-{key}", fields, place), "csl": _csl(csl, place)}


def book():
    """How to cite the whole book, in the same three forms."""
    place = versioned("index.html")
    title = f"{TITLE}: {SUBTITLE}"
    text = f"{AUTHOR}. {title}. Version {__version__}, data of {data_date()}, {place}. {LICENCE}."
    fields = {"author": f"{{{AUTHOR}}}", "title": title.replace("LLM", "{LLM}")}
    csl = {"id": "tokenecon", "type": "book", "title": title, "note": _dated()}
    return {"text": text, "bibtex": _bibtex("book", "tokenecon", fields, place), "csl": _csl(csl, place)}


def _dated():
    return f"data of {data_date()}; {LICENCE}"


def _bibtex(kind, key, fields, place):
    """A BibTeX entry; without an address of the site it has none."""
    fields = fields | {"year": data_date()[:4], "version": __version__}
    fields |= ({"url": place} if site_url() else {}) | {"note": _dated()}
    width = max(map(len, fields))
    lines = [f"  {name.ljust(width)} = {{{value}}}" for name, value in fields.items()]
    return f"@{kind}{{{key},\n" + ",\n".join(lines) + "\n}"


def _csl(entry, place):
    """An entry of CSL-JSON, as text."""
    entry |= {"author": [{"literal": AUTHOR}], "issued": {"date-parts": [[int(one) for one in data_date().split("-")]]},
              "version": __version__} | ({"URL": place} if site_url() else {})
    return DAY.sub("[[\\1, \\2, \\3]]", json.dumps([entry], indent=1, ensure_ascii=False))


def tex(text):
    """Text without what TeX reads as a command.

    >>> tex("28 % of $4")
    '28 \\\\% of \\\\$4'
    """
    return TEX.sub(r"\\\1", text)


def rerun_command(docname):
    """The command that makes the page anew with other parameters."""
    return f"tokenecon run {docname}"
