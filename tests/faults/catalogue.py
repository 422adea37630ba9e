"""Every fault that is planted: what is wrong, how it is planted, and what must come of it."""

from tests.faults.market_faults import SESSION_FAULTS
from tests.faults.panel_faults import BUILT_FAULTS, PANEL_FAULTS
from tests.faults.price_faults import INGEST_FAULTS

PRICE_FAULTS = INGEST_FAULTS | SESSION_FAULTS
__all__ = ["BUILT_FAULTS", "PANEL_FAULTS", "PRICE_FAULTS"]
