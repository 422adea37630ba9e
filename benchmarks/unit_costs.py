"""What one piece of the paper's protocol costs at 94 characteristics: the input of `scaling`."""

from __future__ import annotations

from benchmarks.market import SEED, factor_panel
from benchmarks.timing import Measured, seconds
from latentbeta.config import NetworkSettings
from latentbeta.models.conditional_autoencoder import HIDDEN_LAYERS, ConditionalAutoencoder
from latentbeta.models.ipca import InstrumentedPCA
from latentbeta.models.protocol import FactorModel
from latentbeta.panel.panel import Panel

N_CHARACTERISTICS, N_FACTORS, N_MEMBERS = 94, 6, 10
N_ASSETS, N_TRAINING_DATES, N_VALIDATION_DATES = 6_000, 22, 8  # the paper's shares of the two
EPOCHS = 2
MILLION = 1e6

EPOCH_UNIT = "s a member, epoch and million training rows"
FIXED_UNIT = "s a fit beside its epochs"
IPCA_UNIT = "s a fit and million training rows"


def measure_unit_costs() -> list[Measured]:
    """Measure an epoch and the fixed cost of each network's fit, and IPCA, all at K=6."""
    panel = factor_panel(N_TRAINING_DATES + N_VALIDATION_DATES, N_ASSETS, N_CHARACTERISTICS)
    training = panel.between(0, N_TRAINING_DATES)
    validation = panel.between(N_TRAINING_DATES, N_TRAINING_DATES + N_VALIDATION_DATES)
    costs = [cost for name in HIDDEN_LAYERS for cost in _of_network(name, training, validation)]
    return [*costs, *_of_ipca(training, validation)]


def _of_network(name: str, training: Panel, validation: Panel) -> list[Measured]:
    """Split a fit's time into what grows with epochs and what does not."""
    _fit(_network(name, 1), training, validation)  # compiles
    one = _fit(_network(name, 1), training, validation)
    more = _fit(_network(name, 1 + EPOCHS), training, validation)
    epoch = (more - one) / EPOCHS
    unit = epoch / N_MEMBERS / (training.n_rows / MILLION)
    shape = f"{name} K={N_FACTORS}, {N_CHARACTERISTICS} characteristics, {N_MEMBERS} members"
    note = "a validation sample of a third of the training rows included"
    return [
        Measured(shape, EPOCH_UNIT, unit, None, None, note),
        Measured(shape, FIXED_UNIT, max(one - epoch, 0.0), None, None, "for a fit, once compiled"),
    ]


def _of_ipca(training: Panel, validation: Panel) -> list[Measured]:
    model = InstrumentedPCA(N_FACTORS, intercept=False, observed=())
    _fit(model, training, validation)
    unit = _fit(model, training, validation) / (training.n_rows / MILLION)
    shape = f"ipca K={N_FACTORS}, {N_CHARACTERISTICS} characteristics"
    return [Measured(shape, IPCA_UNIT, unit, None, None, "from rows to Γ and factors")]


def _network(name: str, epochs: int) -> ConditionalAutoencoder:
    settings = NetworkSettings(
        learning_rates=(0.001,),
        l1_penalties=(1e-4,),
        batch_size=10_000,
        epochs=epochs,
        patience=epochs,
    )
    return ConditionalAutoencoder(name, N_FACTORS, N_MEMBERS, settings, SEED)


def _fit(model: FactorModel, training: Panel, validation: Panel) -> float:
    return seconds(lambda: model.fit(training, validation))
