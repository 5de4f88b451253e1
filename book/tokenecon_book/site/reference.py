"""The formula reference: one page a module, written from the docstrings.

The docstrings are reStructuredText, so their text goes into the page as such; only headings,
anchors and the table of arguments are made here.
"""

import importlib
import inspect
import pkgutil
import re
import textwrap

from tokenecon import formulas

SECTION = re.compile(r"^(\S[^\n]*)\n-{3,}\n", re.M)
ARGUMENT = re.compile(r"^(\w+) : ([^\n]+)\n((?:[ \t]+[^\n]*\n?|\n)+)", re.M)
UNIT = re.compile(r"\s*\[([^\]\s]+)\]\s*$")
GREEK = (
    "alpha", "beta", "gamma", "delta", "epsilon", "eta", "theta", "kappa", "lambda", "mu", "nu", "rho", "sigma",
    "tau", "phi", "omega",
)  # fmt: skip
# The symbol stands last, or before a semicolon: "Bits of the zero point, b_z; 0 for symmetric formats."
LETTER = rf"(?:[A-Za-z]|[A-Z]{{2,3}}|{'|'.join(GREEK)})(?:_\{{?\w+\}}?)?"
SYMBOL = re.compile(rf",\s+({LETTER}(?:'|\*|/{LETTER}|\([\w/]+\)|\[\w\])?)(?=\.?$|;)")
NAMES = {"kv": "KV", "tco": "TCO"}
INNER = ("Parameters", "Returns", "Raises", "Notes", "References", "Examples", "See Also")


def modules():
    """Names of the modules under ``formulas``, in alphabetical order."""
    return sorted(found.name for found in pkgutil.iter_modules(formulas.__path__))


def functions(name):
    """The public functions of a module, in the order in which its source defines them."""
    module = importlib.import_module(f"tokenecon.formulas.{name}")
    found = [
        function
        for key, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not key.startswith("_")
    ]
    return module, sorted(found, key=lambda function: function.__code__.co_firstlineno)


def sections(docstring):
    """A numpydoc docstring as {heading: text}; the text before the first heading is under ""."""
    parts = SECTION.split(inspect.cleandoc(docstring) + "\n")
    found = {"": parts[0].strip()}
    for heading, body in zip(parts[1::2], parts[2::2], strict=True):
        if heading not in INNER:
            raise ValueError(f"docstring section '{heading}' is not one of {', '.join(INNER)}")
        found[heading] = body.strip()
    return found


def arguments(text):
    """Rows (name, meaning, symbol, unit) of a Parameters section.

    >>> arguments("gpus : int or ndarray\\n    GPUs of one replica, G. [GPU]\\n")
    [('gpus', 'GPUs of one replica.', 'G', 'GPU')]
    """
    rows = []
    for name, _, body in ARGUMENT.findall(text + "\n"):
        meaning, symbol, unit = meaning_of(body)
        rows.append((name, meaning, symbol, unit))
    return rows


def meaning_of(body):
    """Split "Rent of one GPU, P. [USD/GPU/h]" into meaning, symbol and unit."""
    text = " ".join(body.split())
    unit = UNIT.search(text)
    text = UNIT.sub("", text)
    symbol = SYMBOL.search(text)
    if symbol:
        rest = text[symbol.end() :].rstrip(".")
        text = text[: symbol.start()].rstrip() + rest + "."
    return text, symbol.group(1) if symbol else "", unit.group(1) if unit else ""


def summary(function):
    """The first sentence of a docstring."""
    return " ".join(sections(function.__doc__)[""].split("\n\n")[0].split())


def title(name):
    """The title of a module's page.

    >>> title("kv_cache")
    'KV cache'
    """
    words = [NAMES.get(word, word) for word in name.split("_")]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])


def references(text):
    """One list entry a reference: an entry ends where a line ends with a full stop."""
    text = re.sub(r"(?m)^(\.\. \[\w+\]|[-*])\s+", "", text)
    return "\n".join(
        "- " + " ".join(entry.split()) for entry in re.split(r"(?<=\.)\n", text) if entry.strip()
    )


def _symbol(symbol):
    """A symbol as a docstring spells it, as mathematics: eta_b, B*, t(B)."""
    latex = re.sub(r"_\{?(\w+)\}?", r"_{\1}", symbol).replace("*", "^*")
    latex = re.sub(rf"\b({'|'.join(GREEK)})(?=\b|_)", r"\\\1", latex)
    return f":math:`{latex}`" if latex else ""


def _list_table(rows, headings):
    """Rows of cells as a table in reStructuredText."""
    lines = [".. list-table::", "   :header-rows: 1", "   :class: formula-arguments", ""]
    for row in [headings, *rows]:
        for place, cell in enumerate(row):
            lines.append(f"   {'* ' if place == 0 else '  '}- {cell}".rstrip())
    return "\n".join(lines)


def _inside(directive, text):
    """A directive with its content, whose inline markup and blocks stay what they are."""
    return f".. {directive}\n\n{textwrap.indent(text, '   ')}"


def _returned(text):
    """The Returns section as rows (meaning, symbol, unit); its headings are types, which say little."""
    return [meaning_of(body) for body in re.findall(r"(?m)^\S[^\n]*\n((?:[ \t]+[^\n]*\n?)+)", text + "\n")]


def result(function):
    """Meaning, symbol and unit of what a function gives."""
    (found,) = _returned(sections(function.__doc__)["Returns"])
    return found


def function_text(function):
    """The part of a page about one function, as reStructuredText."""
    parts = sections(function.__doc__)
    name = function.__name__
    # The heading makes an anchor of its own, which spells underscores as hyphens.
    out = [f'.. raw:: html\n\n   <span class="anchor" id="{name}"></span>'] if "_" in name else []
    out += [f"``{name}``\n{'-' * (len(name) + 4)}", parts[""]]
    rows = [
        (f"``{argument}``", meaning, _symbol(symbol), f"``{unit}``" if unit else "")
        for argument, meaning, symbol, unit in arguments(parts.get("Parameters", ""))
    ]
    rows += [
        ("*result*", meaning, _symbol(symbol), f"``{unit}``" if unit else "")
        for meaning, symbol, unit in _returned(parts.get("Returns", ""))
    ]
    out.append(_list_table(rows, ("Argument", "Meaning", "Symbol", "Unit")))
    if "Notes" in parts:
        out.append(_inside("admonition:: Note\n   :class: formula-note", parts["Notes"]))
    if "Examples" in parts:
        out += ["**Example.**", parts["Examples"]]
    if "References" in parts:
        out += ["**References.**", references(parts["References"])]
    out.append(_inside("dropdown:: Source", _inside("code-block:: python", code(function))))
    return "\n\n".join(out)


def code(function):
    """The source of a function without its docstring, which the page already shows."""
    source = textwrap.dedent(inspect.getsource(function))
    return re.sub(r'\n\s+r?""".*?"""\n', "\n", source, count=1, flags=re.S)


def lead(module):
    """The first paragraph of a module's docstring."""
    return " ".join(inspect.cleandoc(module.__doc__).partition("\n\n")[0].split())


def pages():
    """Path to text of every page of the reference, but not of its contents page."""
    found = {}
    for name in modules():
        module, members = functions(name)
        if not members:
            continue
        rest = inspect.cleandoc(module.__doc__).partition("\n\n")[2]
        heading = f"{title(name)}\n{'=' * len(title(name))}"
        opening = [heading, f"*{lead(module).rstrip('.')}.*", rest, f"Module ``tokenecon.formulas.{name}``."]
        text = [part for part in opening if part] + [function_text(function) for function in members]
        found[f"formulas/{name}.rst"] = "\n\n".join(text) + "\n"
    return found


def contents():
    """Title, page, lead and functions with their first sentences, of every module."""
    found = []
    for name in modules():
        module, members = functions(name)
        if members:
            sentences = [(function.__name__, summary(function)) for function in members]
            found.append((title(name), f"{name}.html", lead(module), sentences))
    return found
