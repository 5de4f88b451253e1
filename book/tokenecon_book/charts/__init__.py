"""Tidy tables in, charts and tables for the page out.  Nothing here calculates a result."""

from tokenecon_book.charts import forms, page, tables, theme
from tokenecon_book.charts.figure import FigureError, figure
from tokenecon_book.charts.glue import glue

__all__ = ["FigureError", "figure", "forms", "glue", "page", "tables", "theme"]
