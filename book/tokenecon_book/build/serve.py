"""Show the built site on this machine: ``python -m tokenecon_book.build.serve``."""

import argparse
import functools
import http.server
import sys
from pathlib import Path

from tokenecon import data
from tokenecon_book import served

PORTS = range(8000, 8100)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files; a line per request would bury the address."""

    def log_message(self, *_words):
        """Say nothing."""

    def send_head(self):
        """A path that no file can have is not found, as any other that is not there."""
        try:
            return super().send_head()
        except ValueError:  # a zero byte
            self.send_error(http.HTTPStatus.NOT_FOUND, "File not found")
            return None

    def send_error(self, code, message=None, explain=None):
        """Where no file is, the page that hosts show for it."""
        page = Path(self.directory) / served.NOT_FOUND
        if code != http.HTTPStatus.NOT_FOUND or not page.exists():
            super().send_error(code, message, explain)
            return
        body = page.read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def end_headers(self):
        """A rebuilt page must show at the next reload."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()


def server(folder, ports=PORTS):
    """A server of a folder on the loopback address, at the first free port."""
    handler = functools.partial(Quiet, directory=str(folder))
    for port in ports:
        try:
            return http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        except OSError:
            continue
    raise OSError(f"no port from {ports[0]} to {ports[-1]} is free; stop a server or name one with --port")


def main(arguments=None):
    """Serve the site until interrupted."""
    parser = argparse.ArgumentParser("python -m tokenecon_book.build.serve", description="Show the built site.")
    parser.add_argument("--folder", type=Path, default=data.PACKAGE.parent / "_build" / "html")
    parser.add_argument("--port", type=int, help="default: the first free one from 8000 on")
    options = parser.parse_args(arguments)
    if not (options.folder / "index.html").exists():
        print(f"error: there is no site in {options.folder}; run `make book` first", file=sys.stderr)
        return 1
    try:
        site = server(options.folder, [options.port] if options.port else PORTS)
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"the book is at http://127.0.0.1:{site.server_port}/ (Ctrl-C ends)", flush=True)
    try:
        site.serve_forever()
    except KeyboardInterrupt:
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
