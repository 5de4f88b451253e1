"""The ledger of claims: every claim an article with an address of its own, filterable in the page."""

from collections import Counter

from tokenecon.numbers import span
from tokenecon_book.charts.page import escape
from tokenecon_book.charts.theme import unit_words

# Verdict in the table -> (what the address and the style call it, what the reader sees).
VERDICTS = {
    "holds": ("holds", "Holds"),
    "holds under an assumption": ("assumption", "Holds under an assumption"),
    "contradicted": ("contradicted", "Contradicted"),
    "cannot be derived": ("underivable", "Cannot be derived"),
    "plain input": ("input", "Plain input"),
    "not printed": ("unprinted", "Not printed"),
}
ONE_AND_MANY = {"holds": ("holds", "hold"), "contradicted": ("is contradicted", "are contradicted"),
                "plain input": ("is a plain input", "are plain inputs"), "not printed": ("is not printed", "are not printed")}
SECTIONS = {
    "update": "Update of December 2025",
    "economics": "Economics",
    "hardware": "Hardware",
    "software": "Software",
    "deployment": "Deployment",
    "cases": "Cases",
}
NEEDED = (
    "id", "section", "statement", "claimed_low", "claimed_high", "unit", "recomputed_low", "recomputed_high",
    "verdict", "assumption", "arithmetic", "chapter",
)


def counted(verdict, number):
    """What is said of so many claims of a verdict.

    >>> counted("holds under an assumption", 2), counted("plain input", 1), counted("cannot be derived", 3)
    ('hold under an assumption', 'is a plain input', 'cannot be derived')
    """
    for name, words in ONE_AND_MANY.items():
        if verdict.startswith(name):
            return words[number != 1] + verdict.removeprefix(name)
    return verdict


class Ledger:
    """What :func:`claims` returns."""

    def __init__(self, html, text):
        self.html, self.text = html, text

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self.html, "text/plain": self.text}


def claims(found, root=""):
    """All claims as a list that works without script and filters with it.

    Parameters
    ----------
    found : tokenecon.finding.Finding
        Its table has one row a claim with the columns of :data:`NEEDED`; ``footnote``, ``comparator``, ``uk_line``,
        ``th_line``, ``needed`` and ``note`` are shown where present.
    root : str
        Way from the page to the top of the site.
    """
    table = found.table
    missing = [name for name in NEEDED if name not in table.columns]
    if missing:
        raise ValueError(f"the ledger lacks {', '.join(missing)}; it needs {', '.join(NEEDED)}")
    unknown = sorted(set(table["verdict"]) - set(VERDICTS))
    if unknown:
        raise ValueError(f"unknown verdict {', '.join(map(repr, unknown))}; allowed are {', '.join(VERDICTS)}")
    unknown = sorted(set(table["section"]) - set(SECTIONS))
    if unknown:
        raise ValueError(f"unknown section {', '.join(map(repr, unknown))}; allowed are {', '.join(SECTIONS)}")
    rows = table.to_dict("records")
    parts = []
    for section, title in SECTIONS.items():
        inside = [article(row, root) for row in rows if row["section"] == section]
        if inside:
            parts.append(
                f'<section class="te-claims-section" aria-labelledby="claims-{section}">\n'
                f'<h2 id="claims-{section}">{title}</h2>\n{"".join(inside)}</section>\n'
            )
    html = (
        f'<div class="te-claims" data-total="{len(rows)}">\n{controls(rows)}{"".join(parts)}'
        '<p class="te-claims-none" hidden>No claim matches. '
        '<button type="button" class="te-claims-reset">Show all</button></p>\n</div>\n'
        f'<script type="module" src="{root}_static/ledger.mjs"></script>\n'
    )
    lines = [f"{row['id']} | {row['verdict']} | {row['statement']}" for row in rows]
    return Ledger(html, "\n".join([f"{len(rows)} claims", *lines]))


def controls(rows):
    """The filter, hidden until the script that drives it has loaded."""
    in_section = Counter(row["section"] for row in rows)
    with_verdict = Counter(row["verdict"] for row in rows)
    sections = "".join(
        f'<option value="{name}">{title} ({in_section[name]})</option>'
        for name, title in SECTIONS.items() if in_section[name]
    )
    verdicts = "".join(
        f'<option value="{slug}">{title} ({with_verdict[name]})</option>'
        for name, (slug, title) in VERDICTS.items() if with_verdict[name]
    )
    return (
        '<form class="te-claims-filter" role="search" aria-label="Filter the claims" hidden>\n'
        f'<label>Section <select name="section"><option value="">All sections</option>{sections}</select></label>\n'
        f'<label>Verdict <select name="verdict"><option value="">All verdicts</option>{verdicts}</select></label>\n'
        '<label>Text <input name="q" type="search" placeholder="H100, utilisation, hw-…" autocomplete="off"></label>\n'
        f'<output class="te-claims-count" aria-live="polite">{len(rows)} of {len(rows)} claims</output>\n</form>\n'
    )


def article(row, root):
    """One claim: what it says, what came out, the verdict and the way there."""
    name, (slug, verdict) = escape(row["id"]), VERDICTS[row["verdict"]]
    facts = [
        ("In Thai", filled(row.get("thai"))),
        ("Compared", filled(row.get("compared"))),
        ("Claimed", quantity(row, "claimed")),
        ("Recomputed", quantity(row, "recomputed")),
        ("Assumption", filled(row.get("assumption"))),
        ("Would have to be", filled(row.get("needed"))),
        ("Note", filled(row.get("note"))),
    ]
    shown = "".join(f"<div><dt>{title}</dt><dd>{escape(value)}</dd></div>" for title, value in facts if value)
    sums = filled(row.get("arithmetic"))
    shown += f'<div class="te-claim-sums"><dt>Arithmetic</dt><dd>{escape(sums)}</dd></div>' if sums else ""
    place = ", ".join(
        f'<a href="{root}sources.html#{source}">{words}</a> line {escape(filled(row[column]))}'
        for column, source, words in (("uk_line", "doc-uk", "Introl, Ukrainian text"), ("th_line", "doc-th", "Thai text"))
        if filled(row.get(column))
    )
    chapter = filled(row.get("chapter"))
    page, _, anchor = chapter.partition("#")
    link = (
        f'<a href="{root}{escape(page)}.html{"#" + escape(anchor) if anchor else ""}">'
        f"Chapter {escape(chapter_title(page))}</a>" if chapter else ""
    )
    foot = " · ".join(part for part in (link, place) if part)
    return (
        f'<article class="te-claim" id="{name}" data-section="{escape(row["section"])}" data-verdict="{slug}">\n'
        f'<p class="te-claim-head"><span class="verdict verdict-{slug}">{verdict}</span> '
        f'<a class="number te-claim-id" href="{root}claims.html#{name}" aria-label="Card of claim {name}">{name}</a></p>\n'
        f'<p class="te-claim-statement">{escape(row["statement"])}</p>\n'
        f"<dl>{shown}</dl>\n<p class=\"te-claim-foot\">{foot}</p>\n"
        f'<div data-cite="{name}"></div>\n</article>\n'
    )


def chapter_title(page):
    """The words by which a chapter's page is linked."""
    return page.removeprefix("cases/").replace("-", " ").capitalize()


def quantity(row, which):
    """The claimed or recomputed number with its range and its unit in words; empty where there is none."""
    low, high, unit = row[f"{which}_low"], row[f"{which}_high"], filled(row["unit"]) or None
    low, high = (None if end in ("", None) or end != end else float(end) for end in (low, high))
    if low is None and high is None:
        return ""
    if unit == "date":  # 20251208 or 202512
        digits = f"{low:.0f}"
        return "-".join(part for part in (digits[:4], digits[4:6], digits[6:]) if part)
    words = f" {unit_words(unit)}" if unit not in (None, "1", "count", "fraction", "ratio", "percent", "date") else ""
    words = words.removeprefix(" USD")  # the number has its dollar sign
    more = {">": "more than ", "<": "less than "}.get(filled(row.get("comparator")), "") if which == "claimed" else ""
    if low is None or high is None:
        bound = "at least " if high is None else "at most "
        return bound + span(low if high is None else high, low if high is None else high, unit) + words
    return more + span(low, high, unit) + words


def filled(value):
    """A cell as text; empty for an empty cell."""
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
