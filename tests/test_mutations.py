"""A seeded thousand of damaged inputs: each is read, or refused in a sentence; ``make fuzz`` tries ten times as many.

An input that is read may not give a number that is infinite or, where it stands for an amount, negative.
"""

import copy
import csv
import io
import json
import math
import os
import random
import re
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from importers.benchmarks import samples

import tokenecon
from tokenecon import data, model_shape
from tokenecon.decision import options, scenario
from tokenecon.decision import report as decisions
from tokenecon.errors import BadInput
from tokenecon.importers import huggingface, litellm_prices
from tokenecon.importers.benchmarks import rows as benchmark_rows
from tokenecon.importers.loads import files as loads
from tokenecon.importers.loads import hours
from tokenecon.output import compare as comparison
from tokenecon.output import live_bill, workbook
from tokenecon.planning import asked as planning
from tokenecon.planning import told
from tokenecon.serving import case_files
from tokenecon.serving.coefficients import DEFINITIONS
from tokenecon.serving.own_runs import calibration_file, compare
from tokenecon.serving.own_runs import rows as own_rows
from tokenecon_book.build import notebooks, parameters

SEED = int(os.environ.get("SEED", "20261128"))
ROUNDS = int(os.environ.get("MUTATIONS", "1000")) // 6  # of most kinds of input
SLOWEST_S = 10
SCRAPS = ("", "0", "-1", "1e308", "1e-308", "nan", "inf", "9" * 400, "2,5", "½", "\0", '"', "'", ";", "\t", "\n", "{", "[" * 99,
          "&a *a", "!!int x", "2026-02-30", "<script>", "\ufeff", "\ud7ff", "../..", "a" * 5000, "true", "~", "=1+1", "%00")
VALUES = (None, True, 0, -1, 33, 1.5, 1e308, float("nan"), float("inf"), 10**30, "", "7", "x", [],
          {}, [1], ["x"], [None], {"a": 1})


@pytest.fixture(autouse=True)
def no_hang():
    """Each input sets an alarm, see :func:`tried`; here it is given a meaning, and taken away at the end."""
    def late(*_):
        raise TimeoutError(f"an input takes more than {SLOWEST_S} s of processor time")
    before = signal.signal(signal.SIGPROF, late)
    yield
    alarm(0)
    signal.signal(signal.SIGPROF, before)


def alarm(seconds):
    """An alarm after so much processor time, which does not pass where the machine has other work; 0 takes it away."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def tried(read, damaged):
    """Read one damaged input after the other; a refusal must be one short line. Gives back what was read, which is some."""
    some = False
    for one in damaged:
        alarm(SLOWEST_S)
        try:
            found = read(one)
            alarm(0)
            some = True
            yield found
        except BadInput as error:
            assert "\n" not in str(error) and len(str(error)) < 1500, repr(str(error))
        alarm(0)
    assert some, "every input was refused, so nothing that was read has been checked"


def cut(text, chance):
    """A text with one to three places damaged: a scrap put in, a piece taken out, doubled or swapped."""
    for _ in range(chance.randint(1, 3)):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice((0, 1, 3, 20)))
        piece = chance.choice((chance.choice(SCRAPS), "", text[start:end] * 2, text[end:start:-1]))
        text = text[:start] + piece + text[end:]
    return text


def swapped(tree, chance):
    """A tree of JSON with one value in it replaced or taken out."""
    tree = copy.deepcopy(tree)
    node = tree
    while True:
        key = chance.choice(list(node) if isinstance(node, dict) else range(len(node)))
        if isinstance(node[key], dict | list) and node[key] and chance.random() < 0.8:
            node = node[key]
            continue
        if isinstance(node, dict) and chance.random() < 0.1:
            del node[key]
        else:
            node[key] = chance.choice(VALUES)
        return tree


def sound(rows):
    """The results of estimate: numbers where there is no error, none where there is one, all of them possible."""
    numbers = rows.filter(regex="^(ttft|tpot|output_tok|total_tok|usd_per_mtok)").astype(float)
    wrong = rows["error"].fillna("") != ""
    assert numbers[wrong].isna().all(axis=None)
    cached = numbers[~wrong].filter(like="usd_per_mtok_cached")
    known = numbers[~wrong].drop(columns=cached.columns).to_numpy()
    assert (np.isfinite(known) & (known >= 0)).all()
    nothing = ~(pd.to_numeric(rows.loc[~wrong, "cached_prefix"], errors="coerce") > 0) if "cached_prefix" in rows else True
    assert ((np.isfinite(cached) & (cached >= 0)).all(axis=1) | (cached.isna().all(axis=1) & nothing)).all()


CASES = ("model,gpu,n_gpus,isl,osl,weights,kv,load,tp,concurrency,usd_per_gpu_hour,draft_tokens,acceptance,mine\n"
         "llama-3.1-8b,h100-sxm-80gb,1,1000,200,fp8,fp8,closed_loop,1,16,2.5,0,0.7,a\n"
         "llama-3.3-70b,h200-sxm-141gb,4,2000,500,bf16,,offline,4,,,3,0.6,b\n")


def test_tables_of_cases(tmp_path):
    chance, out = random.Random(SEED), tmp_path / "out.csv"
    path = tmp_path / "cases.csv"

    def read(text):
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        before = out.read_bytes() if out.exists() else None
        try:
            case_files.run(str(path), str(out))
        except BadInput:
            assert (out.read_bytes() if out.exists() else None) == before
            raise
        return pd.read_csv(out, dtype={"error": str})

    for rows in tried(read, (cut(CASES, chance) for _ in range(ROUNDS))):
        sound(rows)


def test_tables_in_parquet(tmp_path):
    chance, path, out = random.Random(SEED), tmp_path / "cases.parquet", tmp_path / "out.csv"
    pd.read_csv(io.StringIO(CASES)).to_parquet(path, index=False)
    whole = path.read_bytes()

    def read(content):
        path.write_bytes(content)
        case_files.run(str(path), str(out))
        return pd.read_csv(out, dtype={"error": str})

    def flipped():
        content = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        return bytes(content[:chance.choice((len(content), len(content), chance.randrange(len(content))))])

    for rows in tried(read, (flipped() for _ in range(ROUNDS // 2))):
        sound(rows)


def test_parameters_of_a_notebook():
    chance = random.Random(SEED)
    declared = parameters.spec(notebooks.find("hardware")[1])
    good = {one.name: one.default for one in declared.values()}

    def read(given):
        return parameters.validate(declared, given, where="hardware")

    whole = [swapped(good, chance) for _ in range(ROUNDS // 2)]
    whole += [{chance.choice(list(good)): cut(str(chance.choice(list(good.values()))), chance)} for _ in range(ROUNDS // 2)]
    for values in tried(read, whole):
        numbers = [value for value in values.values() if isinstance(value, int | float)]
        assert all(math.isfinite(value) and value >= 0 for value in numbers)


def test_cases_as_values():
    chance = random.Random(SEED)
    good = {"model": "llama-3.1-8b", "gpu": "h100-sxm-80gb", "n_gpus": 2, "isl": 1000, "osl": 200, "weights": "fp8", "tp": 2,
            "concurrency": 16, "usd_per_gpu_hour": 2.5, "utilisation": 0.7, "draft_tokens": 2, "acceptance": 0.6,
            "cached_prefix": 0.3, "pp": 1, "ep": 1, "prefill_gpus": 0, "attention_dp": 1}
    for rows in tried(lambda case: tokenecon.estimate(case).to_frame(), (swapped(good, chance) for _ in range(ROUNDS))):
        sound(rows)


def test_scenarios(tmp_path):
    chance, path = random.Random(SEED), tmp_path / "case.yml"
    whole = (scenario.FOLDER / "chat-assistant.yml").read_text(encoding="utf-8")

    def read(text):
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        return scenario.load(path)

    for case in tried(read, (cut(whole, chance) for _ in range(ROUNDS))):
        assert 0 < case.isl < 1e9 and 0 < case.osl < 1e9 and case.requests_per_day > 0


def test_scenarios_that_are_compared(tmp_path):
    chance, path = random.Random(SEED), tmp_path / "case.yml"
    whole, first = (scenario.FOLDER / "coding-agent.yml").read_text(encoding="utf-8"), comparison.read("chat-assistant")

    def differing(text):
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        other = comparison.read(path)
        return [(name, comparison.shown(other, name)) for name in comparison.differing(first, other)]

    for rows in tried(differing, (cut(whole, chance) for _ in range(ROUNDS))):
        assert all(isinstance(text, str) for _, text in rows)


PLANNED = 10  # questions of which a plan is computed and written, of those that are read


def planned(folder, question, place):
    """What a plan is asked; every so often the whole plan, written as tables and as a spreadsheet."""
    question = dict(question)
    model = question.pop("model", None)
    asked = planning.ask(model, **question)
    if place % max(ROUNDS // PLANNED, 1) == 0:
        report = told.report(model, **question)
        for row in report["sections"][0][2].filter(regex="^(usd_per|ttft|tpot|chance|kw)").to_dict("records"):
            assert all(value >= 0 or value != value for value in row.values())
        decisions.write({key: table for _, key, table, _ in report["sections"]}, folder / "out")
        workbook.write(report, folder / "out" / "plan.xlsx", live_bill.bill)
    return asked


def test_questions_of_a_plan(tmp_path):
    chance = random.Random(SEED)
    good = {"model": "llama-3.1-8b", "isl": 1000, "osl": 200, "gpus": ["h100-sxm-80gb"], "n_gpus": [1, 2], "weights": ["fp8"],
            "kv": "fp8", "limits": {"ttft_ms": 500, "tpot_ms_p90": 20}, "requests_per_day": 2e6, "peak_to_mean": 2.5,
            "max_gpus": 64, "max_kw": 90.0, "max_usd_per_month": 1e5, "chance": 0.6, "cached_prefix": 0.2, "engine": "vllm",
            "kind": "own", "price_rule": "best", "as_of": "2026-11-01", "usd_per_gpu_hour": {"h100-sxm-80gb": 2.5}}

    def question(place):
        kept = {name: good[name] for name in good if name in ("model", "isl", "osl", "gpus", "n_gpus") or chance.random() < 0.4}
        name = chance.choice(list(kept))
        return swapped(kept, chance) if place % 2 else kept | {name: cut(str(kept[name]), chance)}

    for asked in tried(lambda one: planned(tmp_path, *one), ((question(place), place) for place in range(ROUNDS))):
        numbers = [asked.isl, asked.osl, *asked.limits.values(), *asked.hours, *asked.stated_prices.values()]
        assert all(math.isfinite(one) and one >= 0 for one in numbers)
        assert set(os.listdir(tmp_path)) <= {"out"}


def test_scenarios_of_a_plan(tmp_path):
    chance, path = random.Random(SEED), tmp_path / "case.yml"
    whole = (scenario.FOLDER / "chat-assistant.yml").read_text(encoding="utf-8").replace("llama-3.3-70b", "llama-3.1-8b")

    def read(one):
        text, place = one
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        return planned(tmp_path, {"model": str(path), "n_gpus": [1, 2]}, place)

    for asked in tried(read, ((cut(whole, chance), place) for place in range(ROUNDS))):
        assert 0 < asked.rate < 1e10 and 0 < asked.peak < math.inf and 0 < asked.isl < 1e9
        assert set(os.listdir(tmp_path)) <= {"out", "case.yml"}


def test_configurations(tmp_path):
    chance, path = random.Random(SEED), tmp_path / "config.json"
    good = {"model_type": "qwen3_moe", "hidden_size": 2048, "num_hidden_layers": 48, "num_attention_heads": 32, "head_dim": 128,
            "num_key_value_heads": 4, "intermediate_size": 6144, "moe_intermediate_size": 768, "num_experts": 128,
            "num_experts_per_tok": 8, "decoder_sparse_step": 1, "mlp_only_layers": [], "vocab_size": 151936,
            "tie_word_embeddings": False, "attention_bias": False, "max_position_embeddings": 40960, "torch_dtype": "bfloat16",
            "layer_types": ["full_attention"] * 48, "architectures": ["Qwen3MoeForCausalLM"]}

    def read(text):
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        return huggingface.load(path)

    damaged = [json.dumps(swapped(good, chance)) for _ in range(ROUNDS // 2)]
    damaged += [cut(json.dumps(good), chance) for _ in range(ROUNDS // 2)]
    for shape in tried(read, damaged):
        assert 0 < shape["active_parameters"] <= shape["parameters"] < 1e18 and 0 <= shape["kv_bytes_per_token"] < 1e15


def test_configurations_of_every_kind():
    """Published checkpoints of all architectures, each damaged: wrappers with towers, hybrids, indexers, quantised weights."""
    chance = random.Random(SEED)
    folder = Path(__file__).parent / "importers"
    lines = [json.loads(line) for line in (folder / "counted.jsonl").read_text(encoding="utf-8").splitlines()]
    block = {"quant_method": "compressed-tensors", "ignore": ["lm_head", "re:.*self_attn.*", "model.layers.0*"],
             "kv_cache_scheme": {"num_bits": 8, "type": "float"},
             "config_groups": {"group_0": {"targets": ["Linear"], "weights": {"num_bits": 4, "type": "float", "group_size": 16}}}}

    def damaged():
        for _ in range(4 * ROUNDS):
            yield swapped(chance.choice(lines)["config"] | {"quantization_config": block}, chance)

    for shape in tried(huggingface.from_config, damaged()):
        assert 0 < shape["active_parameters"] <= shape["parameters"] <= shape["total_parameters"] < 1e18
        parts = model_shape.cache(shape, bytes_per_value=1)
        assert all(0 <= part < 1e15 for part in parts.values()) and 0 <= shape["kv_bytes_per_token"] < 1e15
        assert all(sum(formats.values()) == pytest.approx(1) for formats in model_shape.published(shape).values())


def test_hours_of_traffic(tmp_path):
    chance, path = random.Random(SEED), tmp_path / "load.csv"
    whole = "hour,requests\n" + "".join(f"{hour},{100 + hour % 24 * 10}\n" for hour in range(48))

    def read(text):
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        return loads.read(path).hours.fillna(0.0)

    for table in tried(read, (cut(whole, chance) for _ in range(ROUNDS))):
        values = np.asarray(table, dtype=float)
        assert np.isfinite(values).all() and (values >= 0).all()


def test_price_lists(tmp_path):
    chance, path = random.Random(SEED), tmp_path / "prices.json"
    entry = {"mode": "chat", "litellm_provider": "groq", "input_cost_per_token": 5.9e-07, "output_cost_per_token": 7.9e-07,
             "cache_read_input_token_cost": 2e-07, "source": "https://groq.com/pricing", "deprecation_date": "2026-12-01"}
    good = {"groq/llama-3.1-70b-versatile": entry, "together_ai/llama-3.1-70b": entry | {"litellm_provider": "together_ai"}}
    day = pd.Timestamp("2026-11-22").date()

    def read(text):
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        return litellm_prices.read(path, {"llama-3.1-70b": ()}, day)[1]

    damaged = [json.dumps(swapped(good, chance)) for _ in range(ROUNDS // 2)]
    damaged += [cut(json.dumps(good), chance) for _ in range(ROUNDS // 2)]
    for offers in tried(read, damaged):
        for offer in offers:
            assert 0 < offer["usd_per_mtok_in"] < 1e5 and 0 < offer["usd_per_mtok_out"] < 1e5


def test_ids():
    chance, known = random.Random(SEED), list(data.models().index)

    def read(text):
        return tokenecon.estimate({"model": text, "gpu": text, "n_gpus": 1, "isl": 100, "osl": 100}).to_frame()

    for rows in tried(read, (cut(chance.choice(known), chance) for _ in range(ROUNDS // 4))):
        sound(rows)


OWN = ("gpu,field,value,text,unit,low,high,basis,as_of\nmy-gpu,name,,My GPU,text,,,spec,2026-10-01\n"
       "my-gpu,vendor,,ACME,text,,,spec,2026-10-01\nmy-gpu,kind,,gpu,text,,,spec,2026-10-01\n"
       "my-gpu,memory,96,,GB,,,spec,2026-10-01\nmy-gpu,engine_memory,88,,GiB,,,spec,2026-10-01\n"
       "my-gpu,bandwidth,3,,TB/s,,,spec,2026-10-01\nmy-gpu,bf16,800,,TFLOP/s,,,spec,2026-10-01\n"
       "my-gpu,fp8,1600,,TFLOP/s,,,spec,2026-10-01\nmy-gpu,link_domain,8,,GPU,,,spec,2026-10-01\n"
       "my-gpu,link_bandwidth,450,,GB/s,,,spec,2026-10-01\nmy-gpu,all_in_power,1.3,,kW,1.1,1.5,derived,2026-10-01\n",
       "id,gpu,kind,value,unit,low,high,as_of,last_seen,basis\nmy.rent,my-gpu,on_demand,2.5,USD/GPU/h,2,3,2026-11-01,,quoted\n"
       "my.price,my-gpu,purchase,25000,USD/GPU,,,2026-11-01,2026-11-02,quoted\n")
OF_EACH = 4  # damaged folders of which results are computed, of each table


def whole_tables():
    """A sound table of each kind that a reader's folder may hold."""
    def like(name, row_id, **cells):
        with open(data.ROOT / f"{name}.csv", encoding="utf-8", newline="") as file:
            row = next(row for row in csv.DictReader(file) if row["id"] == row_id)
        out = io.StringIO()
        writer = csv.DictWriter(out, list(row), lineterminator="\n")
        writer.writeheader()
        writer.writerow(row | cells)
        return out.getvalue()

    offer = data.table("api_prices").iloc[-1]["id"]
    return {"gpus": OWN[0], "prices": OWN[1], "models": like("models", "llama-3.1-8b", id="my-model", aliases="", source=""),
            "api_prices": like("api_prices", offer, id="my.offer", model="my-model", source=""),
            "assumptions": like("assumptions", "power.price", source="")
            + like("assumptions", "decision.years", source="").split("\n", 1)[1]}


def cell(text, chance):
    """A table with one cell replaced."""
    rows = list(csv.reader(io.StringIO(text)))
    row = chance.choice(rows)
    row[chance.randrange(len(row))] = chance.choice((*SCRAPS, "0", "1e-9", "1e14", "1", "3", "0.99", "moe", "my-gpu"))
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def test_folders_of_facts(tmp_path):
    chance, tables = random.Random(SEED), whole_tables()
    for name, text in tables.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    case = {"name": "Mine", "model": "my-model", "weights": "fp8", "kv": "fp8", "gpus": ["my-gpu"],
            "traffic": {"profile": "flat"}, "workload": {"isl": 1000, "osl": 200, "requests_per_day": 1e5}}

    def read(damaged):
        name, text, far = damaged
        (tmp_path / f"{name}.csv").write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            data.use(tmp_path)
            if not far:
                return None, None
            rows = tokenecon.estimate({"model": "my-model", "gpu": "my-gpu", "n_gpus": 1, "isl": 100, "osl": 100}).to_frame()
            return rows, options.offers(scenario.case(copy.deepcopy(case), tmp_path / "case.yml")).table
        finally:
            (tmp_path / f"{name}.csv").write_text(tables[name], encoding="utf-8")

    def damaged():
        for name, text in tables.items():
            yield name, text, True
            for place in range(ROUNDS // 2):
                yield name, (cell, cut)[place % 3 == 2](text, chance), place < OF_EACH * ROUNDS // 166

    try:
        for rows, offers in tried(read, damaged()):
            if rows is not None:
                sound(rows)
                money = offers.filter(regex="^usd_per").to_numpy(dtype=float)
                assert (np.isfinite(money) | np.isnan(money)).all() and not (money < 0).any()
    finally:
        data.use(None)


# --- files of the reader's runs and loads ----------------------------------------------------------


def damaged_trees(good, chance, rounds):
    """A tree of JSON damaged as a tree and as text, also as a line of JSON Lines."""
    for place in range(rounds):
        one = swapped(good, chance) if place % 2 else good
        text = json.dumps(one)
        yield text if place % 2 else cut(text, chance)


def within(table, fields):
    """The rows of a table keep to its descriptor: numbers, closed lists, patterns, what is needed."""
    for row in table:
        assert set(row) == set(fields)
        for name, field in fields.items():
            rules, text = field.get("constraints", {}), row[name]
            assert text or not rules.get("required"), name
            if text and field["type"] in ("number", "integer"):
                assert math.isfinite(float(text)) and float(text) >= rules.get("minimum", -math.inf), (name, text)
            assert not (text and "enum" in rules) or text in rules["enum"], (name, text)
            assert not (text and "pattern" in rules) or re.fullmatch(rules["pattern"], text, re.ASCII), (name, text)
            assert text.isprintable() and "SECRET" not in text


def test_results_of_benchmarks(tmp_path):
    """Every tool's file, damaged: refused, or rows that the descriptor allows, and no file beside the one that -o names."""
    chance, path, out = random.Random(SEED), tmp_path / "run.json", tmp_path / "measurements.csv"
    fields = {field["name"]: field for field in data.schema("measurements")}

    def read(text):
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        before = out.read_bytes() if out.exists() else None
        try:
            table, _ = benchmark_rows.rows([path], gpu="h200-sxm-141gb", n_gpus=2, model="llama-3.3-70b")
            benchmark_rows.write(table, out)
        except BadInput:
            assert (out.read_bytes() if out.exists() else None) == before
            raise
        assert set(os.listdir(tmp_path)) <= {"run.json", "measurements.csv"}
        return table

    for tree in samples.ALL.values():
        for table in tried(read, damaged_trees(tree, chance, max(ROUNDS // 12, 12))):
            within(table, fields)
            assert (own_rows.used(own_rows.read(out))["value"] > 0).all()


def test_tables_of_measurements(tmp_path):
    chance, path = random.Random(SEED), tmp_path / "mine.csv"
    run = tmp_path / "run.json"
    run.write_text(json.dumps(samples.VLLM), encoding="utf-8")
    benchmark_rows.write(benchmark_rows.rows([run], gpu="h200-sxm-141gb", n_gpus=2, weights="fp8")[0], path)
    whole = path.read_text(encoding="utf-8")

    def read(text):
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        return compare.compared(path)

    damaged = [(cell, cut)[place % 3 == 2](whole, chance) for place in range(ROUNDS // 2)]
    for rows in tried(read, damaged):
        good = rows["aside"] == ""
        numbers = rows.loc[good, ["predicted", "low", "high"]].to_numpy(dtype=float)
        assert (np.isfinite(numbers) & (numbers > 0)).all()


def test_calibrations(tmp_path):
    chance, path = random.Random(SEED), tmp_path / "mine.yml"
    whole = "coefficients:\n  bandwidth: {value: 0.7, low: 0.65, high: 0.75}\n  step: {value: 1e-3, low: 9e-4, high: 2.0e-3}\n"

    def read(text):
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        return calibration_file.read(path)

    for found in tried(read, (cut(whole, chance) for _ in range(ROUNDS))):
        for name, ends in found.items():
            low, high = DEFINITIONS[name][1:3]
            assert low <= ends["low"] <= ends["value"] <= ends["high"] <= high


def loads_of_every_kind():
    """A sound file of each kind of load."""
    start = 1_767_225_600
    azure = "TIMESTAMP,ContextTokens,GeneratedTokens\n" + "".join(
        f"2023-11-16 {18 + place // 60}:{place % 60:02d}:46.6805900,{300 + place},{10 + place}\n" for place in range(180))
    burst = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n" + "".join(
        f"{place * 97},GPT-4,400,{place % 3 * 50},500,API log\n" for place in range(120))
    mooncake = "".join(json.dumps({"timestamp": place * 60_000, "input_length": 1400, "output_length": 30,
                                   "hash_ids": [place % 7, place % 5, place]}) + "\n" for place in range(150))
    prometheus = {"status": "success", "data": {"resultType": "matrix", "result": [
        {"metric": {"__name__": name}, "values": [[start + place * 900, str(place * each)] for place in range(30)]}
        for name, each in (("vllm:request_success_total", 50), ("vllm:prompt_tokens_total", 5e4))]}}
    usage = {"object": "page", "has_more": False, "data": [
        {"start_time": start + hour * 3600, "end_time": start + hour * 3600 + 3600, "results": [
            {"input_tokens": 9000, "output_tokens": 900, "input_cached_tokens": 100, "num_model_requests": 9}]}
        for hour in range(20)]}
    semicolons = "timestamp;requests\n" + "".join(f"2026-01-01T{hour:02d}:00+01:00;{hour + 1},5\n" for hour in range(24))
    gaps = "hour,requests\n" + "".join(f"{hour},{5 + hour % 24}\n" for hour in range(60) if hour % 29)
    return {"azure": azure, "burstgpt": burst, "mooncake": mooncake, "prometheus": prometheus, "usage": usage,
            "semicolons": semicolons, "gaps": gaps}


def test_loads_of_every_kind(tmp_path):
    chance, path = random.Random(SEED), tmp_path / "load"

    def read(damaged):
        text, gaps = damaged
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        load = loads.read(path, gaps)
        assert os.listdir(tmp_path) == ["load"]
        return load, gaps

    for whole in loads_of_every_kind().values():
        rounds = max(ROUNDS // 8, 20)
        texts = damaged_trees(whole, chance, rounds) if isinstance(whole, dict) else (cut(whole, chance) for _ in range(rounds))
        for load, gaps in tried(read, ((text, chance.choice((None, *hours.FILLS))) for text in texts)):
            rates = load.hours["requests_per_h"].to_numpy(dtype=float)
            assert len(rates) <= hours.LONGEST and (rates[~np.isnan(rates)] >= 0).all() and np.nansum(rates) > 0
            assert np.isnan(rates).any() == bool(load.gaps and gaps is None)
            for number in (load.isl, load.osl, load.peak_to_mean, load.requests_per_day, load.burst):
                assert number is None or (math.isfinite(number) and number > 0)
            assert load.cached_prefix is None or 0 <= load.cached_prefix < 1
            assert all(words.isprintable() for _, words in hours.said(load))
