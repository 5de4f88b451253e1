"""A result as the book shows it: a table with its units, a sentence, and where all of it comes from.

A function marked :func:`finding` makes one.  What it asks of ``data/`` meanwhile is put on record, and that record alone
gives the result its sources: they cannot be stated by hand.
"""

import functools
import html
import inspect
import math
import re
from collections import namedtuple
from types import MappingProxyType

from tokenecon import __version__, data, queries, units
from tokenecon.errors import UnknownId

PLAIN = (str, int, float, bool)
SHOWN = 20  # rows and columns of a table that a notebook shows
# a number in a sentence: its name, the text that is read, its value, the case that it is of, the ends of its range and their text
Quantity = namedtuple("Quantity", "name text value case low high ends", defaults=(None, None, ""))
_making = []
# a parameter may be one, and a sentence about many of them is read all the same
ONE_OF_MANY = re.compile(r"(?<![\d.,/–-])(?<!atch )(?<!to )\b1 (token|request|hour|minute|second|turn|answer|group|analyst)s\b")


def agreed(text):
    """A text in which one of a thing is not said to be many: "1 token a day"."""
    return ONE_OF_MANY.sub(r"1 \1", text)


def named(name, value, show, *, low=None, high=None, **case):
    """A number of a sentence as text, put on record as a named quantity of the finding that is being made.

    Parameters
    ----------
    name : str
        A row of ``data/quantities.csv``; of a printed or assumed figure the id of its row in ``data/``.
    value : float
        The number in the unit of its row.
    show : callable
        Gives the text of the value, and of the ends of its range.
    low, high : float, optional
        The ends of its range, of the kind that its row says; both or none.
    **case
        What the number is of: one name has one value for the same case, wherever it stands.
    """
    text = show(value)
    if (low is None) != (high is None):
        raise TypeError(f"{name} is given one end of its range; give low and high, or none")
    if _making:
        of = tuple(sorted((key, f"{part:.12g}" if isinstance(part, float) else str(part)) for key, part in case.items()))
        ends = () if low is None else (float(low), float(high), " to ".join(dict.fromkeys((show(low), show(high)))))
        _making[-1][2].append(Quantity(name, text, float(value), of, *ends))
    return text


def ends(row, column=""):
    """The ends of the range of a column of a row, for :func:`named`; nothing where one is not known or not finite."""
    stem = column and f"{column}_"
    low, high = (row.get(f"{stem}{end}") for end in ("low", "high"))
    known = None not in (low, high) and math.isfinite(low) and math.isfinite(high)
    return {"low": low, "high": high} if known else {}


def given(case, parameter, show):
    """A parameter of the page in a sentence: its own name, and no case."""
    return named(f"parameter.{parameter}", getattr(case, parameter), show)


class Finding:
    """A table of results, immutable, with what a reader must know of it.

    Parameters
    ----------
    table : pandas.DataFrame
        The numbers; where ``x_low`` and ``x_high`` exist they are the range of ``x``.
    sentence : str
        The finding in plain words, without a full stop where it titles a figure.
    note : str
        How to read the table: what a range is, what was left out.
    units : dict, optional
        Unit of a column whose name does not say it (see :func:`tokenecon.units.of_name`).
    fresh : bool
        Whether nobody else holds the table, so that it is kept without a copy.
    **values
        Named results that are no column: a mean, a break-even, a threshold to draw.
    """

    __slots__ = ("_given_units", "_queries", "_sentence", "_table", "makers", "note", "parameters", "quantities", "sources",
                 "values", "version")

    def __init__(self, table, sentence="", note="", units=(), *, fresh=False, **values):
        if taken := sorted({"sources", "queries", "parameters", "quantities", "makers", "version"} & values.keys()):
            raise TypeError(f"a Finding cannot be given its {taken[0]}: they follow from what was asked while it was made")
        if not _making:
            raise RuntimeError("a Finding is made in a function marked @finding, which records what it asks of data/")
        record, parameters, quantities, makers = _making[-1]
        fill = functools.partial(object.__setattr__, self)
        fill("_table", table if fresh else table.copy())
        fill("_queries", tuple(record))
        fill("_sentence", agreed(sentence))
        fill("quantities", tuple(dict.fromkeys(quantities)))
        fill("note", agreed(note))
        fill("_given_units", dict(units))
        fill("makers", tuple(dict.fromkeys(makers)))
        fill("version", __version__)
        fill("values", MappingProxyType({name: agreed(one) if isinstance(one, str) else one for name, one in values.items()}))
        fill("parameters", MappingProxyType(parameters))
        fill("sources", data.sources_of(self._queries))

    def __setattr__(self, name, value):
        raise AttributeError(f"a Finding cannot be changed; make another in place of setting its {name}")

    @property
    def table(self):
        """A copy of the table."""
        self._taken()
        return self._table.copy()

    def _taken(self):
        """Who takes the numbers takes their sources along, and the functions that made them."""
        queries.ask(*self._queries)
        if _making:
            _making[-1][3].extend(self.makers)

    def to_frame(self):
        """The table as a DataFrame of your own."""
        return self.table

    @property
    def units(self):
        """Unit of each column of numbers, blank where its name says none."""
        return MappingProxyType(columns(self._table, self._given_units))

    @property
    def sentence(self):
        """The finding in plain words; a result that repeats it takes its quantities along."""
        self._say()
        return self._sentence

    def _say(self):
        if _making:
            _making[-1][2].extend(self.quantities)

    @property
    def cited(self):
        """The sources as dicts: id, title, publisher, url, published, licence."""
        rows = (data.source(one) for one in self.sources)
        return [{name: row[name] for name in ("id", "title", "publisher", "url", "published", "licence")} for row in rows]

    @property
    def behind(self):
        """The rows of ``data/`` that it is made of: pair of table and id to the row as text."""
        return data.behind(self._queries)

    def __getitem__(self, name):
        """One of the named values, or else a column of the table, or a table of some columns."""
        self._taken()
        self._say()
        if isinstance(name, str) and name in self.values:
            return self.values[name]
        return self._table[name].copy()

    @property
    def columns(self):
        """Names of the columns, as a DataFrame has them."""
        return self._table.columns

    @property
    def iloc(self):
        """Rows by their place, as of a DataFrame."""
        return self.table.iloc

    @property
    def loc(self):
        """Rows by their name, as of a DataFrame."""
        return self.table.loc

    def __iter__(self):
        return iter(self._table.columns)

    def __len__(self):
        return len(self._table)

    def _repr_html_(self):
        """What a notebook shows: the sentence, the first rows with units, the note, the sources and the version."""
        shown = self._table.iloc[:SHOWN]
        named = self.units
        cells = {name: [_cell(value) for value in shown[name]] for name in shown.columns}
        head = "".join(f"<th>{html.escape(str(name))}<br><small>{html.escape(named.get(name, ''))}</small></th>"
                       for name in cells)
        rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in zip(*cells.values(), strict=True))
        more = f"{SHOWN} of {len(self):,} rows; <code>to_frame()</code> has all. " * (len(self) > SHOWN)
        cited = "".join(f"<li>{_source(one)}</li>" for one in self.sources)
        return ((f"<p><strong>{html.escape(self._sentence)}</strong></p>" if self._sentence else "")
                + f'<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table><p>{more}{html.escape(self.note)}</p>'
                + (f"<details><summary>{len(self.sources)} sources; tokenecon {self.version}</summary><ul>{cited}</ul></details>"
                   if cited else f"<p>tokenecon {self.version}</p>"))

    def __repr__(self):
        return (f"<Finding: {self._sentence or ', '.join(self._table.columns)}; {len(self)} row{'s' * (len(self) != 1)}, "
                f"{len(self.sources)} sources>")


def _cell(value):
    """A value as a notebook shows it."""
    return html.escape("" if value is None or value != value else f"{value:,.4g}" if isinstance(value, float) else str(value))


def _source(source_id):
    """A source as a line with its address; one that is no longer in use is its id."""
    try:
        found = data.source(source_id)
    except UnknownId:
        return html.escape(source_id)
    words = html.escape(", ".join(part for part in (found["publisher"], found["title"], found["published"]) if part))
    return f'<a href="{html.escape(found["url"])}">{words}</a>' if found["url"].startswith("https://") else words


def finding(make):
    """Mark a function that returns a :class:`Finding`: it is given what was asked of ``data/`` while the function ran."""
    signature = inspect.signature(make)

    @functools.wraps(make)
    def made(*args, **named):
        bound = signature.bind(*args, **named)
        bound.apply_defaults()
        with queries.recording() as record:
            _making.append((record, plain(bound.arguments), [], [f"{make.__module__}:{make.__qualname__}"]))
            try:
                return make(*args, **named)
            finally:
                _making.pop()

    return made


def plain(arguments):
    """Arguments as parameters: plain values by name, the fields of a case by theirs."""
    found = {}
    for name, value in arguments.items():
        if hasattr(value, "__dict__") and not isinstance(value, type) and not callable(value):
            found |= {key: inner for key, inner in vars(value).items() if isinstance(inner, PLAIN)}
        elif isinstance(value, PLAIN):
            found[name] = value
    return found


def columns(table, given):
    """Column of numbers to its unit: as given, or as the column's name says it."""
    found = {}
    for name in table.columns:
        middle = name.removesuffix("_low").removesuffix("_high") if isinstance(name, str) else name
        if name in given or middle in given:
            found[name] = given.get(name, given.get(middle))
        elif table[name].dtype.kind in "iuf":
            found[name] = units.of_name(name)
    return found
