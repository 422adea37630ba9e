"""How a stage's command hands its work to the process that stands ready for it.

A socket a stage lies in the folder that ``LATENTBETA_AHEAD`` names. The command sends the three
standard streams and waits for one byte, the status; whichever of the two ends, the other sees the
connection close. Imported by every command, so nothing but the standard library.
"""

from __future__ import annotations

import atexit
import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

FOLDER = "LATENTBETA_AHEAD"
RESULTS = "results"  # what follows the last stage: recorded, and shown
STREAMS = (0, 1, 2)
GREETING = b"!"


def handed_over(stage: str) -> int | None:
    """Let the process that stands ready run a stage, and return its status; None without one."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        return None
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(Path(folder) / stage))
            socket.send_fds(connection, [GREETING], STREAMS)
        except OSError:  # none stands ready, or its turn is over
            return None
        status = connection.recv(1)
    if not status:
        sys.stderr.write(f"the process of stage {stage} was killed\n")
        return 1
    return status[0]


def end_at_once(status: int) -> NoReturn:
    """End this process after what its libraries have registered for the end: Prefect's events.

    Else the interpreter frees some thousand modules one by one: up to four seconds of a core that
    the next stage needs.
    """
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def listen(path: Path) -> socket.socket:
    """Open the socket of one stage, for one command."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(1)
    return listener


@dataclass(frozen=True)
class Command:
    """The command whose work this process took over."""

    connection: socket.socket
    answered: threading.Event

    def answer(self, status: int) -> None:
        """Tell the command how its stage ended; it ends, and this process may."""
        sys.stdout.flush()
        sys.stderr.flush()
        self.answered.set()
        with suppress(OSError):  # the command was killed
            self.connection.sendall(bytes([status]))


def take_over(listener: socket.socket) -> Command:
    """Accept the command: its streams become this process's, and its end ends this process."""
    connection, _ = listener.accept()
    Path(listener.getsockname()).unlink()  # a second command finds none
    listener.close()
    _, streams, _, _ = socket.recv_fds(connection, len(GREETING), len(STREAMS))
    for own, theirs in zip(STREAMS, streams, strict=True):
        os.dup2(theirs, own)
        os.close(theirs)
    command = Command(connection, threading.Event())
    threading.Thread(target=_end_with, args=(command,), daemon=True).start()
    return command


def _end_with(command: Command) -> None:
    command.connection.recv(1)  # nothing comes: it returns when the command's end is closed
    if not command.answered.is_set():
        os.kill(os.getpid(), signal.SIGTERM)
