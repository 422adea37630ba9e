from dataclasses import fields

import numpy as np

from latentbeta.simulation.draws import asset_generator, autoregressive, day_draws

DAY = np.datetime64("2011-05-03", "us")


def test_a_day_has_its_own_numbers() -> None:
    one, same = day_draws(3, DAY, 50), day_draws(3, DAY, 50)
    for other in (day_draws(3, DAY + np.timedelta64(1, "D"), 50), day_draws(4, DAY, 50)):
        for field in fields(one):
            value = np.asarray(getattr(one, field.name))
            assert value.tobytes() == np.asarray(getattr(same, field.name)).tobytes()
            assert not np.isin(value, getattr(other, field.name)).any()


def test_idiosyncratic_draws_have_unit_variance_and_fat_tails() -> None:
    draws = np.concatenate(
        [day_draws(1, DAY + np.timedelta64(d, "D"), 1000).idiosyncratic for d in range(200)]
    )
    assert abs(draws.std() - 1) < 0.02
    # Beyond four standard deviations: 6e-5 for a normal, 3e-3 for t with 5 degrees of freedom
    assert 0.002 < (np.abs(draws) > 4).mean() < 0.004


def test_an_asset_is_like_no_other() -> None:
    first = [asset_generator(1, slot, gen).random() for slot in (0, 1) for gen in (0, 1)]
    assert len(set(first)) == 4
    assert first[1] == asset_generator(1, 0, 1).random()


def test_an_autoregressive_state_is_stationary() -> None:
    random = np.random.default_rng(8)
    state = 0.3 * random.standard_normal(20_000)
    start = state
    for _ in range(10):
        state = autoregressive(state, random.standard_normal(20_000), 0.9, 0.3)
    assert abs(state.std() - 0.3) < 0.006
    assert abs(np.corrcoef(start, state)[0, 1] - 0.9**10) < 0.02
