"""How numbers are written; expected texts are what an editor would write by hand."""

import math

import pytest

from tokenecon.numbers import number, span


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        (0.4171, "USD/Mtok_out", "$0.42"),
        (12.5, "USD/GPU/h", "$12.50"),
        (30149.0, "USD/GPU", "$30,149"),
        (2_450_000.0, "USD/yr", "$2.45 million"),
        (0.0312, "USD/Mtok_out", "$0.031"),
        (0.00000042, "USD/tok", "$4.2 × 10⁻⁷"),
        (0.0, "USD", "$0"),
        (-3.2, "USD", "−$3.20"),
        (0.104, "fraction", "10.4%"),
        (0.62, "fraction", "62%"),
        (1.0, "fraction", "100%"),
        (0.9995, "fraction", "99.95%"),
        (0.00125, "fraction", "0.125%"),
        (3.0, "ratio", "3×"),
        (2.347, "ratio", "2.35×"),
        (41213.4, "tok_out/s", "41,213"),
        (70e9, "param", "70 billion"),
        (999_800.0, "tok", "1 million"),
        (0.000021, "s", "2.1 × 10⁻⁵"),
        (141.0, "GB", "141"),
        (3.35, "TB/s", "3.35"),
        (543_271.3, "request/day", "543,000"),  # found by bisection: no more is known of it
        (1_188_041.2, "request/day", "1.19 million"),
        (999_799.6, "request/day", "1 million"),
        (96.44, "request/day", "96.4"),
        (477_812.0, "request/day", "477,812"),  # given or counted
        (20251208.0, "date", "20251208"),
        (math.nan, "USD", "–"),
        (None, None, "–"),
    ],
)
def test_number(value, unit, written):
    assert number(value, unit) == written


def test_bare_leaves_the_sign_to_the_head_of_the_column():
    assert number(0.4171, "USD/Mtok_out", bare=True) == "0.42"
    assert number(0.62, "fraction", bare=True) == "62"


def test_form_wins():
    assert number(1234.5678, "ms", form=",.1f") == "1,234.6"


def test_span_is_one_number_when_both_ends_read_the_same():
    assert span(0.31, 0.92, "USD/Mtok_out") == "$0.31 – $0.92"
    assert span(0.3101, 0.3102, "USD/Mtok_out") == "$0.31"
