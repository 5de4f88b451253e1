"""A memo as PDF: its page printed by Chromium, or its document by LibreOffice, whichever this machine has."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tokenecon.errors import BadInput
from tokenecon.output import memo_docx, memo_html

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OFFICES = ("soffice", "libreoffice")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--no-pdf-header-footer",
)
STAMP = re.compile(rb"(/(?:CreationDate|ModDate) ?\(D:)\d{14}")  # the clock, which a memo does not carry
LONGEST_S = 120


def first(*names):
    """The program that CHROME names, or the first of some names that is on the path; None where none is."""
    return next(filter(None, map(shutil.which, filter(None, (os.environ.get("CHROME"), *names)))), None)


def printer():
    """The program that makes a PDF: that of CHROME, a Chromium or a LibreOffice on the path; or one sentence that none is."""
    found = first(*BROWSERS, *OFFICES)
    if found is None:
        raise BadInput(
            "a memo as .pdf is printed by Chromium or LibreOffice, and neither is on the path; install one, name Chromium "
            "with CHROME=/path, or write .docx, .html or .md, which need nothing"
        )
    return found


def written(blocks, day):
    """The memo as bytes, of the day of its prices."""
    program = printer()
    office = any(name in Path(program).name for name in OFFICES)
    with tempfile.TemporaryDirectory(prefix="tokenecon-memo-") as folder:
        source = Path(folder, "memo.docx" if office else "memo.html")
        source.write_bytes((memo_docx if office else memo_html).written(blocks, day))
        target = source.with_suffix(".pdf")
        command = (
            [
                program,
                f"-env:UserInstallation={Path(folder, 'profile').as_uri()}",
                "--headless",
                "--convert-to",
                "pdf",
                "--outdir",
                folder,
                source,
            ]
            if office
            else [program, *FLAGS, f"--user-data-dir={folder}/profile", f"--print-to-pdf={target}", source.as_uri()]
        )
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=LONGEST_S, env=os.environ | {"SOURCE_DATE_EPOCH": "0"}
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BadInput(f"{program} did not print the memo: {error}; write .docx, .html or .md") from error
        if done.returncode or not target.exists():
            said = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]
            raise BadInput(f"{program} did not print the memo: {said}; write .docx, .html or .md")
        return STAMP.sub(rb"\g<1>" + day.replace("-", "").encode() + b"120000", target.read_bytes())
