"""A trained ensemble as one Keras model of built-in layers: characteristics in, betas out."""

from __future__ import annotations

import json
import re
import zipfile
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from latentbeta.models.autoencoder.networks import EPSILON, MOMENTUM, Weights
from latentbeta.models.protocol import Array
from latentbeta.storage import written_atomically

# The archive records when it was made, and where in memory; the same weights are to give the same
# bytes.
UNDATED = "1980-01-01@00:00:00"
ADDRESS = re.compile(rb'(?<="shared_object_id": )\d+')


def export_networks(weights: Weights, rotations: Array, premia: Array, folder: Path) -> None:
    """Save two networks of Z (rows, P): the published betas, and the forecast.

    ``beta_network.keras`` gives (rows, K): each member's betas rotated, then their mean.
    ``forecast_network.keras`` gives (rows, 1): the mean of the members' own β·λ, which is not
    the product of the means.

    Parameters
    ----------
    weights : of the stacked network; without hidden layers the last input is the constant
    rotations : (M, K, K) each member's G; its betas are published as β G⁻ᵀ
    premia : (M, K) each member's λ, not rotated
    """
    members = beta_network(weights if "kernel_1" in weights else _with_bias(weights))
    turn = np.linalg.inv(rotations).transpose(0, 2, 1) / len(rotations)
    for name, head in (("beta", turn), ("forecast", premia[..., None] / len(premia))):
        with written_atomically(folder / f"{name}_network.keras") as temporary:
            temporary.write_bytes(_undated(_with_head(members, head, name)))


def beta_network(weights: Weights) -> Any:
    """Return the Keras model Z (rows, P) → betas (rows, M, K) of built-in layers alone.

    It gives what `networks.stacked_betas` gives. Batch normalisation's vectors are flat, M
    blocks of H.
    """
    from keras import Input, Model, layers

    first = weights.get("kernel_1", weights["output"])
    inputs = outputs = Input((first.shape[1],), name="characteristics")
    axes, values = "bp,mph->bmh", []
    # Every layer is named: Keras's own names count up, and would change a saved model's bytes.
    for i in range(1, sum(name.startswith("kernel_") for name in weights) + 1):
        m, _, units = weights[f"kernel_{i}"].shape
        dense = layers.EinsumDense(axes, (m, units), bias_axes="mh", name=f"dense_{i}")
        outputs = layers.ReLU(name=f"relu_{i}")(dense(outputs))
        outputs = layers.Reshape((m * units,), name=f"flat_{i}")(outputs)
        norm = layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, name=f"norm_{i}")
        outputs = layers.Reshape((m, units), name=f"members_{i}")(norm(outputs))
        values += [weights[f"kernel_{i}"], weights[f"bias_{i}"]]
        values += [weights[f"{v}_{i}"].ravel() for v in ("gain", "shift", "mean", "variance")]
        axes = "bmp,mph->bmh"
    m, _, n_factors = weights["output"].shape
    output = layers.EinsumDense(axes, (m, n_factors), bias_axes="mh", name="output")
    network = Model(inputs, output(outputs), name="betas")
    network.set_weights([*values, weights["output"], weights["output_bias"]])
    return network


def _with_bias(weights: Weights) -> Weights:
    """Turn the constant, CA0's last characteristic, into a bias."""
    kernel = weights["output"]
    return {"output": kernel[:, :-1], "output_bias": kernel[:, -1]}


def _with_head(members: Any, head: Array, name: str) -> Any:
    """Sum the members' betas (rows, M, K) over both axes with the weights of a head (M, K, J)."""
    from keras import Model, layers

    layer = layers.EinsumDense("bmk,mkj->bj", (head.shape[-1],), name="published")
    network = Model(members.input, layer(members.output), name=name)
    layer.set_weights([head.astype(np.float32)])
    return network


def _undated(network: Any) -> bytes:
    """Return the network's archive without the time and the memory addresses of its making."""
    undated = BytesIO()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "network.keras"
        network.save(path)
        with zipfile.ZipFile(path) as dated, zipfile.ZipFile(undated, "w") as archive:
            for name in sorted(dated.namelist()):
                content = dated.read(name)
                if name == "metadata.json":
                    content = json.dumps(json.loads(content) | {"date_saved": UNDATED}).encode()
                if name == "config.json":
                    content = _numbered(content)
                archive.writestr(zipfile.ZipInfo(name), content)
    return undated.getvalue()


def _numbered(config: bytes) -> bytes:
    """Give the objects that layers share numbers in order of appearance."""
    numbers: dict[bytes, int] = {}
    return ADDRESS.sub(
        lambda found: str(numbers.setdefault(found[0], len(numbers) + 1)).encode(), config
    )
