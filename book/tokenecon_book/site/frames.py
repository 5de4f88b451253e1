"""Every table of a page in a frame of its own: it scrolls inside the frame on a desk, and its rows are cards on a phone.

A card names each cell by an attribute that is written here, so that a page without script reads as well.
"""

import re
from html import escape, unescape

CARDS = 4  # columns from which a phone shows each row as a card; with long texts one less
MANY = 8  # columns from which paper does too
BRIEF = 4  # letters of a unit that every card repeats; a longer one is said by the first card alone, as by a head
LONG = 40  # letters of a cell that needs a wide column, lest a row grow tall beside cells that are out of sight
TABLE = re.compile(r"<table\b([^>]*)>(.*?)</table>", re.S)
ROW = re.compile(r"(<tr\b[^>]*>)(.*?)</tr>", re.S)
CELL = re.compile(r"<(t[hd])\b([^>]*)>(.*?)</\1>", re.S)
LONG_CELL = re.compile(r'<td\b[^>]*class="[^"]*\bte-long\b')
BARE = re.compile(r'<div class="pst-scrollable-table-container">(?=\s*<table\b)')  # how the theme wraps a table of the prose
SCOPE = ' scope="col"'
EMPTY_HEAD = re.compile(r"<th\b([^>]*)>\s*</th>")
FINDING = re.compile(r'<div class="finding\b[^>]*>(.*?)</div>', re.S)
TITLE = re.compile(r'<p class="te-figure-title"[^>]*>(.*?)</p>', re.S)
FORMULA = re.compile(r"<math\b.*?</math>", re.S)
HEADING = re.compile(r"<h[1-6][^>]*>(.*?)(?:<a class=\"headerlink\".*?)?</h[1-6]>", re.S)


def framed(body):
    """The HTML of a page with all its tables in frames; ``body`` is its article."""
    return TABLE.sub(lambda found: _table(*found.groups()), _named_frames(body))


def words(html):
    """The text of a piece of HTML.

    >>> words("Cost <em>of</em> A&amp;B")
    'Cost of A&B'
    """
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


def _named_frames(body):
    """Frames of our own in place of the theme's, which no keyboard reaches; each is named by the heading above it."""
    out, end, heading, used = [], 0, "", {}
    for found in sorted((*HEADING.finditer(body), *BARE.finditer(body)), key=lambda one: one.start()):
        if found.re is HEADING:
            heading = words(found[1])
            continue
        used[heading] = used.get(heading, 0) + 1
        name = f"Table: {heading}" + (f", {used[heading]}" if used[heading] > 1 else "")
        out += [body[end:found.start()], f'<div class="table-scroll" tabindex="0" role="region" aria-label="{escape(name)}">']
        end = found.end()
    return "".join(out) + body[end:]


def _table(attributes, inside):
    """One table: its cells know their heading, its rows have a head, its class says how many columns there are."""
    head, body = re.fullmatch(r"(.*?</thead>)?(.*)", inside, re.S).groups()
    rows = [CELL.findall(row) for _, row in ROW.findall(head or "")]
    if not rows:
        return f"<table{attributes}>{inside}</table>"
    titles = [words(cell) for *_, cell in rows[0]]
    units = [words(cell) for *_, cell in rows[1]] if len(rows) > 1 else [""] * len(titles)
    head = EMPTY_HEAD.sub(lambda found: f"<td{found[1].replace(SCOPE, '')}></td>", head)
    head = re.sub(r"<th(?![^>]*\bscope=)(?=[\s>])", f"<th{SCOPE}", head)
    kinds = ["framed", *(["many"] if len(titles) >= MANY else [])]
    if "data-table" not in attributes:  # whoever wrote one of those says its labels, and it is always cards
        left = dict(enumerate(units))  # units that no card has said yet
        body = ROW.sub(lambda row: row[1] + _cells(row[2], titles, left) + "</tr>", body)
        kinds += ["cards"] if len(titles) + bool(LONG_CELL.search(body)) >= CARDS else []
    return f"<table{_with_classes(attributes, kinds)}>{head}{body}</table>"


def _cells(row, titles, left):
    """The cells of a row with their headings; the first in words heads the row where none else does.

    ``left`` maps the place of a column to its unit: brief ones every card says, longer ones the first, as a table's head does.
    """
    cells, out = CELL.findall(row), []
    if len(cells) != len(titles):  # a cell that spans columns has no one heading
        return row
    head = None if any(name == "th" for name, *_ in cells) else next(
        (place for place, cell in enumerate(cells) if words(FORMULA.sub("", cell[2]))), None)
    for place, (name, attributes, content) in enumerate(cells):
        if place == head:
            name, attributes = "th", f' scope="row"{attributes}'
        said, unit = words(content), left[place]
        kinds = ["te-long"] if len(said) > LONG else ["te-none"] if said in ("", "–") else []
        if name == "th" and "te-number" in attributes:  # a number heads a card: of what, its column says
            attributes += f' data-label="{escape(titles[place])}"'
        if name == "td":
            attributes += f' data-label="{escape(titles[place] + (f", {unit}" if unit else ""))}"'
            left[place] = unit if len(unit) <= BRIEF or "te-none" in kinds else ""
        out.append(f"<{name}{_with_classes(attributes, kinds)}>{content}</{name}>")
    return "".join(out)


def _with_classes(attributes, names):
    """The attributes of an element with more classes.

    >>> _with_classes(' class="table" id="a"', ["cards"])
    ' class="table cards" id="a"'
    """
    if not names:
        return attributes
    more = " ".join(names)
    if 'class="' in attributes:
        return re.sub(r'class="([^"]*)"', lambda found: f'class="{found[1]} {more}"', attributes, count=1)
    return f'{attributes} class="{more}"'


def once(body):
    """The HTML of a page whose first chart is named for ears alone where its title is the finding right above it."""
    finding, title = FINDING.search(body), TITLE.search(body)
    same = finding and title and len({words(one[1]).rstrip(".").replace("’", "'") for one in (finding, title)}) == 1
    return body.replace(title[0], title[0].replace("te-figure-title", "te-figure-title te-hidden", 1), 1) if same else body


def frame(app, pagename, templatename, context, doctree):
    """Frame the tables of a page before its template is filled, and say its finding once."""
    if context.get("body"):
        context["body"] = once(framed(context["body"]))


def setup(app):
    app.connect("html-page-context", frame)
