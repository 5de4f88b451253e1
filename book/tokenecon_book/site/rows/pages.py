"""The tables of ``data/`` as pages: the page of a table holds its rows or, where they are too many, lists its parts.

The page of a table is written in MyST and stands in the contents.  Parts are pages that no document stands behind, as those of
figures are; ``rows/<page>.json`` says where each row of a split table stands and what it reads, so that its page can forward
addresses and find words in all parts (``_static/tables.mjs``).
"""

import json
import re
from html import escape
from pathlib import Path

from tokenecon import data
from tokenecon_book import citations
from tokenecon_book.site import frames, numbers_page, parts, tables
from tokenecon_book.site.assets import write_if_changed

FOLDER = "rows"  # of the site, one file a page
ROW = re.compile(r'<tr id="([^"]+)">(.*?)</tr>', re.S)
GROUP = re.compile(r'<tr class="group" id="([^"]+)">')
COMMON = re.compile(r'<p class="all-rows">(.*?)</p>', re.S)


def written():
    """Path to MyST text of the page of every table."""
    found = {}
    for name, title in tables.titles().items():
        says = tables.description(name)
        part = parts.of(name)
        # "Accelerators, one fact a row": the first words make the title, all of them the first sentence.
        text = [
            f"# {tables.short_title(title)}\n",
            f"{says or title}.\n" if says or re.search("[,;:]", title) else "",
            f'{counted(part)}. The whole table as a file: <a href="{name}.csv">{name}.csv</a>. '
            f'Every row has an address{"; the field below finds rows in all parts" if part.parts else ": follow its id"}.\n',
            _raw(content(name, part)) if len(part.rows) else "*No row yet.*\n",
            "## Columns\n",
            _raw(tables.dictionary_html(name)),
        ]
        found[f"{part.page}.md"] = "\n".join(text)
    return found


def _raw(html):
    return f"```{{raw}} html\n{html}\n```\n"


def counted(part, whole=None):
    """How many rows a page has, of how many, and on how many pages they stand."""
    of = f" of {len(whole.rows):,}" if whole else ""
    return f"{len(part.rows):,}{of} rows" + (f" on {len(parts.leaves(part))} pages" if part.parts else "")


def content(name, part):
    """The rows of a page, or its parts."""
    root = citations.root(part.page)
    return list_html(name, part, root) if part.parts else tables.table_html(name, part.rows, root)


def list_html(name, part, root):
    """The parts of a table as a table: what each is of, its rows, how new they are; by days the newest first."""
    column, listed = part.parts[0].chosen[-1][0], list(part.parts)
    if column in parts.DATES:
        listed.sort(key=lambda one: one.chosen[-1][1], reverse=True)
    dates = [parts.newest(name, one.rows) for one in listed]
    heads = [tables.heading(column).capitalize(), "Rows", *(["Newest"] if any(dates) else [])]
    body = []
    for one, newest in zip(listed, dates, strict=True):
        of, value = label(*one.chosen[-1]), str(one.chosen[-1][1])
        remark = "" if of == value else f'<span class="remark">{escape(value)}</span>'
        date = f'<td data-label="Newest"><time>{newest}</time></td>' if len(heads) > 2 else ""
        body.append(f'<tr data-part="{one.page}"><th scope="row"><a href="{root}{one.page}.html">{escape(of)}</a>{remark}</th>'
                    f'<td data-label="Rows"><span>{len(one.rows):,}</span></td>{date}</tr>')
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    return (f'<div class="table-scroll" tabindex="0" role="region" aria-label="Parts of {name}">'
            f'<table class="book-table data-table" data-parts="{parts.of(name).page}"><thead><tr>{head}</tr></thead>'
            f'<tbody>{"".join(body)}</tbody></table></div><script type="module" src="{root}_static/tables.mjs"></script>')


def label(column, value):
    """What a part is of, in words: a source by its title, a model or an accelerator by its name."""
    if column == "source":
        return data.source(value)["title"]
    if column == parts.RUN:
        return f"rows {value}"
    return numbers_page.names().get(value, str(value))


def title(name, part):
    """The title of a part: that of its table, and what it is of."""
    of = ", ".join(label(*one) for one in part.chosen)
    return f"{tables.short_title(tables.titles()[name])}: {of}"


def below(part):
    """The pages below a page, each with the pages above it, the nearest last."""
    for one in part.parts:
        yield one, (part,)
        for deeper, above in below(one):
            yield deeper, (part, *above)


def collected(app):
    """Name, context and template of the page of every part of a table."""
    for name in tables.titles():
        for part, above in below(parts.of(name)):
            yield part.page, context(name, part, above), "page.html"


def context(name, part, above):
    """What the layout needs of the page of a part."""
    said, root = title(name, part), citations.root(part.page)
    whole = above[0]
    names = [tables.short_title(tables.titles()[name]), *(label(*one.chosen[-1]) for one in above[1:])]
    back = [f'<a href="{root}{one.page}.html">{escape(words)}</a>' for one, words in zip(above, names, strict=True)]
    lead = (f"<p>Part of {' › '.join(back)}: {counted(part, whole)}. The whole table as a file: "
            f'<a href="{root}{whole.page}.csv">{name}.csv</a>, and <a href="{root}{whole.page}.html#columns">what its columns '
            "mean</a>.</p>")
    body = f'<section aria-labelledby="part-title"><h1 id="part-title">{escape(said)}</h1>{lead}{content(name, part)}</section>'
    return {"title": said, "body": body, "said": f"{said}. {counted(part)}.", "display_toc": False}


def found(part, html):
    """Of each page on which rows of a table stand what all its rows say, the marks of its groups, and what each row says.

    ``html`` maps a page to its HTML.
    """
    places = {}
    for leaf in parts.leaves(part):
        text = html(leaf.page)
        common = COMMON.search(text)
        places[leaf.page] = {"common": frames.words(common[1]) if common else "", "groups": GROUP.findall(text),
                             "rows": {row: said(inside) for row, inside in ROW.findall(text)}}
    return places


def said(row):
    """The text of a row as a browser has it."""
    return " ".join(re.sub(r"<[^>]+>", "", row).split())


def write(app, exception):
    """Write what the page of each split table needs to lead to its rows."""
    if exception is not None or app.builder.name != "html":
        return
    out = Path(app.outdir)
    for name in tables.titles():
        if (part := parts.of(name)).parts:
            places = found(part, lambda page: (out / f"{page}.html").read_text(encoding="utf-8"))
            text = json.dumps(places, ensure_ascii=False, separators=(",", ":"))
            write_if_changed(out / FOLDER / f"{part.page}.json", text + "\n")


def setup(app):
    app.connect("html-collect-pages", collected)
    app.connect("build-finished", write)
