"""Freezing token prices: names that sellers give, the two lists, and a table that only grows."""

import datetime
import json
import shutil
import sys
from pathlib import Path

import pytest

from tokenecon import data
from tokenecon.importers import genai_prices, litellm_prices, sellers
from tokenecon.prices import freeze

DAY = datetime.date(2026, 11, 22)
MODELS = {
    "llama-2-70b": (), "llama-3-70b": (), "llama-3.1-70b": (), "llama-3.3-70b": (), "deepseek-v3": (), "deepseek-v3.1": (),
    "gpt-oss-20b": (), "gpt-4": (), "gpt-4-32k": (), "qwen3-32b": (), "qwen3.5-122b-a10b": (), "glm-5": (),
    "kimi-k2-instruct": ("kimi-k2",), "kimi-k2.5": (), "llama-4-scout": ("llama-4-scout-17b-16e-instruct",),
    "mixtral-8x7b": ("mixtral-8x7b-v0.1",),
}  # fmt: skip


@pytest.fixture
def table(tmp_path):
    """A copy of the table that a test may let grow."""
    return Path(shutil.copy(data.ROOT / "api_prices.csv", tmp_path / "api_prices.csv"))


@pytest.fixture
def empty(tmp_path):
    """A table with its head alone."""
    path = tmp_path / "empty.csv"
    path.write_text((data.ROOT / "api_prices.csv").read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    return path


def offer(name, into, out, cached=None, status="listed", model="llama-3.1-70b", provider="groq"):
    """An offer as the importers give it."""
    return {"model": model, "provider": provider, "seller_model": name, "usd_per_mtok_in": into, "usd_per_mtok_out": out,
            "usd_per_mtok_cached": cached, "as_of": None, "status": status, "locator": "", "note": ""}


@pytest.fixture
def listed(monkeypatch):
    """Put a list in place of the library's."""
    def put(version, *offers):
        monkeypatch.setattr(genai_prices, "read", lambda models, day: (version, list(offers)))
    return put


# --- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("meta.llama3-1-70b-instruct-v1:0", "llama-3.1-70b"),
        ("accounts/fireworks/models/llama-v3p3-70b-instruct", "llama-3.3-70b"),
        ("Meta-Llama-3_3-70B-Instruct", "llama-3.3-70b"),
        ("llama2-70b-4096", "llama-2-70b"),
        ("meta-llama/Meta-Llama-3-70B-Instruct-Turbo", "llama-3-70b"),
        ("deepseek/deepseek_v3", "deepseek-v3"),
        ("deepseek-ai/DeepSeek-V3.1", "deepseek-v3.1"),
        ("deepseek-v3p1", "deepseek-v3.1"),
        ("openai.gpt-oss-20b-1:0", "gpt-oss-20b"),
        ("gpt-4-32k-0613", "gpt-4-32k"),
        ("gpt-4-0613", "gpt-4"),
        ("qwen-3-32b", "qwen3-32b"),
        ("databricks-qwen35-122b-a10b", "qwen3.5-122b-a10b"),
        ("moonshotai/kimi-k2-0905", "kimi-k2-instruct"),
        ("kimi-k2p5", "kimi-k2.5"),
        ("meta.llama4-scout-17b-instruct-v1:0", "llama-4-scout"),
        ("mistral.mixtral-8x7b-instruct-v0:1", "mixtral-8x7b"),
        # other models, other services
        ("nousresearch/hermes-3-llama-3.1-70b", None),
        ("deepseek-r1-distill-llama-70b", None),
        ("llama-3.1-nemotron-70b-instruct", None),
        ("aion-labs/aion-rp-llama-3.1-70b", None),
        ("meta-llama/llama-3.3-70b-instruct:free", None),
        ("deepseek/deepseek-v3.2", None),
        ("gpt-4-1106-preview", None),
        ("z-ai/glm-5-turbo", None),
        ("z-ai/glm-5.1", None),
        ("moonshotai/kimi-k2-thinking", None),
    ],
)
def test_a_sellers_name_means_one_model_or_none(name, model):
    assert sellers.model_of(name, MODELS) == model


def test_a_moving_name_means_what_the_list_says_in_words():
    assert sellers.model_of("deepseek/deepseek-chat", MODELS) is None
    assert sellers.model_of("deepseek/deepseek-chat", MODELS, "DeepSeek V3 0324") == "deepseek-v3"


@pytest.mark.parametrize(
    ("listed", "ours"),
    [("huggingface_together", "together"), ("together_ai", "together"), ("bedrock_converse", "aws"), ("novita", "novita"),
     ("huggingface_fireworks-ai", "fireworks"), ("vertex_ai-llama_models", "google"), ("gradient_ai", "gradient-ai")],
)  # fmt: skip
def test_a_seller_has_one_name(listed, ours):
    assert sellers.seller(listed) == ours


# --- the lists -------------------------------------------------------------------------------------


def test_the_library_gives_the_prices_that_its_own_calculation_uses():
    library = pytest.importorskip("genai_prices")
    version, offers = genai_prices.read(MODELS, DAY)
    assert version == library.__version__
    assert len({one["seller_model"] for one in offers}) == len(offers) > 50
    assert {one["model"] for one in offers} <= set(MODELS)
    moment = datetime.datetime.combine(DAY, genai_prices.NOON)
    (one,) = [one for one in offers if one["seller_model"] == "groq/openai/gpt-oss-20b"]
    usage = library.Usage(input_tokens=1_000_000, cache_read_tokens=250_000, output_tokens=500_000)
    bill = library.calc_price(usage, "openai/gpt-oss-20b", provider_id="groq", genai_request_timestamp=moment)
    ours = 0.75 * one["usd_per_mtok_in"] + 0.25 * one["usd_per_mtok_cached"] + 0.5 * one["usd_per_mtok_out"]
    assert ours == pytest.approx(float(bill.total_price), rel=1e-9)


def test_the_library_is_read_as_of_the_day():
    pytest.importorskip("genai_prices")
    name = "openrouter/meta-llama/llama-3.1-70b-instruct"  # dated in the list: 0.40 from 19 October, 0.72 from 3 November
    seen = {}
    for day in (datetime.date(2026, 10, 30), DAY):
        _, offers = genai_prices.read(MODELS, day)
        (one,) = [one for one in offers if one["seller_model"] == name]
        seen[day] = (one["usd_per_mtok_in"], one["as_of"])
    assert seen == {datetime.date(2026, 10, 30): (0.40, "2026-10-19"), DAY: (0.72, "2026-11-03")}


@pytest.fixture
def price_file(tmp_path):
    """A price file as LiteLLM's, with what must be left out."""
    entry = {"mode": "chat", "litellm_provider": "groq", "input_cost_per_token": 5.9e-07, "output_cost_per_token": 7.9e-07}
    queue = {"max_input_tokens": 131072, "input_cost_per_token_batches": 3e-07, "output_cost_per_token_batches": 4e-07}
    entries = {
        "sample_spec": {"mode": "one of: chat, embedding"},
        "groq/llama-3.1-70b-versatile": entry | queue | {"cache_read_input_token_cost": 2e-07, "source": "https://groq.com/pricing"},
        "together_ai/llama-3.1-70b": entry | {"litellm_provider": "together_ai", "deprecation_date": "2026-11-22"},
        "x/llama-3.1-70b:free": entry | {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
        "x/llama-3.3-70b": entry | {"output_cost_per_token": 0.0},
        "x/qwen3-32b": entry | {"mode": "embedding"},
    }
    path = tmp_path / "prices.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path


def test_the_second_list_is_read_in_usd_per_million(price_file):
    revision, offers = litellm_prices.read(price_file, MODELS, DAY)
    assert len(revision) == 10
    first, second = offers
    assert (first["usd_per_mtok_in"], first["usd_per_mtok_out"], first["usd_per_mtok_cached"]) == (0.59, 0.79, 0.2)
    assert (first["provider"], first["status"], first["locator"]) == ("groq", "listed", "https://groq.com/pricing")
    assert (second["provider"], second["status"], second["usd_per_mtok_cached"]) == ("together", "retired", None)
    none = dict.fromkeys(freeze.MONEY)
    assert first["terms"] == [{"tier": "standard", "context": 131072, **none},
                              {"tier": "batch", "context": 131072, **none, "usd_per_mtok_in": 0.3, "usd_per_mtok_out": 0.4}]
    assert second["terms"] == []


@pytest.mark.parametrize("text", ["no json", "[1, 2]", '{"a": 3}'])
def test_a_file_that_is_not_the_price_file_is_refused(tmp_path, table, text, capsys):
    path = tmp_path / "other.json"
    path.write_text(text)
    before = table.read_bytes()
    assert freeze.main(["--table", str(table), "--litellm", str(path)]) == 2
    assert "other.json" in capsys.readouterr().err
    assert table.read_bytes() == before


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("input_cost_per_token", -1e-6, "input_cost_per_token of 'groq/llama-3.1-70b-versatile' is -1e-06"),
        ("output_cost_per_token", float("inf"), "is inf, but must be a number of USD a token from 0 to 0.1"),
        ("output_cost_per_token", float("nan"), "is nan"),
        ("cache_read_input_token_cost", "2e-7", "cache_read_input_token_cost"),
        ("litellm_provider", None, "litellm_provider of 'groq/llama-3.1-70b-versatile' is blank, but must be a text"),
        ("deprecation_date", 2026, "is 2026, but must be a text"),
        ("input_cost_per_token_flex", 7, "input_cost_per_token_flex of 'groq/llama-3.1-70b-versatile' is 7"),
        ("max_input_tokens", "128k", "max_input_tokens of 'groq/llama-3.1-70b-versatile' is '128k', but must be a whole number"),
    ],
)
def test_an_entry_that_would_become_a_wrong_price_is_refused(price_file, table, field, value, words, capsys):
    entries = json.loads(price_file.read_text())
    entries["groq/llama-3.1-70b-versatile"][field] = value
    price_file.write_text(json.dumps(entries))
    before = table.read_bytes()
    assert freeze.main(["--table", str(table), "--litellm", str(price_file)]) == 2
    assert words in capsys.readouterr().err
    assert table.read_bytes() == before


# --- the table grows and says how --------------------------------------------------------------------


def test_a_vintage_is_appended_and_no_row_is_touched(table, listed, capsys):
    before = table.read_bytes()
    listed("9.0", offer("groq/a", 0.59, 0.79), offer("groq/b", 0.4, 0.8, 0.1))
    assert freeze.main(["--table", str(table), "--day", "2026-11-22"]) == 0
    said = capsys.readouterr().out
    assert "frozen already" in said, "today's vintage of this list is in the table"
    assert table.read_bytes() == before
    rows, _ = freeze.read(table)
    rows = [row for row in rows if row["last_seen"] < "2026-11-22"]
    new, report = freeze.frozen(rows, "genai-prices", "9.0", [offer("groq/a", 0.59, 0.79)], DAY)
    assert [row["id"] for row in new] == ["llama-3.1-70b.groq.genai-prices.2026-11-22"]
    assert "disappeared" in report[1]


def test_freezing_says_what_was_added_changed_and_disappeared(empty, listed):
    listed("9.0", offer("groq/a", 0.59, 0.79), offer("groq/b", 0.4, 0.8), offer("groq/c", 1.0, 2.0))
    freeze.freeze(empty, day=datetime.date(2026, 11, 20))
    first = empty.read_bytes()
    listed("9.1", offer("groq/a", 0.59, 0.70, 0.3), offer("groq/b", 0.4, 0.8, status="retired"), offer("groq/d", 5.0, 6.0))
    report = freeze.freeze(empty, day=DAY)
    assert report[1:-1] == [
        "against 2026-11-20: 1 added, 2 changed, 1 disappeared",
        "  added        groq/d",
        "  changed      groq/a: usd_per_mtok_out 0.79 -> 0.7; usd_per_mtok_cached unknown -> 0.3",
        "  changed      groq/b: listed -> retired",
        "  disappeared  groq/c",
    ]
    assert empty.read_bytes().startswith(first), "older rows were rewritten"
    rows, _ = freeze.read(empty)
    assert len(rows) == 6
    assert len({row["id"] for row in rows}) == 6
    assert {row["locator"] for row in rows if row["last_seen"] == "2026-11-22"} == {"genai-prices 9.1"}


def test_a_slip_of_the_list_is_refused_and_said(empty, listed):
    # a list once had 0.071 USD for a token where the seller asks 0.71 for a million
    listed("9.0", offer("groq/a", 0.59, 0.79), offer("wandb/b", 71000.0, 71000.0))
    report = freeze.freeze(empty, day=DAY)
    assert report[1] == (
        "  refused      wandb/b: 71000 and 71000 USD for a million tokens in and out are a slip of the list")
    assert [row["seller_model"] for row in freeze.read(empty)[0]] == ["groq/a"]


def test_freezing_twice_adds_nothing(empty, listed):
    listed("9.0", offer("groq/a", 0.59, 0.79))
    assert freeze.freeze(empty, day=DAY)[-1].startswith("1 rows added")
    first = empty.read_bytes()
    assert freeze.freeze(empty, day=DAY)[-1].startswith("0 rows added")
    assert empty.read_bytes() == first


def test_the_same_list_on_a_later_day_adds_nothing_but_a_new_version_does(empty, listed):
    listed("9.0", offer("groq/a", 0.59, 0.79))
    freeze.freeze(empty, day=datetime.date(2026, 11, 1))
    assert "nothing new since 2026-11-01" in freeze.freeze(empty, day=datetime.date(2026, 11, 9))[0]
    listed("9.1", offer("groq/a", 0.59, 0.79))
    assert freeze.freeze(empty, day=datetime.date(2026, 11, 9))[1] == (
        "against 2026-11-01: 0 added, 0 changed, 0 disappeared")
    assert len(freeze.read(empty)[0]) == 2


def test_both_lists_are_frozen_side_by_side(empty, listed, price_file):
    listed("9.0", offer("groq/a", 0.59, 0.79))
    freeze.freeze(empty, day=DAY, litellm=price_file)
    rows, _ = freeze.read(empty)
    assert sorted((row["source"], row["provider"]) for row in rows) == [
        ("genai-prices", "groq"), ("litellm-prices", "groq"), ("litellm-prices", "together")]
    said = (empty.parent / freeze.TERMS).read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in said] == ["id", "llama-3.1-70b.groq.litellm.standard.2026-11-22",
                                                     "llama-3.1-70b.groq.litellm.batch.2026-11-22"]


def test_a_table_without_a_last_line_end_stays_one_row_a_line(empty, listed):
    empty.write_bytes(empty.read_bytes().rstrip(b"\n"))
    listed("9.0", offer("groq/a", 0.59, 0.79))
    freeze.freeze(empty, day=DAY)
    assert len(freeze.read(empty)[0]) == 1


def test_it_looks_for_our_models_those_in_the_table_and_those_named(empty):
    rows = [{"model": "gpt-4"}, {"model": "deepseek-chat"}]
    wanted = freeze.models(rows, also=["gpt-4o"])
    assert {"llama-3.1-70b", "gpt-4", "gpt-4o"} <= set(wanted)
    assert "deepseek-chat" not in wanted, "a moving name is no model"
    assert wanted["kimi-k2-instruct"] == ("kimi-k2",)


# --- what cannot be done ----------------------------------------------------------------------------


def test_a_missing_library_is_one_sentence(table, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    before = table.read_bytes()
    assert freeze.main(["--table", str(table)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "the optional library genai-prices is not installed; install it with" in told.err
    assert table.read_bytes() == before


def test_a_day_to_come_and_an_empty_list_are_refused(empty, listed):
    with pytest.raises(freeze.NotFrozen, match="day '2999-01-01' is in the future"):
        freeze.freeze(empty, day=datetime.date(2999, 1, 1))
    listed("9.0")
    with pytest.raises(freeze.NotFrozen, match="has no price of any model"):
        freeze.freeze(empty, day=DAY)


def test_a_table_with_other_columns_is_refused(tmp_path, listed):
    path = tmp_path / "other.csv"
    path.write_text("id,model\n")
    with pytest.raises(freeze.NotFrozen, match="has the columns"):
        freeze.freeze(path, day=DAY)
