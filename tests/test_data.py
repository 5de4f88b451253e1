"""The facts in data/: shape, provenance, plausibility, and how the package reads them.

A failing test names the table, the row and what to do about it.
"""

import datetime
import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from frictionless import Package
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenecon import data, queries, units
from tokenecon.errors import NoPrice, UnknownId
from tokenecon.prices import gpu_prices
from tokenecon.serving import textbook

SMALL = Path(__file__).parent / "small_data"
BASIS = ["spec", "quoted", "measured", "derived", "assumed", "claimed"]
UNVERIFIED = "unverified:"
WITH_RANGE = ["gpus", "prices", "assumptions", "optimisations"]
WITH_PROVENANCE = [*WITH_RANGE, "providers", "models", "precisions", "measurements", "wide_ep", "traces"]

# What the documents name, and what followed it.
EXPECTED_GPUS = [
    "a100-sxm-40gb", "a100-sxm-80gb", "a100-pcie-80gb", "h100-pcie-80gb", "h100-sxm-80gb",
    "h100-nvl-94gb", "h200-sxm-141gb", "h200-nvl-141gb", "gh200-96gb", "gh200-144gb", "b200-sxm-180gb",
    "gb200", "b300-sxm-288gb", "gb300", "l4", "l40s-48gb", "rtx-pro-6000-bse", "mi250-128gb",
    "mi300x-192gb", "mi325x-256gb", "mi355x-288gb", "gaudi2-96gb", "gaudi3-128gb", "gaudi3-pcie-128gb",
    "tpu-v5e", "tpu-v5p", "tpu-v6e", "tpu7x", "trainium2", "inferentia2", "graviton4-192vcpu",
    # what people ask for
    "rtx-3090-24gb", "rtx-4090-24gb", "rtx-5090-32gb", "rtx-pro-4500-32gb", "v100-sxm-32gb", "h20-sxm-96gb",
    "h800-sxm-80gb", "dgx-spark-128gb", "mi350x-288gb", "arc-b60-24gb", "ascend-910b-64gb", "xeon-6980p", "epyc-9965",
]


def broken_rows(frame, condition):
    return list(frame.loc[condition, "id"])


# --- the descriptor -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def report():
    return {task.name: task for task in Package(str(data.ROOT / "datapackage.json")).validate().tasks}


@pytest.mark.parametrize("table", data.TABLES)
def test_table_obeys_the_descriptor(report, table):
    found = [error.message for error in report[table].errors]
    assert not found, f"data/{table}.csv:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("gpus", "source", "a-source-that-is-not-there"),
        ("gpus", "unit", "TB"),
        ("gpus", "basis", "guess"),
        ("assumptions", "unit", "USD per hour"),
        ("assumptions", "as_of", "last year"),
        ("prices", "gpu", "h100"),
        ("prices", "value", "-1"),
        ("prices", "source", ""),
        ("prices", "provider", "nobody"),
        ("providers", "kind", "cloud"),
        ("optimisations", "lever", "magic"),
        ("sources", "licence", ""),
    ],
)
def test_the_descriptor_finds_a_broken_row(tmp_path, table, column, value):
    """On a small copy of every kind of row, so that a mistake in data/ fails where it is made and not here too."""
    folder = tmp_path / "data"
    shutil.copytree(SMALL, folder)
    shutil.copy(data.ROOT / "datapackage.json", folder)
    assert valid_alone(folder, table), "the check must pass before the row is broken"
    frame = pd.read_csv(folder / f"{table}.csv", dtype=str, keep_default_na=False)
    frame.loc[0, column] = value
    frame.to_csv(folder / f"{table}.csv", index=False)
    assert not valid_alone(folder, table), f"{table}.{column} = {value!r} passed"


def valid_alone(folder, table):
    """Whether one table, with the tables that its keys point to, obeys the descriptor."""
    package = Package(str(folder / "datapackage.json"))
    for name in [resource.name for resource in package.resources]:
        if name not in (table, "sources", "gpus", "providers"):
            package.remove_resource(name)
    return package.validate().valid


def test_descriptor_lists_the_units_and_bases_of_the_package():
    numeric = [unit for unit in units.UNITS if unit not in ("date", "text")]
    for resource in data.package()["resources"]:
        for field in resource["schema"]["fields"]:
            allowed = field.get("constraints", {}).get("enum")
            if field["name"] == "basis":
                assert allowed == BASIS, resource["name"]
            if field["name"] == "unit":
                assert set(allowed) <= set(units.UNITS), resource["name"]
                if resource["name"] in ("assumptions", "optimisations"):
                    assert allowed == numeric, (
                        f"the units of {resource['name']} in data/datapackage.json are not those of "
                        "tokenecon/units.py: copy the list"
                    )


def test_readme_explains_every_table_and_column():
    text = (data.ROOT / "README.md").read_text(encoding="utf-8")
    for resource in data.package()["resources"]:
        part = re.search(rf"### {resource['name']}\.csv\n(.*?)(?=\n### |\n## )", text, re.S)
        assert part, f"data/README.md has no section for {resource['name']}.csv"
        missing = [f["name"] for f in resource["schema"]["fields"] if f"`{f['name']}`" not in part.group(1)]
        assert missing == [], f"data/README.md does not explain {missing} of {resource['name']}.csv"


# --- every row ------------------------------------------------------------------------------------


def test_an_id_means_one_row_of_one_table():
    seen = {}
    for name in data.TABLES:
        frame = data.table(name)
        for row_id in [*frame["id"], *(frame["gpu"].unique() if name == "gpus" else [])]:
            assert row_id not in seen, f"'{row_id}' stands in {seen.get(row_id)} and in {name}"
            seen[row_id] = name


@pytest.mark.parametrize("name", WITH_PROVENANCE)
def test_every_number_has_a_source_a_date_and_a_basis(name):
    frame = data.table(name)
    known = set(data.table("sources")["id"])
    assert broken_rows(frame, ~frame["source"].isin(known)) == []
    assert broken_rows(frame, ~frame["as_of"].str.fullmatch(r"\d{4}-\d\d-\d\d")) == []
    assert broken_rows(frame, ~frame["basis"].isin(BASIS)) == []


@pytest.mark.parametrize("name", WITH_RANGE)
def test_values_lie_in_their_range_and_assumptions_have_one(name):
    frame = data.table(name)
    one_end = frame["low"].isna() != frame["high"].isna()
    assert broken_rows(frame, one_end) == [], "give both low and high, or neither"
    outside = (frame["low"] > frame["value"]) | (frame["value"] > frame["high"])
    assert broken_rows(frame, outside) == [], "low <= value <= high does not hold"
    number = frame["unit"] != "text"
    bare = number & (frame["basis"] == "assumed") & frame["low"].isna()
    assert broken_rows(frame, bare) == [], "an assumed value needs low and high"
    degenerate = number & (frame["basis"] == "assumed") & (frame["low"] == frame["high"])
    assert broken_rows(frame, degenerate) == [], "the range of an assumed value is a point"


@pytest.mark.parametrize("name", WITH_RANGE)
def test_unverified_numbers_say_how_far_they_may_be_off(name):
    frame = data.table(name)
    doubtful = frame["note"].str.contains(UNVERIFIED, regex=False)
    assert broken_rows(frame, doubtful & (frame["basis"] == "spec")) == [], (
        "a spec that we could not read again is basis quoted"
    )
    if name in ("gpus", "assumptions"):
        bare = doubtful & (frame["unit"] != "text") & frame["low"].isna()
        assert broken_rows(frame, bare) == [], "an unverified value needs low and high"


def test_nothing_is_dated_after_our_last_reading():
    sources = data.table("sources")
    last = sources["accessed"].max()
    advice = f"is after {last}, the newest `accessed` in data/sources.csv: add the source that was read, or its new `accessed`"
    assert broken_rows(sources, sources["published"] > last) == [], f"`published` {advice}"
    for name in WITH_PROVENANCE:
        frame = data.table(name)
        assert broken_rows(frame, frame["as_of"] > last) == [], f"data/{name}.csv: `as_of` {advice}"
    prices = data.table("prices")
    assert broken_rows(prices, prices["last_seen"] < prices["as_of"]) == [], "a price is last seen on its own day at the earliest"
    assert broken_rows(prices, prices["last_seen"] > last) == [], f"data/prices.csv: `last_seen` {advice}"
    corrections = data.table("corrections")
    assert broken_rows(corrections, corrections["date"] > last) == [], f"data/corrections.csv: `date` {advice}"


def test_every_source_is_used_or_is_literature():
    sources = data.table("sources").set_index("id")
    citing = [data.table(name) for name in data.TABLES if name != "sources"]
    used = set().union(*(frame["source"] for frame in citing if "source" in frame))
    idle = [row_id for row_id, kind in sources["kind"].items()
            if row_id not in used and kind not in ("paper", "book", "document")]
    assert idle == [], f"sources that no row cites: {idle}; cite or delete them"


def test_the_documents_are_cited_by_file_name_and_line():
    sources = data.table("sources").set_index("id")
    assert "000_0b0efc588ee0e7db.txt" in sources.loc["doc-uk", "note"]
    assert "001_8201c6b8dd277d14.txt" in sources.loc["doc-th", "note"]
    assert set(sources.loc[["doc-uk", "doc-th"], "publisher"]) == {"Introl"}
    for name in ("gpus", "prices", "assumptions", "optimisations"):
        frame = data.table(name)
        cited = frame["source"].isin(["doc-uk", "doc-th"])
        without = cited & ~frame["locator"].str.fullmatch(r"lines? \d+( and \d+)?")
        assert broken_rows(frame, without) == [], "cite the documents as `line N`"
        assert broken_rows(frame, (frame["basis"] == "claimed") & ~cited) == [], name


def test_tables_carry_no_path_of_a_machine_and_no_stray_blank():
    for path in data.ROOT.glob("*.csv"):
        text = path.read_text(encoding="utf-8")
        assert "\r" not in text and text.endswith("\n"), path.name
        assert not re.search(r"(?<![\w.:/])/(?:tmp|work|home|root)/", text), path.name
        assert not re.search(r"pypi\.org|registry\.npmjs", text), path.name
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        untidy = frame.map(lambda cell: cell != cell.strip()).any(axis=1)
        assert list(frame.loc[untidy, "id"]) == [], path.name


# --- accelerators ---------------------------------------------------------------------------------


def test_all_accelerators_are_there_with_what_a_calculation_needs():
    frame = data.gpus()
    assert set(EXPECTED_GPUS) <= set(frame.index)
    for column in ("memory_bytes", "engine_memory_bytes", "bandwidth_bytes_per_s", "bf16_flop_per_s",
                   "link_domain_gpus"):
        assert list(frame.index[frame[column].isna()]) == [], column
    for column in ("name", "vendor", "kind", "release"):
        assert list(frame.index[frame[column] == ""]) == [], column
    assert set(frame["kind"]) == {"gpu", "tpu", "asic", "cpu"}
    assert frame["name"].is_unique


def test_a_row_of_gpus_is_named_after_its_fact_and_is_a_number_or_a_text():
    rows = data.table("gpus")
    assert broken_rows(rows, rows["id"] != rows["gpu"] + "." + rows["field"]) == []
    is_text = rows["unit"] == "text"
    assert broken_rows(rows, is_text != rows["value"].isna()) == []
    assert broken_rows(rows, is_text != (rows["text"] != "")) == []
    assert (rows.groupby("field")["unit"].nunique() == 1).all()
    assert set(rows["field"]) == set(data.GPU_COLUMNS)


@pytest.mark.parametrize(
    ("gpu", "column", "expected"),
    [
        # printed: 4.8 TB/s, 141 GB, 80 GB, 3.35 TB/s, 5.3 TB/s
        ("h200-sxm-141gb", "bandwidth_bytes_per_s", 4_800_000_000_000),
        ("h200-sxm-141gb", "memory_bytes", 141_000_000_000),
        ("h100-sxm-80gb", "memory_bytes", 80_000_000_000),
        ("h100-sxm-80gb", "bandwidth_bytes_per_s", 3_350_000_000_000),
        ("mi300x-192gb", "bandwidth_bytes_per_s", 5_300_000_000_000),
        # printed with sparsity: 1,979 TFLOP/s; dense is half of it
        ("h100-sxm-80gb", "bf16_flop_per_s", 989_500_000_000_000),
        ("h200-sxm-141gb", "bf16_flop_per_s", 989_500_000_000_000),
        # 79.2 GiB = 79.2 * 1024^3
        ("h100-sxm-80gb", "engine_memory_bytes", 85_040_352_460.8),
        # 7680-bit bus / 8 * 3996 MHz * 2 = 7.672 TB/s, sold as 7.7 on HGX boards
        ("b200-sxm-180gb", "bandwidth_bytes_per_s", 7_700_000_000_000),
        ("gb200", "bandwidth_bytes_per_s", 8_000_000_000_000),
        # the A100 of the documents has "2 TB/s"; printed are 2,039, 1,935 and 1,555 GB/s
        ("a100-sxm-80gb", "bandwidth_bytes_per_s", 2_039_000_000_000),
        ("a100-pcie-80gb", "bandwidth_bytes_per_s", 1_935_000_000_000),
        ("a100-sxm-40gb", "bandwidth_bytes_per_s", 1_555_000_000_000),
        # Blackwell Ultra gave up INT8: printed 307 TOP/s with sparsity, and 165 dense, not thousands
        ("b300-sxm-288gb", "int8_flop_per_s", 153_500_000_000_000),
        ("gb300", "int8_flop_per_s", 165_000_000_000_000),
        # Gaudi 3: module 900 W, card 600 W
        ("gaudi3-128gb", "board_power_w", 900),
        ("gaudi3-pcie-128gb", "board_power_w", 600),
        # 2 sockets * 96 cores * 2.8 GHz * 64 FLOP = 34.4 TFLOP/s
        ("graviton4-192vcpu", "bf16_flop_per_s", 34_400_000_000_000),
        # 800 GB/s both directions a chip
        ("tpu-v6e", "link_bytes_per_s", 400_000_000_000),
        # bridges of 600 and 900 GB/s both directions, between two and four cards
        ("h100-nvl-94gb", "link_bytes_per_s", 300_000_000_000),
        ("h100-nvl-94gb", "link_domain_gpus", 2),
        ("h200-nvl-141gb", "link_bytes_per_s", 450_000_000_000),
        ("h200-nvl-141gb", "link_domain_gpus", 4),
        # printed with 16-bit sums: 330.3 and 419 TFLOP/s; half with the 32-bit sums that engines use
        ("rtx-4090-24gb", "bf16_flop_per_s", 165_200_000_000_000),
        ("rtx-5090-32gb", "bf16_flop_per_s", 209_500_000_000_000),
        # the Server Edition has 1,597 GB/s, the Workstation Edition 1,792
        ("rtx-pro-6000-bse", "bandwidth_bytes_per_s", 1_597_000_000_000),
        # 1 PFLOP/s of FP4 is printed with sparsity
        ("dgx-spark-128gb", "fp4_flop_per_s", 500_000_000_000_000),
        # 12 channels * 8,800 MT/s * 8 bytes = 844.8 GB/s
        ("xeon-6980p", "bandwidth_bytes_per_s", 845_000_000_000),
        ("gb200", "link_domain_gpus", 72),
        ("h100-sxm-80gb", "all_in_power_w", 1730),
    ],
)
def test_wide_view_is_in_si_units(gpu, column, expected):
    assert data.gpu(gpu)[column] == pytest.approx(expected, rel=1e-12)


def test_graviton4_flops_are_the_arithmetic_of_their_note():
    assert pytest.approx(data.gpu("graviton4-192vcpu")["bf16_flop_per_s"], rel=0.002) == 2 * 96 * 2.8e9 * 64
    assert pytest.approx(data.gpu("graviton4-192vcpu")["int8_flop_per_s"], rel=0.002) == 2 * 96 * 2.8e9 * 128


def limits(table):
    """The limits that data/datapackage.json sets to a table beyond the type of each column."""
    return next(one["limits"] for one in data.package()["resources"] if one["name"] == table)


def outside(rows, limit):
    """GPUs of ``rows`` (a table like gpus.csv) that break one limit; both sides in SI units."""
    si = {field: unit for field, (_, unit) in data.GPU_COLUMNS.items() if unit != "text"}
    rows = rows[rows["field"].isin(si)]
    value = [units.convert(row.value, row.unit, si[row.field]) for row in rows.itertuples()]
    facts = rows.assign(value=value).pivot(index="gpu", columns="field", values="value")
    unit = units.convert(1.0, limit["unit"], si[limit["field"]]) if "unit" in limit else facts[limit["over"]]
    size = (facts[limit["field"]] / unit).dropna().drop(limit.get("except", []), errors="ignore")
    return list(size.index[~size.between(limit["minimum"], limit["maximum"])])


@pytest.mark.parametrize("limit", limits("gpus"), ids=lambda one: one["field"])
def test_accelerators_are_physically_plausible(limit):
    wrong = outside(data.table("gpus"), limit)
    assert wrong == [], f"{', '.join(wrong)}: {limit['sentence']} (data/datapackage.json, limits of gpus)"


def test_a_limit_finds_what_breaks_it():
    rows = data.table("gpus")
    for limit in limits("gpus"):
        gpus = set(rows.loc[rows["field"] == limit["field"], "gpu"])
        gpu = "b200-sxm-180gb" if "b200-sxm-180gb" in gpus else min(gpus)
        high = rows.assign(value=rows["value"].where(rows["id"] != f"{gpu}.{limit['field']}", 1e6))
        assert outside(high, limit) == [gpu], limit["field"]


def test_every_accelerator_but_the_cpu_has_a_link():
    gpus = data.gpus()
    bare = gpus[gpus["kind"] != "cpu"]
    missing = [f"{gpu}.{field}" for field, column in (("link_bandwidth", "link_bytes_per_s"), ("interconnect", "interconnect"))
               for gpu in bare.index[bare[column].isna() | (bare[column] == "")]]
    assert not missing, f"data/gpus.csv lacks the rows {', '.join(missing)}"
    words = {row["interconnect"].split()[0] for _, row in bare.iterrows()}
    assert words <= set(textbook.LINK_LATENCY), "the first word of an interconnect needs a latency in serving/textbook.py"


# --- prices -----------------------------------------------------------------------------------------


def test_price_units_follow_the_kind():
    prices = data.table("prices")
    assert set(prices["kind"]) == set(gpu_prices.PRICE_KINDS)
    bought = prices["kind"] == "purchase"
    assert broken_rows(prices, bought != (prices["unit"] == "USD/GPU")) == []


def test_terms_and_prepayments_are_those_of_contracts():
    prices = data.table("prices")
    months = prices["kind"].map(gpu_prices.TERM_MONTHS)
    assert broken_rows(prices, prices["term_months"].fillna(0) != months.fillna(0)) == [], "the term is that of the kind"
    assert broken_rows(prices, (prices["prepaid_share"] > 0) & prices["term_months"].isna()) == [], "a share of what term?"
    said = prices["note"].str.extract(r"contract with (\d+)% prepaid")[0].astype(float) / 100
    rented = prices["kind"] == "rental_3y"
    assert broken_rows(prices, rented & (prices["prepaid_share"] != said)) == [], "the note says another share"


def test_a_price_is_of_a_kind_that_its_seller_sells():
    """Classes of providers.csv and kinds of prices.csv, in every row."""
    prices = data.table("prices")
    who = prices["provider"].map(data.table("providers").set_index("id")["kind"])
    allowed = {
        "marketplace": {"marketplace", "spot"},  # what private owners let is never on demand
        "platform": {"on_demand"}, "listings": {"purchase"}, "maker": {"purchase"}, "document": {"on_demand", "purchase"},
        "index": {"committed_1y", "rental_3y", "owned_hyperscaler", "owned_neocloud", "purchase"},
        "hyperscaler": {"on_demand", "spot", "reserved_3m", "committed_1y", "committed_3y"},
        "neocloud": {"on_demand", "spot", "marketplace", "reserved_3m", "committed_1y", "committed_3y"},
    }  # fmt: skip
    wrong = [kind not in allowed[seller] for kind, seller in zip(prices["kind"], who, strict=True)]
    assert broken_rows(prices, pd.Series(wrong)) == []
    # a neocloud that passes on private hosts does so under the kind of its own, and lets its own under another
    both = prices[(who == "neocloud") & (prices["kind"] == "marketplace")]
    assert set(both["provider"]) == {"runpod"}
    assert set(both["provider"]) <= set(prices.loc[prices["kind"] == "on_demand", "provider"])
    assert broken_rows(prices, (who == "document") != (prices["basis"] == "claimed")) == []
    assert broken_rows(prices, (prices["kind"] == "purchase") & (prices["basis"] == "assumed") & (who != "listings")) == []


def test_prices_lie_in_the_band_of_their_peers():
    prices = data.table("prices")
    ratio = prices["value"] / prices.groupby(["gpu", "kind"])["value"].transform("median")
    (limit,) = limits("prices")
    far = ~ratio.between(1 / 4, 4)
    silent = far & ~prices["note"].str.contains(UNVERIFIED, regex=False)
    assert broken_rows(prices, silent) == [], (
        "more than four times off the median of its kind: is it per GPU, per hour, in USD? "
        "If it is right, say `unverified: far from what its peers ask` in the note"
    )
    assert broken_rows(prices, ~ratio.between(limit["minimum"], limit["maximum"])) == [], limit["sentence"]


@pytest.mark.parametrize(
    ("cheaper", "dearer"),
    [("committed_3y", "committed_1y"), ("committed_1y", "on_demand"), ("spot", "on_demand")],
)
def test_a_longer_or_weaker_contract_is_cheaper(cheaper, dearer):
    prices = data.table("prices")
    same = ["gpu", "provider", "region", "offer", "as_of", "source"]
    pairs = prices[prices["kind"] == cheaper].merge(prices[prices["kind"] == dearer], on=same)
    assert len(pairs) > 30, "the comparison lost its rows"
    assert list(pairs.loc[pairs["value_x"] > pairs["value_y"], "id_x"]) == []


def test_the_range_of_regions_holds_the_price():
    prices = data.table("prices").dropna(subset=["region_low"])
    assert len(prices) > 50
    inside = (prices["region_low"] <= prices["value"]) & (prices["value"] <= prices["region_high"])
    assert broken_rows(prices, ~inside) == []


FIRST, LAST = datetime.date(2021, 1, 1), datetime.date(2027, 1, 1)


@settings(max_examples=60, deadline=None)
@given(st.dates(min_value=FIRST, max_value=LAST), st.sampled_from([None, *gpu_prices.PRICE_KINDS]), st.booleans())
def test_prices_never_come_from_the_future(day, kind, claimed):
    rows = gpu_prices.prices(kind=kind, as_of=day, claimed=claimed)
    assert (rows["as_of"] <= day.isoformat()).all()
    everything = data.table("prices")
    same = ["gpu", "provider", "region", "kind", "offer", "basis"]
    past = everything[everything["as_of"] <= day.isoformat()]
    newest = past.groupby(same)["as_of"].max()
    # each group shows its newest day, and no other
    shown = rows.groupby(same)["as_of"].agg(["min", "max"])
    for key, days in shown.iterrows():
        assert days["min"] == days["max"] == newest[key]
    wanted = {key for key in newest.index
              if (kind is None or key[3] == kind) and (claimed or key[5] != "claimed")}
    assert set(shown.index) == wanted


@settings(max_examples=30, deadline=None)
@given(st.dates(min_value=FIRST, max_value=LAST), st.integers(min_value=0, max_value=2000))
def test_an_age_limit_only_drops_what_was_last_seen_earlier(day, days):
    every = gpu_prices.prices(as_of=day)
    kept = gpu_prices.prices(as_of=day, max_age_days=days)
    oldest = (day - datetime.timedelta(days=days)).isoformat()
    assert set(kept["id"]) == set(every.loc[every["last_seen"] >= oldest, "id"])


def test_aws_cut_of_june_2025_shows_on_its_day():
    # p5.48xlarge: 98.32 USD/h for eight H100 until 22 June 2025, 55.04 from the 23rd: 12.29 and 6.88 a GPU
    def aws(day):
        rows = gpu_prices.prices("h100-sxm-80gb", "on_demand", day)
        return rows[(rows["provider"] == "aws") & (rows["offer"] == "p5.48xlarge")]["value"].tolist()

    assert aws("2025-06-22") == [98.32 / 8]
    assert aws("2025-06-23") == [55.04 / 8]


def test_price_range_is_the_arithmetic_of_its_rows():
    # estimates of a three-year rental: 1.30 in March 2026, 1.78 in August 2026
    march = gpu_prices.price_range("h100-sxm-80gb", "rental_3y", "2026-04-01", estimates=True)
    assert (march["low"], march["typical"], march["high"]) == (1.30, 1.30, 1.30)
    assert gpu_prices.price_range("h100-sxm-80gb", "rental_3y", "2026-09-01", estimates=True)["typical"] == 1.78
    # buying an H100: 22,000 to 25,000 (used, middle 23,500) of June 2026 goes before the 46,875 of a list of June 2025; one
    # estimate says 20,000 and does not count where prices are printed.
    with queries.recording() as asked:
        bought = gpu_prices.price_range("h100-sxm-80gb", "purchase", "2026-09-01")
    assert (bought["low"], bought["typical"], bought["high"]) == (22_000, 23_500, 25_000)
    assert bought["unit"] == "USD/GPU" and len(bought["rows"]) == 1
    assert set(data.sources_of(asked)) == {"runlocalai-b200"}


def test_claims_of_the_documents_never_enter_a_price_unasked():
    assert (gpu_prices.prices("h200-sxm-141gb", "purchase", "2025-12-08")["basis"] != "claimed").all()
    claimed = gpu_prices.prices("h200-sxm-141gb", "purchase", "2025-12-08", claimed=True)
    assert claimed[["low", "value", "high"]].values.tolist() == [[30_000, 35_000, 40_000]]


def test_a_missing_price_is_refused_in_one_sentence():
    with pytest.raises(NoPrice, match=r"^no spot price of gaudi3-128gb within 365 days .* purchase; add a row"):
        gpu_prices.price_range("gaudi3-128gb", "spot")
    with pytest.raises(NoPrice, match="the newest is of 2025-03-03"):
        gpu_prices.price_range("tpu-v5e", "on_demand", "2026-09-01")


# --- corrections -------------------------------------------------------------------------------------


def test_corrections_changed_something_and_still_stand():
    for _, row in data.table("corrections").iterrows():
        assert row["old"] != row["new"], row["id"]
        table = data.table(row["table"]).set_index("id")
        assert row["row"] in table.index, f"{row['id']}: no row {row['row']} in {row['table']}.csv"
        now = table.loc[row["row"], row["field"]]
        same = now == row["new"] if isinstance(now, str) else float(now) == float(row["new"])
        assert same, f"{row['id']} says {row['new']}, {row['table']}.csv says {now}"


# --- reading ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "value", "near"),
    [
        (data.gpu, "h100", "h100-sxm-80gb"),
        (data.gpu, "H200", "h200-sxm-141gb"),
        (data.assumption, "mbu.decod", "mbu.decode"),
        (data.source, "kwon-2022", "kwon-2023"),
        (data.model, "llama2-70b", "llama-2-70b"),
        (data.claim, "hw-h100-bandwith", "hw-h100-bandwidth"),
        (data.show, "h200-sxm-141gb.bandwith", "h200-sxm-141gb.bandwidth"),
        (lambda gpu: gpu_prices.prices(gpu=gpu), "b200", "b200-sxm-180gb"),
        (lambda kind: gpu_prices.prices(kind=kind), "on-demand", "on_demand"),
    ],
)
def test_an_unknown_id_is_one_sentence_with_the_nearest_ids(call, value, near):
    with pytest.raises(UnknownId) as error:
        call(value)
    text = str(error.value)
    assert f"'{value}'" in text and near in error.value.alike and f"'{near}'" in text
    assert "\n" not in text and not text.endswith(".") and len(text) < 250
    assert isinstance(error.value, ValueError) and not isinstance(error.value, KeyError)


def test_an_unknown_id_with_no_neighbour_still_says_where_to_look():
    with pytest.raises(UnknownId, match=r"gpu 'zzzz' is not known.*tokenecon list gpus"):
        data.gpu("zzzz")


@pytest.mark.parametrize("as_of", ["yesterday", "2025-13-01", "08.12.2025", ""])
def test_a_date_that_is_none_is_refused(as_of):
    with pytest.raises(ValueError, match="is not a date; write it as YYYY-MM-DD"):
        gpu_prices.prices(as_of=as_of)


def test_span_and_value_of_an_assumption():
    low, middle, high = data.span("mbu.decode")
    row = data.assumption("mbu.decode")
    assert (low, middle, high) == (row["low"], row["value"], row["high"]) == (0.7, 0.8, 0.9)
    assert row["unit"] == "fraction" and data.value("mbu.decode") == 0.8
    assert data.span("central.gpus") == (1000.0, 1000.0, 1000.0)


def test_a_model_answers_to_its_aliases():
    models = data.models()
    named = models[models["aliases"] != ""]
    assert len(named) > 5
    for model_id, others in named["aliases"].items():
        for other in others.split():
            assert other in models.index or data.model(other)["id"] == model_id


@pytest.mark.parametrize(
    ("row_id", "table", "rows"),
    [
        ("h200-sxm-141gb.bandwidth", "gpus", 1),
        ("gaudi3-pcie-128gb", "gpus", None),
        ("llama-2-70b", "models", 1),
        ("power.pue", "assumptions", 1),
        ("hw-h100-bandwidth", "claims", 1),
        ("kwon-2023", "sources", 1),
        ("quantisation.marlin.int4-kernel", "optimisations", 1),
    ],
)
def test_show_finds_any_row_with_its_source(row_id, table, rows):
    shown = data.show(row_id)
    assert shown["table"] == table and shown["id"] == row_id
    assert len(shown["rows"]) == (rows or (data.table("gpus")["gpu"] == row_id).sum())
    cited = [row["source"] for row in shown["rows"] if row.get("source")]
    assert [source["id"] for source in shown["sources"]] == list(dict.fromkeys(cited))


def test_a_caller_cannot_spoil_the_tables():
    spoilt = data.table("assumptions")
    spoilt["value"] = -1.0
    assert data.value("mbu.decode") == 0.8
    wide = data.gpus()
    wide.loc["gb200", "bandwidth_bytes_per_s"] = 0.0
    assert data.gpu("gb200")["bandwidth_bytes_per_s"] == 8e12


def test_a_column_that_the_descriptor_does_not_know_is_refused(tmp_path, read_from):
    frame = data.table("corrections").assign(mood="good")
    frame.to_csv(tmp_path / "corrections.csv", index=False)
    (tmp_path / "datapackage.json").write_text(json.dumps(data.package()), encoding="utf-8")
    read_from(tmp_path)
    with pytest.raises(ValueError, match=r"corrections\.csv has the columns .*mood"):
        data.table("corrections")


def test_rates_of_wide_expert_parallelism_say_what_they_count_and_of_what():
    rows = data.table("wide_ep")
    unit = {"input_tok_s": "tok_in/s/GPU", "output_tok_s": "tok_out/s/GPU", "total_tok_s": "tok/s/GPU", "tok_s": "tok/s/GPU",
            "ttft_s": "s", "accepted_length": "tok", "speedup": "ratio"}
    assert broken_rows(rows, rows["metric"].map(unit) != rows["unit"]) == []
    open_ = rows["flag"] == ""  # what a model can be held against
    assert open_.sum() > 20
    assert broken_rows(rows, open_ & ~rows["model"].isin(data.ids("models"))) == []
    assert broken_rows(rows, open_ & ~rows["gpu"].isin(data.ids("gpus"))) == []
    assert broken_rows(rows, open_ & ((rows["obtained"] != "measured") | (rows["metric"] == "tok_s"))) == []
    load = rows[["isl", "context"]].notna().any(axis=1)
    assert broken_rows(rows, open_ & ~load) == [], "a row without a flag states its load"
    # printed for a server of eight: DeepSeek's 14,800 answered tokens a second, SGLang's 57,674 prompt tokens on H100
    value = rows.set_index("id")["value"]
    assert value["wide-ep-02"] == 14_800 / 8 and value["wide-ep-03"] == 57_674 / 8


def test_each_gpu_says_how_many_measurements_back_it():
    rows = data.table("measurements")
    counted = rows[rows["flag"] == ""].groupby("gpu").size()
    stated = data.gpus()["measurements"]
    assert stated.sum() == len(rows[rows["flag"] == ""])
    for gpu, count in stated.items():
        assert count == counted.get(gpu, 0), f"data/gpus.csv, {gpu}.measurements: write {counted.get(gpu, 0)}"
