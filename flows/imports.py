"""Imports without the garbage collector, for processes that import much."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Import meanwhile; what came is kept off the garbage collector's list.

    It would walk a million objects that stay again and again: a third of the time of such imports,
    and half a second whenever it looks at everything after. Its marks would also copy the pages
    that processes forked from this one share.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
