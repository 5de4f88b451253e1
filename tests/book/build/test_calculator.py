"""What the build writes for the calculator: modules that run without NumPy, and facts that are those of the package."""

import ast
import json

import pytest

from tokenecon import data
from tokenecon.serving import lookups
from tokenecon_book.build import calculator

ABSENT = {"numpy", "pandas", "scipy", "typing", "dataclasses", "enum", "functools"}


def test_the_modules_import_nothing_that_is_not_there():
    found = calculator.modules()
    assert "tokenecon/calculator/answer.py" in found and "tokenecon/data.py" not in found
    for path, source in found.items():
        for node in ast.parse(source).body:  # what stands under a condition is for a type checker, or tried
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else (
                [node.module] if isinstance(node, ast.ImportFrom) else [])
            assert not {name.partition(".")[0] for name in names} & ABSENT, path
            for name in names:
                if name.startswith("tokenecon."):
                    assert any(one.startswith(name.replace(".", "/")) for one in found), (path, name)


def test_a_clone_without_npm_packages_is_told_how_to_get_them(tmp_path):
    assert calculator.files(tmp_path, tmp_path / "_build") == {}, "a book without the page needs nothing"
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / calculator.PAGE).write_text("# Page\n")
    with pytest.raises(FileNotFoundError, match="make node_modules/stamp"):
        calculator.files(tmp_path, tmp_path / "_build")


def test_the_site_serves_the_facts_of_the_package(site):
    facts = json.loads((site / "_static/calculator/facts.json").read_text(encoding="utf-8"))
    assert set(facts["model_ids"]) <= set(data.ids("models")) and set(facts["gpu_ids"]) <= set(data.ids("gpus"))
    assert facts["start"]["as_of"] == facts["days"][0]
    assert facts["coefficients"] == lookups.coefficients()
    served = {path.name for path in (site / "_static/calculator").iterdir()}
    assert served == {"facts.json", "modules.json", *calculator.ENGINE_FILES, *(f"prices-{day}.json" for day in facts["days"])}


def test_earlier_days_are_ends_of_quarters_that_the_tables_answer(site):
    folder = site / "_static/calculator"
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    first, *earlier = facts["days"]
    assert first == facts["start"]["as_of"] and earlier == sorted(earlier, reverse=True)
    assert {day[5:] for day in earlier} <= {"03-31", "06-30", "09-30", "12-31"}
    assert "2026-03-31" not in earlier, "two sellers, who were seen before and after, make no median"
    for day in earlier:
        prices = json.loads((folder / f"prices-{day}.json").read_text(encoding="utf-8"))
        assert prices["day"] == day and prices["api"][facts["start"]["model"]]
        hours = prices["rents"]["typical"][facts["start"]["gpus"][0]]["on_demand"]
        assert hours[0]["count"] >= 5 and all(one["seen"] <= day for one in hours)
        known = [one["price"] for one in prices["owned"].values() if not one["reason"]]
        assert known and not any("typical" in one for one in known), "a sum of many parts differs by the version of Python"
