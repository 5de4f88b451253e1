"""Laws that every sentence of every page obeys, at its defaults, at parameters that once broke one, and at drawn ones.

The cells of a notebook run here without being drawn, and every finding and text that they make is read.  The suite draws five
sets of parameters for each notebook, ``make fuzz`` a hundred; a page may refuse a set, in one sentence.
"""

import ast
import json
import os
import random
import re
from unittest import mock

import numpy as np
import pytest

from tokenecon import data, kinds
from tokenecon.errors import BadInput
from tokenecon.finding import Finding
from tokenecon_book.build import notebooks, parameters
from tokenecon_book.chapters.software import simulation_check, simulation_load
from tokenecon_book.documents import words

SETS = int(os.environ.get("SENTENCES", "5"))
SEED = os.environ.get("SEED", "20261129")
SLOW = ("validation", "claims")  # read every measurement or claim, and have next to nothing to draw
DRAWING = {"figure", "tables", "glue", "charts", "ledger"}  # names of a cell that take no part in what is computed
TABLE_ONLY = "sensitivity"  # a function that works the page out again for each row of a table, without a sentence
COUNTS = (1, 2, 3, 8, 100)
DAYS = ("2025-12-08", "2026-05-01", "2026-11-28")
# where a page leaves the default to the price book or to its scenario
BLANK = {"usd_per_gpu_hour": 3.0, "n_gpus": 2, "batch": 32, "utilisation": 0.5, "isl": 1000, "osl": 200,
         "requests_per_day": 1e5, "growth_per_year": 0.2,
         "peak_to_mean": 1.5, "ttft_ms": 2000.0, "tpot_ms": 50.0, "years": 3.0, "usd_per_kwh": 0.1,
         "ops_overhead": 0.2}  # fmt: skip

NOUNS = ("GPU|replica|place|site|group|year|offer|request|token|seller|accelerator|answer|hour|model|lever|sequence|price|pair|"
         "draw|input|claim|figure|node|case|measurement|word|turn|unit|source|month|day|point|step|machine|client|slot|draft|"
         "analyst|region|provider|quote|device|minute|second|position|time")
EVERYWHERE = {
    "no number": r"\b(nan|inf|NaN|NaT)\b|<NA>|\bNone\b(?! of)|--|%%|\(\)|[{}]|  ",
    "one of many": rf"(?<![\d.,/]|[–-])(?<!batch )(?<!Batch )(?<!to )\b1 ({NOUNS})e?s\b(?! as)",
    "article": r"\b[Aa] (8[\d,.]*|1[18](?![\d.,])|1[18],\d)|\b[Aa]n (?!8|11\b|18\b|11,|18,)\d",
    "no range": r"(?<![\w.,$])(\$?\d[\d.,]*\w*%?) to \1(?![\d.]|,\d)",
}
SAID = {
    "empty list": r"\b(of|and|by|with|between|than) ?[.,;:](?!\d)(?! from)|: ?$|, ?,|^\s*(and|,)\b",
    "negative": r"(?<!correlations from )(?<![\w.])[-−]\d|\$[-−]",
    "compared with itself": r"\b[Bb]atch (\d+)\b.*\bthan batch \1\b|\b(\S*\d\S*) than \2(?!\S)",
    "no difference": r"\b0(\.0+)?% (less|more|dearer|cheaper|slower|faster)|saves? 0(\.0+)?%|(?<![\d.,])[01]-fold|"
                     r"\$0\.00(?!\d)|\b0\.0 times",
    "none of a thing": rf"(?<![\d.,])0 ({NOUNS})e?s\b",
}  # fmt: skip
# parameters at which a sentence said nonsense once
ONCE = {
    "contracts": ({"spot_share": 0.0}, {"spot_discount": 0.01, "commitment_discount": 0.01}, {"profile": "flat"},
                  {"usd_per_gpu_hour": 0.0}),
    "deployment": ({"edge_sites": 1}, {"small_model": "llama-3.1-405b", "gpu": "b200-sxm-180gb"}, {"edge_share": 0.0},
                   {"kv": "int4-g64"}),
    "economics": ({"gpu": "graviton4-192vcpu", "n_gpus": 1}, {"gpu": "h200-sxm-141gb"}, {"usd_per_gpu_hour": 0.0}, {"batch": 1},
                  {"cache_hit": 1.0}),
    "software": ({"cost_ratio": 5.0}, {"cost_ratio": 1.0}, {"acceptance": 0.01}, {"slots": 1}, {"usd_per_gpu_hour": 0.0}),
    "hour": ({"gco2e_per_kwh": 0.0}, {"price_decline": 0.0}),
    "hardware": ({"gpus": "h100-sxm-80gb"}, {"usd_per_gpu_hour": 0.03}, {"years": 1.0}),
    "traffic": ({"usd_per_gpu_hour": 0.03, "profile": "flat"},),
    "market": ({"discount_3y": 0.99}, {"gpus": "h100-sxm-80gb", "params_low": 69e9, "params_high": 71e9}),
    "validation": ({"gpus": "gh200-144gb"},),
    "cases/jpmorgan": ({"requests_per_analyst_hour": 1.0}, {"tpot_ms": 50000.0, "requests_per_analyst_hour": 4000.0}),
    "cases/spotify": ({"usd_per_day_before": 1.0, "usd_per_day_after": 1.0}, {"audio_hours_per_day": 1.0}),
    "cases/shopify": ({"peak_to_mean": 1.0}, {"turns": 1, "tokens_per_day": 1.0}),
    "cases/deepseek": ({"usd_per_gpu_hour": 2000.0}, {"user_speed": 1.0}),
    "reconciliation": ({"gpu": "mi325x-256gb", "requests_per_day": 1}, {"model": "gpt-3-175b"}),
}  # fmt: skip


class Undrawn(ast.NodeTransformer):
    """Takes from a cell the imports of what draws; stand-ins take their place."""

    def visit_ImportFrom(self, node):
        node.names = [one for one in node.names if (one.asname or one.name) not in DRAWING]
        return node if node.names else None

    def visit_Call(self, node):
        self.generic_visit(node)
        return ast.Name("tables", ast.Load()) if isinstance(node.func, ast.Attribute) and node.func.attr == TABLE_ONLY else node


@pytest.fixture(autouse=True)
def short_simulations(monkeypatch):
    """Laws of sentences need no statistics."""
    monkeypatch.setattr(simulation_load, "COUNT", 60)
    monkeypatch.setattr(simulation_load, "WAVES", 5)
    monkeypatch.setattr(simulation_check, "COUNT", 120)
    monkeypatch.setattr(simulation_check, "SEEDS", range(2))


def computed(name, change):
    """Findings and glued texts of a page, in the order in which it makes them."""
    made, glued, initial = [], {}, Finding.__init__

    def keep(self, *args, **named):
        initial(self, *args, **named)
        made.append(self)

    def keep_text(key, said, part="", **_):
        glued[key] = said if isinstance(said, str) else said[part] if part else said.sentence

    cells = json.loads(notebooks.find(name)[1].read_text(encoding="utf-8"))["cells"]
    space = {name: mock.MagicMock() for name in DRAWING} | {"In": [], "glue": keep_text}
    with mock.patch.object(Finding, "__init__", keep):
        for cell in cells:
            source = "".join(cell["source"])
            if cell["cell_type"] != "code":
                continue
            if "parameters" in cell["metadata"].get("tags", ()):
                injected = "# Parameters\n" + "".join(f"{key} = {value!r}\n" for key, value in change.items())
                space["In"] += [source, injected]
                source += "\n" + injected
            exec(compile(ast.fix_missing_locations(Undrawn().visit(ast.parse(source))), f"{name}.ipynb", "exec"), space)
    return made, glued


def broken(found, glued):
    """Each text that breaks a law, with the law."""
    for one in found:
        named = [text for name, text in one.values.items() if isinstance(text, str) and name not in ("number",)]
        cells = [text for column in one._table.select_dtypes(exclude="number") for text in one._table[column]]
        for text in {one.sentence, *named, *glued.values()}:
            yield from ((law, text) for law, rule in SAID.items() if isinstance(text, str) and re.search(rule, text))
        for text in {one.sentence, one.note, *named, *cells}:
            yield from ((law, text) for law, rule in EVERYWHERE.items() if isinstance(text, str) and re.search(rule, text))


def cells(found):
    """The numbers of the tables and named values of some findings, without sign, in order."""
    held = {float(len(one._table)) for one in found}
    rest = [part for one in found for part in (*one.values.values(), one._table.select_dtypes("number").to_numpy())]
    while rest:
        part = rest.pop()
        if isinstance(part, dict | list | tuple | set):
            rest += part.values() if isinstance(part, dict) else part
        elif hasattr(part, "select_dtypes"):
            rest.append(part.select_dtypes("number").to_numpy())
        elif isinstance(part, int | float | np.number | np.ndarray) or hasattr(part, "dtype"):
            flat = np.ravel(np.asarray(part))
            held |= {abs(float(one)) for one in flat} if flat.dtype.kind in "iuf" else set()
    return np.array(sorted(one for one in held if one and np.isfinite(one)))


def among(numbers, wanted):
    """Whether any of some numbers stands among others in order."""
    wanted = np.abs(np.atleast_1d(wanted))
    place = np.clip(np.searchsorted(numbers, wanted)[:, None] + np.array([-1, 0]), 0, len(numbers) - 1)
    return bool(np.isclose(numbers[place], wanted[:, None], rtol=1e-10, atol=0).any())


def follows(value, numbers):
    """Whether a number is one of some, or the ratio, the difference, the saving or the excess of two of them."""
    if among(numbers, [value, 1 - value]):
        return True
    ratios = [one for one in (value, 1 + value, 1 - value) if one not in (0.0, 1.0)]
    return any(among(numbers, numbers / one) for one in ratios) or among(
        numbers, (numbers - value)[numbers > value * (1 + 1e-9)])


def made_up(found):
    """Named numbers of sentences, of a kind that is worked out, that no table of the page holds and no two cells give."""
    worked_out = {row["id"] for _, row in data.table("quantities").iterrows() if row["known"] in ("model", "arithmetic")}
    numbers = cells(found)
    return sorted({f"{one.name} {one.text} ({one.value:.6g})" for part in found for one in part.quantities
                   if one.name in worked_out and np.isfinite(one.value) and not follows(one.value, numbers)})


def drawn(name, place):
    """A few parameters of a notebook at other allowed values, the same for the same seed."""
    chance, declared = random.Random(f"{name} {SEED} {place}"), parameters.spec(notebooks.find(name)[1])
    names = chance.sample(sorted(declared), min(len(declared), chance.choice((1, 1, 2, 3))))
    values = {one: other(declared[one], chance) for one in names}
    return {one: value for one, value in values.items() if value is not None}


def other(parameter, chance):
    """An allowed value of a parameter; nothing where there is none to draw."""
    unit = parameter.unit
    if unit == "gpus":
        return ",".join(chance.sample(list(data.ids("gpus")), chance.choice((1, 2, 6))))
    if unit in kinds.IDS or unit.startswith("choice(") or unit == "scenario":
        return chance.choice(kinds.kind(unit, False).ids)
    if unit == "date":
        return chance.choice(DAYS)
    if unit in ("fraction", "share"):
        return chance.choice((0.01, 0.5, 0.99, 1.0, *[0.0] * (unit == "share")))
    default = BLANK.get(parameter.name) if parameter.default is None else parameter.default
    if not isinstance(default, int | float):
        return None
    if isinstance(default, int):
        return chance.choice((*COUNTS, max(1, default // 2), 4 * default))
    return default * chance.choice((1e-3, 0.1, 0.5, 3.0, 1e3)) if unit in kinds.COUNTS else chance.choice(
        (0.0, 1.0, default / 100, default / 2, default * 5, default * 1000))


def cases():
    """Each notebook with its defaults, what broke it once, and what is drawn."""
    for name in notebooks.catalogue():
        sets = [*ONCE.get(name, ({},))] if name in SLOW and SETS <= 5 else [
            {}, *ONCE.get(name, ()), *(drawn(name, place) for place in range(SETS))]
        yield from (pytest.param(name, change, id=f"{name}-{change}") for change in sets)


@pytest.mark.filterwarnings("ignore")  # what arithmetic warns of, the tests of each page hold
@pytest.mark.parametrize(("name", "change"), list(cases()))
def test_every_sentence_obeys_the_laws(name, change):
    try:
        found = computed(name, change)
    except BadInput as refusal:
        assert change and not re.search(EVERYWHERE["no number"], str(refusal)), refusal
        return
    assert not [f"{law}: {text}" for law, text in broken(*found)]
    assert not made_up(found[0]), "numbers in a sentence that no table of the page holds: give the Finding the value"


def test_the_laws_find_what_they_are_for():
    """Sentences that pages said once, by the law that each of them breaks."""
    once = {
        "no number": "they cost $nan: batching saves nan%", "one of many": "spread over 1 sites", "article": "costs a 8-fold",
        "no range": "costs 4.9% to 4.9%", "empty list": "a mix of .", "negative": "a share of -15% of the tokens",
        "compared with itself": "batch 1 is 0% slower than batch 1", "no difference": "saves 0% of the bill",
        "none of a thing": "it pays to draft 0 tokens a pass",
    }  # fmt: skip
    assert once.keys() == (EVERYWHERE | SAID).keys()
    for law, said in once.items():
        assert re.search((EVERYWHERE | SAID)[law], said), law


def test_a_number_of_no_table_is_found():
    """Cells 2, 5 and 8: their ratios, differences and what is saved follow from them; 3.7 and 0.41 do not."""
    numbers = np.array([2.0, 5.0, 8.0])
    assert all(follows(one, numbers) for one in (5.0, 2.5, 3.0, 0.6, 0.375, 1.5))  # 5; 5/2; 5-2; 1-2/5; 1-5/8; 5/2-1
    assert not any(follows(one, numbers) for one in (3.7, 0.41, 7.0))


def test_words_know_one_none_less_and_the_same():
    assert (words.count(1, "site"), words.count(2, "site"), words.count(1e3, "site")) == ("1 site", "2 sites", "1,000 sites")
    assert [words.dollars(value) for value in (0, 0.0012, 3.394, 3e3)] == ["$0", "$0.0012", "$3.39", "$3,000.00"]
    assert words.span(0.049, 0.0491, "{:.1%}".format) == "4.9%" and words.span(1, 2, str) == "1 to 2"
    assert [words.percent(share) for share in (0, 0.004, 0.5, 1)] == ["0%", "0.4%", "50%", "100%"]
    assert [words.saves(share) for share in (0.34, 0.001, -0.12)] == ["saves 34%", "saves nothing", "costs 12% more"]
    assert [words.than(ratio) for ratio in (0.66, 1.001, 1.2, 5)] == [
        "34% less than", "as much as", "20% more than", "5.0 times as much as"]
    assert [words.often(number) for number in (1, 2, 4)] == ["once", "twice", "4 times"]
    assert [words.listed(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
