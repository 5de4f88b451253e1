"""A part of a sweep as numbers: cases cut from a grid, estimated, as a Parquet file."""

import io
from collections import Counter

from tokenecon import __version__, data, queries
from tokenecon.importers import own_model
from tokenecon.serving import checks

FILE = "part-{:06}.parquet"
MODELS = ("model", "draft_model")  # columns that may name a configuration
SAID = 3  # of what is said of wrong cases in a part, the most frequent is in the manifest


def checked(plan):
    """What a worker needs beside the cases: whether each column is text or whole, and where configurations lie."""
    grid = plan.grid
    whole = [name for name in grid.names() if name in checks.NUMBERS and all(isinstance(one, int) for one in grid.values(name))]
    named = {one for name in MODELS for one in grid.values(name)}
    beside = {one: own_model.beside(one, plan.folder) for one in named if own_model.is_path(one)}
    return plan.options | {"whole": whole, "beside": beside}


def depends(options):
    """Files that the cases read beside the facts."""
    return sorted(options["beside"].values())


def code(options):
    """Packages that make the results."""
    return (data.PACKAGE,)


def made(options, grid, start, stop):
    """The file of some cases, as bytes, and what to tell of them: ``cases``, ``errors``, what they say, ``sources``."""
    import pyarrow
    from pyarrow import parquet

    from tokenecon.serving.estimate import TEXTS, estimate

    cases = grid.table(start, stop)
    named = {name: cases[name] for name in MODELS if name in cases and options["beside"]}
    for name, given in named.items():
        cases[name] = given.replace(options["beside"])
    with queries.recording() as asked:
        found = estimate(cases, options["intervals"], options["percentiles"])
    for name, given in named.items():
        found[name] = given
    texts = {*checks.WORDS, *TEXTS, "bound"}
    kinds = {name: pyarrow.string() if name in texts else pyarrow.bool_() if found[name].dtype == bool else
             pyarrow.int64() if name in options["whole"] else pyarrow.float64() for name in found.columns}
    schema = pyarrow.schema(list(kinds.items()), metadata={"tokenecon": __version__})
    table = pyarrow.Table.from_pandas(found, schema=schema, preserve_index=False).replace_schema_metadata(schema.metadata)
    file = io.BytesIO()
    parquet.write_table(table, file, use_dictionary=[*texts & kinds.keys(), *grid.names()])
    wrong = found["error"][found["error"] != ""]
    said = Counter()
    for one, count in wrong.value_counts(sort=False).items():
        said[one.partition(":")[0]] += int(count)  # what follows a colon is of one case
    return file.getvalue(), {
        "cases": len(found), "errors": len(wrong), "said": dict(said.most_common(SAID)),
        "sources": list(data.sources_of(asked)), "own_facts": data.own_words(asked)}


def frame(job, folder, lines, columns, filters):
    """The cases of parts as one table."""
    import pandas as pd

    return pd.read_parquet([str(folder / line["file"]) for line in lines], columns=columns, filters=filters)
