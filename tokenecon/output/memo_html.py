"""A memo as one HTML file: its own style, the chart as vectors, nothing from elsewhere."""

import re
from html import escape

LINK = re.compile(r"^https?://\S+$")
COLOURS = {"own": "#1d5fbf", "rent by the hour": "#c25a0c", "commitment": "#8a3a8a", "API": "#0d6b4e"}
WIDE, BAR, STEP, TOP = 640, 12, 38, 8  # px: the drawing, a bar, from bar to bar, above the first
STYLE = """
:root { --ink: #1c2128; --muted: #57606b; --line: #cfd6de; --ground: #fff; --raised: #f1f5fa; --accent: #1d5fbf; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --muted: #a9b2bc; --line: #3d4651; --ground: #14181e; --raised: #1f252d;
  --accent: #7db2f5; } .bar-own { --bar: #7db2f5 } .bar-rent { --bar: #f2a365 } .bar-commit { --bar: #d59ad5 } .bar-api { --bar: #5fd0a5 } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 48rem; background: var(--ground); color: var(--ink);
  font: 15px/1.45 "Source Sans 3", "Segoe UI", "Helvetica Neue", Arial, "Liberation Sans", sans-serif; }
h1 { font-size: 1.55rem; line-height: 1.2; margin: 0 0 .3rem; } h2 { font-size: 1.05rem; margin: 1.3rem 0 .35rem; }
p { margin: .3rem 0; } .case, .small, caption, .subtitle { color: var(--muted); } .case { font-size: .87rem; }
.answer { margin: .8rem 0; padding: .7rem 1rem; background: var(--raised); border-left: 4px solid var(--accent); font-size: 1.03rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .8rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .25rem; } th, td { padding: .22rem .45rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); } th { border-bottom-color: var(--muted); } td:first-child { font-weight: 600; }
td.r, th.r { text-align: right; } tr.sum td { font-weight: 700; border-top: 2px solid var(--muted); }
td a { color: var(--accent); overflow-wrap: anywhere; } .small { font-size: .76rem; } figure { margin: .8rem 0; }
figcaption { font-weight: 600; } .subtitle { font-weight: 400; font-size: .85rem; } svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--ink); font-size: 13px; font-family: inherit; } svg .range { stroke: var(--ink); stroke-width: 1.5; }
svg rect { fill: var(--bar); } code { display: block; padding: .5rem .7rem; background: var(--raised); overflow-wrap: anywhere; font-size: .8rem; }
@media (max-width: 40rem) { table { min-width: 34rem; } svg text { font-size: 19px; } }
@media print { :root { color-scheme: light; --ink: #1c2128; --muted: #57606b; --line: #cfd6de; --ground: #fff; --raised: #f1f5fa;
    --accent: #1d5fbf; }
  @page { size: A4; margin: 14mm 15mm; } body { max-width: none; padding: 0; font-size: 9.6pt; line-height: 1.34; }
  h1 { font-size: 16pt; } h2 { font-size: 11pt; margin: 7pt 0 2pt; break-after: avoid; } .answer { padding: 5pt 8pt; margin: 5pt 0; }
  table { font-size: 7.8pt; } th, td { padding: 1.4pt 4pt; } tr, figure, .answer { break-inside: avoid; } .scroll { overflow: visible; }
  .small { font-size: 7.4pt; } figure { margin: 5pt 0; } svg { width: 88%; } code { font-size: 7.8pt; padding: 3pt 6pt; } }
"""
CLASSES = {"own": "own", "rent by the hour": "rent", "commitment": "commit", "API": "api"}


def written(blocks, day):
    """The memo as bytes; ``day`` is that of its prices."""
    title = escape(next(content for kind, content in blocks if kind == "title"))
    colours = " ".join(f".bar-{CLASSES[group]} {{ --bar: {colour} }}" for group, colour in COLOURS.items())
    style = colours + STYLE + f"@media print {{ {colours} }}"
    body = "\n".join(_block(kind, content) for kind, content in blocks)
    return (f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, '
            f'initial-scale=1">\n<meta name="date" content="{escape(str(day))}">\n<title>{title}</title>\n<style>{style}</style>\n'
            f'</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n').encode()


def _block(kind, content):
    if kind == "table":
        return _table(content)
    if kind == "chart":
        return _chart(content)
    tag = {"title": "h1", "heading": "h2", "code": "code"}.get(kind, "p")
    return f'<{tag} class="{kind}">{escape(content)}</{tag}>'


def _table(table):
    def cells(tag, values, scope=""):
        return "".join(f'<{tag}{scope}{" class=" + chr(34) + "r" + chr(34) if place in table.right else ""}>{_linked(value)}</{tag}>'
                       for place, value in enumerate(values))

    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    rows = "".join(f'<tr{" class=" + chr(34) + "sum" + chr(34) if row[0] == "Together" else ""}>{cells("td", row)}</tr>'
                   for row in table.rows)
    columns = "".join(f'<col style="width:{width}%">' for width in table.widths)
    return (f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(table.alt)}"><table>{caption}'
            f'<colgroup>{columns}</colgroup><thead><tr>{cells("th", table.heads, chr(32) + "scope=" + chr(34) + "col" + chr(34))}</tr>'
            f'</thead><tbody>{rows}</tbody></table></div>')


def _linked(value):
    text = escape(value)
    if not LINK.match(value):
        return text
    return f'<a href="{text}">{escape(value.split("://")[1].split("/")[0])}</a>'


def _chart(chart):
    """Bars with their ranges as SVG; a name and a value stand above each bar, so that it fits a phone."""
    most = max(bar.high for bar in chart.bars)
    height, parts = TOP + STEP * len(chart.bars), []
    for place, bar in enumerate(chart.bars):
        top = TOP + place * STEP
        low, middle, high = (f"{WIDE * value / most:.1f}" for value in (bar.low, bar.middle, bar.high))
        y = top + STEP - BAR - 6
        parts.append(
            f'<g class="bar-{CLASSES[bar.group]}"><text x="0" y="{y - 5}">{escape(bar.name)}</text>'
            f'<text x="{WIDE}" y="{y - 5}" text-anchor="end">{escape(bar.text)}</text>'
            f'<rect x="0" y="{y}" width="{middle}" height="{BAR}"/><path class="range" fill="none" d="M{low} {y + 2}V{y + BAR - 2}'
            f'M{low} {y + BAR / 2:g}H{high}M{high} {y + 2}V{y + BAR - 2}"/></g>')
    return (f'<figure><figcaption>{escape(chart.title)}<br><span class="subtitle">{escape(chart.subtitle)}</span></figcaption>'
            f'<svg viewBox="-1 0 {WIDE + 2} {height}" role="img" aria-label="{escape(chart.alt)}">{"".join(parts)}</svg></figure>')
