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
from tokenecon.catalogue import TITLE, file, source_line
from tokenecon.errors import BadInput
from tokenecon.queries import kept

AUTHOR = "The tokenecon book authors"
SUBTITLE = "a rerunnable book on the economics of LLM inference"
LICENCE = "CC BY 4.0"
SETTING = "tokenecon_site_url"
LATEST = "latest"
UNSET = (f"The address of this site is not set: put it in front of “v{__version__}/” yourself. "
         f"Whoever builds the site sets {SETTING} in _config.yml.")
RIS = {"graphic": "FIGURE", "webpage": "ELEC", "dataset": "DATA", "book": "BOOK", "document": "GEN"}  # kind in CSL -> in RIS
DATE = re.compile(r"(\d{4})(?:-\d\d){0,2}$")
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
    """How to cite one figure: its ``text``, ``bibtex``, ``ris`` and ``csl``."""
    return part(figure_id, title, f"figure {figure_id}", figure_page(figure_id), "graphic")


def claim(claim_id, statement):
    """How to cite one claim with its verdict, in the same forms."""
    return part(claim_id, statement, f"claim {claim_id}", f"claims.html#{claim_id}", "webpage")


def fact(found):
    """How to cite a row of ``data/`` that :func:`tokenecon.data.show` found; its sources are cited beside it."""
    row = found["rows"][0]
    known = len(found["rows"]) == 1 and row.get("value") not in (None, "") and row["value"] == row["value"]
    title = row.get("name") or (f"{found['id']}: {row['value']:,.12g} {row['unit']}" if known else found["id"])
    return part(found["id"], str(title), f"row {found['id']} of {file(found)}", f"data/{found['table']}.csv", "dataset")


def scenario(name, title, what):
    """How to cite what a scenario gives: a shipped one by its name, a reader's own by the digest of its file."""
    return part(f"scenario-{name}", title, what, "decision.html", "dataset")


def source(row):
    """How to cite a source, a row of ``data/sources.csv``, in the same forms."""
    place, day = str(row["url"]), DATE.match(str(row["published"]))
    fields = {"author": f"{{{tex(row['publisher'])}}}", "title": f"{{{tex(row['title'])}}}"} | (
        {"year": day[1]} if day else {}) | ({"url": place} if place else {}) | {"note": f"Read on {row['accessed']}"}
    entry = {"id": row["id"], "type": "document", "title": row["title"], "author": [{"literal": row["publisher"]}],
             "accessed": {"date-parts": [_days(row["accessed"])]}}
    entry |= ({"issued": {"date-parts": [_days(day[0])]}} if day else {}) | ({"URL": place} if place else {})
    return {"text": source_line(row) + ".", "bibtex": _entry("misc", row["id"], fields),
            "ris": _ris("document", row["title"], row["publisher"], day[0] if day else "", place,
                        N1=f"Read on {row['accessed']}"),
            "csl": _json(entry)}


def part(key, title, what, path, kind):
    """How to cite a part of the book by its title, what it is, its place on the site, and its kind in CSL."""
    title, place = title.rstrip("."), versioned(path)
    text = (f"“{title}”, {what} in: {TITLE}, version {__version__}, data of {data_date()}, {place}. {LICENCE}.")
    fields = {"author": f"{{{AUTHOR}}}", "title": f"{{{tex(title)}}}",
              "howpublished": f"{tex(what[0].upper() + what[1:])} in: {TITLE}, version {__version__}"}
    csl = {"id": f"tokenecon-{key}", "type": kind, "title": title, "container-title": TITLE, "note": f"{what}; {_dated()}"}
    ris = _ris(kind, title, AUTHOR, data_date(), place if site_url() else "", T2=TITLE, ET=f"version {__version__}",
               N1=f"{what}; {_dated()}")
    return {"text": text, "bibtex": _bibtex("misc", f"tokenecon-{key}", fields, place), "ris": ris, "csl": _csl(csl, place)}


def book():
    """How to cite the whole book, in the same forms."""
    place = versioned("index.html")
    title = f"{TITLE}: {SUBTITLE}"
    text = f"{AUTHOR}. {title}. Version {__version__}, data of {data_date()}, {place}. {LICENCE}."
    fields = {"author": f"{{{AUTHOR}}}", "title": title.replace("LLM", "{LLM}")}
    csl = {"id": "tokenecon", "type": "book", "title": title, "note": _dated()}
    ris = _ris("book", title, AUTHOR, data_date(), place if site_url() else "", ET=f"version {__version__}", N1=_dated())
    return {"text": text, "bibtex": _bibtex("book", "tokenecon", fields, place), "ris": ris, "csl": _csl(csl, place)}


def _dated():
    return f"data of {data_date()}; {LICENCE}"


def _bibtex(kind, key, fields, place):
    """A BibTeX entry; without an address of the site it has none."""
    fields = fields | {"year": data_date()[:4], "version": __version__}
    return _entry(kind, key, fields | ({"url": place} if site_url() else {}) | {"note": _dated()})


def _entry(kind, key, fields):
    width = max(map(len, fields))
    lines = [f"  {name.ljust(width)} = {{{value}}}" for name, value in fields.items()]
    return f"@{kind}{{{key},\n" + ",\n".join(lines) + "\n}"


def _csl(entry, place):
    """An entry of CSL-JSON, as text."""
    entry |= {"author": [{"literal": AUTHOR}], "issued": {"date-parts": [_days(data_date())]},
              "version": __version__} | ({"URL": place} if site_url() else {})
    return _json(entry)


def _json(*entries):
    return DAY.sub("[[\\1, \\2, \\3]]", json.dumps(entries, indent=1, ensure_ascii=False))


def _days(day):
    """Year, month and day of a date, as far as it goes."""
    return [int(one) for one in str(day).split("-")]


def _ris(kind, title, author, day, place, **more):
    """A RIS entry; without an address it has none."""
    fields = [("TY", RIS[kind]), ("TI", title), ("AU", author), *more.items()]
    fields += [("PY", str(day)[:4]), ("DA", str(day).replace("-", "/"))] if day else []
    fields += [("UR", place)] if place else []
    return "\n".join(f"{name}  - {' '.join(str(value).split())}" for name, value in [*fields, ("ER", "")]).rstrip() + " "


def together(cited, form):
    """Several citations in one form: texts and entries one after the other, CSL-JSON as one list."""
    texts = [one[form] for one in cited]
    return _json(*(entry for text in texts for entry in json.loads(text))) if form == "csl" else "\n\n".join(texts)


def tex(text):
    """Text without what TeX reads as a command.

    >>> tex("28% of $4")
    '28 \\\\% of \\\\$4'
    """
    return TEX.sub(r"\\\1", text)


def rerun_command(docname):
    """The command that makes the page anew with other parameters."""
    return f"tokenecon run {docname}"
