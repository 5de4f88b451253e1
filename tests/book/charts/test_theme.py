"""Colours that everybody can tell apart on both grounds, and units in words."""

import itertools
import math

import pytest

from tokenecon import units
from tokenecon_book.charts import theme


def linear(colour):
    """Linear-light red, green, blue of a hex colour (sRGB, IEC 61966-2-1)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]


def contrast(one, other):
    """Contrast ratio of WCAG 2."""
    lights = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in map(linear, (one, other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def test_contrast_of_known_pairs():
    # black on white is 21:1 by definition; #767676 is the lightest grey that reaches 4.5:1 on white
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("ground", theme.GROUNDS.values())
@pytest.mark.parametrize("colour", (*theme.PALETTE, *theme.OTHERS, *theme.SECOND.values()))
def test_series_stand_out_on_both_grounds(colour, ground):
    assert contrast(colour, ground) >= 3


@pytest.mark.parametrize("colour", [theme.INK, theme.MUTED])
def test_text_is_readable(colour):
    assert contrast(colour, theme.GROUND) >= 4.5


# Dichromacy, severity 1.0, in linear RGB (Machado, Oliveira and Fernandes 2009, table 1).
DICHROMACY = {
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}


def lab(colour, matrix):
    """CIE L*a*b* of a colour as a dichromat sees it."""
    seen = [min(1, max(0, sum(m * c for m, c in zip(row, linear(colour), strict=True)))) for row in matrix]
    xyz = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    white = (0.95047, 1.0, 1.08883)
    parts = [sum(m * c for m, c in zip(row, seen, strict=True)) / w for row, w in zip(xyz, white, strict=True)]
    x, y, z = (p ** (1 / 3) if p > 0.008856 else 7.787 * p + 16 / 116 for p in parts)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("palette", [theme.PALETTE, theme.OTHERS])
@pytest.mark.parametrize("sight", DICHROMACY)
def test_series_are_told_apart(sight, palette):
    # a difference of 2.3 is just noticeable side by side; lines apart on a page need several times that
    seen = {colour: lab(colour, DICHROMACY[sight]) for colour in palette}
    for one, other in itertools.combinations(palette, 2):
        assert math.dist(seen[one], seen[other]) > 10, (one, other)


# names that charts of the book have used, and the thing that each of them says
@pytest.mark.parametrize(("colour", "names"), [
    (theme.OWN, ["own", "own: B200 SXM (HGX)", "owned machines", "Owned, large cloud"]),
    (theme.RENT, ["rent by the hour", "on demand: MI300X", "marketplace: H200 SXM", "machines rented by the hour",
                  "Spot, list price", "neocloud", "hyperscaler", "95% of the time", "rented A100 80GB SXM", "by the second"]),
    (theme.API, ["API", "API: cheapest seller", "sold by the token", "list prices", "Tokens of the API"]),
    (theme.COMMITTED, ["commitment", "3-month reservation: H200 SXM", "three-month contract", "one-year contract",
                       "Reserved for 3 months",
                       "three over one", "57% off, rents falling"]),
    (theme.CLAIMED, ["documents", "documents: an API", "textbook", "FP8, textbook"]),
    (None, ["calibrated", "weights", "answers", "ownership", "INT4", "large model"]),
])  # fmt: skip
def test_one_thing_has_one_colour(colour, names):
    assert [theme.thing(name) for name in names] == [colour] * len(names)


def test_things_keep_their_colours_among_others():
    found = theme.hues(["arithmetic", "own", "links", "API"])
    assert found == [theme.OTHERS[0], theme.OWN, theme.OTHERS[1], theme.API]
    assert theme.hues(["spot", "own", "on demand", "marketplace"]) == [
        theme.RENT, theme.OWN, theme.SECOND[theme.RENT], theme.RENT]
    assert theme.hues(["calibrated", "textbook"]) == [theme.OTHERS[1], theme.CLAIMED]  # slate is too near grey
    assert len(set(theme.hues(list("abcdef")))) == 6
    with pytest.raises(ValueError, match=r"7 values .* at most 6 of them apart"):
        theme.hues(list("abcdefg"))


def test_page_colours_are_no_series_colours():
    used = {colour.lower() for colour in (*theme.PALETTE, *theme.OTHERS, *theme.SEQUENTIAL)}
    assert not used & {colour.lower() for colour in theme.TOKENS.values()}
    assert len(set(theme.TOKENS.values())) == len(theme.TOKENS)


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ("USD/Mtok_out", "USD per million output tokens"),
        ("tok_out/s", "output tokens per second"),
        ("USD/GPU/h", "USD per GPU and hour"),
        ("request/s", "requests per second"),
        ("TB/s", "TB per second"),
        ("1/s", "per second"),
        ("ms", "ms"),
        ("sequence", "sequences"),
        ("GPU", "GPUs"),
        ("fraction", "%"),
    ],
)
def test_unit_words(unit, words):
    assert theme.unit_words(unit) == words


def test_every_unit_has_words_without_underscores():
    for unit in units.UNITS:
        assert "_" not in theme.unit_words(unit), unit


def test_unknown_unit_is_refused():
    with pytest.raises(units.UnitError, match="furlong"):
        theme.unit_words("furlong")


def test_titles_are_wrapped():
    text = "Batching cuts the cost of a token forty-fold before the memory of eight accelerators is full"
    lines = theme.wrap(text, width=680, size=17)
    # 680 px / (0.56 × 17 px) = 71 letters a line
    assert len(lines) == 2
    assert all(len(line) <= 71 for line in lines)
    assert " ".join(lines) == text
