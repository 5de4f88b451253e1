"""``tokenecon estimate`` on files: what it writes, and that nothing of the user's is lost."""

import io
import os

import pandas as pd
import pytest

HEAD = "model,gpu,n_gpus,isl,osl"
ROW = "llama-3.1-8b,h100-sxm-80gb,1,1000,200"
GOOD = f"{HEAD}\n{ROW}\n"


@pytest.fixture
def estimate(command, tmp_path, monkeypatch):
    """Run ``tokenecon estimate`` in an empty folder on a text, which is written to cases.csv first."""
    monkeypatch.chdir(tmp_path)

    def run(text, out="out.csv", cases="cases.csv"):
        if text is not None:
            (tmp_path / cases).write_bytes(text if isinstance(text, bytes) else text.encode())
        return command("estimate", cases, "-o", out)

    return run


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "file 'cases.csv' cannot be read: No such file or directory"),
        ("", "file 'cases.csv' has no columns; its first line names them: model, gpu, n_gpus, isl, osl"),
        ("model,gpu,isl\n", "cases lack the columns n_gpus, osl"),
        (GOOD.replace(",", ";"), "separates its columns by semicolons; use commas, with a point before decimals"),
        (GOOD.replace(",", "\t"), "separates its columns by tabs"),
        (f"{HEAD},isl\n{ROW},7\n", "file 'cases.csv' has two columns 'isl'"),
        (f"{HEAD},ttft_ms\n{ROW},7\n", "column 'ttft_ms' has the name of a result, which would replace it"),
        (f"{HEAD},error\n{ROW},7\n", "column 'error' has the name of a result"),
        (f"{HEAD}\n{ROW},7,8\n", "has 7 fields in line 2, but 5 columns"),
        (f"{HEAD}\n{ROW}\n{ROW}\n{ROW},7\n", "has 6 fields in line 4, but 5 columns"),
        (f"{HEAD}\n{ROW.replace(',1000,', ',1000,5,')}\n", "has 6 fields in line 2, but 5 columns"),
        (GOOD.encode() + b"\xff\xfe\n", "is not text in UTF-8"),
        (f'{HEAD}\n"{ROW}\n', "is not a table of cases in CSV"),
    ],
)
def test_a_file_that_is_no_table_of_cases_is_one_sentence_and_the_output_stays(estimate, tmp_path, text, words):
    (tmp_path / "out.csv").write_text("precious")
    code, out, said = estimate(text)
    assert (code, out) == (2, "") and words in said and said.count("\n") == 1
    assert (tmp_path / "out.csv").read_text() == "precious"
    assert set(os.listdir(tmp_path)) <= {"cases.csv", "out.csv"}


def test_a_table_that_breaks_late_leaves_the_output_as_it_was(estimate, tmp_path, monkeypatch):
    monkeypatch.setattr("tokenecon.serving.case_files.ROWS", 2_000)  # two parts are written before the third breaks
    (tmp_path / "out.csv").write_text("precious")
    code, _, said = estimate(f"{HEAD}\n" + f"{ROW}\n" * 4_001 + f"{ROW},7\n")
    assert code == 2 and "has 6 fields in line 4003, but 5 columns" in said
    assert (tmp_path / "out.csv").read_text() == "precious"


def test_input_and_output_may_be_one_file(estimate, tmp_path):
    assert estimate(GOOD, out="cases.csv")[0] == 0
    assert pd.read_csv(tmp_path / "cases.csv").loc[0, ["model", "osl", "fits"]].to_list() == ["llama-3.1-8b", 200, True]


def test_a_byte_order_mark_and_spaces_around_names_are_no_part_of_them(estimate, tmp_path):
    assert estimate(b"\xef\xbb\xbf" + GOOD.replace(",", ", ", 4).encode())[0] == 0
    assert list(pd.read_csv(tmp_path / "out.csv").columns[:5]) == HEAD.split(",")


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("draft_tokens", "1e9", "draft_tokens is '1e+09'; it must be a whole number from 0, at most 100"),
        ("usd_per_gpu_hour", "1e308", "usd_per_gpu_hour is '1e+308'; it must be at least 0, at most 1,000,000"),
        ("usd_per_gpu_hour", '"2,5"', "usd_per_gpu_hour is '2,5'; it must be at least 0, at most 1,000,000; write a point"),
        ("concurrency", "9" * 5000, "it must be above 0, at most 1,000,000,000"),
        ("acceptance", "1e-400x", "acceptance is '1e-400x'; it must be at least 0, below 1"),
    ],
)
def test_a_number_out_of_range_is_told_in_its_row(estimate, tmp_path, column, value, words):
    code, _, said = estimate(f"{HEAD},{column}\n{ROW},{value}\n{ROW},\n")
    rows = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert code == 1 and said.startswith("1 of 2 rows have an error")
    assert words in rows.loc[0, "error"] and len(rows.loc[0, "error"]) < 200
    assert rows.loc[1, "error"] == "" and float(rows.loc[1, "ttft_ms"]) > 0


def test_parquet_in_parts_says_what_csv_says(estimate, tmp_path, monkeypatch):
    monkeypatch.setattr("tokenecon.serving.case_files.ROWS", 2)
    rows = pd.read_csv(io.StringIO(GOOD)).loc[[0] * 5].assign(
        isl=[100, 200, 300, 400, 500], engine=[None, None, None, "vllm", None])
    rows.to_parquet(tmp_path / "cases.parquet", index=False)
    rows.to_csv(tmp_path / "cases.csv", index=False)
    assert estimate(None, cases="cases.parquet", out="out.parquet")[0] == estimate(None)[0] == 0
    ours, theirs = pd.read_parquet(tmp_path / "out.parquet"), pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert list(ours.columns) == list(theirs.columns) and len(ours) == 5
    assert ours["tpot_ms"].to_list() == pytest.approx(theirs["tpot_ms"].to_list(), rel=1e-5)


def test_a_parquet_column_of_two_kinds_is_one_sentence(estimate, tmp_path, monkeypatch):
    monkeypatch.setattr("tokenecon.serving.case_files.ROWS", 1)
    code, _, said = estimate(f"{HEAD},mine\n{ROW},1\n{ROW},x\n", out="out.parquet")
    assert code == 2 and "a column holds values of several kinds" in said and said.count("\n") == 1
    assert os.listdir(tmp_path) == ["cases.csv"]


@pytest.mark.parametrize("name", ["cases.parquet", "cases.csv"])
def test_a_table_without_rows_gives_one_without_rows(estimate, tmp_path, name):
    empty = pd.DataFrame(columns=HEAD.split(","))
    empty.to_parquet(tmp_path / name, index=False) if name.endswith("parquet") else empty.to_csv(tmp_path / name, index=False)
    assert estimate(None, cases=name)[0] == 0
    assert len(pd.read_csv(tmp_path / "out.csv")) == 0


def test_a_parquet_file_that_is_none_and_a_folder_that_is_not_there(estimate):
    assert "file 'cases.parquet' is not a table in Parquet" in estimate("hello", cases="cases.parquet")[2]
    for out in ("none/out.csv", "none/out.parquet"):
        assert f"file '{out}' cannot be written: No such file or directory" in estimate(GOOD, out=out)[2]
