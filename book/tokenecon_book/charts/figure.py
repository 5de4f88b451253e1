"""A figure: a chart with its data, its sources and a text alternative, checked before it is shown."""

import copy
import hashlib
import json
import re
import textwrap

import altair
import vl_convert

from tokenecon_book import FIGURE_TYPE, VEGA_LITE_TYPE
from tokenecon_book.charts import theme
from tokenecon_book.charts.axes import has_range, is_range_end
from tokenecon_book.charts.glue import CLAIMED, pedigree, written

SOURCE_FIELDS = ("id", "title", "publisher", "url", "published", "licence")
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
VIEW = re.compile(r"\bview_[0-9a-f]{16}(?:_\d+)?\b")  # how Altair names what a selection belongs to
ACROSS = {"x": 36, "y": 50}  # letters of a line of an axis title on a phone
UNIT = re.compile(r"\[[^\[\]]+\]\s*$")
ROWS = "t-data"  # address of the table of the rows on the page of a figure
VEGA_LITE = ".".join(altair.SCHEMA_VERSION.removeprefix("v").split(".")[:2])


class FigureError(ValueError):
    """A figure that a reader could not use: no title, no unit, no data, no alternative text."""


def figure(id, finding, chart, alt, range=None):
    """Check a chart and bundle it with everything a reader may take away.

    Parameters
    ----------
    id : str
        Permanent slug, the notebook's name first: ``economics-batch``.
    finding : tokenecon.finding.Finding
        What is drawn: its table is offered in full as CSV, its sentence titles a chart that has no title of its own, its note
        and its sources stand below.
    chart : altair.Chart
        Every quantitative axis ends in its unit in brackets.
    alt : str
        What a reader who does not see the picture needs to know.
    range : str, dict or list, optional
        Kind of the ranges that the table has and the chart does not draw, or that of each column, which may be a list of those
        of its rows, or of each row.
    """
    table = finding.table
    if not isinstance(id, str) or not SLUG.fullmatch(id):
        raise FigureError(f"figure id {id!r} must be lower-case words joined by hyphens, such as 'economics-batch'")
    if not isinstance(alt, str) or len(alt.split()) < 4:
        raise FigureError(f"figure '{id}': alt must describe the chart in a sentence, got {alt!r}")
    if len(table) == 0:
        raise FigureError(f"figure '{id}': the table has no rows")
    unnamed = [name for name in table.columns if not isinstance(name, str) or not name]
    if unnamed:
        raise FigureError(f"figure '{id}': every column needs a name, got {unnamed!r}")
    spec = broken(lighten(titled(chart, finding.sentence.removesuffix(".")).to_dict()))
    title, subtitle = heading(spec)
    if not title:
        raise FigureError(f"figure '{id}': the chart has no title; give the finding a sentence, or the chart title=")
    for field, words in unlabelled(spec):
        raise FigureError(
            f"figure '{id}': the axis of '{field}' is titled {words!r}; "
            "a quantitative axis must end in its unit in brackets, such as 'Cost [USD per million output tokens]'"
        )
    behind = pedigree(finding, title, ROWS, table, {name: (name, finding.units.get(name)) for name in table.columns
                                                    if not is_range_end(name, table.columns)},
                      kinds(id, table, spec.get("usermeta", {}).get("kinds", {}), range))
    return Figure(id, spec, title, subtitle, finding, checked_sources(id, finding.cited), " ".join(alt.split()), behind)


def kinds(id, table, drawn, range):
    """Column to the kind of its range, or to the kind of each row, as the chart draws it or else as ``range`` says.

    Of rows that the documents claim, the kind is :data:`tokenecon_book.charts.glue.CLAIMED` before that of their range.
    Raises :class:`FigureError` for a range of which nobody says what it is.
    """
    found = {}
    for name in table.columns:
        by, kind = drawn.get(name, ("", None))
        ranged = has_range(table.columns, name)
        kind = (kind or (range.get(name) if isinstance(range, dict) else range) or "") if ranged else ""
        rows = kind if isinstance(kind, list) else [kind.get(one, "") if isinstance(kind, dict) else kind for one in
                                                    (table[by] if by in table.columns else table.index)]
        if ranged and not all(rows) and any(low < high for low, high, one in zip(
                table[f"{name}_low"], table[f"{name}_high"], rows, strict=True) if not one):
            raise FigureError(f"figure '{id}': column '{name}' has a range of which the chart says no kind; say it with range=")
        if by in table.columns:
            rows = [CLAIMED * theme.claimed(of) + one for of, one in zip(table[by], rows, strict=True)]
        if any(rows):
            found[name] = rows if len(set(rows)) > 1 or rows[0].startswith(CLAIMED) else rows[0]
    return found



class Figure:
    """What :func:`figure` returns: a rich output for the notebook, the page and the downloads."""

    def __init__(self, id, spec, title, subtitle, finding, sources, alt, behind):
        self.id, self.title, self.subtitle, self.alt = id, title, subtitle, alt
        self.spec, self.table, self.sources = spec, finding.table, sources
        self.note, self.units = finding.note, finding.units
        self.quantities = written(finding, f"{title} {subtitle}")
        self.ranges = spec.get("usermeta", {}).get("ranges", [])
        self.behind = behind

    def csv(self):
        """The full table; floats with six significant digits."""
        return self.table.to_csv(index=False, float_format="%.6g", lineterminator="\n")

    def payload(self):
        """All that a page needs, in one JSON object."""
        bare = copy.deepcopy(self.spec)
        bare.pop("title", None)
        live = copy.deepcopy(bare)
        live["width"] = "container"
        live["autosize"] = {"type": "fit-x", "contains": "padding"}
        live["background"] = None
        return {
            "id": self.id,
            "title": self.title,
            "subtitle": self.subtitle,
            "alt": self.alt,
            "note": self.note,
            "columns": [{"name": name, "type": column_type(self.table[name])}
                        | ({"unit": self.units[name]} if self.units.get(name) else {}) for name in self.table.columns],
            "rows": len(self.table),
            "csv": self.csv(),
            "sources": self.sources,
            "quantities": self.quantities,
            "ranges": self.ranges,
            "pedigree": self.behind,
            "spec": live,
            "svg_wide": inline(picture(bare, theme.WIDE), f"{self.id}-w"),
            "svg_narrow": inline(picture(bare, theme.NARROW), f"{self.id}-n"),
        }

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {
            FIGURE_TYPE: self.payload(),
            VEGA_LITE_TYPE: self.spec,
            "image/svg+xml": picture(self.spec, theme.WIDE),
            "text/plain": f"Figure {self.id}: {self.title} {self.alt}",
        }


def titled(chart, sentence):
    """A chart with a sentence for its title, where it has none of its own."""
    heading = chart.title if isinstance(chart.title, altair.TitleParams) else altair.TitleParams(text=chart.title or "")
    heading = heading.copy()
    if heading.text in ("", [], altair.Undefined):
        heading.text = theme.wrap(sentence) or ""
    return chart.properties(title=heading)


def picture(spec, width):
    """The chart as SVG, `width` pixels wide over all, drawn now and without a browser."""
    still = copy.deepcopy(spec)
    still["width"] = width
    still["autosize"] = {"type": "fit-x", "contains": "padding"}
    return vl_convert.vegalite_to_svg(still, vl_version=VEGA_LITE)


def inline(svg, prefix):
    """An SVG made fit to stand in a page beside others: own ids, no ground, colours of the page's theme."""
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", svg)
    svg = re.sub(rf'<rect width="[\d.]+" height="[\d.]+" fill="{theme.GROUND}"/>', "", svg, count=1)
    svg = re.sub(r'<path\b[^>]*\bopacity="0"[^>]*(/>|></path>)', "", svg)  # targets for a pointer that is not there
    return themed(svg)


def themed(text):
    """Replace the colours of ink, grid and ground by the custom properties of the page."""
    for name, colour in theme.TOKENS.items():
        text = re.sub(re.escape(colour), f"var({name}, {colour})", text, flags=re.IGNORECASE)
    return text


def lighten(spec):
    """Drop columns that no part of the chart names, and digits that no screen shows; name each table by what is left."""
    named = json.dumps({key: value for key, value in spec.items() if key != "datasets"})

    def cell(value):
        return float(f"{value:.6g}") if isinstance(value, float) else value

    datasets = {
        name: [{k: cell(v) for k, v in row.items() if json.dumps(k)[1:-1] in named} for row in rows]
        for name, rows in spec.get("datasets", {}).items()
    }
    text = json.dumps(trimmed({**spec, "datasets": datasets} if datasets else spec))
    for name, rows in datasets.items():  # Altair names a table by all its digits, and the last ones differ between machines
        text = text.replace(name, f"data-{hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:32]}")
    views = list(dict.fromkeys(VIEW.findall(text)))  # and a view by those of its chart
    return json.loads(VIEW.sub(lambda found: f"view_{views.index(found[0])}", text))


def trimmed(part):
    """A spec with 12 digits of each number: an axis may end at a sum whose last digits differ between machines."""
    if isinstance(part, dict):
        return {name: trimmed(value) for name, value in part.items()}
    if isinstance(part, list):
        return [trimmed(value) for value in part]
    return float(f"{part:.12g}") if isinstance(part, float) else part


def broken(part):
    """A spec whose long axis titles stand in lines that fit a phone: below the plot, and above it where they name the height."""
    if isinstance(part, list):
        return [broken(one) for one in part]
    if not isinstance(part, dict):
        return part
    found = {key: broken(value) for key, value in part.items()}
    for channel, letters in ACROSS.items():
        coded = found.get("encoding", {}).get(channel, {})
        for holder in (coded, coded.get("axis") or {}):
            if isinstance(title := holder.get("title"), str) and len(title) > letters:
                name, unit = title.rsplit(" [", 1) if " [" in title else (title, "")
                unit = [f"[{unit}"] if unit else []
                whole = max(map(len, (name, *unit))) <= letters  # name and unit in a line each, where they are short enough
                holder["title"] = [name, *unit] if whole else textwrap.wrap(title, letters)
        if channel == "y" and isinstance(lines := (coded.get("axis") or {}).get("title"), list):
            coded["axis"]["titleY"] = theme.ABOVE - (len(lines) - 1) * theme.TEXT * 1.2
    return found


def heading(spec):
    """Title and subtitle of a spec, each as one line of text."""

    def line(text):
        return " ".join(text) if isinstance(text, list) else (text or "")

    title = spec.get("title") or ""
    if isinstance(title, dict):
        return line(title.get("text")).strip(), line(title.get("subtitle")).strip()
    return line(title).strip(), ""


def unlabelled(spec):
    """Pairs (field, title) of quantitative axes and legends whose title names no unit."""
    for key, value in spec.items():
        if key == "encoding":
            for channel, guide in (("x", "axis"), ("y", "axis"), ("color", "legend")):
                coded = value.get(channel, {})
                if coded.get("type") != "quantitative" or "field" not in coded:
                    continue
                drawn = coded.get(guide, {})
                if drawn is None:
                    continue
                words = drawn.get("title", coded.get("title"))
                words = " ".join(words) if isinstance(words, list) else words
                if not (words and UNIT.search(words)):
                    yield coded["field"], words
        elif key in ("layer", "hconcat", "vconcat", "concat"):
            for part in value:
                yield from unlabelled(part)
        elif key == "spec":
            yield from unlabelled(value)


def checked_sources(id, sources):
    """The sources as plain dicts, each with a title; a figure without any source is refused."""
    if not sources:
        raise FigureError(f"figure '{id}': the finding has no sources; it asked nothing of data/")
    rows = []
    for source in sources:
        if not isinstance(source, dict) or not source.get("id") or not source.get("title"):
            raise FigureError(
                f"figure '{id}': each source is a dict with at least id and title; got {source!r}"
            )
        rows.append({field: text(source.get(field)) for field in SOURCE_FIELDS})
    return rows


def text(value):
    """A table's cell as text; an empty cell is an empty string."""
    return "" if value is None or value != value else str(value)


def column_type(column):
    """The kind of a column, in the words of the Table Schema standard."""
    return {"b": "boolean", "i": "integer", "u": "integer", "f": "number", "M": "date"}.get(column.dtype.kind, "string")
