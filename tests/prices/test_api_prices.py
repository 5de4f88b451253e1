"""The table of token prices: what a row must be, and that old rows stay as they were."""

import csv
import hashlib
from collections import defaultdict

import pytest

from tokenecon import data
from tokenecon.importers import sellers

# vintage -> rows, and the head of the hash of their lines.  A difference here is a rewritten row: append a new vintage
# instead; if a row was wrong, mend it with a row in data/corrections.csv and change the hash.
FROZEN = {
    "2025-12-08": (573, "ad771ee320bd1cf6"),
    "2026-06-30": (738, "2732ae953699b53d"),
    "2026-11-10": (171, "804024858d7b1bf8"),
    "2026-11-12": (245, "9f107fd13f55f878"),
    "2026-11-22": (874, "9d72541640d0e5d9"),
    "2026-11-28": (1129, "9fd050e37eda4fe2"),
}


@pytest.fixture(scope="module")
def rows():
    return data.table("api_prices")


def test_old_vintages_stay_as_they_were():
    path = data.ROOT / "api_prices.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    vintages = defaultdict(list)
    for line, row in zip(lines[1:], csv.DictReader(lines), strict=True):
        vintages[row["last_seen"]].append(line)
    for day, (count, digest) in FROZEN.items():
        assert len(vintages[day]) == count, f"rows of {day} were added or taken away; a vintage is never changed"
        found = hashlib.sha256("\n".join(vintages[day]).encode()).hexdigest()[:16]
        assert found == digest, f"a row of {day} was rewritten; append a new vintage instead"


def test_a_row_is_named_after_what_it_is(rows):
    lists = {"genai-prices": "genai-prices", "litellm-prices": "litellm"}
    stem = rows["model"] + "." + rows["provider"] + "." + rows["source"].map(lists) + "." + rows["last_seen"]
    named = [name == one or name.removeprefix(f"{one}-").isdigit() for name, one in zip(rows["id"], stem, strict=True)]
    assert list(rows.loc[[not good for good in named], "id"]) == []


def test_prices_are_plausible_and_dates_in_order(rows):
    for column in ("usd_per_mtok_in", "usd_per_mtok_out"):
        assert list(rows.loc[~rows[column].between(0.001, 200), "id"]) == [], f"{column} is not USD for a million tokens"
    cached = rows["usd_per_mtok_cached"]
    assert list(rows.loc[cached > rows["usd_per_mtok_in"] * 1.0001, "id"]) == [], "a cached token is never dearer than one read"
    assert list(rows.loc[rows["as_of"] > rows["last_seen"], "id"]) == [], "a price holds before its list is read"


def test_an_offer_stands_once_in_a_list_of_a_day(rows):
    again = rows.duplicated(["source", "last_seen", "seller_model", "as_of", "note"])
    assert list(rows.loc[again, "id"]) == []


def test_sources_licences_and_locators_name_the_list(rows):
    assert set(rows["source"]) == {"genai-prices", "litellm-prices"}
    assert set(rows["licence"]) == set(data.table("sources").set_index("id").loc[["genai-prices", "litellm-prices"], "licence"])
    assert list(rows.loc[~rows["locator"].str.match(r"(genai-prices|LiteLLM) [\w.]+"), "id"]) == []


def test_sellers_are_spelt_as_the_importers_spell_them(rows):
    assert {name for name in rows["provider"].unique() if sellers.seller(name) != name} == set()


def test_models_without_a_shape_are_few_and_known(rows):
    """Everything else must be an id of data/models.csv, or a typing error would make a model."""
    others = set(rows["model"]) - set(data.models().index)
    assert others == {
        "gpt-4", "gpt-4-turbo", "gpt-4-32k", "gpt-3.5-turbo", "deepseek-v3.1", "qwen3-235b-a22b-thinking", "deepseek-chat",
        "aion-rp-llama-3.1-8b", "dobby-mini-unhinged-plus-llama-3.1-8b", "dobby-unhinged-llama-3.3-70b-new",
    }  # fmt: skip


def test_the_documents_day_has_a_list_of_its_own(rows):
    models = rows.loc[rows["last_seen"] == data.assumption("batching.occupancy_static")["as_of"], "model"]
    assert {"llama-2-70b", "llama-3.1-70b", "llama-3.3-70b", "mixtral-8x7b"} <= set(models)
