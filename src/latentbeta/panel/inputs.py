"""Whether the source has what a characteristic is made of, judged before the panel begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from latentbeta.characteristics.accounts import known_of_quoted
from latentbeta.characteristics.row import Characteristic
from latentbeta.config import CharacteristicsSettings
from latentbeta.data.market import MATRICES, DailyMarket, Market, blocks


def without_inputs(
    market: Market,
    first_formation: int,
    settings: CharacteristicsSettings,
    rows: Mapping[str, Characteristic],
) -> dict[str, str]:
    """Return the characteristics whose inputs the source does not have, with the reason.

    An input counts as there when it is known on at least `minimum_coverage` of the asset-days
    with a quote up to the panel's first formation. Later days have no say: a decision on the
    whole sample would let the future choose the characteristics of the past.
    """
    fields = dict.fromkeys(field for name in settings.names for field in rows[name].inputs)
    shares = _shares_known(market.until(first_formation + 1), fields)
    left_out = {}
    for name in settings.names:
        for field in rows[name].inputs:
            if shares[field] < settings.minimum_coverage:
                left_out[name] = (
                    f"{field} is known on {shares[field]:.1%} of the asset-days before the panel"
                    f" begins, less than minimum_coverage = {settings.minimum_coverage:.1%}"
                )
    return left_out


def _shares_known(market: Market, fields: Iterable[str]) -> dict[str, float]:
    """Share of the asset-days with a quote on which each field is known."""
    known, quoted = dict.fromkeys(fields, 0), dict.fromkeys(fields, 0)
    for _, block in blocks(market):
        for field in known:
            of_block = _known_of_quoted(block, field)
            known[field] += of_block[0]
            quoted[field] += of_block[1]
    return {field: known[field] / max(quoted[field], 1) for field in known}


def _known_of_quoted(market: DailyMarket, field: str) -> tuple[int, int]:
    if field not in (*MATRICES, "sector"):  # of accounts: of the assets quoted on the last day
        return known_of_quoted(market, field, market.shape[0] - 1)
    quoted = np.isfinite(market.close)
    values = getattr(market, field)
    known = (values >= 0)[None, :] if field == "sector" else np.isfinite(values)
    return int((known & quoted).sum()), int(quoted.sum())
