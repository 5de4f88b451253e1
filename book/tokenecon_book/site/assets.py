"""Files that the site serves beside its pages: made at build time, none fetched, none committed.

The theme brings half a megabyte of icon script, icon fonts and source maps; they go, and the
dozen icons that the pages show are drawn in ``book/_static/icons.css``.
"""

import importlib.resources
import re
import shutil
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

# What a formula of this book can hold: Latin, Greek, their italics, and the common signs.  A sign that
# is not here is shown in the reader's own font.
MATH_RANGES = ((0x20, 0x7E), (0xA0, 0xB1), (0x391, 0x3F5), (0x1D434, 0x1D467), (0x1D6FC, 0x1D71B))
MATH_SIGNS = "×÷·…′″−∗∘√∑∏∫∂∞∈∉∝≈≠≡≤≥≪≫≲≳∀∃∪∩⊂⊆→←⇒⇔↦⌈⌉⌊⌋⟨⟩‖∥∣⋅⏞⏟¯ˆ˜̂̄̃\u2061\u2062\u2063ℎℓ"
FONT_NAME = "stix-two-math.woff2"


def math_font(target):
    """Write the part of STIX Two Math that formulas need; the font comes inside the package ziamath."""
    options = subset.Options(flavor="woff2", layout_features=["kern", "ccmp"], notdef_outline=True)
    source = importlib.resources.files("ziamath") / "fonts" / "STIXTwoMath-Regular.ttf"
    with importlib.resources.as_file(source) as path:
        font = TTFont(path, recalcTimestamp=False)
        subsetter = subset.Subsetter(options)
        codes = [code for low, high in MATH_RANGES for code in range(low, high + 1)]
        subsetter.populate(unicodes=codes, text=MATH_SIGNS)
        subsetter.subset(font)
        font.flavor = "woff2"
        target.parent.mkdir(parents=True, exist_ok=True)
        font.save(target)


def without_icon_font(css):
    """A style sheet of the theme without the rules and the faces of FontAwesome."""
    css = re.sub(r"@font-face\{[^}]*Font ?Awesome[^}]*\}", "", css, flags=re.I)
    css = re.sub(r"(?<=[};{/])(?:\.fa[bdrs]?(?:-[a-z0-9-]+)?(?::before|:after|>li)?,?)+\{[^{}]*\}", "", css)
    return without_map(css)


def without_map(text):
    """A script or style sheet without the line that points to its source map."""
    return re.sub(r"\n?(//[#@]|/\*[#@]) ?sourceMappingURL=[^\n*]*(\*/)?\s*$", "", text)


def write_if_changed(path, text):
    """Write a text file, but leave an equal one alone so that nothing looks newer than it is."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return True


def tidy(static):
    """Take out of ``_static`` what the theme brings and no page uses."""
    for path in static.rglob("*.map"):
        path.unlink()
    for name in ("scripts/fontawesome.js", "scripts/fontawesome.js.LICENSE.txt"):
        (static / name).unlink(missing_ok=True)
    for path in (*static.glob("*.html"), *static.glob("images/logo_*")):
        path.unlink()
    for name in ("vendor/fontawesome", "locales"):
        shutil.rmtree(static / name, ignore_errors=True)
    for path in (static / "styles").glob("*.css"):
        write_if_changed(path, without_icon_font(path.read_text(encoding="utf-8")))
    for path in (static / "scripts").glob("*.js"):
        write_if_changed(path, without_map(path.read_text(encoding="utf-8")))


# What the theme writes into every page, and what stands there instead.
REPAIRS = (
    # "auto" has no colours in the style sheets: without script a page would have none.  The page's own
    # script, where it runs, puts the reader's choice in its place.
    (' data-theme="auto"', ' data-theme="light"'),
    # Names for screen readers: of the arrows in the contents, and of folded code, which shows its name.
    (
        '<summary><span class="toctree-toggle"',
        '<summary aria-label="Pages below"><span class="toctree-toggle"',
    ),
    ('<summary aria-label="Toggle hidden content">', "<summary>"),
)

# Jupyter Book loads every script of _static; the first is put at the head of each page by tokenecon_book.served.
FIRST = re.compile(r'\s*<script src="[^"]*_static/first\.js[^"]*"></script>')
# A script that a page waits for before it shows anything; all of them wait for the whole page themselves.
WAITING = re.compile(r'<script (?=(?:data-[^ >]* )*src="[^"]*_static/)')


def repair(folder):
    """Mend in the finished pages what no option and no template of the theme reaches."""
    for path in folder.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for old, new in REPAIRS:
            text = text.replace(old, new)
        text = WAITING.sub("<script defer ", FIRST.sub("", text))
        write_if_changed(path, text)


def finish(app, exception):
    if exception is not None or app.builder.name != "html":
        return
    from tokenecon_book.charts import page

    static = Path(app.outdir) / "_static"
    tidy(static)
    repair(Path(app.outdir))
    write_if_changed(static / "vega-bundle.mjs", page.vega_bundle())
    if not (static / "fonts" / FONT_NAME).exists():
        math_font(static / "fonts" / FONT_NAME)


def setup(app):
    app.connect("build-finished", finish)
