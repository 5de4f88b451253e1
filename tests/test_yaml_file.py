"""What a YAML file of a user's may hold, and what every other one is told."""

import pytest

from tokenecon import yaml_file

HALF_DEEP = 5000


def refusal(tmp_path, text):
    (tmp_path / "file.yml").write_text(text, encoding="utf-8")
    with pytest.raises(yaml_file.NotYaml) as error:
        yaml_file.mapping(tmp_path / "file.yml")
    assert "\n" not in str(error.value) and len(str(error.value)) < 200
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nas_of: 2026-11-31\n", "at line 2: '2026-11-31' is no date"),
        ("a: !!int abc\n", "at line 1: 'abc' is no whole number"),
        ("a: " + "9" * 6000 + "\n", "999…' is no whole number"),
        ("a: !!timestamp x\n", "'x' is no date"),
        ("[" * HALF_DEEP + "\n", "nested too deep"),
        ("a: " + "{b: " * HALF_DEEP + "\n", "nested too deep"),
        ("a: &x [1]\nb: *x\n", "at line 2: '*x' stands for another value"),
        ("a: !!python/object:os.system x\n", "at line 1"),
        ("a: {b: 1, b: 2}\n", "'b' stands twice"),
        ("#" * 1_000_001, "is larger than 1,000,000 bytes"),
    ],
)
def test_what_is_no_plain_mapping_is_one_short_sentence(tmp_path, text, words):
    assert words in refusal(tmp_path, text)


def test_lines_that_would_mean_a_billion_values_are_refused_at_once(tmp_path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
    assert "at line 2: '*a0' stands for another value" in refusal(tmp_path, "\n".join(lines))


def test_plain_values_keep_their_kinds(tmp_path):
    (tmp_path / "file.yml").write_text("a: 1\nb: 2.5\nc: [x, y]\nd: {e: true}\nf: 'no'\ng:\n")
    assert yaml_file.mapping(tmp_path / "file.yml") == {
        "a": 1, "b": 2.5, "c": ["x", "y"], "d": {"e": True}, "f": "no", "g": None}  # fmt: skip
