"""The pages of ``data/``: their rows, the parts of long tables, and the cards of their numbers."""
