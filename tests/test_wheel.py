"""The wheel, installed outside the clone: what works with the base dependencies alone, and what the extra adds.

No index is asked: the environment of the test gets exactly the distributions that the wheel's own metadata names, as links to
those of this environment.  So a module that imports something undeclared fails here.
"""

import json
import os
import re
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

CASES = "model,gpu,n_gpus,isl,osl,concurrency\nllama-3.1-8b,h100-sxm-80gb,1,1000,200,8\n"


IN_ONE_PROCESS = """
import contextlib, io, json, sys
from tokenecon import cli
found = []
for line in json.loads(sys.argv[1]):
    out, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
        try:
            cli.main(line)
        except SystemExit as end:
            code = end.code
    found.append((code, out.getvalue(), said.getvalue()))
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory):
    """The wheel that `pip wheel .` builds."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def needed(requirements, extra=""):
    """Names of the distributions that some requirements bring, with theirs."""
    found, waiting = set(), [(Requirement(line), extra) for line in requirements]
    while waiting:
        one, wanted = waiting.pop()
        if one.marker and not one.marker.evaluate({"extra": wanted}):
            continue
        name = re.sub(r"[-_.]+", "-", one.name).lower()
        for inner in ["", *one.extras]:
            if (name, inner) not in found:
                found.add((name, inner))
                waiting += [(Requirement(line), inner) for line in metadata.requires(name) or ()]
    return sorted({name for name, _ in found})


class Environment:
    """A virtual environment with the wheel and what its metadata names, nothing else."""

    def __init__(self, folder, wheel, uv, extra=""):
        venv.create(folder, with_pip=False)
        self.bin, self.folder = folder / "bin", folder
        install = [uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", self.bin / "python", wheel]
        subprocess.run(install, check=True)
        packages = next(folder.glob("lib/*/site-packages"))
        own = next(packages.glob("tokenecon_book-*.dist-info"))
        for name in needed(metadata.PathDistribution(own).requires, extra):
            for file in metadata.distribution(name).files:
                top = file.parts[0]
                link, target = packages / top, Path(metadata.distribution(name).locate_file(top))
                if top not in ("..", "__pycache__") and not link.exists():
                    link.symlink_to(target)

    def run(self, *words):
        """Run a command of this environment, in its own folder; gives exit code, stdout, stderr."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
        command = [self.bin / words[0], *map(str, words[1:])]
        done = subprocess.run(command, cwd=self.folder, env=env, text=True, capture_output=True)
        return done.returncode, done.stdout, done.stderr

    def commands(self, *lines):
        """What several lines of the command give, run in one process of this environment: (exit code, stdout, stderr) of each."""
        code, out, said = self.run("python", "-c", IN_ONE_PROCESS, json.dumps(lines))
        assert (code, said) == (0, "")
        return json.loads(out)


@pytest.fixture(scope="module")
def base(wheel, root, tmp_path_factory):
    return Environment(tmp_path_factory.mktemp("base"), wheel, root / ".venv" / "bin" / "uv")


@pytest.fixture(scope="module")
def full(wheel, root, tmp_path_factory):
    return Environment(tmp_path_factory.mktemp("full"), wheel, root / ".venv" / "bin" / "uv", "book")


def test_the_base_brings_nothing_of_the_book(base):
    code, _, said = base.run("python", "-c", "import pandas, scipy, typer, tokenecon; import altair")
    assert code == 1 and "No module named 'altair'" in said
    for name in ("papermill", "ipykernel", "vl_convert", "myst_nb"):
        assert base.run("python", "-c", f"import {name}")[0] == 1, name


def test_facts_are_listed_and_shown(base):
    code, out, said = base.run("tokenecon", "list", "gpus")
    assert (code, said) == (0, "") and "h200-sxm-141gb\tH200" in out
    bandwidth, claim = base.commands(["show", "h200-sxm-141gb.bandwidth", "--json"], ["show", "hw-h100-bandwidth"])
    assert bandwidth[0] == 0 and json.loads(bandwidth[1])["rows"][0]["value"] == 4.8, bandwidth[2]
    assert claim[0] == 0 and "verdict" in claim[1], claim[2]  # claims are judged without notebooks and charts


def test_cases_and_scenarios_are_computed_as_in_the_clone(base, command, tmp_path):
    (base.folder / "cases.csv").write_text(CASES)
    lines = (["estimate", "cases.csv"], ["cost", "chat-assistant", "--json"],
             ["decide", "batch-summariser", "--draws", "1000", "--json"])
    estimated, *told = base.commands(*lines)
    assert estimated == [0, command("estimate", base.folder / "cases.csv")[1], ""]
    for line, (code, out, said) in zip(lines[1:], told, strict=True):
        assert (code, said) == (0, ""), line
        here = json.loads(command(*line)[1])
        assert json.loads(out)["tables"]["choices"] == here["tables"]["choices"]


def test_run_says_what_to_install(base):
    code, out, said = base.run("tokenecon", "run", "hour")
    assert (code, out) == (2, "") and said.count("\n") == 1
    assert "papermill" in said and "tokenecon-book with its extra [book]" in said


def test_the_extra_runs_a_notebook(full):
    code, out, said = full.run("tokenecon", "run", "cases/spotify", "-p", "utilisation", "0.5", "-o", "out")
    assert code == 0, said
    pages = [line for line in out.split() if line.endswith(".html")]
    assert len(pages) == 1 and "0.5" in (full.folder / pages[0]).read_text(encoding="utf-8")


def test_a_clone_that_was_not_installed_finds_its_data(root, base):
    program = f"import sys; sys.path.insert(0, {str(root)!r}); from tokenecon import data; print(data.ROOT)"
    assert base.run("python", "-c", program)[1].strip() == str(root / "data")
