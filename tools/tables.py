"""Write fastact/_tables.h: piecewise polynomials for look-up by permutation.

    python tools/tables.py            writes the file (half a minute; needs mpmath)
    python tools/tables.py --check    exit 1 if the file has other numbers

AVX-512 picks one of 32 numbers per lane in one instruction.  A table holds, for each
of at most 32 intervals, a centre c, p0 = F(c) and polynomial coefficients with
F(c + d) = p0 + d (p1 + d (p2 + ...)).  c is chosen so that F(c) is almost a float32
(Gal's accurate tables): p0 then costs no accuracy, and what the rest rounds matters
little, as it is smaller.  Entries stand where the bits of the argument point: see
_avx512.h.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import coefficients
import mpmath as mp
import numpy as np

mp.mp.prec = 120
TARGET = Path(__file__).resolve().parent.parent / "fastact" / "_tables.h"
SIZE = 32


@dataclass
class Table:
    """F on [0, top] in intervals of equal width in log2(x + shift)."""

    name: str
    about: str
    function: Callable
    shift: float
    top: float
    per_octave: int
    degree: int
    #: what F is at 0, where the first centre is: (p0, the part of F that d adds itself)
    at_0: tuple[float, float]

    def intervals(self) -> list[tuple[int, float, float]]:
        """(entry, from, to) of each: the entry is the low bits of exponent and mantissa."""
        found = []
        octave = math.frexp(self.shift)[1] - 1
        while True:
            for k in range(self.per_octave):
                lo, hi = (
                    2.0**octave * (1 + j / self.per_octave) - self.shift for j in (k, k + 1)
                )
                if lo >= self.top:
                    return found
                entry = ((127 + octave) * self.per_octave + k) % SIZE
                found.append((entry, lo, min(hi, self.top)))
            octave += 1


def mills(t):
    """Phi(-t) exp(t^2 / 2)."""
    return mp.erfc(t / mp.sqrt(2)) / 2 * mp.exp(t * t / 2)


TABLES = [
    Table("gelu", "Mills ratio Phi(-t) exp(t^2 / 2)", mills, 1.0, 14.75, 8, 5, (0.5, 0)),
    Table("tanh", "tanh(t); where base is 1, tanh(c + d) - d", mp.tanh, 0.125, 9.875, 4, 5,
          (0.0, 1)),
]


def near_float(function, middle) -> tuple[np.float32, np.float32]:
    """A float32 near ``middle`` whose function value is nearly a float32 too."""
    up = down = np.float32(middle)
    best = None
    for _ in range(4000):
        for c in (up, down):
            value = function(mp.mpf(float(c)))
            p0 = np.float32(float(value))
            error = abs(value / mp.mpf(float(p0)) - 1)
            if best is None or error < best[0]:
                best = error, c, p0
        if best[0] < mp.mpf(2) ** -31:
            break
        up, down = np.nextafter(up, np.float32(99)), np.nextafter(down, np.float32(-99))
    return best[1], best[2]


def fit(function, lo, hi, c, p0, degree) -> tuple[list[np.float32], mp.mpf]:
    """p1, p2, ... and the largest relative error.

    Least squares on Chebyshev nodes; each coefficient is rounded before the next ones
    are fitted again.
    """
    n = 6 * degree
    nodes = [(lo + hi) / 2 + (hi - lo) / 2 * mp.cos(mp.pi * (2 * k + 1) / (2 * n))
             for k in range(n)]
    points = [(x - c, function(x)) for x in nodes if abs(x - c) > 1e-6]
    rounded: list[np.float32] = []

    def error(d, value, coefficients):
        return (value - p0 - mp.polyval([*map(mp.mpf, map(float, coefficients[::-1])), 0], d)
                ) / value

    while len(rounded) < degree:
        first = len(rounded) + 1
        powers = range(first, degree + 1)
        a = mp.matrix([[d**k / v for k in powers] for d, v in points])
        b = mp.matrix([error(d, v, rounded) for d, v in points])
        rounded.append(np.float32(float(mp.lu_solve(a, b)[0])))
    return rounded, max(abs(error(d, v, rounded)) for d, v in points)


def text_of(table: Table) -> str:
    columns = {name: [0.0] * SIZE for name in ["c", *range(table.degree + 1), "base"]}
    worst = mp.mpf(0)
    for i, (entry, lo, hi) in enumerate(table.intervals()):
        base = 0.0
        if i == 0:
            c, p0 = np.float32(0), np.float32(table.at_0[0])
            base = float(table.at_0[1])
        else:
            c, p0 = near_float(table.function, (lo + hi) / 2)
        found, error = fit(table.function, mp.mpf(lo), mp.mpf(hi), mp.mpf(float(c)),
                           mp.mpf(float(p0)), table.degree)
        worst = max(worst, error)
        columns["c"][entry], columns["base"][entry] = float(c), base
        columns[0][entry] = float(p0)
        for k, value in enumerate(found, 1):
            columns[k][entry] = float(value) - (base if k == 1 else 0.0)
    if not any(columns["base"]):
        del columns["base"]
    lines = [f"/* {table.about}: relative error 2^{float(mp.log(worst, 2)):.1f} */"]
    for name, values in columns.items():
        lines.append(f"static const float fa_{table.name}_{name}[{SIZE}] = {{")
        for at in range(0, SIZE, 4):
            lines.append("    " + " ".join(f"{v.hex()}f," for v in values[at:at + 4]))
        lines.append("};")
    return "\n".join(lines)


def exponential() -> str:
    """The polynomial of the float32 exponential, which _primitives.pxd has too."""
    found, error = coefficients.solve(coefficients.FITS["exp_f32"])
    numbers = " ".join(f"{float(c).hex()}f," for c in found)
    return (
        f"/* (expm1(r) - r) / r^2: relative error of exp(r) 2^{float(error):.1f} */\n"
        f"static const float fa_expm1_tail[{len(found)}] = {{\n    {numbers}\n}};"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    parts = ["/* Written by tools/tables.py. */", exponential(), *map(text_of, TABLES)]
    text = "\n\n".join(parts) + "\n"
    if not args.check:
        TARGET.write_text(text)
        return 0
    if TARGET.read_text() != text:
        print(f"{TARGET} is not what tools/tables.py writes", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
