"""How the book, a figure and a claim are cited: the address is whole and of one version, or the citation says that it is not."""

import json
import re

import pytest

from tokenecon import __version__
from tokenecon.errors import BadInput
from tokenecon_book import citations


@pytest.fixture
def placed(monkeypatch):
    """The site has an address."""
    monkeypatch.setenv("SITE_URL", "https://example.org/book/")


@pytest.fixture
def unplaced(monkeypatch):
    """The site has none."""
    monkeypatch.delenv("SITE_URL", raising=False)
    monkeypatch.setattr(citations, "_configured", lambda path: "")


def test_an_address_is_whole_and_of_a_version(placed):
    assert citations.versioned("claims.html#a") == f"https://example.org/book/v{__version__}/claims.html#a"
    assert citations.versioned("x.csv", "1.0") == "https://example.org/book/v1.0/x.csv"
    assert citations.address("cases/spotify", "#fig") == "https://example.org/book/latest/cases/spotify.html#fig"


def test_without_an_address_of_the_site_it_is_relative(unplaced):
    assert citations.versioned("claims.html") == f"v{__version__}/claims.html"
    assert citations.address("economics") == "economics.html"


def test_the_setting_is_read_from_the_repository_s_own_file(tmp_path, monkeypatch):
    monkeypatch.delenv("SITE_URL", raising=False)
    assert citations.site_url(tmp_path) == ""
    other = tmp_path / "other"
    other.mkdir()
    (other / "_config.yml").write_text("title: a\nsphinx:\n  config:\n    tokenecon_site_url: http://example.org/x/\n")
    assert citations.site_url(other) == "http://example.org/x"
    monkeypatch.setenv("SITE_URL", "https://example.org/y")
    assert citations.site_url(other) == "https://example.org/y"


@pytest.mark.parametrize("address", ["example.org/book", "ftp://example.org", "https://", "https://example.org/?a=1",
                                     "https://example.org/#a", "https://example.org/a b", 'https://example.org/"><script>'])
def test_an_address_that_is_none_is_refused(monkeypatch, address):
    monkeypatch.setenv("SITE_URL", address)
    with pytest.raises(BadInput, match="tokenecon_site_url is"):
        citations.site_url()


def test_the_citation_of_a_figure_is_whole(placed):
    cited = citations.figure("spotify-cost", "Transcripts cost 28% less & {more}.")
    place = f"https://example.org/book/v{__version__}/figures/spotify-cost.html"
    assert cited["text"].startswith("“Transcripts cost 28% less & {more}”, figure spotify-cost in: What a token costs, version ")
    assert place in cited["text"]
    assert cited["bibtex"].startswith("@misc{tokenecon-spotify-cost,\n")
    assert r"{{Transcripts cost 28\% less \& \{more\}}}" in cited["bibtex"]
    assert re.search(rf"url +=? *= {{{re.escape(place)}}}", cited["bibtex"])
    assert cited["bibtex"].count("{") - cited["bibtex"].count(r"\{") == cited["bibtex"].count("}") - cited["bibtex"].count(r"\}")
    (entry,) = json.loads(cited["csl"])
    assert entry["URL"] == place and entry["title"] == "Transcripts cost 28% less & {more}" and entry["type"] == "graphic"
    assert len(entry["issued"]["date-parts"][0]) == 3 and entry["version"] == __version__


def test_the_citation_of_a_claim_leads_to_its_line(placed):
    assert f"/v{__version__}/claims.html#hw-h100-bandwidth" in citations.claim("hw-h100-bandwidth", "It is 3.35 TB/s.")["text"]


def test_a_citation_without_address_has_no_empty_field(unplaced):
    for cited in (citations.book(), citations.claim("a-b", "A statement.")):
        assert f" v{__version__}/" in cited["text"]
        assert "url" not in cited["bibtex"] and "URL" not in cited["csl"]
