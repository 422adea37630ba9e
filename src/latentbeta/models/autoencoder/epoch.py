"""One epoch of Adam over a stack of members, in keras.ops; the backend differentiates, compiles.

Keras's own `fit` returns to Python and copies memory for every batch; on networks this small
that is most of the time.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from latentbeta.models.autoencoder.networks import MOMENTUM, STATISTICS, Weights

State = dict[str, Any]
Squares = Callable[..., tuple[Any, Any, dict[str, Any]]]
Epoch = Callable[..., tuple[State, Any, Any]]

FIRST, SECOND, SMALLEST = 0.9, 0.999, 1e-7  # Adam's decay rates and ε: Keras's
VALIDATION_BLOCK = 512  # rows, whose activations stay in cache


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


def compile_epoch(squares: Squares, batch_size: int) -> Epoch:
    """Return `epoch(state, data, order, n_batches, penalties, rates)`, compiled by the backend.

    It gives the state after the epoch, and two mean squared errors (M,): of the batches as they
    were trained on, and of the validation rows after the last of them.

    `data` holds what `squares` reads, and validation_rows (V,), of which the first n_validation
    count; all are padded to sizes that folds share, so that one compilation serves them. `order`
    lists the training rows, shuffled; batch b takes its b-th `batch_size` entries. `penalties`
    (M,) is λ of each member's Σ|kernels|, `rates` (M,) its learning rate.
    """
    import keras
    from keras import ops

    backend = importlib.import_module(f"{__package__}.{keras.backend.backend()}_backend")

    def epoch(
        state: State, data: State, order: Any, n_batches: Any, penalties: Any, rates: Any
    ) -> tuple[State, Any, Any]:
        def step(batch: Any, total: Any, state: State) -> tuple[Any, Any, State]:
            rows = ops.slice(order, [batch * batch_size], [batch_size])
            loss = _penalised(squares, state["statistics"], data, rows, penalties)
            gradients, (mean_squares, found) = backend.gradients(loss, state["weights"])
            moved = _adam(state, gradients, rates)
            return batch + 1, total + mean_squares, moved | {"statistics": _settled(state, found)}

        start = ops.zeros((), "int32"), ops.zeros_like(penalties), state
        # Not as many steps as a Python loop says: XLA would compile every number of batches anew.
        _, total, state = ops.while_loop(lambda batch, *_: batch < n_batches, step, start)
        return state, total / ops.cast(n_batches, "float32"), _validation(squares, state, data)

    return backend.compiled(epoch)


def _penalised(
    squares: Squares, statistics: State, data: State, rows: Any, penalties: Any
) -> Callable[[State], tuple[Any, Any]]:
    """Return the loss as a function of the weights; beside it what else a batch tells."""
    from keras import ops

    def loss(weights: State) -> tuple[Any, Any]:
        sums, counts, found = squares(weights | statistics, data, rows, training=True)
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


def _validation(squares: Squares, state: State, data: State) -> Any:
    """Return each member's mean squared error on the validation rows, block by block."""
    from keras import ops

    weights = state["weights"] | state["statistics"]
    every = data["validation_rows"]
    block = min(VALIDATION_BLOCK, every.shape[0])

    def add(start: Any, total: Any, count: Any) -> tuple[Any, Any, Any]:
        rows = ops.slice(every, [start], [block])
        sums, counts, _ = squares(weights, data, rows, training=False)
        real = ops.cast(start + ops.arange(block) < data["n_validation"], "float32")
        return start + block, total + ops.matmul(sums, real), count + ops.sum(counts * real)

    n_members = next(iter(state["weights"].values())).shape[0]
    first = ops.zeros((), "int32"), ops.zeros(n_members), ops.zeros(())
    _, total, count = ops.while_loop(lambda at, *_: at < data["n_validation"], add, first)
    return total / count
