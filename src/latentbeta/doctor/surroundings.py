"""What a run stands on: Python, the locked packages, processors, disk."""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from latentbeta.doctor.findings import Finding

LOCK_FILE = "requirements.lock"
PROJECT_FILE = "pyproject.toml"
LEAST_FREE_GB = 2.0  # below it a run of the default size may not end
SHOWN_PACKAGES = 5
AREA = "environment"

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)(?!.*;)", re.MULTILINE)
_PYTHON = re.compile(r'^requires-python\s*=\s*"([^"]+)"', re.MULTILINE)


def surroundings(project: Path) -> Iterator[Finding]:
    """Give findings about the environment of a project."""
    yield _python(project)
    yield packages(project)
    yield Finding(
        area=AREA,
        state="well",
        text=f"{os.cpu_count()} processors; threads of each process:"
        f" {os.environ.get('OMP_NUM_THREADS', 'as many as it likes')}",
    )
    yield disk(shutil.disk_usage(project).free / 1e9)


def _python(project: Path) -> Finding:
    from packaging.specifiers import SpecifierSet

    version = platform.python_version()
    wanted = _PYTHON.search(_text(project / PROJECT_FILE))
    if wanted and not SpecifierSet(wanted[1]).contains(version):
        return Finding(
            area=AREA,
            state="blocks",
            text=f"Python {version}; this project needs {wanted[1]}",
            advice="make the environment anew with such a Python: remove .venv, then `make setup`",
        )
    return Finding(area=AREA, state="well", text=f"Python {version} on {platform.platform()}")


def packages(project: Path) -> Finding:
    """Return how the installed packages differ from the locked ones."""
    pinned = locked(_text(project / LOCK_FILE))
    if not pinned:
        return Finding(
            area=AREA,
            state="note",
            text=f"there is no {LOCK_FILE}, so versions cannot be compared",
            advice="get it back from git",
        )
    installed = {name: _installed(name) for name in pinned}
    other = [
        f"{name} {installed[name]} instead of {version}"
        for name, version in pinned.items()
        if installed[name] != version
    ]
    if not other:
        return Finding(
            area=AREA, state="well", text=f"{len(pinned)} packages, each in its locked version"
        )
    more = f" and {len(other) - SHOWN_PACKAGES} more" if len(other) > SHOWN_PACKAGES else ""
    return Finding(
        area=AREA,
        state="note",
        text=f"{len(other)} of {len(pinned)} packages differ from {LOCK_FILE}:"
        f" {'; '.join(other[:SHOWN_PACKAGES])}{more}",
        advice="results may differ in their last digits: `make setup` installs what is locked",
    )


def locked(text: str) -> Mapping[str, str]:
    """Return name and version of each package in a lock file that holds on every platform."""
    return dict(_PINNED.findall(text))


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "none"


def disk(free_gb: float) -> Finding:
    """Return whether there is room for a run."""
    text = f"{free_gb:,.1f} GB free on the disk"
    if free_gb >= LEAST_FREE_GB:
        return Finding(area=AREA, state="well", text=text)
    return Finding(
        area=AREA,
        state="blocks",
        text=f"only {text}, less than {LEAST_FREE_GB:g}",
        advice="make room; data/fold_store and .dvc/cache hold what can be made again",
    )


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""
