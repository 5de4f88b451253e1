"""What a sweep gives back: what is there, what failed, and the cases as a table when they are asked for."""

import html
from pathlib import Path

from tokenecon import __version__, units
from tokenecon.sweeps import engine, grid

WORST = 5  # failed parts, or sentences about wrong cases, that a summary names


class Sweep:
    """The parts of a sweep in their folder.

    ``cases`` and ``parts`` are how many there are to be, ``done`` and ``errors`` the cases that are there, and those of them that
    say why they have no numbers, ``made`` the parts that this call made, ``failed`` the parts that have none: ``{part, case,
    cases, why}``, ``case`` the place of the first.  ``sources`` are ids of ``data/sources.csv``, ``version`` is tokenecon's.
    """

    def __init__(self, job, folder, made=0):
        lines = engine.state(job, folder)[1]
        self.folder, self.made, self.version = Path(folder), made, __version__
        self.cases, self.parts = job.cases, job.count
        first = {line["part"]: line["part"] * job.plan.per_part for line in lines if "failed" in line}
        self.failed = [{"part": line["part"], "case": first[line["part"]], "why": line["failed"],
                        "cases": min(job.plan.per_part, job.cases - first[line["part"]])} for line in lines if "failed" in line]
        self._job, self._lines = job, [line for line in lines if "failed" not in line]
        self.done, self.errors = (sum(line[name] for line in self._lines) for name in ("cases", "errors"))
        self.sources = tuple(dict.fromkeys(one for line in self._lines for one in line.get("sources", ())))
        self.own_facts = "; ".join(dict.fromkeys(line["own_facts"] for line in self._lines if line.get("own_facts")))

    @property
    def units(self):
        """Unit of each column whose name says one."""
        if not self._lines or self._job.plan.notebook is not None:
            return {}
        from pyarrow import parquet

        names = parquet.read_schema(self.folder / self._lines[0]["file"]).names
        return {name: unit for name in names if (unit := units.of_name(name))}

    @property
    def said(self):
        """Sentences of cases without numbers, with how many say so, the most frequent ones."""
        found = {}
        for line in self._lines:
            for one, count in line.get("said", {}).items():
                found[one] = found.get(one, 0) + count
        return dict(sorted(found.items(), key=lambda pair: -pair[1])[:WORST])

    def to_frame(self, columns=None, filters=None):
        """The cases that are there as a DataFrame; ``columns`` and ``filters`` as :func:`pandas.read_parquet` takes them."""
        import pandas as pd

        return self._job.kind.frame(self._job, self.folder, self._lines, columns, filters) if self._lines else pd.DataFrame()

    def summary(self):
        """What is there, as plain values."""
        return {"folder": str(self.folder), "cases": self.cases, "done": self.done, "errors": self.errors, "said": self.said,
                "parts": self.parts, "parts_done": len(self._lines), "made": self.made, "failed": self.failed,
                "sources": list(self.sources), "tokenecon": self.version}

    def sentence(self):
        """The same in a sentence."""
        missing = self.parts - len(self._lines) - len(self.failed)
        what = "case" if self._job.plan.notebook is None else "notebook"
        words = [f"{self.done:,} of {self.cases:,} {what}s in {len(self._lines):,} of {self.parts:,} parts"]
        words += [f"{self.errors:,} cases say why they have no numbers"] * bool(self.errors)
        words += [f"{len(self.failed):,} parts failed"] * bool(self.failed)
        words += [f"{missing:,} parts are not made yet"] * bool(missing)
        return f"{self.folder}: {'; '.join(words)}"

    def lines(self):
        """The sentence, and one line each for what failed, for cases without numbers, and for the reader's own facts."""
        found = [self.sentence()]
        for one in self.failed[:WORST]:
            span = f"case {one['case']:,}" + f" to {one['case'] + one['cases'] - 1:,}" * (one["cases"] > 1)
            found.append(f"failed: {span}: {one['why']}")
        found += [f"and {len(self.failed) - WORST:,} more failed"] * (len(self.failed) > WORST)
        found += [f"{count:,} cases: {one}" for one, count in self.said.items()]
        return found + [f"with your own facts: {self.own_facts}"] * bool(self.own_facts)

    def __repr__(self):
        return f"<Sweep {self.sentence()}>"

    def _repr_html_(self):
        first, *rest = map(html.escape, self.lines())
        rows = "".join(f"<li>{one}</li>" for one in rest)
        return f"<p>{first}. tokenecon {self.version}.</p>" + f"<ul>{rows}</ul>" * bool(rows)


def sweep(given, out, *, scheduler=None, workers=None, retry_failed=False, tell=lambda *_: None):
    """Make what is not there yet of a sweep; see ``tokenecon.sweep``."""
    job, made = engine.run(grid.read(given), out, scheduler=scheduler, workers=workers, retry_failed=retry_failed, tell=tell)
    return Sweep(job, out, made)


def status(given, out):
    """What is there of a sweep; nothing is made."""
    return Sweep(engine.Job(grid.read(given)), out)
