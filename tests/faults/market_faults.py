"""Faults of daily prices that show in sessions, assets and events as wholes: the gate answers."""

import numpy as np
from tests.faults.planting import (
    Fault,
    a_session_late,
    absent,
    adjusted_already,
    copied_session,
    everywhere,
    in_another_currency,
    scaled,
    volume_adjusted,
)

SESSION_FAULTS = {
    "session_missing": Fault("no quote on a session", "warning", "session_complete", absent(1.0)),
    "half_a_session": Fault(
        "half of the assets on a session", "warning", "session_complete", absent(0.5)
    ),
    "newest_half": Fault(
        "half of the assets on the newest session", "warning", "newest_session_whole",
        lambda s: absent(0.5, slice(len(s.days) - 1 - s.middle, None))(s),
    ),
    "session_copied": Fault(
        "a session that is the one before once more", "warning", "session_moved", copied_session
    ),
    "volume_of_a_day": Fault(
        "no volume on a session", "warning", "session_volume_usual",
        everywhere(lambda t: t.assign(volume=t["volume"].mask(t["date"] == "2013-08-01", 0.0))),
    ),
    "currency": Fault(
        "all prices in another currency from a day on", "warning", "session_return_usual",
        everywhere(in_another_currency),
    ),
    "a_session_late": Fault(
        "one asset dated a session late", "warning", "asset_in_step", a_session_late
    ),
    "shares_in_thousands": Fault(
        "shares outstanding in thousands", "warning", "turnover_usual",
        everywhere(lambda t: t.assign(shares=t["shares"] / 1e3)),
    ),
    "shares_of_one": Fault(
        "those of one asset in thousands", "warning", "turnover_of_asset_usual",
        scaled(1e-3, "shares", days=slice(-10_000, None)),
    ),
    "volumes_not_delivered": Fault(
        "a tenth of the volumes missing", "warning", "quote_known",
        everywhere(lambda t: t.assign(volume=t["volume"].where(np.arange(len(t)) % 10 > 0))),
    ),
    "adjusted_already": Fault(
        "adjusted prices as raw ones, splits beside them", "blocking", "split_in_price",
        adjusted_already,
    ),
    "volume_adjusted": Fault(
        "adjusted volumes beside raw prices", "warning", "split_in_volume", volume_adjusted
    ),
    "all_dividends_times_ten": Fault(
        "all dividends ten times too large", "warning", "dividend_in_price",
        everywhere(lambda t: t.assign(dividend=t["dividend"] * 10)),
    ),
}  # fmt: skip
