from tests.report.bare import bare_inputs
from tests.synthetic_results import monthly_settings

from latentbeta.evaluation.ladder import ModelKey
from latentbeta.report.shown import compared_keys, leading_keys, production_key

METRICS = [
    {"model": model, "n_factors": count, "total_r2": total, "long_short_sharpe": sharpe}
    for model, count, total, sharpe in (
        ("observed_factors", 1, 0.2, 0.1),
        ("pca", 1, 0.3, 0.9),
        ("ipca", 2, 0.4, 0.8),
        ("ipca", 3, 0.5, 0.7),
        ("ca1", 2, 0.6, 0.6),
        ("ca2", 2, 0.55, None),
    )
]


def test_the_published_model_is_shown():
    inputs = bare_inputs(metrics=METRICS)
    assert production_key(inputs, monthly_settings(model="ipca")) == ModelKey("ipca", 2)


def test_a_model_that_was_not_trained_gives_way_to_the_best():
    inputs = bare_inputs(metrics=METRICS)
    assert production_key(inputs, monthly_settings(model="ca3")) == ModelKey("ca1", 2)
    assert production_key(bare_inputs(), monthly_settings()) is None


def test_models_are_compared_at_the_number_of_factors_shown_or_at_their_largest():
    inputs = bare_inputs(metrics=METRICS)
    assert compared_keys(inputs, monthly_settings(n_factors=2)) == [
        ModelKey("observed_factors", 1),
        ModelKey("pca", 1),
        ModelKey("ipca", 2),
        ModelKey("ca1", 2),
        ModelKey("ca2", 2),
    ]


def test_the_best_of_each_class_and_the_published_model():
    inputs = bare_inputs(metrics=METRICS)
    found = leading_keys(inputs, monthly_settings(model="ca2"), "long_short_sharpe")
    assert found == [
        ModelKey("observed_factors", 1),
        ModelKey("pca", 1),
        ModelKey("ca1", 2),
        ModelKey("ca2", 2),
    ]
