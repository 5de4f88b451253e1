"""The headline results of the built book: what its notebooks glued, and the finding each figure prints.

`python tests/golden/headlines.py` rewrites headlines.json from `_build/book`.  Review the difference and add a line under
*Results* to CHANGELOG.md: readers have cited the old numbers.
"""

import ast
import json
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
GOLDEN = FOLDER / "headlines.json"
BUILT = FOLDER.parent.parent / "_build" / "book"
FIGURE = "application/vnd.tokenecon.figure+json"


def headlines(notebook):
    """Key to text of one executed notebook."""
    found = {}
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            if name:
                text = output["data"]["application/papermill.record/text/plain"]
                found[name] = str(ast.literal_eval("".join(text)))
            figure = output.get("data", {}).get(FIGURE)
            if figure:
                found[f"figure {figure['id']}"] = figure["title"]
    return found


def built(folder=BUILT):
    """All headlines of the built book, by notebook."""
    notebooks = sorted(folder.rglob("*.ipynb"))
    return {path.relative_to(folder).with_suffix("").as_posix(): headlines(path) for path in notebooks}


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(built(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
