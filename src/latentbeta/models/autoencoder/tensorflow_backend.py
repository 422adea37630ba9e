"""What keras.ops does not have, by TensorFlow: gradients, and compilation by XLA."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def gradients(
    loss: Callable[[dict[str, Any]], tuple[Any, Any]], weights: dict[str, Any]
) -> tuple[dict[str, Any], Any]:
    """Return the loss's gradients by name, and what the loss gives beside its value."""
    with tf.GradientTape() as tape:
        tape.watch(weights)
        value, beside = loss(weights)
    return tape.gradient(value, weights), beside


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function as one compiled program for each set of shapes it meets."""
    return tf.function(function, jit_compile=True, autograph=False)
