"""The textbook definitions of the registry, evaluated by mpmath; errors in ULP.

Nothing here knows the stable forms of the kernels: a registry expression is
parsed, its numbers become exact, and it is evaluated with enough digits that
what cancels does not matter.  ``fastact bench`` judges everybody by it, and so do
the tests.  Needs mpmath.
"""

from __future__ import annotations

import ast
import functools
from typing import Any

import numpy as np

from ._extras import require

mp: Any = require("mpmath", "bench")


class _Exact(ast.NodeTransformer):
    """Decimal literals as written, not as the nearest double."""

    def __init__(self, text: str) -> None:
        self.text = text

    def visit_Constant(self, node):
        source = ast.get_source_segment(self.text, node)
        call = ast.Call(
            ast.Name("mpf", ast.Load()), [ast.Constant(source)], []
        )
        return ast.copy_location(call, node)


@functools.cache
def steps(expression: str):
    """(name, code) of what a registry expression abbreviates; "result" is last."""
    parts = [p.strip() for p in expression.split(";")]
    found = []
    for part in [*parts[1:], "result = " + parts[0]]:
        name, _, text = part.partition(" = ")
        tree = _Exact(text).visit(ast.parse(text, mode="eval"))
        found.append((name, compile(ast.fix_missing_locations(tree), text, "eval")))
    return found


def _exp(x):
    """mp.exp, which multiplies on and on for huge whole numbers."""
    if abs(x) < 1e6:
        return mp.exp(x)
    with mp.extraprec(mp.mag(x)):
        shift = mp.floor(x / mp.ln2)
        return mp.ldexp(mp.exp(x - shift * mp.ln2), int(shift))


def _erfc(x):
    """mp.erfc, which cannot take huge arguments."""
    return mp.erfc(x) if abs(x) < 1e4 else mp.mpf(0 if x > 0 else 2)


def working_bits(expression: str, **names: float) -> int:
    """The precision at which nothing that matters of an expression cancels."""
    x = abs(float(names["x" if "x" in names else "y"]))
    capped = min(x, 1e4)
    # exp(-x) beside 1 needs 1.45 |x| bits, its square twice that (beyond 1600
    # such terms are below every subnormal); x^3 beside x, for tiny x, likewise.
    big = x * max(1.0, abs(float(names.get("beta", 1.0))))
    if "**3" in expression and x > 1:
        big = capped**3 / 10
    elif "**2" in expression and x > 1:
        big = max(big, capped**2 / 2)
    if "erfc" in expression:
        big = 0.0  # it is as small as what it stands beside, and has all its digits
    bits = 300 + int(3.5 * min(big, 1700.0))
    if 0 < x < 1:
        bits += int(-3 * np.log2(x))
    return bits


def evaluate(expression: str, **names: float):
    """A registry expression at exact arguments, as an mpf of ~40 good digits."""
    with mp.workprec(working_bits(expression, **names)):
        scope = {
            "exp": _exp, "log": mp.log, "tanh": mp.tanh, "sqrt": mp.sqrt,
            "erfc": _erfc, "pi": +mp.pi, "mpf": mp.mpf, "abs": abs,
            "min": min, "max": max,
        }
        for name, value in names.items():
            scope[name] = value if isinstance(value, mp.mpf) else mp.mpf(float(value))
        for name, code in steps(expression):
            scope[name] = eval(code, {"__builtins__": {}}, scope)
        return scope["result"]


def ulp_of(exact, dtype):
    """The spacing of dtype at ``exact``, at least the smallest subnormal."""
    info = np.finfo(dtype)
    if exact == 0:
        return mp.mpf(float(info.smallest_subnormal))
    _, exponent = mp.frexp(exact)
    return mp.mpf(2) ** max(exponent - info.nmant - 1, info.minexp - info.nmant)


def error(computed, exact) -> float:
    """|computed - exact| in ULP of exact; 0 for a correct overflow."""
    dtype = computed.dtype
    value = float(computed)
    if np.isnan(value):
        return float("inf")
    top = mp.mpf(float(np.finfo(dtype).max))
    if np.isinf(value):
        # rounding to nearest overflows half an ulp above the largest number
        over = abs(exact) >= top + ulp_of(top, dtype) / 2
        return 0.0 if over and mp.sign(exact) == np.sign(value) else float("inf")
    return float(abs(mp.mpf(value) - exact) / ulp_of(exact, dtype))
