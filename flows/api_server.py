"""Prefect's API for one run, as a process: `python -m flows.api_server PORT`."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys

from flows.imports import uncollected
from flows.server import HOST

POOL = "sqlalchemy.pool.impl.AsyncAdaptedQueuePool"  # of connections to Prefect's database


def main(port: int) -> None:
    """Serve until the process is ended, not by Ctrl-C: the run has its end to tell."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    logging.getLogger(POOL).addFilter(_is_no_cancellation)
    with uncollected():
        import uvicorn
        from prefect.server.api.server import create_app

        app = create_app()
    uvicorn.run(app, host=HOST, port=port, log_level="error", lifespan="on")


def _is_no_cancellation(record: logging.LogRecord) -> bool:
    """Tell of errors, but not of a question to the database that the server's end cuts short."""
    return not (record.exc_info and record.exc_info[0] is asyncio.CancelledError)


if __name__ == "__main__":
    main(int(sys.argv[1]))
