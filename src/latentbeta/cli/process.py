"""The project's folder, and processes that work in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import typer

from latentbeta.environment import configure

PROJECT_FILES = ("params.yaml", "dvc.yaml", "flows")


def project_folder() -> Path:
    """Return the project's folder: the working directory or the nearest one above it."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if all((folder / name).exists() for name in PROJECT_FILES):
            configure(folder)
            return folder
    raise stopped(
        f"{here} is not inside a latentbeta project (no {', '.join(PROJECT_FILES)} above it)"
    )


def start(module: str, *arguments: str) -> None:
    """Run a module as a process of its own, in the project's folder."""
    process(project_folder(), module, *arguments)


def process(project: Path, module: str, *arguments: str) -> None:
    """Run a module in the project's folder; its failure is this command's."""
    try:
        done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=project, check=False)
    except KeyboardInterrupt:  # the process had it too, and has said what there is to say
        raise typer.Exit(130) from None
    if done.returncode:
        raise typer.Exit(done.returncode)


def option(name: str, value: Path | str | None) -> list[str]:
    """Return a command's arguments for an option; none where it was not given."""
    if value is None:
        return []
    return [name, str(value.absolute() if isinstance(value, Path) else value)]


def stopped(message: str) -> typer.Exit:
    """Say why on the error stream, and return what ends the command."""
    sys.stderr.write(f"{message}\n")
    return typer.Exit(1)
