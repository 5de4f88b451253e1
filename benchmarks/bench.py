"""`make bench`: seconds of the build and of each notebook, kilobytes of the pages, against their targets."""

import ast
import contextlib
import functools
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
READABLE = 2.0  # seconds to the largest part of the first screen
LINE = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}  # ms, bytes a second
PAGES = ("index.html", "economics.html", "hardware.html", "software.html", "deployment.html", "claims.html")
ZIPPED = (".html", ".css", ".js", ".mjs", ".json", ".svg", ".csv")
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


class Zipping(serve.Quiet):
    """Serves the site as hosts do: connections that stay open, and text as gzip."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """Serve a file."""
        path = Path(self.translate_path(self.path))
        if path.suffix not in ZIPPED or not path.is_file():
            super().do_GET()
            return
        body = gzip.compress(path.read_bytes(), 6)
        self.send_response(200)
        for name, value in (("Content-Type", self.guess_type(path)), ("Content-Encoding", "gzip"), ("Content-Length", len(body))):
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)


# The moments [s] of a page's first and largest paint so far.
PAINTS = """() => new Promise((done) => new PerformanceObserver((list) => done([
    performance.getEntriesByName("first-contentful-paint")[0].startTime / 1e3, list.getEntries().at(-1).startTime / 1e3,
  ])).observe({ type: "largest-contentful-paint", buffered: true }))"""


def readable(page, site, browser):
    """Seconds to the first and the largest paint of a page on a slow line with an empty cache, and kilobytes until it rests."""
    from playwright.sync_api import sync_playwright

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Zipping, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with sync_playwright() as playwright:
            started = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
            tab = started.new_page(viewport={"width": 390, "height": 844})
            tools = tab.context.new_cdp_session(tab)
            loaded = []
            tools.on("Network.loadingFinished", lambda event: loaded.append(event["encodedDataLength"]))
            tools.send("Network.enable")
            tools.send("Network.emulateNetworkConditions", LINE)
            tab.goto(f"http://127.0.0.1:{server.server_port}/{page}", wait_until="networkidle")
            first, largest = tab.evaluate(PAINTS)
            started.close()
        server.shutdown()
    return first, largest, sum(loaded) / 1e3


def weights(site):
    """First visits of a page without and of pages with charts."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print("pages not weighed: no Chromium was found")
        return
    for page in PAGES:
        first, largest, size = readable(page, site, browser)
        line(f"page {page}, readable", largest, "s", READABLE, f"first paint {first:.2f} s; {size:.0f} KB, 1.6 Mbit/s, phone")
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
