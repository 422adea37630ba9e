"""Change the future: every number for the past stays the same byte."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.simulated_panels import simulate, with_returns

from latentbeta.config import NetworkSettings, WalkForwardSettings, read_settings
from latentbeta.models.ladder import LADDER, ladder
from latentbeta.walk_forward.fold_store import FoldStore
from latentbeta.walk_forward.folds import make_folds
from latentbeta.walk_forward.jobs import fit_or_find
from latentbeta.walk_forward.loop import run_model

N_DATES = 40
SAMPLES = WalkForwardSettings(scheme="rolling", train=14, validation=8, embargo=1, refit_every=6)
# Every rung of the ladder as it is shipped, but small; a new rung is in without a word here.
SHIPPED = read_settings(Path(__file__).parents[2] / "params.yaml").models
SMALL = SHIPPED.model_copy(
    update={
        "names": LADDER,
        "n_factors": (3,),
        "n_seeds": 2,
        "networks": NetworkSettings(
            learning_rates=(0.01,), l1_penalties=(0.001, 0.1), batch_size=64, epochs=3, patience=1
        ),
    }
)
# What else a setting can make of a rung.
VARIANTS = {
    "observed_factors rolling": ("observed_factors", {"window": "rolling", "length": 12}),
    "observed_factors exponential": ("observed_factors", {"window": "exponential", "length": 12}),
    "observed_betas value-weighted": ("observed_betas", {"regression": "value-weighted"}),
    "observed_betas robust": ("observed_betas", {"regression": "robust"}),
    "pca expectation-maximisation": (
        "principal_components",
        {"gaps": "expectation-maximisation"},
    ),
    "ipca intercept market": ("ipca", {"intercept": True, "observed": ("market",)}),
    "cae_lecture ahead": ("lecture", {"target": "ahead"}),
}


def variant(name):
    group, changes = VARIANTS[name]
    changed = getattr(SHIPPED, group).model_copy(update=changes)
    rung = {"names": (name.split()[0],), group: changed}
    (model,) = ladder(SMALL.model_copy(update=rung), seed=120)
    return model


MODELS = {model.name: model for model in ladder(SMALL, seed=120)}
MODELS |= {name: variant(name) for name in VARIANTS}
DEEPER = ("ca2", "ca3")  # what ca1 is, a layer or two more: their compilation takes long
# The names that observed factors and exposures go by.
NAMES = ("mvel1", "mom12m", "retvol", "beta")
# What a column at date t may have seen: returns through t - 1, or those of t as well.
KNOWN_BEFORE = {"predictions": ["forecast"], "betas": ["factor_"], "factors": ["premium_"]}
KNOWN_AT = {"predictions": ["fitted", "realised"], "betas": [], "factors": ["factor_", "tangency"]}
CUT = 31  # inside the second test; fits end at 22, 28 and 34


@pytest.fixture(scope="module")
def panel():
    market = simulate(
        n_dates=N_DATES,
        n_assets=18,
        n_characteristics=4,
        seed=121,
        noise=0.03,
        absent=0.1,
        missing=0.05,
    )
    return replace(market.panel, characteristic_names=NAMES)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=[pytest.mark.slow] if name in DEEPER else []) for name in MODELS
    ],
)
def model(request):
    return MODELS[request.param]


@pytest.fixture(scope="module")
def run_on(model, tmp_path_factory):
    """Run the model over a panel's folds with a store of its own: nothing is found, all fitted."""

    def run(panel):
        store = FoldStore(tmp_path_factory.mktemp("store"))
        folds = make_folds(panel.n_dates, SAMPLES)
        return run_model(model, panel, folds, store), store

    return run


@pytest.fixture(scope="module")
def baseline(run_on, panel):
    return run_on(panel)


def with_another_future(panel, date):
    """Returns from `date` on are half as large again, and reordered; so are the
    characteristics that were formed once the first of them was known."""
    rng = np.random.default_rng(122)
    first, next_first = panel.offsets[date], panel.offsets[date + 1]
    R, Z = panel.R.copy(), panel.Z.copy()
    R[first:] = 1.5 * rng.permutation(R[first:])
    Z[next_first:] = rng.permutation(Z[next_first:])
    return replace(panel, R=R, Z=Z)


def assert_same_before(one, other, table, starts, end):
    """The columns' bytes agree on dates before `end`."""
    pair = []
    for run in (one, other):
        frame = getattr(run, table)
        names = [name for name in frame if name.startswith(tuple(starts))]
        pair.append(frame.loc[frame["date"] < end, names].to_numpy().tobytes())
    assert pair[0] == pair[1], (table, starts)


def saved_folds(run, store):
    return [store.path(key).read_bytes() for key in run.keys]


def test_another_future_changes_nothing_of_the_past(panel, run_on, baseline):
    before, store = baseline
    after, other_store = run_on(with_another_future(panel, CUT))
    for table in KNOWN_BEFORE:
        # At CUT itself all that was known before the period began is as it was.
        assert_same_before(before, after, table, KNOWN_BEFORE[table], panel.dates[CUT + 1])
        assert_same_before(before, after, table, KNOWN_AT[table], panel.dates[CUT])
    importance = [r.importance.query("fold == 0") for r in (before, after)]  # its test ends at 28
    assert importance[0].equals(importance[1])
    # Folds whose fit ends by then: weights, curves and chosen epochs to the byte.
    one, other = saved_folds(before, store), saved_folds(after, other_store)
    assert one[:2] == other[:2]
    assert before.keys[:2] == after.keys[:2]
    assert before.keys[2] != after.keys[2]


def test_the_first_return_after_validation_moves_no_byte_of_the_fit(
    panel, baseline, model, tmp_path
):
    before, store = baseline
    fold, other_store = make_folds(panel.n_dates, SAMPLES)[1], FoldStore(tmp_path)
    changed = with_another_future(panel, fold.validation_end)
    key, _, fitted = fit_or_find(model, changed, fold, other_store)
    assert fitted
    assert key == before.keys[1]
    assert other_store.path(key).read_bytes() == store.path(key).read_bytes()


def test_the_panel_has_all_that_a_model_needs(model, panel):
    assert model.obstacle(panel.between(0, 22)) is None


def test_the_change_does_reach_the_future(panel, run_on, baseline):
    """Else the test above would pass for a model that reads nothing."""
    before, _ = baseline
    after, _ = run_on(with_another_future(panel, CUT))
    for name, column in (("predictions", "fitted"), ("predictions", "forecast")):
        later = [
            t[t["date"] > panel.dates[CUT]][column].to_numpy()
            for t in (getattr(before, name), getattr(after, name))
        ]
        assert not np.array_equal(*later)


def test_a_return_of_the_test_moves_only_later_forecasts(panel, run_on, baseline, model):
    """Not one beta of its fold, no forecast through its date; premia after it."""
    before, _ = baseline
    date = 30  # the second test is [29, 35), the third fit ends at 34
    one_row = int(panel.offsets[date])  # the first asset's: it is in every universe
    R = panel.R.copy()
    R[one_row] += 0.25
    after, _ = run_on(with_returns(panel, R))
    for table in KNOWN_BEFORE:
        assert_same_before(before, after, table, KNOWN_BEFORE[table], panel.dates[date + 1])
        assert_same_before(before, after, table, KNOWN_AT[table], panel.dates[date])
    assert_same_before(before, after, "betas", ["factor_"], panel.dates[35])
    moved = [
        t
        for t in range(29, 35)
        if not np.array_equal(
            *(
                r.predictions.loc[r.predictions["date"] == panel.dates[t], "forecast"]
                for r in (before, after)
            )
        )
    ]
    # The day-ahead model reads the day before and nothing older; a mean remembers.
    assert moved == ([31] if model.leads else [31, 32, 33, 34])


@pytest.mark.parametrize("n_dates", [30, 36, 39])
def test_numbers_do_not_depend_on_how_many_dates_follow(panel, run_on, baseline, n_dates):
    """What was published on a night is what a later night says of that date."""
    then, then_store = run_on(panel.between(0, n_dates))
    now, store = baseline
    end = panel.dates[n_dates - 1] + np.timedelta64(1, "D")
    for table in KNOWN_BEFORE:
        assert_same_before(now, then, table, KNOWN_BEFORE[table], end)
        assert_same_before(now, then, table, KNOWN_AT[table], end)
    earlier = saved_folds(then, then_store)
    assert saved_folds(now, store)[: len(earlier)] == earlier


def test_the_newest_dates_forecast_needs_no_return_of_its_own(panel, run_on, baseline):
    unknown = np.where(panel.date_index == N_DATES - 1, np.nan, panel.R)
    now, _ = run_on(with_returns(panel, unknown))
    later, _ = baseline
    for table, starts in KNOWN_BEFORE.items():
        end = panel.dates[-1] + np.timedelta64(1, "D")
        assert_same_before(later, now, table, starts, end)
    newest = now.predictions[now.predictions["date"] == panel.dates[-1]]
    assert newest["forecast"].notna().all()
