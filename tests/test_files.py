"""A file of the user's is replaced whole or not at all."""

import os
import stat
import subprocess
import sys

import pytest

from tokenecon import files
from tokenecon.errors import BadInput


def test_a_block_that_ends_well_replaces_the_file_and_keeps_its_permissions(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old")
    path.chmod(0o640)
    with files.replaced(path) as file:
        file.write("new")
        assert path.read_text() == "old"
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o640)
    assert os.listdir(tmp_path) == ["out.csv"]


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").write_text("")
    with files.replaced(tmp_path / "out.bin", binary=True) as file:
        file.write(b"\0")
    assert (tmp_path / "out.bin").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, BadInput])
def test_a_block_that_fails_leaves_everything_as_it_was(tmp_path, error):
    path = tmp_path / "out.csv"
    path.write_text("old")
    with pytest.raises(error), files.replaced(path) as file:
        file.write("half")
        raise error
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["out.csv"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to("real.csv")
    with files.replaced(tmp_path / "link.csv") as file:
        file.write("new")
    assert (tmp_path / "link.csv").is_symlink() and (tmp_path / "real.csv").read_text() == "new"


@pytest.mark.parametrize(("name", "reason"), [("none/out.csv", "No such file or directory"), ("", "it is a folder")])
def test_where_nothing_can_be_written_the_reason_is_told(tmp_path, name, reason):
    with pytest.raises(BadInput, match=reason), files.replaced(tmp_path / name):
        pass


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a Linux device that is always full")
def test_a_full_disk_is_one_sentence(tmp_path):
    (tmp_path / "out.csv").symlink_to("/dev/full")
    with pytest.raises(BadInput, match="No space left on device"), files.replaced(tmp_path / "out.csv") as file:
        file.write("x" * 100_000)


def test_a_killed_run_leaves_the_old_file(tmp_path):
    (tmp_path / "out.csv").write_text("old")
    code = ("import os, signal\nfrom tokenecon import files\n"
            f"with files.replaced({str(tmp_path / 'out.csv')!r}) as file:\n"
            "    file.write('half'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode != 0
    assert (tmp_path / "out.csv").read_text() == "old"
