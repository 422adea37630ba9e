"""Yahoo Finance, through yfinance.

Yahoo's open, high, low, close, volume and dividends are divided by every later split, and change
with each new one. They are multiplied back, so that what is stored is what was traded on the day
and no later split rewrites it.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from curl_cffi.requests import Response
from curl_cffi.requests.exceptions import RequestException
from numpy.typing import NDArray

from latentbeta.config import RequestSettings
from latentbeta.errors import AbsentError, SourceError
from latentbeta.sources.http import PoliteSession
from latentbeta.sources.protocol import COLUMNS

ADDRESS_VARIABLE = "LATENTBETA_YAHOO_ADDRESS"  # scheme and host of a mirror or proxy
CHART = "/v8/finance/chart/"
_DIGITS = 7  # of a single-precision number: what Yahoo computes with
_PRICES = ("open", "high", "low", "close")


_NO_ROWS = pd.DataFrame(
    columns=["Open", "High", "Low", "Close", "Volume", "Dividends", "Stock Splits"],
    index=pd.DatetimeIndex([]),
    dtype=np.float64,
)


class _NoRowsError(SourceError):
    """The symbol exists and has no row in the time asked for."""


class YahooSource:
    """Daily prices, dividends and splits of Yahoo's chart service.

    Parameters
    ----------
    settings : RequestSettings
    cache : Path
        Folder in which yfinance keeps its cookie.
    """

    name = "yahoo"

    def __init__(self, settings: RequestSettings, cache: Path) -> None:
        import yfinance

        cache.mkdir(parents=True, exist_ok=True)
        yfinance.set_tz_cache_location(str(cache))
        yfinance.config.debug.hide_exceptions = False
        logging.getLogger("yfinance").setLevel(logging.ERROR)
        # It asks to see these, of pandas 4: they are not the user's to mend.
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="yfinance")
        self._session = _YahooSession(settings, os.environ.get(ADDRESS_VARIABLE))

    def attempts(self) -> int:
        """Return how many requests this thread has made so far."""
        return self._session.attempts_made

    def fetch(self, asset: str, start: dt.date, end: dt.date) -> pd.DataFrame:
        """Return the raw daily prices of a symbol; see `PriceSource.fetch`.

        Yahoo is always asked up to now: to undo its adjustment every split since is needed.
        """
        from yfinance.data import YfData
        from yfinance.scrapers.history import PriceHistory

        # A zone of our own spares the request by which yfinance finds out the asset's: it is only
        # used to turn `start` into a moment, from which we go back a day. Dates are the exchange's.
        history = PriceHistory(YfData(session=self._session), asset, tz="UTC")
        try:
            table = history.history(
                start=start - dt.timedelta(days=1),
                interval="1d",
                auto_adjust=False,
                actions=True,
            )
        except _NoRowsError:
            return raw_prices(_NO_ROWS)
        except SourceError:
            raise
        except Exception as error:
            # Whatever yfinance trips over lies in the answer; its text may quote the address.
            raise SourceError(f"yfinance cannot read the answer ({type(error).__name__})") from None
        raw = raw_prices(table)
        kept = (raw["date"] >= pd.Timestamp(start)) & (raw["date"] <= pd.Timestamp(end))
        return raw[kept].reset_index(drop=True)


def raw_prices(table: pd.DataFrame) -> pd.DataFrame:
    """Undo Yahoo's adjustment for splits.

    Parameters
    ----------
    table : DataFrame
        As ``history(auto_adjust=False)`` returns it, up to now: Open, High, Low, Close, Volume,
        Dividends, Stock Splits (0 where there is none), by the exchange's midnight.

    Returns
    -------
    DataFrame
        As `PriceSource.fetch` has it. Prices and dividends are rounded to seven digits: what is
        beyond them is Yahoo's rounding, and differs after each new split.
    """
    split = table["Stock Splits"].to_numpy(np.float64)
    split = np.where(split > 0, split, 1.0)
    later = _product_of_later(split)
    days = pd.DatetimeIndex(table.index).tz_localize(None).normalize()
    raw: dict[str, Any] = {"date": days.to_numpy().astype("datetime64[us]")}
    for name in _PRICES:
        raw[name] = _rounded(table[name.capitalize()].to_numpy(np.float64) * later)
    raw["volume"] = np.round(table["Volume"].to_numpy(np.float64) / later)
    raw["dividend"] = _rounded(table["Dividends"].to_numpy(np.float64) * later)
    raw["split"] = split
    return pd.DataFrame(raw)[list(COLUMNS)]


def _product_of_later(split: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) product of the splits after each row; a split is in the prices of its own day."""
    return np.append(np.cumprod(split[:0:-1])[::-1], 1.0)[: len(split)]


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to seven significant digits, as decimal notation does."""
    return np.array([f"{value:.{_DIGITS - 1}e}" for value in values], dtype=np.float64)


class _YahooSession(PoliteSession):
    """Sends yfinance's requests: charts until they are usable, what is beside them once in all.

    yfinance asks for a cookie and a crumb before each chart. Charts are given without, so one
    try at them is enough, whatever came of it.
    """

    def __init__(self, settings: RequestSettings, address: str | None) -> None:
        super().__init__(settings, address)
        self._beside: dict[str, Response | RequestException] = {}
        self._beside_lock = threading.Lock()

    def get(self, url: str, **more: Any) -> Response:
        if CHART in url:
            return self.ask(url, fault_of_chart, **more)
        with self._beside_lock:
            if url not in self._beside:
                try:
                    self._beside[url] = self.once(url, **more)
                except RequestException as error:
                    self._beside[url] = error
            outcome = self._beside[url]
        if isinstance(outcome, RequestException):
            raise outcome
        return outcome


def fault_of_chart(response: Response) -> str | None:
    """Say what is wrong with an answer of the chart service, None if nothing.

    Raises
    ------
    AbsentError
        When Yahoo has no such symbol.
    SourceError
        When it refuses the request, or the symbol has no row in the time asked for.
    """
    if response.status_code != 200:
        raise _refusal(response)
    try:
        (result,) = json.loads(response.content)["chart"]["result"]
        (quote,) = result["indicators"]["quote"]
        zone = result["meta"]["exchangeTimezoneName"]
        lengths = {len(quote[name]) for name in (*_PRICES, "volume")} if quote else {0}
        whole = lengths == {len(result.get("timestamp", ()))}
    except (ValueError, KeyError, TypeError):
        return "the answer is not what a chart looks like"
    if not whole or not zone:
        return "the answer is incomplete"
    if not quote:
        raise _NoRowsError("no row in the time asked for")
    return None


def _refusal(response: Response) -> SourceError:
    """Return the error that an answer other than 200 stands for.

    Only Yahoo's own words make an asset absent: a proxy's 404 says nothing about it.
    """
    status = response.status_code
    try:
        reason = str(json.loads(response.content)["chart"]["error"]["description"])[:200]
    except (ValueError, KeyError, TypeError):
        return SourceError(f"the server answers {status}")
    if status == 404:
        return AbsentError(reason)
    if status == 400 and reason.startswith("Data doesn't exist"):
        return _NoRowsError(reason)
    return SourceError(f"the server answers {status}: {reason}")
