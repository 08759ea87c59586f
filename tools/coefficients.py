"""Regenerate every polynomial and root of ``_primitives.pxd`` and ``_formulas.pxd``.

Usage: ``python tools/coefficients.py [NAME ...]`` (needs mpmath and gmpy2).

Each polynomial minimises the largest *relative* error of the function that it
stands for: a Remez exchange in 240-bit arithmetic, after which the
coefficients are rounded to the working type.  Printed for each: log2 of the
largest relative error of the rounded polynomial (evaluated exactly) and the
coefficients, lowest power first.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import gmpy2
import mpmath as mp

mp.mp.prec = 240
LN2 = mp.log(2)


@dataclass
class Fit:
    """A polynomial p with target(x) ~ p(x) on [lo, hi].

    ``weight(x)`` turns the error of p into the relative error that matters.
    """

    about: str
    target: Callable
    weight: Callable
    lo: mp.mpf
    hi: mp.mpf
    degree: int
    bits: int  # 24: float32, 53: float64


def round_to(value, bits: int):
    """``value`` rounded to ``bits`` significant bits."""
    if value == 0:
        return mp.mpf(0)
    man, exp = mp.frexp(value)
    return mp.ldexp(mp.nint(mp.ldexp(man, bits)), exp - bits)


def remez(target, weight, lo, hi, degree, rounds=12):
    """Coefficients, highest power first, of the minimax fit of ``target``."""
    n = degree + 1
    nodes = [
        (lo + hi) / 2 - (hi - lo) / 2 * mp.cos(mp.pi * (k + mp.mpf("0.49")) / (n + 1))
        for k in range(n + 1)
    ]
    grid = [
        (lo + hi) / 2 - (hi - lo) / 2 * mp.cos(mp.pi * (k + mp.mpf(1) / 2) / (24 * n))
        for k in range(24 * n)
    ]
    wgrid = [weight(x) for x in grid]
    tgrid = [target(x) for x in grid]
    coef = None
    for _ in range(rounds):
        a = mp.matrix(n + 1, n + 1)
        b = mp.matrix(n + 1, 1)
        for i, x in enumerate(nodes):
            for j in range(n):
                a[i, j] = x ** (degree - j)
            a[i, n] = (-1) ** i / weight(x)
            b[i] = target(x)
        coef = list(mp.lu_solve(a, b))[:n]
        err = [
            (t - mp.polyval(coef, x)) * w
            for x, w, t in zip(grid, wgrid, tgrid, strict=True)
        ]
        peaks = []  # one extremum per run of equal sign
        for i, e in enumerate(err):
            if peaks and mp.sign(err[peaks[-1]]) == mp.sign(e):
                if abs(e) > abs(err[peaks[-1]]):
                    peaks[-1] = i
            else:
                peaks.append(i)
        while len(peaks) > n + 1:
            del peaks[0 if abs(err[peaks[0]]) < abs(err[peaks[-1]]) else -1]
        if len(peaks) < n + 1:
            break
        new = [grid[i] for i in peaks]
        if new == nodes:
            break
        nodes = new
    return coef


def solve(fit: Fit):
    """(coefficients rounded to ``fit.bits``, log2 of the largest error)."""
    exact = remez(fit.target, fit.weight, fit.lo, fit.hi, fit.degree)
    fixed = [round_to(c, fit.bits) for c in exact]
    xs = [fit.lo + (fit.hi - fit.lo) * mp.mpf(i) / 2000 for i in range(2001)]
    worst = max(abs((fit.target(x) - mp.polyval(fixed, x)) * fit.weight(x)) for x in xs)
    return fixed[::-1], mp.log(worst, 2)


def expm1_tail(r):
    """(expm1(r) - r) / r**2, by its series near 0."""
    if abs(r) < mp.mpf("1e-8"):
        return mp.mpf(1) / 2 + r / 6 + r * r / 24 + r**3 / 120
    return (mp.expm1(r) - r) / r**2


def log1p_tail(w):
    """(log((1 + s) / (1 - s)) - 2 s) / s**3 with s = sqrt(w)."""
    if w < mp.mpf("1e-12"):
        return mp.mpf(2) / 3 + 2 * w / 5 + 2 * w * w / 7
    s = mp.sqrt(w)
    return (mp.log((1 + s) / (1 - s)) - 2 * s) / s**3


def softplus_even(w):
    """(log(1 + exp(z)) - z / 2 - ln2) / z^2 with z = sqrt(w)."""
    if w < mp.mpf("1e-20"):
        return mp.mpf(1) / 8 - w / 192
    return mp.log(mp.cosh(mp.sqrt(w) / 2)) / w


def mills(t):
    """Phi(-t) exp(t**2 / 2)."""
    # (by MPFR: the erfc of mpmath takes up to a hundred times as long)
    with gmpy2.context(precision=mp.mp.prec + 20):
        t = gmpy2.mpfr(mp.nstr(t, mp.mp.dps + 5))
        return mp.mpf(str(gmpy2.erfc(t / gmpy2.sqrt(2)) / 2 * gmpy2.exp(t * t / 2)))


ROOT = mp.findroot(lambda t: mills(t) - t / mp.sqrt(2 * mp.pi), mp.mpf("0.7518"))


def mills_slope(t):
    """(mills(t) - t / sqrt(2 pi)) / (ROOT - t), which needs no factor t + c."""
    if abs(t - ROOT) < mp.mpf("1e-20"):
        t = ROOT + mp.mpf("1e-20")
    return (mills(t) - t / mp.sqrt(2 * mp.pi)) / (ROOT - t)


def mills_fit(about, function, c, lo, hi, degree):
    """P(z), z = (t - c) / (t + c), t in [lo, hi]: mills(t) (t + c) or mills_slope(t)."""
    c, lo, hi = mp.mpf(c), mp.mpf(lo), mp.mpf(hi)

    def target(z):
        t = c * (1 + z) / (1 - z)
        return function(t) * (t + c if function is mills else 1)

    return Fit(
        f"{about}, z = (t - {c}) / (t + {c}), t in [{lo}, {hi}]",
        target, lambda z: 1 / target(z), (lo - c) / (lo + c), (hi - c) / (hi + c),
        degree, 53,
    )


def cdf_tail(w):
    """(Phi(x) - 1/2) / x with x = sqrt(w)."""
    if w < mp.mpf("1e-30"):
        return 1 / mp.sqrt(2 * mp.pi)
    x = mp.sqrt(w)
    return mp.erf(x / mp.sqrt(2)) / 2 / x


def tanh_shrink_tail(w):
    """(x - tanh(x)) / x**3 with x = sqrt(w)."""
    if w < mp.mpf("1e-14"):
        return mp.mpf(1) / 3 - 2 * w / 15 + 17 * w * w / 315
    x = mp.sqrt(w)
    return (x - mp.tanh(x)) / x**3


def tanh_shrink_fit(edge, degree):
    return Fit(
        f"x - tanh(x) = x^3 P(x^2), |x| <= {edge}",
        tanh_shrink_tail, lambda w: 1 / tanh_shrink_tail(w),
        mp.mpf(0), mp.mpf(edge) ** 2, degree, 53,
    )


HALF = LN2 / 2 * mp.mpf("1.001")


def exp_fit(degree, bits, edge=HALF):
    return Fit(
        f"expm1(r) = r + r^2 P(r), |r| <= {mp.nstr(edge, 5)}, total degree {degree + 2}",
        expm1_tail, lambda r: r * r / mp.exp(r), -edge, edge, degree, bits,
    )


def log1p_fit(degree, top="1", bits=53):
    return Fit(
        f"log1p(e) = 2 s + s^3 P(s^2), s = e / (2 + e), e in [0, {top}]",
        log1p_tail, lambda w: w / (2 + w * log1p_tail(w)),
        mp.mpf(0), (mp.mpf(top) / (2 + mp.mpf(top))) ** 2, degree, bits,
    )


#: where 1 + exp(u) - u exp(u), the numerator of silu'(-u), is 0
SILU_ROOT = mp.findroot(lambda u: 1 + mp.exp(u) - u * mp.exp(u), mp.mpf("1.28"))


def silu_slope(h):
    """silu'(-u) / h, h = u - SILU_ROOT."""
    h = h if abs(h) > mp.mpf("1e-20") else mp.mpf("1e-20")
    u = SILU_ROOT + h
    e = mp.exp(u)
    return (1 + e - u * e) / (1 + e) ** 2 / h


FITS = {
    "exp_f32": exp_fit(5, 24),
    "exp_wide": exp_fit(5, 53),
    "exp_f64": exp_fit(10, 53),
    "log1p_f32": log1p_fit(3, "0.6457", 24),
    "log1p_wide": log1p_fit(5),
    "log1p_f64": log1p_fit(9),
    "softplus_f32": Fit(
        "softplus(z) = ln2 + z / 2 + z^2 P(z^2), |z| <= 0.4375",
        softplus_even, lambda w: w / LN2, mp.mpf(0), mp.mpf("0.4375") ** 2, 2, 24,
    ),
    "mills_wide": mills_fit("Mills ratio P(z)", mills, 4, 0, 15, 9),
    "mills_f64": mills_fit("Mills ratio P(z)", mills, 5, "0.7", 39, 20),
    "slope_wide": mills_fit("slope of the derivative P(z)", mills_slope, 4, 0, 15, 10),
    "slope_f64": mills_fit("slope of the derivative P(z)", mills_slope, 5, 0, 39, 20),
    "cdf_f64": Fit(
        "Phi(x) = 1/2 + x P(x^2), |x| <= 0.75",
        cdf_tail, lambda w: 1 / cdf_tail(w), mp.mpf(0), mp.mpf("0.5625"), 9, 53,
    ),
    "silu_slope_f64": Fit(
        "silu'(-u) = h P(h), h = u - u0, |h| <= 1/16",
        silu_slope, lambda h: 1 / silu_slope(h), mp.mpf("-0.0626"), mp.mpf("0.0626"), 8, 53,
    ),
    "tanh_shrink_f64": tanh_shrink_fit("0.9", 14),
}


def anchors():
    """The constants of _formulas.pxd at the roots of derivatives: (name, bits, values).

    u0 is taken as U + UL, U of 8 bits, such that c = exp(-u0) needs no low part; v0
    is a number and its low part; delta is what the derivative's factor is at u0.
    """

    def silu(u):
        return 1 + mp.exp(-u) - u

    def gelu_tanh(a):
        return 1 + mp.exp(-tanh_u(a)) - tanh_v(a)

    def mish(a):
        e = mp.exp(-a)
        return (e + 2) * (e * e + 2 * e + 2) - 4 * a * (1 + e)

    root = 2 * mp.sqrt(2 / mp.pi)
    cube = mp.mpf("0.044715")

    def tanh_u(a):
        return root * (a + cube * a**3)

    def tanh_v(a):
        return root * (a + 3 * cube * a**3)

    a0 = mp.findroot(gelu_tanh, mp.mpf("0.7525"))
    for name, u0, v0, gap, bits in (
        ("silu", SILU_ROOT, None, silu, 53),
        ("silu", SILU_ROOT, None, silu, 24),
        ("gelu_tanh", tanh_u(a0), tanh_v(a0), None, 53),
        ("mish", mp.findroot(mish, mp.mpf("1.19")), None, mish, 53),
    ):
        c = round_to(mp.exp(-u0), bits)
        high = mp.nint(u0 * 128) / 128
        low = round_to((u0 if (name, bits) == ("silu", 53) else -mp.log(c)) - high, bits)
        u = high + low
        v = round_to(v0 or u, bits)
        v_low = round_to((v0 or u) - v, bits)
        delta = gap(u) if gap else 1 + mp.exp(-u) - v - v_low
        values = [c, high, low, v, v_low, round_to(delta, bits)]
        if name == "mish":
            e = mp.exp(-u)
            slope = round_to(4 * (1 + e), bits)
            values += [round_to(e * e + 4 * e + 6, bits), slope,
                       round_to(4 * (1 + e) - slope, bits)]
        yield name, bits, values
    # The root of silu', whatever beta makes of it: in three parts, the first two
    # multiples of 2^-52 and 2^-105.
    u0 = mp.findroot(silu, mp.mpf("1.28"))
    first = mp.nint(mp.ldexp(u0, 52)) / 2**52
    second = mp.nint(mp.ldexp(u0 - first, 105)) / 2**105
    yield "swish", 53, [
        round_to(mp.exp(-u0), 53), first, second, round_to(u0 - first - second, 53),
        mp.mpf("1.28125"), first - mp.mpf("1.28125"),
    ]


def literal(coefficient, bits: int) -> str:
    """As it stands in the source: digits enough to identify the number."""
    return mp.nstr(coefficient, 9) if bits == 24 else repr(float(coefficient))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(FITS))
    parser.add_argument(
        "--check", action="store_true",
        help="exit 1 if a coefficient is not in the source",
    )
    args = parser.parse_args()
    package = Path(__file__).parent.parent / "fastact"

    source = "".join(
        (package / name).read_text() for name in ("_primitives.pxd", "_formulas.pxd")
    )
    # (leading zeros and exponents are written in different ways)
    there = {float(n) for n in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", source)}
    there |= {-n for n in there}
    stale = 0
    for name in args.names or FITS:
        fit = FITS[name]
        coef, err = solve(fit)
        print(f"{name}: {fit.about}\n  log2 max relative error {mp.nstr(err, 5)}")
        for k, c in enumerate(coef):
            text = literal(c, fit.bits)
            missing = args.check and float(text) not in there and float(text) != 1
            stale += missing
            print(f"  {k:2d}  {text}{'  <- not in the source' if missing else ''}")
    for name, bits, values in anchors() if not args.names else ():
        about = "c, U, UL, v0, its low part, delta, ..."
        if name == "swish":
            about = "c, u0 in three parts, U, the first less U"
        print(f"anchor of {name}, {bits} bits: {about}")
        for value in values:
            text = literal(value, bits)
            missing = args.check and float(text) not in there
            stale += missing
            print(f"      {text}{'  <- not in the source' if missing else ''}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
