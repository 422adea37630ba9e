"""The fork server that is a fork of the process that asks."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
SCRIPT = """
import multiprocessing, os, sys
from pathlib import Path

def child():
    Path("child").write_text(f"{'colorsys' in sys.modules} {os.getppid()}")

if __name__ == "__main__":
    import colorsys  # by this process alone
    from flows.fork_server import serve_forks_of_this_process

    serve_forks_of_this_process()
    started = multiprocessing.get_context("forkserver").Process(target=child)
    started.start()
    started.join()
    sys.exit(started.exitcode)
"""


def test_its_children_have_what_this_process_imported_and_it_ends_with_it(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    imported, server = (tmp_path / "child").read_text().split()
    assert imported == "True"
    with suppress(psutil.NoSuchProcess):
        psutil.Process(int(server)).wait(20)
