"""What `make run` spends beside the work itself: processes, imports, Prefect, DVC, MLflow."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import ENVIRONMENT_BEFORE, PROJECT
from benchmarks.timing import Measured

STARTED = "Running stage '"
ROUNDS = 3  # each with all that one share compares, for a machine's speed changes within minutes


@dataclass(frozen=True)
class PipelineCost:
    """Seconds of a run on the embedded market, of the round whose share is the middle one.

    Attributes
    ----------
    pure : dict
        Stage: seconds of its function alone, in one process with everything imported.
    pure_found : float
        The same of training when every fold is found in the fold store.
    stages : dict
        Stage: seconds of the run from its start to that of the next one, folds found.
    total : float
        Of that run.
    fresh : float
        Of a run that fits every fold, by as many workers as the settings say.
    shares : tuple of float
        Of every round.
    """

    pure: dict[str, float]
    pure_found: float
    stages: dict[str, float]
    total: float
    fresh: float
    shares: tuple[float, ...] = ()

    @property
    def overhead(self) -> float:
        """Seconds of the run that no stage's function accounts for."""
        return self.total - sum(self.pure.values()) + self.pure["train"] - self.pure_found

    @property
    def share(self) -> float:
        """Overhead as a share of a fresh run, in which every fold is fitted."""
        return self.overhead / self.fresh


def measured_share(cost: PipelineCost) -> Measured:
    """Return the share as a row of the table."""
    return Measured(
        work="orchestration and tracking in `make run` after install",
        unit="% of the run",
        value=100 * cost.share,
        floor=25.0,
        goal=10.0,
        note=f"{cost.overhead:.1f} s that no stage's function accounts for, of a run of"
        f" {cost.fresh:.1f} s that starts from nothing; starting Dask's workers counts as work; the"
        f" middle of {', '.join(f'{share:.1%}' for share in cost.shares)}",
    )


def pipeline_cost() -> PipelineCost:
    """Run `flows.run` twice and the stages' functions, round after round, in a clone of HEAD.

    One run finds the folds that the functions fitted, so that what it takes beyond the functions
    is overhead; the other finds nothing, as after an install.
    """
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(PROJECT), str(clone)], check=True)
        (clone / ".venv").symlink_to(PROJECT / ".venv")
        fitted = _pure(clone)["train"]
        rounds = sorted((_round(clone, fitted) for _ in range(ROUNDS)), key=lambda r: r.share)
    return replace(rounds[ROUNDS // 2], shares=tuple(r.share for r in rounds))


def _round(clone: Path, fitted: float) -> PipelineCost:
    """Measure once; `fitted` is what training takes in one process that finds no fold."""
    _forget(clone, kept="fold_store")
    stages, total = _timed_run(clone)
    pure = _pure(clone)
    found = pure.pop("train, folds found")
    _forget(clone)
    _, fresh = _timed_run(clone)
    return PipelineCost(pure | {"train": fitted}, found, stages, total, fresh)


def _forget(clone: Path, kept: str | None = None) -> None:
    """Leave the clone as it is after an install, but for one folder of data."""
    made = [path for path in (clone / "data").iterdir() if path.is_dir() and path.name != kept]
    tools = [".prefect", ".cache", ".dvc/cache", ".dvc/tmp", "mlruns/artifacts"]
    for path in (*made, *(clone / name for name in tools)):
        shutil.rmtree(path, ignore_errors=True)
    (clone / "mlruns/mlflow.db").unlink(missing_ok=True)
    command = [".venv/bin/python", "-m", "flows.prepare"]
    subprocess.run(command, cwd=clone, env=_environment(clone), check=True)


def _environment(clone: Path) -> dict[str, str]:
    return ENVIRONMENT_BEFORE | {"PYTHONPATH": str(clone / "src"), "PYTHONUNBUFFERED": "1"}


def _pure(clone: Path) -> dict[str, float]:
    answer = clone / "pure.json"
    subprocess.run(
        [".venv/bin/python", "-m", "benchmarks.pure_stages", answer.name],
        cwd=clone,
        env=_environment(clone),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return dict(json.loads(answer.read_text(encoding="utf-8")))


def _timed_run(clone: Path) -> tuple[dict[str, float], float]:
    """Return each stage's seconds, by when DVC says that it starts one, and the run's."""
    start = time.perf_counter()
    marks: list[tuple[str, float]] = [("before the first stage", 0.0)]
    output: list[str] = []
    with subprocess.Popen(
        [".venv/bin/python", "-m", "flows.run"],
        cwd=clone,
        env=_environment(clone),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            output.append(line)
            if STARTED in line:
                marks.append((line.split(STARTED)[1].split("'")[0], time.perf_counter() - start))
    total = time.perf_counter() - start
    if process.returncode:
        raise RuntimeError("flows.run failed:\n" + "".join(output[-30:]))
    ends = [mark for _, mark in marks[1:]] + [total]
    return {name: end - mark for (name, mark), end in zip(marks, ends, strict=True)}, total
