"""What the C library does with memory that this process frees."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

# Of glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
KEPT_BYTES = 2**30


@cache
def keep_freed_memory() -> None:
    """Keep up to a gibibyte of freed memory in this process, where the C library is glibc.

    It hands large blocks back at once, and the kernel clears each page anew when the next block
    is asked for. With training, whose next chunk of rows or next run of a compiled program asks for
    the same again, that was a fifth of an epoch at batch 10,000
    (docs/decisions/0025-rows-in-chunks.md); with simulation, day by day, two fifths of it.
    """
    adjust = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if adjust is not None:
        adjust(M_MMAP_MAX, 0)
        adjust(M_TRIM_THRESHOLD, KEPT_BYTES)
