"""What the benchmark of the fan-out fits: loads, each of eight folds."""

from __future__ import annotations

from dataclasses import dataclass

N_FOLDS, N_CHARACTERISTICS, N_SEEDS = 8, 30, 10


@dataclass(frozen=True)
class Load:
    """A panel's width, and the penalties that are searched."""

    n_assets: int
    penalties: tuple[float, ...]

    @property
    def n_networks(self) -> int:
        """Networks of one fold, trained together."""
        return N_SEEDS * len(self.penalties)


LOADS = {
    "searched": Load(380, (1e-4, 1e-3)),  # as wide as the panel that `ensemble` trains on
    "usual": Load(1_000, (1e-4,)),
    "wide": Load(2_000, (1e-4,)),
}
