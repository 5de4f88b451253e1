"""The verbs that the book adds to the command; named as entry points ``tokenecon.verbs`` in pyproject.toml."""

from pathlib import Path
from typing import Annotated

import typer

from tokenecon.errors import BadInput
from tokenecon_book.build import notebooks, progress


def run(
    notebook: Annotated[str, typer.Argument(help="A name of `tokenecon list notebooks`, or an .ipynb file.")],
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", "--parameter", metavar="NAME VALUE", help="One parameter; repeat for more."),
    ] = None,
    file: Annotated[Path | None, typer.Option("-f", "--file", help="YAML lines `name: value`.")] = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder for what comes out.")] = Path("out"),
):
    """Run a notebook with your own numbers.

    Writes the executed notebook, a page in one file, and the data of its figures.  The names carry a hash
    of the parameters, so two runs with different numbers never overwrite each other.

    Example: `tokenecon run hardware -p model llama-3.1-70b -p gpus h100-sxm-80gb,h200-sxm-141gb -o out`
    """
    from tokenecon_book.build import rerun

    rerun.check_installed("`tokenecon run`")
    try:
        paths = rerun.rerun(notebook, file, parameter or [], out)
    except notebooks.NotebookFailed as failed:
        if failed.refusal:
            raise BadInput(f"{failed.notebook}: {failed.refusal}") from failed
        progress.failure(failed.notebook, failed)
        raise typer.Exit(1) from failed
    for path in paths:
        print(path)


def cite(
    what: Annotated[str, typer.Argument(
        metavar="FIGURE|CLAIM|FACT|SCENARIO", help="Id of a figure, a claim, any row of data/; a scenario's name or file.")],
    form: Annotated[str, typer.Option(
        "--format", metavar="text|bibtex|ris|csl", help="Prose, or for a reference manager.")] = "text",
):
    """Print how to cite a figure, a claim, a fact with its sources, or what a scenario gives: with version, date and address.

    Example: `tokenecon cite h200-sxm-141gb.bandwidth --format bibtex`
    """
    from tokenecon_book import citations
    from tokenecon_book.build import catalogue

    if form not in catalogue.FORMS:
        raise BadInput(f"format '{form}' is not known; allowed are {', '.join(catalogue.FORMS)}")
    print(citations.together(catalogue.cited(what), form))
