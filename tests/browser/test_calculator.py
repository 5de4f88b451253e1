"""The calculator in a browser: by hand, by keyboard, by link, with the engine blocked, and what no address may do."""

import re
import struct

import pytest
from calculator.cases import CASES, text

from tokenecon import numbers
from tokenecon.decision import options, scenario

pytestmark = pytest.mark.browser

H100 = "h100-sxm-80gb"
ENGINEER = {"gpus": H100, "n_gpus": "4", "isl": "3000", "osl": "1000"}
DONE = "() => { const one = document.querySelector('[data-calculator]'); return one.dataset.answered && !one.dataset.busy }"


def link(given):
    return "calculator.html?" + "&".join(f"{name}={value}" for name, value in given.items())


def answered(page):
    """Wait for the engine, and give the cells of all choices by name."""
    page.wait_for_function(DONE, seconds=60)
    rows = page.evaluate("() => [...document.querySelectorAll('.calc-all tbody tr')].map((row) => [...row.cells].map("
                         "(cell) => [...cell.childNodes].map((node) => node.textContent)))")
    return {row[0][0]: row for row in rows}


def months(table):
    return {row["name"]: numbers.number(row["usd_per_month"], "USD/month") for _, row in options.feasible(table).iterrows()}


def test_an_engineer_reopens_a_link_and_reads_the_numbers_of_the_command(look):
    table = options.offers(scenario.overridden("chat-assistant", ENGINEER)).table
    with look() as watched:
        page = watched.open(link(ENGINEER))
        found = answered(page)
        assert {name: row[1][0] for name, row in found.items()} == months(table)
        assert page.locator("#calc-n_gpus").input_value() == "4" and page.locator("#calc-isl").input_value() == "3000"
        page.reload()
        assert answered(page) == found
        page.locator("[data-do=command]").click()
        page.wait_for_function("() => document.querySelector('[data-calc=copied]').textContent !== ''")
        assert "tokenecon cost chat-assistant -p isl 3000 -p osl 1000 -p gpus h100-sxm-80gb -p n_gpus 4" in (
            page.locator("[data-calc=copied]").inner_text())
        assert not watched.complaints


def test_a_finance_lead_taps_twice_on_a_phone(look):
    table = options.offers(scenario.overridden("chat-assistant", {"requests_per_day": "500000"})).table
    with look(width=390, height=844) as watched:
        page = watched.open("index.html")
        field = page.locator("#calc-requests_per_day")
        field.click()  # the first tap; the number is typed
        field.fill("500000")
        page.wait_for_function("() => document.querySelector('.calc-status').textContent.includes('500,000 requests')",
                               seconds=60)
        page.wait_for_function(DONE, seconds=60)
        said = page.locator(".calc-bar-month").all_inner_texts()
        assert said[0] == months(table)["API"] and len(said) >= 3
        assert page.locator("[data-calc=open]").get_attribute("href") == "calculator.html?requests_per_day=500000"
        page.locator("[data-calc=open]").click()  # the second
        assert months(table)["API"] in [row[1][0] for row in answered(page).values()]
        assert page.locator(".calc-sentence").bounding_box()["y"] < 2 * 844, "the answer begins within two screens"
        assert not watched.complaints


def test_the_base_case_stands_there_before_anything_loads(look):
    base = months(options.offers(scenario.load("chat-assistant")).table)
    with look(script=False) as watched:
        page = watched.open("calculator.html")
        assert page.locator(".calc-bar-month").first.inner_text() == base["API"]
        assert page.locator(".calc-all tbody th").all_text_contents() == list(base)
    with look() as watched:
        watched.page.route("**/micropython.wasm", lambda route: route.abort())
        page = watched.open(link({"isl": "3000"}))
        page.wait_for_selector("[data-calculator][data-blocked]", timeout=30_000)
        assert "could not be loaded" in page.locator(".calc-status").inner_text()
        assert page.locator(".calc-bar-month").first.inner_text() == base["API"]


def test_by_keyboard_a_wrong_value_is_told_and_the_last_good_result_stays(look):
    with look(width=320) as watched:
        page = watched.open(link({"gpus": H100}))
        before = answered(page)
        page.locator("#calc-isl").focus()
        page.keyboard.press("Control+A")
        page.keyboard.type("-5")
        page.keyboard.press("Enter")
        page.wait_for_selector("[data-wrong=isl]:not([hidden])")
        assert "must be a number from 1 to 1e8" in page.locator("[data-wrong=isl]").inner_text()
        assert page.locator("#calc-isl").get_attribute("aria-invalid") == "true"
        assert page.locator("[data-calculator][data-stale]").count() == 1
        page.keyboard.press("Control+A")
        page.keyboard.type("2000")
        page.keyboard.press("Enter")
        page.wait_for_function("() => document.querySelector('.calc-status').textContent.includes('2,000')", seconds=30)
        assert answered(page) != before and page.locator("[data-stale]").count() == 0
        page.go_back()
        page.go_back()
        page.wait_for_function("() => document.querySelector('.calc-status').textContent.includes('1,155')", seconds=30)
        assert answered(page) == before
        page.evaluate("() => document.querySelectorAll('.calculator details').forEach((one) => { one.open = true })")
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 320
        small = page.evaluate("() => [...document.querySelectorAll('.calculator :is(input, select, button, summary)')].filter("
                              "(one) => one.checkVisibility() && one.getBoundingClientRect().height < 24).length")
        assert small == 0
        assert not watched.complaints


def test_an_address_is_text_and_what_it_may_not_say_is_replaced(look):
    payload = "<img src=x onerror=document.title='run'>"
    with look() as watched:
        page = watched.open(link({"model": payload, payload: "1", "isl": "7", "osl": "1e400", "gpus": H100}))
        answered(page)
        told = page.locator("[data-calc=address]").inner_text()
        assert told.count("It was replaced") == 3 and payload in told
        assert page.title() != "run" and page.locator(".calculator img").count() == 0
        assert page.evaluate("location.search") == f"?isl=7&gpus={H100}"
        assert not watched.complaints


def test_two_cases_stand_side_by_side_by_link(look):
    with look() as watched:
        page = watched.open(link({"gpus": H100, "2.gpus": "mi300x-192gb"}))
        page.wait_for_function("() => document.querySelectorAll('.calc-beside tbody tr').length > 3 && "
                               "!document.querySelector('.calc-beside').textContent.includes('…')", seconds=60)
        rows = [row.inner_text() for row in page.locator(".calc-beside tbody tr").all()]
        assert "H100 SXM" in rows[0] and "MI300X" in rows[0], "differences come first"
        assert re.search(r"\$[\d,]+ – \$[\d,]+", rows[1])
        page.locator("[data-do=compare]").click()
        assert "3.gpus" in page.evaluate("location.search")
        assert not watched.complaints


def test_twenty_addresses_print_what_the_command_prints(look):
    known = {name: months(options.offers(scenario.overridden("chat-assistant", text(given))).table)
             for name, given in CASES.items()}
    with look() as watched:
        page = watched.open("calculator.html")
        page.locator("#calc-isl").focus()
        for name, given in CASES.items():
            before = page.evaluate("() => Number(document.querySelector('[data-calculator]').dataset.answered || 0)")
            page.evaluate("(address) => { history.pushState(null, '', address); dispatchEvent(new PopStateEvent('popstate')) }",
                          link(text(given)))
            page.wait_for_function(f"() => Number(document.querySelector('[data-calculator]').dataset.answered || 0) > {before}")
            assert {row: cells[1][0] for row, cells in answered(page).items()} == known[name], name
        assert not watched.complaints


def test_a_scenario_file_is_read_as_text_and_what_it_may_not_say_is_named(look, tmp_path):
    scenario_file = tmp_path / "case.yml"
    scenario_file.write_text(f"gpus: [{H100}]\nworkload:\n  isl: 3000\n  osl: -1\n<img src=x onerror=alert(1)>: 2\nyears: 4\n")
    with look() as watched:
        page = watched.open("calculator.html")
        page.locator("[data-calc=file]").set_input_files(scenario_file)
        page.wait_for_function("() => location.search.includes('isl=3000')")
        answered(page)
        page.wait_for_function("() => document.querySelectorAll('[data-calc=address] p').length === 3")
        told = page.locator("[data-calc=address]").inner_text()
        assert "osl is '-1'" in told and "'years' is no parameter" in told and "<img src=x" in told
        assert page.locator(".calculator img").count() == 0
        assert page.evaluate("location.search") == f"?gpus={H100}&isl=3000"
        with page.expect_download() as picture:
            page.locator("[data-do=picture]").click()
        drawn = picture.value.path().read_text(encoding="utf-8")
        assert drawn.startswith("<svg") and "3,000 → 211.1 tokens" in drawn and f"gpus={H100}" in drawn.replace("&amp;", "&")
        page.wait_for_function("() => document.querySelectorAll('.calc-moves tbody tr').length === 3")
        assert page.locator(".calc-volume").inner_text().startswith("Above about ")
        assert not watched.complaints


HELD = """(text) => {
  const held = new DataTransfer();
  held.items.add(new File([text], "case.yml", { type: "text/yaml" }));
  return held;
}"""
TOLD = "[...document.querySelectorAll('[data-calc=address] p')].map((one) => one.textContent)"


def dropped(page, text, where="[data-calculator]"):
    """Drop a file with a text, as a hand does: over the place first, then let go."""
    held = page.evaluate_handle(HELD, text)
    for name in ("dragenter", "dragover", "drop"):
        page.dispatch_event(where, name, {"dataTransfer": held})


def test_a_file_can_be_dropped_and_a_hostile_one_is_named_and_never_run(look):
    payload = "<img src=x onerror=document.title='run'>"
    with look() as watched:
        page = watched.open(link({"gpus": H100, "isl": "2500"}))
        first = answered(page)
        address = page.evaluate("location.search")
        dropped(page, f"{payload}: 1\n{payload}\n" + "nonsense\n" * 50)
        page.wait_for_function(f"() => {TOLD}.length > 3")
        told = page.evaluate(TOLD)
        assert told[0].startswith(f"line 1, '{payload}") and told[-1] == "No parameter of this page stands in the file."
        assert len(told) < 15, "a long list of faults is cut, and says so"
        assert any("more" in one for one in told)
        assert page.evaluate("location.search") == address and answered(page) == first, "nothing is lost"
        # a good file beside the form, then one whose values are wrong
        dropped(page, f"model: llama-3.3-70b\ngpus: [{H100}]\nworkload:\n  isl: 3000\n", where="footer")
        page.wait_for_function("() => document.querySelector('.calc-status').textContent.includes('3,000 → 211.1 tokens')")
        second = answered(page)
        assert second != first and page.evaluate(TOLD) == []
        dropped(page, f"model: {payload}\ngpus: [{H100}, {payload}]\nworkload:\n  isl: 3000\n  osl: 1e400\n"
                      "money:\n  as_of: 2031-01-01\n")
        page.wait_for_function(f"() => {TOLD}.length === 4")
        told = page.evaluate(TOLD)
        assert all(one.endswith("It was replaced.") for one in told)
        assert {one.partition(" ")[0] for one in told} == {"model", "gpus", "osl", "as_of"}
        assert any(payload in one for one in told)
        assert page.evaluate("location.search") == "?isl=3000"
        assert page.locator("#calc-gpus").input_value() != f"{H100},{payload}"
        assert page.title() != "run" and page.locator(".calculator img").count() == 0
        page.go_back()
        page.wait_for_function(f"() => location.search === '?gpus={H100}&isl=3000'")
        assert answered(page) == second, "one step back brings the case from before the file"
        assert not watched.complaints


def test_an_earlier_day_gives_the_numbers_of_the_command_for_it(look):
    with look() as watched:
        page = watched.open(link({"gpus": H100, "as_of": "1999-01-01"}))
        answered(page)
        assert "as_of is '1999-01-01', but must be one of those in the list. It was replaced." in page.evaluate(TOLD)
        days = page.locator("#calc-as_of option").evaluate_all("(all) => all.map((one) => one.value)")
        assert len(days) > 2 and days == sorted(days, reverse=True)
        asked = []
        page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
        page.locator("#calc-as_of").select_option(days[2])
        page.wait_for_function(f"() => document.querySelector('.calc-status').textContent.includes('prices known on {days[2]}')")
        found = answered(page)
        prices = [name for name in asked if name.startswith("prices")]
        assert prices == [f"prices-{days[2]}.json"], "prices of a day come when they are asked for"
        given = {"gpus": H100, "as_of": days[2]}
        assert {name: row[1][0] for name, row in found.items()} == months(
            options.offers(scenario.overridden("chat-assistant", given)).table)
        page.locator("[data-do=command]").click()
        page.wait_for_function("() => document.querySelector('[data-calc=copied]').textContent !== ''")
        assert f"-p as_of {days[2]}" in page.locator("[data-calc=copied]").inner_text()
        assert not watched.complaints


PIXELS = """async (bytes) => {
  const image = await createImageBitmap(new Blob([new Uint8Array(bytes)], { type: "image/png" }));
  const canvas = new OffscreenCanvas(image.width, image.height);
  const drawn = canvas.getContext("2d");
  drawn.drawImage(image, 0, 0);
  const colours = new Map(), all = drawn.getImageData(0, 0, image.width, image.height).data;
  for (let at = 0; at < all.length; at += 4) {
    const one = [...all.slice(at, at + 4)].join();
    colours.set(one, (colours.get(one) || 0) + 1);
  }
  return Object.fromEntries([...colours].filter(([, count]) => count > 500));
}"""


def test_the_picture_is_had_as_svg_and_as_png(look):
    with look() as watched:
        page = watched.open(link(ENGINEER))
        answered(page)
        with page.expect_download() as picture:
            page.locator("[data-do=picture]").click()
        drawn = picture.value.path().read_text(encoding="utf-8")
        wide, high = map(int, re.search(r'width="(\d+)" height="(\d+)"', drawn).groups())
        with page.expect_download() as picture:
            page.locator("[data-do=png]").click()
        assert picture.value.suggested_filename == "calculator.png"
        raster = picture.value.path().read_bytes()
        assert raster[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", raster[16:24]) == (2 * wide, 2 * high)
        found = page.evaluate(PIXELS, list(raster))
        white, green = found["255,255,255,255"], found["28,124,74,255"]  # the ground, and the bar of the API: #1c7c4a
        assert white > green > 1000 and len(found) > 4, "text and bars stand on it"
        assert not watched.complaints


@pytest.mark.parametrize("name", ["decision", "hardware", "economics"])
def test_a_chapter_asks_for_the_readers_own_case(look, name):
    with look(width=390, script=False) as watched:
        page = watched.open(f"{name}.html")
        assert page.locator("[data-calculator=panel] .calc-bar").count() >= 3
        assert page.locator("[data-calc=open]").get_attribute("href") == "calculator.html"
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
