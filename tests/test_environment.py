"""One environment, said once: lock, package, conda file and npm lock agree and name no host."""

import json
import os
import re
import subprocess
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement

NAME = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.M)
LOCKS = ("requirements.txt", "requirements-uv.txt", "package-lock.json")


def plain(name):
    """A distribution's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements(root, name):
    """Name to requirement of a .in file."""
    lines = (root / name).read_text().splitlines()
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {plain(one.name): one for one in wanted}


@pytest.fixture(scope="module")
def locked(root):
    return {plain(name): version for name, version in NAME.findall((root / "requirements.txt").read_text())}


def test_every_requirement_is_pinned_within_its_bounds(root, locked):
    for name, wanted in requirements(root, "requirements.in").items():
        assert name in locked, f"{name} is not in requirements.txt; run `make lock`"
        assert wanted.specifier.contains(locked[name]), f"{name} {locked[name]} is not {wanted}; run `make lock`"


def test_the_packages_own_dependencies_are_the_same_words_as_in_requirements_in(root):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = requirements(root, "requirements.in")
    for line in [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]:
        one = Requirement(line)
        assert str(wanted[plain(one.name)]) == str(one), f"pyproject.toml and requirements.in differ on {one.name}"


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-uv.txt"])
def test_every_pin_has_a_hash(root, name):
    text = (root / name).read_text()
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert len(blocks) == len(NAME.findall(text))
    for block in blocks:
        assert "--hash=sha256:" in block, f"{block.splitlines()[0]} in {name} has no hash; run `make lock`"


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_names_a_host(root, name):
    text = re.sub(r'"funding": \{[^}]*\}', "", (root / name).read_text())  # npm notes where an author takes money
    assert "://" not in text
    assert "index-url" not in text
    assert '"resolved"' not in text


def test_conda_and_binder_get_the_same_packages(root):
    wanted = yaml.safe_load((root / "environment.yml").read_text())["dependencies"]
    conda = [one for one in wanted if isinstance(one, str)]
    (pip,) = [one["pip"] for one in wanted if isinstance(one, dict)]
    assert pip == ["-r requirements.txt"]
    assert sorted(re.split(r"[<>=]", one)[0] for one in conda) == ["pip", "python"]
    (python,) = [one for one in conda if one.startswith("python")]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert python.split(",")[0] == f"python{project['requires-python']}"


def test_node_packages_are_pinned_with_integrity(root):
    lock = json.loads((root / "package-lock.json").read_text())["packages"]
    wanted = json.loads((root / "package.json").read_text())["devDependencies"]
    assert lock[""]["devDependencies"] == wanted
    for name, one in lock.items():
        if name:
            assert one["integrity"].startswith("sha512-")
            assert one["version"] == wanted.get(name.removeprefix("node_modules/"), one["version"])


# --- make --------------------------------------------------------------------------------------


def make(root, *arguments):
    """Run make without what an outer make passes on."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(["make", "-C", str(root), *arguments], capture_output=True, text=True, env=env)


def test_plain_make_prints_one_line_for_each_target(root):
    done = make(root, "--no-print-directory")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    targets = ["help", "book", "release", "test", "serve", "pdf", "lab", "rerun", "bench", "bench-accuracy", "fuzz",
               "faults", "access", "calibrate", "freeze-prices", "lock", "clean"]
    assert [line.split()[1] for line in lines] == targets
    assert all(len(line.split()) > 4 for line in lines)


def test_an_old_or_missing_python_is_one_clear_sentence(root, tmp_path):
    old = tmp_path / "python3.9"
    old.write_text('#!/bin/sh\ncase "$1" in -V) echo "Python 3.9.2";; *) exit 1;; esac\n')
    old.chmod(0o755)
    # -B and -o: as if the environment were not there, without touching it
    done = make(root, "--no-print-directory", "-B", "-o", "requirements.txt", f"PYTHON={old}", ".venv/stamp")
    assert done.returncode != 0
    first = done.stderr.splitlines()[0]
    assert first.startswith("Python 3.11 or newer is needed")
    assert "3.9.2" in first


def test_rerun_without_a_notebook_says_what_to_write(root):
    done = make(root, "--no-print-directory", "-o", ".venv/stamp", "rerun")
    assert done.returncode != 0
    assert "make rerun NB=hardware" in done.stderr


def test_ci_runs_the_readmes_test_command(root):
    script = (root / ".ci" / "run").read_text()
    assert script.rstrip().endswith("make test")
    assert "make test" in (root / "README.md").read_text()
