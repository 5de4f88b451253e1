"""What the documents of the repository say of it is there: every path and every make target that they name."""

import re

import pytest

DOCUMENTS = ["README.md", "CONTRIBUTING.md", "data/README.md"]
# A path has a folder, and a suffix or a slash at its end: USD/GPU/h has none.
PATH = re.compile(r"`((?:[\w.<>*-]+/)+(?:[\w.<>*-]+\.\w+)?)`")
TARGET = re.compile(r"\bmake ([a-z-]+)\b")
COMMANDS = {"sure", "it"}  # words that may follow "make" in prose


def there(root, document, path):
    """Whether a path is in the repository, from its root or from the document's folder; <name> stands for any."""
    pattern = re.sub(r"<\w+>", "*", path.rstrip("/"))
    folders = (root, (root / document).parent, root / "tokenecon", root / "book" / "tokenecon_book", root / "data")
    return any(any(folder.glob(pattern)) for folder in folders)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_a_document_names_is_there(root, document):
    text = (root / document).read_text(encoding="utf-8")
    built = ("_build", "out", "html")
    named = [path for path in PATH.findall(text) if not path.startswith(built)]
    assert named
    gone = [path for path in named if not there(root, document, path)]
    assert not gone, f"{document} names {', '.join(gone)}, which is not there"


def test_every_make_target_that_a_document_names_is_there(root):
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(encoding="utf-8"), re.M))
    for document in DOCUMENTS:
        code = " ".join(re.findall(r"`([^`]+)`", (root / document).read_text(encoding="utf-8")))
        assert set(TARGET.findall(code)) <= targets | COMMANDS, document
