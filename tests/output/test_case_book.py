"""The spreadsheet of estimates: costs are formulas on the cases."""

import csv

import openpyxl
import pytest
from output import evaluated

CASES = """\
model,gpu,n_gpus,isl,osl,concurrency,cached_prefix,usd_per_gpu_hour,utilisation,mine
llama-3.3-70b,h200-sxm-141gb,2,4000,500,16,0.3,3.5,0.4,=1+1
llama-3.3-70b,nope,2,4000,500,16,0,,,x
llama-3.1-8b,h100-sxm-80gb,1,700,90,8,,,,
"""


def test_costs_follow_the_price_of_an_hour_and_the_busy_share(command, tmp_path):
    (tmp_path / "cases.csv").write_text(CASES)
    code, _, err = command("estimate", tmp_path / "cases.csv", "-o", tmp_path / "out.csv", "--xlsx", tmp_path / "out.xlsx")
    assert code == 1 and "1 of 3 rows have an error" in err
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    assert book.sheetnames == ["Inputs", "Results", "GPU-hours", "Sources"]
    heads = [cell.value for cell in book["Results"][3]]
    inputs = [cell.value for cell in book["Inputs"][3]]
    for name in ("usd_per_mtok", "usd_per_mtok_in_low", "usd_per_mtok_out"):
        cells = [book["Results"].cell(row, heads.index(name) + 1) for row in (4, 6)]
        assert [cell.data_type for cell in cells] == ["f", "f"]
        assert [evaluated.value(book, "Results", cell.coordinate) for cell in cells] == pytest.approx(
            [float(rows[place][name]) for place in (0, 2)], rel=1e-5)
    book["Inputs"].cell(4, inputs.index("usd_per_gpu_hour") + 1).value = 7.0  # twice the price,
    book["Inputs"].cell(4, inputs.index("utilisation") + 1).value = 0.2  # half as busy: four times the cost
    at = book["Results"].cell(4, heads.index("usd_per_mtok") + 1).coordinate
    assert evaluated.value(book, "Results", at) == pytest.approx(4 * float(rows[0]["usd_per_mtok"]), rel=1e-5)
    assert book["Inputs"].cell(4, inputs.index("mine") + 1).data_type == "s"
