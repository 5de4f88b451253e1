"""The site: a Sphinx extension that Jupyter Book loads by the name ``tokenecon_book.site``."""

from tokenecon import __version__


def setup(app):
    from tokenecon_book import citations, mathml
    from tokenecon_book.site import assets, foot, generated, stamp
    from tokenecon_book.site.takeaway import citing, feeds, figure_pages

    for part in (mathml, stamp, generated, foot, assets, citing, figure_pages, feeds):
        part.setup(app)
    # Jupyter Book sets this value for sphinx_comments, which we do not load.
    app.add_config_value("comments_config", {}, "html")
    app.add_config_value(citations.SETTING, "", "env")
    if address := citations.site_url():
        # Both need to know where the book will be served.
        app.config["html_baseurl"] = app.config["ogp_site_url"] = f"{address}/{citations.LATEST}/"
        app.setup_extension("sphinx_sitemap")
        app.setup_extension("sphinxext.opengraph")
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
