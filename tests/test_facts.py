"""A reader's own facts: they join ours, move results as arithmetic says, are marked, and are checked like ours."""

import csv
import hashlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

import tokenecon
from tokenecon import data, own_facts, queries
from tokenecon.decision import options, portfolio, scenario
from tokenecon.errors import BadInput, NoPrice, UnknownId
from tokenecon.importers import own_model
from tokenecon.prices import gpu_prices, price_book
from tokenecon_book.build import notebooks
from tokenecon_book.chapters.contracts import contract_prices, mix
from tokenecon_book.chapters.hardware import hardware
from tokenecon_book.chapters.hour import lifetime
from tokenecon_book.chapters.market import token_prices
from tokenecon_book.chapters.traffic import idle
from tokenecon_book.documents import base, bills

GPU = """gpu,field,value,text,unit,basis,as_of
my-gpu,name,,My GPU,text,spec,2026-10-01
my-gpu,vendor,,ACME,text,spec,2026-10-01
my-gpu,kind,,gpu,text,spec,2026-10-01
my-gpu,memory,96,,GB,spec,2026-10-01
my-gpu,engine_memory,88,,GiB,spec,2026-10-01
my-gpu,bandwidth,3000,,GB/s,spec,2026-10-01
my-gpu,bf16,800,,TFLOP/s,spec,2026-10-01
my-gpu,fp8,1600,,TFLOP/s,spec,2026-10-01
my-gpu,link_domain,8,,GPU,spec,2026-10-01
my-gpu,link_bandwidth,450,,GB/s,spec,2026-10-01
my-gpu,interconnect,,NVLink 4,text,spec,2026-10-01
"""
PRICE = "id,gpu,kind,value,unit,basis,as_of\nmy.price,my-gpu,on_demand,1.5,USD/GPU/h,quoted,2026-11-01\n"
ASSUMED = "id,value,unit,basis,as_of\nfinance.ops_overhead,0.5,fraction,assumed,2026-11-01\n"
API = ("id,model,provider,seller_model,usd_per_mtok_in,usd_per_mtok_out,as_of,status,basis\n"
       "my.offer,llama-3.3-70b,me,mine,0.2,0.4,2026-11-01,listed,quoted\n")
CONFIG = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 4096, "num_hidden_layers": 32,
          "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256,
          "tie_word_embeddings": False, "max_position_embeddings": 131072, "torch_dtype": "bfloat16"}
CASE = """name: Mine
model: llama-3.3-70b
weights: fp8
kv: fp8
gpus: [my-gpu]
n_gpus: 4
workload: {isl: 1000, osl: 200, requests_per_day: 400000}
traffic: {profile: flat}
choices: [rent, api]
"""
HOURS_PER_MONTH = 730


@pytest.fixture
def folder(tmp_path):
    """A folder of own facts: a GPU, its price and an assumption that replaces ours."""
    return written(tmp_path / "mine", gpus=GPU, prices=PRICE, assumptions=ASSUMED)


def written(path, **tables):
    path.mkdir(exist_ok=True)
    for name, text in tables.items():
        (path / f"{name}.csv").write_text(text, encoding="utf-8")
    return path


def hashes(path):
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in sorted(path.iterdir())}


def refused(result):
    """The sentence of a refusal."""
    code, out, err = result
    assert (code, out, err.count("\n")) == (2, "", 1) and err.startswith("error: ") and "Traceback" not in err, result
    return err


# --- they join ours ------------------------------------------------------------------------------


def test_lists_hold_the_readers_rows_and_mark_them(command, folder):
    for line in (["list", "gpus", "--json", "--facts", folder], ["--facts", folder, "list", "gpus", "--json"],
                 ["list", f"--facts={folder}", "gpus", "--json"]):
        code, text, _ = command(*line)
        rows = {row["id"]: row for row in json.loads(text)}
        assert code == 0 and rows["my-gpu"] | {"release": ""} == {
            "id": "my-gpu", "name": "My GPU", "vendor": "ACME", "kind": "gpu", "release": "", "memory_GB": 96.0,
            "bandwidth_TB_per_s": 3.0, "bf16_TFLOP_per_s": 800.0, "board_power_W": None, "yours": "all"}
        assert rows["h100-sxm-80gb"]["yours"] == ""
    _, text, _ = command("list", "prices", "my-gpu", "--json", "--facts", folder)
    (row,) = json.loads(text)
    assert (row["value"], row["yours"], row["source"], row["provider"]) == (1.5, "yours", "your-file-prices.csv", "own")
    _, text, _ = command("list", "gpus", "--json")
    assert "my-gpu" not in text and "yours" not in text


def test_a_shown_row_says_that_it_is_the_readers(command, folder):
    _, out, _ = command("show", "finance.ops_overhead", "--facts", folder)
    assert "(your file assumptions.csv)" in out and "your file assumptions.csv, row finance.ops_overhead" in out
    _, text, _ = command("show", "my-gpu.bandwidth", "--facts", folder, "--json")
    found = json.loads(text)
    assert found["rows"][0]["yours"] == "yours" and found["rows"][0]["locator"] == "line 7"
    assert [source["title"] for source in found["sources"]] == ["your file gpus.csv"]
    _, out, _ = command("show", "power.pue", "--facts", folder)
    assert "(data/assumptions.csv)" in out


def test_one_fact_of_a_gpu_of_ours_can_be_replaced(command, tmp_path):
    text = "gpu,field,value,unit,basis,as_of\nh100-sxm-80gb,bandwidth,3.0,TB/s,measured,2026-10-01\n"
    mine = written(tmp_path / "mine", gpus=text)
    before = data.gpu("h100-sxm-80gb")["memory_bytes"]
    assert tokenecon.facts(mine) == {"gpus": ("h100-sxm-80gb.bandwidth",), "sources": ("your-file-gpus.csv",)}
    assert data.gpu("h100-sxm-80gb")["bandwidth_bytes_per_s"] == 3e12 and data.gpu("h100-sxm-80gb")["memory_bytes"] == before
    _, text, _ = command("list", "gpus", "--json", "--facts", mine)
    assert {row["id"]: row["yours"] for row in json.loads(text)}["h100-sxm-80gb"] == "bandwidth"
    _, out, _ = command("show", "h100-sxm-80gb", "--facts", mine)
    assert "data/gpus.csv and your file gpus.csv" in out


def test_a_source_of_the_readers_is_cited_beside_the_file(tmp_path):
    sources = "id,title,publisher,accessed,licence,kind\nacme-sheet,ACME data sheet,ACME,2026-10-01,all rights,datasheet\n"
    lines = GPU.splitlines()
    gpus = "\n".join([f"{lines[0]},source", *(f"{line},acme-sheet" for line in lines[1:])]) + "\n"
    tokenecon.facts(written(tmp_path / "mine", gpus=gpus, sources=sources))
    with queries.recording() as asked:
        assert data.gpu("my-gpu")["bandwidth_bytes_per_s"] == 3e12
    assert data.sources_of(asked) == ("your-file-gpus.csv", "acme-sheet")
    assert data.source("acme-sheet")["title"] == "ACME data sheet"
    assert data.own_among(asked) == {"gpus": ("my-gpu.bandwidth",)}


def test_what_was_remembered_is_forgotten_and_comes_back(folder):
    def now():
        price = gpu_prices.price_range("h200-sxm-141gb", "on_demand")["typical"]
        row = tokenecon.estimate({"model": "llama-3.1-8b", "gpu": "h200-sxm-141gb", "n_gpus": 1, "isl": 1000, "osl": 200}).iloc[0]
        return price, row["usd_per_mtok"], data.value("finance.ops_overhead"), data.ids("gpus"), costs()

    def costs():
        case = scenario.overridden("chat-assistant", {"gpus": "h200-sxm-141gb"})
        return options.offers(case).table["usd_per_mtok"].tolist()

    before = now()
    (folder / "prices.csv").write_text(PRICE + "my.h200,h200-sxm-141gb,on_demand,9,USD/GPU/h,quoted,2026-11-01\n")
    tokenecon.facts(folder)
    other = now()
    assert all(one != two for one, two in zip(before, other, strict=True))
    tokenecon.facts(None)
    assert str(now()) == str(before)


def test_the_answers_in_text_are_those_of_the_tables(folder):
    tokenecon.facts(folder)
    for name in ("gpus", "prices", "assumptions", "sources", "providers"):
        assert list(data.table(name)["id"]) == [row["id"] for row in data.Answers().answer(queries.Query(name, (), ""))]
    assert data.Answers(data.ROOT).answer(queries.Query("gpus", (("gpu=", "my-gpu"),), "")) == []


# --- they move results -----------------------------------------------------------------------------


def test_own_gpu_and_price_in_estimate(command, tmp_path, folder):
    cases, out = tmp_path / "cases.csv", tmp_path / "out.csv"
    cases.write_text("model,gpu,n_gpus,isl,osl,weights,concurrency\nllama-3.1-8b,my-gpu,2,1000,200,fp8,8\n")
    code, _, err = command("estimate", cases, "-o", out, "--facts", folder)
    assert code == 0 and "with your own facts: gpus.csv (" in err and "prices.csv (my.price)" in err
    row = pd.read_csv(out).iloc[0]
    # two GPUs at 1.50 an hour over the tokens of that hour, in millions
    assert row["usd_per_mtok"] == pytest.approx(2 * 1.5 / (row["total_tok_s"] * 3600 / 1e6), rel=1e-4)
    assert not row["calibrated"]
    assert command("estimate", cases, "-o", out)[0] == 1 and "gpu 'my-gpu' is not known" in pd.read_csv(out).iloc[0]["error"]


def test_own_gpu_price_and_assumption_in_cost(command, tmp_path, folder):
    path = tmp_path / "case.yml"
    path.write_text(CASE)
    code, text, _ = command("cost", path, "--json", "--facts", folder)
    found = json.loads(text)
    rows = {row["kind"]: row for row in found["tables"]["choices"]}
    row = rows["on_demand"]
    # the price with the reader's half for operations, for four GPUs of each replica, for the hours of a month
    assert row["usd_per_month"] == pytest.approx(
        1.5 * (1 + 0.5) * 4 * row["replicas"] * HOURS_PER_MONTH + row["usd_per_month_people"])
    assert (code, row["n_gpus"], row["price_mark"], row["price_seen"]) == (0, 4, "yours", "2026-11-01")
    assert rows["api"]["price_mark"] == ""
    assert {"your-file-gpus.csv", "your-file-prices.csv"} <= set(found["sources"])
    assert found["own_facts"]["prices"] == ["my.price"] and found["own_facts"]["assumptions"] == ["finance.ops_overhead"]
    _, out, _ = command("cost", path, "--facts", folder)
    assert "With your own facts: " in out and "on demand: My GPU" in out
    code, out, _ = command("decide", path, "--facts", folder, "--draws", "1000")
    assert code == 0 and "With your own facts: " in out
    assert "gpus is ['my-gpu'], but must be" in refused(command("cost", path))
    path.write_text(CASE.replace("[my-gpu]", "[l4, my-gpu]"))
    assert "each once, or 'all'; 'my-gpu' is not known; see `tokenecon list gpus`" in refused(command("cost", path))


def test_what_is_missing_is_looked_for_in_the_readers_files_too(command, tmp_path):
    mine = written(tmp_path / "mine", gpus=GPU)
    tokenecon.facts(mine)
    case = {"model": "llama-3.1-8b", "gpu": "my-gpu", "n_gpus": 1, "isl": 1000, "osl": 200, "weights": "fp8"}
    row = tokenecon.estimate(case).iloc[0]
    assert row["output_tok_s"] > 0 and row["error"] == ""
    assert row["no_price"] == f"gpu 'my-gpu' has no offer in data/prices.csv or {mine}/prices.csv; give usd_per_gpu_hour"
    path = tmp_path / "case.yml"
    path.write_text(CASE.replace("[rent, api]", "[own, rent, api]"))
    assert command("cost", path, "--facts", mine)[0] == 0
    assert f"add a row of kind purchase to data/prices.csv or {mine}/prices.csv" in str(
        options.offers(scenario.load(path)).table["reason"].tolist())
    with pytest.raises(NoPrice, match=r"add a row to data/api_prices\.csv or .*mine/api_prices\.csv$"):
        price_book.token_price("llama-1-30b")
    tokenecon.facts(None)
    with pytest.raises(NoPrice, match=r"add a row to data/api_prices\.csv$"):
        price_book.token_price("llama-1-30b")


def test_own_token_prices_are_offers_like_others(command, tmp_path):
    mine = written(tmp_path / "mine", api_prices=API + "my.other,my-model,me,x,1,2,2026-10-01,listed,quoted\n")
    path = tmp_path / "case.yml"
    path.write_text(CASE.replace("my-gpu", "h100-sxm-80gb"))
    _, text, _ = command("cost", path, "--json", "--facts", mine)
    (row,) = [row for row in json.loads(text)["tables"]["choices"] if row["kind"] == "api"]
    assert row["price_mark"] == "yours" and "my.offer" in json.loads(text)["own_facts"]["api_prices"]
    tokenecon.facts(mine)
    assert price_book.token_price("my-model")["output"] == (2.0, 2.0, 2.0), "an older day of the same file is no older vintage"


def test_a_replaced_assumption_moves_the_result_as_arithmetic_says(tmp_path):
    case = scenario.overridden("chat-assistant", {"gpus": "h100-sxm-80gb"})
    case.ops_overhead = data.value("finance.ops_overhead")
    before = options.offers(case).table.set_index("name")["usd_per_mtok_marginal"]
    tokenecon.facts(written(tmp_path / "mine", assumptions=ASSUMED))
    case.ops_overhead = data.value("finance.ops_overhead")
    after = options.offers(case).table.set_index("name")["usd_per_mtok_marginal"]
    rented = [name for name in before.index if name.startswith("on demand") and before[name] == before[name]]
    assert rented and (after[rented] / before[rented]).tolist() == pytest.approx([1.5 / 1.1] * len(rented))


def test_the_command_reads_them_in_a_process_of_its_own(folder):
    line = ["list", "prices", "my-gpu", "--facts", folder]
    done = subprocess.run([sys.executable, "-c", "from tokenecon import cli; cli.main()", *map(str, line)],
                          capture_output=True, text=True, check=True)
    assert "my.price" in done.stdout


PAGE = """from myst_nb import glue
from tokenecon import data
from tokenecon.finding import Finding, finding
from tokenecon_book.charts import figure, forms
import pandas as pd
@finding
def wide():
    return Finding(pd.DataFrame({'gpu': [data.gpu(case.gpu)['name']],
                                 'bandwidth': [data.gpu(case.gpu)['bandwidth_bytes_per_s'] / 1e12]}), 'One')
axis, found = forms.axis('bandwidth', 'Bandwidth', 'TB/s'), wide()
figure('tiny-bandwidth', found, forms.bars(found.table, axis, 'gpu'), alt='One bar, as long as the bandwidth')
"""


def test_a_notebook_rerun_reads_them_and_says_so(command, tmp_path, folder, write_notebook):
    path = write_notebook(tmp_path / "tiny.ipynb", 'gpu = "h100-sxm-80gb"  # gpu: the accelerator', PAGE)
    before = hashes(folder)
    names = []
    for text in (GPU, GPU.replace("bandwidth,3000", "bandwidth,3500")):
        (folder / "gpus.csv").write_text(text)
        code, out, err = command("run", path, "-p", "gpu", "my-gpu", "-o", tmp_path / "out", "--facts", folder)
        assert code == 0, err
        names += [one for one in out.split() if one.endswith(".csv")]
    tables = [Path(one).read_text(encoding="utf-8").splitlines()[1] for one in names]
    assert tables == ["My GPU,3", "My GPU,3.5"], "other facts, other numbers, and another name"
    page = next(iter((tmp_path / "out").glob("*.html"))).read_text()
    assert "With your own facts: gpus.csv (my-gpu.name, my-gpu.bandwidth)." in page
    assert "your file gpus.csv" in page and f"--facts {folder}" in page
    (folder / "gpus.csv").write_text(GPU)
    assert hashes(folder) == before, "files of the reader's are read and not written"
    assert "parameter 'gpu' is 'my-gpu'" in refused(command("run", path, "-p", "gpu", "my-gpu", "-o", tmp_path / "out"))


def test_a_seller_that_is_not_named_is_the_reader(folder):
    tokenecon.facts(folder)
    terms = {"availability": 1.0, "interruptions": 0.0, "restart": 0.0, "lost": 0.0}
    with queries.recording() as asked:
        offers = portfolio.market("my-gpu", "2026-11-22", limit=8, sellers="platform", **terms)
    assert offers["offer"].tolist() == ["own, on demand"] and offers["usd_per_gpu_hour"].tolist() == [1.5]
    assert [data.source(one)["title"] for one in data.sources_of(asked)] == ["your file prices.csv"]


# --- a configuration in place of a model's id -----------------------------------------------------


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "Llama-Mine" / "config.json"
    path.parent.mkdir()
    path.write_text(json.dumps(CONFIG))
    return path


def test_a_scenario_takes_a_configuration_like_the_model_of_the_same_shape(command, tmp_path, config):
    text = CASE.replace("my-gpu", "h100-sxm-80gb").replace("n_gpus: 4", "n_gpus: 1")
    costs = []
    for model in ("Llama-Mine/config.json", config, "llama-3.1-8b"):
        path = tmp_path / "case.yml"
        path.write_text(text.replace("llama-3.3-70b", str(model)))
        code, out, _ = command("cost", path, "--json")
        found = json.loads(out)
        costs.append({row["kind"]: row["usd_per_mtok"] for row in found["tables"]["choices"] if row["kind"] != "api"})
        assert code == 0
        if model != "llama-3.1-8b":
            assert any("API" in row["name"] and "no seller" in row["reason"] for row in found["tables"]["refused"])
            assert f"Never measured, so with wider intervals: model '{config}'" in found["note"]
            assert found["own_facts"]["models"] == [str(config)] and f"your-file-{config}" in found["sources"]
            assert command("decide", path, "--draws", "500")[0] == 0
    assert costs[0] == costs[1] and costs[0].keys() == costs[2].keys()
    assert costs[0] == pytest.approx(costs[2], rel=0.05), "nothing is measured of a file, so its interval alone may differ"


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_takes_a_configuration_from_its_own_folder_and_says_so(command, tmp_path, monkeypatch, config, ending):
    """What nobody measured is marked, and the file is named; the table keeps the name that it was given."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    (here / "mine.json").write_bytes(config.read_bytes())
    named = ["Llama-Mine/config.json", "mine.json", str(config), "llama-3.1-8b"]
    cases, out = tmp_path / f"cases.{ending}", tmp_path / "out.csv"
    table = pd.DataFrame([{"model": model, "gpu": "h100-sxm-80gb", "n_gpus": 1, "isl": 1000, "osl": 200, "weights": "fp8",
                           "draft_model": draft, "draft_tokens": 0} for model in named for draft in (None, "mine.json")])
    table.to_csv(cases, index=False) if ending == "csv" else table.to_parquet(cases)
    code, _, err = command("estimate", cases, "-o", out)
    rows = pd.read_csv(out)
    assert code == 0 and err == f"with your own facts: {config}; {here / 'mine.json'}\n"
    assert rows["model"].tolist() == table["model"].tolist() and rows["calibrated"].tolist() == [False] * 6 + [True] * 2
    said = [f"model '{one}'" for one in (config, *named[1:3])]  # where the first was found
    assert rows["unmeasured"].fillna("").tolist() == [words for words in (*said, "") for _ in range(2)]
    assert rows["tpot_ms"].nunique() == 1, "the shape is that of the catalogue's model"
    assert rows["tpot_ms_high"].iloc[0] > rows["tpot_ms_high"].iloc[-1]


def test_fit_says_what_it_used(command, config):
    code, out, err = command("fit", config, "--gpu", "h100-sxm-80gb", "--json")
    assert code == 0 and json.loads(out)["fits"] and err == f"with your own facts: {config}\n"
    assert command("fit", "llama-3.1-8b", "--gpu", "h100-sxm-80gb", "--json")[2] == ""


def test_a_configuration_puts_its_source_on_record(config):
    case = {"model": str(config), "gpu": "h100-sxm-80gb", "n_gpus": 1, "isl": 1000, "osl": 200}
    for _ in range(2):  # the second time from memory
        with queries.recording() as asked:
            tokenecon.estimate(case)
        assert f"your-file-{config}" in data.sources_of(asked) and data.own_among(asked)["models"] == (str(config),)
    assert data.model(str(config))["name"] == "Llama-Mine" and data.source(f"your-file-{config}")["publisher"] == own_facts.OWNER


def test_a_row_of_a_model_is_new_where_its_shape_is(tmp_path):
    case = {"model": "llama-3.1-8b", "gpu": "h100-sxm-80gb", "n_gpus": 1, "isl": 1000, "osl": 200, "weights": "fp8"}
    row = next(row for row in csv.DictReader((data.ROOT / "models.csv").open()) if row["id"] == "llama-3.1-8b")

    def calibrated(**cells):
        text = io.StringIO()
        writer = csv.DictWriter(text, list(row))
        writer.writeheader()
        writer.writerow(row | {"source": "", "locator": ""} | cells)
        tokenecon.facts(written(tmp_path / "mine", models=text.getvalue()))
        return tokenecon.estimate(case | {"model": cells.get("id", row["id"])}).iloc[0]["calibrated"]

    assert calibrated(name="Another name"), "the shape is the one that was measured"
    assert not calibrated(ffn_size="14848") and not calibrated(id="my-llama")
    tokenecon.facts(None)
    assert tokenecon.estimate(case).iloc[0]["calibrated"]


def test_a_configuration_named_anew_forgets_only_what_it_changes(config):
    before = data._load("gpus")
    tokenecon.estimate({"model": str(config), "gpu": "h100-sxm-80gb", "n_gpus": 1, "isl": 1000, "osl": 200})
    assert str(config) in data.ids("models") and str(config) in set(data.models().index) and data._load("gpus") is before
    config.write_text(json.dumps(CONFIG | {"num_hidden_layers": 16}))
    own_model.described(str(config))
    assert data.model(str(config))["layers"] == 16
    case = {"model": str(config), "gpu": "h100-sxm-80gb", "n_gpus": 1, "isl": 1000, "osl": 200, "concurrency": 1}
    assert tokenecon.estimate(case).iloc[0]["tpot_ms"] < tokenecon.estimate(case | {"model": "llama-3.1-8b"}).iloc[0]["tpot_ms"]


def test_a_notebook_takes_a_configuration(command, tmp_path, config, write_notebook):
    path = write_notebook(tmp_path / "tiny.ipynb", 'model = "llama-3.1-8b"  # model: the model',
                          "from tokenecon import data\nprint(data.model(case.model)['name'], data.model(case.model)['layers'])")
    code, _, err = command("run", path, "-p", "model", config, "-o", tmp_path / "out")
    assert code == 0, err
    page = next(iter((tmp_path / "out").glob("*.html"))).read_text()
    assert "Llama-Mine 32" in page and f"With your own facts: {config}." in page


@pytest.mark.parametrize(("content", "words"), [
    ("{", "is not JSON"), ("[]", "holds a list"),
    (json.dumps(CONFIG | {"model_type": "none-such", "architectures": ["X"]}), "none-such"),
    (None, "no configuration at"), (json.dumps(CONFIG | {"num_key_value_heads": 7}), "7")])
def test_a_configuration_that_is_none_is_one_sentence(command, tmp_path, content, words):
    path = tmp_path / "config.json"
    if content is not None:
        path.write_text(content)
    (tmp_path / "case.yml").write_text(CASE.replace("llama-3.3-70b", str(path)).replace("my-gpu", "h100-sxm-80gb"))
    said = refused(command("cost", tmp_path / "case.yml"))
    assert words in said and "model" in said
    assert words in refused(command("run", "hardware", "-p", "model", path, "-o", tmp_path / "out"))


def test_one_price_and_the_size_of_a_replica_can_be_set(command, tmp_path):
    path = tmp_path / "case.yml"
    text = CASE.replace("[my-gpu]", "[h100-sxm-80gb, h200-sxm-141gb]").replace("choices: [rent, api]", "choices: [rent]")
    for stated in ("2.0", "{h100-sxm-80gb: 2.0, h200-sxm-141gb: {on_demand: 2.0}}"):
        path.write_text(f"{text}service: {{people: 0}}\nmoney: {{usd_per_gpu_hour: {stated}, ops_overhead: 0}}\n")
        _, out, _ = command("cost", path, "--json")
        rows = [row for row in json.loads(out)["tables"]["choices"] if row["kind"] == "on_demand"]
        assert len(rows) == 2
        for row in rows:
            assert row["n_gpus"] == 4
            assert row["usd_per_month"] == pytest.approx(2.0 * 4 * row["replicas"] * HOURS_PER_MONTH)
            assert row["price_seen"] == "the scenario"
    for wrong in ("n_gpus: 0", "n_gpus: 2.5", "n_gpus: x"):
        path.write_text(text.replace("n_gpus: 4", wrong))
        assert "n_gpus is" in refused(command("cost", path))
    for wrong in ("-1", "0", "true", "x", "[1]", "{h100: 2}", "{h100-sxm-80gb: x}"):
        path.write_text(f"{text}money: {{usd_per_gpu_hour: {wrong}}}\n")
        assert "money.usd_per_gpu_hour is" in refused(command("cost", path))


PRICED = {"traffic": lambda case: [idle.replica(case).usd / case.n_gpus],
          "hardware": lambda case: hardware.comparison(case).table["usd_per_gpu_hour"].dropna(),
          "deployment": lambda case: [base.hour(case)["typical"]],
          "hour": lambda case: [lifetime.life(case)["rent"]], "cases/jpmorgan": bills.prices, "cases/shopify": bills.prices,
          "cases/spotify": bills.prices,
          "contracts": lambda case: mix.offers(case).query("kind == 'on demand'")["usd_per_gpu_hour"],
          "market": lambda case: token_prices.rented(token_prices.completed(case), "llama-3.3-70b")["rent"]}


@pytest.mark.parametrize("name", PRICED)
def test_a_page_takes_the_price_that_it_states(name):
    declared = notebooks.defaults(name)
    assert declared["usd_per_gpu_hour"] is None
    given = notebooks.parameters.validate(notebooks.parameters.spec(notebooks.find(name)[1]), {"usd_per_gpu_hour": "1.25"})
    own = PRICED[name](SimpleNamespace(**declared | given))
    assert list(own) == pytest.approx([1.25] * len(own))
    assert list(PRICED[name](SimpleNamespace(**declared))) != list(own)
    with pytest.raises(BadInput, match="parameter 'usd_per_gpu_hour' is 0, but must be above 0"):
        PRICED[name](SimpleNamespace(**declared | {"usd_per_gpu_hour": 0.0}))


def test_a_stated_price_is_what_a_bill_and_a_token_cost(tmp_path):
    """All on demand at half the rent costs half; so does a token. A GPU that nobody rents out has one offer, the stated one."""
    declared = SimpleNamespace(**notebooks.defaults("contracts"))
    plain = [mix.solved(declared_with(declared, usd_per_gpu_hour=usd), kinds=("on demand",))["cost"]
             for usd in (2.0, 1.0)]
    assert plain[0] == pytest.approx(2 * plain[1])
    (row,) = contract_prices.prices(declared_with(declared, usd_per_gpu_hour=2.0)).table.query(
        "kind == 'on demand'").to_dict("records")
    assert (row["usd_per_gpu_hour"], row["of_on_demand"], row["sellers"]) == (2.0, 1.0, 0)
    tokenecon.facts(written(tmp_path / "mine", gpus=GPU))
    mine = declared_with(declared, gpu="my-gpu", usd_per_gpu_hour=3.0)
    assert mix.offers(mine)[["provider", "kind", "usd_per_gpu_hour"]].values.tolist() == [["stated", "on demand", 3.0]]
    with pytest.raises(NoPrice, match="no on_demand price of my-gpu"):
        mix.offers(declared_with(declared, gpu="my-gpu"))
    alone = declared_with(mine, lost_share=1.0, provider_gpus=64)
    bill = mix.bills(alone).table
    few = bill["design"] == "the mix, any provider can fail without loss: too few providers"
    assert few.sum() == 1 and bill.loc[few, "usd_per_day"].isna().all() and (bill.loc[~few, "usd_per_day"] > 0).all()
    assert mix.sensitivity(alone).table["change"].str.endswith("too few providers").sum() == 1
    market = token_prices.completed(SimpleNamespace(**notebooks.defaults("market")))
    costs = [token_prices.rented(declared_with(market, usd_per_gpu_hour=usd), "llama-3.3-70b") for usd in (2.0, 1.0)]
    assert [list(one["seller"]) for one in costs] == [["stated price"]] * 2
    assert costs[0]["usd_per_mtok"][0] == pytest.approx(2 * costs[1]["usd_per_mtok"][0])
    alone = token_prices.rented(declared_with(market, gpus=["my-gpu"], usd_per_gpu_hour=2.0), "llama-3.3-70b")
    assert alone["gpu"].tolist() == ["my-gpu"] and not alone["calibrated"].any()


def test_a_price_that_comes_later_says_from_when_on_it_holds(folder):
    tokenecon.facts(folder)
    assert gpu_prices.price_range("my-gpu", "on_demand", "2026-11-01")["typical"] == 1.5
    with pytest.raises(NoPrice, match=r"ask for 2026-11-01 or later \(as_of\), give usd_per_gpu_hour, or add a row to data/"):
        gpu_prices.price_range("my-gpu", "on_demand", "2026-09-06")


def declared_with(declared, **given):
    return SimpleNamespace(**vars(declared) | given)


def test_the_page_of_a_decision_takes_price_and_size():
    declared = notebooks.defaults("decision") | {"n_gpus": 4, "usd_per_gpu_hour": 1.25}
    rows = options.offers(notebooks.parameters.scenario(SimpleNamespace(**declared))).table
    mine = rows[rows["kind"] == "on_demand"]
    assert len(mine) and set(mine["n_gpus"]) == {4} and set(mine["usd_per_gpu_hour"]) == {1.25}


def test_a_model_that_nobody_sells_still_has_its_bill(command, tmp_path):
    sold = set(price_book.token_models())
    model = next(one for one in ("llama-1-30b", *data.ids("models")) if one not in sold)
    path = tmp_path / "case.yml"
    path.write_text(CASE.replace("llama-3.3-70b", model).replace("my-gpu", "h100-sxm-80gb"))
    for verb in (["cost"], ["decide", "--draws", "500"]):
        code, text, _ = command(*verb, path, "--json")
        assert code == 0 and all(row["usd_per_mtok"] > 0 for row in json.loads(text)["tables"]["choices"])
    _, text, _ = command("cost", path)
    assert re.search(r"API\tno seller in the price lists offers", text)


# --- they are checked like ours --------------------------------------------------------------------


def changed(table, line, /, **cells):
    """A table as text with some cells of one line set anew; ``None`` takes the column out."""
    rows = list(csv.DictReader(io.StringIO(table)))
    rows[line - 2] |= {name: cell for name, cell in cells.items() if cell is not None}
    kept = [name for name in rows[0] if cells.get(name, "") is not None]
    out = io.StringIO()
    writer = csv.DictWriter(out, kept, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def with_cells(table, **cells):
    """A table of one row as text with columns added."""
    head, row = table.splitlines()
    return ",".join([head, *cells]) + "\n" + ",".join([row, *cells.values()]) + "\n"


GPU_ID = "id," + GPU.replace("\nmy-gpu", "\n,my-gpu")
FAULTS = [
    ("gpus", "", "gpus.csv' has no columns; its first line names them: gpu, field"),
    ("gpus", GPU.replace(",", ";"), "separates its columns by semicolons"),
    ("gpus", GPU.replace("field", "feild", 1), "has a column 'feild', which is not read; did you mean 'field'"),
    ("gpus", GPU.replace("text", "unit", 1), "has two columns 'unit'"),
    ("gpus", changed(GPU, 2, basis=None), "lacks the column basis; needed are gpu, field, unit, basis, as_of"),
    ("gpus", GPU.replace("800,,TFLOP/s", "800,TFLOP/s"), "line 8: it has 6 fields, but must have 7"),
    ("gpus", GPU.replace("3000", "3,000"), "line 7: it has 8 fields, but must have 7"),
    ("gpus", changed(GPU, 7, value="3e3x"), "line 7 (my-gpu.bandwidth): value is '3e3x', but must be a number of at least 0"),
    ("gpus", changed(GPU, 7, value="2,5"), "but must be a number of at least 0 and at most 1e+15; write a point before decimals"),
    ("gpus", changed(GPU, 7, value="nan"), "value is 'nan'"),
    ("gpus", changed(GPU, 7, value="1e400"), "value is '1e400'"),
    ("gpus", changed(GPU, 7, value="-1"), "value is '-1'"),
    ("gpus", changed(GPU, 7, value=""), "value is blank, but must be a number, the bandwidth"),
    ("gpus", changed(GPU, 7, value="0"), "value is '0', but must be above 0"),
    ("gpus", changed(GPU, 7, value="30"), "value is '30', but must be possible: memory of one device moves 0.25 to 12 TB/s"),
    ("gpus", changed(GPU, 6, value="80"), "value is '80', but must be possible: an engine sees 0.9 to 1.0"),
    ("gpus", changed(GPU, 7, unit="W"), "unit is 'W', but must be one of TB/s, GB/s"),
    ("gpus", changed(GPU, 7, unit="Tb/s"), "unit is 'Tb/s', but must be one of text, GB"),
    ("gpus", changed(GPU, 7, field="bandwith"), "field is 'bandwith', but must be one of name, vendor"),
    ("gpus", changed(GPU, 7, gpu="My GPU"), "gpu is 'My GPU', but must be small letters, digits and hyphens"),
    ("gpus", changed(GPU, 4, text="chip"), "text is 'chip', but must be one of gpu, tpu, asic, cpu"),
    ("gpus", changed(GPU, 12, text="Bus"), "text is 'Bus', but must be words that begin with one of"),
    ("gpus", changed(GPU, 2, text=""), "text is blank, but must be the name in words"),
    ("gpus", changed(GPU, 2, unit="GB"), "unit is 'GB', but must be text, since name is a text"),
    ("gpus", changed(GPU, 7, as_of="2026-02-30"), "as_of is '2026-02-30', but must be a date like 2026-07-31"),
    ("gpus", changed(GPU, 7, as_of="2999-01-01"), "not after today"),
    ("gpus", changed(GPU, 7, basis="guess"), "basis is 'guess', but must be one of spec, quoted"),
    ("gpus", changed(GPU_ID, 7, id="other"), "line 7 (other): id is 'other', but must be 'my-gpu.bandwidth'"),
    ("gpus", GPU + GPU.splitlines()[-1] + "\n", "line 13 (my-gpu.interconnect): id is 'my-gpu.interconnect', but"),
    ("gpus", GPU.replace("my-gpu,bf16", "h100-sxm-80gb,bf16"), "gpu 'my-gpu' lacks the field bf16; a new gpu needs"),
    ("prices", changed(PRICE, 2, gpu="my-gup"), "gpu is 'my-gup', but must be an id of data/gpus.csv or of your gpus.csv; did"),
    ("prices", changed(PRICE, 2, unit="USD/GPU"), "unit is 'USD/GPU', but must be USD/GPU/h, since kind is on_demand"),
    ("prices", changed(PRICE, 2, kind="ondemand"), "kind is 'ondemand', but must be one of on_demand"),
    ("prices", changed(PRICE, 2, gpu="h100-sxm-80gb", value="300"), "but must be near what its peers ask"),
    ("prices", changed(PRICE, 2, id="power.pue"), "id is 'power.pue', but must be of one table; assumptions.csv has a row"),
    ("prices", with_cells(PRICE, provider="nobody"), "provider is 'nobody', but must be an id"),
    ("prices", with_cells(PRICE, low="1"), "high is blank, but must be given"),
    ("prices", with_cells(PRICE, prepaid_share="0.25"), "term_months is blank, but must be given, since prepaid_share is"),
    ("prices", with_cells(PRICE, prepaid_share="25"), "prepaid_share is '25', but must be a number of at least 0 and at most 1"),
    ("prices", with_cells(PRICE, low="2", high="3"), "must be between low and high, 2 and 3"),
    ("prices", with_cells(PRICE, last_seen="2026-10-01"), "must be a day from as_of on"),
    ("prices", with_cells(PRICE, source="nvidia"), "source is 'nvidia', but must be an id"),
    ("assumptions", changed(ASSUMED, 2, id="finance.overhead"), "but must be of data/assumptions.csv, since nothing reads"),
    ("assumptions", changed(ASSUMED, 2, unit="ratio"), "unit is 'ratio', but must be fraction, as in data/assumptions.csv"),
    ("assumptions", changed(ASSUMED, 2, value="5"), "value is '5', but must be from 0 to 1"),
    ("assumptions", changed(ASSUMED, 2, value="0"), "value is '0', but must be above 0"),
    ("api_prices", changed(API, 2, usd_per_mtok_in="-1"), "usd_per_mtok_in is '-1', but must be a number of at least 0"),
    ("api_prices", changed(API, 2, status="sold"), "status is 'sold', but must be one of listed, retired"),
    ("models", "id,name\nmine,Mine\n", "lacks the columns kind, parameters"),
]


@pytest.mark.parametrize(("table", "text", "words"), FAULTS, ids=range(len(FAULTS)))
def test_a_wrong_row_is_one_sentence_that_names_it(command, folder, table, text, words):
    (folder / f"{table}.csv").write_text(text)
    before = hashes(folder)
    said = refused(command("list", "gpus", "--facts", folder))
    assert words in said and f"{table}.csv" in said and str(folder) in said
    assert hashes(folder) == before


def test_a_wrong_folder_is_one_sentence(command, tmp_path, folder):
    assert "is no folder that can be read: No such file" in refused(command("list", "gpus", "--facts", tmp_path / "none"))
    assert "Not a directory" in refused(command("list", "gpus", "--facts", folder / "gpus.csv"))
    (tmp_path / "empty").mkdir()
    assert "holds none of sources.csv" in refused(command("list", "gpus", "--facts", tmp_path / "empty"))
    (folder / "gpu.csv").write_text("")
    assert "holds 'gpu.csv', which is not read; did you mean 'gpus.csv'" in refused(command("list", "gpus", "--facts", folder))
    (folder / "gpu.csv").unlink()
    (folder / "gpus.csv").write_bytes(GPU.encode("utf-16"))
    assert "is not text in UTF-8" in refused(command("list", "gpus", "--facts", folder))
    (folder / "gpus.csv").unlink()
    (folder / "gpus.csv").mkdir()
    assert "gpus.csv' cannot be read: Is a directory" in refused(command("list", "gpus", "--facts", folder))
    code, out, err = command("list", "gpus", "--facts")
    assert (code, out) == (2, "") and "--facts" in err and err.count("\n") == 1


@pytest.mark.parametrize("change", [
    lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n"), lambda text: text.replace("\n", "\n\n"),
    lambda text: text.replace(",", " , "), lambda text: text.rstrip("\n"),
    lambda text: "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in text.splitlines())])
def test_what_spreadsheets_write_is_read(folder, change):
    (folder / "gpus.csv").write_text(change(GPU), encoding="utf-8", newline="")
    tokenecon.facts(folder)
    assert data.gpu("my-gpu")["bandwidth_bytes_per_s"] == 3e12 and data.gpu("my-gpu")["name"] == "My GPU"


def test_facts_stay_what_they_were_when_others_are_refused(folder, tmp_path):
    tokenecon.facts(folder)
    with pytest.raises(BadInput, match="is no folder"):
        tokenecon.facts(tmp_path / "none")
    assert data.own_folder() == str(folder) and data.gpu("my-gpu")["name"] == "My GPU"
    tokenecon.facts(None)
    with pytest.raises(UnknownId):
        data.gpu("my-gpu")


def test_a_copy_of_our_rows_is_allowed(tmp_path):
    """The checks that a reader's rows meet are met by ours."""
    mine = tmp_path / "mine"
    mine.mkdir()
    for table in own_facts.TABLES:
        (mine / f"{table}.csv").write_bytes((data.ROOT / f"{table}.csv").read_bytes())
    before = {table: data.table(table) for table in own_facts.TABLES}
    tokenecon.facts(mine)
    for table, frame in before.items():
        pd.testing.assert_frame_equal(data.table(table).iloc[:len(frame)], frame)


def test_a_day_of_a_file_is_when_its_prices_were_seen_last(folder):
    tokenecon.facts(folder)
    row = data.row("prices", "my.price")
    assert (row["as_of"], row["last_seen"], row["licence"]) == ("2026-11-01", "2026-11-01", "own")
    assert row["source"] == "your-file-prices.csv"
    assert data.row("providers", "own")["name"] == own_facts.OWNER
    assert data.source("your-file-prices.csv")["accessed"] == "2026-11-01"


def test_a_fact_of_ones_own_about_a_measured_gpu_is_not_what_was_measured(tmp_path):
    case = {"model": "llama-3.1-8b", "gpu": "h100-sxm-80gb", "n_gpus": 1, "isl": 1000, "osl": 200, "weights": "fp8",
            "usd_per_gpu_hour": 2.0}
    assert tokenecon.estimate(case).iloc[0]["calibrated"]
    (tmp_path / "gpus.csv").write_text("gpu,field,value,unit,basis,as_of\nh100-sxm-80gb,bandwidth,3.0,TB/s,spec,2026-10-01\n")
    try:
        tokenecon.facts(tmp_path)
        assert not tokenecon.estimate(case).iloc[0]["calibrated"]
    finally:
        tokenecon.facts(None)
    assert tokenecon.estimate(case).iloc[0]["calibrated"]
