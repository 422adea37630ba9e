"""What keras.ops does not have, by TensorFlow: gradients, XLA, tensors without a copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray


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


def shared(array: NDArray[Any]) -> Any:
    """Return a tensor in the array's own memory; whoever calls this writes there no more."""
    # convert_to_tensor would copy: it cannot know that.
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
