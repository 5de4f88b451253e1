"""Files of the user's: written beside their place and put there whole, or left as they were."""

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from tokenecon.errors import BadInput


@contextlib.contextmanager
def replaced(path, *, binary=False):
    """An open file that takes the place of ``path`` when the block ends well.

    Until then, and if the block or the disk fails, ``path`` is what it was.  A link stays a link, a file keeps its
    permissions, and a device such as ``/dev/stdout`` is written to as it is.  :class:`BadInput` where that cannot be done.
    """
    text = {} if binary else {"encoding": "utf-8", "newline": ""}
    mode = "wb" if binary else "w"
    target = Path(os.path.realpath(path))
    beside = None
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            with open(target, mode, **text) as file:
                yield file
            return
        if target.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        with tempfile.NamedTemporaryFile(mode, dir=target.parent, prefix=f".{target.name[:50]}-", delete=False, **text) as file:
            beside = Path(file.name)
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(_permissions(target))
        beside.replace(target)
        beside = None
    except OSError as error:
        raise BadInput(f"file '{path}' cannot be written: {error.strerror or error}; see that its folder exists, may be written "
                       "to and has room") from error
    finally:
        if beside is not None:
            beside.unlink(missing_ok=True)


def _permissions(target):
    """Those of the file that is replaced, else those of any new file."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
