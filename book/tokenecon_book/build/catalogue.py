"""What the book adds to `tokenecon list` and `tokenecon show`: claims with their verdicts, notebooks, parameters.

Named as entry points ``tokenecon.catalogues`` and ``tokenecon.lookups`` in pyproject.toml.
"""

import json

from tokenecon import data
from tokenecon.catalogue import NothingListed
from tokenecon.kinds import kind
from tokenecon_book.build import notebooks, parameters
from tokenecon_book.chapters.claims import ledger


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
