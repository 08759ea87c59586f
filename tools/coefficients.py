"""Regenerate every polynomial in ``fastact/_primitives.pxd``.

Usage: ``python tools/coefficients.py [NAME ...]`` (needs mpmath).

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


def remez(target, weight, lo, hi, powers, rounds=12):
    """Coefficients (by power) of the minimax fit of ``target`` by ``powers``."""
    n = len(powers)
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
            for j, k in enumerate(powers):
                a[i, j] = x**k
            a[i, n] = (-1) ** i / weight(x)
            b[i] = target(x)
        solution = mp.lu_solve(a, b)
        coef = {k: solution[j] for j, k in enumerate(powers)}
        err = [
            (t - sum(c * x**k for k, c in coef.items())) * w
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
    exact = remez(
        fit.target, fit.weight, fit.lo, fit.hi, list(range(fit.degree + 1))
    )
    fixed = {k: round_to(c, fit.bits) for k, c in exact.items()}
    xs = [fit.lo + (fit.hi - fit.lo) * mp.mpf(i) / 2000 for i in range(2001)]
    worst = max(
        abs((fit.target(x) - sum(c * x**k for k, c in fixed.items())) * fit.weight(x))
        for x in xs
    )
    return [fixed[k] for k in range(fit.degree + 1)], mp.log(worst, 2)


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


def mills(t):
    """Phi(-t) exp(t**2 / 2)."""
    return mp.erfc(t / mp.sqrt(2)) / 2 * mp.exp(t * t / 2)


def mills_fit(about, c, lo, hi, degree, bits):
    """Mills ratio as P(z) / (t + c), z = (t - c) / (t + c), t in [lo, hi]."""

    def t_of(z):
        return c * (1 + z) / (1 - z)

    def target(z):
        return mills(t_of(z)) * (t_of(z) + c)

    return Fit(
        about, target, lambda z: 1 / target(z), (lo - c) / (lo + c), (hi - c) / (hi + c),
        degree, bits,
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


HALF = LN2 / 2 * mp.mpf("1.001")


def exp_fit(degree, bits):
    return Fit(
        f"expm1(r) = r + r^2 P(r), |r| <= ln2/2, total degree {degree + 2}",
        expm1_tail, lambda r: r * r / mp.exp(r), -HALF, HALF, degree, bits,
    )


FITS = {
    "exp_f32": exp_fit(4, 24),
    "exp_f64": exp_fit(9, 53),
    "log1p_f32": Fit(
        "log1p(u) = u P(u), u in [0, 1]",
        lambda u: mp.log1p(u) / u if u else mp.mpf(1),
        lambda u: u / mp.log1p(u) if u else mp.mpf(1),
        mp.mpf(0), mp.mpf(1), 9, 24,
    ),
    "log1p_f64": Fit(
        "log1p(e) = 2 s + s^3 P(s^2), s = e / (2 + e), e in [0, 1]",
        log1p_tail, lambda w: w / (2 + w * log1p_tail(w)),
        mp.mpf(0), mp.mpf(1) / 9, 9, 53,
    ),
    "mills_f32": mills_fit(
        "Mills ratio P(z)/(t+4), z = (t-4)/(t+4), t in [0, 15]",
        mp.mpf(4), mp.mpf(0), mp.mpf(15), 10, 24,
    ),
    "mills_f64": mills_fit(
        "Mills ratio P(z)/(t+5), z = (t-5)/(t+5), t in [0.7, 39]",
        mp.mpf(5), mp.mpf("0.7"), mp.mpf(39), 20, 53,
    ),
    "cdf_f64": Fit(
        "Phi(x) = 1/2 + x P(x^2), |x| <= 0.75",
        cdf_tail, lambda w: 1 / cdf_tail(w), mp.mpf(0), mp.mpf("0.5625"), 9, 53,
    ),
    "tanh_shrink_f64": Fit(
        "x - tanh(x) = x^3 P(x^2), |x| <= 0.9",
        tanh_shrink_tail, lambda w: 1 / tanh_shrink_tail(w),
        mp.mpf(0), mp.mpf("0.81"), 14, 53,
    ),
}


def literal(coefficient, bits: int) -> str:
    """As it stands in the source: digits enough to identify the number."""
    return mp.nstr(coefficient, 9) if bits == 24 else repr(float(coefficient))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(FITS))
    parser.add_argument(
        "--check", action="store_true",
        help="exit 1 if a coefficient is not in fastact/_primitives.pxd",
    )
    args = parser.parse_args()
    source = Path(__file__).parent.parent / "fastact" / "_primitives.pxd"
    # The source writes leading zeros and exponents in its own way: compare numbers.
    there = {float(n) for n in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", source.read_text())}
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
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
