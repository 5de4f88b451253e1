"""The reader's own table of traffic: what is read, and which line of a broken file is named."""

import re
import time

import pandas as pd
import pytest

from tokenecon.importers.loads import files
from tokenecon.importers.loads.table import TrafficError


@pytest.fixture
def written(tmp_path):
    def write(content):
        path = tmp_path / "load.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize("content", [
    "hour,requests\n0,5\n1,7.5\n",
    "hour,requests\r\n41,5\r\n42,7.5\r\n\r\n",  # any first hour, empty lines at the end
    "\ufeffRequests , HOUR\n5,0\n7.5,1",
    'id,timestamp,requests\na,"2026-01-31 23:00","5"\nb,2026-02-01T00:00:00, 7.5 \n',
    "timestamp,requests\n2026-03-29T01:00+01:00,5\n2026-03-29T03:00+02:00,7.5\n",  # clocks go forward, the hour does not
    "hour;requests\n0;5\n1;7,5\n",  # as spreadsheets write it where a comma stands before decimals
    "Time\tRequests\n1767222000\t5\n1767225600\t7.5\n",  # seconds since 1970
    "timestamp|requests\n1767222000000|5\n1767225600000|7,5\n",  # milliseconds
    "timestamp,requests\n2026-01-01T00:00,2\n2026-01-01T00:30,3\n2026-01-01T01:00,3.5\n2026-01-01T01:30,4\n",  # half hours
    "timestamp,requests,model\n2026-01-01T00:00,2,a\n2026-01-01T00:00,3,b\n2026-01-01T01:00,7.5,a\n",  # a row a model
])
def test_good_files_read_the_same(written, content):
    load = files.read(written(content))
    assert load.hours.to_dict("list") == {"hour": [0, 1], "requests_per_h": [5.0, 7.5]}
    assert load.gaps == [] and load.requests_per_day == 150.0 and load.peak_to_mean == 1.2  # 6.25 an hour; 7.5 / 6.25


@pytest.mark.parametrize(("content", "message"), [
    ("", "is empty, or begins with an empty line"),
    ("\n0,1\n", "is empty, or begins with an empty line"),
    ("hour,requests\n", "has a header and no row"),
    ("hour,requests\n\n\n", "has a header and no row"),
    ("0,1\n1,2\n", "line 1: the header must name 'hour'"),
    ("hour,load\n0,1\n", "it names 'hour', 'load'"),
    ("hour,requests,requests\n0,1,1\n", "line 1: names the column 'requests' twice"),
    ("hour,requests\n0,1\n1,-2\n", "line 3: 'requests' is -2, below 0"),
    ("hour,requests\n0,1\n1,many\n", "line 3: 'requests' is 'many', not a number"),
    ("hour,requests\n0,1\n1\n", "line 3: 'requests' is empty, not a number"),
    ("hour,requests\n0,1\n\n1,3\n", "line 3: 'hour' is empty, not a number"),
    ("hour,requests\n0,inf\n", "line 2: 'requests' is 'inf', not a number"),
    ("hour,requests\n0,nan\n", "line 2: 'requests' is 'nan', not a number"),
    ("hour,requests\n0.5,1\n", "line 2: 'hour' is 0.5, not a whole number"),
    ("hour,requests\n0,1\n1,1,234\n", "line 3: has 3 fields, the header names 2"),
    ("hour,requests\n0,1,234\n1,2,345\n", "line 2: has 3 fields, the header names 2"),
    ("hour,requests\n0,1\n1,2,3,4\n", "line 3: has 4 fields, the header names 2"),
    ("hour,requests\n0,1\n0,1\n", "line 3: hour 0 follows 0"),
    ("hour,requests\n1,1\n0,1\n", "line 3: hour 0 follows 1"),
    ("timestamp,requests\nlast week,1\n2026-01-01T00:00,1\n", "line 2: 'timestamp' is 'last week', not a moment"),
    ("timestamp,requests\n2026-01-01T00:00,1\n", "has one step only"),
    ("hour,requests\n0,0\n1,0\n", "no hour of the 2 has a request"),
    ("timestamp,requests\n2026-01-01T00:00,1\n1926-01-01T00:00,1\n", "one of the times is wrong"),
    (b"hour,requests\n0,1\n1,2\xff\n", "line 3: is not text in UTF-8"),
    (b"PK\x03\x04\x00\x00", "line 1: is not text in UTF-8"),
    ('{"timestamp": 1, "input_length": 5}\n[1]\n', "line 2: is no object of JSON"),
    ('{"a": 1}\n{"a": 2}\n', "line 1: the fields must name"),
    ('{"data": 1}', "is JSON of no known kind"),
    ('{"data": [], "has_more": true}', "one page of several"),
])
def test_a_broken_file_is_refused_in_one_sentence(written, content, message):
    path = written(content)
    with pytest.raises(TrafficError) as error:
        hours = files.read(path)
        assert not hours
    text = str(error.value)
    assert text.startswith(str(path)) and message in text and "\n" not in text


def test_a_file_that_is_not_there_is_refused(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(TrafficError, match="cannot be read"):
            files.read(path)


@pytest.mark.parametrize("broken", ["345678,12x", "345678,-1", "345678,1,2", "345678,"])
def test_one_broken_line_in_ten_megabytes_is_named_at_once(written, broken):
    lines = ["hour,requests", *(f"{hour},{hour % 997}.25" for hour in range(800_000))]
    lines[345_679] = broken  # hour 345,678 stands in line 345,680: the header is line 1, hour 0 line 2
    path = written("\n".join(lines))
    assert path.stat().st_size > 10e6
    start = time.process_time()
    with pytest.raises(TrafficError, match=r", line 345680: "):
        files.read(path)
    assert time.process_time() - start < 2.0


def test_quotes_and_line_ends_do_not_move_the_line(written):
    moments = pd.date_range("2026-01-01", periods=5, freq="h").strftime("%Y-%m-%d %H:%M")
    lines = ["timestamp,requests", *(f'"{moment}","3"' for moment in moments)]
    lines[4] = '"2026-01-01 03:00","three"'
    with pytest.raises(TrafficError, match=re.escape("line 5: 'requests' is '\"three\"', not a number")):
        files.read(written("\r\n".join(lines)))
