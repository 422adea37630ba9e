"""The stacked networks: M members side by side, in keras.ops and so on any backend of Keras.

Every weight's first axis is the member. Activations are (M, units, rows): a unit's values lie
side by side, which is how batch statistics and matrix products read them. The members share
their inputs, so the first layer of all of them is one wide matrix product.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = dict[str, NDArray[np.float32]]

# Moving statistics must settle within one epoch of a few dozen batches, or the validation loss
# of the first epochs, on which the choice of epoch hangs, would measure the initial statistics.
MOMENTUM = 0.9
EPSILON = 1e-3  # added to a variance: Keras's
STATISTICS = ("mean_", "variance_")  # weights that batches move, and no gradient


@dataclass(frozen=True)
class Architecture:
    """Shape of a conditional autoencoder.

    Attributes
    ----------
    n_inputs : P, characteristics fed to the beta network (the constant included for CA0)
    hidden : units of each hidden layer; () is CA0
    n_factors : K
    n_portfolios : L, inputs of the factor network
    """

    n_inputs: int
    hidden: tuple[int, ...]
    n_factors: int
    n_portfolios: int

    def first_weights(self, seed: int) -> Weights:
        """Draw one member's weights: Glorot uniform kernels, no bias, normalisation the identity.

        ``kernel_i`` (P, H), ``bias_i``, ``gain_i``, ``shift_i``, ``mean_i`` and ``variance_i`` (H,)
        of each hidden layer, ``output`` (H, K) and ``output_bias`` (K,), ``factors`` (L, K).
        """
        random = np.random.default_rng(seed)
        weights: Weights = {}
        for i, (n_in, units) in enumerate(itertools.pairwise((self.n_inputs, *self.hidden)), 1):
            zeros, ones = np.zeros(units, np.float32), np.ones(units, np.float32)
            weights[f"kernel_{i}"] = glorot(n_in, units, random)
            weights |= {f"bias_{i}": zeros, f"gain_{i}": ones, f"shift_{i}": zeros}
            weights |= {f"mean_{i}": zeros, f"variance_{i}": ones}
        last = (self.n_inputs, *self.hidden)[-1]
        weights["output"] = glorot(last, self.n_factors, random)
        if self.hidden:
            weights["output_bias"] = np.zeros(self.n_factors, np.float32)
        return weights | {"factors": glorot(self.n_portfolios, self.n_factors, random)}

    def squares(
        self, weights: Mapping[str, Any], batch: Mapping[str, Any], *, training: bool
    ) -> tuple[Any, Any, dict[str, Any]]:
        """Return the squared error of each row (M, rows), how many returns it has, statistics.

        Parameters
        ----------
        batch : Z (rows, P), R (rows,), X (rows, L) of each row's date
        """
        from keras import ops

        betas, statistics = stacked_betas(weights, batch["Z"], training=training)
        factors = dense(ops.transpose(batch["X"]), weights["factors"])
        errors = batch["R"] - ops.sum(betas * factors, axis=1)
        return ops.square(errors), ops.ones_like(batch["R"]), statistics


def stacked_weights(members: list[Weights]) -> Weights:
    """Lay members side by side: every weight gets the member as its first axis."""
    return {name: np.stack([member[name] for member in members]) for name in members[0]}


def take_members(weights: Weights, members: list[int]) -> Weights:
    """Return the weights of some members."""
    return {name: weight[members] for name, weight in weights.items()}


def stacked_betas(
    weights: Mapping[str, Any], Z: Any, *, training: bool
) -> tuple[Any, dict[str, Any]]:
    """Return the betas (M, K, n) of the rows Z (n, P), and the batch's statistics.

    Each hidden layer is dense, rectified, then batch-normalised; the output is linear. Without
    hidden layers there is no bias: CA0's constant is one of its characteristics. Normalisation
    is a scale and a shift of each unit, so it is taken into the next layer's kernel and bias
    instead of over the activations once more.
    """
    from keras import ops

    inputs, scale, shift = ops.transpose(Z), None, None
    statistics: dict[str, Any] = {}
    for i in itertools.count(1):
        if f"kernel_{i}" not in weights:
            break
        kernel, bias = _absorbed(weights[f"kernel_{i}"], weights[f"bias_{i}"], scale, shift)
        inputs = ops.relu(dense(inputs, kernel, bias))
        mean, variance = weights[f"mean_{i}"], weights[f"variance_{i}"]
        if training:
            mean, variance = _moments(inputs)
            statistics |= {f"mean_{i}": mean, f"variance_{i}": variance}
        scale = weights[f"gain_{i}"] * ops.rsqrt(variance + EPSILON)
        shift = weights[f"shift_{i}"] - mean * scale
    kernel, bias = _absorbed(weights["output"], weights.get("output_bias"), scale, shift)
    return dense(inputs, kernel, bias), statistics


def dense(inputs: Any, kernel: Any, bias: Any = None) -> Any:
    """Apply each member's kernel (M, P, H) to its inputs (M, P, n), or to shared ones (P, n)."""
    from keras import ops

    n_members, n_in, units = kernel.shape
    turned = ops.transpose(kernel, (0, 2, 1))
    if len(inputs.shape) == 2:
        wide = ops.matmul(ops.reshape(turned, (n_members * units, n_in)), inputs)
        outputs = ops.reshape(wide, (n_members, units, -1))
    else:
        outputs = ops.matmul(turned, inputs)
    return outputs if bias is None else outputs + bias[..., None]


def glorot(n_in: int, n_out: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Draw a kernel, uniform within √(6 / (inputs + outputs))."""
    limit = np.sqrt(6 / (n_in + n_out))
    return random.uniform(-limit, limit, (n_in, n_out)).astype(np.float32)


def _absorbed(kernel: Any, bias: Any, scale: Any, shift: Any) -> tuple[Any, Any]:
    """Take a scale and a shift (M, P) of the inputs into a kernel (M, P, H) and bias (M, H)."""
    from keras import ops

    if scale is None:
        return kernel, bias
    return kernel * scale[..., None], bias + ops.sum(kernel * shift[..., None], axis=1)


def _moments(values: Any) -> tuple[Any, Any]:
    from keras import ops

    mean = ops.mean(values, axis=-1)
    # The mean's own gradient in the variance is a sum of deviations: zero, so not worth a pass.
    centre = ops.stop_gradient(mean)[..., None]
    return mean, ops.mean(ops.square(values - centre), axis=-1)
