"""Asking a server on the network: one session, one rate, timeouts, and a few more attempts.

Which client is used is yfinance's choice (curl_cffi): its requests go through here as they are,
so no second policy of retries stands behind this one.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import random
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

from curl_cffi.requests import Response, Session
from curl_cffi.requests.exceptions import RequestException, Timeout

from latentbeta.config import RequestSettings
from latentbeta.errors import SourceError

# The server is busy, broken, or wants to be left alone for a while: the same request may succeed.
WORTH_ANOTHER_TRY = frozenset({408, 425, 429, 500, 502, 503, 504})

Judge = Callable[[Response], str | None]


class RateLimit:
    """Spaces the requests of all threads evenly."""

    def __init__(self, per_second: float) -> None:
        self._interval = 1.0 / per_second
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Sleep until this thread's turn."""
        with self._lock:
            now = time.monotonic()
            turn = max(self._next, now)
            self._next = turn + self._interval
        time.sleep(turn - now)

    def hold(self, seconds: float) -> None:
        """Let nobody ask for some seconds: the server wants a pause."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


class PoliteSession(Session[Response]):
    """A session that keeps to a rate and tries again what may succeed.

    Parameters
    ----------
    settings : RequestSettings
    address : str or None
        Scheme and host that stand in for the vendor's, as of a mirror; paths stay as they are.
    """

    def __init__(self, settings: RequestSettings, address: str | None) -> None:
        super().__init__(impersonate="chrome")
        self._settings = settings
        self._address = urlsplit(address) if address else None
        self._limit = RateLimit(settings.per_second)
        self._counts = threading.local()

    @property
    def attempts_made(self) -> int:
        """Attempts of this thread so far."""
        return getattr(self._counts, "n", 0)

    def once(self, url: str, **more: object) -> Response:
        """Send one GET request under the rate and the timeout, whatever comes of it."""
        self._limit.wait()
        more["timeout"] = self._settings.timeout
        return super().get(self._directed(url), **more)  # type: ignore[arg-type]

    def ask(self, url: str, judge: Judge, **more: object) -> Response:
        """Send a GET request until its answer is usable.

        Parameters
        ----------
        url : str
        judge : callable
            Says what is wrong with an answer (another attempt follows), None when it is usable;
            raises what no further attempt would cure.

        Raises
        ------
        SourceError
            When no attempt gave a usable answer, or the server refuses or wants a longer pause.
        """
        settings = self._settings
        fault = ""
        for attempt in range(1, settings.attempts + 1):
            response, fault, pause = self._attempt(url, judge, more)
            if response is not None:
                return response
            if pause > settings.longest_wait:
                raise SourceError(f"{fault} and wants a pause of {pause:.0f} s")
            if pause:
                self._limit.hold(pause)
            if attempt < settings.attempts:
                time.sleep(max(pause, self._backoff(attempt)))
        raise SourceError(f"{fault} ({settings.attempts} attempts)")

    def _attempt(
        self, url: str, judge: Judge, more: dict[str, object]
    ) -> tuple[Response | None, str, float]:
        """Return an answer that is usable; else what is wrong, and the pause that was asked for."""
        self._counts.n = self.attempts_made + 1
        try:
            response = self.once(url, **more)
        except Timeout:
            return None, f"no whole answer within {self._settings.timeout:g} s", 0.0
        except RequestException:  # its text may hold the address
            return None, "the connection failed or broke off", 0.0
        status = response.status_code
        if status in WORTH_ANOTHER_TRY:
            return None, f"the server answers {status}", retry_after(response)
        if status in (401, 403):
            raise SourceError(f"the server refuses the request ({status})")
        fault = judge(response)
        return (response, "", 0.0) if fault is None else (None, fault, 0.0)

    def _backoff(self, attempt: int) -> float:
        """Seconds after a failed attempt: doubled each time, spread so that threads part."""
        wait = self._settings.first_wait * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)
        return min(wait, self._settings.longest_wait)

    def _directed(self, url: str) -> str:
        if self._address is None:
            return url
        return urlunsplit(
            urlsplit(url)._replace(scheme=self._address.scheme, netloc=self._address.netloc)
        )


def retry_after(response: Response) -> float:
    """Seconds that the server asks to wait, given as a number or a date; 0 when it does not say."""
    given = (response.headers.get("Retry-After") or "").strip()
    if given.isdigit():
        return float(given)
    try:
        until = email.utils.parsedate_to_datetime(given)
    except ValueError:
        return 0.0
    return max(0.0, (until - dt.datetime.now(tz=until.tzinfo)).total_seconds())
