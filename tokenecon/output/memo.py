"""``tokenecon memo``: a decision on two pages for a board, as blocks that every format shows in its own way.

A block is a tuple of its kind and content: ``title``, ``case``, ``answer``, ``heading``, ``text``, ``small`` and ``code`` hold a
text, ``chart`` a :class:`Chart`, ``table`` a :class:`Table`.
"""

import shlex
from collections import namedtuple
from pathlib import Path

from tokenecon import __version__, data, files
from tokenecon.catalogue import TITLE
from tokenecon.decision import answers, bill, choice_words, report
from tokenecon.errors import BadInput
from tokenecon.numbers import money, number, span
from tokenecon.output import compare as comparison
from tokenecon.output import figure_sources, memo_docx, memo_html, memo_pdf, memo_text

# name, low, middle and high of each bar, the kind that colours it; words of the axis; what it shows, for who cannot see it
Chart = namedtuple("Chart", "title subtitle bars alt")
Bar = namedtuple("Bar", "name group low middle high text")
# a caption, heads, rows of texts, and the columns that stand to the right
Table = namedtuple("Table", "caption heads rows right widths alt")
FORMATS = {".md": memo_text.written, ".html": memo_html.written, ".docx": memo_docx.written, ".pdf": memo_pdf.written}
KINDS, BARS = 4, 6  # choices in the bill, bars of the chart
WORTH = {1: 5, 2: 2, 3: 1}  # inputs that a comparison names of each other case, so that the memo keeps to two pages
GROUP_WORDS = {"own": "Own", "rent by the hour": "Rent by the hour", "commitment": "Commit", "API": "Call an API"}
PARAMETERS = (
    "model",
    "weights",
    "kv",
    "gpus",
    "n_gpus",
    "isl",
    "osl",
    "cached_prefix",
    "requests_per_day",
    "growth_per_year",
    "ttft_ms",
    "tpot_ms",
    "people",
    "usd_per_person_year",
    "spare_replicas",
    "years",
    "discount_rate",
    "usd_per_kwh",
    "ops_overhead",
    "price_rule",
    "as_of",
)


def memo(path, out, others=(), draws=100_000, seed=None, price_rule=None, changes=()):
    """Write the memo of a scenario, perhaps against others, in the format that the name of ``out`` ends in.

    ``changes`` are texts like ``isl=3000`` in place of what the scenario says; the others stay as they are.
    """
    kind = Path(out).suffix.lower()
    if kind not in FORMATS:
        raise BadInput(f"file '{out}' is of no known kind; give -o a name that ends in {', '.join(FORMATS)}")
    if kind == ".pdf":
        memo_pdf.printer()  # before the draws: it may be missing
    made = report.decide(path, draws, seed, price_rule, changes)
    against = comparison.compare([path, *others], price_rule, changes) if others else None
    content = FORMATS[kind](blocks(made, against, Path(out).name), made["scenario"].as_of)
    with files.replaced(out, binary=True) as file:
        file.write(content)
    return made


def blocks(made, against=None, name="memo.docx"):
    """The memo of a report of ``decide``, and of one of ``compare``, as the command writes it into a file of a name."""
    case, found = made["scenario"], made["found"]
    best = _alternatives(found)
    options = {option["name"]: option for option in made["options"]}
    chosen = [options[row["name"]] for _, row in best.iterrows()]
    sources = figure_sources.listed(case, chosen, found["drivers"], shlex.split(made["command"])[2])
    kinds = {option["name"]: option["group"] for option in made["options"]}
    words = {
        option["name"]: choice_words.first_up(choice_words.doing(case, option["kind"], option["gpu"]))
        for option in made["options"]
    }
    at = figure_sources.numbers(sources)
    months = found["bills"].table.set_index("name")["usd_per_month"]
    out = [
        ("title", f"{case.name}: who should serve its tokens, and at what cost"),
        ("case", _case_line(case)),
        ("answer", _answer(made, best, months)),
        ("chart", _chart(found, case, words)),
        ("heading", "Alternatives"),
        ("table", _alternatives_table(case, best, options, months, found, at)),
        ("heading", "The bill of a month today"),
        ("table", _bill(best, found, words)),
        ("heading", "Assumptions that matter"),
        ("text", f"{found['drivers'].sentence}."),
        *([("table", _assumptions(found, at, words, kinds))] if len(found["drivers"].table) else []),
        ("heading", "What would change it"),
        ("table", _questions(found)),
    ]
    if against is not None:
        out += [
            ("heading", "Against other cases"),
            ("text", f"{'. '.join(against['findings'])}."),
            *([("table", _worth(against))] if len(against["findings"]) in WORTH else []),
        ]
    out += [
        ("heading", "Where the figures come from"),
        (
            "table",
            Table(
                "",
                ("No.", *figure_sources.COLUMNS),
                [(str(place), *row) for place, row in enumerate(sources, 1)],
                (0,),
                (4, 17, 17, 31, 9, 22),
                "Each figure with its source, date and address",
            ),
        ),
        (
            "small",
            "All other figures follow from these and from the parameters below. A million tokens: the present value of the "
            "costs, with people, over that of the tokens. One draw moves all choices alike: where rents rise, each way to "
            "rent does.",
        ),
        ("heading", "Parameters, and how to make this memo again"),
        ("small", "; ".join(f"{name} {_parameter(case, name)}" for name in PARAMETERS if _parameter(case, name)) + "."),
        ("code", memo_command(made, against, name)),
        (
            "small",
            f"{TITLE}, version {__version__}; facts as known on {case.as_of}; {made['draws']:,} draws, seed {made['seed']}."
            + (f" With your own facts: {made['own_facts_used']}." if "own_facts_used" in made else ""),
        ),
    ]
    return out


def memo_command(made, against, name):
    """The command that makes the memo again."""
    others = "".join(f" --compare {one}" for one in against["others"]) if against else ""
    return made["command"].replace("tokenecon decide", "tokenecon memo", 1) + others + f" -o {shlex.quote(name)}"


def _alternatives(found):
    """The surest choice of each kind, the cheapest on average first."""
    kinds = found["kinds"].table.set_index("group")
    rows = found["chances"].table.set_index("name", drop=False).loc[list(kinds["name"])]
    rows = rows.assign(of_kind=[kinds.loc[group, "probability"] for group in rows["group"]])
    return rows.sort_values("regret", kind="stable").head(KINDS)


def _case_line(case):
    names = [choice_words.short(gpu) for gpu in case.gpus]
    on = ", ".join(names) if len(names) <= KINDS else f"{len(names)} accelerators"
    return " · ".join(
        [
            data.model(case.model)["name"] if case.model in data.ids("models") else case.model,
            case.weights.upper(),
            on,
            f"{case.isl:,.10g} → {case.osl:,.10g} tokens",
            f"{case.requests_per_day:,.10g} requests a day",
            f"prices known on {case.as_of}",
        ]
    )


def _answer(made, best, months):
    """What to do, with its range, in three sentences."""
    found, first = made["found"], best.iloc[0]
    usd = [number(first[f"usd_per_mtok{end}"], "USD/Mtok") for end in ("", "_low", "_high")]
    years = choice_words.years(made["scenario"].years)
    return (
        f"{found['advice'].sentence}. It costs about {money(months[first['name']])} a month today and, over {years}, {usd[0]} a "
        f"million tokens, {usd[1]} to {usd[2]} in four simulated futures of five. {found['chances'].sentence}."
    )


def _said(case, option):
    return choice_words.first_up(answers.phrase(case, option))


def _chart(found, case, words):
    rows = found["chances"].table.sort_values("usd_per_mtok", kind="stable").head(BARS)
    bars = [
        Bar(
            words[row["name"]],
            row["group"],
            row["usd_per_mtok_low"],
            row["usd_per_mtok"],
            row["usd_per_mtok_high"],
            f"${row['usd_per_mtok']:.2f} (${row['usd_per_mtok_low']:.2f} to ${row['usd_per_mtok_high']:.2f})",
        )
        for _, row in rows.iterrows()
    ]
    years = choice_words.years(case.years)
    subtitle = f"USD per million tokens over {years}: bar, the median; line, four simulated futures of five"
    return Chart(
        "What a million tokens costs by each choice",
        subtitle,
        bars,
        f"Bar chart, {subtitle}. " + "; ".join(f"{one.name}: {one.text}" for one in bars) + ".",
    )


def _alternatives_table(case, best, options, months, found, at):
    rows = []
    bills = found["bills"].table.set_index("name")
    for name, row in best.iterrows():
        option, refs = options[name], []
        refs = [
            at[what]
            for what in (
                figure_sources.priced(one)
                for one in (option["row"], option.get("rest_row") if option["kind"] != option["base"] else None)
                if one is not None
            )
            if what in at
        ]
        committed = bills.loc[name, "commitment_usd"]
        rows.append(
            (
                GROUP_WORDS[row["group"]],
                _said(case, option),
                money(months[name]),
                f"${row['usd_per_mtok']:.2f}, {span(row['usd_per_mtok_low'], row['usd_per_mtok_high'], 'USD/Mtok')}",
                choice_words.share(row["of_kind"]),
                money(committed) if committed > 0 else "nothing",
                ", ".join(map(str, refs)),
            )
        )
    years = choice_words.years(case.years)
    return Table(
        "The surest choice of each kind, the cheapest on average first; numbers in the last column are those of the sources",
        (
            "Kind",
            "What one does",
            "A month today",
            f"A million tokens over {years}",
            "Kind is cheapest in",
            "Bound to",
            "Price",
        ),
        rows,
        (2, 3, 4, 5, 6),
        (13, 31, 11, 18, 11, 10, 6),
        "Alternatives with cost, chance and commitment",
    )


def _bill(best, found, words):
    bills = found["bills"].table.set_index("name")
    names = list(best["name"])
    paid = {
        f"usd_per_month_{line}": words
        for line, words in bill.LINES.items()
        if any(bills.loc[name, f"usd_per_month_{line}"] for name in names)
    }
    rows = [
        (words[name], *(number(bills.loc[name, column], "USD/month") for column in ("usd_per_month", *paid))) for name in names
    ]
    heads = ("USD a month", "Together", *paid.values())
    widths = (100 - 9 * (len(heads) - 1), *[9] * (len(heads) - 1))
    return Table("", heads, rows, tuple(range(1, len(heads))), widths, "The bill of a month, line by line")


def _assumptions(found, at, words, kinds):
    drivers = found["drivers"]
    rows = [
        (
            row["name"],
            figure_sources.ends(row),
            *(_lead(row[f"gap_at_{end}"], row[f"winner_at_{end}"], drivers["leader"], kinds) for end in ("low", "high")),
            str(at.get(row["name"], "–")),
        )
        for _, row in drivers.table.head(figure_sources.DRIVERS).iterrows()
    ]
    against = f"against {_inside(words[drivers['rival']])}" if drivers["rival"] else ""
    return Table(
        f"What {_inside(words[drivers['leader']])} saves {against}, USD per million tokens, when one input alone is at its low "
        "end or its high end (10th and 90th percentile)",
        ("Input", "Low and high end", "Saves at the low end", "Saves at the high end", "Source"),
        rows,
        (4,),
        (25, 20, 24, 24, 7),
        "Inputs that move the answer most",
    )


def _inside(text):
    """Words of a choice inside a sentence."""
    return text[0].lower() + text[1:]


def _lead(gap, winner, leader, kinds):
    text = number(gap, "USD/Mtok")
    if kinds[winner] == kinds[leader]:
        return text
    return f"{text}; {choice_words.DOING[kinds[winner]]} is cheapest"


def _questions(found):
    rows = [
        (row["question"], row["answer"])
        for _, row in found["questions"].table.iterrows()
        if not row["question"].startswith("What do I pay")
    ]
    return Table("", ("Question", "Answer"), rows, (), (30, 70), "What would change the answer")


def _worth(against):
    table = next(table for _, key, table, _ in against["sections"] if key == "worth")
    rows, cases = [], table["scenario"].unique()
    for label in cases:
        part = table[table["scenario"] == label]
        single = part[~part["input"].isin((comparison.REST, comparison.ALL))]
        moved = single[(single["usd_per_month"].abs() >= 1) | single["usd_per_month"].isna()]
        shown = moved.head(WORTH[len(cases)])
        whole = part[part["input"] == comparison.ALL].iloc[0].to_dict()
        rest = whole["usd_per_month"] - shown["usd_per_month"].sum()
        other = {"input": "all else, and what they do together", "from": "", "usd_per_month": rest, "cheapest": ""}
        rows += [
            (
                *([label] if len(cases) > 1 else []),
                choice_words.first_up(comparison.said(one["input"])),
                f"{one['from']} → {one['to']}" if one["from"] else "",
                number(one["usd_per_month"], "USD/month"),
                one["cheapest"],
            )
            for one in (*shown.to_dict("records"), other, whole)
        ]
    case = (("Case",), (16,)) if len(cases) > 1 else ((), ())
    return Table(
        "What each difference is worth in the bill of a month, one at a time",
        (*case[0], "Input", "Change", "A month", "Cheapest then"),
        rows,
        (len(case[0]) + 2,),
        (*case[1], 28, 30, 12, 20),
        "What each difference is worth",
    )


def _parameter(case, name):
    value = getattr(case, name)
    if value is None:
        return ""
    return (
        ", ".join(value) if isinstance(value, list | tuple) else f"{value:,.10g}" if isinstance(value, float) else str(value)
    )
