"""What a reader takes away from an executed notebook: the files of its figures, and a page in one file."""

import json

from tokenecon_book import FIGURE_TYPE, citations


def figures(notebook):
    """The MIME bundles of a notebook's figures by figure id, in order; a repeated id is an error."""
    found = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            bundle = output.get("data", {})
            if FIGURE_TYPE in bundle:
                name = bundle[FIGURE_TYPE]["id"]
                if name in found:
                    raise ValueError(f"figure id '{name}' is used twice in one notebook; rename one")
                found[name] = bundle
    return found


def write_figures(notebook, folder, kinds=("csv", "svg", "png", "json"), metadata=None):
    """Write ``<id>.csv``, ``.svg``, ``.png`` and ``.json`` of every figure; give back the paths."""
    written = []
    for name, bundle in figures(notebook).items():
        from tokenecon_book.charts import page  # late: a notebook without figures needs no Altair

        for kind, content in page.files(bundle, metadata or {}).items():
            if kind in kinds:
                path = folder / f"{name}.{kind}"
                path.write_bytes(content)
                written.append(path)
    return written


def stamp_figure(path, page):
    """The metadata of a figure with what only the site knows: version, data date, address, citation."""
    from tokenecon import __version__

    facts = json.loads(path.read_text(encoding="utf-8"))
    facts |= {
        "version": __version__,
        "data_date": citations.data_date(),
        "page": citations.address(page, f"#fig-{facts['id']}"),
        "citation": citations.figure(facts["id"], facts["title"])["text"],
    }
    return json.dumps(facts, indent=1, ensure_ascii=False) + "\n"
