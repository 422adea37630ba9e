from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latentbeta.config import Settings, read_settings
from latentbeta.data.calendar import sessions

PROJECT = Path(__file__).parents[2]
N_ASSETS = 30
PERIOD = 5  # sessions
DAY = pd.Timestamp("2018-03-01")
RATE = 0.0001  # risk-free, a session
CHARACTERISTICS = ("mom1m", "retvol")


@pytest.fixture(scope="session")
def gate_settings() -> Settings:
    settings = read_settings(PROJECT / "params.yaml")
    data = settings.data.model_copy(update={"calendar": "XNYS", "as_of": None})
    return settings.model_copy(update={"data": data})


@pytest.fixture(scope="session")
def _clean_prices() -> pd.DataFrame:
    random = np.random.default_rng(1)
    days = sessions("XNYS", np.datetime64("2018-01-02"), np.datetime64("2018-06-29"))
    shape = (len(days), N_ASSETS)
    close = 50 * np.exp(np.cumsum(random.normal(0, 0.02, shape), axis=0))
    total_return = np.full(shape, np.nan)
    total_return[1:] = close[1:] / close[:-1] - 1
    width = 1 + random.uniform(0.001, 0.01, shape)
    return pd.DataFrame(
        {
            "date": np.repeat(days, N_ASSETS),
            "asset": pd.array([f"A{n:02d}" for n in range(N_ASSETS)] * len(days), dtype="str"),
            "open": (close * np.sqrt(width)).ravel(),
            "high": (close * width).ravel(),
            "low": (close / width).ravel(),
            "close": close.ravel(),
            "volume": random.integers(1_000, 9_000, shape).astype(float).ravel(),
            "dividend": 0.0,
            "split": 1.0,
            "shares": 1e6,
            "total_return": total_return.ravel(),
        }
    )


@pytest.fixture(scope="session")
def _clean_panel(_clean_prices: pd.DataFrame) -> pd.DataFrame:
    random = np.random.default_rng(2)
    days = _clean_prices["date"].unique()
    formations = days[::-PERIOD][::-1]  # the newest is formed at the last day of the prices
    dates = np.append(formations[1:], np.datetime64("2018-07-06", "us"))
    n_rows = len(dates) * N_ASSETS
    close = _clean_prices["close"].to_numpy().reshape(-1, N_ASSETS)[::-PERIOD][::-1]
    returns = np.full(n_rows, np.nan)
    returns[:-N_ASSETS] = (close[1:] / close[:-1]).ravel() - (1 + RATE) ** PERIOD
    table = pd.DataFrame(
        {
            "date": np.repeat(dates, N_ASSETS),
            "formation": np.repeat(formations, N_ASSETS),
            "asset": pd.array([f"A{n:02d}" for n in range(N_ASSETS)] * len(dates), dtype="str"),
            "return": returns,
            "market_equity": random.uniform(1e7, 1e9, n_rows),
            "sector": pd.array(["Energy"] * n_rows, dtype="str"),
        }
    )
    ranks = {name: random.uniform(-1, 1, n_rows).astype(np.float32) for name in CHARACTERISTICS}
    return table.assign(**ranks)


@pytest.fixture
def prices(_clean_prices: pd.DataFrame) -> pd.DataFrame:
    """Prices without a fault."""
    return _clean_prices.copy()


@pytest.fixture
def risk_free(_clean_prices: pd.DataFrame) -> pd.DataFrame:
    """The risk-free rate of each session."""
    return pd.DataFrame({"date": _clean_prices["date"].unique(), "risk_free": RATE})


@pytest.fixture
def flags() -> pd.DataFrame:
    """Ingest's marks; none withholds a value."""
    rows = {"rule": "large_return", "asset": "A03", "date": DAY, "value": 0.6, "detail": "x"}
    return pd.DataFrame([rows]).astype({"date": "datetime64[us]"})


@pytest.fixture
def panel(_clean_panel: pd.DataFrame) -> pd.DataFrame:
    """A panel of those prices without a fault."""
    return _clean_panel.copy()


@pytest.fixture
def raw(_clean_panel: pd.DataFrame) -> pd.DataFrame:
    """The panel's characteristics before ranking, without a fault."""
    return _clean_panel[["date", "asset", *CHARACTERISTICS]].astype(
        dict.fromkeys(CHARACTERISTICS, np.float64)
    )
