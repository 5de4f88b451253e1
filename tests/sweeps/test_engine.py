"""A sweep on a dask scheduler with two workers: what it writes, goes on with, and records."""

import importlib.util
import json
import random
import sys
from pathlib import Path

import pandas as pd
import pytest

import tokenecon
from tokenecon.errors import BadInput
from tokenecon.sweeps import engine, grid, manifest, result
from tokenecon_book.build import freshness

GRID = {"cases": {"model": ["llama-3.1-8b", "qwen3-14b"], "gpu": ["h100-sxm-80gb", "no-such-gpu", "l40s-48gb"], "n_gpus": [1, 2],
                  "isl": {"from": 500, "to": 1500, "step": 500}, "osl": 100, "concurrency": [None, 8]}, "cases_per_part": 10}
PRICES = "id,gpu,kind,value,unit,basis,as_of\n"


@pytest.fixture(scope="module")
def scheduler():
    """The address of a scheduler on loopback with two workers."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1", memory_limit=0) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(scope="module")
def swept(scheduler, tmp_path_factory):
    """A folder with a whole sweep of 72 cases, and its result."""
    folder = tmp_path_factory.mktemp("swept") / "out"
    return folder, tokenecon.sweep(GRID, folder, scheduler=scheduler, progress=False)


@pytest.fixture
def copied(swept, tmp_path):
    """The same in a folder of its own."""
    import shutil

    return shutil.copytree(swept[0], tmp_path / "out")


def test_it_has_what_estimate_says_of_each_case(swept):
    folder, found = swept
    cases = grid.read(GRID).grid.table(0, 72)
    whole = pd.read_parquet(folder)
    pd.testing.assert_frame_equal(whole, tokenecon.estimate(cases).to_frame(), check_dtype=False, rtol=1e-12)
    pd.testing.assert_frame_equal(whole, found.to_frame())
    assert (found.cases, found.done, found.parts, found.made) == (72, 72, 8, 8)
    assert found.errors == (whole["error"] != "").sum() == 24 and "no-such-gpu" in " ".join(found.said)
    assert found.units["usd_per_mtok"] == "USD/Mtok" and "nvidia-h100-datasheet" in found.sources
    assert "72 of 72 cases" in found._repr_html_() and found.version == tokenecon.__version__


def test_repeated_it_does_nothing_and_asks_no_scheduler(swept):
    folder, _ = swept
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if path.name != manifest.LOCK}
    again = tokenecon.sweep(GRID, folder, scheduler="tcp://127.0.0.1:1", progress=False)
    assert again.made == 0 and again.done == 72
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if path.name != manifest.LOCK} == before


def test_it_goes_on_where_a_kill_left_it(swept, copied, scheduler):
    """A part unlisted, one torn, a listed one gone, a line cut short, and what was being written."""
    lines = (copied / manifest.NAME).read_text().splitlines(keepends=True)
    (copied / manifest.NAME).write_text("".join(lines[:5] + lines[6:7] + [lines[7][:40]]))
    (copied / "part-000005.parquet").write_bytes(b"torn")
    (copied / "part-000002.parquet").unlink()
    (copied / ".part-000007.parquet-x1").write_bytes(b"half")
    assert result.status(GRID, copied).done == 50
    assert tokenecon.sweep(GRID, copied, scheduler=scheduler, progress=False).made == 3  # 2, 5 and 7
    assert freshness.of_folder(copied) == freshness.of_folder(swept[0])


def test_a_longer_first_list_keeps_the_parts_before(copied, scheduler):
    """The new model stands behind the last case: only the last part, which was not full, and the new ones are made."""
    cases = GRID["cases"] | {"model": [*GRID["cases"]["model"], "llama-3.1-70b"]}
    more = tokenecon.sweep(GRID | {"cases": cases}, copied, scheduler=scheduler, progress=False)
    assert (more.cases, more.parts, more.made) == (108, 11, 4)
    fewer = tokenecon.sweep(GRID, copied, scheduler=scheduler, progress=False)
    assert fewer.made == 1 and len(pd.read_parquet(copied)) == 72


def test_other_facts_or_another_option_make_it_anew(copied, tmp_path):
    assert result.status(GRID | {"intervals": False}, copied).done == 0
    facts = tmp_path / "mine"
    facts.mkdir()
    (facts / "prices.csv").write_text(PRICES + "ours,l40s-48gb,on_demand,0.5,USD/GPU/h,quoted,2026-11-01\n")
    tokenecon.facts(facts)
    assert result.status(GRID, copied).done == 0
    tokenecon.facts(None)
    assert result.status(GRID, copied).done == 72


def test_own_facts_hold_on_the_workers(tmp_path, scheduler):
    (tmp_path / "prices.csv").write_text(PRICES + "ours,l40s-48gb,on_demand,5,USD/GPU/h,quoted,2026-11-28\n")
    case = {"model": "llama-3.1-8b", "gpu": "l40s-48gb", "n_gpus": 1, "isl": 500, "osl": 100}
    tokenecon.facts(tmp_path)
    found = tokenecon.sweep([case], tmp_path / "out", scheduler=scheduler, progress=False)
    mine = tokenecon.estimate(case).to_frame()
    tokenecon.facts(None)
    assert found.to_frame()["usd_per_mtok"].iloc[0] == pytest.approx(mine["usd_per_mtok"].iloc[0], rel=1e-12)
    assert mine["usd_per_mtok"].iloc[0] != tokenecon.estimate(case)["usd_per_mtok"].iloc[0] and "prices.csv" in found.own_facts
    again = tokenecon.sweep([case], tmp_path / "ours", scheduler=scheduler, progress=False)  # and are off again
    assert again.to_frame()["usd_per_mtok"].iloc[0] == pytest.approx(tokenecon.estimate(case)["usd_per_mtok"].iloc[0], rel=1e-12)


def test_a_failing_run_of_a_notebook_is_recorded_and_stops_nobody(tmp_path, scheduler, write_notebook):
    """Of three runs one has no such gpu; without it there are two, and what failed is tried again when asked."""
    write_notebook(tmp_path / "tiny.ipynb", 'gpu = "l4"  # gpu: the accelerator', "print(gpu)")
    given = {"notebook": str(tmp_path / "tiny.ipynb"), "parameters": {"gpu": ["l4", "no-such-gpu"]}}
    found = tokenecon.sweep(given, tmp_path / "out", scheduler=scheduler, progress=False)
    assert (found.cases, found.done, len(found.failed)) == (2, 1, 1)
    assert found.failed[0]["case"] == 1 and "'no-such-gpu'" in found.failed[0]["why"]
    table = found.to_frame()
    assert table["gpu"].tolist() == ["l4"] and "l4" in Path(table["page"].iloc[0]).read_text(encoding="utf-8")
    assert tokenecon.sweep(given, tmp_path / "out", progress=False).made == 0
    again = tokenecon.sweep(given, tmp_path / "out", scheduler=scheduler, retry_failed=True, progress=False)
    assert again.made == 1 and len(again.failed) == 1


def test_what_a_worker_cannot_make_is_recorded(monkeypatch):
    job = engine.Job(grid.read(GRID))
    monkeypatch.setattr(engine.estimates, "made", lambda *_: 1 / 0)
    assert engine.work(job.asks, *job.part(0)) == (None, "ZeroDivisionError: division by zero")
    content, why = engine.work(job.asks | {"prints": "of another version"}, *job.part(0))
    assert content is None and "another version" in why


def test_one_sentence_for_a_folder_or_a_scheduler_that_will_not_do(tmp_path, copied, monkeypatch):
    monkeypatch.setattr(engine, "SECONDS_TO_ANSWER", 1)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.docx").write_text("mine")
    with pytest.raises(BadInput, match=r"holds 'thesis.docx', which no sweep wrote"):
        tokenecon.sweep(GRID, tmp_path / "other", progress=False)
    for address, words in (("nowhere", "is no address"), ("tcp://127.0.0.1:1", "does not answer")):
        with pytest.raises(BadInput, match=f"scheduler '{address}' {words}"):
            tokenecon.sweep(GRID, tmp_path / "new", scheduler=address, progress=False)
    with manifest.held(copied), pytest.raises(BadInput, match="written by another sweep now"):
        tokenecon.sweep(GRID, copied, progress=False)


def test_the_command_says_what_is_there(copied, tmp_path, command):
    path = tmp_path / "grid.yml"
    path.write_text(json.dumps(GRID))
    code, out, err = command("sweep", path, "-o", copied, "--status", "--json")
    told = json.loads(out)
    assert (code, err, told["done"], told["errors"], told["failed"]) == (0, "", 72, 24, [])
    code, out, err = command("sweep", path, "-o", tmp_path / "none", "--status")
    assert code == 0 and "0 of 72 cases" in out and "8 parts are not made yet" in out and not (tmp_path / "none").exists()
    assert command("sweep", tmp_path / "no.yml", "-o", tmp_path / "x")[0] == 2


def test_killed_it_loses_and_doubles_nothing(tmp_path, root):
    """Two kills; `make faults` does twenty."""
    spec = importlib.util.spec_from_file_location("sweep_kills", root / "tests" / "faults" / "sweep_kills.py")
    kills = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(kills)
    kills.kills(tmp_path, random.Random(1), 2, 16, workers=1, lose_worker=False, say=lambda *_, **__: None)
    assert sys.modules["__main__"].__name__ == "__main__"
