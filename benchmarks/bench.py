"""`make bench`: seconds of the build and of each notebook, kilobytes of the pages, against their targets."""

import ast
import contextlib
import gzip
import http.server
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import nbformat

from tokenecon_book.build import notebooks, serve

COLD, WARM = 120.0, 10.0  # seconds, on two cores
PLAIN_PAGE, CHART_PAGE = 400.0, 750.0  # kilobytes, gzip
IMPORT = 0.15  # seconds
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def line(name, value, unit, target=None, note=""):
    """One row of the table."""
    verdict = "" if target is None else f"{'ok' if value <= target else 'MISSED'} (target {target:g} {unit})"
    print(f"{name:<34} {value:>8.2f} {unit:<4} {verdict:<24} {note}".rstrip(), flush=True)


def seconds(call):
    """How long a call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def command(*words):
    """Run a command of this environment; a failure ends the benchmark."""
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)


def builds(folder):
    """The whole book from nothing, then with nothing to do."""
    build = ("-m", "tokenecon_book.build.book", "--build-dir", str(folder))
    line("book, cold", seconds(lambda: command(*build)), "s", COLD)
    line("book, nothing changed", seconds(lambda: command(*build)), "s", WARM)


def imports_only(path, folder):
    """A notebook with the parameters and the imports of another, and nothing else."""
    notebook = nbformat.read(path, 4)
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            found += [one for one in ast.parse(cell.source).body if isinstance(one, (ast.Import, ast.ImportFrom))]
    cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ())]
    source = "\n".join(dict.fromkeys(ast.unparse(one) for one in found))
    notebook.cells = [*cells, nbformat.v4.new_code_cell(source, id="imports")]
    copy = folder / path.name
    nbformat.write(notebook, copy)
    return copy


def runs(folder):
    """Each notebook beside an empty one with the same imports."""
    for name, path in notebooks.catalogue().items():
        empty = imports_only(path, folder)
        bare = seconds(lambda empty=empty: notebooks.run(empty))
        whole = seconds(lambda path=path: notebooks.run(path))
        line(f"notebook {name}", whole, "s", note=f"{bare:.2f} s of it with its imports alone")


class Weighing(serve.Quiet):
    """Serves the site and notes what was asked for."""

    def do_GET(self):
        """Serve a file, and note it."""
        self.server.asked.add(self.translate_path(self.path))
        super().do_GET()


def weight(page, site, browser):
    """Kilobytes that a reader with an empty cache loads, each file as gzip or as it is, whichever is less."""

    def handler(*arguments):
        return Weighing(*arguments, directory=str(site))

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.asked = set()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/{page}"
        with tempfile.TemporaryDirectory() as profile:
            options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
            # Tall, so that every chart of the page comes into view and is drawn.
            options += ["--window-size=1280,9000", "--virtual-time-budget=15000", f"--screenshot={profile}/page.png"]
            subprocess.run([browser, *options, address], check=True, capture_output=True, timeout=120)
        server.shutdown()
    files = [Path(one) for one in server.asked if Path(one).is_file()]
    return sum(min(len(gzip.compress(one.read_bytes(), 6)), one.stat().st_size) for one in files) / 1e3, len(files)


def weights(site):
    """First visits of a page without and of pages with charts."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print("pages not weighed: no Chromium was found")
        return
    for page in ("index.html", "economics.html", "hardware.html", "software.html", "deployment.html", "claims.html"):
        charts = "te-figure" in (site / page).read_text(encoding="utf-8")
        size, count = weight(page, site, browser)
        line(f"page {page}", size, "KB", CHART_PAGE if charts else PLAIN_PAGE, f"{count} files{', charts' * charts}")


def main():
    """Print the table."""
    line("import tokenecon", seconds(lambda: command("-c", "import tokenecon")), "s", IMPORT, "with Python's own start")
    with tempfile.TemporaryDirectory() as temporary, contextlib.suppress(KeyboardInterrupt):
        folder = Path(temporary)
        builds(folder / "build")
        weights(folder / "build" / "html")
        runs(folder)


if __name__ == "__main__":
    main()
