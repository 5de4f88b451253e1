"""Spreadsheets of reports: sheets, sources, the same bytes, texts that are no formulas, and refusals."""

import json

import openpyxl
import pytest

from tokenecon import __version__


def test_cost_and_decide_write_every_table_and_the_sources(command, small, tmp_path):
    for verb, sheets in (("cost", ["Choices", "API sellers", "Break even"]), ("decide", ["Kinds", "Drivers", "Drawn"])):
        less = ("--draws", 100) if verb == "decide" else ()
        code, out, err = command(verb, small, *less, "--xlsx", tmp_path / "a.xlsx")
        assert (code, err) == (0, "") and out
        book = openpyxl.load_workbook(tmp_path / "a.xlsx")
        assert set(sheets) < set(book.sheetnames) and book.sheetnames[-1] == "Sources"
        last = [[cell.value for cell in row] for row in book["Sources"].iter_rows()]
        assert f"version {__version__}" in last[1][1] and last[2][1].startswith(f"tokenecon {verb} ")
        assert any(str(row[5]).startswith("https://") for row in last)


def test_the_same_report_gives_the_same_bytes(command, small, tmp_path):
    for name in ("a.xlsx", "b.xlsx"):
        assert command("cost", small, "--xlsx", tmp_path / name)[0] == 0
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_a_name_that_looks_like_a_formula_stays_text(command, small, tmp_path):
    small.write_text(small.read_text().replace("name: Small", 'name: "=1+1\\u0007"'))
    assert command("cost", small, "--xlsx", tmp_path / "a.xlsx")[0] == 0
    cell = openpyxl.load_workbook(tmp_path / "a.xlsx")["Answer"]["A1"]
    assert cell.data_type == "s" and cell.value.startswith("=1+1?: ")


@pytest.mark.parametrize(("name", "words"), [("a.ods", "is of no known kind; give --xlsx a name that ends in .xlsx"),
                                             ("none/a.xlsx", "cannot be written")])
def test_a_file_that_cannot_be_is_refused_in_one_sentence(command, small, tmp_path, name, words):
    code, out, err = command("cost", small, "--xlsx", tmp_path / name)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err


def test_csv_writes_every_table_into_a_folder_and_the_first_into_a_file(command, small, tmp_path):
    code, out, _ = command("cost", small, "--json", "--csv", tmp_path / "all")
    assert code == 0 and {path.stem for path in (tmp_path / "all").iterdir()} == set(json.loads(out)["tables"])
    assert command("cost", small, "--csv", tmp_path / "one.csv")[0] == 0
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "all" / "choices.csv").read_bytes()
