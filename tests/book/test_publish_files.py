"""The files of book/publish/, which a user copies: their commands add version after version to a branch."""

import os
import shutil
import subprocess

import pytest
import yaml

# In place of the build: what `make release` leaves.
MAKE = """\
make() {
  test "$1" = release || return 0
  v="${2#VERSION=}"; mkdir -p _build/release/v$v; echo $v > _build/release/v$v/index.html; echo $v > _build/release/index.html
}
"""


def git(folder, *arguments):
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def commands(path):
    """The commands of a file with the folder in which each part of them runs."""
    known = yaml.safe_load(path.read_text(encoding="utf-8"))
    if "jobs" in known:
        steps = known["jobs"]["publish"]["steps"]
        return [(one["run"], one.get("working-directory", ".")) for one in steps if "run" in one]
    lines = [line for line in known["pages"]["script"] if "remote set-url" not in line]  # no token is needed here
    return [("\n".join(lines), ".")]


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("name", ["github-pages.yml", "gitlab-pages.yml"])
def test_each_tag_adds_its_version_and_keeps_those_before(root, tmp_path, name):
    git(tmp_path, "init", "--quiet", "--bare", "origin.git")
    source = tmp_path / "source"
    git(tmp_path, "clone", "--quiet", "origin.git", "source")
    (source / ".gitignore").write_text("_build/\npublic/\n")
    git(source, "-c", "user.name=a", "-c", "user.email=a@b", "add", ".gitignore")
    git(source, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "source")
    git(source, "push", "--quiet", "origin", "HEAD:main")
    for version in ("0.1.0", "0.2.0"):
        work = tmp_path / version  # each job begins with a clone of its own
        git(tmp_path, "clone", "--quiet", "--branch", "main", "origin.git", version)
        env = os.environ | {"GITHUB_REF_NAME": f"v{version}", "CI_COMMIT_TAG": f"v{version}"}
        for text, folder in commands(root / "book" / "publish" / name):
            done = subprocess.run(["bash", "-e", "-c", MAKE + text], cwd=work / folder, env=env, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
    held = git(tmp_path / "origin.git", "ls-tree", "-r", "--name-only", "site").split()
    assert held == ["index.html", "v0.1.0/index.html", "v0.2.0/index.html"]
    assert git(tmp_path / "origin.git", "show", "site:index.html") == "0.2.0\n"
    if (work / "public").exists():
        assert sorted(path.name for path in (work / "public").iterdir()) == ["index.html", "v0.1.0", "v0.2.0"]
