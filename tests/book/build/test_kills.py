"""SIGKILL: no kernel outlives its run, nothing half-made stands for a result; tests/faults/kills.py does it forty times."""

import os
import signal
import subprocess
import sys
import time

from tokenecon_book.build import book, kernel, rerun

DECLARED = "batch = 32  # sequence: requests decoded together"


def gone(number, seconds):
    """Whether a process ends within so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        state = subprocess.run(["ps", "-o", "stat=", "-p", str(number)], capture_output=True, text=True).stdout
        if not state or state.startswith("Z"):  # a zombie has ended, and only its new parent has not looked
            return True
        time.sleep(0.05)
    return False


def test_a_killed_rerun_leaves_no_kernel_and_no_result(tmp_path, write_notebook):
    told = tmp_path / "kernel"
    slow = f"import os, pathlib, time\npathlib.Path({str(told)!r}).write_text(str(os.getpid()))\ntime.sleep(60)"
    notebook = write_notebook(tmp_path / "tiny.ipynb", DECLARED, slow)
    command = [sys.executable, "-c", "from tokenecon.cli import main; main()", "run", notebook, "-o", tmp_path / "out"]
    run = subprocess.Popen(command, start_new_session=True, env=os.environ | {"TMPDIR": str(tmp_path)})
    end = time.monotonic() + 60
    while not (told.exists() and told.read_text()) and run.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert gone(int(told.read_text()), seconds=10)
    assert not (tmp_path / "out").exists()


def test_a_kernel_whose_parent_was_gone_before_it_began_ends(tmp_path):
    # This process stands for the one that adopts orphans, which need not be the first.
    argv = kernel.ThisInterpreter().get_kernel_spec("python3").argv
    argv = [one.format(connection_file=tmp_path / "k.json") if one.startswith("{") else one for one in argv]
    environment = os.environ | {"JPY_PARENT_PID": str(os.getppid()), "IPYTHONDIR": str(tmp_path)}
    assert subprocess.run(argv, env=environment, timeout=20).returncode == 1


def test_what_killed_runs_left_goes_and_what_living_runs_write_stays(tmp_path):
    left, own = tmp_path / f"{rerun.UNFINISHED}left", tmp_path / ".notes"
    for folder in (left, own):
        folder.mkdir()
        (folder / "half").write_text("a")
    with rerun.workshop(tmp_path) as first, rerun.workshop(tmp_path) as second:
        assert first.exists()
        assert second.exists()
        assert not left.exists()
    assert sorted(tmp_path.iterdir()) == [own]


def test_half_a_record_is_none(tmp_path):
    assert book.recorded(tmp_path / "site.json") == {}
    (tmp_path / "site.json").write_text('{"page index.md": "3f')
    assert book.recorded(tmp_path / "site.json") == {}
