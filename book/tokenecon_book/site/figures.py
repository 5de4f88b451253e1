"""How a figure of a notebook comes into a page: a MIME plugin of MyST-NB.

Named as entry point ``myst_nb.mime_renderers`` in pyproject.toml.
"""

from docutils import nodes

from tokenecon_book import FIGURE_TYPE, VEGA_LITE_TYPE, citations
from tokenecon_book.charts import page


class FigureRenderer:
    """Writes the page's HTML of a figure; its other MIME forms are for other front ends."""

    mime_priority_overrides = (("*", FIGURE_TYPE, 1),)

    @staticmethod
    def handle_mime(renderer, data, inline):
        if data.mime_type == FIGURE_TYPE:
            env = renderer.renderer.sphinx_env
            payload = citations.payload(data.content)
            return [nodes.raw("", page.html(payload, citations.root(env.docname)), format="html")]
        if data.mime_type in (VEGA_LITE_TYPE, "image/svg+xml") and _belongs_to_figure(renderer, data):
            return []  # already in the page, inside the figure
        return None


def _belongs_to_figure(renderer, data):
    if data.output_index is None:
        return False
    _, outputs = renderer.renderer.nb_client.code_cell_outputs(data.cell_index)
    return FIGURE_TYPE in outputs[data.output_index].get("data", {})
