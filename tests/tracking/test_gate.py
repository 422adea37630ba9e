import numpy as np
import pandas as pd
import pytest

from latentbeta.tracking.gate import decide

DATES = pd.date_range("2020-01-31", periods=4, freq="ME").astype("datetime64[us]")


def predictions(error, *, dates=DATES, forecast_error=0.5):
    """Two assets a date; errors are a share of the return, so R² is 1 - error² by hand."""
    rows = pd.MultiIndex.from_product([dates, ["A", "B"]], names=["date", "asset"])
    realised = pd.Series(np.where(rows.get_level_values("asset") == "A", 0.1, -0.2), index=rows)
    table = pd.DataFrame(
        {
            "realised": realised,
            "fitted": realised * (1 - error),
            "forecast": realised * (1 - forecast_error),
        }
    )
    return table.reset_index()


@pytest.mark.parametrize(
    ("error", "accepted"),
    [(0.5, True), (0.6, True), (0.61, False)],
    ids=["better", "equal", "worse"],
)
def test_no_worse_than_the_champion_is_accepted(error, accepted):
    decision = decide(predictions(error), predictions(0.6), tolerance=0.0)
    assert decision.accepted is accepted
    assert decision.challenger["total_r2"] == pytest.approx(1 - error**2)
    assert decision.champion["total_r2"] == pytest.approx(0.64)
    assert decision.n_pairs == 8


def test_a_worse_forecast_alone_is_refused():
    challenger = predictions(0.1, forecast_error=0.9)
    decision = decide(challenger, predictions(0.6, forecast_error=0.8), tolerance=0.0)
    assert not decision.accepted
    assert "predictive_r2" in decision.reason


def test_within_the_tolerance_is_accepted():
    assert decide(predictions(0.6), predictions(0.5), tolerance=0.12).accepted
    assert not decide(predictions(0.6), predictions(0.5), tolerance=0.10).accepted


def test_only_pairs_of_both_count():
    challenger = pd.concat([predictions(0.9, dates=DATES[:2]), predictions(0.5, dates=DATES[2:])])
    decision = decide(challenger, predictions(0.6, dates=DATES[2:]), tolerance=0.0)
    assert decision.accepted  # the bad early dates are not the champion's window
    assert (decision.first_date, decision.last_date) == ("2020-03-31", "2020-04-30")
    assert decision.n_pairs == 4


def test_rows_without_a_return_do_not_count():
    challenger = predictions(0.5)
    challenger.loc[challenger["date"] == DATES[-1], "realised"] = np.nan
    assert decide(challenger, predictions(0.6), tolerance=0.0).n_pairs == 6


def test_without_a_common_pair_the_challenger_is_refused():
    decision = decide(
        predictions(0.1, dates=DATES[:2]), predictions(0.9, dates=DATES[2:]), tolerance=0.0
    )
    assert not decision.accepted
    assert decision.n_pairs == 0
