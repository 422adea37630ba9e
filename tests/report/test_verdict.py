import pandas as pd
import pytest
from tests.report.bare import bare_inputs
from tests.synthetic_results import monthly_settings

from latentbeta.evaluation.ladder import ModelKey
from latentbeta.report.comparisons import Contest, Difference, contest, counterpart, difference
from latentbeta.report.verdict import verdict


def record(model, total, predictive=0.01, n_factors=3, **more):
    return {
        "model": model,
        "n_factors": n_factors,
        "total_r2": total,
        "total_r2_se": 0.01,
        "predictive_r2": predictive,
        "predictive_r2_se": 0.002,
        "n_dates": 80,
        "first_test_date": "2011-01-31",
        "last_test_date": "2017-08-31",
    } | more


def row(a, b, measure, value, t, n_factors=3):
    names = ("model_a", "n_factors_a", "model_b", "n_factors_b", "measure", "difference", "t")
    return dict(zip(names, (a, n_factors, b, n_factors, measure, value, t), strict=True))


def inputs(metrics, rows=(), **more):
    return bare_inputs(metrics=metrics, differences=pd.DataFrame(rows), **more)


@pytest.fixture(scope="module")
def settings():
    return monthly_settings()


def words(found):
    return " ".join(found.paragraphs)


def test_a_network_that_wins(settings):
    rows = [
        row("ca1", "ipca", "total_r2", 0.052, 4.1),
        row("ca1", "pca", "total_r2", 0.2, 9.94),
        row("ca1", "ipca", "predictive_r2", 0.001, 0.4),
    ]
    metrics = [record("pca", 0.17), record("ipca", 0.32, 0.019), record("ca1", 0.372, 0.02)]
    found = verdict(inputs(metrics, rows), settings)
    assert found.headline == "CA1 (K = 3) explains most; no model clearly predicts best."
    text = words(found)
    assert "80 months" in text
    assert "37.20 ± 1.00 %" in text
    assert "5.20 points more than IPCA (4.1 standard errors)" in text
    assert "20.00 points more than PCA (9.9 standard errors)" in text
    assert "0.10 points more than IPCA (0.4 standard errors, so perhaps chance)" in text
    assert found.cautions == ()


def test_a_lead_within_two_errors_is_not_clear(settings):
    rows = [
        row("ca1", "ipca", "total_r2", 0.002, 1.1),
        row("ca1", "ipca", "predictive_r2", 0.01, 2.5),
    ]
    found = verdict(inputs([record("ipca", 0.37), record("ca1", 0.372, 0.02)], rows), settings)
    assert found.headline == (
        "CA1 (K = 3) explains most, but not clearly more than IPCA (K = 3); it predicts best."
    )


def test_a_classical_model_that_wins_says_so(settings):
    rows = [
        row("ca1", "ipca", "total_r2", -0.03, -3.0),
        row("ipca", "pca", "total_r2", 0.2, 8.0),
    ]
    found = verdict(
        inputs([record("pca", 0.1), record("ipca", 0.3), record("ca1", 0.27)], rows), settings
    )
    assert found.headline.startswith("IPCA (K = 3) explains most")
    text = words(found)
    assert "The networks do not beat it" in text
    assert "CA1 (K = 3), 3.00 points behind (3.0 standard errors)" in text
    assert "20.00 points more than PCA" in text


def test_a_best_forecast_that_is_worse_than_zero_is_called_that(settings):
    found = verdict(inputs([record("ca1", 0.3, predictive=-0.002)]), settings)
    assert "no better than forecasting zero" in words(found)


def test_the_headline_praises_no_forecast_that_is_not_above_zero(settings):
    metrics = [record("ipca", 0.2, predictive=-0.01), record("ca1", 0.3, predictive=-0.002)]
    assert verdict(inputs(metrics), settings).headline == (
        "CA1 (K = 3) explains most; no predictive R² is above zero."
    )
    weak = [metrics[0], record("ca1", 0.3, predictive=0.003)]  # 1.5 standard errors
    assert verdict(inputs(weak), settings).headline == (
        "CA1 (K = 3) explains most; no predictive R² is clearly above zero."
    )


def test_no_forecast_at_all(settings):
    found = verdict(inputs([record("ca1", 0.3, predictive=None)]), settings)
    assert found.headline == "CA1 (K = 3) explains most; no model forecasts."


def test_no_results_at_all(settings):
    found = verdict(inputs([record("ca1", None, None)]), settings)
    assert found.headline == "No model has out-of-sample results."


def test_survivors_and_raw_returns_are_said(settings):
    summary = {"universe": "survivors", "has_risk_free": False, "has_truth": False}
    found = verdict(inputs([record("ca1", 0.3)], prices_summary=summary), settings)
    assert [label for label, _ in found.cautions] == ["Survivors only", "Raw returns"]


def test_members_without_prices_are_said(settings):
    members = {"priced": 0.84, "priced_first": 0.73, "priced_last": 1.0}
    summary = {"universe": "point-in-time", "has_truth": False, "membership": members}
    found = verdict(inputs([record("ca1", 0.3)], prices_summary=summary), settings)
    ((label, text),) = found.cautions
    assert label == "Not point-in-time"
    assert text.startswith("16% of the universe's members have no prices (27% on the first day)")


def test_what_was_recovered_of_the_truth(settings):
    models = [{"model": "ca1", "n_factors": 3, "beta_correlation": [0.91, 0.87, 0.8]}]
    truth = {"known": True, "oracle_total_r2": 0.41, "models": models}
    found = verdict(inputs([record("ca1", 0.3)], truth=truth), settings)
    assert "correlate 0.91, 0.87 and 0.80 with the true ones" in words(found)
    assert "41.00 %" in words(found)
    assert found.cautions[0][0] == "Simulated market"


def test_a_difference_is_found_from_either_side():
    table = pd.DataFrame([row("ca1", "ipca", "total_r2", 0.05, 3.0)])
    ca1, ipca = ModelKey("ca1", 3), ModelKey("ipca", 3)
    assert difference(table, ca1, ipca, "total_r2") == Difference(0.05, 3.0)
    assert difference(table, ipca, ca1, "total_r2") == Difference(-0.05, -3.0)
    assert difference(table, ca1, ipca, "ic") is None
    assert difference(table, ModelKey("ca1", 5), ipca, "total_r2") is None
    assert difference(table, ca1, ModelKey("ipca", 5), "total_r2") is None


def test_a_difference_without_a_value_is_none():
    table = pd.DataFrame([row("ca1", "ipca", "ic", float("nan"), float("nan"))])
    assert difference(table, ModelKey("ca1", 3), ModelKey("ipca", 3), "ic") is None


def ladder(totals):
    """Records of (model, K) to total R²; all else alike."""
    return [record(model, total, n_factors=count) for (model, count), total in totals.items()]


def test_classical_models_against_networks_number_by_number():
    metrics = ladder(
        {
            ("pca", 1): 0.30,
            ("ca1", 1): 0.31,
            ("pca", 2): 0.20,
            ("ipca", 2): 0.35,
            ("ca1", 2): 0.33,
            ("ca2", 2): 0.34,
            ("ipca", 3): 0.36,
            ("ca2", 3): 0.35,
            ("pca", 4): 0.37,
        }
    )
    rows = [
        row("ca1", "pca", "total_r2", 0.01, 1.9, 1),
        row("ca2", "ipca", "total_r2", -0.01, -2.2, 2),
        row("ca1", "ipca", "total_r2", -0.02, -9.0, 2),
        row("ca2", "ipca", "total_r2", -0.01, -1.0, 3),
    ]
    found = contest(metrics, pd.DataFrame(rows), "total_r2")
    assert found == Contest(classical=(2, 3), networks=(1,), clear=(2,))
    assert found.counts == (1, 2, 3)


def test_the_verdict_says_where_each_side_leads(settings):
    metrics = ladder({("ipca", 1): 0.3, ("ca1", 1): 0.2, ("ipca", 2): 0.3, ("ca1", 2): 0.4})
    rows = [row("ca1", "ipca", "total_r2", -0.1, -5.0, 1)]
    text = words(verdict(inputs(metrics, rows), settings))
    assert "in total R² the classical at K = 1 and the network at K = 2 (clearly at 1)" in text


def test_a_side_that_always_leads(settings):
    metrics = ladder({("ipca", 1): 0.3, ("ca1", 1): 0.2, ("ipca", 2): 0.5, ("ca1", 2): 0.4})
    text = words(verdict(inputs(metrics), settings))
    assert "in total R² the classical at every K (nowhere clearly)" in text


def test_one_number_of_factors_is_no_contest(settings):
    text = words(verdict(inputs([record("ipca", 0.3), record("ca1", 0.2)]), settings))
    assert "at equal numbers" not in text.lower()


def test_the_runner_up_has_the_same_number_of_factors(settings):
    metrics = ladder({("ipca", 5): 0.40, ("ca1", 6): 0.39, ("ipca", 6): 0.42})
    rows = [row("ca1", "ipca", "total_r2", -0.03, -1.0, 6)]
    found = verdict(inputs(metrics, rows), settings)
    assert found.headline.startswith(
        "IPCA (K = 6) explains most, but not clearly more than CA1 (K = 6)"
    )


def test_a_gap_is_that_to_the_model_it_is_said_of(settings):
    metrics = ladder({("ipca", 6): 0.42, ("ca1", 3): 0.41, ("ca1", 6): 0.40, ("pca", 6): 0.3})
    rows = [
        row("ca1", "ipca", "total_r2", -0.02, -3.0, 6),
        row("ipca", "pca", "total_r2", 0.12, 8.0, 6),
    ]
    text = words(verdict(inputs(metrics, rows), settings))
    assert "the best of them with as many factors is CA1 (K = 6), 2.00 points behind" in text
    assert "12.00 points more than PCA with 6 factors (8.0 standard errors)" in text
    other = words(verdict(inputs(metrics[:2], rows), settings))
    assert "the best of them is CA1 (K = 3)." in other


def test_a_network_that_is_ahead_on_what_both_cover_is_not_called_behind(settings):
    rows = [row("ca1", "ipca", "total_r2", 0.01, 1.0)]
    text = words(verdict(inputs([record("ipca", 0.3), record("ca1", 0.29)], rows), settings))
    assert "CA1 (K = 3), 1.00 points ahead on what both cover" in text


def test_a_model_with_one_number_of_factors_is_met_at_that():
    metrics = ladder({("pca", 1): 0.1, ("ipca", 2): 0.2, ("ipca", 3): 0.2, ("ca1", 3): 0.3})
    key = ModelKey("ca1", 3)
    assert counterpart(metrics, key, "ipca") == ModelKey("ipca", 3)
    assert counterpart(metrics, key, "pca") == ModelKey("pca", 1)
    assert counterpart(metrics, ModelKey("ca1", 4), "ipca") is None
    assert counterpart(metrics, key, "ca3") is None


def test_sharpe_ratios_after_costs_are_said_where_known(settings):
    before = record("ca1", 0.3, long_short_sharpe=1.2, long_short_sharpe_se=0.2)
    assert "1.20 ± 0.20 a year, before trading costs" in words(verdict(inputs([before]), settings))
    after = before | {"long_short_net_sharpe": 0.75}
    assert "1.20 ± 0.20 a year, 0.75 after" in words(verdict(inputs([after]), settings))
