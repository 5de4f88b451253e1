"""What a changed row reruns, by what the notebooks of the built site put on record."""

import csv
import json
import shutil

import pytest

from tokenecon import data
from tokenecon_book.build import book, notebooks


@pytest.fixture
def stale(site, tmp_path):
    """A function that changes the rows of a table in a copy of the data, and says which notebooks must run again."""
    folder = shutil.copytree(data.ROOT, tmp_path / "data")
    shutil.copytree(data.shipped("notebooks") / "scenarios", tmp_path / "notebooks" / "scenarios")

    def after(table, change):
        path = folder / f"{table}.csv"
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        fields, rows = list(rows[0]), change(rows)
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fields)
            writer.writeheader()
            writer.writerows(rows)
        answers, runs = data.Answers(folder), site.parent / "run"
        return {name for name, path in notebooks.catalogue().items() if book.reason_to_run(path, runs / name, answers)}

    return after


def dearer(row_id):
    return lambda rows: [row | ({"value": str(float(row["value"]) * 1.01)} if row["id"] == row_id else {}) for row in rows]


# row of prices.csv -> the notebooks that ask for its GPU, kind of hour and day
CELLS = {
    "b300-sxm-288gb.aws.on-demand.2026-05-18": {"hardware", "hour", "market"},  # they compare all GPUs
    "mi325x-256gb.semianalysis-model.owned-neocloud.2026-03-18": {"hour"},  # the only page with estimates of owned hours
    "a100-pcie-80gb.azure.on-demand.2023-01-10.3": {"claims", "contracts", "market"},
}


@pytest.mark.parametrize("row_id", CELLS)
def test_a_price_reruns_the_pages_that_ask_for_it(stale, row_id):
    assert stale("prices", dearer(row_id)) == CELLS[row_id]


def test_a_new_gpu_reruns_only_pages_that_ask_for_all(stale, site):
    def added(rows):
        return [*rows, *(row | {"id": f"new.{row['field']}", "gpu": "new"} for row in rows if row["gpu"] == "h200-sxm-141gb")]

    every = {name for name in notebooks.catalogue()
             if ["gpus", [], ""] in json.loads((site.parent / "run" / name / "record.json").read_text())["queries"]}
    assert stale("gpus", added) == every == {"validation"}


def test_a_row_that_nobody_asks_for_reruns_nothing(stale):
    assert stale("corrections", lambda rows: rows[:-1]) == set()
