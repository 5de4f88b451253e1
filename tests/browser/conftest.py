"""A server on this machine over the built site, and a browser that writes down what it sees."""

import functools
import http.server
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


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and writes no log."""

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="session")
def address(site):
    """Where the site is served on loopback."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="session")
def browser(chromium):
    """Chromium without a window."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture(scope="session")
def names(site):
    """Addresses of all pages, from the top of the site; of the pages of single figures, which are alike, every twentieth."""
    own = sorted((site / "figures").glob("*.html"))
    return [path.relative_to(site).as_posix() for path in sorted({*site.rglob("*.html")} - {*own} | {*own[::20]})]


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
        self.page.goto(self.home + name, wait_until=wait)
        return self.page


@pytest.fixture
def look(browser, address):
    """A way to open pages: ``with look(width=390, scheme="dark") as watched: watched.open("index.html")``."""

    @contextmanager
    def opened(width=1280, height=900, scheme="light", script=True, policy=True):
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme,
                                      java_script_enabled=script, bypass_csp=not policy)
        try:
            yield Watched(context.new_page(), address)
        finally:
            context.close()

    return opened
