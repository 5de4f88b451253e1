"""The list of a sweep's parts: `_manifest.jsonl` in its folder, a line for each part that is there whole or has failed.

A part is put in its place first and listed then.  So what is listed is there, and what a kill left unlisted is made again.
Readers of Parquet folders pass over names that begin with an underscore or a point.
"""

import contextlib
import fcntl
import json
import os
import shutil
from pathlib import Path

from tokenecon import files
from tokenecon.errors import BadInput

NAME = "_manifest.jsonl"
LOCK = "_lock"
PARTS = ("part-", "case-")  # what names of parts begin with


def read(folder):
    """The lines of parts by their number; a line that a kill cut short counts as not written."""
    try:
        text = (Path(folder) / NAME).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadInput(f"folder '{folder}' cannot be read: {error.strerror}; name another with -o") from error
    found = {}
    for line in text.splitlines():
        with contextlib.suppress(ValueError, KeyError, TypeError):
            one = json.loads(line)
            found[one["part"]] = one
    return found


def there(folder, line):
    """Whether a listed part lies in the folder as it was written, or has failed and has no file."""
    if "failed" in line:
        return True
    path = Path(folder) / line["file"]
    return path.exists() and (path.is_dir() or path.stat().st_size == line["bytes"])


@contextlib.contextmanager
def held(folder):
    """A folder of a sweep, made where there is none, that no other sweep writes to meanwhile."""
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        strange = sorted(path.name for path in folder.iterdir() if not ours(path.name))
        if strange:
            raise BadInput(f"folder '{folder}' holds '{strange[0]}', which no sweep wrote; name a new or an empty one with -o")
        lock = open(folder / LOCK, "wb")  # noqa: SIM115
    except OSError as error:
        raise BadInput(f"folder '{folder}' cannot be written: {error.strerror or error}; name another with -o") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BadInput(f"folder '{folder}' is written by another sweep now; wait for it, or name another with -o") from error
        yield folder


def ours(name):
    """Whether a file or folder has a name that sweeps give."""
    return name in (NAME, LOCK) or name.lstrip(".").startswith(PARTS) or name.startswith(f".{NAME}")


def begin(folder, lines):
    """List these parts and no other, and remove what is not listed: parts of other inputs, and what kills left."""
    kept = {line["file"] for line in lines if "failed" not in line} | {NAME, LOCK}
    if lines != list(read(folder).values()):
        with files.replaced(folder / NAME) as file:
            file.writelines(_line(line) for line in lines)
    for path in folder.iterdir():
        if path.name not in kept:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextlib.contextmanager
def listing(folder):
    """A function that lists one more part, for good when it returns."""
    with open(folder / NAME, "a", encoding="utf-8") as file:
        def add(line):
            file.write(_line(line))
            file.flush()
            os.fsync(file.fileno())

        yield add


def _line(line):
    return json.dumps(line, ensure_ascii=False, default=str) + "\n"  # YAML has dates


def write(folder, name, content):
    """Put a part in its place whole: a file of bytes, or a folder of files by name.  Gives its size in bytes."""
    if isinstance(content, bytes):
        with files.replaced(folder / name, binary=True) as file:
            file.write(content)
        return len(content)
    beside = folder / f".{name}"
    for old in (beside, folder / name):
        shutil.rmtree(old, ignore_errors=True)
    beside.mkdir()
    for inner, one in content.items():
        with files.replaced(beside / inner, binary=True) as file:
            file.write(one)
    beside.replace(folder / name)
    return sum(map(len, content.values()))
