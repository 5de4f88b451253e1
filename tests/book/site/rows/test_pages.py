"""The pages of long tables: what is the same in all rows is said once, and the list of parts finds every row."""

import json
import re
from html import unescape

from tokenecon import data
from tokenecon_book.site import parts, tables
from tokenecon_book.site.rows import pages


def text(html):
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


def test_what_all_rows_have_in_common_is_said_once():
    frame = data.rows("measurements", {"source": "trtllm-perf-v0.17"})
    html = tables.table_html("measurements", frame, "../../")
    line = re.search(r'<p class="all-rows">(.*?)</p>', html, re.S)[1]
    assert text(line) == ("In every row: engine tensorrt-llm 0.17, workload offline_max, metric output_tok_s · measured · "
                          "2025-02-01 · trtllm-perf-v0.17")
    body = html.partition("<tbody>")[2]
    assert "offline_max" not in body and "sources.html" not in body and body.count("<tr ") == len(frame)


def test_numbers_of_one_cell_say_their_names():
    row = {"isl": 128, "osl": 2048, "concurrency": None, "workload": "closed_loop"}
    assert tables.cell_html(row, tuple(row), "measurements", "") == "isl 128, osl 2,048, closed_loop"


def test_a_prediction_stands_beside_what_was_measured():
    frame = data.table("held_out").head(1)
    row, = frame.to_dict("records")
    measured = data.row("measurements", row["id"])
    html = tables.table_html("held_out", frame, "../")
    assert f'href="../{parts.address("measurements", row["id"])}"' in html
    assert f"<strong>{tables.number(measured['value'])}</strong> <i>{tables.unit_words(measured['unit'])}</i>" in html


def test_the_page_of_a_split_table_lists_its_parts_and_stays_whole_otherwise():
    html = pages.written()["data/api_prices.md"]
    assert html.startswith("# What sellers ask for a token\n") and 'href="api_prices.csv"' in html and "## Columns" in html
    newest = data.table("api_prices")["last_seen"].max()
    listed = dict(re.findall(r'<tr data-part="([^"]+)">.*?<span>([\d,]+)</span>', html))
    days = sorted(set(data.table("api_prices")["last_seen"]), reverse=True)
    assert list(listed) == [f"data/api_prices/{day}" for day in days]
    rows = int(listed[f"data/api_prices/{newest}"].replace(",", ""))
    assert rows == (data.table("api_prices")["last_seen"] == newest).sum()


def test_what_the_list_knows_of_rows_is_what_the_pages_say(site):
    for name in ("prices", "held_out"):
        places = json.loads((site / pages.FOLDER / "data" / f"{name}.json").read_text(encoding="utf-8"))
        known = {row: page for page, one in places.items() for row in one["rows"]}
        assert known == {row: parts.address(name, row).partition(".html")[0] for row in data.ids(name)}
    one = places[known["m14007"]]["rows"]["m14007"]
    predicted, measured = data.row("held_out", "m14007"), data.row("measurements", "m14007")
    shown = [tables.number(row[column]) for row, column in ((predicted, "fitted"), (measured, "value"))]
    assert one.startswith(f"m14007{shown[0]}") and one.endswith(f"{shown[1]} output tokens per second")
