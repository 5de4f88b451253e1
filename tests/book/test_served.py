"""What is served around the pages: their policy, the page for a wrong address, files for hosts and search engines."""

import base64
import hashlib
import re
import xml.etree.ElementTree as tree
from types import SimpleNamespace

import jinja2
import pytest

from tokenecon_book import served
from tokenecon_book.site import stamp

PAGE = '<html data-content_root="../"><head><meta charset="utf-8" />{}</head><body></body></html>'


@pytest.fixture
def address(monkeypatch):
    monkeypatch.setenv("SITE_URL", "https://example.org/book/")


def directives():
    return {part.split()[0]: part.split()[1:] for part in served.policy().split("; ")}


def test_the_policy_lets_no_script_stand_in_a_page():
    known = directives()
    assert known["default-src"] == ["'self'"] and known["object-src"] == ["'none'"]
    assert known["script-src"] == ["'self'", "'wasm-unsafe-eval'"]
    assert "'unsafe-inline'" not in known["style-src"]


def test_every_page_has_the_policy_before_anything_that_it_loads(site):
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        found = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)"', text)
        assert found == [served.policy()], path
        first = min(text.find(sign) for sign in ("<script", "<link", "<style") if sign in text)
        assert text.index("Content-Security-Policy") < first, path
        inline = [one for one in re.findall(r"<script([^>]*)>\s*\S", text) if "src=" not in one]
        assert all('type="application/json"' in one for one in inline), (path, inline)


def test_each_style_in_a_page_is_one_that_the_policy_names_by_its_hash(site):
    allowed = set(re.findall(r"sha256-[^']+", served.policy()))
    met = set()
    for path in site.rglob("*.html"):
        for style in re.findall(r"<style[^>]*>(.*?)</style>", path.read_text(encoding="utf-8"), re.S):
            met.add("sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode())
    assert met == allowed


@pytest.mark.parametrize(("part", "said"), [
    ("<script>alert(1)</script>", "alert"), ('<script type="module">import "./x.mjs"</script>', "import"),
    ('<img src="x" onerror="alert(1)" />', "onerror"), ("<a href='#' onclick='go()'>x</a>", "onclick"),
])
def test_a_page_that_its_policy_would_break_stops_the_build(part, said):
    with pytest.raises(ValueError, match=f"economics.html holds a script.*{said}"):
        served.guarded(PAGE.format(part), "economics.html")


def test_data_in_a_page_is_no_script_and_known_scripts_move_into_a_file():
    data = '<script type="application/json" class="te-figure-spec">{"a": 1}</script>'
    text = served.guarded(PAGE.format(f"<script>let toggleHintShow = 'x';</script>{data}"), "a.html")
    assert data in text and '<script src="../_static/first.js"></script>' in text and "toggleHintShow" not in text


def links():
    """Where the page for a wrong address leads."""
    return [link for link in re.findall(r'(?:href|action)="([^"]*)"', served.not_found()) if not link.startswith("data:")]


def test_the_page_for_a_wrong_address_leads_home_from_any_depth(address):
    assert links() and all(link.startswith("/book/latest/") for link in links())


def test_without_an_address_nothing_claims_one(site, monkeypatch):
    monkeypatch.delenv("SITE_URL", raising=False)
    assert served.top() == ""
    assert links() and all(link.startswith("/") and (site / link[1:]).exists() for link in links())


def test_the_sitemap_names_each_page_by_its_whole_address(site, address):
    found = [one.text for one in tree.fromstring(served.sitemap(site)).iter() if one.tag.endswith("}loc")]
    assert "https://example.org/book/latest/cases/spotify.html" in found and len(set(found)) == len(found)
    pages = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    assert {one.removeprefix("https://example.org/book/latest/") for one in found} == pages - set(served.UNLISTED)


def test_hosts_send_the_policy_and_the_page_for_a_wrong_address(site, address):
    files = served.host_files()
    for name, text in files.items():
        assert served.policy() in text, name
        assert (site / name).exists()
    assert "ErrorDocument 404 /book/latest/404.html" in files[".htaccess"]
    assert "error_page 404 /book/latest/404.html;" in files["nginx.conf"]


def head(root, **context):
    """What the template of every page puts into its head."""
    template = jinja2.Environment(loader=jinja2.FileSystemLoader(root / "book" / "_templates")).get_template("layout.html")
    known = {"pathto": lambda path, *_: path, "book_title": "B", "page_description": 'Says "more" <b>', "title": "T <em>x</em>",
             "pagename": "hour", "root_doc": "index"}
    return "".join(template.blocks["extrahead"](template.new_context(known | context)))


def test_a_link_to_a_page_is_shown_with_title_sentence_and_picture(root):
    text = head(root, pageurl="https://example.org/book/latest/hour.html",
                picture={"address": "https://example.org/book/latest/figures/hour-parts.png", "title": "Parts & all"})
    said = dict(re.findall(r'<meta (?:property|name)="((?:og|twitter):[^"]*)" content="([^"]*)" />', text))
    assert said["og:title"] == "T x" and said["og:description"] == "Says &#34;more&#34; &lt;b&gt;"
    assert said["og:url"] == "https://example.org/book/latest/hour.html" and said["og:type"] == "article"
    assert said["og:image"] == "https://example.org/book/latest/figures/hour-parts.png"
    assert said["og:image:alt"] == "Parts &amp; all"
    assert said["twitter:card"] == "summary_large_image"
    bare = head(root)
    assert "og:title" in bare and "og:url" not in bare and "og:image" not in bare


def test_the_picture_of_a_page_is_its_first_chart(site, address):
    app = SimpleNamespace(srcdir=site.parent / "book")
    first = re.search(r'<figure class="te-figure" id="fig-([^"]+)"', (site / "hour.html").read_text(encoding="utf-8"))[1]
    assert stamp.picture(app, "hour")["address"] == f"https://example.org/book/latest/figures/{first}.png"
    assert (site / "figures" / f"{first}.png").exists()
    assert stamp.picture(app, "glossary") == stamp.picture(app, "decision")
