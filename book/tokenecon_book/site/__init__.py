"""The site: a Sphinx extension that Jupyter Book loads by the name ``tokenecon_book.site``."""

import os

from tokenecon import __version__


def setup(app):
    from tokenecon_book import mathml
    from tokenecon_book.site import assets, foot, generated, marks, stamp

    for part in (mathml, stamp, generated, foot, marks, assets):
        part.setup(app)
    # Jupyter Book sets this value for sphinx_comments, which we do not load.
    app.add_config_value("comments_config", {}, "html")
    if address := os.environ.get("BOOK_URL"):
        # Both need to know where the book will be served.
        app.config["html_baseurl"] = app.config["ogp_site_url"] = address.rstrip("/") + "/"
        app.setup_extension("sphinx_sitemap")
        app.setup_extension("sphinxext.opengraph")
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
