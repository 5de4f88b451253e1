"""Scenario files: what they give, and one sentence for everything that they must not hold."""

import re

import pytest

from tokenecon import data
from tokenecon.decision import scenario
from tokenecon.fleet import traffic
from tokenecon_book.build import parameters

GOOD = """\
name: Tiny
model: llama-3.1-8b
weights: fp8
kv: fp8
gpus: [h100-sxm-80gb, l40s-48gb]
workload:
  isl: 700
  osl: 90
  requests_per_day: 30000
  growth_per_year: -0.1
traffic:
  peak_to_mean: 2.5
latency:
  tpot_ms: 40
money:
  as_of: 2026-08-01
  years: 2
  usd_per_gpu_hour: {h100-sxm-80gb: {on_demand: 2.25}}
  usd_per_gpu: {h100-sxm-80gb: 21000}
  api: {usd_per_mtok_in: 0.05, usd_per_mtok_out: 0.15}
uncertainty:
  demand: [0.8, 1.3]
"""


@pytest.fixture
def written(tmp_path):
    def write(text, name="tiny.yml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


def refusal(path):
    """The one sentence of a refusal."""
    with pytest.raises(scenario.BadScenario) as error:
        scenario.load(path)
    text = str(error.value)
    assert text.startswith(f"scenario '{path}': ")
    assert "\n" not in text
    return text


def test_a_scenario_gives_a_flat_case(written):
    case = scenario.load(written(GOOD))
    assert (case.model, case.gpus, case.isl, case.years) == ("llama-3.1-8b", ["h100-sxm-80gb", "l40s-48gb"], 700, 2)
    assert case.rents == {"h100-sxm-80gb": {"on_demand": 2.25}}
    assert case.purchases == {"h100-sxm-80gb": 21000}
    assert case.uncertainty == {"demand": (0.8, 1.3)}
    assert case.growth_per_year == -0.1
    assert (case.ttft_ms, case.tpot_ms) == (None, 40)
    assert traffic.peak_to_mean(case.profile) == pytest.approx(2.5)
    assert case.profile["ratio"].mean() == pytest.approx(1, abs=1e-12)


def test_what_is_left_out_comes_from_the_data(written):
    case = scenario.load(written(GOOD))
    for name, row in scenario.ASSUMED.items():
        if name != "years":
            assert getattr(case, name) == data.value(row), f"{name} is not {row}"
    # sold after 2 of 4 years of life, on a straight line to the resale value at its end
    assert case.residual_share == pytest.approx(1 - (1 - data.value("finance.residual")) * 2 / data.value("finance.life"))
    assert case.choices == ["own", "rent", "api"]
    assert case.interruptible is False


def test_the_date_is_the_newest_of_the_book_unless_said(written):
    from tokenecon.prices import price_book

    assert scenario.load(written(GOOD.replace("  as_of: 2026-08-01\n", ""))).as_of == price_book.newest_date()


def test_all_gpus_is_every_row_of_the_table(written):
    assert scenario.load(written(GOOD.replace("[h100-sxm-80gb, l40s-48gb]", "all"))).gpus == list(data.gpus().index)


def test_a_traffic_file_is_found_beside_the_scenario_and_says_how_much_is_asked(written):
    # 24 hours with 100 requests and 24 with 300: 200 an hour on average, 4800 a day, peak over mean 1.5
    written("hour,requests\n" + "".join(f"{hour},{100 if hour < 24 else 300}\n" for hour in range(48)), "load.csv")
    text = GOOD.replace("peak_to_mean: 2.5", "file: load.csv").replace("  requests_per_day: 30000\n", "")
    case = scenario.load(written(text))
    assert case.requests_per_day == pytest.approx(4800)
    assert traffic.peak_to_mean(case.profile) == pytest.approx(1.5)
    assert scenario.load(written(text.replace("growth", "requests_per_day: 77\n  growth"))).requests_per_day == 77


TASK = """\
task: {turns: 3, first_tok: 1000, added_tok: 500, osl: 100, held_share: 0.9, retries: 0.1, tasks_per_day: 2000}
workload: {users: 50}
"""


def of_task(text=TASK):
    kept = GOOD[:GOOD.index("workload:")] + text + GOOD[GOOD.index("traffic:"):]
    return kept


def test_a_task_says_lengths_cached_share_and_requests(written):
    case = scenario.load(written(of_task()))
    # prompts of 1,000, 1,600 and 2,200 tokens; 1,100 and 1,700 were sent before; one turn in ten is sent again, whole
    assert (case.isl, case.osl) == (pytest.approx(1600), 100)
    assert case.requests_per_day == pytest.approx(2000 * 3 * 1.1)
    assert case.cached_prefix == pytest.approx(0.9 * (1100 + 1700 + 0.1 * 4800) / (1.1 * 4800))


@pytest.mark.parametrize(("old", "new", "words"), [
    ("users: 50", "isl: 700", "workload.isl is given beside a task"),
    ("users: 50", "requests_per_day: 7", "workload.requests_per_day is given beside task.tasks_per_day"),
    ("users: 50", "users: 0", "workload.users is 0, but must be a whole number from 1"),
    (", tasks_per_day: 2000", "", "workload.requests_per_day is missing"),
    ("turns: 3", "turns: 2.5", "task.turns is 2.5, but must be a whole number from 1 to 10000"),
    ("held_share: 0.9, ", "", "task.held_share is missing"),
    ("held_share: 0.9", "held_share: 1", "task.held_share is 1, but must be a number of at least 0 and below 1"),
])
def test_a_task_that_says_too_much_or_too_little_is_refused(written, old, new, words):
    assert old in TASK and words in refusal(written(of_task(TASK.replace(old, new))))


@pytest.mark.parametrize(("money", "words"), [
    ("usd_per_unit: 1.1", "money.usd_per_unit is given, but money.currency is USD"),
    ("currency: EUR\n  usd_per_unit: 1.1", "money.currency is 'EUR', and must have its rate beside it"),
    ("currency: euro", "money.currency is 'euro', but must be a code like USD or EUR"),
    ("currency: EUR\n  usd_per_unit: 0\n  rate_as_of: 2026-07-01", "money.usd_per_unit is 0, but must be a number above 0"),
    ("currency: EUR\n  usd_per_unit: 1.1\n  rate_as_of: 2999-01-01", "money.rate_as_of is 2999-01-01, but must be a day up to"),
])
def test_a_currency_has_a_dated_rate(written, money, words):
    assert words in refusal(written(GOOD.replace("years: 2", f"years: 2\n  {money}")))


# --- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("on_demand: 2.25", "on_demand: -2", "money.usd_per_gpu_hour is {'h100-sxm-80gb': {'on_demand': -2}}, but must be of "
         "prices above 0 in USD, but h100-sxm-80gb.on_demand has -2"),
        ("21000", "-1", "money.usd_per_gpu is {'h100-sxm-80gb': -1}, but must be of prices above 0"),
        ("usd_per_mtok_in: 0.05", "usd_per_mtok_in: -0.05", "money.api.usd_per_mtok_in is -0.05, but must be a number above 0"),
        ("years: 2", "usd_per_kwh: -0.1", "money.usd_per_kwh is -0.1, but must be a number of at least 0"),
        ("peak_to_mean: 2.5", "utilisation: 1.2", "traffic.utilisation is 1.2, but must be a number above 0 and at most 1"),
        ("peak_to_mean: 2.5", "peak_to_mean: 0.5", "traffic.peak_to_mean is 0.5, but must be a number of at least 1"),
        ("peak_to_mean: 2.5", "profile: diurnl", "traffic.profile is 'diurnl', but must be one of flat, diurnal"),
        ("peak_to_mean: 2.5", "profile: flat\n  utilisation: 0.5", "traffic has profile and utilisation, but must have"),
        ("  peak_to_mean: 2.5", "  {}", "traffic is empty, but must have exactly one of profile, peak_to_mean, file, util"),
        ("l40s-48gb]", "l40-48gb]", "gpus is ['h100-sxm-80gb', 'l40-48gb'], but must be"),
        ("l40s-48gb]", "l40-48gb]", "did you mean 'l40s-48gb'"),
        ("l40s-48gb]", "l40-48gb]", "see `tokenecon list gpus`"),
        ("{h100-sxm-80gb: {on", "{h100: {on", "of known ids, not 'h100'; did you mean"),
        ("{on_demand: 2.25}", "{ondemand: 2.25}", "of known ids, not 'ondemand'; did you mean 'on_demand'"),
        ("{h100-sxm-80gb: {on_demand: 2.25}}", "[2.25]", "money.usd_per_gpu_hour is [2.25], but must be lines like"),
        ("llama-3.1-8b", "llama-3.1-9b",
         "model is 'llama-3.1-9b', but must be the id of a model, or the path of its config.json; did you mean 'llama-3.1-8b'"),
        ("weights: fp8", "weights: fp7", "weights is 'fp7', but must be the id of a precision"),
        ("as_of: 2026-08-01", "as_of: 2999-01-01", "money.as_of is 2999-01-01, but must be a day from 2021-11-04"),
        ("as_of: 2026-08-01", "as_of: 2019-01-01", "money.as_of is 2019-01-01, but must be a day from 2021-11-04"),
        ("as_of: 2026-08-01", "as_of: yesterday", "money.as_of is 'yesterday', but must be a date like 2026-07-31"),
        ("as_of: 2026-08-01", "currency: EUR", "money.currency is 'EUR', and must have its rate beside it: usd_per_unit"),
        ("years: 2", "years: 2.5", "money.years is 2.5, but must be a whole number of years from 1 to 15"),
        ("years: 2", "years: true", "money.years is True, but must be a whole number"),
        ("years: 2", "year: 2", "money.year does not exist; did you mean 'years'?; allowed are currency, as_of, years"),
        ("name: Tiny", "nam: Tiny", "nam does not exist"),
        ("isl: 700", "isl: 0", "workload.isl is 0, but must be a number from 1 to 1e8"),
        ("isl: 700", "isl: .inf", "workload.isl is inf, but must be a number"),
        ("isl: 700", "isl:", "workload.isl is blank, but must be a number"),
        ("  isl: 700\n", "", "workload.isl is missing"),
        ("osl: 90", "osl: 90\n  cached_prefix: 1", "workload.cached_prefix is 1, but must be a number of at least"),
        ("requests_per_day: 30000", "requests_per_day: 1e13", "is '1e13', but must be a number above 0 and at most 1e12"),
        ("requests_per_day: 30000", "requests_per_day: -5", "workload.requests_per_day is -5, but must be a number above 0"),
        ("  requests_per_day: 30000\n", "", "workload.requests_per_day is missing"),
        ("growth_per_year: -0.1", "growth_per_year: -1", "workload.growth_per_year is -1, but must be a number above -1"),
        ("growth_per_year: -0.1", "interruptible: 3", "workload.interruptible is 3, but must be true or false"),
        ("tpot_ms: 40", "wait_probability: 1", "latency.wait_probability is 1, but must be a number above 0 and below 1"),
        ("demand: [0.8, 1.3]", "demand: [1.3, 0.8]", "uncertainty.demand is [1.3, 0.8], but must be two numbers [low, high]"),
        ("demand: [0.8, 1.3]", "demand: [1.1, 1.3]", "uncertainty.demand is [1.1, 1.3], but must hold 1 between its ends"),
        ("demand: [0.8, 1.3]", "demand: [0, 1.3]", "a ratio above 0 to what the scenario says"),
        ("demand: [0.8, 1.3]", "growth: [0, 0.3]", "uncertainty.growth is [0, 0.3], but must hold -0.1 between its ends"),
        ("demand: [0.8, 1.3]", "demnd: [0.8, 1.3]", "uncertainty.demnd does not exist; did you mean 'demand'"),
        ("latency:", "service: {people: -1}\nlatency:", "service.people is -1, but must be a number from 0 to 1000"),
        ("latency:", "service: {spare_replicas: 1.5}\nlatency:", "service.spare_replicas is 1.5, but must be a whole number"),
        ("latency:", "service: {availability: 1}\nlatency:", "service.availability is 1, but must be a number above 0 and below"),
        ("latency:", "service: {availability: 0.99, spare_replicas: 1}\nlatency:",
         "service has availability and spare_replicas, but must have at most one of them"),
        ("latency:", "service: {peple: 1}\nlatency:", "service.peple does not exist; did you mean 'people'"),
        ("peak_to_mean: 2.5", "peak_to_mean: 2.5\n  burst: 0.5", "traffic.burst is 0.5, but must be a number of at least 1"),
        ("peak_to_mean: 2.5", "profile: flat\n  fit_size: 1", "traffic.fit_size is 1, but must be true or false"),
        ("uncertainty:", "choices: [own, buy]\nuncertainty:", "choices is ['own', 'buy'], but must be a list of some of"),
        ("uncertainty:", "choices: []\nuncertainty:", "choices is [], but must be a list of some of own, rent, api"),
        ("uncertainty:", "seed: -1\nuncertainty:", "seed is -1, but must be a whole number of at least 0"),
        ("latency:\n  tpot_ms: 40", "latency: 40", "latency is 40, but must be a block of ttft_ms, tpot_ms, wait_probability"),
    ],
)  # fmt: skip
def test_a_bad_field_is_named_with_its_value_and_what_is_allowed(written, old, new, words):
    assert old in GOOD
    said = refusal(written(GOOD.replace(old, new)))
    assert words in said
    assert "; see " in said


def test_of_several_mistakes_the_first_is_told_and_the_others_are_counted(written):
    said = refusal(written(GOOD.replace("isl: 700", "isl: -7").replace("years: 2", "years: 0")))
    assert "workload.isl is -7" in said
    assert said.endswith("(1 more to correct after it)")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no `name: value` lines"),
        ("- a\n- b\n", "holds no `name: value` lines"),
        ("just words\n", "holds no `name: value` lines"),
        ("name: [1\n", "is not YAML at line 2"),
        ("name: a\nname: b\n", "is not YAML at line 2: 'name' stands twice"),
        ("money:\n  years: 1\n  years: 2\n", "is not YAML at line 3: 'years' stands twice"),
        ("1: a\n", "is not YAML at line 1: 1 is no name"),
        ("? [a, b]\n: c\n", "is not YAML at line 1"),
        ("name: \x07\n", "is not YAML"),
        ("name: !!python/object:os.system x\n", "is not YAML at line 1"),
    ],
)
def test_a_file_that_is_no_scenario_is_refused(written, text, words):
    assert words in refusal(written(text))


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    assert "cannot be read: No such file" in refusal(tmp_path / "none.yml")
    assert "cannot be read: Is a directory" in refusal(tmp_path)
    (tmp_path / "latin.yml").write_bytes(b"name: \xe9t\xe9\n")
    assert "it is not UTF-8 text" in refusal(tmp_path / "latin.yml")


def test_a_huge_file_is_no_scenario(written):
    assert "is larger than 1,000,000 bytes" in refusal(written("#" * 1_000_001))


# --- traffic files ---------------------------------------------------------------------------------


def with_file(written):
    return written(GOOD.replace("peak_to_mean: 2.5", "file: load.csv"))


def test_lengths_and_cached_share_come_from_the_file_where_the_scenario_leaves_them_out(written):
    """An hour of 60 requests and one of 180, of 1,000 tokens (400 from a cache) and 50; a third hour without any is a gap."""
    lines = ["timestamp,input_tokens,output_tokens,cached_tokens"]
    lines += [f"{1767225600 + hour * 3600 + place * 3600 // count},1000,50,400"
              for hour, count in ((0, 60), (1, 180), (3, 60), (4, 1)) for place in range(count)]
    written("\n".join(lines), "load.csv")
    text = GOOD.replace("peak_to_mean: 2.5", "file: load.csv").replace("  isl: 700\n  osl: 90\n  requests_per_day: 30000\n", "")
    assert "lacks 1 h from 2026-01-01T02:00; say with gaps how to fill them" in refusal(written(text))
    case = scenario.load(written(text.replace("file: load.csv", "file: load.csv\n  gaps: zero")))
    assert (case.isl, case.osl, case.cached_prefix) == (1000, 50, 0.4)
    assert case.requests_per_day == pytest.approx((60 + 180 + 0 + 60) / 4 * 24) and dict(case.load)["gap"].startswith("1 h")
    stated = text.replace("growth", "isl: 500\n  cached_prefix: 0\n  growth")
    case = scenario.load(written(stated.replace("file: load.csv", "file: load.csv\n  gaps: zero")))
    assert (case.isl, case.osl, case.cached_prefix) == (500, 50, 0)


def test_lengths_that_nobody_says_and_gaps_without_a_file_are_refused(written):
    written("hour,requests\n0,1\n1,2\n", "load.csv")
    said = refusal(written(GOOD.replace("peak_to_mean: 2.5", "file: load.csv").replace("  isl: 700\n", "")))
    assert "workload.isl is missing, and the traffic.file does not say it" in said
    assert "traffic.gaps fills the hours that a traffic.file lacks" in refusal(written(
        GOOD.replace("peak_to_mean: 2.5", "peak_to_mean: 2.5\n  gaps: zero")))
    assert "traffic.gaps is 'some', but must be one of zero, same_hour" in refusal(written(
        GOOD.replace("peak_to_mean: 2.5", "file: load.csv\n  gaps: some")))


def test_a_missing_and_an_empty_traffic_file_are_refused(written, tmp_path):
    assert "traffic.file is 'load.csv', but" in refusal(with_file(written))
    written("", "load.csv")
    assert re.search(r"traffic\.file is 'load\.csv', but .*load\.csv: is empty", refusal(with_file(written)))
    (tmp_path / "load.csv").unlink()
    (tmp_path / "load.csv").mkdir()
    assert "traffic.file is 'load.csv', but" in refusal(with_file(written))


def test_one_broken_line_in_ten_megabytes_is_found(written, tmp_path):
    lines = [f"{hour},{100 + hour % 24}" for hour in range(1_000_000)]
    lines[654_320] = "654320,1o3"  # the header is line 1, hour 0 is line 2
    path = written("hour,requests\n" + "\n".join(lines) + "\n", "load.csv")
    assert path.stat().st_size > 10e6
    assert "load.csv, line 654322: 'requests' is '1o3', not a number" in refusal(with_file(written))


def test_a_file_of_more_than_a_year_is_refused(written):
    written("hour,requests\n" + "".join(f"{hour},5\n" for hour in range(scenario.HOURS + 1)), "load.csv")
    assert "traffic.file is 'load.csv' with 8,785 hours, but must have at most 8,784" in refusal(with_file(written))


# --- the size of a service -------------------------------------------------------------------------


def test_a_small_service_peaks_higher_than_the_trace_of_a_large_one(written):
    text = GOOD.replace("peak_to_mean: 2.5", "profile: servegen-m-mid")
    large = scenario.load(written(text.replace("30000", "1e9")))
    assert large.profile.equals(traffic.profile("servegen-m-mid")), "a service as large as the trace peaks as it does"
    small = scenario.load(written(text))
    assert traffic.peak_to_mean(small.profile) == pytest.approx(traffic.of_size(30000 / 86400)[0])
    assert traffic.peak_to_mean(small.profile) > 2 * traffic.peak_to_mean(large.profile)
    assert small.profile["ratio"].mean() == pytest.approx(1)
    as_recorded = scenario.load(written(text.replace("servegen-m-mid", "servegen-m-mid\n  fit_size: false")))
    assert as_recorded.profile.equals(large.profile)
    stated = scenario.load(written(GOOD))
    assert traffic.peak_to_mean(stated.profile) == pytest.approx(2.5), "a stated peak stays"


def test_bursts_are_of_the_size_unless_the_scenario_says_so_or_nothing_varies(written):
    assert scenario.load(written(GOOD)).burst == traffic.of_size(30000 / 86400)[1] > 1
    assert scenario.load(written(GOOD.replace("peak_to_mean: 2.5", "peak_to_mean: 2.5\n  burst: 3"))).burst == 3
    for smooth in ("profile: flat", "utilisation: 0.5"):
        assert scenario.load(written(GOOD.replace("peak_to_mean: 2.5", smooth))).burst == 1


# --- the scenarios that ship -----------------------------------------------------------------------


def test_the_shipped_scenarios_load_and_their_names_are_the_choices_of_the_page(root):
    declared = parameters.spec(root / "notebooks" / "decision.ipynb")
    assert declared["scenario"].unit == "scenario" and len(scenario.names()) == len(list(scenario.FOLDER.glob("*.yml"))) == 3
    for name in scenario.names():
        assert parameters.validate(declared, {"scenario": name}) == {"scenario": name}
        case = scenario.load(scenario.FOLDER / f"{name}.yml")
        assert case.requests_per_day > 0


def test_the_numbers_of_the_shipped_scenarios_are_the_rows_that_they_name():
    from tokenecon.fleet import traffic

    said = 0
    for name in scenario.names():
        for line in (scenario.FOLDER / f"{name}.yml").read_text().splitlines():
            found = re.match(r"\s*\w+: ([\d.e]+)\s+# .*?\b([a-z_]+\.[a-z_]+|[a-z0-9-]+\.[a-z_]+)(?:[:;,]|$| )", line)
            if not found:
                continue
            value, row = float(found[1]), found[2]
            if "-" in row.split(".")[0]:
                wanted = traffic.fact(*row.split("."))
                wanted = wanted * 86400 if row.endswith("mean_rate") else wanted
            elif row in set(data.table("assumptions")["id"]):
                wanted = data.span(row)[2 if "high end" in line else 0] if " end of" in line else data.value(row)
            else:
                continue
            assert value == pytest.approx(wanted, rel=5e-4), f"{name}: `{line.strip()}`"
            said += 1
    assert said >= 14


def test_the_folder_of_scenarios_is_no_notebook(root):
    from tokenecon_book.build import notebooks

    assert not [name for name in notebooks.catalogue() if "scenario" in name]


# --- from the page's parameters --------------------------------------------------------------------


def page(**given):
    from types import SimpleNamespace

    return SimpleNamespace(**({"scenario": "chat-assistant"} | dict.fromkeys(scenario.PARAMETERS) | given))


def test_blank_parameters_keep_the_scenario_and_others_replace_it():
    plain, changed = parameters.scenario(page()), parameters.scenario(page(requests_per_day=5.0, peak_to_mean=3.0, gpus=["l4"]))
    assert plain.requests_per_day == 477800
    # 5.53 requests a second is less than one client of two of the three services that were measured: their single client's peak
    assert traffic.peak_to_mean(plain.profile) == pytest.approx(4.394)
    assert plain.profile["ratio"].rank().equals(traffic.profile("servegen-m-large")["ratio"].rank()), "the hours keep their order"
    assert (changed.requests_per_day, changed.gpus) == (5.0, ["l4"])
    assert traffic.peak_to_mean(changed.profile) == pytest.approx(3.0)
    assert changed.model == plain.model


def test_the_price_rule_is_typical_unless_the_page_says_another():
    assert parameters.scenario(page()).price_rule == "typical"
    assert parameters.scenario(page(price_rule="list")).price_rule == "list"


def test_a_parameter_that_the_scenario_refuses_is_named():
    with pytest.raises(parameters.ParameterError, match=r"^parameter 'years' is 0\.5, but must be a whole number of years"):
        parameters.scenario(page(years=0.5))
    with pytest.raises(parameters.ParameterError, match=r"^parameter 'as_of' is '2999-01-01', but must be a day from"):
        parameters.scenario(page(as_of="2999-01-01"))


def test_the_page_takes_a_scenario_file_of_the_readers(root, tmp_path, monkeypatch):
    """From where the command is run, as a path that holds in the folder of the notebook, too."""
    declared = parameters.spec(root / "notebooks" / "decision.ipynb")
    (tmp_path / "mine.yml").write_text((scenario.FOLDER / "coding-agent.yml").read_text().replace("ttft_ms: ", "ttft_ms: 1"))
    monkeypatch.chdir(tmp_path)
    given = parameters.validate(declared, {"scenario": "mine.yml"})
    assert given == {"scenario": str(tmp_path / "mine.yml")}
    monkeypatch.chdir(root)
    mine, ours = parameters.scenario(page(**given)), parameters.scenario(page(scenario="coding-agent"))
    assert str(mine.ttft_ms) == f"1{ours.ttft_ms}" and mine.profile.equals(ours.profile)
    assert parameters.scenario(page(**given, isl=7)).isl == 7


def test_a_scenario_that_is_neither_name_nor_file_is_one_sentence(root, tmp_path):
    declared = parameters.spec(root / "notebooks" / "decision.ipynb")
    for wrong in ("chat-asistant", str(tmp_path / "none.yml"), str(tmp_path), "a" * 5000, ""):
        with pytest.raises(parameters.ParameterError, match=r"^parameter 'scenario' is .* but must be the name of a scenario, or "
                           r"the path of a scenario file that is there: batch-summariser, chat-assistant, coding-agent; see"):
            parameters.validate(declared, {"scenario": wrong})
    path = tmp_path / "mine.yml"
    path.write_text((scenario.FOLDER / "coding-agent.yml").read_text().replace("isl: ", "isl: -"))
    with pytest.raises(parameters.ParameterError, match=r"^scenario '.*mine\.yml': workload\.isl is -"):
        parameters.scenario(page(scenario=str(path)))
    with pytest.raises(parameters.ParameterError, match=r"^parameter 'isl' is -5"):
        parameters.scenario(page(scenario=str(path), isl=-5))


def test_the_files_of_a_scenario_are_those_that_it_reads(tmp_path):
    path = tmp_path / "mine.yml"
    (tmp_path / "hours.csv").write_text("hour,requests\n0,1\n")
    (tmp_path / "config.json").write_text("{}")
    text = "model: {}\ntraffic: {}\n"
    path.write_text(text.format("llama-3.1-8b", "{profile: flat}"))
    assert scenario.files(path) == [str(path)]
    path.write_text(text.format("config.json", "{file: hours.csv}"))
    assert scenario.files(path) == [str(path), str(tmp_path / "hours.csv"), str(tmp_path / "config.json")]


def test_every_field_that_the_page_may_change_is_declared_blank(root):
    from tokenecon.decision import montecarlo

    declared = parameters.spec(root / "notebooks" / "decision.ipynb")
    assert set(declared) == {"scenario", "draws", "seed", *scenario.PARAMETERS}
    assert all(declared[name].default is None for name in (*scenario.PARAMETERS, "seed"))
    assert declared["draws"].default == montecarlo.DRAWS


def test_a_blank_parameter_is_allowed_only_where_it_is_declared_so():
    declared = parameters.parse("a = None  # request/day: requests\nb = 2.0  # request/day: requests\nc = None  # gpus: which\n")
    assert parameters.validate(declared, {"a": None, "c": ""}) == {"a": None, "c": None}
    assert parameters.validate(declared, {"a": "7", "c": "l4,l40s-48gb"}) == {"a": 7.0, "c": "l4,l40s-48gb"}
    with pytest.raises(parameters.ParameterError, match="'b' is None"):
        parameters.validate(declared, {"b": None})
    with pytest.raises(parameters.ParameterError, match="'a' is -1"):
        parameters.validate(declared, {"a": -1})
