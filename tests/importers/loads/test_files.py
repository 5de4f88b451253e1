"""Nine kinds of load file that people have: hours, lengths, cached share and peaks worked out by hand; gaps named and filled."""

import json
import re

import numpy as np
import pytest

from tokenecon.importers.loads import files, hours
from tokenecon.importers.loads.table import TrafficError

DAY = 86_400
JANUARY = 1_767_225_600  # 2026-01-01T00:00Z


@pytest.fixture
def read(tmp_path):
    def read(content, gaps=None):
        path = tmp_path / "load"
        path.write_text(content, encoding="utf-8")
        return files.read(path, gaps)

    return read


def requests(load):
    return load.hours["requests_per_h"].tolist()


def test_a_row_a_request_as_azure_writes_it(read):
    """Four hours with 60, 120, 60 and 60 requests of 1,000 and 100 tokens or 3,000 and 300 in turn: means 2,000 and 200."""
    lines = ["TIMESTAMP,ContextTokens,GeneratedTokens"]
    for hour, count in enumerate((60, 120, 60, 60)):
        lines += [f"2023-11-16 {18 + hour}:{place * 60 // count:02d}:{place * 3600 // count % 60:02d}.6805900,"
                  f"{(1000, 3000)[place % 2]},{(100, 300)[place % 2]}" for place in range(count)]
    load = read("\n".join(lines) + "\n")
    assert load.kind == "a row a request, Azure layout" and load.start == "2023-11-16T18:00"
    assert requests(load)[:3] == pytest.approx([60, 120, 60], rel=0.02) and (load.isl, load.osl) == (2000, 200)
    assert load.cached_prefix is None and load.peak_to_mean == pytest.approx(120 / 75, rel=0.02)


def test_a_row_a_request_as_burstgpt_writes_it(read):
    """Seconds since the first; an answer of no tokens is a failed request and is left out."""
    lines = ["Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type"]
    lines += [f"{second},ChatGPT,400,100,500,Conversation log" for second in range(0, 3 * 3600, 30)]
    lines += [f"{3 * 3600},GPT-4,900,0,900,API log", f"{3 * 3600},GPT-4,400,100,500,API log"]
    load = read("\n".join(lines) + "\n")
    assert load.kind == "a row a request, BurstGPT layout" and load.start is None
    assert requests(load) == [120, 120, 120] and (load.isl, load.osl) == (400, 100)
    assert "1 requests without an answer left out" in load.notes


def test_a_line_a_request_as_mooncake_writes_it(read):
    """Prompts of 1,536 tokens in three blocks of 512, of which the second finds two and the third all three again.

    Milliseconds since the first; 2 of 9 and 3 of 9 blocks: 5/9 of the input tokens.
    """
    lines = [json.dumps({"timestamp": at, "input_length": 1536, "output_length": 30, "hash_ids": blocks})
             for at, blocks in ((0, [1, 2, 3]), (1_200_000, [1, 2, 4]), (2_400_000, [1, 2, 4]))]
    load = read("\n".join(lines))
    assert load.kind == "a row a request, Mooncake layout" and (load.isl, load.osl) == (1536, 30)
    assert load.cached_prefix == pytest.approx(5 / 9)
    # three requests from minute 0 to minute 40: 4.5 an hour
    assert requests(load) == [4.5] and "no profile of a day" in load.notes[-1]


def test_blocks_are_found_in_the_order_of_arrival(read):
    """The later line came first, so it finds nothing; a block behind one that is missing is not found."""
    lines = [json.dumps({"timestamp": at, "input_length": 1024, "output_length": 9, "hash_ids": blocks})
             for at, blocks in ((60_000, [1, 2]), (0, [1, 2]), (90_000, [9, 2]))]
    assert read("\n".join(lines)).cached_prefix == pytest.approx(2 / 6)


def test_json_lines_of_requests_with_tokens_from_a_cache(read):
    lines = [json.dumps({"created_at": f"2026-01-0{1 + hour // 24}T{hour % 24:02d}:15:00+02:00", "prompt_tokens": 800,
                         "completion_tokens": 50, "cached_tokens": 200, "text": "SECRET"}) for hour in range(30)]
    load = read("\n".join(lines))
    assert load.start == "2025-12-31T22:00" and load.cached_prefix == 0.25 and (load.isl, load.osl) == (800, 50)
    assert load.requests_per_day == pytest.approx(24, rel=0.05) and "SECRET" not in str(vars(load))


def test_a_range_export_of_prometheus_of_counters(read):
    """Samples every 15 minutes: 100 requests in each, 50,000 prompt and 20,000 generated tokens; one restart of the server."""
    def series(name, each, restart=None):
        value, values = 7.0, []
        for place in range(13):
            values.append([JANUARY + place * 900, str(value)])
            value = each if place == restart else value + each
        return {"metric": {"__name__": name, "model_name": "x"}, "values": values}

    tree = {"status": "success", "data": {"resultType": "matrix", "result": [
        series("vllm:request_success_total", 100.0, restart=5), series("vllm:prompt_tokens_total", 5e4),
        series("vllm:generation_tokens_total", 2e4)]}}
    load = read(json.dumps(tree))
    assert load.kind == "a range export of Prometheus" and requests(load) == [400, 400, 400]
    assert (load.isl, load.osl) == (500, 200) and load.start == "2026-01-01T00:00"


def test_a_range_export_of_prometheus_of_rates(read):
    """`sum(rate(...))` every 5 minutes has no name: 2 requests a second in one hour, 4 in the next, of two series 1.5 times."""
    values = [[JANUARY + place * 300, str(2.0 if place < 12 else 4.0)] for place in range(24)]
    half = [[time, str(float(value) / 2)] for time, value in values]
    tree = {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": values},
                                                                              {"metric": {}, "values": half}]}}
    load = read(json.dumps(tree))
    assert requests(load) == pytest.approx([3 * 3600, 6 * 3600]) and load.burst == pytest.approx(1.0)


def test_a_providers_usage_by_the_bucket(read):
    """Input counts what was cached; a bucket without results had no request."""
    buckets = [{"object": "bucket", "start_time": JANUARY + hour * 3600, "end_time": JANUARY + (hour + 1) * 3600, "results": [
        {"object": "organization.usage.completions.result", "input_tokens": 100_000, "output_tokens": 20_000,
         "input_cached_tokens": 40_000, "num_model_requests": 50, "model": model} for model in ("a", "b")] if hour != 1 else []}
        for hour in range(4)]
    load = read(json.dumps({"object": "page", "data": buckets, "has_more": False}))
    assert requests(load) == [100, 0, 100, 100] and (load.isl, load.osl, load.cached_prefix) == (2000, 400, 0.4)
    table = "start_time,end_time,num_model_requests,input_tokens,output_tokens,input_cached_tokens\n" + "".join(
        f"{JANUARY + day * DAY},{JANUARY + (day + 1) * DAY},{240 * (day + 1)},1000,500,0\n" for day in range(2))
    load = read(table)
    assert requests(load) == [10] * 24 + [20] * 24 and "peaks inside them are not known" in load.notes[0]
    with pytest.raises(TrafficError, match="an export of tokens alone does not say how many requests"):
        read(json.dumps({"data": [{"starting_at": "2026-01-01T00:00:00Z", "ending_at": "2026-01-01T01:00:00Z", "results": [
            {"uncached_input_tokens": 5, "cache_read_input_tokens": 3, "output_tokens": 2}]}]}))


def test_a_rate_is_no_count(read):
    """2 and 4 requests a second in half hours: 2 * 1,800 + 4 * 1,800 = 10,800 in the hour; a column `Value` may be either."""
    assert requests(read("time,rps\n1767225600,2\n1767227400,4\n")) == [10_800]
    with pytest.raises(TrafficError, match="the header must name"):
        read("Time,Value\n1767225600,2\n1767227400,4\n")


def test_steps_that_do_not_meet_the_hour_are_split(read):
    """Steps of 40 minutes from 00:00 with 40, 80, 120 requests: 40 and half of 80 in the first hour, the rest in the second."""
    rows = "".join(f"2026-01-01T0{minute // 60}:{minute % 60:02d}:00Z;{count}\n"
                   for minute, count in ((0, 40), (40, 80), (80, 120)))
    assert requests(read("timestamp;requests\n" + rows)) == pytest.approx([80, 160])


GAPPED = "hour;requests\n" + "".join(f"{hour};{10 + hour % 24}\n" for hour in range(72) if hour not in (30, 31, 32, 60))


def test_gaps_are_named_and_filled_only_on_request(read, tmp_path):
    load = read(GAPPED)
    assert load.gaps == ["3 h from hour 30", "1 h from hour 60"] and np.isnan(requests(load)[30])
    with pytest.raises(TrafficError, match=re.escape("lacks 3 h from hour 30, 1 h from hour 60; say with gaps how to fill them")):
        hours.refuse_gaps("load", load, None)
    assert requests(read(GAPPED, "zero"))[30:33] == [0, 0, 0]
    filled = read(GAPPED, "same_hour")
    assert requests(filled)[30:33] == [16, 17, 18] and "4 hours filled (same_hour)" in filled.notes  # 10 + 30 % 24 on other days
    with pytest.raises(TrafficError, match="gaps is 'guess', but must be one of zero, same_hour"):
        read(GAPPED, "guess")
    hours.write(filled, tmp_path / "out.csv")
    assert requests(files.read(tmp_path / "out.csv")) == requests(filled)


def test_an_hour_without_a_request_among_many_is_a_gap(read):
    lines = ["timestamp,input_tokens,output_tokens"]
    lines += [f"{JANUARY + second},100,10" for second in range(0, 6 * 3600, 60) if not 7200 <= second < 10_800]
    load = read("\n".join(lines))
    assert load.gaps == ["1 h from 2026-01-01T02:00"]


def test_the_busiest_ten_minutes(read):
    """120 requests an hour, in the second hour all of them in one ten minutes: six times the hour's rate."""
    times = [place * 30 for place in range(120)] + [3600 + 600 + place * 5 for place in range(120)] + [7200 + place * 30
                                                                                                      for place in range(121)]
    load = read("timestamp,input_tokens\n" + "".join(f"{JANUARY + time},100\n" for time in times))
    assert load.burst == pytest.approx(6.0, rel=0.02)
    assert dict(hours.said(load))["answer tokens, mean (osl)"] == "not stated"


def test_the_command_shows_what_a_scenario_takes(command, tmp_path):
    path = tmp_path / "load.csv"
    path.write_text(GAPPED, encoding="utf-8")
    code, out, _ = command("traffic", path)
    assert code == 0 and "gap\t3 h from hour 30" in out and "busiest hour over the mean" in out
    code, _, err = command("traffic", path, "-o", tmp_path / "hours.csv")
    assert code == 2 and "say with gaps" in err and not (tmp_path / "hours.csv").exists()
    code, out, _ = command("traffic", path, "--gaps", "zero", "-o", tmp_path / "hours.csv", "--json")
    assert code == 0 and len(json.loads(out)["hours"]) == 72 and (tmp_path / "hours.csv").read_text().count("\n") == 73
