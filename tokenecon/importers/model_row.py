"""``tokenecon add-model``: a ``config.json`` as a new row of ``data/models.csv``, with its parameters counted from the shape."""

import csv
import io
import re
from pathlib import Path

from tokenecon import data, files
from tokenecon.errors import BadInput
from tokenecon.importers import huggingface

ID = re.compile(r"[a-z0-9][a-z0-9._-]*")


class NotAdded(BadInput):
    """The row was not written; the message says why."""


def row(config, *, model_id, name, source, locator, as_of=None, published_total=None):
    """The row of a configuration (path of a config.json, or its folder) as texts by column.

    Parameters are counted from the shape; ``published_total`` is what the source prints, by default the same number;
    ``as_of`` is by default the day on which the source was read.
    """
    if not ID.fullmatch(model_id):
        raise NotAdded(f"--id '{model_id}' must be of small letters, digits, dots, hyphens and underscores, such as llama-3.1-8b")
    aliases = {other for others in data.rows("models", {}, want="aliases")["aliases"] for other in others.split()}
    gpus = data.ids("gpus")  # the ids of their facts begin with theirs
    if model_id.partition(".")[0] in gpus or model_id in aliases.union(*(data.ids(name) for name in data.TABLES)):
        raise NotAdded(f"--id '{model_id}' is taken; `tokenecon show {model_id}` prints the row, and ids are never used twice")
    read = data.row("sources", source, "source", "data/sources.csv; add the row of the source first")
    shape = huggingface.load(config)
    facts = shape | {
        "id": model_id, "aliases": "", "name": name, "published_total": published_total or shape["parameters"],
        "published_active": "", "basis": "spec", "as_of": as_of or read["accessed"], "source": source,
        "locator": locator, "note": ""}
    return texts(facts)


def texts(facts):
    """Facts of a model as the columns of the table spell them."""
    columns = {column["name"]: column.get("constraints", {}).get("required") for column in data.schema("models")}
    return {name: "0" if needed and facts[name] == 0 else _text(facts[name]) for name, needed in columns.items()}


def _text(value):
    """A value as the table spells it: whole numbers without a point, and a part that the model lacks as a blank."""
    if value in (0, "", None):
        return ""
    return f"{value:.0f}" if isinstance(value, int | float) and value == int(value) else str(value)


def add(table, new):
    """Append a row to a copy of the table and put it in its place, whole or not at all."""
    path = Path(table)
    columns = [column["name"] for column in data.schema("models")]
    try:
        text = path.read_text(encoding="utf-8")
        head = next(csv.reader(io.StringIO(text)), [])
        if head != columns:
            raise NotAdded(f"'{path}' does not have the columns of data/models.csv")
        line = io.StringIO()
        csv.DictWriter(line, columns, lineterminator="\n").writerow(new)
    except OSError as error:
        raise NotAdded(f"'{path}' cannot be read: {error.strerror or error}; give another copy with --table") from error
    with files.replaced(path) as file:
        file.write(text + ("" if text.endswith("\n") else "\n") + line.getvalue())


def default_table():
    """data/models.csv of the clone; an installed wheel has none that is the user's to change."""
    if data.ROOT.parent.name == "shipped":
        raise NotAdded("this is an installed package, whose data/models.csv is not yours to change; work in a clone, or "
                       "give a copy with --table")
    return data.ROOT / "models.csv"
