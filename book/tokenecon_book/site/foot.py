"""The foot of a page that a notebook made: how it was made, folded, so that nothing of it stands between two sentences.

A notebook shows its parameters, its code and its sources where they arise.  The page takes them to its last section: the
parameters as a table, all code in one fold, the sources as one numbered list, then version and date.
"""

from html import escape

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform

from tokenecon import __version__, data
from tokenecon_book import citations
from tokenecon_book.charts import tables
from tokenecon_book.site import frames, parts
from tokenecon_book.site.tables import breakable

TITLE = "How this page was made"
WAS = "Sources and rerun"  # what a notebook calls its last section
WORDS = "The code of this page"
DEFAULTS = ("assumptions", "traces", "claims")  # tables whose rows are defaults of parameters


class Title(SphinxTransform):
    """Names the last section by what the page puts there, before the contents are made of the titles."""

    default_priority = 800

    def apply(self, **kwargs):
        for section in self.document.findall(nodes.section):
            if section[0].astext() == WAS:
                section[0].children = [nodes.Text(TITLE)]


class Foot(SphinxPostTransform):
    """Takes parameters, code and sources to the end of the page."""

    default_priority = 198  # after the outputs were chosen, just before MyST-NB folds the code of each cell by itself
    formats = ("html",)

    def run(self, **kwargs):
        code = HideCodeCellNode(prompt_show=WORDS, prompt_hide=WORDS, classes=["page-code"])
        for cell in list(self.document.findall(nodes.container)):
            if cell.get("nb_element") == "cell_code" and cell.get("hide_mode") == "input" and cell.children:
                del cell["hide_mode"]
                if cell.children[0].get("nb_element") == "cell_code_source":
                    code.append(_taken(cell.children[0]))
        if not code.children:
            return
        root = citations.root(self.env.docname)
        parts = [self._part("Parameters of this page", parameters, root), code, self._part("Sources", sources, root),
                 nodes.raw("", version(self.env.docname, root), format="html")]
        sections = [one for one in self.document.findall(nodes.section) if isinstance(one.parent, nodes.document)]
        named = [one for one in self.document.findall(nodes.section) if one[0].astext() == TITLE]
        (named or sections or [self.document])[-1].extend(part for part in parts if part is not None)

    def _part(self, caption, make, root):
        """The table of a caption, taken from the page and made anew for its foot; nothing where the page has none."""
        for output in list(self.document.findall(nodes.raw)):
            if f"<caption>{caption}</caption>" in output.astext():
                return nodes.raw("", make(_taken(output).astext(), root), format="html")
        return None


def _taken(node):
    """A node without its place in the page, nor the cell around it that is now empty."""
    parent = node.parent
    parent.remove(node)
    if isinstance(parent, nodes.container) and not parent.children:
        _taken(parent)
    return node


def _rows(html):
    """The cells of the rows of a table, each row a list of HTML."""
    return [[cell for *_, cell in frames.CELL.findall(row)] for _, row in frames.ROW.findall(html.partition("<tbody>")[2])]


def parameters(html, root):
    """The parameters of a page as a folded table, from that of the notebook: what each means comes before its value."""
    heads = ("Name", "Meaning", "Value", "Unit", "Where from")
    body, rows = "", _rows(html)
    for name, value, unit, meaning, origin in rows:
        cells = (meaning, f"<strong>{value}</strong>" if value != "–" else value, unit, where(frames.words(origin), root))
        said = "".join(f"<td>{cell}</td>" for cell in cells)
        body += f'<tr><th scope="row"><code>{breakable(frames.words(name))}</code></th>{said}</tr>\n'
    head = "".join(f'<th scope="col">{one}</th>' for one in heads)
    table = tables.framed(f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>", "Parameters of this page")
    return tables.fold("1 parameter" if len(rows) == 1 else f"{len(rows)} parameters", table)


def where(origin, root):
    """Where a default is from: a link to its row of ``data/``, the place in a scenario, or the page itself."""
    if origin == "–":
        return "this page"
    for table in DEFAULTS:
        if origin in data.ids(table):
            return f'<a href="{root}{escape(parts.address(table, origin))}">{breakable(origin)}</a>'
    return f"scenario {breakable(origin)}"


def sources(html, root):
    """The sources of a page as a folded, numbered list, from the table that the notebook shows."""
    items = ""
    for title, *others in _rows(html):
        publisher, published, licence = (f"{other}. " if other != "–" else "" for other in others)
        items += f"<li>{publisher}{title}. {published}{licence.strip()}</li>\n"
    count = items.count("<li>")
    said = "1 source" if count == 1 else f"{count} sources"
    return f'<details class="te-fold page-sources"><summary>{said}</summary>\n<ol>\n{items}</ol></details>'


def version(docname, root):
    """The command that reruns a page, its version and date, and the notebook as it was run."""
    return (f'<p class="page-version">Rerun: <code>{citations.rerun_command(docname)}</code>, with <code>-p NAME VALUE</code> '
            f'for other parameters (<a href="{root}rerun.html">how</a>). Version {__version__}, data of {citations.data_date()}. '
            f'<a href="{root}_sources/{docname}.ipynb" download>The notebook as run</a>.</p>')


def setup(app):
    app.add_transform(Title)
    app.add_post_transform(Foot)
