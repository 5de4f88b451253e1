"""`make serve`: the site on the loopback address, at a port that is free."""

import socket
import threading
import urllib.error
import urllib.request

import pytest

from tokenecon_book.build import serve


def test_it_serves_on_loopback_at_the_first_free_port(tmp_path):
    (tmp_path / "index.html").write_text("the book")
    (tmp_path / "charts.mjs").write_text("export {}")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = taken.getsockname()[1]
        site = serve.server(tmp_path, range(busy, busy + 50))
        with site:
            assert site.server_address[0] == "127.0.0.1"
            assert site.server_port > busy
            threading.Thread(target=site.serve_forever, daemon=True).start()
            with urllib.request.urlopen(f"http://127.0.0.1:{site.server_port}/") as answer:
                assert answer.read() == b"the book"
            with urllib.request.urlopen(f"http://127.0.0.1:{site.server_port}/charts.mjs") as answer:
                assert "javascript" in answer.headers["Content-Type"]  # else a browser refuses the module
            with pytest.raises(urllib.error.HTTPError, match="404"):  # no file can have a zero byte in its name
                urllib.request.urlopen(f"http://127.0.0.1:{site.server_port}/%00")
            (tmp_path / "404.html").write_text("no page at this address")
            with pytest.raises(urllib.error.HTTPError, match="404") as missing:
                urllib.request.urlopen(f"http://127.0.0.1:{site.server_port}/cases/deep/nowhere.html")
            assert missing.value.read() == b"no page at this address"
            site.shutdown()
        with pytest.raises(OSError, match="--port"):
            serve.server(tmp_path, [busy])


def test_without_a_site_it_says_what_to_do(tmp_path, capsys):
    assert serve.main(["--folder", str(tmp_path)]) == 1
    assert "run `make book` first" in capsys.readouterr().err
