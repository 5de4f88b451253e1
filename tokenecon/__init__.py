"""What a token costs: the formulas, the dated facts, the serving model and the decision behind the book."""

from tokenecon.errors import BadInput

__all__ = ["BadInput", "estimate"]
__version__ = "0.3.0"


def estimate(cases):
    """Predict tokens per second, latency and cost of each case: a DataFrame, or a dict of one, in; a DataFrame out.

    ``tokenecon estimate --help`` lists the columns; :mod:`tokenecon.serving.estimate` holds the code.
    """
    from tokenecon.serving.estimate import estimate as run  # pandas loads here, not on import

    return run(cases)
