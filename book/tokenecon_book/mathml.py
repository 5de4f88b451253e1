"""Mathematics as MathML, made while the book is built: no script, no request.

A formula that latex2mathml does not understand leaves its command, backslash and all, in the
text.  Such a page is wrong, so the build stops and names the formula.
"""

import re
from html import unescape

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.errors import ExtensionError

# What latex2mathml lacks or browsers read differently: (pattern, instead), on the source ...
SOURCE = (
    (re.compile(r"\\arg\b"), r"\\operatorname{arg}"),
    # A subscript of several letters is a label, not a product: it stands upright.
    (re.compile(r"_\{([A-Za-z]{2,})\}"), r"_{\\mathrm{\1}}"),
)
# ... and on the result.
UPRIGHT = re.compile(r'(?:<mi mathvariant="normal">[^<]+</mi>){2,}')
SPACES = {"negativethinmathspace": "-0.167em"}


def mathml(latex, display):
    """One formula as MathML; ``display`` is "inline" or "block".

    >>> mathml("a^2", "inline").startswith("<math")
    True
    """
    source = latex.strip()
    for pattern, instead in SOURCE:
        source = pattern.sub(instead, source)
    try:
        markup = convert(source, display=display)
    except Exception as error:
        raise ExtensionError(f"cannot set the formula {latex!r} as MathML: {error!r}") from error
    text = unescape(re.sub(r"<[^>]+>", "", markup))
    if "\\" in text:
        raise ExtensionError(
            f"the formula {latex!r} holds a command that latex2mathml does not know (left over: {text!r})"
        )
    markup = UPRIGHT.sub(lambda found: "<mi>" + re.sub(r"<[^>]+>", "", found.group()) + "</mi>", markup)
    for name, width in SPACES.items():
        markup = markup.replace(f'width="{name}"', f'width="{width}"')
    # The source stays at hand for copying and for readers of the page's text.
    note = (
        latex.strip().replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    )
    return markup.replace("<math ", f'<math alttext="{note}" ', 1)


def visit_inline(translator, node):
    translator.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def visit_block(translator, node):
    # By the second class the theme knows what may scroll, and lets a keyboard reach it where it does.
    translator.body.append(translator.starttag(node, "div", CLASS="math-block pst-scrollable-table-container"))
    # A blank line separates equations, as in Sphinx's own renderers.
    for part in node.astext().split("\n\n"):
        if part.strip():
            translator.body.append(mathml(part, "block"))
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer(
        "mathml", inline_renderers=(visit_inline, None), block_renderers=(visit_block, None)
    )
