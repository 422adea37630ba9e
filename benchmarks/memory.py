"""What a process of its own has needed of memory."""

from __future__ import annotations

from pathlib import Path

STATUS = Path("/proc/self/status")


def memory_gb(field: str) -> float:
    """Return a field of Linux's account of this process, in GB: VmHWM is its peak.

    Not `getrusage`: that remembers what the parent had when it started this process.
    """
    lines = STATUS.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) * 1024 / 1e9
