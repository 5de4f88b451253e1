"""A server on this machine over the built site, and a browser that writes down what it sees."""

import functools
import http.server
import os
import re
import threading
import time
from contextlib import contextmanager

import pytest
from playwright.sync_api import sync_playwright

# Chromium must not fetch anything of its own accord: every request that is seen is a page's.
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@contextmanager
def served(folder, below=""):
    """A server of a folder below a path, and nothing beside it."""

    class Below(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path):
            return super().translate_path(path[len(below):] if path.startswith(f"{below}/") else "/nowhere")

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Below, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}{below}/"
    server.shutdown()


@pytest.fixture
def serve():
    """A way to serve another folder: ``with serve(folder, "/below") as home``."""
    return served


@pytest.fixture(scope="session")
def address(site):
    """Where the site is served on loopback: below a path, as some hosts do, so that nothing of it may ask for the top."""
    with served(site, "/x/y") as home:
        yield home


@pytest.fixture(scope="module")
def browser(chromium):
    """Chromium without a window; one a file, as a process holds one Playwright, and other tests start their own."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield started
        started.close()


# One page of each kind.
KINDS = {
    "index.html", "calculator.html", "economics.html", "claims.html", "cases/spotify.html", "method.html", "formulas/index.html",
    "formulas/memory.html", "data/index.html", "data/precisions.html", "sources.html", "rerun.html", "search.html", "404.html",
    "figures/decision-bills.html", "cite.html", "publish.html", "accelerators.html", "numbers.html", "data/measurements.html",
    "data/prices/h200-sxm-141gb.html",
}  # fmt: skip


@pytest.fixture(scope="session")
def kinds():
    """Addresses of one page of each kind."""
    return KINDS


@pytest.fixture(scope="session")
def names(site):
    """Addresses of all pages, from the top of the site; of the pages of single figures and of the parts of tables, which are
    alike, every twentieth."""
    everything = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    alike = sorted(name for name in everything if re.match("figures/|data/.+/", name))
    assert everything >= KINDS
    return sorted(everything if os.environ.get("ACCESS") == "all" else everything - {*alike} | {*alike[::20]} | KINDS)


def until(page, question, seconds=30):
    """Wait until something is true in a page; Playwright's own way is eval, which the policy of the pages forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(question):
        assert time.monotonic() < end, f"not true after {seconds} s: {question}"
        page.wait_for_timeout(30)


class Watched:
    """A page of a browser with the complaints that opening and using it made."""

    def __init__(self, page, home):
        self.page, self.home, self.complaints = page, home, []
        page.wait_for_function = functools.partial(until, page)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complain(f"script error: {error}"))
        page.on("request", self._request)
        page.on("requestfailed", self._failed)
        page.on("response", self._response)

    def complain(self, text):
        self.complaints.append(f"{self.page.url.removeprefix(self.home)}: {text}")

    def _console(self, message):
        if message.type in ("error", "warning"):
            self.complain(f"console {message.type}: {message.text}")

    def _failed(self, request):
        # Leaving a page aborts what it still loads of ours (its icon, say); any other failure is a fault.
        if request.failure != "net::ERR_ABORTED" or not request.url.startswith(self.home):
            self.complain(f"failed: {request.url} {request.failure}")

    def _request(self, request):
        if not request.url.startswith((self.home, "data:", "blob:")):
            self.complain(f"foreign request: {request.url}")

    def _response(self, response):
        if response.status >= 400:
            self.complain(f"{response.status} {response.url}")

    def open(self, name, wait="load"):
        self.page.goto(self.home + name, wait_until=wait, timeout=120_000)
        return self.page


@pytest.fixture
def look(browser, address):
    """A way to open pages: ``with look(width=390, scheme="dark") as watched: watched.open("index.html")``."""

    @contextmanager
    def opened(width=1280, height=900, scheme="light", script=True, policy=True, home=address):
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme,
                                      java_script_enabled=script, bypass_csp=not policy)
        try:
            yield Watched(context.new_page(), home)
        finally:
            context.close()

    return opened
