"""What every page says of itself in its footer: version, date of the data, address, and how to rerun it."""

from pathlib import Path

from docutils import nodes

from tokenecon import __version__
from tokenecon_book import citations, served
from tokenecon_book.site import numbers

PICTURED = "decision"  # the page whose first chart stands for those without one
LONGEST = 300  # letters of a description: search pages cut what is longer


def is_notebook(app, docname):
    """Whether a page was made by a notebook."""
    return str(app.env.doc2path(docname)).endswith(".ipynb")


def description(app, docname, doctree):
    """What a search page says of a page: the finding of a notebook, else its first paragraph."""
    if is_notebook(app, docname):
        key = f"{docname.rpartition('/')[2]}-finding"
        found = numbers.of_page(Path(app.env.doc2path(docname)), docname)
        text = next((one["text"] for one in found if one["key"] == key), "")
    else:
        text = next((one.astext() for one in doctree.findall(nodes.paragraph)), "")
    return shortened(text) or citations.TITLE


def shortened(text):
    """As much of a text as a search page shows."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[:LONGEST].rpartition(" ")[0] + " …"


def picture(app, docname):
    """The picture by which a link to a page is shown elsewhere: its first chart, else that of :data:`PICTURED`."""
    for name in (docname, PICTURED):
        path = Path(app.srcdir) / f"{name}.ipynb"
        found = numbers.of_page(path, name) if path.exists() else []
        for one in found:
            if "title" in one:
                return {"address": f"{served.top()}figures/{one['key'].removeprefix('figure ')}.png", "title": one["title"]}
    return None


def add_to_context(app, pagename, templatename, context, doctree):
    """What the footer of every page shows."""
    context["book_version"] = __version__
    context["data_date"] = citations.data_date()
    context["book_title"] = citations.TITLE
    context["rerun"] = context["notebook"] = ""
    origin = pagename if doctree is not None and is_notebook(app, pagename) else context.get("made_by")
    if origin:
        context["rerun"] = citations.rerun_command(origin)
        context["notebook"] = f"{origin}.ipynb"
    said = context.get("said", citations.TITLE)  # by a page that no document stands behind
    context["page_description"] = shortened(said) if doctree is None else description(app, pagename, doctree)
    context["page_address"] = citations.address(pagename)
    context["picture"] = picture(app, pagename) if served.top() else None  # elsewhere only a whole address leads to it


def mark(app, config):
    """A new version or data date makes every page new."""
    config["tokenecon_stamp"] = f"{__version__} {citations.data_date()} {citations.site_url()}"


def setup(app):
    app.add_config_value("tokenecon_stamp", "", "env")
    app.connect("config-inited", mark, priority=100)
    app.connect("html-page-context", add_to_context)
