"""Queries of the data: what is put on record, and when an answer counts as another."""

import csv
import json
import shutil
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenecon import data, queries
from tokenecon.queries import Query

H100_ON_DEMAND = Query("prices", (("gpu=", "h100-sxm-80gb"), ("kind=", "on_demand")), "")
COLUMNS = {"prices": ("gpu", "kind", "provider", "as_of", "basis"), "gpus": ("gpu", "field"), "traffic": ("trace",),
           "api_prices": ("model", "source", "last_seen")}  # fmt: skip
TEXTS = {table: {column: sorted(set(data.table(table)[column])) for column in columns} for table, columns in COLUMNS.items()}


def asked(function):
    with queries.recording() as record:
        function()
    return list(record)


def test_each_way_to_ask_puts_one_query_on_record():
    assert asked(lambda: data.value("power.pue")) == [Query("assumptions", (("id=", "power.pue"),), "")]
    assert asked(lambda: data.model("llama-3.1-8b")["layers"]) == [Query("models", (("id=", "llama-3.1-8b"),), "")]
    assert asked(data.gpus) == [Query("gpus", (), "")]
    assert asked(lambda: data.rows("prices", {"gpu": "h100-sxm-80gb", "kind": "on_demand"})) == [H100_ON_DEMAND]
    assert asked(lambda: data.extreme("prices", "as_of")) == [Query("prices", (), "max as_of")]
    assert asked(lambda: data.ids("gpus")) == [], "ids are for checks, and no result depends on them"


def test_of_a_gpu_only_the_facts_that_are_looked_up():
    def reads():
        row = data.gpu("h200-sxm-141gb")
        return row["memory_bytes"], row.get("bandwidth_bytes_per_s")

    assert asked(reads) == [Query("gpus", (("gpu=", "h200-sxm-141gb"), ("field=", one)), "") for one in ("memory", "bandwidth")]
    assert len(asked(lambda: dict(data.gpu("h200-sxm-141gb")))) == len(data.GPU_COLUMNS)


def test_a_record_inside_another_is_part_of_it():
    with queries.recording() as outer:
        inner = asked(lambda: data.value("power.pue"))
        data.value("power.price")
    assert list(outer) == [*inner, Query("assumptions", (("id=", "power.price"),), "")]
    assert set(outer) <= set(queries.made())


def test_import_is_light():
    program = ("import sys; from tokenecon import data, queries; assert 'pandas' not in sys.modules and queries.made() == (); "
               "data.Answers().hash(queries.Query('prices', (), '')); assert 'pandas' not in sys.modules")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@st.composite
def filters(draw):
    table = draw(st.sampled_from(sorted(COLUMNS)))
    where = {}
    for column in draw(st.lists(st.sampled_from(COLUMNS[table]), max_size=2, unique=True)):
        operator = draw(st.sampled_from(["", "<=", ">=", "!="]))
        one = st.sampled_from(TEXTS[table][column])
        where[column + operator] = draw(st.lists(one, min_size=1, max_size=3) if not operator and draw(st.booleans()) else one)
    return table, where, draw(st.sampled_from(["", COLUMNS[table][0], " ".join(COLUMNS[table][:2])]))


@settings(max_examples=150, deadline=None)
@given(filters())
def test_the_answer_in_text_has_the_rows_of_the_table_of_numbers(drawn):
    """Two readers of the same files: pandas for results, plain text for freshness."""
    table, where, want = drawn
    with queries.recording() as record:
        frame = data.rows(table, where, want)
    answer = data.Answers().answer(next(iter(record)))
    if want:
        assert answer == sorted(frame[want.split()].itertuples(index=False, name=None))
    else:
        assert sorted(row["id"] for row in answer) == sorted(frame["id"])


# --- when an answer changes ------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(data.ROOT, tmp_path / "data")


def edited(folder, table, change):
    """Rewrite a table by a function of its rows."""
    path = folder / f"{table}.csv"
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    fields = list(rows[0])
    rows = change(rows)
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fields)
        writer.writeheader()
        writer.writerows(rows)
    return data.Answers(folder)


def with_cell(match, column, text):
    return lambda rows: [row | ({column: text} if match.items() <= row.items() else {}) for row in rows]


def first(gpu, kind="on_demand"):
    rows = data.table("prices")
    return rows[(rows["gpu"] == gpu) & (rows["kind"] == kind)].iloc[0]["id"]


@pytest.mark.parametrize(("gpu", "kind", "column", "changes"), [
    ("h100-sxm-80gb", "on_demand", "value", True), ("h100-sxm-80gb", "on_demand", "note", True),
    ("h100-sxm-80gb", "spot", "value", False), ("h200-sxm-141gb", "on_demand", "value", False)])
def test_a_cell_matters_to_the_queries_that_its_row_answers(folder, gpu, kind, column, changes):
    before = data.Answers(folder).hash(H100_ON_DEMAND)
    after = edited(folder, "prices", with_cell({"id": first(gpu, kind)}, column, "77")).hash(H100_ON_DEMAND)
    assert (before != after) == changes


def test_an_added_or_removed_row_that_matches_counts_and_another_does_not(folder):
    def after(change):
        return edited(folder, "prices", change).hash(H100_ON_DEMAND)

    before, copied = data.Answers(folder).hash(H100_ON_DEMAND), data.Answers(folder).answer(H100_ON_DEMAND)[0]
    assert after(lambda rows: [*rows, copied | {"id": "one.more"}]) != before
    assert after(lambda rows: rows[:-1]) == before
    assert after(lambda rows: [*rows, copied | {"id": "other", "gpu": "l40s-48gb"}]) == before
    assert after(lambda rows: [row for row in rows if row["id"] != copied["id"]]) != before


def test_a_new_gpu_is_news_only_to_who_asks_for_all(folder):
    one, every = Query("gpus", (("gpu=", "h200-sxm-141gb"), ("field=", "memory")), ""), Query("gpus", (), "")
    before = data.Answers(folder)
    was = before.hash(one), before.hash(every)
    after = edited(folder, "gpus", lambda rows: [*rows, rows[0] | {"id": "new.name", "gpu": "new"}])
    assert after.hash(one) == was[0] and after.hash(every) != was[1]


def test_another_kind_of_column_or_a_table_that_is_gone_is_another_answer(folder):
    before = data.Answers(folder).hash(H100_ON_DEMAND)
    descriptor = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    prices = next(one for one in descriptor["resources"] if one["name"] == "prices")
    next(field for field in prices["schema"]["fields"] if field["name"] == "value")["type"] = "string"
    (folder / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    assert data.Answers(folder).hash(H100_ON_DEMAND) != before
    descriptor["resources"].remove(prices)
    (folder / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    assert data.Answers(folder).hash(H100_ON_DEMAND) != before


def test_tables_without_sources_say_where_they_are_from():
    assert data.sources_of([Query("calibration", (("kind=", "interval"),), "")]) == ("own-arithmetic",)
    assert data.sources_of([Query("claims", (("id=", "up-document-date"),), "")]) == ("doc-uk", "doc-th")
    assert data.sources_of([Query("prices", (), "max as_of"), Query("sources", (("id=", "kwon-2023"),), "")]) == ()
