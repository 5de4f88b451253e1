"""From executed notebooks and prose to the finished site: stage, write, assemble, swap in."""

import shutil
import time
from pathlib import Path

from tokenecon_book import citations
from tokenecon_book.build import calculator, freshness, notebooks, progress, publishing

CONFIG = ("_config.yml", "_toc.yml")
PACKAGE = "tokenecon_book"  # lies in book/ and is no page


class BookError(Exception):
    """The book cannot be built; the message says why."""


def stage(root, names, target):
    """Make ``book/`` hold the pages, the executed notebooks and nothing else."""
    wanted = {path.relative_to(root / "book"): path for path in (root / "book").rglob("*")
              if path.is_file() and PACKAGE not in path.parts}
    wanted |= {Path(f"{name}.ipynb"): target / "run" / name / "out" / "executed.ipynb" for name in names}
    wanted |= {Path(name): root / name for name in CONFIG}
    try:
        wanted |= calculator.files(root, target) | search_library(root)
    except FileNotFoundError as error:
        raise BookError(str(error)) from None
    staged = target / "book"
    for path in [path for path in staged.rglob("*") if path.is_file()]:
        if path.relative_to(staged) not in wanted:
            path.unlink()
    for relative, source in wanted.items():
        copy = staged / relative
        content = source.read_bytes()
        if not copy.exists() or copy.read_bytes() != content:  # else its date stays, and Sphinx skips it
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content)


def search_library(root):
    """Path below the staged pages to file, of MiniSearch as npm gives it; none where the book has no such search."""
    if not (root / "book" / "_static" / "finder.mjs").exists():
        return {}
    package, place = root / "node_modules" / "minisearch", Path("_static/minisearch")
    found = {place / "index.mjs": package / "dist" / "es" / "index.js", place / "LICENSE.txt": package / "LICENSE.txt"}
    if missing := [path for path in found.values() if not path.exists()]:
        raise FileNotFoundError(f"{missing[0]} is missing; `make node_modules/stamp` installs it from package-lock.json")
    return found


def site_inputs(root, target):
    """Name to hash of all that the site comes from."""
    inputs = {freshness.LOCK.name: freshness.of_file(freshness.LOCK), citations.SETTING: citations.site_url(root)}
    for name, value in freshness.of_folder(target / "book").items():
        prose = name.endswith(".md") and not name.startswith("_")
        inputs[("page " if prose else "staged ") + name] = value
    for label, folder in (*freshness.PACKAGES.items(), ("data", root / "data")):
        inputs |= {f"{label}/{name}": value for name, value in freshness.of_folder(folder).items()}
    return inputs


def write_pages(target, fresh):
    """Run Sphinx through Jupyter Book; every warning is an error."""
    notebooks.skip_grammar()
    from jupyter_book.sphinx import build_sphinx

    sphinx = target / "sphinx"
    if fresh:
        shutil.rmtree(sphinx, ignore_errors=True)
    started = time.monotonic()
    progress.say("writing pages")
    outcome = build_sphinx(
        target / "book",
        sphinx / "html",
        doctreedir=sphinx / "doctrees",
        path_config=target / "book" / "_config.yml",
        noconfig=True,
        confoverrides={"latex_individualpages": False},
        quiet=True,
        freshenv=fresh,
        force_all=True,  # every page holds the titles of all others
        warningiserror=True,
        keep_going=True,
    )
    if outcome != 0:
        shutil.rmtree(sphinx, ignore_errors=True)
        raise BookError("Sphinx reported the warnings or errors above; the last good site is left as it was")
    progress.say(f"pages written in {time.monotonic() - started:.1f} s")


def assemble(root, target, figures):
    """Put pages, figures and data together in ``html.new``."""
    new = target / "html.new"
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(target / "sphinx" / "html", new, ignore=shutil.ignore_patterns(".buildinfo*"))
    (new / "figures").mkdir(exist_ok=True)
    publishing.write_figures(figures, new / "figures", target / "pictures")
    (new / "data").mkdir(exist_ok=True)
    for path in [*(root / "data").glob("*.csv"), *(root / "data").glob("*.json")]:
        shutil.copyfile(path, new / "data" / path.name)
    if (root / "data" / "claims.csv").exists():
        from tokenecon_book.chapters.claims import ledger

        (new / "data" / "claims.csv").write_text(ledger.ledger_csv(), encoding="utf-8")


def swap(target):
    """Replace ``html`` by ``html.new``."""
    old = target / "html.old"
    shutil.rmtree(old, ignore_errors=True)
    if (target / "html").exists():
        (target / "html").rename(old)
    (target / "html.new").rename(target / "html")
    shutil.rmtree(old, ignore_errors=True)


def recover(target):
    """Undo a swap that was cut off between its two renames."""
    if (target / "html.old").exists() and not (target / "html").exists():
        (target / "html.old").rename(target / "html")
