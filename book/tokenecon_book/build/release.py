"""A release: the site of one version for good, beside the newest. ``make release VERSION=…``.

``_build/release`` is the folder that a web server shows::

    v0.4.0/          the site of a version, which no later release changes
    v0.4.0.sha256    checksums of its files, as ``sha256sum -c`` reads them
    latest/          the newest version
    versions.json    which versions there are: pages of older ones read it
    index.html       leads to latest/
"""

import argparse
import hashlib
import json
import re
import shutil
import sys

from tokenecon import __version__, data, files
from tokenecon.errors import BadInput
from tokenecon_book import citations
from tokenecon_book.build import book, progress
from tokenecon_book.build.staging import BookError

VERSION = re.compile(r"\d+\.\d+\.\d+")
MARK = '<p class="te-edition" hidden></p>'  # stands in the foot of every page (book/_templates/page-stamp.html)
FRONT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="0; url={latest}/index.html">
</head>
<body><p><a href="{latest}/index.html">{title}</a></p></body>
</html>
"""


class BadRelease(BadInput):
    """A release that cannot be made; nothing was written."""


def versions(folder):
    """The versions that a folder holds, the oldest first."""
    found = [path.name[1:] for path in folder.glob("v*") if path.is_dir() and VERSION.fullmatch(path.name[1:])]
    return sorted(found, key=order)


def order(version):
    """By what versions are in order: 0.10.0 comes after 0.9.0."""
    return [int(part) for part in version.split(".")]


def check(version, folder, site_url):
    """Refuse a release that nobody could cite, or that would change one that somebody has cited."""
    if not VERSION.fullmatch(version or ""):
        raise BadRelease(f"VERSION is '{version}', but must be three numbers; write make release VERSION={__version__}")
    if version != __version__:
        raise BadRelease(f"VERSION is '{version}', but the package is {__version__}; see __version__ in tokenecon/__init__.py")
    if not site_url:
        raise BadRelease(f"{citations.SETTING} is blank, but a release is cited by its address; set it in _config.yml, or write "
                         f"make release VERSION={version} SITE_URL=https://…")
    if (folder / f"v{version}").exists():
        raise BadRelease(f"version {version} is released already, in {folder / f'v{version}'}, and a release never changes; "
                         "raise __version__ in tokenecon/__init__.py")
    for one in versions(folder):
        if spoilt := damaged(folder, one):
            raise BadRelease(f"{folder / spoilt} is not what was released; bring back the files of v{one}.sha256")


def damaged(folder, version):
    """A file of a released version that is not what its checksum says, or nothing."""
    said = folder / f"v{version}.sha256"
    if not said.exists():
        return said.name
    wanted = dict(reversed(line.split("  ", 1)) for line in said.read_text(encoding="utf-8").splitlines())
    now = checksums(folder / f"v{version}", f"v{version}")
    return next((name for name in sorted({*wanted, *now}) if wanted.get(name) != now.get(name)), "")


def checksums(folder, prefix):
    """Name to SHA-256 of every file of a folder; names begin with a prefix."""
    return {f"{prefix}/{path.relative_to(folder).as_posix()}": hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def publish(site, version, folder):
    """Put a built site into a folder of releases; the version's own folder comes last, and with it the release is there."""
    folder.mkdir(parents=True, exist_ok=True)
    new, kept = folder / f".v{version}.new", folder / f"v{version}"
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(site, new)
    for page in new.rglob("*.html"):
        mark(page, version, "../" * len(page.relative_to(new).parent.parts))
    sums = "".join(f"{total}  {name}\n" for name, total in checksums(new, kept.name).items())
    write(folder / f"{kept.name}.sha256", sums)
    known = sorted([*versions(folder), version], key=order)
    if known[-1] == version:
        newest(site, folder)
    write(folder / "versions.json", json.dumps({"latest": known[-1], "versions": known}, indent=1) + "\n")
    write(folder / "index.html", FRONT.format(title=citations.TITLE, latest=citations.LATEST))
    write(folder / ".nojekyll", "")  # or some hosts leave out _static
    new.rename(kept)
    return kept


def newest(site, folder):
    """Put a site in the place of the newest one."""
    new, old, place = folder / ".latest.new", folder / ".latest.old", folder / citations.LATEST
    for path in (new, old):
        shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(site, new)
    if place.exists():
        place.rename(old)
    new.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def mark(page, version, root):
    """Say in the foot of a page which version it is of and where the newest one is; a script looks whether there is a newer."""
    text = page.read_text(encoding="utf-8")
    said = (f'<p class="te-edition" data-version="{version}">This is version {version}, kept as it was released. '
            f'<a href="{root}../{citations.LATEST}/index.html">The newest version</a></p>'
            f'<script type="module" src="{root}_static/edition.mjs"></script>')
    page.write_text(text.replace(MARK, said), encoding="utf-8")


def write(path, text):
    """Write a file, whole or not at all."""
    with files.replaced(path) as file:
        file.write(text)


def main(arguments=None):
    """Check, build the site, and publish it."""
    parser = argparse.ArgumentParser("python -m tokenecon_book.build.release", description="Release the site of a version.")
    parser.add_argument("version", nargs="?", default="", help="what tokenecon.__version__ says")
    version = parser.parse_args(arguments).version
    root = data.PACKAGE.parent
    folder = root / "_build" / "release"
    try:
        check(version, folder, citations.site_url())
        book.build(root, root / "_build")
        kept = publish(root / "_build" / "html", version, folder)
    except BadInput as error:
        progress.error(str(error))
        return 2
    except BookError as error:
        progress.error(str(error))
        return 1
    progress.say(f"released {version}: {kept}; serve {folder} at {citations.site_url()}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
