"""Prefect's API for one run, as a process: `python -m flows.api_server PORT`."""

from __future__ import annotations

import signal
import sys

from flows.imports import uncollected
from flows.server import HOST


def main(port: int) -> None:
    """Serve until the process is ended, not by Ctrl-C: the run has its end to tell."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    with uncollected():
        import uvicorn
        from prefect.server.api.server import create_app

        app = create_app()
    uvicorn.run(app, host=HOST, port=port, log_level="error", lifespan="on")


if __name__ == "__main__":
    main(int(sys.argv[1]))
