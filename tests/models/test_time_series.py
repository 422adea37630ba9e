import json
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from tests.reference.make_linearmodels_reference import HALF_LIFE, REFERENCE, simulated_rows

from latentbeta.models import time_series
from latentbeta.models.hac import automatic_lags
from latentbeta.models.time_series import time_series_regressions

NAN = np.nan
CASES = {case["name"]: case for case in json.loads(Path(REFERENCE).read_text())}


def returns_and_factors(n_factors: int, missing: float = 0.0):
    rng = np.random.default_rng(5)
    F = rng.normal(0.01, 0.05, (40, n_factors))
    R = 0.01 + F @ rng.normal(1, 0.5, (n_factors, 6)) + rng.normal(0, 0.03, (40, 6))
    R[rng.random(R.shape) < missing] = NAN
    return R, F


def all_numbers(found):
    """Coefficients (N, K + 1) and errors (N, K + 1), the constant first."""
    return (
        np.column_stack([found.alphas, found.betas]),
        np.column_stack([found.alphas_se, found.betas_se]),
    )


def test_coefficients_by_hand():
    # r = 0.5 + 2 f, then one point off the line: the slope falls to that of five points.
    f = np.tile([-1.0, 0.0, 1.0], 4)
    exact = 0.5 + 2 * f
    off = exact.copy()
    off[2] += 8.0  # moves Σ f r from 16 to 24, over Σ f² = 8, and the mean of r by 8 / 12
    found = time_series_regressions(np.column_stack([exact, off]), f[:, None])
    np.testing.assert_allclose(found.betas, [[2.0], [3.0]])
    np.testing.assert_allclose(found.alphas, [0.5, 0.5 + 8 / 12])


def test_errors_by_hand():
    # f = ±1 in turn, u = +, +, -, - in turn: slope and mean of u are zero, so u is the residual.
    # Scores of the constant are u, T = 12 gives lag 2 with weights 2/3 and 1/3. Neighbours:
    # +, -, + … from u_1 u_2 to u_11 u_12, six + and five -; two apart: ten -.
    f = np.tile([1.0, -1.0], 6)
    u = np.tile([1.0, 1.0, -1.0, -1.0], 3)
    found = time_series_regressions((0.2 + 0.5 * f + u)[:, None], f[:, None])
    sums = 12 + 2 * (2 / 3) * 1 + 2 * (1 / 3) * -10
    np.testing.assert_allclose(found.alphas_se, [np.sqrt(sums) / 12])
    # Scores of the slope are f u = +, -, -, +: neighbours six - and five +, two apart ten -.
    sums = 12 + 2 * (2 / 3) * -1 + 2 * (1 / 3) * -10
    np.testing.assert_allclose(found.betas_se, [[np.sqrt(sums) / 12]])


@pytest.mark.parametrize("n_factors", [1, 3])
def test_as_a_slow_loop_over_assets_says(n_factors):
    R, F = returns_and_factors(n_factors, missing=0.2)
    expected = []
    for n in range(R.shape[1]):
        seen = [t for t in range(len(R)) if np.isfinite(R[t, n])]
        f, r = F[seen] - F[seen].mean(axis=0), R[seen, n] - R[seen, n].mean()
        expected.append(np.linalg.lstsq(f, r, rcond=None)[0])
    np.testing.assert_allclose(time_series_regressions(R, F).betas, expected, rtol=1e-10)


@pytest.mark.parametrize("half_life", [None, 15])
@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("n_factors", [1, 3])
def test_as_statsmodels_says(n_factors, missing, half_life):
    """A date without a return is a row of zeros: it adds nothing and keeps lags in time."""
    R, F = returns_and_factors(n_factors, missing)
    weights = np.ones(40) if half_life is None else 0.5 ** (np.arange(40)[::-1] / half_life)
    coefficients, errors = all_numbers(time_series_regressions(R, F, weights))
    for n, r in enumerate(R.T):
        seen = np.isfinite(r)
        X = sm.add_constant(F) * seen[:, None]
        fit = sm.WLS(np.where(seen, r, 0.0), X, weights).fit(
            cov_type="HAC",
            cov_kwds={"maxlags": int(automatic_lags(seen.sum())), "use_correction": False},
        )
        np.testing.assert_allclose(coefficients[n], fit.params, rtol=1e-10)
        np.testing.assert_allclose(errors[n], fit.bse, rtol=1e-10)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("half_life", [None, HALF_LIFE])
def test_as_linearmodels_says(name, half_life):
    case = CASES[name]
    present, _, values, _, F = simulated_rows(case["seed"], case["absent"])
    assert values.sum() == pytest.approx(case["sum_of_returns"], rel=1e-14)
    assert F.sum() == pytest.approx(case["sum_of_factors"], rel=1e-14)
    R = np.full(present.shape, NAN)
    R[present] = values
    weights = None if half_life is None else 0.5 ** (np.arange(len(F))[::-1] / half_life)
    coefficients, errors = all_numbers(time_series_regressions(R, F, weights))
    expected = case["time_series" if half_life is None else "time_series_exponential"]
    np.testing.assert_allclose(coefficients, [e["parameters"] for e in expected], rtol=1e-10)
    np.testing.assert_allclose(errors, [e["errors"] for e in expected], rtol=1e-10)


def test_a_date_without_its_factor_is_left_out():
    R, F = returns_and_factors(2)
    gone = [3, 17]
    F[3, 0] = F[17, 1] = NAN
    without = R.copy()
    without[gone] = NAN
    found = time_series_regressions(R, F)
    expected = all_numbers(time_series_regressions(without, np.nan_to_num(F)))
    np.testing.assert_allclose(all_numbers(found), expected, rtol=1e-12)
    assert np.isfinite(all_numbers(found)).all()


def test_an_asset_with_eleven_returns_has_no_beta_and_with_twelve_has_one():
    R, F = returns_and_factors(1)
    R[11:, 0] = NAN
    R[12:, 1] = NAN
    numbers = all_numbers(time_series_regressions(R, F))
    for part in numbers:
        np.testing.assert_array_equal(np.isfinite(part).all(axis=1), [False] + [True] * 5)


def test_more_factors_need_more_returns():
    rng = np.random.default_rng(6)
    F, R = rng.normal(size=(13, 11)), rng.normal(size=(13, 2))
    R[12, 1] = NAN  # twelve returns determine a constant and eleven slopes, and test nothing
    known = np.isfinite(time_series_regressions(R, F).betas).all(axis=1)
    np.testing.assert_array_equal(known, [True, False])


def test_an_asset_over_whose_dates_two_factors_are_one_has_no_betas():
    R, F = returns_and_factors(2)
    F[:20, 1] = 3 * F[:20, 0]
    R[20:, 0] = NAN
    known = np.isfinite(time_series_regressions(R, F).betas).all(axis=1)
    np.testing.assert_array_equal(known, [False] + [True] * 5)


def test_an_assets_bytes_do_not_depend_on_the_other_assets(monkeypatch):
    R, F = returns_and_factors(3, missing=0.2)
    together = all_numbers(time_series_regressions(R, F))
    alone = all_numbers(time_series_regressions(R[:, [4]], F))
    monkeypatch.setattr(time_series, "CHUNK", 4)
    chunked = all_numbers(time_series_regressions(R, F))
    np.testing.assert_array_equal(chunked, together)
    np.testing.assert_array_equal(np.array(alone)[:, 0], np.array(together)[:, 4])
