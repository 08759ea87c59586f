"""Write fastact/_tables.h: piecewise polynomials for look-up by permutation.

    python tools/tables.py            writes the file (some seconds; needs mpmath)
    python tools/tables.py --check    exit 1 if the file has other numbers

AVX-512 picks one of 32 numbers per lane in one instruction.  A table holds, for each of
at most 32 intervals of a = |x|, a centre c and coefficients with

    F(c + d) = b d + (p0 + d (p1 + d (p2 + ...))).

Only the last two sums round by more than a trifle, and one of them is exact or small:

* In most intervals b = 0, and c is chosen so that F(c) is almost a float32 (Gal's
  accurate tables): p0 costs no accuracy, and d P(d) is smaller than p0.
* Where F has a root, c is the float32 next to it, and b is the slope there: p0 and the
  rest of the slope are small against b d, whose product is not rounded.

The entry of a is the integer next to linear a + square a^2: see _avx512.h.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import mpmath as mp
import numpy as np

mp.mp.prec = 100
TARGET = Path(__file__).resolve().parent.parent / "fastact" / "_tables.h"
SIZE = 32


@dataclass
class Index:
    """Which entry holds a: the integer next to linear a + square a^2, after ``first``."""

    linear: float
    square: float = 0.0
    first: int = 0
    entries: int = SIZE

    def inverse(self, j: float) -> float:
        root = (self.linear**2 + 4 * self.square * j) ** 0.5
        return max(0.0, 2 * j / (self.linear + root))

    def interval(self, j: int) -> tuple[float, float]:
        return self.inverse(j - 0.5), self.inverse(j + 0.5)

    @property
    def code(self) -> str:
        return f"fa_index(a, {self.linear!r}f, {self.square!r}f, {self.first})"


@dataclass
class LogIndex:
    """Four entries for each octave of a + shift, a power of 2: the low bits of exponent
    and mantissa."""

    shift: float
    entries: int

    @property
    def first(self) -> int:
        return (127 + round(np.log2(self.shift))) * 4 % SIZE

    def interval(self, j: int) -> tuple[float, float]:
        lo, hi = (
            self.shift * (2 ** (k // 4) * (1 + k % 4 / 4) - 1) for k in (j, j + 1)
        )
        return lo, hi

    @property
    def code(self) -> str:
        return f"fa_log_index(a, {self.shift!r}f)"


@dataclass
class Piece:
    """F of the entries of an index; the error of the fit is by ``weight``, or by F."""

    function: Callable
    index: Index | LogIndex
    weight: Callable | None = None
    roots: tuple[float, ...] = ()
    #: whether the first centre is 0, so that F(0) and F near 0 are right
    from_0: bool = True


@dataclass
class Table:
    name: str
    about: str
    degree: int
    pieces: list[Piece]
    #: another p0, of a + F(a)
    plus: bool = False


def sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def gated(x, u, slope):
    """x sigmoid(u) and its derivative, for the derivative ``slope`` of u."""
    s = sigmoid(u)
    return x * s, s + x * slope * s * (1 - s)


def silu(x):
    return gated(x, x, 1)


def quick_gelu(x):
    return gated(x, mp.mpf("1.702") * x, mp.mpf("1.702"))


def gelu_tanh(x):
    k = 2 * mp.sqrt(2 / mp.pi)
    return gated(
        x, k * (x + mp.mpf("0.044715") * x**3), k * (1 + mp.mpf("0.134145") * x * x)
    )


def gelu(x):
    phi = mp.erfc(-x / mp.sqrt(2)) / 2
    return x * phi, phi + x * mp.npdf(x)


def mish(x):
    t = mp.tanh(mp.log1p(mp.exp(x)))
    return x * t, t + x * (1 - t * t) * sigmoid(x)


def softplus(x):
    return mp.log1p(mp.exp(x)), sigmoid(x)


def shrink(a):
    """(a - tanh(a)) / a^3"""
    with mp.extraprec(100):
        return (a - mp.tanh(a)) / a**3


def left(of, degree, index, slope_index, root, right=None):
    """Tables of -f(-a) and f'(-a), for a function f with f(x) = x + f(-x).

    Or, with ``right``, another index, of a - f(a) and 1 - f'(a) as well.
    """
    name = of.__name__
    values = [Piece(lambda a: -of(-a)[0], index)]
    slopes = [Piece(lambda a: of(-a)[1], slope_index, roots=(root,))]
    about = f"-{name}(-a)", f"{name}'(-a)"
    if right:
        values.append(Piece(lambda a: a - of(a)[0], right, weight=lambda a: of(a)[0]))
        slopes.append(Piece(lambda a: 1 - of(a)[1], right, weight=lambda a: mp.mpf(1)))
        about = about[0] + f", and a - {name}(a)", about[1] + f", and 1 - {name}'(a)"
    return [
        Table(name, about[0], degree, values), Table(f"{name}_d", about[1], degree + 1, slopes)
    ]


# Each index was chosen by a random search: a small largest error, few terms, the root in the
# middle of its interval, and a top so high that f is x (or 1) beyond it.
LOGISTIC = Index(1.6)
EXP = Index(1.8)
LIMIT = LogIndex(0.25, 25)
STEEP = LogIndex(0.125, 25)
SHRINK = Index(3.3)
MISH = Index(1.9, -0.0272, entries=20)
MISH_RIGHT = Index(2.113, -0.097, first=20, entries=12)
#: scale alpha of selu
SELU = mp.mpf("1.0507009873554804934193349852946") * mp.mpf("1.6732632423543772848170429916717")
TABLES = [
    Table("sigmoid", "sigmoid(-a)", 6, [Piece(lambda a: sigmoid(-a), LOGISTIC)]),
    Table("sigmoid_d", "sigmoid'(a)", 6,
          [Piece(lambda a: sigmoid(-a) * sigmoid(a), LOGISTIC)]),
    Table("softplus", "log(1 + exp(-a))", 6,
          [Piece(lambda a: mp.log1p(mp.exp(-a)), LOGISTIC)], plus=True),
    Table("tanh", "tanh(a)", 5, [Piece(mp.tanh, STEEP)]),
    Table("tanh_d", "tanh'(a)", 6, [Piece(lambda a: mp.sech(a)**2, Index(3.4))]),
    Table("elu", "1 - exp(-a)", 6, [Piece(lambda a: -mp.expm1(-a), LIMIT)]),
    Table("elu_d", "exp(-a)", 6, [Piece(lambda a: mp.exp(-a), EXP)]),
    Table("selu", "scale alpha (1 - exp(-a))", 6,
          [Piece(lambda a: -SELU * mp.expm1(-a), LIMIT)]),
    Table("selu_d", "scale alpha exp(-a)", 6, [Piece(lambda a: SELU * mp.exp(-a), EXP)]),
    Table("tanh_shrink", "(a - tanh(a)) / a^3", 5, [Piece(shrink, SHRINK, from_0=False)]),
    Table("tanh_shrink_d", "(tanh(a) / a)^2, and from the entry 8 on tanh(a)^2", 6,
          [Piece(lambda a: (mp.tanh(a) / (a if a < 7.5 / 3.3 else 1))**2, SHRINK,
                 from_0=False)]),
    *left(silu, 6, LOGISTIC, LOGISTIC, 1.2784645427610738),
    *left(quick_gelu, 6, Index(2.72), Index(3.163, -0.0475), 0.751154255441299),
    *left(gelu, 6, Index(1.784, 0.5301), Index(3.9, 0.1533), 0.7517915246935645),
    *left(gelu_tanh, 6, Index(1.784, 0.677), Index(3.991, 0.2881), 0.7524614220710163),
    *left(mish, 6, MISH, MISH, 1.1924312145154952, MISH_RIGHT),
]


def centre(piece: Piece, lo: float, hi: float) -> float:
    """Where d P(d), which rounds, is the same part of F at both ends.

    But so that a - c is exact, or almost where F is large.
    """
    if lo == 0:
        return hi / 2
    weight = piece.weight or piece.function
    at_lo, at_hi = (abs(float(weight(mp.mpf(x)))) for x in (lo, hi))
    c = (lo * at_hi + hi * at_lo) / (at_hi + at_lo)
    return min(max(c, hi / 2), 2.6 * lo)


def near_float(
    function: Callable, middle: float, width: float, plus: bool
) -> tuple[np.float32, np.float32]:
    """A float32 near ``middle`` whose function value is nearly a float32 too.

    With ``plus``, so is the sum of both.
    """
    taylor = [float(t) for t in mp.taylor(function, mp.mpf(middle), 12)]
    step = np.spacing(np.float32(middle))
    reach = min(2000, int(0.05 * width / step))
    found = np.float32(middle) + np.arange(-reach, reach + 1, dtype=np.float32) * step
    d = found.astype(np.float64) - middle
    value = np.polynomial.polynomial.polyval(d, taylor)
    error = np.abs(value.astype(np.float32) / value - 1)
    if plus:
        both = found + value
        error = np.maximum(error, np.abs(both.astype(np.float32) / both - 1))
    best = np.argmin(error)
    return found[best], value[best].astype(np.float32)


def middle_slope(function, lo: float, hi: float, c: float) -> float:
    """The middle of the slopes of the chords from c."""
    chords = [
        float((function(mp.mpf(x)) - function(mp.mpf(c))) / (x - c)) if abs(x - c) > 1e-6
        else float(mp.diff(function, c))
        for x in np.linspace(lo, hi, 9)
    ]
    return (min(chords) + max(chords)) / 2


def fit(piece: Piece, lo, hi, c, p0, b, degree) -> tuple[list[np.float32], float]:
    """p1, p2, ... and the largest error.

    Least squares on Chebyshev nodes (in mpmath, so that every machine finds the same);
    each coefficient is rounded before the next ones are fitted again.
    """
    n = 4 * degree
    nodes = [
        (mp.mpf(lo) + hi) / 2 + (mp.mpf(hi) - lo) / 2 * mp.cos(mp.pi * (2 * k + 1) / (2 * n))
        for k in range(n)
    ]
    nodes = [x for x in nodes if abs(x - c) > 1e-6]
    values = [piece.function(x) for x in nodes]
    weights = values if piece.weight is None else [piece.weight(x) for x in nodes]
    rest = [(f - p0 - b * (x - c)) / w for x, f, w in zip(nodes, values, weights, strict=True)]
    columns = [
        [(x - c) ** k / w for x, w in zip(nodes, weights, strict=True)]
        for k in range(1, degree + 1)
    ]
    rounded: list[np.float32] = []
    for k, column in enumerate(columns):
        found = mp.lu_solve(mp.matrix(columns[k:]).T, mp.matrix(rest))
        rounded.append(np.float32(float(found[0])))
        rest = [r - a * float(rounded[-1]) for r, a in zip(rest, column, strict=True)]
    return rounded, float(max(map(abs, rest)))


def columns(table: Table) -> tuple[dict[str, list[float]], float]:
    """The numbers of a table, and its largest error."""
    found = {name: [0.0] * SIZE for name in ["c", "b", *range(table.degree + 1)]}
    worst = 0.0
    for piece in table.pieces:
        index = piece.index
        for j in range(index.entries):
            lo, hi = index.interval(j)
            root = next((r for r in piece.roots if lo < r < hi), None)
            b = 0.0
            if j == 0 and piece.from_0:
                c, p0 = np.float32(0), np.float32(float(piece.function(mp.mpf(0))))
            elif root:
                c = np.float32(root)
                p0 = np.float32(float(piece.function(mp.mpf(float(c)))))
            else:
                c, p0 = near_float(piece.function, centre(piece, lo, hi), hi - lo, table.plus)
            if root:
                b = np.float32(middle_slope(piece.function, lo, hi, float(c)))
            elif p0 == 0:
                b = np.float32(float(mp.diff(piece.function, 0)))
            numbers, error = fit(piece, lo, hi, mp.mpf(float(c)), mp.mpf(float(p0)),
                                 mp.mpf(float(b)), table.degree)
            worst = max(worst, error)
            for name, value in zip(found, [c, b, p0, *numbers], strict=True):
                found[name][(index.first + j) % SIZE] = float(value)
    return found, worst


def rows_of(values: Iterable[float]) -> list[str]:
    texts = [f"{np.float32(v)}f," for v in values]
    return ["        " + " ".join(texts[at:at + 5]) for at in range(0, SIZE, 5)]


def text_of(table: Table) -> str:
    """The table as C: its index and its numbers."""
    found, worst = columns(table)
    has_b = int(any(found["b"]))
    if not has_b:
        del found["b"]
    lines = [f"/* {table.about}: error of the fit 2^{np.log2(worst):.1f} */"]
    lines.append(f"enum {{ fa_has_b_{table.name} = {has_b} }};")
    lines.append(f"static const float fa_table_{table.name}[{len(found)}][{SIZE}] = {{")
    for name, values in found.items():
        lines.append(f"    {{   /* {name if isinstance(name, str) else f'p{name}'} */")
        lines += rows_of(values)
        lines.append("    },")
    lines.append("};")
    if table.plus:
        function = table.pieces[0].function
        sums = [c + function(mp.mpf(c)) for c in found["c"]]
        lines.append(f"static const float fa_plus_{table.name}[{SIZE}] = {{")
        lines += rows_of(map(float, sums))
        lines.append("};")
    return "\n".join(lines)


def indices(table: Table) -> str:
    """How to find the entries of the pieces, and where they end."""
    lines = []
    for piece, side in zip(table.pieces, ("", "_RIGHT"), strict=False):
        index = piece.index
        prefix = f"#define FA_{table.name.upper()}{side}"
        # (a float below the end)
        top = np.float32(index.interval(index.entries - 1)[1] * (1 - 1e-6))
        lines += [f"{prefix}_INDEX(a) {index.code}", f"{prefix}_TOP {top}f"]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    parts = ["/* Written by tools/tables.py. */"]
    for table in TABLES:
        parts += [indices(table), text_of(table)]
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
