from latentbeta.evaluation.ladder import ModelKey, pairs, rung


def test_order_of_the_ladder_with_strangers_last():
    keys = [ModelKey("zebra", 1), ModelKey("ca1", 5), ModelKey("ca1", 3), ModelKey("pca", 3)]
    assert sorted(keys, key=rung) == [keys[3], keys[2], keys[1], keys[0]]


def test_pairs_meet_at_the_same_number_of_factors():
    keys = [ModelKey(model, k) for model in ("pca", "ca1") for k in (1, 2)]
    assert pairs(keys) == [
        (ModelKey("ca1", 1), ModelKey("pca", 1)),
        (ModelKey("ca1", 2), ModelKey("pca", 2)),
    ]


def test_a_model_with_one_number_of_factors_meets_the_others_at_each_of_theirs():
    keys = [ModelKey("observed_factors", 1), ModelKey("ca1", 3), ModelKey("ca1", 5)]
    assert pairs(keys) == [
        (ModelKey("ca1", 3), ModelKey("observed_factors", 1)),
        (ModelKey("ca1", 5), ModelKey("observed_factors", 1)),
    ]


def test_it_does_so_even_where_another_has_its_number():
    keys = [ModelKey("observed_factors", 1), ModelKey("ca1", 1), ModelKey("ca1", 2)]
    assert pairs(keys) == [
        (ModelKey("ca1", 1), ModelKey("observed_factors", 1)),
        (ModelKey("ca1", 2), ModelKey("observed_factors", 1)),
    ]


def test_a_model_is_not_compared_across_its_own_numbers():
    assert pairs([ModelKey("ca1", 3), ModelKey("ca1", 5)]) == []
