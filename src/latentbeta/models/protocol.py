"""What every factor model does, so that one walk-forward loop and one table serve them all."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentbeta.panel.panel import Panel
from latentbeta.storage import written_atomically

Array = NDArray[np.floating[Any]]
State = dict[str, NDArray[np.generic]]

HISTORY_COLUMNS = ("member", "epoch", "training_loss", "validation_loss")
SELECTION_COLUMNS = ("member", "best_epoch", "validation_loss", "l1_penalty", "learning_rate")


def _empty(columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype="float64") for name in columns})


@dataclass(frozen=True)
class Fit:
    """What estimation leaves behind.

    Attributes
    ----------
    state : dict of arrays
        All that is needed to apply the model to any date; depends on nothing but the training
        and validation panels, the settings and the seed.
    history : DataFrame (member, epoch, training_loss, validation_loss)
        Loss curves; empty for models that are solved rather than trained.
    selection : DataFrame (member, best_epoch, validation_loss, l1_penalty, learning_rate)
        What the validation sample chose; empty likewise.
    """

    state: State
    history: pd.DataFrame = field(default_factory=lambda: _empty(HISTORY_COLUMNS))
    selection: pd.DataFrame = field(default_factory=lambda: _empty(SELECTION_COLUMNS))


class FactorModel(Protocol):
    """A factor model: return = beta · f, for M members of an ensemble (M = 1 for most).

    Factors and betas of different members are identified only up to a rotation each, so nothing
    here averages them; fitted values and forecasts are averaged by `walk_forward.estimates`.
    """

    @property
    def name(self) -> str:
        """Name of the model in every table."""

    @property
    def n_factors(self) -> int:
        """K."""

    @property
    def leads(self) -> bool:
        """Whether a date's factor returns use earlier returns alone, so that they forecast."""

    @property
    def n_identified(self) -> int:
        """How many factors, the first ones, are observed: they are published as they are.

        The others are identified up to a rotation and are turned onto a common basis.
        """

    @property
    def tradable(self) -> bool:
        """Whether a factor return is that of a portfolio held over the date, so that it is earned.

        Factors made of earlier returns, or by a non-linear function of the date's, are not.
        """

    @property
    def uses_characteristics(self) -> bool:
        """Whether betas are a function of the panel's characteristics."""

    def obstacle(self, panel: Panel) -> str | None:
        """Say why the model cannot exist on this panel (too few inputs for K), else None."""

    def fit(self, training: Panel, validation: Panel) -> Fit:
        """Estimate on the training panel; select on the validation panel."""

    def betas(self, state: State, panel: Panel) -> Array:
        """Return the (M, n, K) betas of the panel's rows; no return of the panel is read."""

    def factors(self, state: State, panel: Panel) -> Array:
        """Return the (M, T, K) factor returns of the panel's dates; NaN where none is known."""

    def export(self, state: State, rotations: Array, premia: Array, folder: Path) -> None:
        """Save what maps a row to its published betas (β G⁻ᵀ, averaged over members).

        Parameters
        ----------
        rotations : (M, K, K) each member's G
        premia : (M, K) each member's λ of the newest date, not rotated
        folder : gets ``beta_network.keras`` and ``forecast_network.keras``, or ``loadings.npz``,
            whose forecast is the published betas times the published premia
        """


def names_for_state(names: NDArray[np.str_]) -> NDArray[np.str_]:
    """Return the names at a width of their own: bytes must not tell of assets that came later."""
    return np.array(names.tolist())


def save_loadings(folder: Path, **arrays: NDArray[np.generic]) -> None:
    """Write ``loadings.npz``, the same bytes for the same arrays."""
    stream = BytesIO()
    np.savez(stream, **arrays)  # type: ignore[arg-type]  # its stub mixes up keywords
    with written_atomically(folder / "loadings.npz") as temporary:
        temporary.write_bytes(stream.getvalue())
