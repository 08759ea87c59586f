"""Inputs that the kernels are judged at, and where derivatives have roots.

The exact values and the errors are those of ``fastact._reference``.
"""

from __future__ import annotations

import functools

import mpmath as mp
import numpy as np

from fastact import _registry
from fastact._reference import error as error
from fastact._reference import evaluate as evaluate
from fastact._reference import steps as steps
from fastact._reference import ulp_of as ulp_of
from fastact._reference import working_bits as working_bits

#: where f' goes through 0 and its terms cancel (in beta x): near enough to search
ROOTS = {
    "silu": -1.2784645427610738,
    "silu_beta": -1.2784645427610738,
    "quick_gelu": -1.2784645427610738 / 1.702,
    "mish": -1.1924312145154955,
    "gelu": -0.7517915246935645,
    "gelu_tanh": -0.7524614220710163,
}


def points(dtype, dense: int = 300, seed: int = 7) -> np.ndarray:
    """Inputs of both signs: every binade, subnormals, and a dense middle."""
    info = np.finfo(dtype)
    rng = np.random.default_rng(seed)
    exponents = np.arange(info.minexp - info.nmant, info.maxexp)
    if dtype == np.float64:
        exponents = np.concatenate([exponents[::16], np.arange(-60, 12)])
    binades = np.ldexp(1 + rng.random(exponents.size), exponents.astype(int))
    edge = 110.0 if dtype == np.float32 else 760.0
    middle = np.concatenate([
        rng.uniform(0, edge, dense), rng.uniform(0, 8, dense),
        rng.exponential(1.0, dense),
    ])
    x = np.concatenate([binades, middle, [info.max, info.tiny, 1.0, 0.5, 3.0, 6.0]])
    x = x.astype(dtype)
    x = x[np.isfinite(x)]
    return np.unique(np.concatenate([x, -x, np.zeros(1, dtype)]))


@functools.cache
def _root(name: str, params: tuple):
    named = dict(params)
    expression = _registry.BY_NAME[name].derivative
    start = ROOTS[name] / float(named.get("beta", 1.0))
    with mp.workprec(250):
        return mp.findroot(
            lambda x: evaluate(expression, x=x, **named),
            (mp.mpf(start), mp.mpf(start) * 1.001), tol=mp.mpf(2) ** -400,
        )


def root(name: str, params: dict):
    """The root of the derivative of a row in ROOTS to 200 bits, else None."""
    return _root(name, tuple(params.items())) if name in ROOTS else None


def around(x: float, dtype, count: int) -> np.ndarray:
    """x rounded to dtype and about ``count`` of its neighbours on either side."""
    middle = dtype(x)
    return middle + np.arange(-count, count + 1).astype(dtype) * np.spacing(middle)
