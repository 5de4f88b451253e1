"""What the book adds to `tokenecon list`, `tokenecon show` and `tokenecon cite`: claims, notebooks, parameters, figures.

Named as entry points ``tokenecon.catalogues`` and ``tokenecon.lookups`` in pyproject.toml.
"""

import hashlib
import json
import re
from pathlib import Path

from tokenecon import data
from tokenecon.catalogue import NothingListed
from tokenecon.decision import scenario
from tokenecon.errors import BadInput, UnknownId, did_you_mean
from tokenecon.kinds import kind
from tokenecon_book import citations
from tokenecon_book.build import notebooks, parameters
from tokenecon_book.chapters.claims import ledger

FORMS = ("text", "bibtex", "ris", "csl")
FIGURE = re.compile(r"""\bfigure\(\s*(?:id=)?["']([a-z0-9-]+)["']""")
PUBLISHED = data.PACKAGE.parent / "_build" / "html" / "figures"  # where a clone builds the site
DIGITS = 12  # of a digest


def claims(section=None):
    """The claims of the two documents with their verdicts, of one section where it is named."""
    frame = ledger.ledger().table
    if section is not None:
        known = list(dict.fromkeys(frame["section"]))
        if section not in known:
            raise NothingListed(f"section '{section}' is not known; allowed are {', '.join(known)}")
        frame = frame[frame["section"] == section]
    return frame[["id", "section", "statement", "verdict", "chapter"]].to_dict("records")


def claim(claim_id):
    """Verdict and sources of one claim."""
    frame = ledger.ledger().table
    verdict = frame[frame["id"] == claim_id].iloc[0].to_dict()
    return {"verdict": verdict, "sources": [data.source(one) for one in verdict.pop("sources").split()]}


def all_notebooks():
    """Notebooks with the question that each answers."""
    rows = []
    for name, path in notebooks.catalogue().items():
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        title = "".join(cells[0]["source"]).splitlines()[0].lstrip("# ") if cells else ""
        rows.append({"notebook": name, "question": title, "parameters": ", ".join(parameters.spec(path))})
    return rows


def all_parameters(notebook=None):
    """Parameters of one notebook, or of all."""
    names = [notebooks.find(notebook)[0]] if notebook else list(notebooks.catalogue())
    return [
        {
            "notebook": name,
            "name": one.name,
            "default": one.default,
            "from": one.origin,
            "unit": one.unit,
            "meaning": one.meaning,
            "allowed": allowed(one),
        }
        for name in names
        for one in parameters.spec(notebooks.find(name)[1]).values()
    ]


def allowed(parameter):
    """What a parameter may be, in words."""
    rule = kind(parameter.unit, isinstance(parameter.default, int))
    if not rule.ids:
        return rule.allowed
    return f"{rule.allowed}; see {rule.look}" if rule.look else ", ".join(rule.ids)


CLAIMS = (claims, "a section")
NOTEBOOKS = (all_notebooks, None)
PARAMETERS = (all_parameters, "a notebook")


# --- what `tokenecon cite` finds under a name ---------------------------------------------------------


def cited(what):
    """How to cite it: a list of :mod:`tokenecon_book.citations`, the thing itself first and its sources after it."""
    if what in scenario.names() and not Path(what).exists():
        return [citations.scenario(what, scenario.load(what).name, f"scenario {what}")]
    if Path(what).suffix in (".yml", ".yaml"):
        case = scenario.load(what)
        digest = hashlib.sha256(b"".join(Path(one).read_bytes() for one in scenario.files(what))).hexdigest()[:DIGITS]
        return [citations.scenario(digest, case.name, f"scenario of a reader, SHA-256 {digest}, as computed")]
    found = figures()
    if what in found:
        return [citations.figure(what, _title(what, found[what]))]
    try:
        row = data.show(what)
    except UnknownId as error:
        near = did_you_mean(what, [*found, *scenario.names(), *error.known])
        raise BadInput(f"'{what}' is not known as a figure, a claim, a scenario or a row of data/{near}; see `tokenecon list`, "
                       "or the figures of the site") from None
    if row["table"] == "sources":
        return [citations.source(row["rows"][0])]
    first = (citations.claim(what, row["rows"][0]["statement"]) if row["table"] == "claims" else citations.fact(row))
    return [first, *(citations.source(one) for one in row["sources"])]


def figures():
    """The figures of all notebooks: id to the notebook's file."""
    return {name: path for path in notebooks.catalogue().values() for cell in _cells(path) for name in FIGURE.findall(cell)}


def _cells(path):
    return ["".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]


def _title(name, path):
    """What a figure says, where the site is built; else the question of its page, which is the same with any numbers."""
    about = PUBLISHED / f"{name}.json"
    if about.exists():
        return json.loads(about.read_text(encoding="utf-8"))["title"]
    return _cells(path)[0].splitlines()[0].lstrip("# ")
