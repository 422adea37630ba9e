from latentbeta.report.model_sections import column_groups, left_out_rows, model_rows, truth_rows

RECORD = {"model": "ca1", "n_factors": 3, "total_r2": 0.3, "ic": 0.1, "mean_abs_alpha": 0.01}


def test_reasons_are_told_once():
    left_out = [
        {"model": "ca0", "n_factors": 1, "reason": "no characteristics"},
        {"model": "pca", "n_factors": 6, "reason": "five assets"},
        *({"model": "rp_pca", "n_factors": k, "reason": "five assets"} for k in (4, 2, 3, 6)),
    ]
    assert left_out_rows(left_out) == [
        ("PCA, K = 6", "five assets"),
        ("RP-PCA, K = 2 to 4 and 6", "five assets"),
        ("CA0, K = 1", "no characteristics"),
    ]


def test_columns_are_those_that_some_model_has():
    assert column_groups([RECORD]) == [("Assets, R² %", 1), ("Information coefficient", 1)]


def test_models_stand_in_the_order_of_the_ladder():
    records = [
        RECORD | {"model": m, "n_factors": k} for m, k in (("ca1", 3), ("pca", 2), ("pca", 1))
    ]
    rows = model_rows(records)
    assert [(row.name, row.n_factors, row.again) for row in rows] == [
        ("PCA", 1, False),
        ("PCA", 2, True),
        ("CA1", 3, False),
    ]


def test_correlations_of_the_wanted_models():
    models = [
        {"model": "ca1", "n_factors": k, "beta_correlation": [0.9], "factor_correlation": [0.8]}
        for k in (1, 2)
    ]
    (row,) = truth_rows({"models": models}, [("ca1", 2)])
    assert (row.n_factors, [cell.text for cell in row.cells]) == (2, ["0.90", "0.80"])
