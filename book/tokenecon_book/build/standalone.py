"""An executed notebook as a page in one file: no script, no request, readable anywhere."""

import ast
import html as markup
import re
import shlex

from tokenecon import __version__, data
from tokenecon_book import FIGURE_TYPE

GLUE = re.compile(r"\{glue:?\w*\}`(?:[^`:]*::)?([^`:]+)(?::([^`]*))?`")
ROLE = re.compile(r"\{[\w:-]+\}`([^`<]+?)(?:\s*<[^`>]*>)?`")
FENCE = re.compile(r"^(:{3,}|`{3,})\{([\w-]+)\}[ \t]*(.*)$")
MATH = re.compile(r"\$\$(.+?)\$\$|(?<![\\$\w])\$([^$\n]+?)\$(?![\w$])", re.S)
STYLE = """
body { max-width: 50rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.55 system-ui, sans-serif; color: #1c2128; }
h1 { line-height: 1.2; } svg { max-width: 100%; height: auto; } pre { overflow-x: auto; white-space: pre-wrap; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { padding: .3rem .6rem; text-align: left;
border-bottom: 1px solid #dde2e7; vertical-align: top; } .wide { overflow-x: auto; }
.finding { font-size: 1.15rem; font-weight: 600; border-left: .3rem solid #1d5fbf; padding-left: 1rem; }
.box { background: #f5f7f9; padding: .6rem 1rem; margin: 1rem 0; } figure { margin: 2rem 0; }
figcaption, footer, .small { color: #57606b; font-size: .85rem; } .changed { font-weight: 700; }
"""


def html(notebook, name, declared, values, tables, facts=""):
    """The page; ``tables`` maps a figure id to the file name of its data, which lies beside the page, ``facts`` says which facts
    of the reader's were used."""
    glued = glue(notebook)
    body = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            body.append(prose(cell.source, glued))
            if len(body) == 1:
                body.append(parameter_table(declared, values))
                body += [f'<p class="box">With your own facts: {markup.escape(facts)}.</p>'] if facts else []
        elif "remove-cell" not in cell.metadata.get("tags", ()):
            body += [output_html(output, tables) for output in cell.outputs]
    title = markup.escape(notebook.cells[0].source.splitlines()[0].lstrip("# "))
    changed = [(key, str(value)) for key, value in values.items() if value != declared[key].default]
    again = " ".join(["tokenecon run", name, *(f"-p {key} {shlex.quote(value)}" for key, value in changed),
                      *(["--facts", shlex.quote(data.own_folder())] if data.own_folder() else []),
                      *(["--calibration", shlex.quote(data.calibration_file())] if data.calibration_file() else [])])
    content = "\n".join(filter(None, body))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>{STYLE}{charts_css()}</style>\n</head>\n<body>\n<main>\n{content}\n</main>\n"
        f"<footer><p>What a token costs, version {__version__}. Made by <code>{markup.escape(again)}</code>. "
        "Text and tables: CC BY 4.0.</p></footer>\n</body>\n</html>\n"
    )


def glue(notebook):
    """Name to value of what the notebook glued."""
    found = {}
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            text = output.get("data", {}).get("application/papermill.record/text/plain")
            text = output.get("data", {}).get("text/plain") if text is None else text
            if name and text is not None:
                text = "".join(text)  # a file may hold it in lines
                found[name] = ast.literal_eval(text) if text[:1] in "'\"" else text
    return found


def prose(source, glued):
    """Markdown of a notebook as HTML: glue filled in, directives as boxes, formulas as MathML."""
    from markdown_it import MarkdownIt  # MyST's own parser; late, with what only a page needs

    values, formulas = [], []  # both are put in when the Markdown is done: they are no Markdown

    def value(match):
        name, form = match[1], match[2]
        if name not in glued:
            raise KeyError(f"the notebook glues no '{name}'")
        values.append(format(float(glued[name]), form) if form and form != "s" else glued[name])
        return f"\x04{len(values) - 1}\x05"

    text = ROLE.sub(r"\1", GLUE.sub(value, directives(source)))

    def keep(match):
        from tokenecon_book.mathml import mathml

        formulas.append(mathml(match[1] or match[2], "block" if match[1] else "inline"))
        return f"\x02{len(formulas) - 1}\x03"

    done = MarkdownIt("commonmark").enable("table").render(MATH.sub(keep, text))
    done = re.sub("\x02(\\d+)\x03", lambda match: formulas[int(match[1])], done)
    done = re.sub("\x04(\\d+)\x05", lambda match: markup.escape(values[int(match[1])]), done)
    return local_links(done)


def directives(source):
    """MyST's fences as plain boxes; code blocks stay as they are."""
    lines, open_fences = [], []
    for line in source.splitlines():
        fence = FENCE.match(line)
        if fence and fence[2] not in ("code-block", "code"):
            open_fences.append(fence[1])
            kind = "finding" if fence[3] == "finding" else "box"
            lines += [f'<div class="{kind}">', ""]
            lines += [f"**{fence[3]}**", ""] if fence[3] and kind == "box" and fence[2] != "div" else []
        elif open_fences and line.strip() == open_fences[-1]:
            open_fences.pop()
            lines += ["", "</div>", ""]
        elif not (open_fences and re.match(r"^:[\w-]+:( |$)", line)):
            lines.append(line)
    return "\n".join(lines)


def output_html(output, tables):
    """One output; a figure as its picture, with its data beside the page."""
    data = output.get("data", {})
    if FIGURE_TYPE in data:
        return figure(data, tables)
    if "text/html" in data:
        return f'<div class="wide">{local_links(data["text/html"])}</div>'
    if output.get("metadata", {}).get("scrapbook"):
        return ""  # glued: it stands in the text
    text = output.get("text") or data.get("text/plain", "")
    return f"<pre>{markup.escape(text)}</pre>" if text else ""


def figure(bundle, tables):
    """A figure's static picture with what belongs to it."""
    from tokenecon_book.charts import page

    facts = bundle[FIGURE_TYPE]
    picture = page.classed(facts["svg_wide"], "te-wide")
    lines = [markup.escape(facts["note"]) if facts["note"] else "", page.source_line(facts["sources"]),
             f"Data: {markup.escape(tables[facts['id']])}"]  # fmt: skip
    return (
        f'<figure id="fig-{facts["id"]}"><p><strong>{markup.escape(facts["title"])}</strong><br>'
        f"{markup.escape(facts['subtitle'])}</p>"
        f'<div role="img" aria-label="{markup.escape(facts["alt"])}">{picture}</div>'
        f"<figcaption>{'<br>'.join(filter(None, lines))}</figcaption></figure>"
    )


def parameter_table(declared, values):
    """The parameters of this run; what differs from the book stands out."""
    rows = ""
    for one in declared.values():
        changed = values[one.name] != one.default
        note = f" (book: {markup.escape(str(one.default))})" if changed else ""
        meaning = markup.escape(one.meaning.replace("`", ""))
        unit = "" if one.unit.startswith("choice(") else markup.escape(one.unit)
        rows += (
            f'<tr{" class=changed" if changed else ""}><th scope="row">{one.name}</th>'
            f"<td>{markup.escape(str(values[one.name]))}{note}</td><td>{unit}</td><td>{meaning}</td></tr>"
        )
    head = "".join(f'<th scope="col">{word}</th>' for word in ("Name", "Value", "Unit", "Meaning"))
    return (
        '<details open><summary>Parameters of this run</summary><div class="wide"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></details>"
    )


def local_links(text):
    """Links into the site lead nowhere from a single file: keep their words, and anchors and whole addresses."""
    return re.sub(r'<a [^>]*href="(?!https?://|#)[^"]*"[^>]*>(.*?)</a>', r"\1", text, flags=re.S)


def charts_css():
    """The site's style of figures and tables."""
    return (data.shipped("book/_static") / "charts.css").read_text(encoding="utf-8")
