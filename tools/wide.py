"""Every elementwise activation and its derivative in a wider type, in NumPy.

    python tools/wide.py --check [--rows NAME ...] [--points N]

compares everything here with the textbook definitions in many digits (needs
mpmath, gmpy2 and SciPy).  Other tools use ``evaluate``: in float64 it judges
float32 results (relative error below 2^-44), in longdouble it finds the
float64 results that deserve many digits (2^-58; x86-64 only, where longdouble
has 64 bits).

Nothing here is taken from the kernels: the formulas are well-conditioned
identities over the functions of NumPy and SciPy.  Where all such identities
cancel, around the root of a derivative, and for the Mills ratio in longdouble,
there are polynomials that mpmath interpolates when they are first used.
The sign of a zero in a value says which zero is right: that of the limit, or of
the tiny value that it stands for; where a piece is constantly 0, +0.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
import reference

from fastact import _registry

Array = np.ndarray
Pair = tuple[Array, Array]


# ---- Arithmetic -------------------------------------------------------------
class Arithmetic:
    """Constants and exact products of one type."""

    def __init__(self, dtype: Any) -> None:
        self.type = np.dtype(dtype).type
        self.long = np.finfo(dtype).nmant > 52
        with mp.workprec(200):
            self.scale = self.number(mp.mpf("1.0507009873554804934193349852946"))[0]
            self.alpha = self.number(mp.mpf("1.6732632423543772848170429916717"))[0]
            self.sqrt_half = self.number(mp.sqrt(mp.mpf(1) / 2))[0]
            self.inv_sqrt_2pi = self.number(1 / mp.sqrt(2 * mp.pi))[0]
            # u of gelu_tanh, twice: x (c + k x^2)
            c = 2 * mp.sqrt(2 / mp.pi)
            self.c, self.k = self.number(c), self.number(c * mp.mpf("0.044715"))
            self.quick = self.number(mp.mpf("1.702"))

    def number(self, exact: mp.mpf) -> tuple[Any, Any]:
        """An exact number as high and low part."""
        with mp.workprec(400):
            high = self.type(mp.nstr(exact, 30))
            return high, self.type(mp.nstr(exact - to_mp(high), 30))

    def product(self, a: Any, b: Any) -> tuple[Any, Any]:
        """a b and what the rounding of it lost.

        In float64 there is nothing worth keeping of operands of 24 bits; in
        longdouble, Dekker's product.
        """
        p = a * b
        if not self.long:
            return p, self.type(0)
        split = self.type(2.0**32 + 1)
        c, d = split * a, split * b
        a1, b1 = c - (c - a), d - (d - b)
        a2, b2 = a - a1, b - b1
        return p, ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2

    def exp(self, u: Array, low: Any) -> Array:
        """exp(u + low) for a small low."""
        e = np.exp(u)
        return e + e * np.clip(low, -0.5, 0.5) if self.long else e

    def logistic(self, z: Array, low: Any = 0.0) -> Pair:
        """1 / (1 + exp(-z)) and 1 / (1 + exp(z)) at z + low."""
        negative = z < 0
        e = self.exp(-np.abs(z), np.where(negative, low, -low) if self.long else 0)
        n = 1 + e
        big, small = 1 / n, e / n
        return np.where(negative, small, big), np.where(negative, big, small)

    def normal(self, x: Array) -> Pair:
        """Distribution and density of the normal distribution."""
        square, low = self.product(x, x)
        e = self.exp(-square / 2, -low / 2)
        if self.long:
            tail = e * mills()(np.minimum(np.abs(x), 40))
            cdf = np.where(x < 0, tail, 1 - tail)
        else:
            from scipy.special import erfc

            cdf = erfc(-x * self.sqrt_half) / 2
        return cdf, e * self.inv_sqrt_2pi


def to_mp(x: Any) -> mp.mpf:
    """The exact value of a NumPy float of any width."""
    mantissa, exponent = np.frexp(x)
    high = float(mantissa)
    with mp.workprec(200):
        return mp.ldexp(mp.mpf(high) + float(mantissa - high), int(exponent))


@functools.cache
def arithmetic(dtype: Any) -> Arithmetic:
    return Arithmetic(dtype)


def horner(s: Array, coefficients: list) -> Array:
    result = np.full_like(s, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        result *= s
        result += c
    return result


def interpolate(target: Callable, count: int, number: Callable) -> list:
    """Coefficients of the polynomial through ``count`` Chebyshev nodes of [-1, 1]."""
    with mp.workprec(400):
        nodes = [mp.cos(mp.pi * (2 * i + 1) / (2 * count)) for i in range(count)]
        matrix = mp.matrix([[x**j for j in range(count)] for x in nodes])
        solution = mp.lu_solve(matrix, mp.matrix([target(x) for x in nodes]))
        return [number(c)[0] for c in solution]


@functools.cache
def mills() -> Callable[[Array], Array]:
    """The Mills ratio Phi(-t) exp(t^2 / 2), t in [0, 40], in longdouble."""
    middles = [0.5, 1.5, 3, 6, 12, 28]
    halves = [0.5, 0.5, 1, 2, 4, 12]
    edges = np.array([m + h for m, h in zip(middles, halves, strict=True)][:-1])
    pieces = []
    for middle, half in zip(middles, halves, strict=True):

        def target(s, middle=middle, half=half):
            t = middle + half * s
            return mp.erfc(t / mp.sqrt(2)) / 2 * mp.exp(t * t / 2)

        pieces.append(interpolate(target, 30, arithmetic(np.longdouble).number))

    def ratio(t: Array) -> Array:
        which = np.searchsorted(edges, t)
        result = np.empty_like(t)
        for i in np.unique(which):
            here = which == i
            s = (t[here] - t.dtype.type(middles[i])) / t.dtype.type(halves[i])
            result[here] = horner(s, pieces[i])
        return result

    return ratio


@functools.cache
def _root_piece(name: str, params: tuple, dtype: Any) -> tuple | None:
    """(root, its low part, half-width, coefficients of f'(root + t) / t)."""
    exact = reference.root(name, dict(params))
    if exact is None:
        return None
    number = arithmetic(dtype).number
    width = abs(exact) / 8
    expression = _registry.BY_NAME[name].derivative

    def target(s):
        t = s * width
        return reference.evaluate(expression, x=exact + t, **dict(params)) / t

    with mp.workprec(400):
        coefficients = interpolate(target, 20, number)
    return *number(exact), number(width)[0], coefficients


def _near_root(name: str, params: dict, x: Array, d: Array) -> Array:
    dtype: Any = x.dtype.type
    piece = _root_piece(name, tuple(params.items()), dtype)
    if piece is None:
        return d
    high, low, width, coefficients = piece
    near = np.abs(x - high) < width * x.dtype.type(0.999)
    if near.any():
        t = (x[near] - high) - low
        d[near] = t * horner(t / width, coefficients)
    return d


# ---- Functions: value and derivative ----------------------------------------
def _sum(small: Array, large: Array) -> Array:
    """small + large; where both have underflowed, the zero that large became."""
    return np.where(small == 0, large, small + large)


def sigmoid(A: Arithmetic, x: Array) -> Pair:
    return A.logistic(x)[0], 1 / (4 * np.cosh(x / 2) ** 2)


def log_sigmoid(A: Arithmetic, x: Array) -> Pair:
    log = np.log1p(np.exp(-np.abs(x)))
    return np.where(x < 0, x - log, -log), A.logistic(x)[1]


def tanh(A: Arithmetic, x: Array) -> Pair:
    return np.tanh(x), 1 / np.cosh(x) ** 2


def relu(A: Arithmetic, x: Array) -> Pair:
    return np.where(x > 0, x, 0), np.where(x > 0, A.type(1), 0)


def relu6(A: Arithmetic, x: Array) -> Pair:
    value = np.where(x > 0, np.minimum(x, 6), 0)
    return value, np.where((x > 0) & (x < 6), A.type(1), 0)


def leaky_relu(A: Arithmetic, x: Array, negative_slope: Any) -> Pair:
    value = np.where(x > 0, x, negative_slope * x)
    return value, np.where(x > 0, A.type(1), negative_slope)


def elu(A: Arithmetic, x: Array, alpha: Any) -> Pair:
    low = np.where(x > 0, 0, x)
    value = np.where(x > 0, x, alpha * np.expm1(low))
    return value, np.where(x > 0, 1, alpha * np.exp(low))


def celu(A: Arithmetic, x: Array, alpha: Any) -> Pair:
    low = np.where(x > 0, 0, x)
    z = low / alpha
    p, lost = A.product(z, alpha)
    rest = ((low - p) - lost) / alpha
    value = np.where(x > 0, x, alpha * np.expm1(z))
    return value, np.where(x > 0, 1, A.exp(z, rest))


def selu(A: Arithmetic, x: Array) -> Pair:
    value, derivative = elu(A, x, A.alpha)
    return A.scale * value, A.scale * derivative


def gelu(A: Arithmetic, x: Array) -> Pair:
    cdf, density = A.normal(x)
    return x * cdf, _sum(cdf, x * density)


def gelu_tanh(A: Arithmetic, x: Array) -> Pair:
    (c, c_low), (k, k_low) = A.c, A.k
    square, square_low = A.product(x, x)
    v, v_low = A.product(k, square)
    w = c + v
    low = (np.where(v < c, (c - w) + v, (v - w) + c) + c_low) + v_low if A.long else 0
    if A.long:
        low = low + k * square_low + k_low * square
    z, z_low = A.product(x, w)
    s, t = A.logistic(z, z_low + x * low if A.long else 0)
    return x * s, s * (1 + x * t * (c + 3 * v))


def _swish(A: Arithmetic, x: Array, beta: Any, beta_low: Any) -> Pair:
    z, low = A.product(beta, x)
    s, t = A.logistic(z, low + beta_low * x if A.long else 0)
    return x * s, s * (1 + z * t)


def quick_gelu(A: Arithmetic, x: Array) -> Pair:
    return _swish(A, x, *A.quick)


def silu(A: Arithmetic, x: Array) -> Pair:
    return _swish(A, x, A.type(1), A.type(0))


def silu_beta(A: Arithmetic, x: Array, beta: Any) -> Pair:
    return _swish(A, x, beta, A.type(0))


def mish(A: Arithmetic, x: Array) -> Pair:
    up = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
    t = np.tanh(up)
    return x * t, _sum(t, x * A.logistic(x)[0] / np.cosh(up) ** 2)


def softplus(A: Arithmetic, x: Array, beta: Any) -> Pair:
    z, low = A.product(beta, x)
    e = A.exp(-np.abs(z), np.where(z < 0, low, -low) if A.long else 0)
    return np.maximum(x, 0) + np.log1p(e) / beta, A.logistic(z, low)[0]


def softsign(A: Arithmetic, x: Array) -> Pair:
    n = 1 + np.abs(x)
    return x / n, 1 / (n * n)


def squareplus(A: Arithmetic, x: Array, b: Any) -> Pair:
    h = np.sqrt(x * x + b)
    value = np.where(x < 0, b / (2 * (h - x)), (x + h) / 2)
    return value, value / h


def hard_sigmoid(A: Arithmetic, x: Array) -> Pair:
    value = np.clip(x + 3, 0, 6) / 6
    return value, np.where(np.abs(x) < 3, A.type(1) / 6, 0)


def hard_tanh(A: Arithmetic, x: Array, min_val: Any, max_val: Any) -> Pair:
    inside = (x > min_val) & (x < max_val)
    return np.clip(x, min_val, max_val), np.where(inside, A.type(1), 0)


def hard_swish(A: Arithmetic, x: Array) -> Pair:
    value = np.where(x >= 3, x, x * (np.maximum(x + 3, 0) / 6))
    slope = (2 * x + 3) / 6
    return value, np.where(x <= -3, 0, np.where(x >= 3, 1, slope))


def hard_shrink(A: Arithmetic, x: Array, lambd: Any) -> Pair:
    out = np.abs(x) > lambd
    return np.where(out, x, 0), np.where(out, A.type(1), 0)


def soft_shrink(A: Arithmetic, x: Array, lambd: Any) -> Pair:
    out = np.abs(x) > lambd
    return np.where(out, x - np.copysign(lambd, x), 0), np.where(out, A.type(1), 0)


@functools.cache
def _tanh_series(dtype: Any) -> list:
    """Coefficients of (x - tanh x) / x^3 in powers of x^2."""
    number = arithmetic(dtype).number
    with mp.workprec(200):
        return [
            number(-mp.bernoulli(2 * n) * 4**n * (4**n - 1) / mp.factorial(2 * n))[0]
            for n in range(2, 24)
        ]


def tanh_shrink(A: Arithmetic, x: Array) -> Pair:
    t = np.tanh(x)
    value = x - t
    near = np.abs(x) < 0.5
    if near.any():
        u = x[near]
        square = u * u
        value[near] = horner(square, _tanh_series(A.type)) * square * u
    return value, t * t


def threshold(A: Arithmetic, x: Array, threshold: Any, value: Any) -> Pair:
    above = x > threshold
    return np.where(above, x, value), np.where(above, A.type(1), 0)


def relu_squared(A: Arithmetic, x: Array) -> Pair:
    up = np.where(x > 0, x, 0)
    return up * up, 2 * up


def evaluate(name: str, params: dict, x: Array, dtype: Any = np.float64) -> Pair:
    """Value and derivative of the row ``name`` at finite ``x``, in ``dtype``.

    Parameters are taken as they are: round them to the type of the kernel.
    """
    A = arithmetic(dtype)
    wide = x.astype(dtype)
    with np.errstate(all="ignore"):
        value, derivative = globals()[name](
            A, wide, **{k: A.type(v) for k, v in params.items()}
        )
        return value, _near_root(name, params, wide, derivative)


# ---- Check ------------------------------------------------------------------
def check_points(name: str, params: dict, dtype: Any, count: int) -> Array:
    """Points of the whole range, and the neighbourhood of the root."""
    points = [reference.points(dtype, dense=count // 6)]
    exact = reference.root(name, params)
    if exact is not None:
        middle = float(exact)
        points.append(reference.around(middle, dtype, 40))
        rng = np.random.default_rng(5)
        scales = 2.0 ** -rng.uniform(0, 24, count // 4)
        points.append((middle * (1 + rng.choice([-1, 1], count // 4) * scales)).astype(dtype))
    return np.unique(np.concatenate(points))


def check(name: str, params: dict, dtype: Any, wider: Any, count: int) -> float:
    """The largest relative error; both below ``tiny`` count as equal.

    In passing, ULP errors by NumPy of results a few floats off are compared with
    those by mpmath.
    """
    from ulp import at_power_of_two, error, floats_of, order_of

    row = _registry.BY_NAME[name]
    x = check_points(name, params, dtype, count)
    worst = 0.0
    tiny = mp.mpf(2) ** (np.finfo(dtype).minexp - np.finfo(dtype).nmant - 21)
    for expression, wide in zip(
        (row.formula, row.derivative), evaluate(name, params, x, wider), strict=True
    ):
        with np.errstate(over="ignore"):
            order = order_of(wide.astype(dtype))
        near = floats_of(order + (np.arange(x.size) % 5 - 2).astype(order.dtype), dtype)
        for xi, w, y, e in zip(x, wide, near, error(near, wide), strict=True):
            exact, got = reference.evaluate(expression, x=xi, **params), to_mp(w)
            if np.isfinite(y):
                right = reference.error(y, exact)
                # error() takes a power of two for a number just below it
                doubled = at_power_of_two(w) and abs(e - 2 * right) < 0.02
                if abs(e - right) > 0.02 * max(1, right) and not doubled:
                    at = float(xi).hex()
                    raise AssertionError(f"{name} at {at}: {y!r} is {right} ULP off, not {e}")
            if abs(exact) < tiny and abs(got) < tiny:
                continue
            with mp.workprec(200):
                worst = max(worst, float(abs(got / exact - 1)) if exact else np.inf)
    return worst


def main() -> int:
    from cases import CASES, rounded

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", required=True)
    parser.add_argument("--rows", nargs="*", default=list(_registry.BY_NAME))
    parser.add_argument("--points", type=int, default=3000)
    args = parser.parse_args()
    failed = 0
    for row, given in CASES:
        if row.name not in args.rows:
            continue
        for dtype, wider, limit in (
            (np.float32, np.float64, -44), (np.float64, np.longdouble, -58),
        ):
            if np.finfo(wider).nmant <= np.finfo(dtype).nmant:
                continue
            params = rounded(given, dtype)
            worst = check(row.name, params, dtype, wider, args.points)
            log = float(np.log2(worst)) if worst else -np.inf
            bad = log > limit
            failed += bad
            print(
                f"{row.name:13s} {given!s:34s} {wider.__name__:10s} 2^{log:.1f}"
                f"{'  <- above 2^' + str(limit) if bad else ''}", flush=True,
            )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
