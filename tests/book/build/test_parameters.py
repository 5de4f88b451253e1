"""Parameters: their declaration is read, and what it does not allow is refused in one sentence."""

import json
import shutil
from types import SimpleNamespace

import pytest
import yaml

from tokenecon import data
from tokenecon.decision import scenario
from tokenecon.errors import BadInput
from tokenecon_book.build import notebooks, parameters
from tokenecon_book.build.parameters import ParameterError, SpecError, accept, parse, validate

CELL = """\
# what is asked
gpu = "h100-sxm-80gb"  # gpu: the accelerator
gpus = "h100-sxm-80gb,h200-sxm-141gb"  # gpus: the accelerators compared
batch = 32  # sequence: requests decoded together
weights = 7.5e9  # param: parameters of the model
rent = 2  # USD/GPU/h: rent of one GPU, # included
load = 0.6  # fraction: share of paid hours in use
hits = 0.0  # share: prompts found in the cache
as_of = "2026-07-31"  # date: prices of this day
mode = "static"  # choice(static|continuous): how requests are batched
steps = -3  # int: any whole number
deep = True  # bool: look further
title = "mine"  # text: what the page says
"""
SPEC = parse(CELL)


def said(error):
    """The message of a refusal, which must be one sentence on one line."""
    text = str(error.value)
    assert "\n" not in text
    return text


def test_a_cell_is_read_in_order_with_unit_and_meaning():
    assert list(SPEC)[:3] == ["gpu", "gpus", "batch"]
    assert SPEC["rent"] == parameters.Parameter("rent", 2, "USD/GPU/h", "rent of one GPU, # included")
    assert SPEC["mode"].unit == "choice(static|continuous)"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("batch = 32  # sequences: requests", "did you mean 'sequence'"),
        ("batch = 16 * 2  # sequence: requests", "'batch' is not a literal"),
        ("import os  # text: nothing", "`import os` is not of the form"),
        ("a = b = 1  # int: two names", "not of the form"),
        ("batch = 1  # int: x\nbatch = 2  # int: y", "declared twice"),
        ("batch = (", "not Python"),
    ],
)
def test_a_wrong_declaration_is_refused(line, words):
    with pytest.raises(SpecError) as error:
        parse(line)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("batch", "48", 48),
        ("batch", 48.0, 48),
        ("weights", "8e9", 8e9),
        ("rent", "2.5", 2.5),
        ("rent", 0, 0.0),
        ("load", "1", 1.0),
        ("hits", 0, 0.0),
        ("as_of", "2025-12-08", "2025-12-08"),
        ("mode", "continuous", "continuous"),
        ("steps", "-7", -7),
        ("deep", "false", False),
        ("gpu", "mi300x-192gb", "mi300x-192gb"),
        ("gpus", "mi300x-192gb, l4", ["mi300x-192gb", "l4"]),
        ("gpus", ["l4"], ["l4"]),
        ("title", "a 'quoted' one", "a 'quoted' one"),
    ],
)
def test_good_values_come_out_in_their_type(name, given, value):
    accepted = accept(SPEC[name], given)
    assert accepted == value
    assert type(accepted) is type(value)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("batch", 0, "a whole number of at least 1, in sequence"),
        ("batch", "many", "is 'many'"),
        ("batch", 2.5, "a whole number of at least 1"),
        ("batch", True, "a whole number of at least 1"),
        ("weights", 0.0, "a number above 0, in param"),
        ("rent", -0.1, "a number of at least 0, in USD/GPU/h"),
        ("rent", "nan", "a number of at least 0"),
        ("rent", "inf", "a number of at least 0"),
        ("load", 0, "above 0 and at most 1"),
        ("load", 60, "0.6 means 60%"),
        ("hits", 1.2, "from 0 to 1"),
        ("as_of", "31.07.2026", "a date like 2026-07-31"),
        ("as_of", "2026-02-30", "a date like 2026-07-31"),
        ("mode", "dynamic", "static, continuous"),
        ("deep", "perhaps", "true or false"),
        ("title", "", "1 to 200 characters"),
        ("gpu", "h100-sxm-80", "did you mean 'h100-sxm-80gb'"),
        ("gpu", "h100-sxm-80", "see `tokenecon list gpus`"),
        ("gpus", "l4,h200-sxm", "did you mean 'h200-sxm-141gb'"),
        ("gpus", "l4,l4", "each once"),
        ("gpus", "", "comma separated"),
    ],
)
def test_bad_values_are_refused_with_what_is_allowed(name, given, words):
    with pytest.raises(ParameterError) as error:
        accept(SPEC[name], given, where="hardware")
    assert said(error).startswith(f"hardware: parameter '{name}' is ")
    assert words in said(error)


def test_all_gpus_is_every_row_of_the_table():
    from tokenecon import data

    assert accept(SPEC["gpus"], "all") == list(data.gpus().index)


def test_names_that_are_not_declared_are_refused_with_the_list():
    with pytest.raises(ParameterError) as error:
        validate(SPEC, {"bacth": 3}, where="economics")
    assert "did you mean 'batch'" in said(error)
    assert "allowed are gpu, gpus, batch, weights" in said(error)


def test_a_name_cannot_carry_code_into_the_notebook():
    with pytest.raises(ParameterError):
        validate(SPEC, {"batch = 1; import os; x": 3})


def test_validated_values_are_ready_for_papermill():
    assert validate(SPEC, {"gpus": ["l4", "tpu-v4"], "load": "0.5"}) == {"gpus": "l4,tpu-v4", "load": 0.5}


def executed(*sources):
    """What a notebook's globals hold after these cells."""
    names = {"In": ["", *sources, "case = parameters.check(globals())"]}
    for source in sources:
        exec(source, names)
    return names


def test_check_gives_the_values_in_their_types():
    case = parameters.check(executed(CELL, "# Parameters\nbatch = 64\ngpus = 'l4,l40s-48gb'\n"))
    assert (case.batch, case.gpus, case.rent) == (64, ["l4", "l40s-48gb"], 2.0)


def test_check_refuses_what_papermill_injected_beside_the_declaration():
    with pytest.raises(ParameterError) as error:
        parameters.check(executed(CELL, "# Parameters\nbacth = 64\n"))
    assert "parameter 'bacth' does not exist; did you mean 'batch'?" in said(error)


def test_check_refuses_wrong_values_and_reads_the_newest_declaration():
    edited = CELL.replace("batch = 32", "batch = -1")
    with pytest.raises(ParameterError) as error:
        parameters.check(executed(CELL, "x = 1", edited))
    assert "parameter 'batch' is -1" in said(error)
    assert parameters.check(executed(edited, "x = 1", CELL)).batch == 32


def test_check_needs_a_notebook_that_ran_its_parameters():
    with pytest.raises(SpecError, match="history of a notebook"):
        parameters.check({"batch": 1})
    with pytest.raises(SpecError, match="no parameters cell"):
        parameters.check(executed("print(1)"))


def test_the_declaration_is_found_by_its_tag(tmp_path):
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "# Why?"},
        {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": CELL.splitlines(keepends=True)},
    ]
    path = tmp_path / "why.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    assert parameters.spec(path) == SPEC
    path.write_text(json.dumps({"cells": cells[:1]}))
    with pytest.raises(SpecError, match="no cell tagged 'parameters'"):
        parameters.spec(path)
    path.write_text("not a notebook")
    with pytest.raises(BadInput, match="cannot be read as a notebook"):
        parameters.spec(path)


# --- defaults by id --------------------------------------------------------------------------------

BY_ID = """\
pue = "power.pue"  # ratio: power of the building over power of its machines
tpot_s = "service.tpot"  # s/tok_out: slowest answer
drafts = "speculation.tokens"  # position: tokens drafted
rent = "up-h100-cloud-price-now"  # USD/GPU/h: middle of the documents' range
as_of = "up-document-date"  # date: the day of the documents
day = "chat-assistant.money.as_of"  # date: the day of a scenario
prompt = "azure-2023-conv.input_mean"  # tok_in: mean of a trace
title = "power.pue"  # text: itself
"""


def test_a_default_comes_from_the_row_that_it_names_in_the_unit_of_the_parameter():
    spec = parse(BY_ID)
    day = scenario.field("chat-assistant", "money.as_of")
    # 50 ms are 0.05 s; the documents print 1.49 to 3.90 USD an hour and 8 December 2025
    assert [one.default for one in spec.values()] == [1.3, 0.05, 4, 2.695, "2025-12-08", day, 1155, "power.pue"]
    assert (spec["pue"].origin, spec["title"].origin) == ("power.pue", "")
    case = parameters.check(executed(BY_ID, "# Parameters\npue = 'power.draw'\nday = '2026-01-02'\n"))
    assert (case.pue, case.day, case.drafts) == (0.8, "2026-01-02", 4)


def test_an_id_that_no_row_has_is_refused_with_the_nearest():
    with pytest.raises(ParameterError) as error:
        accept(parse(BY_ID)["pue"], "power.pu")
    assert said(error) == ("parameter 'pue': value 'power.pu' is not known; use 'power.pue' or 'power.price' or 'power.idle', or "
                           "another id of data/assumptions.csv, data/claims.csv and data/traces.csv")


def test_a_changed_row_changes_ledger_and_chapter_alike(tmp_path, read_from):
    """Four requests of an analyst become six in data/assumptions.csv, and nowhere else."""
    shutil.copytree(data.ROOT, tmp_path / "data")
    path = tmp_path / "data" / "assumptions.csv"
    old, new = "bank.requests_per_analyst_hour,4,", "bank.requests_per_analyst_hour,6,"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    read_from(tmp_path / "data")
    chapter = notebooks.defaults("cases/jpmorgan")["requests_per_analyst_hour"]
    assert chapter == data.value("bank.requests_per_analyst_hour") == 6


def test_a_line_that_lost_its_comment_still_runs():
    bare = "batch = 32\npue = 'power.pue'\nname = 'mine'\n"
    case = parameters.check(executed(bare, "# Parameters\nbatch = 48\n"))
    assert (case.batch, case.pue, case.name) == (48, 1.3, "mine")
    with pytest.raises(ParameterError, match="parameter 'batch' is 'many', but must be a whole number"):
        accept(parse(bare)["batch"], "many")


# A number typed in a notebook that a row of the same unit holds too, and is another thing.
ANOTHER_THING = {
    ("contracts", "lost_share"), ("contracts", "provider_gpus"), ("contracts", "spot_share"), ("traffic", "percentile"),
}


def test_no_notebook_types_a_number_that_a_row_holds():
    rows = data.table("assumptions")
    rows = rows[~rows["id"].str.startswith("published.")]  # figures of others, held against ours, are nobody's input
    for name, path in notebooks.catalogue().items():
        for one in parameters.spec(path).values():
            assert one.unit and one.meaning, f"{name}: parameter '{one.name}' lacks its comment `# unit: meaning`"
            if one.origin or not isinstance(one.literal, int | float) or isinstance(one.literal, bool):
                continue
            units = {one.unit, {"share": "fraction"}.get(one.unit, one.unit)}
            same = rows[(rows["value"] == one.literal) & rows["unit"].isin(units)]["id"].tolist()
            assert not same or (name, one.name) in ANOTHER_THING, (
                f"{name}: parameter '{one.name}' types {one.literal}, which {', '.join(same)} of data/assumptions.csv hold; "
                "write the id in place of the number, or list it in ANOTHER_THING")


def test_a_blank_parameter_is_shown_as_the_scenario_states_it():
    """What stands in the file, with its place; a page without a scenario and a parameter that is given keep their own."""
    stated = yaml.safe_load((scenario.FOLDER / "chat-assistant.yml").read_text(encoding="utf-8"))
    page = SimpleNamespace(scenario="chat-assistant", model=None, osl=None, isl=2000.0, as_of=None, seed=None)
    assert parameters.kept(page) == {
        "model": (stated["model"], "chat-assistant.model"), "osl": (stated["workload"]["osl"], "chat-assistant.workload.osl"),
        "as_of": (str(stated["money"]["as_of"]), "chat-assistant.money.as_of")}
    assert parameters.kept(SimpleNamespace(model=None)) == {}
