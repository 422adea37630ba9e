"""One epoch of stochastic gradient descent as a single compiled TensorFlow program.

Keras's own `fit` returns to Python and copies memory for every batch; on networks this small
that is most of the time. The networks and the optimizer stay Keras's: only the gradient and the
loop are TensorFlow's, so another backend needs nothing but a sibling of this file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Epoch = Callable[..., tuple[Any, Any]]


def compile_epoch(betas: Any, factors: Any, optimizer: Any, batch_size: int) -> Epoch:
    """Return `epoch(data, order, n_batches, penalties) -> (training loss, validation loss)`.

    `data` maps names to arrays padded to fixed shapes, so that one compilation serves every
    fold: Z (C, P), date (C,), R (C,), X (T, L), validation_rows (V,), validation_weights (V,).
    `order` (C,) lists the training rows, shuffled; batch b takes its b-th `batch_size` entries.
    `penalties` (M,) is λ of each member's Σ|θ|. Both losses are mean squared errors, (M,).
    """
    import tensorflow as tf

    weights = betas.trainable_variables + factors.trainable_variables
    kernels = [w for w in weights if len(w.shape) == 3]

    def errors(data: dict[str, Any], rows: Any, training: bool) -> Any:
        beta = betas(tf.gather(data["Z"], rows), training=training)
        factor = tf.gather(factors(data["X"]), tf.gather(data["date"], rows))
        fitted = tf.reduce_sum(beta * factor, axis=-1)
        return tf.square(tf.gather(data["R"], rows)[:, None] - fitted)

    def descend(data: dict[str, Any], rows: Any, penalties: Any) -> Any:
        with tf.GradientTape() as tape:
            mean_squares = tf.reduce_mean(errors(data, rows, True), axis=0)
            sizes = tf.add_n([tf.reduce_sum(tf.abs(k), axis=(1, 2)) for k in kernels])
            # A sum over members: each member's gradient sees its own loss alone.
            loss = tf.reduce_sum(mean_squares + penalties * sizes)
        optimizer.apply(tape.gradient(loss, weights), weights)
        return mean_squares

    @tf.function(jit_compile=True)
    def epoch(data: dict[str, Any], order: Any, n_batches: Any, penalties: Any) -> tuple[Any, Any]:
        def step(batch: Any, total: Any) -> tuple[Any, Any]:
            rows = tf.slice(order, [batch * batch_size], [batch_size])
            return batch + 1, total + descend(data, rows, penalties)

        # Not `for batch in tf.range(...)`: XLA compiles that anew for every number of batches.
        start = tf.constant(0), tf.zeros_like(penalties)
        _, total = tf.while_loop(lambda batch, _: batch < n_batches, step, start)
        squares = errors(data, data["validation_rows"], False)
        share = data["validation_weights"] / tf.reduce_sum(data["validation_weights"])
        return total / tf.cast(n_batches, tf.float32), tf.linalg.matvec(squares, share, True)

    return epoch
