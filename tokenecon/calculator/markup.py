"""The answer of the calculator as a tree of elements: ``[tag, attributes, children]``, a text being a child.

The build writes it into the page as HTML and the reader's browser makes elements of it, so that both show the same; text stays
text in both.
"""

import json

from tokenecon.calculator import answer, page, parameters, scenario_text, volume

NOTES = 8  # sentences about one file: more tell nobody anything
CLASSES = {"API": "api", "rent by the hour": "rent", "commitment": "commit", "own": "own"}


def element(tag, kind, *children, **attributes):
    """One element of a class."""
    named = {name.replace("_", "-"): value for name, value in attributes.items()}
    return [tag, dict(named, **{"class": kind}) if kind else named, list(children)]


def answered(found):
    """The whole answer of :func:`page.shown`."""
    if not found["known"]:
        return [element("p", "calc-sentence", found["sentence"])] + refusals(found)
    parts = [element("p", "calc-sentence", found["sentence"]), later(found, "calc-volume"), bars(found),
             element("p", "calc-note", found["ages"] + " Bars: a month. Lines: 10th to 90th percentile of the price, together "
                     "with the 80% interval of the model.")]
    parts.append(table("calc-lines", "The bill of a month, USD", ["Line"] + found["lines"]["heads"], found["lines"]["rows"],
                       [""] + found["lines"]["of"]))
    parts.append(table("calc-tokens", "A million tokens, USD", ["Kind"] + found["tokens"]["heads"], found["tokens"]["rows"]))
    if "speed" in found:
        speed = found["speed"]
        parts.append(table("calc-speed", "Speed of the cheapest machines: " + speed["name"], ["Quantity", "Expected", "Unit"],
                           [[words, [value, ends], unit] for words, value, ends, unit in speed["rows"]]))
        parts += [element("p", "calc-binds", speed["binds"]), element("p", "calc-note", speed["error"])]
        if speed["unmeasured"]:
            parts.append(element("p", "calc-note", "Never measured, so with wider intervals: " + speed["unmeasured"] + "."))
    parts += [later(found, "calc-swings"), choices(found)]
    return parts + refusals(found)


def later(found, kind):
    """The place of a part that is worked out after the answer, empty until then."""
    return found["later"].get(kind) or element("p", kind + " calc-note", "")


def of_volume(found):
    """From which volume on something is cheaper than the API."""
    return element("p", "calc-volume", found)


def of_swings(found):
    """What would change a bill most."""
    if not found["rows"]:
        return element("p", "calc-swings calc-note", "")
    caption = "What would change the bill of the cheapest machines most: " + found["name"]
    note = ("One input at a time, the load as it is: other ends of what the book assumes, other formats, hours and price rules. "
            "Below each bill: the change.")
    return element("div", "calc-swings", table("calc-moves", caption, ["Input", "Now", "Instead", "A month"], found["rows"]),
                   element("p", "calc-note", note))


def bars(found):
    """A bar a kind of choice, with its range."""
    most = max([one["usd"][2] for one in found["groups"]])
    rows = []
    for one in found["groups"]:
        low, usd, high = ["%.2f%%" % (100 * value / most) for value in one["usd"]]
        drawn = element("svg", "calc-bar-drawn", ["rect", {"x": "0", "y": "3", "width": usd, "height": "12"}, []],
                        ["line", {"x1": low, "x2": high, "y1": "9", "y2": "9"}, []],
                        ["line", {"x1": low, "x2": low, "y1": "5", "y2": "13"}, []],
                        ["line", {"x1": high, "x2": high, "y1": "5", "y2": "13"}, []], aria_hidden="true")
        rows.append(element(
            "li", "calc-bar calc-" + CLASSES[one["group"]], element("span", "calc-bar-words", one["words"]),
            element("span", "calc-bar-month", one["month"]), element("span", "calc-bar-range", one["range"]), drawn,
            element("span", "calc-bar-of", "%s · %s · people %s" % (one["name"], one["price"], one["people"]))))
    return element("ul", "calc-bars", *rows, aria_label="USD a month by kind of choice")


def table(kind, caption, heads, rows, under=None):
    """A table; a cell is a text, or a text with its range, which stands below it."""
    def head(place):
        found = element("th", "", heads[place], scope="col")
        if under and under[place]:
            found[2].append(element("span", "calc-range", under[place]))
        return found

    body = [["tr", {}, [element("th", "", row[0], scope="row")] + [
        cell(row[place], heads[place]) for place in range(1, len(row))]] for row in rows]
    return element("div", "table-scroll calc-table", element(
        "table", kind, element("caption", "", caption), ["thead", {}, [["tr", {}, [head(place) for place in range(len(heads))]]]],
        ["tbody", {}, body]), tabindex="0", role="region", aria_label=caption)


def cell(value, head):
    """One cell, which says its column where the table is shown as cards."""
    attributes = {"data-label": head}
    if isinstance(value, str):
        return ["td", dict(attributes, **{"class": "calc-none"}) if value == "–" else attributes, [value]]
    text, ends = value
    return ["td", attributes, [text] + ([element("span", "calc-range", ends)] if ends and ends != text else [])]


def choices(found):
    """Every choice that can be had, the cheapest first."""
    heads = [one["head"] for one in found["columns"]]
    rows = [[row[0][0]] + row[1:] for row in found["rows"]]
    return element("details", "calc-choices", ["summary", {}, ["All choices, the cheapest first (%d)" % len(rows)]],
                   table("calc-all", "What each choice costs", heads, rows))


def refusals(found):
    """What cannot be had, folded."""
    if not found["refused"]:
        return []
    rows = [["li", {}, ["%s: %s" % (name, reason)]] for name, reason in found["refused"]]
    return [element("details", "calc-refused", ["summary", {}, ["Not to be had (%d)" % len(rows)]], ["ul", {}, rows])]


def panel(found):
    """The short answer of the front page."""
    if not found["known"]:
        return [element("p", "calc-sentence", found["sentence"])]
    return [element("p", "calc-sentence", found["sentence"]), later(found, "calc-volume"), bars(found),
            element("p", "calc-note", found["ages"])]


# --- from one text to another: what the worker calls -----------------------------------------------


def day(facts, given):
    """The day whose prices a case asks for: that of the start where it names none that there is."""
    return parameters.read(facts, given)[0]["as_of"]


class Run:
    """One case on its way: accelerators one after the other, then what stands behind the answer, in small steps."""

    def __init__(self, facts, given):
        self.facts = facts
        self.values, self.wrong = parameters.read(facts, given)
        self.case = answer.case(facts, self.values)
        self.parts, self.left, self.api = [], list(self.values["gpus"]), answer.of_api(facts, self.case)
        self.later, self.behind = {}, self._behind()

    def step(self):
        """Compute the next accelerator; whether more are left."""
        if self.left:
            self.parts.append(answer.of_gpu(self.facts, self.case, self.left.pop(0)))
        return bool(self.left)

    def more(self):
        """Compute a little more of what stands behind the answer; whether anything is left of it."""
        for _ in self.behind:
            return True
        return False

    def _behind(self):
        choices = [one for part in self.parts for one in part["choices"]] + [self.api]
        machines = [one for one in answer.feasible(choices) if one["kind"] != "api"]
        if not machines:
            return
        found = []
        yield from volume.break_even(self.facts, self.case, choices, found)
        self.later["calc-volume"] = of_volume(page.volume_sentence(self.facts, self.case, self.api, found))
        found = []
        yield from volume.swings(self.facts, self.values, machines[0], found)
        self.later["calc-swings"] = of_swings(page.swings(self.facts, self.values, machines[0], found))

    def found(self):
        """Everything of what is computed so far, and the trees of both pages."""
        shown = page.shown(self.facts, self.case, self.values, self.parts, self.api)
        shown.update({"wrong": self.wrong, "left": len(self.left), "later": self.later})
        shown.update({"answer": answered(shown), "panel": panel(shown)})
        return shown

    def told(self):
        """The same as JSON: texts, and bills that are numbers."""
        return json.dumps(self.found())

    def told_later(self):
        """What stands behind the answer as JSON: class to tree."""
        return json.dumps(self.later)


def run(facts, given):
    """The whole answer to a case at once."""
    one = Run(facts, given)
    while one.step():
        pass
    while one.more():
        pass
    return one.found()


def opened(facts, text):
    """A scenario file as JSON: the values that differ from the start, as texts, and what of it this page cannot take."""
    given, notes = scenario_text.read(facts, text)
    if len(notes) > NOTES:
        notes = notes[:NOTES] + ["and %d more lines like these" % (len(notes) - NOTES)]
    return json.dumps({"given": given, "notes": notes})
