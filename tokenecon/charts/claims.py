"""Figures of the ledger of claims, and the list of claims that each chapter shows."""

import altair as alt

from tokenecon.charts import theme
from tokenecon.charts.forms import axis, bars, intervals, mark
from tokenecon.charts.ledger import VERDICTS
from tokenecon.charts.page import escape
from tokenecon.charts.tables import Html, framed

# Verdict -> colour: green, orange and red for what was checked, grey and pale blue for what could not be.
COLOURS = dict(zip(VERDICTS, (theme.PALETTE[2], theme.PALETTE[1], theme.PALETTE[4], theme.PALETTE[5],
                              theme.SEQUENTIAL[1]), strict=True))


def in_colours(chart):
    """The chart with its verdicts in the colours of this module."""
    for layer in chart.layer:
        if isinstance(layer.mark, alt.MarkDef) and layer.mark.type == "bar":
            layer.encoding.color["scale"] = alt.Scale(domain=list(COLOURS), range=list(COLOURS.values()))
    return chart


def by_section(table):
    """Claims of each section by verdict."""
    return in_colours(bars(table, axis("claims", "Claims", "count"), "section", "verdict", order=list(VERDICTS)))


def by_tolerance(table):
    """All claims by verdict, over the tolerance of the rule."""
    return in_colours(bars(table, axis("claims", "Claims", "count"), "tolerance", "verdict", order=list(VERDICTS)))


def printed_over_recomputed(table):
    """Printed over recomputed figure, one row a contradicted claim, on a log axis."""
    ratio = axis("ratio", "Printed over recomputed", "ratio", log=True)
    return intervals(table, ratio, "claim", marks=[mark("x", 1.0, "as printed")])


def listed(table, caption, root=""):
    """The claims that a page discusses, each with its verdict and a link to its place in the ledger.

    ``table`` has the columns id, statement, verdict and assumption; ``root`` is the way to the top of the site.
    """
    rows, lines = "", [caption]
    for row in table.to_dict("records"):
        slug, words = VERDICTS[row["verdict"]]
        name, more = escape(row["id"]), f" ({escape(row['assumption'])})" if slug == "assumption" else ""
        rows += (f'<tr><th scope="row"><a href="{root}claims.html#{name}">{name}</a></th><td>{escape(row["statement"])}</td>'
                 f'<td><span class="verdict verdict-{slug}">{words}</span>{more}</td></tr>\n')
        lines.append(f"{row['id']} | {row['statement']} | {row['verdict']}")
    heads = "".join(f'<th scope="col">{title}</th>' for title in ("Claim", "What the documents say", "Verdict"))
    return Html(framed(f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>", caption), "\n".join(lines))
