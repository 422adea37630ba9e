"""What an installation makes, in a process and a project of its own."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).parents[2]
KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR")  # pytest's own variables point into the checkout


def test_both_databases_are_there_and_a_second_time_changes_nothing(tmp_path):
    shutil.copytree(ROOT / "flows", tmp_path / "flows")
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    for _ in range(2):
        subprocess.run(
            [sys.executable, "-m", "flows.prepare"], cwd=tmp_path, env=environment, check=True
        )
    with closing(sqlite3.connect(tmp_path / ".prefect/prefect.db")) as database:
        assert database.execute("select count(*) from flow_run").fetchone() == (0,)
    with closing(sqlite3.connect(tmp_path / "mlruns/mlflow.db")) as database:
        names = database.execute("select name from experiments").fetchall()
    assert names.count(("latentbeta",)) == 1
