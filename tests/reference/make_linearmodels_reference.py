"""Make linearmodels_reference.json: what the package `linearmodels` 7.1 finds on seeded panels.

Run in a virtual environment of its own:

    python3 -m venv /tmp/peer && /tmp/peer/bin/pip install linearmodels==7.1
    /tmp/peer/bin/python tests/reference/make_linearmodels_reference.py

The test rebuilds the panels with `simulated_rows` of this file and checks their sums first, so a
change of NumPy's generator cannot pass for a change of the estimator.
"""

import json
from pathlib import Path

import numpy as np

REFERENCE = Path(__file__).with_name("linearmodels_reference.json")
N_DATES, N_ASSETS, N_CHARACTERISTICS, N_FACTORS = 60, 14, 3, 2
CASES = (
    {"name": "balanced", "seed": 31, "absent": 0.0},
    {"name": "unbalanced", "seed": 32, "absent": 0.25},
)
LAGS = (0, 3, 5)
HALF_LIFE = 20


def simulated_rows(seed, absent):
    """Return present (T, N); Z (n, P) in float32, R (n,), value (n,) of those; F (T, G)."""
    rng = np.random.default_rng(seed)
    shape = (N_DATES, N_ASSETS, N_CHARACTERISTICS)
    Z = rng.uniform(-1, 1, shape).astype(np.float32)
    factors = rng.normal(0.01, 0.05, (N_DATES, N_FACTORS))
    premia = rng.normal(0.005, 0.02, (N_DATES, N_CHARACTERISTICS))
    premia[1:] += 0.6 * premia[:-1]  # serial dependence, so that lags matter
    R = factors @ rng.normal(1, 0.5, (N_FACTORS, N_ASSETS))
    R += np.einsum("tnp,tp->tn", Z, premia) + rng.normal(0.002, 0.03, shape[:2])
    value = np.exp(rng.normal(8, 1, shape[:2]))
    present = rng.random(shape[:2]) >= absent
    return present, Z[present], R[present], value[present], factors


def fama_macbeth(present, Z, R, value, weighted):
    import pandas as pd
    from linearmodels.panel import FamaMacBeth

    date, asset = np.nonzero(present)
    days = pd.Timestamp("2001-01-31") + pd.to_timedelta(date, unit="D")
    index = pd.MultiIndex.from_arrays([asset, days])
    columns = ["constant", *(f"c{j + 1}" for j in range(N_CHARACTERISTICS))]
    X = pd.DataFrame(np.column_stack([np.ones(len(R)), Z.astype(float)]), index, columns)
    weights = pd.DataFrame({"value": value}, index) if weighted else None
    model = FamaMacBeth(pd.DataFrame({"R": R}, index), X, weights=weights)
    fits = {
        lag: model.fit(cov_type="kernel", kernel="bartlett", bandwidth=lag, debiased=False)
        for lag in LAGS
    }
    return {
        "coefficients": fits[0].all_params.to_numpy().tolist(),
        "premia": fits[0].params.tolist(),
        "standard_errors": {lag: fit.std_errors.tolist() for lag, fit in fits.items()},
        "t_statistics": {lag: fit.tstats.tolist() for lag, fit in fits.items()},
    }


def time_series(present, R, factors, half_life):
    """Regress each asset on the factors; a date without a return is a row of zeros.

    Such a row adds nothing to any sum and keeps lags distances in time. The lag is
    floor(4 (T / 100)^(2/9)) of the returns there are.
    """
    from linearmodels.iv import IV2SLS

    dense = np.zeros(present.shape)
    dense[present] = R
    found = []
    for n in range(present.shape[1]):
        seen = present[:, n]
        X = np.column_stack([np.ones(len(factors)), factors]) * seen[:, None]
        weights = 0.5 ** (np.arange(len(factors))[::-1] / half_life) if half_life else None
        lag = int(4 * (seen.sum() / 100) ** (2 / 9))
        fit = IV2SLS(dense[:, n], X, None, None, weights=weights).fit(
            cov_type="kernel", kernel="bartlett", bandwidth=lag
        )
        found.append({"parameters": fit.params.tolist(), "errors": fit.std_errors.tolist()})
    return found


def reference(case):
    present, Z, R, value, factors = simulated_rows(case["seed"], case["absent"])
    return case | {
        "sum_of_returns": float(R.sum()),
        "sum_of_characteristics": float(Z.astype(np.float64).sum()),
        "sum_of_values": float(value.sum()),
        "sum_of_factors": float(factors.sum()),
        "fama_macbeth": fama_macbeth(present, Z, R, value, weighted=False),
        "fama_macbeth_by_value": fama_macbeth(present, Z, R, value, weighted=True),
        "time_series": time_series(present, R, factors, None),
        "time_series_exponential": time_series(present, R, factors, HALF_LIFE),
    }


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(reference(case)) for case in CASES)
    REFERENCE.write_text(f"[\n{lines}\n]\n")
