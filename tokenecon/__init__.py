"""What a token costs: formulas, dated facts and the analyses behind the book."""

__version__ = "0.3.0"


class BadInput(ValueError):
    """Something a user gave is not allowed; the message is one sentence that says what is."""


def estimate(cases):
    """Predict tokens per second, latency and cost of each case: a DataFrame, or a dict of one, in; a DataFrame out.

    ``tokenecon estimate --help`` lists the columns; :mod:`tokenecon.analysis.estimate` holds the code.
    """
    from tokenecon.analysis.estimate import estimate as run  # pandas loads here, not on import

    return run(cases)
