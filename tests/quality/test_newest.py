import numpy as np
import pandas as pd

from latentbeta.config import Settings
from latentbeta.quality.broken import broken_rows
from latentbeta.quality.newest import newest_rules, newest_table


def counted(prices: pd.DataFrame) -> pd.DataFrame:
    return newest_table(prices).set_index("characteristic")


def test_a_whole_session_has_what_the_one_before_had(
    prices: pd.DataFrame, gate_settings: Settings
) -> None:
    table = newest_table(prices)
    assert (table["share"] == 1).all()
    (rule,) = newest_rules(gate_settings.quality)
    assert broken_rows(table, rule.expectation, rule.arguments).holds()


def test_two_of_thirty_assets_lost_is_said(prices: pd.DataFrame, gate_settings: Settings) -> None:
    thin = prices.iloc[:-2]
    table = counted(thin)
    assert table.loc["rows", ["n_before", "n_newest"]].tolist() == [30, 28]
    (rule,) = newest_rules(gate_settings.quality)
    found = broken_rows(table.reset_index(), rule.expectation, rule.arguments)
    assert found.n_broken == len(table)
    assert broken_rows(newest_table(prices.iloc[:-1]), rule.expectation, rule.arguments).holds()


def test_other_assets_in_their_place_are_no_substitute(prices: pd.DataFrame) -> None:
    renamed = prices.copy()
    renamed.loc[renamed.index[-3:], "asset"] = ["X", "Y", "Z"]
    table = counted(renamed)
    assert table.loc["rows", "share"] == 1
    assert table.loc["assets of the session before", "share"] == 0.9


def test_columns_that_stop_are_counted_one_by_one(prices: pd.DataFrame) -> None:
    prices.loc[prices.index[-15:], "volume"] = np.nan
    table = counted(prices.drop(columns="shares"))
    assert table.loc["volume", "share"] == 0.5
    assert table.loc["close", "share"] == 1
    assert np.isnan(table.loc["shares", "share"])


def test_a_single_session_has_none_before(prices: pd.DataFrame) -> None:
    assert newest_table(prices.head(30))["share"].isna().all()
