"""What a reader takes away from an executed notebook: of each figure its data, pictures and chart, and what is known of it."""

import hashlib
import json
import re
import textwrap
from html import escape
from types import SimpleNamespace

from tokenecon import __version__
from tokenecon_book import FIGURE_TYPE, VEGA_LITE_TYPE, citations
from tokenecon_book.build import parameters
from tokenecon_book.build.standalone import glue

NAMED = 4  # publishers that the foot of a picture names
SIZE, LINE = 11, 15  # px: letters of a foot, and its lines
SVG = re.compile(r'(<svg\b[^>]*?\bwidth="([\d.]+)" height=")([\d.]+)'  # before its height, width, height,
                 r'(" viewBox="0 0 [\d.]+ )[\d.]+("><rect width="[\d.]+" height=")[\d.]+"')  # before the two others
KEPT = ("id", "title", "subtitle", "alt", "note")


def figures(notebook):
    """The MIME bundles of a notebook's figures by figure id, in order; a repeated id is an error."""
    found = {}
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            bundle = output.get("data", {})
            if FIGURE_TYPE in bundle:
                name = bundle[FIGURE_TYPE]["id"]
                if name in found:
                    raise ValueError(f"figure id '{name}' is used twice in one notebook; rename one")
                found[name] = bundle
    return found


def write_tables(notebook, folder):
    """Write ``<id>.csv`` of every figure; give back the paths."""
    written = []
    for name, bundle in figures(notebook).items():
        written.append(folder / f"{name}.csv")
        written[-1].write_text(bundle[FIGURE_TYPE]["csv"], encoding="utf-8")
    return written


def published(path, docname):
    """What the site publishes of the figures of an executed notebook file: id to a dict.

    ``bundle`` is the figure's output, ``about`` what its JSON file says: what it shows, columns with units, parameters, sources,
    case, version, date of the data, addresses, citation.
    """
    notebook = json.loads(path.read_text(encoding="utf-8"))
    bundles = figures(notebook)
    if not bundles:
        return {}
    case = glue(notebook).get(f"{docname.rpartition('/')[2]}-case", "")
    declared = parameters.spec(path)
    own = {one.name: (one.default, one.origin) for one in declared.values()}
    own |= parameters.kept(SimpleNamespace(**{name: value for name, (value, _) in own.items()}))
    run_with = [{"name": name, "value": value, "unit": declared[name].unit, "meaning": declared[name].meaning}
                | ({"from": origin} if origin else {}) for name, (value, origin) in own.items()]
    return {name: {"bundle": bundle, "about": about(bundle[FIGURE_TYPE], docname, case, run_with)}
            for name, bundle in bundles.items()}


def about(payload, docname, case, run_with):
    """What is known of a figure, as its JSON file says it."""
    name = payload["id"]
    return {one: payload[one] for one in KEPT} | {
        "case": case,
        "version": __version__,
        "data_date": citations.data_date(),
        "page": citations.address(docname, f"#fig-{name}"),
        "address": citations.versioned(citations.figure_page(name)),
        "citation": citations.figure(name, payload["title"])["text"],
        "licence": citations.LICENCE,
        "rerun": citations.rerun_command(docname),
        "parameters": run_with,
        "rows": payload["rows"],
        "columns": payload["columns"],
        "sources": payload["sources"],
    }


def write_figures(found, folder, pictures):
    """Write ``.csv``, ``.json``, ``.vl.json``, ``.svg`` and ``.png`` of figures (:func:`published`) into a folder.

    A PNG takes a tenth of a second to draw: ``pictures`` is a folder that keeps those of this and of no earlier build.
    """
    import vl_convert  # late: a book without figures draws none

    pictures.mkdir(parents=True, exist_ok=True)
    used = set()
    for name, one in found.items():
        svg = footed("".join(one["bundle"]["image/svg+xml"]), foot(one["about"]))
        kept = pictures / f"{hashlib.sha256(f'{vl_convert.__version__} {svg}'.encode()).hexdigest()[:32]}.png"
        if not kept.exists():
            new = kept.with_suffix(".new")
            new.write_bytes(vl_convert.svg_to_png(svg, scale=2))
            new.rename(kept)
        used.add(kept)
        texts = {"csv": one["bundle"][FIGURE_TYPE]["csv"], "json": _json(one["about"]), "vl.json": _json(chart(one)),
                 "svg": svg}
        for kind, text in texts.items():
            (folder / f"{name}.{kind}").write_text(text, encoding="utf-8")
        (folder / f"{name}.png").write_bytes(kept.read_bytes())
    for path in pictures.iterdir():
        if path not in used:
            path.unlink()


def _json(content):
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def chart(one):
    """The Vega-Lite chart of a figure with its data, and how to cite it."""
    spec, about = one["bundle"][VEGA_LITE_TYPE], one["about"]
    return spec | {"description": about["alt"], "usermeta": spec.get("usermeta", {}) | {"citation": about["citation"]}}


# --- the foot of a picture -----------------------------------------------------------------------


def foot(facts):
    """What a picture says of itself in its foot, one text a line: sources, date of the data, case, address."""
    publishers = list(dict.fromkeys(one["publisher"] or one["title"] for one in facts["sources"]))
    more = len(publishers) - NAMED
    named = ", ".join(publishers[:NAMED]) + (f" and {more} more" if more > 0 else "")
    plural = "s" if len(publishers) > 1 else ""
    return [f"Source{plural}: {named}. Data of {facts['data_date']}. "
            + citations.LICENCE.replace(" ", "\u00a0") + ".",
            *([f"Case of the page: {facts['case']}"] if facts["case"] else []),
            f"{citations.TITLE}, {facts['address']}"]


def footed(svg, lines):
    """An SVG of a chart with some lines below it."""
    from tokenecon_book.charts import theme  # late, with what only a figure needs

    head = SVG.match(svg)
    if not head:
        raise ValueError("a picture of vl_convert no longer begins with width, height, viewBox and ground; see publishing.SVG")
    width, height = float(head[2]), float(head[3])
    letters = int((width - 12) / (0.52 * SIZE))  # em: mean advance of a letter, a little above that of Liberation Sans
    rows = [row for line in lines for row in textwrap.wrap(line, letters)]
    whole = f"{height + 10 + LINE * len(rows) + 4:g}"
    shown = "".join(f'<text x="6" y="{height + 6 + LINE * (place + 1):g}">{escape(row)}</text>' for place, row in enumerate(rows))
    below = (f'<path d="M6,{height + 4:g}h{width - 12:g}" stroke="{theme.GRID}"/>'
             f'<g font-family="{theme.FONT}" font-size="{SIZE}px" fill="{theme.MUTED}">{shown}</g>')
    return SVG.sub(rf'\g<1>{whole}\g<4>{whole}\g<5>{whole}"', svg, count=1).removesuffix("</svg>") + below + "</svg>"
