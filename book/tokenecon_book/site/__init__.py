"""The site: a Sphinx extension that Jupyter Book loads by the name ``tokenecon_book.site``."""

from tokenecon import __version__


def setup(app):
    from tokenecon_book import citations, mathml, served
    from tokenecon_book.site import assets, calculator, foot, frames, generated, search, stamp, terms
    from tokenecon_book.site.pedigree import cells, marks
    from tokenecon_book.site.rows import cards, pages
    from tokenecon_book.site.takeaway import citing, feeds, figure_pages

    for part in (mathml, stamp, generated, foot, marks, cells, calculator, frames, terms, assets, search, citing, figure_pages,
                 feeds, pages, cards, served):
        part.setup(app)
    # Jupyter Book sets this value for sphinx_comments, which we do not load.
    app.add_config_value("comments_config", {}, "html")
    app.add_config_value(citations.SETTING, "", "env")
    if address := served.top():
        app.config["html_baseurl"] = address  # each page then names its canonical address
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
