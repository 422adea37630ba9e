"""What keras.ops does not have, from the module of the backend that Keras runs on."""

from __future__ import annotations

import importlib
from types import ModuleType


def backend() -> ModuleType:
    """Return ``tensorflow_backend`` or ``jax_backend``: `gradients`, `compiled`, `shared`."""
    import keras

    return importlib.import_module(f"{__package__}.{keras.backend.backend()}_backend")
