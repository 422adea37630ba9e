"""Make ipca_reference.json: what the public package `ipca` 0.6.7 finds on small seeded panels.

Run in a virtual environment of its own, for the package pins what the project does not:

    python3 -m venv /tmp/peer && /tmp/peer/bin/pip install ipca==0.6.7 pandas
    /tmp/peer/bin/python tests/reference/make_ipca_reference.py

The test rebuilds the panels with `simulated_rows` of this file and checks their sums first, so a
change of NumPy's generator cannot pass for a change of the estimator.
"""

import json
from pathlib import Path

import numpy as np

REFERENCE = Path(__file__).with_name("ipca_reference.json")
N_DATES, N_ASSETS, N_CHARACTERISTICS = 24, 15, 4
CASES = (
    {"name": "balanced_1", "seed": 11, "n_factors": 1, "absent": 0.0},
    {"name": "balanced_2", "seed": 12, "n_factors": 2, "absent": 0.0},
    {"name": "balanced_3", "seed": 13, "n_factors": 3, "absent": 0.0},
    {"name": "unbalanced_1", "seed": 21, "n_factors": 1, "absent": 0.3},
    {"name": "unbalanced_2", "seed": 22, "n_factors": 2, "absent": 0.3},
    {"name": "unbalanced_3", "seed": 23, "n_factors": 3, "absent": 0.3},
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


def reference(case):
    """Fit one case with the package, far past its usual tolerance."""
    from ipca import InstrumentedPCA

    present, Z, R = simulated_rows(case["seed"], case["absent"])
    date, asset = np.nonzero(present)
    X = np.column_stack([Z.astype(np.float64), np.ones(len(Z))])
    model = InstrumentedPCA(n_factors=case["n_factors"], iter_tol=1e-12, max_iter=20_000)
    model.fit(X, R, indices=np.column_stack([asset, date]), quiet=True)
    gamma, factors = model.get_factors()
    return case | {
        "sum_of_returns": float(R.sum()),
        "sum_of_characteristics": float(X.sum()),
        "gamma": gamma.tolist(),
        "factors": factors.T.tolist(),
        "fitted": ((X @ gamma) * factors.T[date]).sum(axis=1).tolist(),
    }


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(reference(case)) for case in CASES)
    REFERENCE.write_text(f"[\n{lines}\n]\n")
