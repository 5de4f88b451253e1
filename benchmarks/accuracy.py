"""Accuracy of the serving model where whole campaigns, models and GPUs are left out: ``make bench-accuracy``.

Fits anew for every campaign (some minutes); ``--stored`` prints the predictions of ``data/held_out.csv`` instead.
"""

import sys

import pandas as pd

from tokenecon.serving.calibration import held_out
from tokenecon_book.chapters.validation import largest_errors, validation


def show(title, table, percent=()):
    """One table on the screen, shares as percent."""
    shown = table.copy()
    for name in percent:
        shown[name] = [f"{value:.1%}" for value in shown[name]]
    print(f"\n{title}\n" + "-" * len(title))
    print(shown.to_string(index=False))


def main(arguments):
    """Print the tables; exit code 1 where a target is missed or a large error has no explanation."""
    pd.set_option("display.width", 250, "display.max_colwidth", 110, "display.max_rows", 500)
    shares = ("median_error", "signed_error", "ninth_decile", "within_twofold")
    if "--stored" not in arguments:
        fresh, _ = held_out.predictions("campaign")
        held_out.stored = lambda by="campaign", stored=held_out.stored: fresh if by == "campaign" else stored(by)
    rows = validation.compared()
    goals = validation.targets(rows).table
    shown = goals.assign(met=["yes" if met else "NO" for met in goals["met"]])
    show("What it must reach, each campaign left out", shown.round(4))
    for by in ("model", "gpu"):
        other = validation.targets(validation.compared(by)).table
        show(f"The same, each {by} left out", other.assign(met=["yes" if met else "NO" for met in other["met"]]).round(4))
    for title, keys in (
        ("By load and metric", ["load", "metric"]), ("Dense and mixture of experts", ["load", "metric", "kind"]),
        ("By precision", ["load", "metric", "weights"]), ("By GPU", ["load", "metric", "gpu"]),
        ("By campaign", ["campaign", "metric"]), ("By model", ["load", "metric", "model"]),
    ):  # fmt: skip
        show(title, validation.errors(rows, keys).table.astype({"rows": int}), shares)
    show("Coverage of 80 % intervals made without the campaign", validation.covered(rows).table, ("inside",))
    show("Noise floor: the same configuration measured twice", validation.noise_floor(rows).table, ("median",))
    owed = largest_errors.owed(rows).table
    show("Groups of 20 rows or more above 30 %", owed, ("median_error", "signed_error"))
    show("Measurements set aside", largest_errors.left_out().table)
    unexplained = owed[owed["explanation"] == ""]
    return 0 if goals["met"].all() and unexplained.empty else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
