"""Make ipca_reference.json: what the public package `ipca` 0.6.7 finds on small seeded panels.

Run in a virtual environment of its own, for the package pins what the project does not:

    python3 -m venv /tmp/peer && /tmp/peer/bin/pip install ipca==0.6.7 pandas
    /tmp/peer/bin/python tests/reference/make_ipca_reference.py

The test rebuilds the panels with `simulated_rows` of this file and checks their sums first, so a
change of NumPy's generator cannot pass for a change of the estimator.

The package puts given factors after the latent ones, an intercept last, and counts given factors,
not the intercept, among its `n_factors`. Its estimation on portfolios is used: the one on rows
repeats the constant where there are an intercept and given factors.
"""

import json
from pathlib import Path

import numpy as np

REFERENCE = Path(__file__).with_name("ipca_reference.json")
N_DATES, N_ASSETS, N_CHARACTERISTICS = 24, 15, 4
DIGITS = 12  # decimals kept


def _case(name, seed, n_latent, absent, *, n_given=0, intercept=False):
    return {
        "name": name,
        "seed": seed,
        "n_latent": n_latent,
        "absent": absent,
        "n_given": n_given,
        "intercept": intercept,
    }


CASES = (
    _case("balanced_1", 11, 1, 0.0),
    _case("balanced_2", 12, 2, 0.0),
    _case("balanced_3", 13, 3, 0.0),
    _case("unbalanced_1", 21, 1, 0.3),
    _case("unbalanced_2", 22, 2, 0.3),
    _case("unbalanced_3", 23, 3, 0.3),
    _case("balanced_2_given_1", 12, 2, 0.0, n_given=1),
    _case("balanced_1_given_2", 13, 1, 0.0, n_given=2),
    _case("unbalanced_2_given_1", 22, 2, 0.3, n_given=1),
    _case("balanced_2_intercept", 12, 2, 0.0, intercept=True),
    _case("unbalanced_1_intercept", 21, 1, 0.3, intercept=True),
    _case("unbalanced_2_intercept", 22, 2, 0.3, intercept=True),
)


def simulated_rows(seed, absent):
    """Return present (T, N) and, for the n pairs that are, Z (n, P) in float32 and R (n,)."""
    rng = np.random.default_rng(seed)
    shape = (N_DATES, N_ASSETS, N_CHARACTERISTICS)
    Z = rng.uniform(-1, 1, shape).astype(np.float32)
    gamma = rng.normal(size=(N_CHARACTERISTICS + 1, 3))
    factors = rng.normal(0.02, [0.08, 0.05, 0.03], (N_DATES, 3))
    betas = np.concatenate([Z, np.ones((*shape[:2], 1))], axis=2) @ gamma
    R = np.einsum("tnk,tk->tn", betas, factors) + rng.normal(0, 0.02, shape[:2])
    present = rng.random(shape[:2]) >= absent
    return present, Z[present], R[present]


def given_factors(seed, n_given):
    """Return (T, M) factors that are given: near the market, and unlike anything."""
    present, _, R = simulated_rows(seed, 0.0)
    rng = np.random.default_rng(1000 + seed)
    market = R.reshape(present.shape).mean(axis=1) + rng.normal(0, 0.01, N_DATES)
    return np.column_stack([market, rng.normal(0.01, 0.05, N_DATES)])[:, :n_given]


def reference(case):
    """Fit one case with the package, far past its usual tolerance."""
    from ipca import InstrumentedPCA

    present, Z, R = simulated_rows(case["seed"], case["absent"])
    date, asset = np.nonzero(present)
    X = np.column_stack([Z.astype(np.float64), np.ones(len(Z))])
    n_latent, n_given = case["n_latent"], case["n_given"]
    model = InstrumentedPCA(
        n_factors=n_latent + n_given, intercept=case["intercept"], iter_tol=1e-13, max_iter=50_000
    )
    given = given_factors(case["seed"], n_given).T if n_given else None
    indices = np.column_stack([asset, date])
    model.fit(X, R, indices=indices, PSF=given, data_type="portfolio", quiet=True)
    gamma, factors = model.get_factors()
    # Ours has the given ones, or the constant, first.
    ours = np.roll(np.arange(gamma.shape[1]), gamma.shape[1] - n_latent)
    gamma, factors = gamma[:, ours], factors[ours]
    return case | {
        "sum_of_returns": float(R.sum()),
        "sum_of_characteristics": float(X.sum()),
        "gamma": gamma.round(DIGITS).tolist(),
        "factors": factors.T.round(DIGITS).tolist(),
        "fitted": ((X @ gamma) * factors.T[date]).sum(axis=1).round(DIGITS).tolist(),
    }


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(reference(case)) for case in CASES)
    REFERENCE.write_text(f"[\n{lines}\n]\n")
