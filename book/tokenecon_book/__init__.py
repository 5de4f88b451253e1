"""The book: what each chapter computes and draws, and how notebooks and prose become a site."""

FIGURE_TYPE = "application/vnd.tokenecon.figure+json"  # what a figure is called among a cell's outputs
VEGA_LITE_TYPE = "application/vnd.vegalite.v6+json"
