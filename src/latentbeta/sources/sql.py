"""A query of a database, or of files through DuckDB, that gives daily prices.

The address is taken from the environment and shows nowhere: not in settings, messages, manifests
or tracebacks. Dates and the asset are bound as parameters, never written into the query.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, quote_plus

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Date, String, TextClause, bindparam, create_engine, make_url, text
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import ArgumentError
from sqlalchemy.types import TypeEngine

from latentbeta.config import SqlSettings
from latentbeta.data.tables import Columns, Table, find_columns
from latentbeta.errors import DataError, LatentBetaError, SettingsError, SourceError
from latentbeta.sources.downloads import no_rows
from latentbeta.sources.protocol import COLUMNS

_BATCH = 500_000  # rows in memory at a time
_DUCKDB = "duckdb://"
_QUERY = Path("fetch.sql.query")  # stands where a file's name would in messages
_REQUIRED = ("date", "open", "high", "low", "close", "volume")
_OPTIONAL = ("asset", "dividend", "split", "shares")
_TEXT = ("date", "asset")
_TYPES: dict[str, TypeEngine[Any]] = {"start": Date(), "end": Date(), "asset": String()}

Parameters = Mapping[str, Any]


class _Database(Protocol):
    def batches(self, query: TextClause, parameters: Parameters) -> Iterator[pd.DataFrame]: ...


class SqlQuery:
    """A query whose result has our columns, under our names or those of ``data.columns``.

    Parameters
    ----------
    settings : SqlSettings
    columns : mapping
        As in `read_table`.

    Raises
    ------
    SettingsError
        When the query is not there, lacks :start or :end, or the environment holds no address.
    """

    def __init__(self, settings: SqlSettings, columns: Columns) -> None:
        url = os.environ.get(settings.url_variable, "")
        if not url:
            raise SettingsError(
                f"the environment variable {settings.url_variable} holds no address of a database;"
                " set it, or name another in fetch.sql.url_variable"
            )
        if settings.query is None:
            raise SettingsError("fetch.sql.query: write the query that gives daily prices")
        self._query = text(settings.query)
        self._names = set(self._query.compile().params)
        if not {"start", "end"} <= self._names or self._names - {"start", "end", "asset"}:
            raise SettingsError(
                "fetch.sql.query: it takes the parameters :start and :end, and :asset if it is to"
                f" be asked asset by asset; it has {', '.join(sorted(self._names)) or 'none'}"
            )
        self._columns = columns
        self._told_apart_by = f"{settings.url_variable}\n{settings.query}"
        self._secrets = _secrets_of(url)
        with self._faults_named():
            self._database = _DuckDb(url) if url.startswith(_DUCKDB) else _SqlAlchemy(url)

    @property
    def key(self) -> str:
        """What tells this query from others, without a secret in it."""
        return hashlib.sha256(self._told_apart_by.encode()).hexdigest()[:12]

    @property
    def by_asset(self) -> bool:
        """Whether the query names an asset, so that each is asked for by itself."""
        return "asset" in self._names

    def batches(
        self, start: dt.date, end: dt.date, asset: str | None = None
    ) -> Iterator[pd.DataFrame]:
        """Give the result piece by piece, under our names.

        Yields
        ------
        DataFrame
            date (datetime64[us]), open, high, low, close, volume, dividend, split (float64); asset
            (str) and shares where the query has them. A column that it lacks is left at nothing
            paid and nothing split.

        Raises
        ------
        SourceError
            When the database refuses; its words are told without the address.
        DataError
            When the result lacks a column or holds no date, asset or number where one belongs.
        """
        named = {"start": start, "end": end} | ({"asset": asset} if self.by_asset else {})
        with self._faults_named():
            for frame in self._database.batches(self._query, named):
                yield self._checked(frame)

    def _checked(self, frame: pd.DataFrame) -> pd.DataFrame:
        names = find_columns(
            _QUERY, list(frame.columns), self._columns, required=_REQUIRED, optional=_OPTIONAL
        )
        table = Table(_QUERY, frame[list(names.values())].set_axis(list(names), axis=1), names)
        every = np.ones(len(frame), bool)
        read: dict[str, Any] = {"date": table.dates()}
        _refuse_empty(table, "date", np.isnat(read["date"]))
        read |= {name: table.numbers(name, every) for name in names if name not in _TEXT}
        if "asset" in names:
            asset = table.text("asset")
            _refuse_empty(table, "asset", asset.codes < 0)
            read["asset"] = asset.astype(str)
        return pd.DataFrame({"dividend": 0.0, "split": 1.0} | read)

    @contextmanager
    def _faults_named(self) -> Iterator[None]:
        try:
            yield
        except LatentBetaError:
            raise
        except Exception as error:
            raise SourceError(
                f"the database refuses: {type(error).__name__}: {self._without_secrets(error)}"
            ) from None

    def _without_secrets(self, error: Exception) -> str:
        words = str(error)
        for secret in self._secrets:
            words = words.replace(secret, "…")
        return " ".join(words.split())[:500]


class SqlSource:
    """A query that is asked asset by asset.

    Parameters
    ----------
    query : SqlQuery
    """

    def __init__(self, query: SqlQuery) -> None:
        self.name = f"sql-{query.key}"
        self._query = query
        self._counts = threading.local()

    def attempts(self) -> int:
        """Return how many queries this thread has sent so far."""
        return getattr(self._counts, "n", 0)

    def fetch(self, asset: str, start: dt.date, end: dt.date) -> pd.DataFrame:
        """Return the rows of an asset; see `PriceSource.fetch`."""
        self._counts.n = self.attempts() + 1
        try:
            parts = [part[list(COLUMNS)] for part in self._query.batches(start, end, asset)]
        except DataError as error:  # in the rows of this asset; the others may be sound
            raise SourceError(str(error)) from None
        rows = pd.concat(parts, ignore_index=True) if parts else no_rows()
        if rows["date"].duplicated().any():
            day = rows["date"][rows["date"].duplicated()].iloc[0]
            raise SourceError(f"the query gives {day:%Y-%m-%d} twice")
        return rows.sort_values("date", ignore_index=True)


class _SqlAlchemy:
    def __init__(self, url: str) -> None:
        self._engine = create_engine(url)

    def batches(self, query: TextClause, parameters: Parameters) -> Iterator[pd.DataFrame]:
        typed = query.bindparams(*(bindparam(name, type_=_TYPES[name]) for name in parameters))
        with self._engine.connect() as connection:
            streaming = connection.execution_options(stream_results=True)
            yield from pd.read_sql_query(
                typed, streaming, params=dict(parameters), chunksize=_BATCH
            )


class _DuckDb:
    """DuckDB by its own client, which has no need of a SQLAlchemy dialect."""

    def __init__(self, url: str) -> None:
        import duckdb

        path = url.removeprefix(_DUCKDB).removeprefix("/")
        in_memory = path in ("", ":memory:")
        self._connection = duckdb.connect(path or ":memory:", read_only=not in_memory)

    def batches(self, query: TextClause, parameters: Parameters) -> Iterator[pd.DataFrame]:
        dialect = DefaultDialect(paramstyle="numeric_dollar")
        compiled: Any = query.compile(dialect=dialect)
        values = [parameters[name] for name in compiled.positiontup]
        with self._connection.cursor() as cursor:
            result: Any = cursor.sql(str(compiled), params=values)
            for batch in result.to_arrow_reader(_BATCH):
                yield batch.to_pandas()


def _refuse_empty(table: Table, column: str, empty: NDArray[np.bool_]) -> None:
    if empty.any():
        table.fail(int(np.argmax(empty)), column, f"every row needs its {column}")


def _secrets_of(url: str) -> list[str]:
    """Return the parts of an address that no message may hold, the longest first."""
    found = {url}
    with suppress(ArgumentError, ValueError):
        parsed = make_url(url)
        password = parsed.password or ""
        found |= {parsed.database or "", password, quote(password, safe=""), quote_plus(password)}
        found |= {str(value) for value in parsed.query.values()}
    return sorted(found - {""}, key=len, reverse=True)
