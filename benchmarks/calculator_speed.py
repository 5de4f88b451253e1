"""How long the calculator of the built site takes in Chromium: from the first touch, for a change, over all accelerators.

``python benchmarks/calculator_speed.py``, after ``make book``; CHROME names a browser.
"""

import functools
import http.server
import sys
import threading
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from tokenecon.output import memo_pdf

SITE = Path(__file__).resolve().parent.parent / "_build" / "html"
DONE = ("(before) => { const one = document.querySelector('[data-calculator]').dataset;"
        " return !one.busy && one.answered > before; }")
CHANGES = ("3000", "2500", "1800", "4200", "900")  # input tokens
WAIT_S, POLL_MS = 120, 5


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and writes no log."""

    def log_message(self, *arguments):
        pass


def answered(page, act):
    """Seconds from an act to the whole answer."""
    before = page.evaluate("() => Number(document.querySelector('[data-calculator]').dataset.answered || 0)")
    started = time.perf_counter()
    act()
    while not page.evaluate(DONE, before):  # Playwright's own way of waiting is eval, which the policy of the pages forbids
        if time.perf_counter() - started > WAIT_S:
            raise TimeoutError(f"no answer within {WAIT_S} s")
        page.wait_for_timeout(POLL_MS)
    return time.perf_counter() - started


def main():
    chrome = memo_pdf.first(*memo_pdf.BROWSERS)
    if not chrome or not (SITE / "calculator.html").exists():
        print("calculator: no Chromium, or no site; install one and run `make book`")
        return 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(SITE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chrome, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/calculator.html")
        first = answered(page, lambda: page.locator("#calc-gpus").select_option("h100-sxm-80gb"))
        changes = [answered(page, lambda value=value: page.locator("#calc-isl").fill(value)) for value in CHANGES]
        every = answered(page, lambda: page.locator("#calc-gpus").select_option("all"))
        browser.close()
    server.shutdown()
    middle = sorted(changes)[len(changes) // 2]
    print(f"calculator: first touch to first result {first:.2f} s; a change on one accelerator {1000 * middle:.0f} ms; "
          f"all accelerators {every:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
