"""Office files without a clock: the same content gives the same bytes, whenever it is written."""

import datetime
import io
import re
import zipfile

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a ZIP file can hold
STAMP = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(<)")


def noon(day):
    """A day as the time that a document's properties give."""
    return datetime.datetime.fromisoformat(f"{day}T12:00:00")


def packed(saved, day):
    """The bytes of an office file, given as what ``saved(stream)`` writes; made and changed on ``day``, as its properties say."""
    stream, out = io.BytesIO(), io.BytesIO()
    saved(stream)
    when = f"{day}T12:00:00Z".encode()
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.infolist():
            content = old.read(one)
            if one.filename == "docProps/core.xml":
                content = STAMP.sub(rb"\g<1>" + when + rb"\g<2>", content)
            entry = zipfile.ZipInfo(one.filename, EPOCH)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            new.writestr(entry, content)
    return out.getvalue()
