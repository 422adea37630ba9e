"""Python's fork server as a fork of this process, which has the imports done.

`multiprocessing.forkserver` starts a fresh interpreter and imports there what its children need.
Where the process that will ask for those children needs the same libraries itself, that is four
seconds of a core for the same modules in memory once more.
"""

from __future__ import annotations

import os
import traceback
from multiprocessing import connection, forkserver, resource_tracker
from socket import AF_UNIX, socket
from typing import Any, NoReturn

_served = False


def forks_are_served() -> bool:
    """Tell whether `multiprocessing`'s fork server is a fork of this process, imports done."""
    return _served


def serve_forks_of_this_process() -> None:
    """Fork off the server that `multiprocessing` asks for children from now on.

    It has what this process has imported. The fork must come before any thread, and before
    TensorFlow computes anything; the server does neither.
    """
    server: Any = forkserver._forkserver
    resource_tracker.ensure_running()
    with socket(AF_UNIX) as listener:
        address = connection.arbitrary_address("AF_UNIX")  # type: ignore[attr-defined]
        listener.bind(address)
        listener.listen()
        alive, held = os.pipe()  # whoever may ask for a child holds an end: without any, it ends
        pid = os.fork()
        if pid == 0:
            os.close(held)
            _serve(listener, alive)
    os.close(alive)
    # What ForkServer.ensure_running notes of the server that it starts.
    server._forkserver_address, server._forkserver_alive_fd = address, held
    server._forkserver_pid = pid
    global _served  # noqa: PLW0603  # one fork server a process, as in multiprocessing
    _served = True


def _serve(listener: socket, alive: int) -> NoReturn:
    """Serve until nobody is left who might ask; then end without freeing module by module."""
    try:
        forkserver.main(listener.detach(), alive, [])
    except SystemExit:  # its way to end
        os._exit(0)
    except BaseException:
        traceback.print_exc()
    os._exit(1)
