"""Each page of the built site as a PDF: ``python -m tokenecon_book.site.takeaway.paper [PAGE …]``, which `make pdf` runs."""

import argparse
import sys
import threading
from pathlib import Path

from playwright.sync_api import sync_playwright

from tokenecon import data, files
from tokenecon.errors import BadInput
from tokenecon.output import memo_pdf
from tokenecon_book import served
from tokenecon_book.build import serve

ANY_PORT = (0,)


def pages(site, wanted=()):
    """Addresses of the pages that are asked for, or of all; one sentence for one that the site has not."""
    known = sorted({path.relative_to(site).as_posix() for path in site.rglob("*.html")} - {served.NOT_FOUND})
    if not known:
        raise BadInput(f"there is no site in {site}; run `make book` first")
    for name in wanted:
        if name not in known:
            raise BadInput(f"the site has no page '{name}'; a page is named by its address, such as decision.html")
    return list(wanted) or known


def printed(site, folder, names):
    """Print pages of a site into a folder, under their own names, and say each; without scripts: a page holds its pictures."""
    program = memo_pdf.first(*memo_pdf.BROWSERS)
    if program is None:
        raise BadInput("a page is printed by Chromium, and none is on the path; install one, or name it with CHROME=/path")
    server = serve.server(site, ANY_PORT)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_context(java_script_enabled=False).new_page()
            for name in names:
                page.goto(f"http://127.0.0.1:{server.server_port}/{name}")
                target = (folder / name).with_suffix(".pdf")
                target.parent.mkdir(parents=True, exist_ok=True)
                with files.replaced(target, binary=True) as file:
                    file.write(page.pdf(prefer_css_page_size=True, tagged=True, outline=True))
                yield target
            browser.close()
    finally:
        server.shutdown()
        server.server_close()


def main(arguments=None):
    """Print the pages that are named, or all."""
    parser = argparse.ArgumentParser("python -m tokenecon_book.site.takeaway.paper", description="Print the site as PDF.")
    parser.add_argument("pages", nargs="*", help="such as decision.html; all where none is named")
    parser.add_argument("--site", type=Path, default=data.PACKAGE.parent / "_build" / "html")
    parser.add_argument("-o", "--output", type=Path, default=data.PACKAGE.parent / "_build" / "pdf")
    options = parser.parse_args(arguments)
    try:
        names = pages(options.site, options.pages)
        for target in printed(options.site, options.output, names):
            print(target, flush=True)
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
