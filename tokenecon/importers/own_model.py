"""A ``config.json`` in place of a model's id: its row joins the table of models for the rest of the process."""

import datetime
import os
from pathlib import Path

from tokenecon import data, own_facts
from tokenecon.importers import huggingface, model_row

ENDING = ".json"


def is_path(value):
    """Whether a text names a configuration and not a model of the catalogue."""
    return isinstance(value, str) and value.endswith(ENDING)


def beside(model, folder):
    """A model as a file in a folder names it: a configuration is looked for there first, and else where the command is run."""
    there = str(Path(folder) / model) if is_path(model) else ""
    return there if os.path.exists(there) else model


def described(path):
    """The id under which the model of a configuration is known from here on, the absolute path of its file.

    Absolute, because a notebook runs in its own folder.
    """
    whole = os.path.abspath(os.path.expanduser(path))
    shape = huggingface.load(whole)
    file = Path(whole)
    seen = datetime.date.fromtimestamp(file.stat().st_mtime).isoformat()
    source = own_facts.source(whole, f"{file.parent.name}/{file.name}", seen)
    name = file.parent.name if file.name == "config.json" else file.stem
    data.describe_model(model_row.texts(shape | {
        "id": whole, "aliases": "", "name": name, "published_total": shape["parameters"], "published_active": "",
        "basis": "spec", "as_of": seen, "source": source["id"], "locator": file.name, "note": ""}), source)
    return whole
