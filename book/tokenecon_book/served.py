"""What is served beside and around the pages: what they may load, the page for a wrong address, and files for hosts and machines.

:func:`finish` is the last step of a build: it reads every page, whoever made it, so that none goes out without its policy.
"""

import base64
import hashlib
import re
from html import escape
from urllib.parse import urlsplit

from tokenecon import __version__
from tokenecon.catalogue import TITLE
from tokenecon_book import citations

NOT_FOUND = "404.html"
UNLISTED = (NOT_FOUND, "search.html")  # pages that no search engine needs
# The page for a wrong address stands in any folder: it can load nothing by a relative address, so its style is in it.
STYLE = """
:root { color-scheme: light dark; --ink: #1c2128; --muted: #57606b; --ground: #fff; --link: #1a56a8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --muted: #a9b2bc; --ground: #14181e; --link: #8fbcf8; } }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1.05rem/1.55 Arial, "Liberation Sans", sans-serif; }
main { max-width: 38rem; margin: 0 auto; padding: 12vh 1.25rem 2rem; }
h1, .book { font-family: Georgia, "Liberation Serif", serif; line-height: 1.2; }
.book { font-weight: 700; } h1 { font-size: clamp(1.7rem, 6vw, 2.4rem); }
a { color: var(--link); text-underline-offset: 0.15em; } .stamp { color: var(--muted); font-size: 0.85rem; margin-top: 3rem; }
form { display: flex; flex-wrap: wrap; gap: 0.4rem 0.6rem; } label { flex: 0 0 100%; color: var(--muted); }
input { flex: 1 1 10rem; min-width: 0; padding: 0.5rem 0.7rem; border: 1px solid var(--muted); border-radius: 4px;
  background: var(--ground); color: var(--ink); font: inherit; }
button { padding: 0.5rem 1.1rem; border: 1px solid var(--link); border-radius: 4px; background: var(--link);
  color: var(--ground); font: inherit; font-weight: 700; }
"""
INLINE = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*\btype=[\"']application/json)[^>]*>(.*?)</script>\s*", re.S)
HANDLER = re.compile(r"<[a-z][^<>]*\son[a-z]+=[\"']", re.I)
CHARSET = re.compile(r"<meta charset=\"[^\"]*\" ?/?>")
CONTENT_ROOT = re.compile(r"<html[^>]*\bdata-content_root=\"([^\"]*)\"")
# What the theme and Sphinx's parts write into each page as script: all of it stands in _static/first.js.
KNOWN = ("document.documentElement.dataset.mode", "let toggle", "var togglebuttonSelector", "DOCUMENTATION_OPTIONS.")
# The theme hides what needs a script by a style in the page, for readers without script; it is put in one spelling, to be hashed.
NO_SCRIPT = re.compile(r"<noscript>\s*<style>.*?</style>\s*</noscript>", re.S)
HIDDEN = ".pst-js-only { display: none !important; }"


def digest(text):
    """A text as a policy names it: by its hash.

    >>> digest("")
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    """
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def policy():
    """What a page may load and run: files of the site, and nothing that stands in the page itself.

    ``wasm-unsafe-eval`` lets a page compile WebAssembly that the site serves, and no script.  Attributes of style are allowed:
    they draw bars and widths; a style can fetch nothing but what the rest of the policy lets it.
    """
    return "; ".join((
        "default-src 'self'", "script-src 'self' 'wasm-unsafe-eval'", f"style-src 'self' {digest(STYLE)} {digest(HIDDEN)}",
        "style-src-attr 'unsafe-inline'", "img-src 'self' data:", "object-src 'none'", "base-uri 'none'", "form-action 'self'"))


def guarded(text, name):
    """A page with its policy, without script in it; ``name`` is said in the error where the policy would break the page."""
    root = found[1] if (found := CONTENT_ROOT.search(text)) else ""
    known = [script[1].strip() for script in INLINE.finditer(text)]
    if strange := [script for script in known if not script.startswith(KNOWN)]:
        raise ValueError(f"{name} holds a script that its policy would stop: {strange[0][:80]!r}; "
                         "put it into a file of book/_static")
    if handler := HANDLER.search(re.sub(r"<script.*?</script>", "", text, flags=re.S)):
        raise ValueError(f"{name} holds a script in an attribute, which its policy would stop: {handler[0][-120:]!r}")
    text = INLINE.sub(f'<script src="{root}_static/first.js"></script>\n    ', text, count=1)
    text = INLINE.sub("", text)
    text = NO_SCRIPT.sub(f"<noscript><style>{HIDDEN}</style></noscript>", text)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy()}" />'
    marked, count = CHARSET.subn(lambda charset: f"{charset[0]}\n    {meta}", text, count=1)
    if not count:
        raise ValueError(f'{name} lacks <meta charset="utf-8"> at its head, behind which its policy is put')
    return marked


def top():
    """The address of the site's top: whole where it is set, else nothing."""
    address = citations.address("index").removesuffix("index.html")
    return address if address.startswith("http") else ""


def not_found():
    """The page for an address that leads nowhere: whole in itself, since it is shown in any folder."""
    base = urlsplit(top()).path or "/"
    links = " · ".join(f'<a href="{base}{page}.html">{words}</a>' for page, words in (
        ("index", "Front page"), ("claims", "Claims"), ("accelerators", "Accelerators"), ("numbers", "Numbers"),
        ("glossary", "Glossary")))
    return f"""<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>No page at this address - {TITLE}</title>
    <meta name="description" content="There is no page of “{TITLE}” at this address." />
    <meta name="robots" content="noindex" />
    <link rel="icon" href="data:," />
    <style>{STYLE}</style>
  </head>
  <body>
    <main>
      <p class="book">{TITLE}</p>
      <h1>There is no page at this address</h1>
      <p>Addresses of claims, facts and figures stay as they are, so there may be a slip in this one.</p>
      <form action="{base}search.html" method="get" role="search">
        <label for="q">Search for what it was about</label>
        <input id="q" name="q" type="search" /><button type="submit">Search</button>
      </form>
      <p>{links}</p>
      <p class="stamp">{TITLE}, version {__version__}, data of
      <time datetime="{citations.data_date()}">{citations.data_date()}</time>.</p>
    </main>
  </body>
</html>
"""


def headers():
    """Headers that a host sends with each file, by name."""
    return {"Content-Security-Policy": policy(), "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "strict-origin-when-cross-origin", "Access-Control-Allow-Origin": "*"}


def host_files():
    """Files by which common static hosts send the headers and the page for a wrong address: name to text."""
    missing = f"{urlsplit(top()).path or '/'}{NOT_FOUND}"
    known = headers().items()
    plain = "".join(f"  {name}: {value}\n" for name, value in known)
    apache = "".join(f'  Header set {name} "{value}"\n' for name, value in known)
    nginx = "".join(f'add_header {name} "{value}" always;\n' for name, value in known)
    kinds = "text/css text/csv text/javascript application/javascript application/json image/svg+xml"
    return {
        "_headers": f"/*\n{plain}",  # Netlify, Cloudflare Pages and others
        ".htaccess": f"ErrorDocument 404 {missing}\n<IfModule mod_headers.c>\n{apache}</IfModule>\n",  # Apache
        "nginx.conf": "# To include in the server block of the site, which also needs .mjs as text/javascript in its types.\n"
                      f"error_page 404 {missing};\ngzip on;\ngzip_types {kinds};\n{nginx}",
    }


def sitemap(folder):
    """The addresses of all pages, for search engines; needs the site's whole address."""
    pages = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))
    entries = "".join(f"  <url><loc>{escape(top() + page)}</loc><lastmod>{citations.data_date()}</lastmod></url>\n"
                      for page in pages if page not in UNLISTED)
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
            f"{entries}</urlset>\n")


def finish(folder):
    """Give every page of a finished site its policy, and put beside them what hosts and machines read."""
    (folder / NOT_FOUND).write_text(not_found(), encoding="utf-8")
    for name, text in host_files().items():
        (folder / name).write_text(text, encoding="utf-8")
    for path in sorted(folder.rglob("*.html")):
        path.write_text(guarded(path.read_text(encoding="utf-8"), path.relative_to(folder).as_posix()), encoding="utf-8")
    if top():
        (folder / "sitemap.xml").write_text(sitemap(folder), encoding="utf-8")
        (folder / "robots.txt").write_text(f"User-agent: *\nAllow: /\nSitemap: {top()}sitemap.xml\n", encoding="utf-8")
