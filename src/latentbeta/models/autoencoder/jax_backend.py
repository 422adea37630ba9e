"""What keras.ops does not have, by JAX: gradients, XLA, tensors without a copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
from numpy.typing import NDArray


def gradients(
    loss: Callable[[dict[str, Any]], tuple[Any, Any]], weights: dict[str, Any]
) -> tuple[dict[str, Any], Any]:
    """Return the loss's gradients by name, and what the loss gives beside its value."""
    (_, beside), found = jax.value_and_grad(loss, has_aux=True)(weights)
    return found, beside


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function as one compiled program for each set of shapes it meets."""
    return jax.jit(function)


def shared(array: NDArray[Any]) -> Any:
    """Return a tensor in the array's own memory; whoever calls this writes there no more.

    On a GPU it is a copy.
    """
    return jax.numpy.asarray(array)
