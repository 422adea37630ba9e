"""The stacked networks: M members side by side, in built-in Keras layers on any backend.

The members share their inputs, so the first layer of all of them is one wide matrix product.
Every weight's first axis is the member (batch normalisation's are flat, M blocks of H).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = list[NDArray[np.float32]]

# Moving statistics must settle within one epoch of a few dozen batches, or the validation loss
# of the first epochs, on which the choice of epoch hangs, would measure the initial statistics.
MOMENTUM = 0.9


@dataclass(frozen=True)
class Architecture:
    """Shape of one ensemble.

    Attributes
    ----------
    n_inputs : P, characteristics fed to the beta network (the constant included for CA0)
    hidden : units of each hidden layer; () is CA0
    n_factors : K
    n_portfolios : L, inputs of the factor network
    n_members : M
    """

    n_inputs: int
    hidden: tuple[int, ...]
    n_factors: int
    n_portfolios: int
    n_members: int


def beta_network(architecture: Architecture) -> Any:
    """Return the Keras model Z (rows, P) → betas (rows, M, K).

    Each hidden layer is dense, rectified, then batch-normalised; the output is linear. Without
    hidden layers there is no bias: CA0's constant is one of its characteristics.
    """
    from keras import Input, Model, layers

    m = architecture.n_members
    inputs = Input((architecture.n_inputs,), name="characteristics")
    outputs, axes = inputs, "bp,mph->bmh"
    # Every layer is named: Keras's own names count up, and would change a saved model's bytes.
    for depth, units in enumerate(architecture.hidden, 1):
        dense = layers.EinsumDense(axes, (m, units), bias_axes="mh", name=f"dense_{depth}")
        outputs = layers.ReLU(name=f"relu_{depth}")(dense(outputs))
        outputs = layers.Reshape((m * units,), name=f"flat_{depth}")(outputs)
        norm = layers.BatchNormalization(momentum=MOMENTUM, name=f"norm_{depth}")
        outputs = layers.Reshape((m, units), name=f"members_{depth}")(norm(outputs))
        axes = "bmp,mph->bmh"
    bias = "mh" if architecture.hidden else None
    shape = (m, architecture.n_factors)
    output = layers.EinsumDense(axes, shape, bias_axes=bias, name="output")(outputs)
    return Model(inputs, output, name="betas")


def factor_network(architecture: Architecture) -> Any:
    """Return the Keras model x (dates, L) → factors (dates, M, K): one linear layer, no bias.

    Without a bias a factor is a portfolio: it earns nothing on a date when nothing moves.
    """
    from keras import Input, Model, layers

    inputs = Input((architecture.n_portfolios,), name="portfolios")
    shape = (architecture.n_members, architecture.n_factors)
    output = layers.EinsumDense("tl,mlk->tmk", shape, name="output")(inputs)
    return Model(inputs, output, name="factors")


def initial_weights(architecture: Architecture, seeds: list[int]) -> tuple[Weights, Weights]:
    """Draw both networks' weights, one seed a member, so that a member alone starts the same.

    Kernels are Glorot uniform, biases zero, batch normalisation the identity.
    """
    members = [_member_weights(architecture, np.random.default_rng(seed)) for seed in seeds]
    beta = [np.stack(parts) for parts in zip(*(m[0] for m in members), strict=True)]
    factor = [np.stack(parts) for parts in zip(*(m[1] for m in members), strict=True)]
    return flatten_normalisation(beta), factor


def take_members(beta: Weights, members: list[int], n_members: int) -> Weights:
    """Return the beta network's weights of some members."""
    return flatten_normalisation([w[members] for w in by_member(beta, n_members)])


def by_member(weights: Weights, n_members: int) -> Weights:
    """Give every weight, batch normalisation's too, the member as its first axis."""
    return [w.reshape(n_members, -1) if w.ndim == 1 else w for w in weights]


def flatten_normalisation(weights: Weights) -> Weights:
    """Lay out member-first weights as the Keras layers hold them.

    Batch normalisation's four vectors follow each hidden kernel (M, P, H) and bias (M, H).
    """
    laid_out, since_kernel = [], 0
    for weight in weights:
        since_kernel = 0 if weight.ndim == 3 else since_kernel + 1
        laid_out.append(weight.ravel() if since_kernel > 1 else weight)
    return laid_out


def _member_weights(
    architecture: Architecture, random: np.random.Generator
) -> tuple[Weights, Weights]:
    sizes = (architecture.n_inputs, *architecture.hidden)
    beta: Weights = []
    for n_in, units in itertools.pairwise(sizes):
        zeros, ones = np.zeros(units, np.float32), np.ones(units, np.float32)
        beta += [_glorot(n_in, units, random), zeros, ones, zeros, zeros, ones]
    beta.append(_glorot(sizes[-1], architecture.n_factors, random))
    if architecture.hidden:
        beta.append(np.zeros(architecture.n_factors, np.float32))
    return beta, [_glorot(architecture.n_portfolios, architecture.n_factors, random)]


def _glorot(n_in: int, n_out: int, random: np.random.Generator) -> NDArray[np.float32]:
    limit = np.sqrt(6 / (n_in + n_out))
    return random.uniform(-limit, limit, (n_in, n_out)).astype(np.float32)
