"""A memo as one HTML file: its own style, the chart as vectors, nothing from elsewhere."""

import re
from html import escape
from pathlib import Path

LINK = re.compile(r"^https?://\S+$")
DAY = re.compile(r"^\d{4}-\d\d-\d\d$")
COLOURS = {"own": "#1d5fbf", "rent by the hour": "#c25a0c", "commitment": "#8a3a8a", "API": "#0d6b4e"}
SHORT = 10  # rows of a table that stays on one page
BAR, TOP = 12, 4  # px: a bar, above the first
DRAWINGS = {"wide": (640, 38, 1), "narrow": (400, 54, 2)}  # of a desk and a phone: width, from bar to bar [px], lines of text
STYLE = Path(__file__).with_name("memo.css").read_text(encoding="utf-8")
SUM = ' class="sum"'
CLASSES = {"own": "own", "rent by the hour": "rent", "commitment": "commit", "API": "api"}


def written(blocks, day):
    """The memo as bytes; ``day`` is that of its prices."""
    title = escape(next(content for kind, content in blocks if kind == "title"))
    colours = " ".join(f".bar-{CLASSES[group]} {{ --bar: {colour} }}" for group, colour in COLOURS.items())
    style = colours + STYLE + f"@media print {{ {colours} }}"
    body = "\n".join(_block(kind, content) for kind, content in blocks)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, '
        f'initial-scale=1">\n<meta name="date" content="{escape(str(day))}">\n<title>{title}</title>\n<style>{style}</style>\n'
        f"</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    ).encode()


def _block(kind, content):
    if kind == "table":
        return _table(content)
    if kind == "chart":
        return _chart(content)
    tag = {"title": "h1", "heading": "h2", "code": "code"}.get(kind, "p")
    return f'<{tag} class="{kind}">{escape(content)}</{tag}>'


def _table(table):
    def cells(tag, values, scope=""):
        sides = [' class="r"' if place in table.right else "" for place in range(len(values))]
        return "".join(f"<{tag}{scope}{side}>{_linked(value)}</{tag}>" for side, value in zip(sides, values, strict=True))

    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    rows = "".join(f"<tr{SUM if row[0] == 'Together' else ''}>{cells('td', row)}</tr>" for row in table.rows)
    columns = "".join(f'<col style="width:{width}%">' for width in table.widths)
    heads, short = cells("th", table.heads, ' scope="col"'), " short" if len(table.rows) <= SHORT else ""
    return (
        f'<div class="scroll{short}" tabindex="0" role="region" aria-label="{escape(table.alt)}"><table>{caption}'
        f"<colgroup>{columns}</colgroup><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _linked(value):
    text = escape(value)
    if DAY.match(value):
        return f'<span class="day">{text}</span>'
    if not LINK.match(value):
        return text
    return f'<a href="{text}">{escape(value.split("://")[1].rstrip("/"))}</a>'


def _chart(chart):
    """Bars with their ranges as SVG, drawn for a desk and for a phone, of which the style shows one."""
    drawn = "".join(_drawing(chart, name, *size) for name, size in DRAWINGS.items())
    return (
        f'<figure><figcaption>{escape(chart.title)}<br><span class="subtitle">{escape(chart.subtitle)}</span></figcaption>'
        f"{drawn}</figure>"
    )


def _drawing(chart, name, width, step, lines):
    """One drawing: name and value stand above each bar."""
    most, parts = max(bar.high for bar in chart.bars), []
    for place, bar in enumerate(chart.bars, 1):
        low, middle, high = (f"{width * value / most:.1f}" for value in (bar.low, bar.middle, bar.high))
        y = TOP + place * step - BAR - 6
        value = f'x="{width}" y="{y - 5}" text-anchor="end"' if lines == 1 else f'x="0" y="{y - 5}"'
        parts.append(
            f'<g class="bar-{CLASSES[bar.group]}"><text x="0" y="{y - 5 - 16 * (lines - 1)}">{escape(bar.name)}</text>'
            f'<text {value}>{escape(bar.text)}</text><rect x="0" y="{y}" width="{middle}" height="{BAR}"/>'
            f'<path class="range" fill="none" d="M{low} {y + 2}V{y + BAR - 2}M{low} {y + BAR / 2:g}H{high}M{high} {y + 2}'
            f'V{y + BAR - 2}"/></g>'
        )
    return (
        f'<svg class="{name}" viewBox="-1 0 {width + 2} {TOP + step * len(chart.bars)}" role="img" '
        f'aria-label="{escape(chart.alt)}">{"".join(parts)}</svg>'
    )
