"""What `import tokenecon` offers: documented, light, and true to its examples."""

import doctest
import inspect
import subprocess
import sys
from types import ModuleType

import pandas as pd
import pytest

import tokenecon

CASE = {"model": "llama-3.1-8b", "gpu": "h100-sxm-80gb", "n_gpus": 1, "isl": 1000, "osl": 200, "concurrency": 8}


def test_examples_run():
    found = doctest.testmod(tokenecon)
    assert found.attempted >= 30 and found.failed == 0
    found = doctest.testmod(tokenecon.prices)  # a package, and a function
    assert found.attempted >= 2 and found.failed == 0


def test_everything_public_is_documented_and_typed():
    assert {"estimate", "plan", "fit", "cost", "decide", "compare", "sweep", "models", "gpus", "prices", "claims",
            "facts"} < set(tokenecon.__all__)
    for name in tokenecon.__all__:
        one = getattr(tokenecon, name)
        assert inspect.getdoc(one) or one.__doc__, f"tokenecon.{name} has no docstring"
        if inspect.isfunction(one) or isinstance(one, ModuleType):
            signature = inspect.signature(one)
            kinds = [signature.return_annotation, *(part.annotation for part in signature.parameters.values())]
            assert inspect.Signature.empty not in kinds, f"tokenecon.{name} lacks a type"


def test_importing_loads_no_library():
    program = "import sys; import tokenecon; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "pandas", "scipy", "pydantic", "typer", "yaml", "dask", "distributed", "pyarrow"} & set(loaded)


def test_only_a_sweep_loads_dask(tmp_path):
    program = ("import sys, tokenecon; tokenecon.estimate({'model': 'llama-3.1-8b', 'gpu': 'l40s-48gb', 'n_gpus': 1, 'isl': 9, "
               "'osl': 9}); sys.modules['distributed'] = None\n"
               "assert 'dask' not in sys.modules\n"
               "try: tokenecon.sweep({'cases': {'model': 'llama-3.1-8b', 'gpu': 'l40s-48gb', 'n_gpus': 1, 'isl': 9, 'osl': 9}}, "
               "sys.argv[1])\n"
               "except tokenecon.BadInput as error: print(error)")
    done = subprocess.run([sys.executable, "-c", program, tmp_path / "out"], capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") == 1 and "install tokenecon-book with its extra [sweep]" in done.stdout


def test_cases_come_as_a_dict_a_list_or_a_frame_and_go_as_a_frame():
    one, listed, framed = (tokenecon.estimate(given).to_frame() for given in (CASE, [CASE], pd.DataFrame([CASE])))
    assert type(one) is pd.DataFrame
    pd.testing.assert_frame_equal(listed, framed)
    pd.testing.assert_frame_equal(one, framed, check_dtype=False, rtol=1e-12)


def test_a_result_says_its_units_its_sources_and_what_made_it():
    found = tokenecon.estimate(CASE)
    assert found.units["ttft_ms"] == "ms" and found.units["usd_per_mtok_low"] == "USD/Mtok"
    assert found.version == tokenecon.__version__
    assert {"nvidia-h100-datasheet", "own-arithmetic"} <= set(found.sources)
    assert all(one["title"] for one in found.cited)


def test_a_result_reads_as_its_table_and_cannot_be_changed_through_it():
    found = tokenecon.estimate([CASE, CASE | {"concurrency": 64}])
    column = found["tpot_ms"]
    column[:] = 0.0
    frame = found.to_frame()
    frame["tpot_ms"] = 0.0
    assert (found["tpot_ms"] > 0).all() and found.iloc[1]["tpot_ms"] == found.loc[1, "tpot_ms"] > found.iloc[0]["tpot_ms"]
    assert list(found) == list(found.columns) == list(found[["model", "gpu"]].join(found.to_frame().iloc[:, 2:]))


def test_a_notebook_shows_numbers_units_and_sources_and_no_markup_of_others():
    html = tokenecon.estimate(CASE | {"note": "<script>"})._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;" in html
    assert "<small>ms/tok_out</small>" in html and "NVIDIA" in html and f"tokenecon {tokenecon.__version__}" in html


def test_a_scenario_is_a_name_a_path_or_a_mapping(tmp_path):
    from tokenecon import yaml_file
    from tokenecon.decision import scenario

    path = scenario.FOLDER / "chat-assistant.yml"
    named, read, mapped = (tokenecon.cost(given, requests_per_day=250_000).to_frame()
                           for given in ("chat-assistant", path, yaml_file.mapping(path)))
    pd.testing.assert_frame_equal(named, read)
    pd.testing.assert_frame_equal(named, mapped)


def test_scenarios_are_compared_as_names_paths_or_mappings():
    from tokenecon import yaml_file
    from tokenecon.decision import scenario

    other = yaml_file.mapping(scenario.FOLDER / "chat-assistant.yml")
    other["workload"]["requests_per_day"] *= 2
    found = tokenecon.compare("chat-assistant", other)
    assert list(found["input"]) == ["workload.requests_per_day", "together beyond one by one", "whole difference"]
    answers = found["answers"]["usd_per_month"]
    assert found.iloc[-1]["usd_per_month"] == pytest.approx(answers[1] - answers[0])
    assert found["differences"].iloc[0, 0] == "workload.requests_per_day" and found.version and found.sources
    assert "costs" in found.sentence and "<table>" in found._repr_html_()


def test_prices_are_of_a_day():
    assert (tokenecon.prices(as_of="2024-06-30")["as_of"] <= "2024-06-30").all()
    assert len(tokenecon.prices(as_of="2024-06-30")) < len(tokenecon.prices())
    assert "2024-06-30" in tokenecon.prices(as_of="2024-06-30").note


@pytest.mark.parametrize(("call", "words"), [
    (lambda: tokenecon.estimate(5), "cases are of the type int"),
    (lambda: tokenecon.estimate([]), "cases are of the type list"),
    (lambda: tokenecon.estimate({name.replace("rr", "r"): CASE[name] for name in CASE}), "did you mean 'concurrency'"),
    (lambda: tokenecon.fit("llama-9"), "llama-9"),
    (lambda: tokenecon.cost("chat-assistent"), "chat-assistent"),
    (lambda: tokenecon.cost(3), "of the type int"),
    (lambda: tokenecon.cost("chat-assistant", request_per_day=3), "did you mean 'requests_per_day'"),
    (lambda: tokenecon.decide("chat-assistant", draws=5), "draws is 5"),
    (lambda: tokenecon.decide("chat-assistant", draws="many"), "draws is 'many'"),
    (lambda: tokenecon.compare("chat-assistant"), "compare takes from 2 to 8 scenarios, not 1"),
    (lambda: tokenecon.compare("chat-assistant", 3), "of the type int"),
    (lambda: tokenecon.compare("chat-assistant", "coding-agent", price_rule="bets"), "bets"),
    (lambda: tokenecon.compare("chat-assistant", {"name": "x"}), "is missing"),
    (lambda: tokenecon.plan(7), "model is of the type int"),
    (lambda: tokenecon.plan("llama-9", isl=10, osl=10), "llama-9"),
    (lambda: tokenecon.plan("llama-3.1-8b", isl=1000), "osl"),
    (lambda: tokenecon.prices("h1000"), "h1000"),
    (lambda: tokenecon.prices(as_of="soon"), "as_of 'soon' is not a date"),
    (lambda: tokenecon.token_prices("nobody-s"), "nobody-s"),
    (lambda: tokenecon.claims("nowhere"), "section 'nowhere' is not known"),
    (lambda: tokenecon.sweep({"cases": {}}, "out"), "no cases"),
    (lambda: tokenecon.sweep(7, "out"), "it is a int"),
])  # fmt: skip
def test_a_bad_argument_is_one_sentence(call, words):
    with pytest.raises(tokenecon.BadInput) as refused:
        call()
    assert words in str(refused.value) and "\n" not in str(refused.value)
