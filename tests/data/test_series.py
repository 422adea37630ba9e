import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latentbeta.config import DataSettings
from latentbeta.data.calendar import period_ends, sessions
from latentbeta.data.series import Series, facts_of, over_periods, read_factors
from latentbeta.errors import DataError

winter = sessions("XNYS", dt.date(2023, 12, 29), dt.date(2024, 4, 30))
month_ends = period_ends(winter, "monthly", calendar="XNYS")  # December to April
SHARED = Path(__file__).parents[2] / "../shared/data/fama_french"


def written(source: Path, text: str, name: str = "factors.csv") -> Path:
    path = source / name
    path.write_text(text)
    return path


def daily(days: np.ndarray, **columns: np.ndarray) -> Series:
    return Series(pd.DataFrame({"date": days} | columns), "daily")


def monthly_returns(series: Series) -> np.ndarray:
    return over_periods(
        series,
        month_ends[:-1],
        month_ends[1:],
        rebalancing="monthly",
        calendar="XNYS",
        source="the file",
    )


def test_each_column_of_numbers_is_a_factor_but_the_date_and_the_rate(
    source: Path, settings: DataSettings
) -> None:
    path = written(
        source,
        "Date,MktRF,origin,RF,SMB\n202401,0.01,one,0.003,NA\n202402,-0.02,two,0.003,0.005\n"
        "202403,0.04,two,0.003,0.001\n",
    )
    series = read_factors(path, settings.columns, None, until=dt.date(2024, 3, 28))
    assert series.spacing == "monthly"
    assert list(series.table) == ["date", "MktRF", "SMB"]
    assert series.table["date"].astype(str).tolist() == ["2024-01-31", "2024-02-29", "2024-03-31"]
    assert series.table["MktRF"].tolist() == [0.01, -0.02, 0.04]
    np.testing.assert_array_equal(series.table["SMB"], [np.nan, 0.005, 0.001])
    facts = facts_of(series, "factors.csv")
    assert facts["names"]["SMB"] == {
        "first_date": "2024-02-29",
        "last_date": "2024-03-31",
        "known": 2,
    }


def test_named_factors_come_in_that_order_under_our_names(
    source: Path, settings: DataSettings
) -> None:
    path = written(source, "date,HML,Mkt-RF,SMB\n2024-01-02,.01,.02,.03\n2024-01-03,.04,.05,.06\n")
    names = {"market": ("mktrf", "mkt-rf"), "value": ("hml",)}
    series = read_factors(path, settings.columns, names, until=dt.date(2024, 1, 3))
    assert list(series.table) == ["date", "market", "value"]
    assert series.table.iloc[1, 1:].tolist() == [0.05, 0.04]
    with pytest.raises(DataError, match=r"no column for 'size'.*data\.factor_columns\.size"):
        read_factors(path, settings.columns, {"size": ("me",)}, until=dt.date(2024, 1, 3))


def test_a_factor_that_is_not_known_yet_is_empty(source: Path, settings: DataSettings) -> None:
    path = written(source, "date,MktRF,SMB\n202401,0.01,\n202402,-0.02,\n202403,0.04,0.01\n")
    series = read_factors(path, settings.columns, None, until=dt.date(2024, 2, 29))
    assert series.table["SMB"].isna().tolist() == [True, True]
    assert facts_of(series, "factors.csv")["empty"] == ["SMB"]


def test_later_rows_are_left_aside_and_a_month_counts_as_a_whole(
    source: Path, settings: DataSettings
) -> None:
    path = written(source, "date,f\n202401,.01\n202402,.02\n202403,oops\n")
    series = read_factors(path, settings.columns, {"f": ("f",)}, until=dt.date(2024, 2, 27))
    assert series.table["f"].tolist() == [0.01, 0.02]
    with pytest.raises(DataError, match=r"row 3, column 'f' holds 'oops': not a number"):
        read_factors(path, settings.columns, {"f": ("f",)}, until=dt.date(2024, 3, 1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("date,f\n2024-01-02,.01\n,.02\n", r"row 2, column 'date' holds nothing"),
        ("date,f\n2024-01-02,.01\n2024-01-03,.01\n2024-01-02,.02\n", r"row 3, column 'date'.*same"),
        ("date,f\n202401,.01\n20240131,.01\n202402,.02\n202403,0\n", r"row 2.*same week or month"),
        ("date,f\n2024-01-02,.01\n2024-04-02,.02\n", "91 days apart"),
        ("date,f\n2024-01-02,inf\n2024-01-03,.02\n", "row 1, column 'f' holds inf"),
        ("date,f\n2024-01-02,1.2\n2024-01-03,-.8\n", "'f' lies beyond 10 %.*decimals"),
        ("date,f\n2024-01-02,a\n2024-01-03,b\n", "no column of numbers beside the date"),
        ("date,f\n2025-01-02,.01\n2025-01-03,.01\n", "no row up to 2024-06-28"),
        ("day of,f\n2024-01-02,.01\n", "no column for 'date'"),
    ],
)
def test_a_fault_is_named(text: str, message: str, source: Path, settings: DataSettings) -> None:
    with pytest.raises(DataError, match=message):
        read_factors(written(source, text), settings.columns, None, until=dt.date(2024, 6, 28))


def test_a_monthly_row_is_that_of_its_calendar_month() -> None:
    stamps = pd.to_datetime(["2024-01-01", "2024-02-15", "2024-04-30"]).to_numpy("datetime64[us]")
    series = Series(pd.DataFrame({"date": stamps, "f": [0.1, 0.2, 0.4]}), "monthly")
    np.testing.assert_array_equal(monthly_returns(series), [[0.1], [0.2], [np.nan], [0.4]])


def test_days_are_compounded_over_the_sessions_after_the_formation() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(0, 0.01, len(winter))
    found = monthly_returns(daily(winter, f=values))
    months = winter.astype("datetime64[M]").astype(str)
    for row, month in enumerate(["2024-01", "2024-02", "2024-03", "2024-04"]):
        grown = 1.0
        for day, value in zip(months, values, strict=True):
            grown *= 1 + value if day == month else 1.0
        assert found[row, 0] == pytest.approx(grown - 1, abs=1e-15)


def test_a_month_with_a_hole_is_not_known() -> None:
    values = np.full(len(winter), 0.01)
    hole = values.copy()
    hole[winter == np.datetime64("2024-02-14")] = np.nan
    found = monthly_returns(daily(winter, f=values, g=hole))
    assert np.isnan(found).tolist() == [[False, False], [False, True]] + 2 * [[False, False]]
    without_last = winter != np.datetime64("2024-03-28")  # the last session of March
    without_two = ~np.isin(winter, np.array(["2024-02-14", "2024-02-15"], "datetime64[us]"))
    without_week = (winter < np.datetime64("2024-01-08")) | (winter > np.datetime64("2024-01-12"))
    for kept, unknown in ((without_last, [2]), (without_two, []), (without_week, [0])):
        found = monthly_returns(daily(winter[kept], f=values[kept]))
        assert np.flatnonzero(np.isnan(found[:, 0])).tolist() == unknown


def test_later_days_change_no_earlier_period() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(0, 0.01, (len(winter), 2))
    before = monthly_returns(daily(winter, f=values[:, 0], g=values[:, 1]))
    values[np.argmax(winter > month_ends[2]) :] = 0.5
    after = monthly_returns(daily(winter, f=values[:, 0], g=values[:, 1]))
    assert before[:2].tobytes() == after[:2].tobytes()
    assert (before[2:] != after[2:]).all()


def test_months_do_not_fit_into_weeks() -> None:
    series = Series(pd.DataFrame({"date": month_ends, "f": 0.01}), "monthly")
    with pytest.raises(DataError, match="its rows are monthly, the return periods weekly"):
        over_periods(
            series,
            month_ends[:-1],
            month_ends[1:],
            rebalancing="weekly",
            calendar="XNYS",
            source="x",
        )


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data/fama_french is not here")
def test_fama_and_frenchs_days_compound_to_their_months(settings: DataSettings) -> None:
    until, names = dt.date(2020, 12, 31), {"MktRF": ("MktRF",), "RF": ("RF",)}
    days = read_factors(SHARED / "factors_daily.parquet", settings.columns, names, until=until)
    months = read_factors(SHARED / "factors_monthly.parquet", settings.columns, names, until=until)
    ends = period_ends(sessions("XNYS", dt.date(1979, 12, 1), until), "monthly", calendar="XNYS")

    def over(series: Series) -> np.ndarray:
        return over_periods(
            series, ends[:-1], ends[1:], rebalancing="monthly", calendar="XNYS", source="x"
        )

    compounded, given = over(days), over(months)
    assert np.isfinite(compounded).all()
    assert np.isfinite(given).all()
    # Compounded differences are not differences of compounded returns, and files are rounded.
    assert np.abs(compounded - given).max() < 0.006
