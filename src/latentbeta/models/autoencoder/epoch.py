"""One epoch of Adam over a stack of members, in keras.ops; the backend differentiates, compiles.

Keras's own `fit` returns to Python and copies memory for every batch; on networks this small
that is most of the time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentbeta.models.autoencoder.backend import backend
from latentbeta.models.autoencoder.networks import MOMENTUM, STATISTICS, Weights

State = dict[str, Any]
Shapes = Mapping[str, tuple[int, ...]]
Squares = Callable[..., tuple[Any, Any, dict[str, Any]]]
Pass = Callable[..., tuple[Any, Any]]

FIRST, SECOND, SMALLEST = 0.9, 0.999, 1e-7  # Adam's decay rates and ε: Keras's
VALIDATION_BLOCK = 512  # rows, whose activations stay in cache


class Passes(NamedTuple):
    """What an epoch is made of.

    Attributes
    ----------
    train : (state, total (M,), chunk, n_batches, penalties, rates) → state, total; penalties and
        rates are those of each weight, see `spread`
    validate : (state, sums (M,), count, chunk, n_rows) → sums, count
    """

    train: Pass
    validate: Pass


def fresh_state(weights: Weights) -> State:
    """Return what training starts from: weights, moving statistics and Adam's moments.

    All that Adam moves lies in one flat array, weight after weight: a step is one kernel then,
    not one a weight. That is sooner compiled, and faster where batches are small.
    """
    trained = np.concatenate([w.ravel() for n, w in weights.items() if _is_trained(n)])
    return {
        "weights": trained,
        "statistics": {n: w for n, w in weights.items() if not _is_trained(n)},
        "first": np.zeros_like(trained),
        "second": np.zeros_like(trained),
        "step": np.float32(0),
    }


def weights_by_name(state: State, shapes: Shapes, n_members: int) -> State:
    """Return the weights of a state, moving statistics too, the member first."""
    return _unpacked(state["weights"], shapes, n_members) | state["statistics"]


def spread(
    penalties: tuple[float, ...], rates: tuple[float, ...], shapes: Shapes
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Lay each member's λ of Σ|kernels| and its learning rate where its weights lie in the state.

    λ is 0 in what is no kernel.
    """
    trained = [shape for name, shape in shapes.items() if _is_trained(name)]
    kernels = [len(shape) == 2 for shape in trained]
    sizes = np.repeat([math.prod(shape) for shape in trained], len(rates))
    return (
        np.repeat(np.outer(kernels, penalties).ravel(), sizes).astype(np.float32),
        np.repeat(np.tile(rates, len(trained)), sizes).astype(np.float32),
    )


def compile_passes(squares: Squares, shapes: Shapes, batch_size: int) -> Passes:
    """Return the two passes over a chunk of rows, each compiled by the backend into one program.

    Chunks hold what `squares` reads, row after row, and are padded to lengths that epochs and
    folds share, so that one compilation serves them.

    Parameters
    ----------
    squares : of a network
    shapes : of one member's weights, by name, in the order of its first weights
    batch_size : rows
    """
    of = backend()
    return Passes(
        of.compiled(_training_pass(squares, shapes, batch_size, of.gradients)),
        of.compiled(_validation_pass(squares, shapes)),
    )


def _training_pass(
    squares: Squares, shapes: Shapes, batch_size: int, gradients: Callable[..., Any]
) -> Pass:
    def train(
        state: State, total: Any, chunk: State, n_batches: Any, penalties: Any, rates: Any
    ) -> tuple[State, Any]:
        """Take the chunk's batches; add each one's mean squared errors (M,) to the total."""
        from keras import ops

        def step(number: Any, total: Any, state: State) -> tuple[Any, Any, State]:
            batch = _block(chunk, number * batch_size, batch_size)
            loss = _loss(squares, state["statistics"], batch)
            weights = _unpacked(state["weights"], shapes, total.shape[0])
            found, (mean_squares, statistics) = gradients(loss, weights)
            gradient = ops.concatenate([ops.reshape(found[name], (-1,)) for name in weights])
            gradient += penalties * ops.sign(state["weights"])  # of λ Σ|θ|
            moved = _adam(state, gradient, rates)
            moved["statistics"] = _settled(state, statistics)
            return number + 1, total + mean_squares, moved

        start = ops.zeros((), "int32"), total, state
        # Not as many steps as a Python loop says: XLA would compile every number of batches anew.
        _, total, state = ops.while_loop(lambda number, *_: number < n_batches, step, start)
        return state, total

    return train


def _validation_pass(squares: Squares, shapes: Shapes) -> Pass:
    def validate(state: State, sums: Any, count: Any, chunk: State, n_rows: Any) -> tuple[Any, Any]:
        """Add the squared errors (M,) of the chunk's rows to the sums, how many to the count."""
        from keras import ops

        weights = weights_by_name(state, shapes, sums.shape[0])
        size = min(VALIDATION_BLOCK, next(iter(chunk.values())).shape[0])

        def add(start: Any, sums: Any, count: Any) -> tuple[Any, Any, Any]:
            found, counts, _ = squares(weights, _block(chunk, start, size), training=False)
            real = ops.cast(start + ops.arange(size) < n_rows, "float32")
            return start + size, sums + ops.matmul(found, real), count + ops.sum(counts * real)

        first = ops.zeros((), "int32"), sums, count
        _, sums, count = ops.while_loop(lambda start, *_: start < n_rows, add, first)
        return sums, count

    return validate


def _block(chunk: State, start: Any, size: int) -> State:
    """Return `size` rows of every array."""
    from keras import ops

    return {
        name: ops.slice(a, [start, *[0] * (a.ndim - 1)], [size, *a.shape[1:]])
        for name, a in chunk.items()
    }


def _loss(squares: Squares, statistics: State, batch: State) -> Callable[[State], tuple[Any, Any]]:
    """Return the loss as a function of the weights; beside it what else a batch tells."""
    from keras import ops

    def loss(weights: State) -> tuple[Any, Any]:
        sums, counts, found = squares(weights | statistics, batch, training=True)
        mean_squares = ops.sum(sums, axis=1) / ops.sum(counts)
        # A sum over members: each member's gradient sees its own loss alone.
        return ops.sum(mean_squares), (mean_squares, found)

    return loss


def _adam(state: State, gradient: Any, rates: Any) -> State:
    """Take one step; Keras's optimizers have one learning rate, members have their own.

    Source: Kingma and Ba (2015), with the two corrections of bias taken into the rate.
    """
    from keras import ops

    step = state["step"] + 1
    first = state["first"] + (1 - FIRST) * (gradient - state["first"])
    second = state["second"] + (1 - SECOND) * (ops.square(gradient) - state["second"])
    size = rates * (ops.sqrt(1 - SECOND**step) / (1 - FIRST**step))
    weights = state["weights"] - size * first / (ops.sqrt(second) + SMALLEST)
    return {"weights": weights, "first": first, "second": second, "step": step}


def _settled(state: State, found: State) -> State:
    """Return the moving statistics after a batch's."""
    old = state["statistics"]
    return {name: MOMENTUM * old[name] + (1 - MOMENTUM) * found[name] for name in old}


def _is_trained(name: str) -> bool:
    return not name.startswith(STATISTICS)


def _unpacked(flat: Any, shapes: Shapes, n_members: int) -> State:
    """Return views of what Adam moves by name, the member first."""
    from keras import ops

    weights, start = {}, 0
    for name, shape in shapes.items():
        if _is_trained(name):
            end = start + n_members * math.prod(shape)
            weights[name] = ops.reshape(flat[start:end], (n_members, *shape))
            start = end
    return weights
