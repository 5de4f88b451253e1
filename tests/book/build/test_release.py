"""Releases of a tiny site: a version is kept as it was released, and what could not be cited is refused."""

import hashlib
import json
import subprocess

import pytest

from tokenecon_book.build import release

PLACE = "https://example.org/book"


@pytest.fixture
def site(tmp_path):
    """A built site of two pages."""
    folder = tmp_path / "html"
    for name, text in {"index.html": "first", "cases/a.html": "case", "_static/edition.mjs": "x", "searchindex.js": "y"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{text}{release.MARK}" if name.endswith("html") else text)
    return folder


@pytest.fixture
def publish(site, tmp_path, monkeypatch):
    """A function that releases the site under a version."""
    folder = tmp_path / "release"

    def publish(version):
        monkeypatch.setattr(release, "__version__", version)
        release.check(version, folder, PLACE)
        release.publish(site, version, folder)
        return folder

    return publish


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_version_lies_beside_the_newest_with_its_checksums(publish, site):
    folder = publish("0.9.0")
    assert contents(folder / "latest") == contents(site)
    page = (folder / "v0.9.0" / "cases" / "a.html").read_text()
    assert '<a href="../../latest/index.html">' in page and 'src="../_static/edition.mjs"' in page
    assert 'data-version="0.9.0"' in page and page.startswith("case")
    sums = (folder / "v0.9.0.sha256").read_text()
    assert f"{hashlib.sha256(page.encode()).hexdigest()}  v0.9.0/cases/a.html\n" in sums
    done = subprocess.run(["sha256sum", "--check", "--quiet", "v0.9.0.sha256"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(sums.splitlines()) == len(contents(folder / "v0.9.0")) == 4
    assert 'href="latest/index.html"' in (folder / "index.html").read_text()


def test_a_newer_version_leaves_the_older_as_it_was(publish, site):
    folder = publish("0.9.0")
    before = contents(folder / "v0.9.0")
    (site / "index.html").write_text("second" + release.MARK)
    publish("0.10.0")
    assert contents(folder / "v0.9.0") == before
    assert (folder / "latest" / "index.html").read_text().startswith("second")
    assert json.loads((folder / "versions.json").read_text()) == {"latest": "0.10.0", "versions": ["0.9.0", "0.10.0"]}
    assert not list(folder.glob(".*.new")) and not list(folder.glob(".*.old"))


def test_a_correction_of_an_older_version_is_not_the_newest(publish, site):
    folder = publish("0.10.0")
    (site / "index.html").write_text("older" + release.MARK)
    publish("0.9.1")
    assert (folder / "latest" / "index.html").read_text().startswith("first")
    assert json.loads((folder / "versions.json").read_text())["latest"] == "0.10.0"


@pytest.mark.parametrize(("version", "place", "words"), [
    ("", PLACE, "VERSION is ''"), ("v0.9.0", PLACE, "must be three numbers"), ("0.9", PLACE, "must be three numbers"),
    ("0.9.1", PLACE, "the package is 0.9.0"), ("0.9.0", "", "tokenecon_site_url is blank"),
])  # fmt: skip
def test_what_could_not_be_cited_is_refused(tmp_path, monkeypatch, version, place, words):
    monkeypatch.setattr(release, "__version__", "0.9.0")
    with pytest.raises(release.BadRelease, match=words):
        release.check(version, tmp_path, place)


def test_a_version_is_released_once(publish):
    publish("0.9.0")
    with pytest.raises(release.BadRelease, match=r"0\.9\.0 is released already"):
        publish("0.9.0")


@pytest.mark.parametrize("harm", ["changed", "gone", "added", "no sums"])
def test_nothing_is_released_beside_a_version_that_was_touched(publish, harm):
    folder = publish("0.9.0")
    page = folder / "v0.9.0" / "index.html"
    if harm == "changed":
        page.write_text("other")
    elif harm == "gone":
        page.unlink()
    elif harm == "added":
        page.with_name("new.html").write_text("x")
    else:
        (folder / "v0.9.0.sha256").unlink()
    with pytest.raises(release.BadRelease, match="is not what was released"):
        publish("0.9.1")
    assert not (folder / "v0.9.1").exists()


def test_a_release_that_was_cut_off_can_be_made_again(publish, site, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(release, "newest", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            publish("0.9.0")
    folder = publish("0.9.0")
    assert release.versions(folder) == ["0.9.0"] and not release.damaged(folder, "0.9.0")


def test_the_command_says_in_one_sentence_why_it_refuses(monkeypatch, capsys):
    monkeypatch.setenv("SITE_URL", PLACE)
    assert release.main(["99.0.0"]) == 2
    assert capsys.readouterr().err.count("VERSION is '99.0.0'") == 1
