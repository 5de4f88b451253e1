"""What a token costs: formulas, dated facts and the analyses behind the book."""

__version__ = "0.1.0"
