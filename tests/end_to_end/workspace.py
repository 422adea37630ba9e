"""Copies of the project, each with its own state, run through the project's own commands."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
# What a command needs of a clone; git's and DVC's own state is made anew.
PARTS = (".dvc/config", ".dvc/.gitignore", ".dvc/plots", ".dvcignore", ".gitignore", "dvc.yaml")
PARTS += ("flows", "mlruns/README.md", "params.yaml", "prefect.yaml", "pyproject.toml", "src")
PARTS += ("characteristics",)
# The caller's environment must not reach a copy: pytest's own points into the checkout.
INHERITED = ("PATH", "LANG", "LC_ALL", "TMPDIR")
LONGEST = 900  # seconds; a command that takes longer hangs

SMALL = {  # a market and models that go through every stage in about a minute
    "simulation": {"n_assets": 60, "n_sectors": 5, "start": "2010-01-04", "end": "2016-10-27"},
    "walk_forward": {"train": 24, "validation": 12, "embargo": 1, "refit_every": 8},
    "models": {
        "names": ["pca", "ipca", "ca1"],
        "n_seeds": 2,
        "networks": {"epochs": 5, "patience": 2},
    },
    "evaluation": {"bootstrap_draws": 100},
}

SERVE = """
import sys
from pathlib import Path
from flows.api import one_api
with one_api() as url:
    Path("url").write_text(url)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class Done:
    """An ended command: its status, and all that it printed."""

    status: int
    output: str
    seconds: float


@dataclass(frozen=True)
class Workspace:
    """A copy of the project in a folder of its own."""

    folder: Path
    api: str  # of Prefect; empty: a command starts its own server

    @property
    def environment(self) -> dict[str, str]:
        """Variables for a command: none of the caller's that point to another checkout."""
        kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
        own = {"HOME": str(self.folder / ".home"), "PYTHONPATH": str(self.folder / "src")}
        return kept | own | ({"PREFECT_API_URL": self.api} if self.api else {})

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")

    def start(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """Start `python -m …` in the copy; what it prints goes into `log`."""
        with self.log.open("wb") as log:  # a pipe would end with this process, not with that one
            return subprocess.Popen(
                [".venv/bin/python", "-m", *map(str, arguments)],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def run(self, *arguments: str | Path) -> Done:
        """Run `python -m …` in the copy to its end."""
        started = time.monotonic()
        with self.start(*arguments) as process:
            try:
                status = process.wait(LONGEST)
            except BaseException:
                process.kill()
                raise
        output = self.log.read_text(encoding="utf-8")
        return Done(status, output, time.monotonic() - started)

    def overlay(self, settings: dict[str, Any]) -> Path:
        """Write settings that `--params` takes."""
        path = self.folder.with_suffix(".yaml")
        path.write_text(json.dumps(settings))  # JSON is YAML
        return path

    def run_small(self, *arguments: str | Path) -> Done:
        """Run what `make run PARAMS=small.yaml` runs; it must succeed."""
        done = self.run("flows.run", "--params", self.overlay(SMALL), *arguments)
        assert done.status == 0, done.output
        return done


def make_workspace(folder: Path, api: str = "") -> Workspace:
    """Copy the checkout as it is now, without its state, into a new git repository."""
    for part in PARTS:
        source, target = ROOT / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "copy")
    (folder / ".venv").symlink_to(sys.prefix)  # the environment the tests run in
    return Workspace(folder, api)


def copied(workspace: Workspace, folder: Path) -> Workspace:
    """Copy a workspace with all that its runs have made; links stay links."""
    shutil.copytree(workspace.folder, folder, symlinks=True)
    return Workspace(folder, workspace.api)


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@contextmanager
def prefect_api(folder: Path) -> Iterator[str]:
    """Keep one server up for the commands of many copies: booting one takes half a minute."""
    workspace = make_workspace(folder)
    url = folder / "url"
    with subprocess.Popen(
        [".venv/bin/python", "-c", SERVE],
        cwd=folder,
        env=workspace.environment,
        stdin=subprocess.PIPE,  # its end, however this process ends, ends the server
    ) as server:
        deadline = time.monotonic() + LONGEST
        while not (url.exists() and url.read_text()):
            assert server.poll() is None, "the Prefect server did not start"
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield url.read_text()


def digests(folder: Path) -> dict[str, str]:
    """Return the hash of every file below a folder, by its path in it."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def n_recorded_runs(workspace: Workspace) -> int:
    """Count the runs in a workspace's MLflow store."""
    with closing(sqlite3.connect(workspace.folder / "mlruns/mlflow.db")) as store:
        return int(store.execute("select count(*) from runs").fetchone()[0])


@dataclass(frozen=True)
class BaseRun:
    """A finished run of the small market, shared by all tests: read it, never change it."""

    workspace: Workspace
    done: Done


@pytest.fixture(scope="session")
def prefect_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the Prefect server that all copies of the session share."""
    with prefect_api(tmp_path_factory.mktemp("prefect")) as url:
        yield url


@pytest.fixture(scope="session")
def base_run(tmp_path_factory: pytest.TempPathFactory, prefect_url: str) -> BaseRun:
    """Run the small market once."""
    copy = make_workspace(tmp_path_factory.mktemp("base"), prefect_url)
    return BaseRun(copy, copy.run_small())


@pytest.fixture(scope="session")
def workspace_of(
    tmp_path_factory: pytest.TempPathFactory, prefect_url: str
) -> Callable[[str], Workspace]:
    """Give a function that makes a new copy of the project, as after a clone."""
    return lambda name: make_workspace(tmp_path_factory.mktemp(name), prefect_url)
