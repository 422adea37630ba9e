"""The matrix products of training, alone: what the machine needs for just these."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.market import SEED
from benchmarks.timing import alternating

FLOPS_A_ROUND = 2e8  # so that a measured call is long beside its own overhead


@dataclass(frozen=True)
class Product:
    """`stack` products (rows, inner) · (inner, columns) side by side, `count` times an epoch."""

    stack: int
    rows: int
    inner: int
    columns: int
    count: float

    @property
    def flops(self) -> float:
        """Of one time, additions and multiplications."""
        return 2.0 * self.stack * self.rows * self.inner * self.columns


@dataclass(frozen=True)
class Shape:
    """One hidden layer: members M, characteristics P, units H, factors K, portfolios L."""

    members: int
    inputs: int
    units: int
    factors: int
    portfolios: int

    def forward(self, batch: int, count: float) -> list[Product]:
        """Return the products of a batch's betas and factors."""
        m, p, h, k = self.members, self.inputs, self.units, self.factors
        return [
            Product(1, m * h, p, batch, count),
            Product(m, k, h, batch, count),
            Product(1, m * k, self.portfolios, batch, count),
        ]

    def backward(self, batch: int, count: float) -> list[Product]:
        """Return the products of a batch's gradients; none is needed of the inputs."""
        m, p, h, k = self.members, self.inputs, self.units, self.factors
        return [
            Product(1, m * h, batch, p, count),
            Product(m, h, k, batch, count),
            Product(m, h, batch, k, count),
            Product(1, m * k, batch, self.portfolios, count),
        ]


def seconds_by_engine(products: list[Product]) -> dict[str, float]:
    """Return what the products take with NumPy, with XLA, and each with the faster of the two."""
    numpy, xla, faster = 0.0, 0.0, 0.0
    for product in products:
        repeats = max(1, int(FLOPS_A_ROUND / product.flops))
        times = alternating(_by_numpy(product, repeats), _by_xla(product, repeats))
        first, second = (product.count * statistics.median(t) / repeats for t in times)
        numpy, xla, faster = numpy + first, xla + second, faster + min(first, second)
    return {"NumPy": numpy, "XLA": xla, "the faster of both": faster}


def _operands(product: Product) -> tuple[Any, Any]:
    rng = np.random.default_rng(SEED)
    left = rng.normal(size=(product.stack, product.rows, product.inner)).astype(np.float32)
    right = rng.normal(size=(product.stack, product.inner, product.columns)).astype(np.float32)
    return left, right


def _by_numpy(product: Product, repeats: int) -> Any:
    left, right = _operands(product)
    found = np.empty((product.stack, product.rows, product.columns), np.float32)

    def run() -> None:
        for _ in range(repeats):
            np.matmul(left, right, out=found)

    return run


def _by_xla(product: Product, repeats: int) -> Any:
    """Return a call of one compiled loop, in which the smaller operand depends on the step.

    So no step can be left out, and what is not the product costs least.
    """
    import tensorflow as tf

    left, right = _operands(product)
    varied = left.size <= right.size
    pair = np.stack([left, left] if varied else [right, right])
    fixed = right if varied else left

    @tf.function(jit_compile=True, autograph=False)
    def loop(pair: Any, fixed: Any) -> Any:
        def step(number: Any, _: Any) -> tuple[Any, Any]:
            one = pair[number % 2]
            return number + 1, tf.matmul(one, fixed) if varied else tf.matmul(fixed, one)

        found = tf.zeros((product.stack, product.rows, product.columns))
        return tf.while_loop(lambda number, _: number < repeats, step, (0, found))[1][0, 0, 0]

    arguments = tf.constant(pair), tf.constant(fixed)
    return lambda: loop(*arguments).numpy()
