"""The textbook definitions of the registry, evaluated by mpmath; errors in ULP.

Nothing here knows the stable forms of the kernels: a registry expression is
parsed, its numbers become exact, and it is evaluated with enough digits that
what cancels does not matter.
"""

from __future__ import annotations

import ast
import functools

import mpmath as mp
import numpy as np

from fastact import _registry

#: where f' goes through 0 and its terms cancel (in beta x): near enough to search
ROOTS = {
    "silu": -1.2784645427610738,
    "silu_beta": -1.2784645427610738,
    "quick_gelu": -1.2784645427610738 / 1.702,
    "mish": -1.1924312145154955,
    "gelu": -0.7517915246935645,
    "gelu_tanh": -0.7524614220710163,
}


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
    bits = 300 + int(3.5 * min(big, 1700.0))
    if 0 < x < 1:
        bits += int(-3 * np.log2(x))
    return bits


def evaluate(expression: str, **names: float):
    """A registry expression at exact arguments, as an mpf of ~40 good digits."""
    with mp.workprec(working_bits(expression, **names)):
        scope = {
            "exp": mp.exp, "log": mp.log, "tanh": mp.tanh, "sqrt": mp.sqrt,
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
