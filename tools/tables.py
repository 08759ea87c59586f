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

A table with a slope gives F' too, mostly from the same coefficients, so that both together
take few operations more than one: with P3 = p3 + d (p4 + ...), P2 = p2 + d P3, and its
derivative P2' = P3 + d (p4 + ... + e d^(n-3)),

    F'(c + d) = r d + (s1 + d (h + d (2 P3 + P2'))).

p0 and s1 are both almost float32, r is to F' what b is to F.  p1, p2 and s1, h and e leave
either sum enough freedom of its own; p3 and so on are fitted to both at once.

The entry of a is the integer next to linear a + square a^2: see _avx512.h.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import mpmath as mp
import numpy as np
from generated import write_or_check

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
    #: F', if it shall come from the coefficients of F; then ``roots`` are those of F'
    slope: Callable | None = None
    #: beyond, the entries only serve a - F(a) and 1 - F'(a)
    left: float = np.inf


@dataclass
class Table:
    name: str
    about: str
    degree: int
    pieces: list[Piece]
    #: another p0, of this function, which is F but for a multiple of a and a constant
    other: Callable | None = None
    #: whether that has a low part, where it cannot be almost float32 as p0 is
    has_low: bool = False


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


def exponential(name, about, scale, has_low):
    """scale exp(-a) and scale (1 - exp(-a)) at once: p0 and the other p0 add to scale."""
    piece = Piece(
        lambda a: scale * mp.exp(-a), EXP,
        weight=lambda a: scale * min(mp.exp(-a), -mp.expm1(-a)),
    )
    other = lambda a: -scale * mp.expm1(-a)  # noqa: E731
    return Table(name, about, 6, [piece], other, has_low)


# Each index was chosen by a random search: a small largest error, few terms, the root in the
# middle of its interval, and a top so high that f is x (or 1) beyond it.
LOGISTIC = Index(1.798)
EXP = Index(1.775)
STEEP = LogIndex(0.125, 25)
SHRINK = Index(3.3)
MISH = Index(1.9, -0.0272, entries=20)
MISH_RIGHT = Index(2.113, -0.097, first=20, entries=12)
#: scale alpha of selu
SELU = mp.mpf("1.0507009873554804934193349852946") * mp.mpf("1.6732632423543772848170429916717")
TABLES = [
    Table("sigmoid", "sigmoid(-a)", 6,
          [Piece(lambda a: sigmoid(-a), LOGISTIC,
                 slope=lambda a: -sigmoid(-a) * sigmoid(a))]),
    Table("softplus", "log(1 + exp(-a))", 6,
          [Piece(lambda a: mp.log1p(mp.exp(-a)), LOGISTIC, slope=lambda a: -sigmoid(-a))],
          other=lambda a: mp.log1p(mp.exp(a))),
    Table("tanh", "tanh(a)", 5, [Piece(mp.tanh, STEEP)]),
    Table("tanh_d", "tanh'(a)", 6, [Piece(lambda a: mp.sech(a)**2, Index(3.4))]),
    exponential("elu", "exp(-a)", mp.mpf(1), False),
    exponential("selu", "scale alpha exp(-a)", SELU, True),
    Table("tanh_shrink", "(a - tanh(a)) / a^3", 5, [Piece(shrink, SHRINK, from_0=False)]),
    Table("tanh_shrink_d", "(tanh(a) / a)^2, and from the entry 8 on tanh(a)^2", 6,
          [Piece(lambda a: (mp.tanh(a) / (a if a < 7.5 / 3.3 else 1))**2, SHRINK,
                 from_0=False)]),
    Table("silu", "-silu(-a)", 6,
          [Piece(lambda a: -silu(-a)[0], Index(3.169, -0.0797),
                 slope=lambda a: silu(-a)[1], roots=(1.2784645427610738,), left=12)]),
    *left(quick_gelu, 6, Index(2.72), Index(3.163, -0.0475), 0.751154255441299),
    *left(gelu, 6, Index(1.784, 0.5301), Index(3.9, 0.1533), 0.7517915246935645),
    *left(gelu_tanh, 6, Index(1.784, 0.677), Index(3.991, 0.2881), 0.7524614220710163),
    *left(mish, 6, MISH, MISH, 1.1924312145154952, MISH_RIGHT),
]


def centre(piece: Piece, lo: float, hi: float, shift: float = 0.0) -> float:
    """Where d P(d), which rounds, is the same part of F at both ends; or ``shift`` of the
    way from there to the middle.

    But so that a - c is exact, or almost where F is large.
    """
    if lo == 0:
        return hi / 2
    sums = [piece.weight or piece.function, *filter(None, [piece.slope])]
    at_lo, at_hi = (
        min(abs(float(f(mp.mpf(x)) / f(mp.mpf((lo + hi) / 2)))) for f in sums) for x in (lo, hi)
    )
    c = (lo * at_hi + hi * at_lo) / (at_hi + at_lo)
    c += shift * ((lo + hi) / 2 - c)
    return min(max(c, hi / 2), 2.6 * lo)


def near_float(
    functions: list[Callable], middle: float, width: float
) -> tuple[np.float32, list[np.float32]]:
    """A float32 near ``middle`` where all functions are nearly float32 numbers, and these."""
    step = np.spacing(np.float32(middle))
    reach = min(2000 if len(functions) == 1 else 20000, int(0.05 * width / step))
    found = np.float32(middle) + np.arange(-reach, reach + 1, dtype=np.float32) * step
    d = found.astype(np.float64) - middle
    values = [
        np.polynomial.polynomial.polyval(
            d, [float(t) for t in mp.taylor(function, mp.mpf(middle), 12)]
        )
        for function in functions
    ]
    errors = [np.abs(value.astype(np.float32) / value - 1) for value in values]
    best = np.argmin(np.max(errors, axis=0))
    return found[best], [value[best].astype(np.float32) for value in values]


def middle_slope(function, lo: float, hi: float, c: float) -> float:
    """The middle of the slopes of the chords from c."""
    chords = [
        float((function(mp.mpf(x)) - function(mp.mpf(c))) / (x - c)) if abs(x - c) > 1e-6
        else float(mp.diff(function, c))
        for x in np.linspace(lo, hi, 9)
    ]
    return (min(chords) + max(chords)) / 2


def nodes(lo: float, hi: float, c, degree: int) -> list:
    """Chebyshev nodes, but not at the centre."""
    n = 4 * degree
    found = [
        (mp.mpf(lo) + hi) / 2 + (mp.mpf(hi) - lo) / 2 * mp.cos(mp.pi * (2 * k + 1) / (2 * n))
        for k in range(n)
    ]
    return [x for x in found if abs(x - c) > 1e-6]


def scaled(weights: list, column: list) -> list:
    return [w * a for w, a in zip(weights, column, strict=True)]


def least_squares(rows: list, rest: list, rounded: Callable = lambda k, number: number) -> list:
    """The numbers with which multiples of ``rows`` are next to ``rest``.

    Each is rounded before the next ones are found: of the normal equations, number k is
    eliminated from those before, which leaves it and numbers already rounded in its own.
    """
    sums: list = [[mp.fdot(a, b) for b in rows[: k + 1]] for k, a in enumerate(rows)]
    right = [mp.fdot(row, rest) for row in rows]
    for k in reversed(range(len(rows))):
        for i in range(k):
            factor = sums[k][i] / sums[k][k]
            sums[i] = [a - factor * b for a, b in zip(sums[i], sums[k], strict=False)]
            right[i] -= factor * right[k]
    found: list = []
    for k, row in enumerate(sums):
        found.append(rounded(k, (right[k] - mp.fdot(row[:k], found)) / row[k]))
    return found


def left_by(numbers: list, columns: dict, rest: list) -> list:
    """``rest`` less these multiples of the columns."""
    return [r - mp.fdot(numbers, at) for r, *at in zip(rest, *columns.values(), strict=True)]


def even_weights(columns: dict, rest: list) -> list:
    """Weights with which least squares leave errors that are almost alike (Lawson's)."""
    weights = [mp.mpf(1)] * len(rest)
    for _ in range(3):
        rows = [scaled(weights, column) for column in columns.values()]
        errors = left_by(least_squares(rows, scaled(weights, rest)), columns, rest)
        largest = max(map(abs, errors))
        weights = [
            w * mp.sqrt(abs(e) / largest + 0.02) for w, e in zip(weights, errors, strict=True)
        ]
    return weights


def rounded_fit(columns: dict, rest: list, weights: list) -> tuple[dict, list]:
    """Coefficients of the columns, rounded, and what they leave.

    (In mpmath, so that every machine finds the same.)
    """
    names = list(columns)

    def rounded(k, number):
        # (r + h has the digits of two numbers)
        return number if names[k] == "r" else mp.mpf(float(np.float32(float(number))))

    rows = [scaled(weights, column) for column in columns.values()]
    numbers = least_squares(rows, scaled(weights, rest), rounded)
    return dict(zip(names, numbers, strict=True)), left_by(numbers, columns, rest)


def fit(piece: Piece, lo, hi, c, p0, b, degree) -> tuple[list, float]:
    """p1, p2, ... and the largest error."""
    at = nodes(lo, hi, c, degree)
    values = [piece.function(x) for x in at]
    weights = values if piece.weight is None else [piece.weight(x) for x in at]
    rest = [(f - p0 - b * (x - c)) / w for x, f, w in zip(at, values, weights, strict=True)]
    columns = {
        k: [(x - c) ** k / w for x, w in zip(at, weights, strict=True)]
        for k in range(1, degree + 1)
    }
    numbers, left = rounded_fit(columns, rest, [1] * len(rest))
    return list(numbers.values()), float(max(map(abs, left)))


def unit(y) -> float:
    """An ulp of y as float32."""
    return float(np.spacing(np.float32(float(abs(y)))))


def fit_both(piece: Piece, lo, hi, c, p0, s1, degree, b, is_root) -> tuple[dict, float]:
    """p1 (less b), p2, ..., h (or r + h), e; the largest error of F and F' in ulp, with the
    roundings of the last two operations."""
    n = 5 * degree
    middle, half = (mp.mpf(lo) + hi) / 2, (mp.mpf(hi) - lo) / 2
    at = [middle - half * mp.cos(mp.pi * k / n) for k in range(n + 1)]
    at = [x for x in at if abs(x - c) > 1e-6]
    units: list = []
    roundings: list = []
    rest: list = []
    for which, start in ((piece.function, [p0 + b * (x - c) for x in at]),
                         (piece.slope, [s1] * len(at))):
        for x, y0 in zip(at, start, strict=True):
            y = which(x)
            units.append(mp.mpf(unit(y)))
            # the second one is small where there is a product of 24 bits beside it
            before = 0 if is_root else unit((y - y0) / (x - c)) * abs(float(x - c)) / unit(y)
            roundings.append(0.5 + before / 2)
            rest.append(y - y0)
    zero = [mp.mpf(0)] * len(at)

    def powers(factor: int, k: int) -> list:
        return [factor * (x - c) ** k for x in at]

    columns = {
        1: powers(1, 1) + zero,
        2: powers(1, 2) + zero,
        "r" if is_root else "h": zero + powers(1, 1),
    }
    columns |= {k: powers(1, k) + powers(k, k - 1) for k in range(3, degree + 1)}
    columns["e"] = zero + powers(1, degree)
    # by what the roundings leave
    scales = [1 / (u * max(1 - r, 0.05)) for u, r in zip(units, roundings, strict=True)]
    if hi > piece.left:
        scales = [mp.mpf(1)] * len(scales)
    rest = scaled(scales, rest)
    columns = {name: scaled(scales, column) for name, column in columns.items()}
    numbers, left = rounded_fit(columns, rest, even_weights(columns, rest))
    return numbers, max(
        float(abs(e) / (w * u)) + r
        for e, w, u, r in zip(left, scales, units, roundings, strict=True)
    )


def entry(table: Table, piece: Piece, j: int) -> tuple[dict, float]:
    """The numbers of an entry, and the largest error of F."""
    lo, hi = piece.index.interval(j)
    root = next((r for r in piece.roots if lo < r < hi), None)
    b = 0.0
    if j == 0 and piece.from_0:
        c, p0 = np.float32(0), np.float32(float(piece.function(mp.mpf(0))))
    elif root:
        c = np.float32(root)
        p0 = np.float32(float(piece.function(mp.mpf(float(c)))))
    else:
        functions = [piece.function]
        if table.other and not table.has_low:
            functions.append(table.other)
        c, (p0, *_) = near_float(functions, centre(piece, lo, hi), hi - lo)
    exact = piece.function(mp.mpf(0)) if j == 0 and table.other else mp.mpf(float(p0))
    if root:
        b = np.float32(middle_slope(piece.function, lo, hi, float(c)))
    elif p0 == 0:
        b = np.float32(float(mp.diff(piece.function, 0)))
    numbers, error = fit(piece, lo, hi, mp.mpf(float(c)), exact, mp.mpf(float(b)),
                         table.degree)
    return {"c": c, "b": b} | dict(enumerate([p0, *numbers])), error


def entry_both(table: Table, piece: Piece, j: int) -> tuple[dict, float]:
    """The numbers of an entry with a slope, and the largest error in ulp.

    Of several centres the one with the smallest error: the coefficients of few digits make
    some difference.
    """
    lo, hi = piece.index.interval(j)
    root = next((r for r in piece.roots if lo < r < hi), None)
    functions = [piece.function, piece.slope, *filter(None, [table.other])]
    fixed = 0.0 if j == 0 else root
    best: tuple[dict, float] = {}, np.inf
    for shift in (0.0, 0.5, 1.0, 0.25, 0.75, -0.3):
        if fixed is None:
            c, values = near_float(functions, centre(piece, lo, hi, shift), hi - lo)
        else:
            c = np.float32(fixed)
            values = [np.float32(float(f(mp.mpf(float(c))))) for f in functions]
        p0, s1 = values[:2]
        b = s1 if p0 == 0 else np.float32(0)
        # (at a fixed centre p0 is what it is: the fit need not make up for its rounding)
        exact = piece.function(mp.mpf(float(c))) if root else mp.mpf(float(p0))
        numbers, error = fit_both(piece, lo, hi, mp.mpf(float(c)), exact, mp.mpf(float(s1)),
                                  table.degree, mp.mpf(float(b)), bool(root))
        last = {"e": numbers.pop("e"), "s1": s1, "h": numbers.pop("h", 0), "r": 0.0}
        if root:
            last["r"] = np.float32(middle_slope(piece.slope, lo, hi, float(c)))
            last["h"] = numbers.pop("r") - mp.mpf(float(last["r"]))
        found = {"c": c, "b": b, 0: p0} | numbers | last
        best = min(best, (found, error), key=lambda of: of[1])
        if fixed is not None or best[1] < (0.8 if hi < piece.left else 99):
            break
    return best


def columns(table: Table) -> tuple[dict[str, list[float]], float]:
    """The numbers of a table, and its largest error."""
    found: dict = {}
    worst = 0.0
    for piece in table.pieces:
        for j in range(piece.index.entries):
            numbers, error = (entry_both if piece.slope else entry)(table, piece, j)
            if piece.index.interval(j)[1] < piece.left:
                worst = max(worst, error)
            for name, value in numbers.items():
                row = found.setdefault(name, [0.0] * SIZE)
                row[(piece.index.first + j) % SIZE] = float(value)
    return found, worst


def rows_of(values: Iterable[float]) -> list[str]:
    texts = [f"{np.float32(v)}f," for v in values]
    return ["        " + " ".join(texts[at:at + 5]) for at in range(0, SIZE, 5)]


def text_of(table: Table) -> str:
    """The table as C: its index and its numbers."""
    found, worst = columns(table)
    has_b = int(any(found["b"]))
    found = {name: row for name, row in found.items() if name not in ("b", "r") or any(row)}
    kind = f"of the fit 2^{np.log2(worst):.1f}"
    if table.pieces[0].slope:
        kind = f"of both {worst:.2f} ulp"
    lines = [f"/* {table.about}: error {kind} */"]
    lines.append(f"enum {{ fa_has_b_{table.name} = {has_b} }};")
    if table.pieces[0].slope:
        lines.append(f"enum {{ fa_degree_{table.name} = {table.degree} }};")
    lines.append(f"static const float fa_table_{table.name}[{len(found)}][{SIZE}] = {{")
    for name, values in found.items():
        lines.append(f"    {{   /* {name if isinstance(name, str) else f'p{name}'} */")
        lines += rows_of(values)
        lines.append("    },")
    lines.append("};")
    if table.other:
        values = [table.other(mp.mpf(c)) for c in found["c"]]
        high = [np.float32(float(y)) for y in values]
        low = [float(y - mp.mpf(float(h))) for y, h in zip(values, high, strict=True)]
        for part, row in [("", high), ("_low", low)][:1 + table.has_low]:
            lines.append(f"static const float fa_other{part}_{table.name}[{SIZE}] = {{")
            lines += rows_of(row)
            lines.append("};")
    return "\n".join(lines)


def indices(table: Table) -> str:
    """How to find the entries of the pieces, and where they end."""
    lines = []
    for piece, side in zip(table.pieces, ("", "_RIGHT"), strict=False):
        index = piece.index
        prefix = f"#define FA_{table.name.upper()}{side}"
        lines.append(f"{prefix}_INDEX(a) {index.code}")
        ends = [index.interval(j)[1] for j in range(index.entries)]
        places = {"_TOP": ends[-1]}
        if piece.left < ends[-1]:
            places["_LEFT"] = max(end for end in ends if end < piece.left)
        # (a float below the end)
        lines += [f"{prefix}{p} {np.float32(end * (1 - 1e-6))}f" for p, end in places.items()]
    return "\n".join(lines)


def text() -> str:
    """The whole file."""
    parts = ["/* Written by tools/tables.py. */"]
    for table in TABLES:
        parts += [indices(table), text_of(table)]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.exit(write_or_check(TARGET, __doc__, text))
