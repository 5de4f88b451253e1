"""A memo as Markdown: tables as pipes, the chart as bars of text."""

import re

WIDTH = 40  # characters of the longest bar
FULL, RANGE = "█", "─"
SPECIAL = re.compile(r"([\\`*_<>|\[\]])")


def written(blocks, day):
    """The memo as bytes; ``day`` is that of its prices, which its text says."""
    return ("\n\n".join(_block(kind, content) for kind, content in blocks) + "\n").encode()


def _block(kind, content):
    if kind == "table":
        return _table(content)
    if kind == "chart":
        return _chart(content)
    if kind == "code":
        return f"```\n{content}\n```"
    text = _plain(content)
    return {"title": f"# {text}", "case": f"*{text}*", "answer": f"> **{text}**", "heading": f"## {text}"}.get(kind, text)


def _plain(text):
    """Text without what Markdown reads as a mark."""
    return SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def _table(table):
    def line(cells):
        return "| " + " | ".join(_plain(cell) for cell in cells) + " |"

    marks = "| " + " | ".join("---:" if place in table.right else "---" for place in range(len(table.heads))) + " |"
    caption = f"*{_plain(table.caption)}*\n\n" if table.caption else ""
    return caption + "\n".join([line(table.heads), marks, *map(line, table.rows)])


def _chart(chart):
    most = max(bar.high for bar in chart.bars)
    lines = []
    for bar in chart.bars:
        middle, high = (round(WIDTH * value / most) for value in (bar.middle, bar.high))
        drawn = FULL * middle + RANGE * (high - middle)
        lines.append(f"{bar.name}\n{drawn.ljust(WIDTH)}  {bar.text}")
    return f"**{_plain(chart.title)}**\n\n*{_plain(chart.subtitle)}*\n\n```\n" + "\n".join(lines) + "\n```"
