"""Write fastact/_rows_avx2.h: rows of f and of f' for _rows_of.h, float32.

    python tools/rows.py            writes the file (some seconds; needs mpmath)
    python tools/rows.py --check    exit 1 if the file has other numbers

A row is of an interval of one step, and has four words: c0, c1, c2 and c3, whose lower half
is that of c3 and the upper half, too, of d: the polynomial is c0 + h (c1 + h (c2 + h c3))
for h = x - n step - d.  d is such that f there is a float32 number, but for some 2^-9 ulp.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import mpmath as mp
import numpy as np
from generated import write_or_check
from tables import gelu, gelu_tanh, mish, quick_gelu

TARGET = Path(__file__).resolve().parent.parent / "fastact" / "_rows_avx2.h"
#: the points of an interval that a fit sees, by its middle, 1 to its end, and the
#: polynomials of Chebyshev there
COUNT = 14
ANGLES = [(k + mp.mpf(1) / 2) * mp.pi / COUNT for k in range(COUNT)]
POINTS = np.array([float(mp.cos(angle)) for angle in ANGLES])
CHEBYSHEV = np.array([[float(mp.cos(j * a)) for a in ANGLES] for j in range(11)])


class Rows(NamedTuple):
    """A function and its derivative, from ``low`` to ``high`` steps.

    The step is the root of the derivative by a whole number (``steps_to_root``), rounded so
    that n step is exact.
    """

    name: str
    of: Callable  # x -> f(x), f'(x)
    root: float
    steps_to_root: int
    low: int
    high: int
    bend: float  # c4 / c2 at the root of the derivative, where three terms are too few
    #: what the slope of f at 0 lacks as a float32 number
    lack: float = 0.0

    @property
    def step(self) -> float:
        return round(abs(self.root) / self.steps_to_root * 2**23) / 2**23


def displacements(step: float) -> np.ndarray:
    """What d can be: numbers of 8 bits, the last of which is 2^-30 or more, as that of x and of
    n step is: x - n step - d is exact then, as it is below 2^-6.
    """
    mantissa = np.arange(128, 256)
    found = [np.zeros(1)]
    for exponent in range(-37, -14):
        d = mantissa * 2.0**exponent
        d = d[(d < step / 2) & (d % 2.0**-30 == 0)]
        found += [d, -d]
    return np.concatenate(found)


def word(c3: float, d: float) -> np.uint32:
    """c3 with the upper half of d as its lower half, as near to c3 as can be."""
    upper, lower = (int(np.float32(v).view(np.uint32)) >> 16 for v in (c3, d))
    words = [np.uint32(max(upper + k, 0) << 16 | lower) for k in (-1, 0, 1)]
    return min(words, key=lambda w: abs(float(w.view(np.float32)) - c3))


def dot(a: np.ndarray, b: np.ndarray) -> float:
    """Their product, the same on every machine (the libraries below NumPy differ)."""
    return math.fsum(a * b)


def cubes(h: np.ndarray) -> np.ndarray:
    """Rounded once, likewise (NumPy's powers are another library's with AVX-512)."""
    return np.array([float(mp.mpf(float(x)) ** 3) for x in h])


def last_factor(columns: list[np.ndarray], of: np.ndarray) -> float:
    """The factor of the last column in the best sum of columns for ``of`` (Gram, Schmidt)."""
    found: list[np.ndarray] = []
    for column in columns:
        for q in found:
            column = column - q * (dot(q, column) / dot(q, q))
        found.append(column)
    return dot(found[-1], of) / dot(found[-1], found[-1])


class Piece(NamedTuple):
    """What a row is of: a function at ``xs``, around x."""

    x: float
    step: float
    xs: np.ndarray
    ys: np.ndarray
    slope: float  # at its root
    zero: mp.mpf | None  # the root, if it is in the interval: the polynomial has it, too
    bend: float
    lack: float


def candidates(piece: Piece) -> list[tuple[float, float]]:
    """Pairs of d and c0."""
    d = displacements(piece.step)
    if piece.zero is not None:
        order = np.argsort(np.abs(piece.x + d - float(piece.zero)), kind="stable")
        return [(float(d[k]), 0.0) for k in order[: 12 if piece.zero else 1]]
    factors = [dot(row, piece.ys) * 2 / COUNT for row in CHEBYSHEV]
    value = np.polynomial.chebyshev.chebval(d / piece.step * 2, [factors[0] / 2, *factors[1:]])
    nearest = value.astype(np.float32).astype(float)
    order = np.argsort(np.abs(value / nearest - 1), kind="stable")
    # c0 less the result is exact between half of c0 and twice (1%: the points end before)
    sizes = np.abs(piece.ys)
    fits = (np.abs(value) < 1.98 * sizes.min()) & (1.98 * np.abs(value) > sizes.max())
    order = order[fits[order]]
    order = np.append(order[:6], order[np.abs(d[order]) < piece.step / 8][:6])
    return [(float(d[k]), float(nearest[k])) for k in order]


def words_for(piece: Piece, d: float, c0: float) -> tuple[float, list[np.uint32]]:
    """The largest relative error, and the words."""
    h, weights = piece.xs - (piece.x + d), 1 / np.abs(piece.ys)
    at = 0.0 if piece.zero is None else float(piece.zero - mp.mpf(piece.x + d))
    powers = [h - at, h**2 * (1 + piece.bend * h**2) - at**2, cubes(h) - at**3]
    columns = [power * weights for power in powers]
    rest = (piece.ys - c0 - piece.lack * h) * weights
    last = word(last_factor(columns, rest), d)
    c = [float(last.view(np.float32))]
    rest = rest - columns[2] * c[0]
    for k in (2, 1):
        c.insert(0, float(np.float32(last_factor(columns[:k], rest))))
        rest = rest - columns[k - 1] * c[0]
    if piece.zero is not None:
        exact = -at * (c[0] + at * (c[1] + at * c[2]))
        c0 = float(np.float32(exact))
        rest = np.append(rest, (c[0] + 2 * at * c[1] + piece.lack) / piece.slope - 1)
        if at:  # (at the number next to the root)
            near = float(abs(mp.mpf(float(np.float32(float(piece.zero)))) - piece.zero))
            rest = np.append(rest, (c0 - exact) / piece.slope / near)
    words = [np.float32(v).view(np.uint32) for v in (c0, *c[:2])]
    return float(np.max(np.abs(rest))), [*words, last]


def text_of(rows: Rows) -> str:
    """A table in C."""
    step, lines, worst = rows.step, [], [(0.0, 0)] * 2
    zeros = mp.mpf(0), mp.findroot(lambda x: rows.of(x)[1], rows.root)
    slopes = rows.of(0)[1], mp.diff(lambda x: rows.of(x)[1], zeros[1])
    for n in range(rows.low, rows.high + 1):
        words, x = [], n * step
        xs = x + POINTS * (step / 2)
        ys = np.array([rows.of(mp.mpf(x)) for x in xs], float)
        for k in range(2):
            zero = zeros[k] if abs(zeros[k] - x) < step / 2 else None
            bend, lack = (rows.bend, 0.0) if k else (0.0, rows.lack)
            piece = Piece(x, step, xs, ys[:, k], float(slopes[k]), zero, bend, lack)
            error, four = min(words_for(piece, *of) for of in candidates(piece))
            words += four
            worst[k] = max(worst[k], (error, n))
        lines.append("    {" + ", ".join(f"0x{w:08x}" for w in words) + "},")
    errors = ", ".join(f"2^{np.log2(e):.1f} at {n * step:.3f}" for e, n in worst)
    name = rows.name.upper()
    return "\n".join([
        f"/* {rows.name}, and its derivative: relative errors {errors} */",
        f"#define FA_ROWS_{name}_STEP {step}f",
        f"#define FA_ROWS_{name}_LOW {rows.low}",
        f"#define FA_ROWS_{name}_HIGH {rows.high}",
        f"#define FA_ROWS_{name}_BEND {rows.bend}f",
        f"#define FA_ROWS_{name}_LACK {rows.lack}f",
        f"static const unsigned fa_rows_{rows.name}[{len(lines)}][8] FA_ALIGNED = {{",
        *lines,
        "};",
    ])


LACK_OF_0_6 = 0.6 - float(np.float32(0.6))
# (The steps of gelu in both forms let the rows begin where hardly any input is.)
ROWS = [
    Rows("gelu", gelu, -0.7517915246935645, 56, -480, 596, -0.2938),
    Rows("gelu_tanh", gelu_tanh, -0.7524614220710163, 84, -682, 893, -0.2938),
    Rows("quick_gelu", quick_gelu, -0.751154255441289, 48, -511, 511, -0.3007),
    Rows("mish", mish, -1.1924312145154952, 75, -503, 503, -0.099, LACK_OF_0_6),
]


def text() -> str:
    """The whole file."""
    mp.mp.prec = 100
    parts = ["/* Written by tools/rows.py. */"]
    parts.append("#define FA_ALIGNED __attribute__((aligned(32)))")
    parts += map(text_of, ROWS)
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.exit(write_or_check(TARGET, __doc__, text))
