"""What text may stand for a date."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True)
class DateForm:
    """A way to write dates: how it is read, and what to tell whoever wrote another."""

    days: Callable[[pd.Series], NDArray[np.datetime64]]
    written: str


def _days_of_text(text: pd.Series) -> NDArray[np.datetime64]:
    """Days of YYYY-MM-DD (a time after it is dropped) or YYYYMMDD; NaT for anything else."""
    if text.str.len().eq(10).all():
        # Nearly every file is written so, and of thousands of files each comes through here.
        with suppress(ValueError):
            days = pd.to_datetime(text, format="%Y-%m-%d")
            return days.to_numpy().astype("datetime64[us]")
    dashed = text.str.fullmatch(r"\d{4}-\d{2}-\d{2}([T ].*)?")
    plain = text.str.fullmatch(r"\d{8}")
    iso = text.str[:10].where(dashed)
    iso = iso.where(~plain, text.str[:4] + "-" + text.str[4:6] + "-" + text.str[6:8])
    parsed = pd.to_datetime(iso, format="%Y-%m-%d", errors="coerce")
    return parsed.to_numpy().astype("datetime64[us]")


def _days_or_months_of_text(text: pd.Series) -> NDArray[np.datetime64]:
    """Days as above; YYYY-MM or YYYYMM is the month's last day."""
    days = _days_of_text(text)
    month = text.str.fullmatch(r"\d{4}-?\d{2}")
    digits = text.str.replace("-", "").where(month)
    last = pd.to_datetime(digits, format="%Y%m", errors="coerce") + pd.offsets.MonthEnd(0)
    return np.where(month, last.to_numpy().astype("datetime64[us]"), days)


DAYS = DateForm(_days_of_text, "YYYY-MM-DD")
DAYS_OR_MONTHS = DateForm(_days_or_months_of_text, "YYYY-MM-DD, or YYYYMM for a month")
