import numpy as np
import pytest

from latentbeta.data.market import DailyMarket
from latentbeta.simulation.betas import CHARACTERISTICS, ranks_at_end, true_betas


@pytest.mark.parametrize(
    ("ranks", "betas"),
    [
        # turnover, momentum, size, volatility
        ((0.0, 0.0, 0.0, 0.0), (0.1, 0.0, -0.4)),
        ((1.0, 0.5, -1.0, 0.5), (2.1, 1.2, 0.9)),
        ((-1.0, 1.0, 1.0, -1.0), (1.3, 0.0, -0.4)),
        ((0.5, -0.5, 0.0, 0.4), (1.1, -0.6, -0.4)),
        ((-0.5, -1.0, -0.5, 0.41), (0.7, -1.8, 0.9)),
    ],
)
def test_betas_by_hand(ranks: tuple[float, ...], betas: tuple[float, ...]) -> None:
    np.testing.assert_allclose(true_betas(np.array(ranks)[:, None])[0], betas, atol=1e-12)


def test_each_beta_has_a_linear_part_and_one_that_is_not() -> None:
    ranks = np.random.default_rng(1).uniform(-1, 1, (4, 20_000))
    X = np.column_stack([np.ones(20_000), ranks.T])
    for beta in true_betas(ranks).T:
        fitted = X @ np.linalg.lstsq(X, beta, rcond=None)[0]
        explained = 1 - ((beta - fitted) ** 2).sum() / ((beta - beta.mean()) ** 2).sum()
        assert 0.15 < explained < 0.85


def market_of(close: np.ndarray, volume: np.ndarray) -> DailyMarket:
    days, assets = close.shape
    first = np.full((1, assets), np.nan)
    return DailyMarket(
        days=np.datetime64("2010-01-01", "us") + np.arange(days) * np.timedelta64(1, "D"),
        assets=np.arange(assets).astype(str),
        sector=np.zeros(assets, np.int64),
        total_return=np.vstack([first, close[1:] / close[:-1] - 1]),
        close=close,
        high=close,
        low=close,
        volume=volume,
        shares=np.full(close.shape, 1e6),
        risk_free=np.zeros(days),
    )


def test_ranks_are_the_pipeline_s_and_unknown_ones_are_the_median() -> None:
    random = np.random.default_rng(2)
    close = 50 * np.exp(np.cumsum(random.normal(0, 0.02, (300, 5)), axis=0))
    volume = np.tile([1e3, 5e3, 3e3, 2e3, 4e3], (300, 1))
    close[:295, 4] = volume[:295, 4] = np.nan  # listed a week ago: size is known, nothing else
    ranks = ranks_at_end(market_of(close, volume))
    assert ranks.shape == (len(CHARACTERISTICS), 5)
    np.testing.assert_allclose(ranks[0], [-0.6, 0.6, 0.2, -0.2, 0])  # turn: 2 rank / 5 - 1
    np.testing.assert_allclose(ranks[2], 2 * (close[-1].argsort().argsort() + 1) / 6 - 1)
    assert ranks[1, 4] == ranks[3, 4] == 0
    momentum = close[-22] / close[-253] - 1  # eleven months, without the latest
    order = momentum[:4].argsort().argsort() + 1
    np.testing.assert_allclose(ranks[1, :4], 2 * order / 5 - 1)
