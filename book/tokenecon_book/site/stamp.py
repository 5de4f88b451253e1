"""What every page says of itself in its footer: version, date of the data, address, and how to rerun it."""

import os

from tokenecon import __version__
from tokenecon_book import citations


def is_notebook(app, docname):
    """Whether a page was made by a notebook."""
    return str(app.env.doc2path(docname)).endswith(".ipynb")


def add_to_context(app, pagename, templatename, context, doctree):
    """What the footer of every page shows."""
    context["book_version"] = __version__
    context["data_date"] = citations.data_date()
    context["book_title"] = citations.TITLE
    context["rerun"] = context["notebook"] = ""
    if doctree is not None and is_notebook(app, pagename):
        context["rerun"] = citations.rerun_command(pagename)
        context["notebook"] = f"{pagename}.ipynb"
    context["page_address"] = citations.address(pagename)


def mark(app, config):
    """A new version or data date makes every page new."""
    config["tokenecon_stamp"] = f"{__version__} {citations.data_date()} {os.environ.get('BOOK_URL', '')}"


def setup(app):
    app.add_config_value("tokenecon_stamp", "", "env")
    app.connect("config-inited", mark, priority=100)
    app.connect("html-page-context", add_to_context)
