import itertools

import numpy as np
import pandas as pd
import pytest

from latentbeta.characteristics.ranking import rank_to_unit_interval
from latentbeta.config import PanelSettings
from latentbeta.data.calendar import period_ends, sessions
from latentbeta.data.series import Series
from latentbeta.errors import DataError, SettingsError
from latentbeta.panel import BuiltPanel, build_given_panel, read_panel, write_panel
from latentbeta.panel.files import panel_table

FIRST, LAST = np.datetime64("2020-12-15"), np.datetime64("2021-12-31")
MONTHS = period_ends(sessions("XNYS", FIRST, LAST), "monthly", calendar="XNYS")  # December on
SETTINGS = PanelSettings(
    files="*",
    returns=None,
    returns_are="excess",
    asset=(),
    characteristics=("*",),
    required=(),
    lag=1,
)


def build(given: pd.DataFrame, *, coverage: float = 0.0, factors=None, **settings) -> BuiltPanel:
    return build_given_panel(
        given,
        rebalancing="monthly",
        calendar="XNYS",
        settings=SETTINGS.model_copy(update=settings),
        minimum_coverage=coverage,
        factors=factors,
    )


def table(rows: list[tuple]) -> pd.DataFrame:
    """Rows of (month 0.., asset, return, size, value); market equity is ten times the size."""
    given = pd.DataFrame(rows, columns=["month", "asset", "return", "size", "value"])
    given = given.sort_values(["month", "asset"], ignore_index=True)
    leading = pd.DataFrame(
        {
            "date": MONTHS[given["month"]],
            "asset": given["asset"].astype("str"),
            "return": given["return"].astype(float),
            "market_equity": 10.0 * given["size"],
            "sector": ("S" + given["asset"]).astype("str"),
        }
    )
    return pd.concat([leading, given[["size", "value"]].astype(float)], axis=1)


SMALL = table(
    [
        (0, "A", 0.01, 1, 5), (0, "B", 0.02, 2, None), (0, "C", 0.03, 3, 4),
        (1, "A", 0.04, 9, 1), (1, "B", None, 8, 2), (1, "D", 0.05, 7, 3),
        (2, "A", 0.06, 1, 1), (2, "D", 0.07, None, None),
    ]
)  # fmt: skip


@pytest.fixture
def noisy() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [
        (month, f"A{asset:02d}", rng.normal(0, 0.05), rng.normal(), rng.normal())
        for month, asset in itertools.product(range(12), range(20))
        if rng.random() > 0.1
    ]
    given = table(rows)
    for name in ("return", "size", "value"):
        given.loc[rng.random(len(given)) < 0.1, name] = np.nan
    return given.assign(market_equity=1.0)


def test_last_months_characteristics_meet_this_months_return() -> None:
    built = build(SMALL)
    panel = panel_table(built)
    assert panel["date"].dt.strftime("%Y-%m").tolist() == 3 * ["2021-01"] + 3 * ["2021-02"] + [
        "2021-03"
    ]
    assert (panel["formation"] == np.repeat(MONTHS[:3], [3, 3, 1])).all()
    assert panel["asset"].tolist() == ["A", "B", "C", "A", "B", "D", "A"]
    nan = np.nan
    np.testing.assert_array_equal(panel["return"], [0.04, nan, nan, 0.06, nan, 0.07, nan])
    np.testing.assert_array_equal(panel["market_equity"], [10, 20, 30, 90, 80, 70, 10])
    assert panel["sector"].tolist() == ["SA", "SB", "SC", "SA", "SB", "SD", "SA"]
    np.testing.assert_allclose(panel["size"], [-0.5, 0, 0.5, 0.5, 0, -0.5, 0], atol=1e-7)
    # two known values rank at a third either way; B's missing one is the median
    np.testing.assert_allclose(panel["value"], [1 / 3, 0, -1 / 3, -0.5, 0, 0.5, 0], atol=1e-7)
    np.testing.assert_array_equal(built.raw["value"], [5, nan, 4, 1, 2, 3, 1])


def test_without_a_lag_a_row_is_known_when_its_month_begins() -> None:
    panel = panel_table(build(SMALL, lag=0))
    assert len(panel) == 7  # D's last row has no characteristic
    assert panel["date"].min() == MONTHS[0]
    assert str(panel["formation"].min())[:10] == "2020-11-30"
    np.testing.assert_array_equal(panel["return"], [0.01, 0.02, 0.03, 0.04, np.nan, 0.05, 0.06])


def test_a_longer_lag_ends_one_month_ahead_too() -> None:
    panel = panel_table(build(SMALL, lag=2))
    assert panel["date"].dt.strftime("%Y-%m").tolist() == 3 * ["2021-02"] + 3 * ["2021-03"]
    np.testing.assert_array_equal(panel["return"].to_numpy()[:3], [0.06, np.nan, np.nan])
    assert panel["return"].isna().to_numpy()[3:].all()


def test_required_characteristics_keep_an_asset_out() -> None:
    panel = panel_table(build(SMALL, required=("value",)))
    assert panel["asset"].tolist() == ["A", "C", "A", "B", "D", "A"]
    with pytest.raises(SettingsError, match="no characteristic is called colour; there are size"):
        build(SMALL, required=("colour",))
    with pytest.raises(DataError, match=r"no row from 2020-12-31 .* require less"):
        build(SMALL.assign(value=np.nan), required=("value",))


def test_seldom_known_at_the_first_date_is_left_out_whatever_comes_later(
    noisy: pd.DataFrame,
) -> None:
    early = noisy["date"] == MONTHS[0]
    given = noisy.assign(value=noisy["value"].mask(early & (noisy["asset"] > "A02")))
    built = build(given, coverage=0.2)
    assert built.panel.characteristic_names == ("size",)
    assert "of the assets of the first date" in built.summary.left_out["value"]
    given.loc[~early, "value"] = np.nan
    assert build(given, coverage=0.0).panel.characteristic_names == ("size", "value")
    with pytest.raises(DataError, match="no characteristic is known often enough"):
        build(given.assign(size=noisy["size"].mask(noisy["asset"] == "A01")), coverage=1.0)


def test_the_panel_is_what_plain_loops_make(noisy: pd.DataFrame) -> None:
    panel = panel_table(build(noisy))
    cells = {(row.date, row.asset): row for row in noisy.itertuples()}
    dates = pd.DatetimeIndex(MONTHS)
    expected = []
    for t in range(1, 13):
        rows = [
            (asset, cells[(dates[t - 1], asset)])
            for asset in sorted(noisy["asset"].unique())
            if (dates[t - 1], asset) in cells
        ]
        rows = [(a, r) for a, r in rows if not (np.isnan(r.size) and np.isnan(r.value))]
        ranks = [
            np.nan_to_num(rank_to_unit_interval(np.array([getattr(r, name) for _, r in rows])))
            for name in ("size", "value")
        ]
        for i, (asset, _) in enumerate(rows):
            now = cells.get((dates[t], asset)) if t < len(dates) else None
            earned = np.nan if now is None else now[3]
            expected.append((asset, earned, ranks[0][i], ranks[1][i]))
    found = panel[["asset", "return", "size", "value"]].to_numpy(object)
    assert [row[0] for row in found] == [row[0] for row in expected]
    np.testing.assert_allclose(
        found[:, 1:].astype(float), np.array([row[1:] for row in expected]), atol=1e-7
    )


def test_later_months_change_no_earlier_row(noisy: pd.DataFrame) -> None:
    cut = MONTHS[6]
    later = noisy["date"] > cut
    changed = noisy.copy()
    changed.loc[later, ["return", "size", "value"]] = 0.5
    whole = panel_table(build(noisy))
    for other in (changed, noisy[~later].reset_index(drop=True)):
        found = panel_table(build(other))
        for name in ("return", "size", "value"):
            before, after = (t.loc[t["date"] <= cut, name].to_numpy() for t in (whole, found))
            assert before.tobytes() == after.tobytes()
        # the month after is formed on the last unchanged one: all but its return is the same
        next_month = [
            t[t["date"] == MONTHS[7]].drop(columns="return").reset_index(drop=True)
            for t in (whole, found)
        ]
        pd.testing.assert_frame_equal(*next_month)


def test_factors_are_matched_by_month_and_unknown_ahead(noisy: pd.DataFrame, tmp_path) -> None:
    stamps = pd.date_range("2020-12-31", "2022-01-31", freq="ME").to_numpy("datetime64[us]")
    values = np.arange(len(stamps)) / 100
    holed = np.where(values == 0.03, np.nan, values)
    factors = Series(pd.DataFrame({"date": stamps, "f": values, "g": holed}), "monthly")
    given = noisy[noisy["date"] <= MONTHS[11]]
    built = build(given, factors=factors)
    assert str(built.panel.dates[-1])[:7] == "2021-12"
    expected = np.append(values[1:12], np.nan)  # January to November; December lies ahead
    np.testing.assert_array_equal(built.panel.F[:, 0], expected)
    np.testing.assert_array_equal(built.panel.F[:, 1], np.where(expected == 0.03, np.nan, expected))
    write_panel(built, tmp_path / "panel")
    again = read_panel(tmp_path / "panel")
    assert again.factor_names == ("f", "g")
    np.testing.assert_array_equal(again.F, built.panel.F)
    assert again.sector_names == built.panel.sector_names


def test_the_summary_counts_the_panel() -> None:
    summary = build(SMALL).summary
    assert (summary.n_dates, summary.n_rows, summary.n_assets) == (3, 7, 4)
    assert (summary.first_date, summary.last_date) == ("2021-01-29", "2021-03-31")
    assert summary.coverage == {"size": 1.0, "value": pytest.approx(6 / 7)}
    assert summary.missing_returns == pytest.approx(3 / 6)  # the newest date apart
