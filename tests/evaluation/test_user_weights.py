import numpy as np
import pandas as pd
import pytest
from tests.synthetic_results import Market, write_results

from latentbeta.errors import DataError
from latentbeta.evaluation.ladder import ModelKey
from latentbeta.evaluation.user_weights import attribute_file

KEY = ModelKey("ca1", 2)


@pytest.fixture(scope="module")
def market():
    return Market()


@pytest.fixture(scope="module")
def results(tmp_path_factory, market):
    data = tmp_path_factory.mktemp("data")
    write_results(data, market)
    return data / "results"


@pytest.fixture
def attributed(results, tmp_path):
    def run(text, key=KEY):
        (tmp_path / "weights.csv").write_text(text)
        return attribute_file(tmp_path / "weights.csv", results, key)

    return run


def test_a_file_of_weights_as_a_slow_loop_says(market, results, tmp_path):
    draw = np.random.default_rng(5)
    held = market.long(weight=draw.normal(size=market.returns.shape))
    held = held[(held["date"] >= "2017-06-01") & (draw.random(len(held)) < 0.3)]
    held.sample(frac=1, random_state=1).to_csv(tmp_path / "weights.csv", index=False)
    found = attribute_file(tmp_path / "weights.csv", results, KEY)
    predictions = pd.read_parquet(results / "predictions.parquet").query("model == 'ca1'")
    betas = pd.read_parquet(results / "betas.parquet").query("model == 'ca1'")
    factors = pd.read_parquet(results / "factors.parquet").query("model == 'ca1'")
    factors = factors.set_index("date")[["factor_1", "factor_2"]]
    rows = held.merge(predictions, on=["date", "asset"]).merge(betas, on=["date", "asset"])
    for date, today in rows.groupby("date"):
        mine = found[found["date"] == date].iloc[0]
        known = today.dropna(subset="realised")
        for name in ("factor_1", "factor_2"):
            expected = (known["weight"] * known[name]).sum() * factors.loc[date, name]
            assert mine[name] == pytest.approx(expected)
        assert mine["total"] == pytest.approx((known["weight"] * known["realised"]).sum())
        gone = today.loc[today["realised"].isna(), "weight"].abs().sum()
        assert mine["left_out"] == pytest.approx(gone)
    assert list(found["date"]) == sorted(held["date"].unique())
    parts = found[["factor_1", "factor_2", "specific"]].sum(axis=1)
    np.testing.assert_allclose(parts, found["total"], atol=1e-15)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("2016-01-29,STRANGER,1", r"row 2, column 'asset' holds 'STRANGER': no asset"),
        ("2016-01-30,A01,1", r"row 2, column 'date' holds '2016-01-30': no date .*2016-01-29 to"),
        ("soon,A01,1", "row 2, column 'date' holds 'soon': not a date"),
        ("2016-01-29,A01,much", "row 2, column 'weight' holds 'much': not a number"),
        ("2016-01-29,A01,", "row 2, column 'weight' holds nothing: every row needs its weight"),
        ("2016-01-29,,1", "row 2, column 'asset' holds nothing: every row needs its asset"),
        ("2016-01-29,A00,1", "row 2, column 'asset' holds 'A00': an earlier row"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(attributed, row, said):
    with pytest.raises(DataError, match=said):
        attributed(f"date,asset,weight\n2016-01-29,A00,1\n{row}\n")


def test_an_asset_that_was_not_there_on_the_date(results, tmp_path):
    table = pd.read_parquet(results / "predictions.parquet")
    gone = (table["asset"] == "A03") & (table["date"] == "2016-01-29")
    for name in ("betas", "factors"):
        (tmp_path / f"{name}.parquet").symlink_to(results / f"{name}.parquet")
    table[~gone].to_parquet(tmp_path / "predictions.parquet")
    (tmp_path / "weights.csv").write_text("date,asset,weight\n2016-01-29,A03,1\n")
    with pytest.raises(DataError, match=r"row 1.*'A03': the asset was not in the panel"):
        attribute_file(tmp_path / "weights.csv", tmp_path, KEY)


def test_a_column_that_is_missing_is_named(attributed):
    with pytest.raises(DataError, match="weight"):
        attributed("date,asset,share\n2016-01-29,A00,1\n")


def test_a_model_that_is_not_there_is_named_with_those_that_are(attributed):
    with pytest.raises(DataError, match=r"ca9 with 2 factors; there are .*pca 2"):
        attributed("date,asset,weight\n2016-01-29,A00,1\n", ModelKey("ca9", 2))


def test_files_that_are_not_there(results, tmp_path):
    with pytest.raises(DataError, match=r"none\.csv: no such file"):
        attribute_file(tmp_path / "none.csv", results, KEY)
    with pytest.raises(DataError, match="`latentbeta run` makes it"):
        attribute_file(tmp_path / "none.csv", tmp_path, KEY)
