"""The foot of a page that a notebook made: all of its code in one fold, so that nothing of it stands between two sentences."""

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.transforms.post_transforms import SphinxPostTransform

WORDS = "Show the code of this page"


class OneFold(SphinxPostTransform):
    """Takes the code of every cell that hides it to the end of the page."""

    default_priority = 198  # just before MyST-NB folds each by itself
    formats = ("html",)

    def run(self, **kwargs):
        fold = HideCodeCellNode(prompt_show=WORDS, prompt_hide=WORDS, classes=["page-code"])
        for cell in list(self.document.findall(nodes.container)):
            if cell.get("nb_element") == "cell_code" and cell.get("hide_mode") == "input" and cell.children:
                del cell["hide_mode"]
                code = cell.children[0]
                if code.get("nb_element") == "cell_code_source":
                    cell.remove(code)
                    fold.append(code)
                if not cell.children:
                    cell.parent.remove(cell)
        if fold.children:
            sections = [one for one in self.document.findall(nodes.section) if isinstance(one.parent, nodes.document)]
            (sections[-1] if sections else self.document).append(fold)


def setup(app):
    app.add_post_transform(OneFold)
