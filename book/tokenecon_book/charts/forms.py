"""The chart forms the chapters share: a tidy table in, an Altair chart out.

A chart has the sentence of the finding it draws for its title (see :func:`tokenecon_book.charts.figure`).  Every form
draws a range wherever the table has ``<column>_low`` and ``<column>_high``, and answers the pointer.  Only layout
is worked out here; results come from the table.
"""

from tokenecon_book.charts.axes import axis
from tokenecon_book.charts.bars import bars, intervals, waterfall, with_textbook
from tokenecon_book.charts.frame import few, mark
from tokenecon_book.charts.heatmap import heatmap
from tokenecon_book.charts.lines import lines, scatter

__all__ = ["axis", "bars", "few", "heatmap", "intervals", "lines", "mark", "scatter", "waterfall", "with_textbook"]
