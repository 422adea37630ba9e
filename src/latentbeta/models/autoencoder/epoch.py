"""One epoch of Adam over a stack of members, in keras.ops; the backend differentiates, compiles.

Keras's own `fit` returns to Python and copies memory for every batch; on networks this small
that is most of the time.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from latentbeta.models.autoencoder.networks import MOMENTUM, STATISTICS, Weights

State = dict[str, Any]
Squares = Callable[..., tuple[Any, Any, dict[str, Any]]]
Pass = Callable[..., tuple[Any, Any]]

FIRST, SECOND, SMALLEST = 0.9, 0.999, 1e-7  # Adam's decay rates and ε: Keras's
VALIDATION_BLOCK = 512  # rows, whose activations stay in cache


class Passes(NamedTuple):
    """What an epoch is made of.

    Attributes
    ----------
    train : (state, total (M,), chunk, n_batches, penalties (M,), rates (M,)) → state, total;
        penalties are λ of each member's Σ|kernels|, rates its learning rate
    validate : (state, sums (M,), count, chunk, n_rows) → sums, count
    """

    train: Pass
    validate: Pass


def fresh_state(weights: Weights) -> State:
    """Return what training starts from: weights, moving statistics and Adam's moments."""
    trained = {name: w for name, w in weights.items() if not name.startswith(STATISTICS)}
    zeros = {name: np.zeros_like(w) for name, w in trained.items()}
    statistics = {name: w for name, w in weights.items() if name not in trained}
    return {
        "weights": trained,
        "statistics": statistics,
        "first": zeros,
        "second": zeros,
        "step": np.float32(0),
    }


def compile_passes(squares: Squares, batch_size: int) -> Passes:
    """Return the two passes over a chunk of rows, each compiled by the backend into one program.

    Chunks hold what `squares` reads, row after row, and are padded to lengths that epochs and
    folds share, so that one compilation serves them.
    """
    import keras

    backend = importlib.import_module(f"{__package__}.{keras.backend.backend()}_backend")
    return Passes(
        backend.compiled(_training_pass(squares, batch_size, backend.gradients)),
        backend.compiled(_validation_pass(squares)),
    )


def _training_pass(squares: Squares, batch_size: int, gradients: Callable[..., Any]) -> Pass:
    def train(
        state: State, total: Any, chunk: State, n_batches: Any, penalties: Any, rates: Any
    ) -> tuple[State, Any]:
        """Take the chunk's batches; add each one's mean squared errors (M,) to the total."""
        from keras import ops

        def step(number: Any, total: Any, state: State) -> tuple[Any, Any, State]:
            batch = _block(chunk, number * batch_size, batch_size)
            loss = _penalised(squares, state["statistics"], batch, penalties)
            found, (mean_squares, statistics) = gradients(loss, state["weights"])
            moved = _adam(state, found, rates) | {"statistics": _settled(state, statistics)}
            return number + 1, total + mean_squares, moved

        start = ops.zeros((), "int32"), total, state
        # Not as many steps as a Python loop says: XLA would compile every number of batches anew.
        _, total, state = ops.while_loop(lambda number, *_: number < n_batches, step, start)
        return state, total

    return train


def _validation_pass(squares: Squares) -> Pass:
    def validate(state: State, sums: Any, count: Any, chunk: State, n_rows: Any) -> tuple[Any, Any]:
        """Add the squared errors (M,) of the chunk's rows to the sums, how many to the count."""
        from keras import ops

        weights = state["weights"] | state["statistics"]
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


def _penalised(
    squares: Squares, statistics: State, batch: State, penalties: Any
) -> Callable[[State], tuple[Any, Any]]:
    """Return the loss as a function of the weights; beside it what else a batch tells."""
    from keras import ops

    def loss(weights: State) -> tuple[Any, Any]:
        sums, counts, found = squares(weights | statistics, batch, training=True)
        mean_squares = ops.sum(sums, axis=1) / ops.sum(counts)
        sizes = sum(ops.sum(ops.abs(w), axis=(1, 2)) for w in weights.values() if w.ndim == 3)
        # A sum over members: each member's gradient sees its own loss alone.
        return ops.sum(mean_squares + penalties * sizes), (mean_squares, found)

    return loss


def _adam(state: State, gradients: State, rates: Any) -> State:
    """Take one step; Keras's optimizers have one learning rate, members have their own.

    Source: Kingma and Ba (2015), with the two corrections of bias taken into the rate.
    """
    from keras import ops

    step = state["step"] + 1
    sizes = rates * ops.sqrt(1 - SECOND**step) / (1 - FIRST**step)
    weights, first, second = {}, {}, {}
    for name, gradient in gradients.items():
        old = state["first"][name], state["second"][name]
        first[name] = old[0] + (1 - FIRST) * (gradient - old[0])
        second[name] = old[1] + (1 - SECOND) * (ops.square(gradient) - old[1])
        size = ops.reshape(sizes, (-1,) + (1,) * (gradient.ndim - 1))
        move = size * first[name] / (ops.sqrt(second[name]) + SMALLEST)
        weights[name] = state["weights"][name] - move
    return {"weights": weights, "first": first, "second": second, "step": step}


def _settled(state: State, found: State) -> State:
    """Return the moving statistics after a batch's."""
    old = state["statistics"]
    return {name: MOMENTUM * old[name] + (1 - MOMENTUM) * found[name] for name in old}
