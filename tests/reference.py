"""Inputs that the kernels are judged at, and where derivatives have roots.

The exact values and the errors are those of ``fastact._reference``; the values come from
gmpy2, which is several times as fast as mpmath, where that can represent them.
"""

from __future__ import annotations

import functools
from typing import Any

import gmpy2
import mpmath as mp
import numpy as np

from fastact import _reference, _registry
from fastact._reference import error as error
from fastact._reference import ulp_of as ulp_of

#: where f' goes through 0 and its terms cancel (in beta x): near enough to search
ROOTS = {
    "silu": -1.2784645427610738,
    "silu_beta": -1.2784645427610738,
    "quick_gelu": -1.2784645427610738 / 1.702,
    "mish": -1.1924312145154955,
    "gelu": -0.7517915246935645,
    "gelu_tanh": -0.7524614220710163,
}


def evaluate(expression: str, **names: float) -> mp.mpf:
    """A registry expression at exact arguments, as an mpf of ~40 good digits."""
    if not any(isinstance(value, mp.mpf) for value in names.values()):
        bits = _reference.working_bits(expression, **names)
        with gmpy2.context(precision=bits, emax=1 << 40, emin=-(1 << 40)):
            scope: dict[str, Any] = {
                "exp": gmpy2.exp, "log": gmpy2.log, "tanh": gmpy2.tanh,
                "sqrt": gmpy2.sqrt, "erfc": gmpy2.erfc, "pi": gmpy2.const_pi(),
                "mpf": gmpy2.mpfr, "abs": abs, "min": min, "max": max,
            }
            for name, value in names.items():
                scope[name] = gmpy2.mpfr(float(value))
            for name, code in _reference.steps(expression):
                scope[name] = eval(code, {"__builtins__": {}}, scope)
            result = gmpy2.mpfr(scope["result"], 160)
        if gmpy2.is_finite(result):
            return to_mpf(result)
    # (exp() of a huge number: mpmath's exponents have no end)
    return _reference.evaluate(expression, **names)


def to_mpf(value: Any) -> mp.mpf:
    """An mpfr as an mpf, exactly."""
    mantissa, exponent = value.as_mantissa_exp()
    with mp.workprec(400):
        return mp.ldexp(mp.mpf(int(mantissa)), int(exponent))


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
