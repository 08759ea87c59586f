"""The textbook definitions of the registry by gmpy2, several times as fast as mpmath.

``Textbook(expression, params)(x)`` is ``tests/reference.py``'s ``evaluate``, with
the same parsing and precision; ``Rounded`` holds exact values as the nearest
float and the rest of them in ULP.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import gmpy2
import mpmath as mp
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
import reference

Array = np.ndarray


class Textbook:
    """One expression with its parameters, called with x."""

    def __init__(self, expression: str, params: dict) -> None:
        self.expression = expression
        self.params = {k: float(v) for k, v in params.items()}
        self.steps = reference.steps(expression)

    def gmpy2(self, x: float) -> Any:
        bits = reference.working_bits(self.expression, x=x, **self.params)
        with gmpy2.context(precision=bits, emax=1 << 40, emin=-(1 << 40)):
            scope: dict[str, Any] = {
                "exp": gmpy2.exp, "log": gmpy2.log, "tanh": gmpy2.tanh,
                "sqrt": gmpy2.sqrt, "erfc": gmpy2.erfc, "pi": gmpy2.const_pi(),
                "mpf": gmpy2.mpfr, "abs": abs, "min": min, "max": max,
                "x": gmpy2.mpfr(x),
            }
            for name, value in self.params.items():
                scope[name] = gmpy2.mpfr(value)
            for name, code in self.steps:
                scope[name] = eval(code, {"__builtins__": {}}, scope)
            return gmpy2.mpfr(scope["result"], 160)

    def __call__(self, x: float) -> mp.mpf:
        result = self.gmpy2(x)
        if gmpy2.is_finite(result):
            return to_mpf(result)
        # exp() of a huge number: mpmath's exponents have no end
        return reference.evaluate(self.expression, x=x, **self.params)


def to_mpf(value: Any) -> mp.mpf:
    """An mpfr as an mpf, exactly."""
    mantissa, exponent = value.as_mantissa_exp()
    with mp.workprec(400):
        return mp.ldexp(mp.mpf(int(mantissa)), int(exponent))


class Rounded(NamedTuple):
    """Exact values: ``near``, correctly rounded, and (exact - near) / ulp(exact)."""

    near: Array
    rest: Array

    @classmethod
    def of(cls, values: Iterable[mp.mpf], dtype: Any) -> Rounded:
        near, rest = [], []
        top = mp.mpf(float(np.finfo(dtype).max))
        over = top + reference.ulp_of(top, dtype) / 2
        for value in values:
            if abs(value) >= over:
                near.append(float(mp.sign(value)) * np.inf)
                rest.append(0.0)
                continue
            spacing = reference.ulp_of(value, dtype)
            with mp.workprec(400):
                scaled = value / spacing
                steps = mp.nint(scaled)
                near.append(float(steps * spacing))
                rest.append(float(scaled - steps))
        return cls(np.array(near, dtype), np.array(rest))
