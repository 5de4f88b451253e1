"""What a token costs: formulas, dated facts and the analyses behind the book."""

__version__ = "0.1.0"


class BadInput(ValueError):
    """Something a user gave is not allowed; the message is one sentence that says what is."""
