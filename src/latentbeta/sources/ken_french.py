"""Kenneth R. French's data library: factors and the risk-free rate.

A data set is a zip of one CSV file: some lines of text, a table in percent, often further tables
below it (the years, or other weightings), each under a title, and a line of copyright.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
from dataclasses import dataclass

import numpy as np
import pandas as pd
from curl_cffi.requests import Response

from latentbeta.config import RequestSettings
from latentbeta.errors import AbsentError, SourceError
from latentbeta.sources.http import PoliteSession

ADDRESS = "https://mba.tuck.dartmouth.edu"
ADDRESS_VARIABLE = "LATENTBETA_KEN_FRENCH_ADDRESS"  # scheme and host of a mirror
RISK_FREE = "RF"
_PATH = "/pages/faculty/ken.french/ftp/{name}_CSV.zip"
_NAME = re.compile(r"[A-Za-z0-9_\-]+")
_DAY, _MONTH = 8, 6  # digits of a date
_MISSING = (-99.99, -999.0)


@dataclass(frozen=True)
class FactorTable:
    """The first table of a data set.

    Attributes
    ----------
    frame : DataFrame
        date (datetime64[us]: the day, or the month's last), then one float64 column a factor,
        named as in the file; decimal, NaN where missing.
    is_daily : bool
        Rows are days (or weeks); else months.
    """

    frame: pd.DataFrame
    is_daily: bool


class KenFrenchLibrary:
    """The library as it is on the network.

    Parameters
    ----------
    settings : RequestSettings
    """

    def __init__(self, settings: RequestSettings) -> None:
        self._session = PoliteSession(settings, os.environ.get(ADDRESS_VARIABLE))

    def fetch(self, name: str) -> bytes:
        """Return the zip of a data set such as ``F-F_Research_Data_Factors_daily``.

        Raises
        ------
        AbsentError
            When there is no data set of that name.
        SourceError
            When none came that could be read.
        """
        if not _NAME.fullmatch(name):
            raise AbsentError(f"{name!r} is no name of a data set")
        response = self._session.ask(ADDRESS + _PATH.format(name=name), _fault)
        return bytes(response.content)


def _fault(response: Response) -> str | None:
    if response.status_code == 404:
        raise AbsentError("the library has no data set of that name")
    if response.status_code != 200:
        raise SourceError(f"the server answers {response.status_code}")
    try:
        factor_table(bytes(response.content))
    except SourceError as error:
        return str(error)
    return None


def factor_table(content: bytes) -> FactorTable:
    """Read the first table of a data set: of days, weeks or months; years are left out.

    Parameters
    ----------
    content : bytes
        The zip.

    Raises
    ------
    SourceError
        When it is no whole zip, or holds no such table.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            (member,) = archive.namelist()
            text = archive.read(member).decode("latin-1")
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, RuntimeError) as error:
        raise SourceError(f"not a whole zip of one file ({type(error).__name__})") from None
    header, rows = _first_table([line.strip() for line in text.splitlines()])
    digits = len(rows[0][0])
    dates = pd.to_datetime([row[0] for row in rows], format="%Y%m%d" if digits == _DAY else "%Y%m")
    if digits == _MONTH:
        dates += pd.offsets.MonthEnd(0)
    try:
        percent = np.array([row[1:] for row in rows], dtype=np.float64)
    except ValueError:
        raise SourceError("a row holds no numbers, or has lost some of its columns") from None
    decimal = np.where(np.isin(percent, _MISSING), np.nan, percent / 100.0)
    frame = pd.DataFrame(decimal, columns=header)
    frame.insert(0, "date", dates.to_numpy().astype("datetime64[us]"))
    return FactorTable(frame, digits == _DAY)


def _first_table(lines: list[str]) -> tuple[list[str], list[list[str]]]:
    """Return the header and rows of the first table whose dates are days or months."""
    for place, line in enumerate(lines):
        if not line.startswith(",") or place + 1 == len(lines):
            continue
        rows = []
        for below in lines[place + 1 :]:
            cells = [cell.strip() for cell in below.split(",")]
            if len(cells[0]) not in (_DAY, _MONTH) or not cells[0].isdigit():
                break
            rows.append(cells)
        header = [name.strip() for name in line.split(",")[1:]]
        if rows and len({len(row) for row in rows} | {len(header) + 1}) == 1:
            return header, rows
    raise SourceError("the file holds no table of days or months")
