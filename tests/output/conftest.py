"""A small case, its workbook, and LibreOffice where it is installed."""

import subprocess

import pytest

SMALL = """\
name: Small
model: llama-3.1-8b
weights: fp8
kv: fp8
gpus: [h100-sxm-80gb]
workload: {isl: 700, osl: 90, cached_prefix: 0.25, requests_per_day: 3000000}
traffic: {peak_to_mean: 2.5}
service: {people: 0.7, api_people: 0.04, usd_per_person_year: 180000}
money:
  as_of: 2026-08-01
  years: 3
  api: {usd_per_mtok_in: 0.05, usd_per_mtok_cached: 0.02, usd_per_mtok_out: 0.15}
"""
SHEETS = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"  # all sheets, whole numbers


@pytest.fixture
def small(tmp_path):
    (tmp_path / "small.yml").write_text(SMALL)
    return tmp_path / "small.yml"


@pytest.fixture(scope="session")
def office(office_program, tmp_path_factory):
    """A function that converts a file by LibreOffice."""
    profile = tmp_path_factory.mktemp("office")

    def convert(path, kind, folder):
        done = subprocess.run([office_program, f"-env:UserInstallation=file://{profile}", "--headless", "--convert-to", kind,
                               "--outdir",
                               folder, path], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return folder

    return convert
