"""Write fastact/_tables64.h: the exponential of _float64.h.

    python tools/tables64.py            writes the file (half a minute; needs mpmath, gmpy2)
    python tools/tables64.py --check    exit 1 if the file has other numbers

AVX-512 picks one of 16 doubles per lane in one instruction, AVX2 one of 4: 2^(j/16) or
2^(j/4), in two parts, of which the first has so few bits that its product with a short
reciprocal is exact.  The polynomial then only has to reach to ln2 / 32 or ln2 / 8.

With AVX2 gelu, tanh and mish have tables of their own, which are read from memory, a row
for each lane.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import struct
import sys
from pathlib import Path
from typing import NamedTuple

import coefficients
import gmpy2
import mpmath as mp
from generated import write_or_check

TARGET = Path(__file__).resolve().parent.parent / "fastact" / "_tables64.h"
#: bits of the first part
SHORT = 20
#: the scale 2^-K of the results
K = 100
#: the scale 2^DOWN of the exponentials below 1 and of their logarithm
DOWN = 1000


class Size(NamedTuple):
    """Tables of so many entries, and what that asks of their polynomials."""

    entries: int
    #: degrees of (expm1(r) - r) / r^2 for exp and expm1, of (log1p(z) - z) / z^2
    exp: int
    expm1: int
    log: int
    #: up to where tanh_shrink is a^3 P(a^2), and the degree of P
    tanh_shrink_edge: str
    tanh_shrink: int

    @property
    def steps(self):
        """What 0 to 1 is cut into for the logarithm, so that 1 is in the last entry."""
        return self.entries - mp.mpf("0.51")

    @property
    def edge(self):
        """|r| in exp(r)."""
        return mp.log(2) / (2 * self.entries) * mp.mpf("1.0001")


#: of AVX-512, and of AVX2
SIZES = Size(16, 4, 5, 7, "0.34", 8), Size(4, 6, 7, 12, "0.2032", 7)


def written(name: str, about: str, found) -> str:
    """An array of doubles as C."""
    numbers = " ".join(f"{float(c).hex()}," for c in found)
    head = f"/* {about} */\nstatic const double fa_{name}[{len(found)}]"
    return f"{head} = {{\n    {numbers}\n}};"


def array(kind: str, name: str, items) -> list[str]:
    """The lines of a table, four of its items, as C, in each."""
    lines = [f"static const {kind} fa_{name}[{len(items)}] = {{"]
    lines += ["    " + " ".join(items[at : at + 4]) for at in range(0, len(items), 4)]
    return [*lines, "};"]


def matrix(name: str, rows) -> list[str]:
    """The lines of a table of rows of doubles."""
    head = f"static const double fa_{name}[{len(rows)}][{len(rows[0])}]"
    return [
        head + " __attribute__((aligned(32))) = {",
        *("    {" + " ".join(f"{v.hex()}," for v in row) + "}," for row in rows),
        "};",
    ]


def next_to_doubles(row, near, room) -> list[float]:
    """The ``row(c)`` of the doubles c ``near`` whose numbers after c are next to doubles.

    ``room`` says how far each may be off, beside the others.  (mpmath would take minutes.)
    """
    def off(numbers):
        return max(
            abs(float(v) / v - 1) / by for v, by in zip(numbers[1:], room, strict=True)
            if by < math.inf
        )

    with gmpy2.context(precision=160):
        return [*map(float, min((row(gmpy2.mpfr(c)) for c in near), key=off))]


def exponential(about: str, degree: int, size: Size) -> str:
    """(expm1(r) - r) / r^2, for mp.exp or mp.expm1 as ``about``."""
    found, error = coefficients.solve(dataclasses.replace(
        coefficients.exp_fit(degree, 53, size.edge),
        weight=lambda r: r * r / getattr(mp, about)(r) if r else mp.mpf(0),
    ))
    head = f"(expm1(r) - r) / r^2: relative error of {about}(r) 2^{float(error):.1f}"
    return written(about + "_tail", head, found)


def silu_root() -> str:
    """What _primitives.pxd has too: silu' around its root."""
    found, error = coefficients.solve(coefficients.FITS["silu_slope_f64"])
    first = coefficients.round_to(coefficients.SILU_ROOT, 53)
    second = coefficients.round_to(coefficients.SILU_ROOT - first, 53)
    about = f"silu'(-U - h) / h, |h| <= 1/16: relative error 2^{float(error):.1f}; U"
    return "\n".join([
        written("silu_root64", about, found),
        f"#define FA_SILU_ROOT64 {float(first).hex()}",
        f"#define FA_SILU_ROOT64_LOW {float(second).hex()}",
        f"#define FA_SILU_ROOT64_LAST {float(coefficients.SILU_ROOT - first - second).hex()}",
    ])


def tanh_shrink(size: Size) -> str:
    """(x - tanh(x)) / x^3, in x^2, and what 1/3 is short of."""
    fit = coefficients.tanh_shrink_fit(size.tanh_shrink_edge, size.tanh_shrink)
    found, _ = coefficients.solve(fit)
    rest = mp.mpf(1) / 3 - found[0]
    exact = [*found[:0:-1], found[0] + rest]
    error = mp.log(max(
        abs(mp.polyval(exact, w) / fit.target(w) - 1) for w in mp.linspace(0, fit.hi, 999)
    ), 2)
    about = (
        f"(x - tanh(x)) / x^3, in x^2, x <= {size.tanh_shrink_edge}: "
        f"relative error 2^{float(error):.1f}; what 1/3 is short of"
    )
    return "\n".join([
        written("tanh_shrink", about, found),
        f"#define FA_THIRD_LOW {float(rest).hex()}",
    ])


def mish_slope(a):
    """mish'(-a)."""
    x, e = -a, mp.exp(-a)
    return e * mp.polyval([1, 4, 6 + 4 * x, 4 + 4 * x], e) / (e * e + 2 * e + 2) ** 2


#: where rows of mish begin and end, and how many there are in 1
MISH_ROWS = range(-14, 21), 16


def mish_rows() -> str:
    """Rows of c, T(c) = tanh(softplus(c)), exp(c), T'(c), mish'(c), and expm1(x - c).

    c is near j / 16, where T and mish' are next to doubles.
    """
    (first, *_, last), count = MISH_ROWS

    def row(c):
        e = gmpy2.exp(c)
        n = e * (e + 2)
        rise = 4 * e * (e + 1) / (n + 2) ** 2
        return c, n / (n + 2), e, rise, n / (n + 2) + c * rise

    rows, window = [], 1 / 8
    for j in range(first * count, (last + 1) * count + 1):
        near = ((j + window * k / 256) / count for k in range(-256, 257))
        rows.append([*next_to_doubles(row, near, (1, math.inf, math.inf, 1)), 0.0])
    edge = mp.mpf(window + 0.5) / count
    found, error = coefficients.solve(dataclasses.replace(
        coefficients.exp_fit(5, 53, edge),
        weight=lambda r: r * r / mp.expm1(r) if r else mp.mpf(0),
    ))
    about = (
        f"(expm1(h) - h) / h^2, |h| <= {float(edge):.4f}: relative error of expm1 "
        f"2^{float(error):.1f}"
    )
    return "\n".join([
        written("mish_tail", about, found),
        "/* c, T, exp(c), T', mish'(c) */",
        *matrix("mish_rows", rows),
        mish_root(),
    ])


def mish_root() -> str:
    """mish' within 1/16 of its root -U."""
    exact = mp.findroot(mish_slope, mp.mpf("1.19"))
    slope, width = -mp.diff(mish_slope, exact), mp.mpf("1.001") / 16

    def target(h):
        h = h if abs(h) > mp.mpf("1e-20") else mp.mpf("1e-20")
        return (mish_slope(exact - h) / h - slope) / h

    found, error = coefficients.solve(coefficients.Fit(
        "", target, lambda h: h / (slope + h * target(h)), -width, width, 7, 53,
    ))
    first, c = coefficients.round_to(exact, 53), coefficients.round_to(slope, 53)
    about = (
        f"U, c, what c (x + U) is short of by the low part of U, the low part of c and\n"
        f"   P(h), h = x + U: mish'(x) = h (c + h P(h)), |h| <= 1/16: 2^{float(error):.1f}"
    )
    numbers = [first, c, c * (exact - first), slope - c, *found]
    return written("mish_root", about, numbers)


def log1p_tail(z):
    """(log1p(z) - z) / z^2."""
    if abs(z) < mp.mpf("1e-9"):
        return -mp.mpf(1) / 2 + z / 3 - z * z / 4
    return (mp.log1p(z) - z) / z**2


def logarithm(size: Size) -> str:
    """log1p(e), 0 <= e <= 1: entry j is for |e steps - j| <= 1 / 2.

    c is near 1 / (1 + j / steps), and 1 where j is 0; z = (1 + e) c - 1.  The error is
    relative to log1p(z) there, otherwise to the least logarithm.
    """
    steps, half = size.steps, mp.mpf(1) / 2
    c = [coefficients.round_to(1 / (1 + j / steps), SHORT) for j in range(size.entries)]
    # what picks is e / 2^r, |r| <= 1 / 2 / entries
    off = mp.mpf(2) ** (half / size.entries)
    ends = [
        (1 + e) * cj - 1
        for j, cj in enumerate(c)
        for e in (max(j - half, 0) / steps / off, (j + half) / steps * off)
    ]
    least = mp.log1p(1 / (2 * steps) / off)
    found, error = coefficients.solve(coefficients.Fit(
        "", log1p_tail, lambda z: z * z / (mp.log1p(z) if z > 0 else least) if z else mp.eps,
        min(ends), max(ends), size.log, 53,
    ))
    high = [mp.nint(-mp.log(cj) * 2**44) / 2**44 for cj in c]
    low = [-mp.log(cj) - h for cj, h in zip(c, high, strict=True)]
    lines = [
        written(
            "log_tail",
            f"(log1p(z) - z) / z^2: relative error of log1p 2^{float(error):.1f}", found,
        ),
        f"#define FA_LOG_STEPS {float(steps).hex()}\n/* c - 1, -log(c) 2^{DOWN} */",
    ]
    up = mp.mpf(2) ** DOWN
    for part, numbers in (
        ("c", [cj - 1 for cj in c]), ("hi", [h * up for h in high]),
        ("lo", [k * up for k in low]),
    ):
        lines += array("double", f"log_{part}", [f"{float(k).hex()}," for k in numbers])
    return "\n".join(lines)


def growth(name: str, factor, size: Size) -> str:
    """What exp(factor a) takes: k, the rest h of a and the polynomial in it."""
    edge = size.edge / abs(factor)
    found, error = coefficients.solve(coefficients.Fit(
        "", lambda h: factor**2 * coefficients.expm1_tail(factor * h),
        lambda h: h * h / mp.exp(factor * h), -edge, edge, size.exp, 53,
    ))
    unit = mp.log(2) / factor
    high = coefficients.round_to(unit, 38)
    values = [1 / unit, high, unit - high, factor, *found]
    about = (
        f"c = {mp.nstr(factor, 5)}: c / ln2, its inverse in two parts, c,\n"
        f"   (expm1(c h) - c h) / h^2: relative error of exp(c h) 2^{float(error):.1f}"
    )
    return written(name + "_growth", about, values)


#: where the second interval of tanh is cut, and how far the others may be off, in steps
TANH_SECOND, TANH_OFF = mp.mpf("0.72"), mp.mpf("0.16")


def near_double(value, window):
    """m of SHORT bits with log(m) / 2 next to a double, and close to ``value``."""
    unit = 2.0 ** (1 - SHORT)
    first = int(mp.ceil(mp.exp(2 * (value - window)) / unit))
    last = int(mp.floor(mp.exp(2 * (value + window)) / unit))

    def off(m):
        c = gmpy2.log(m * unit) / 2
        return abs(c - float(c))

    with gmpy2.context(precision=100):
        m = mp.mpf(min(range(first, last + 1), key=off) * unit)
    with mp.workprec(100):
        return m, mp.log(m) / 2


def tanh_tail(edge) -> str:
    """The polynomial of tanh(h), |h| <= ``edge``."""
    found, error = coefficients.solve(coefficients.Fit(
        "", coefficients.tanh_shrink_tail, lambda w: w, mp.mpf(0), edge**2, 2, 53,
    ))
    about = (
        f"(h - tanh(h)) / h^3, in h^2, |h| <= {float(edge):.4f}: relative error of tanh "
        f"2^{float(error):.1f}"
    )
    return written("tanh_tail", about, found)


def tanh(size: Size) -> str:
    """Steps in a, powers of 2 c, and the polynomial of tanh(h), h = a - c.

    c = n ln2 / 2 + c_j, exp(2 c_j) a number of SHORT bits of which c_j is next to a
    double.  The second c_j is low: what is left of an a below it is small, and so are its
    rounding errors.
    """
    n = size.entries
    step = mp.log(2) / (2 * n)
    high = coefficients.round_to(step, 38)
    centre = [mp.mpf(0), TANH_SECOND, *map(mp.mpf, range(2, n))]
    found = [near_double(k * step, TANH_OFF * step if k else mp.mpf(0)) for k in centre]
    off = [mp.mpf(float(c)) - j * high for j, (_, c) in enumerate(found)]
    edge = max(
        abs((j + side) * step - c) for j, (_, c) in enumerate(found) for side in (-0.5, 0.5)
    ) * mp.mpf("1.0001")
    miss = max(abs(float(c - float(c)) / math.ulp(c)) for _, c in found)
    whole = ("", n * high), ("_LOW", n * (step - high)), ("_INVERSE", 1 / step / n)
    return "\n".join([
        tanh_tail(edge),
        "/* ln2 / 2 in two parts, its inverse */",
        *(f"#define FA_TANH_WHOLE{part} {float(value).hex()}" for part, value in whole),
        f"/* exp(2 c_j), times 2^-{K}: bits, less j 2^52 / {n}; c_j, to {miss:.4f} ulp, "
        f"less j ln2 / {2 * n} */",
        *array("uint64_t", "tanh_power", [
            entry(m, j * 2**52 // n) for j, (m, _) in enumerate(found)
        ]),
        *array("double", "tanh_off", [f"{float(k).hex()}," for k in off]),
    ])


#: rows of tanh, in 1, and up to where
TANH_ROWS, TANH_TOP = 32, 20


def tanh_rows() -> str:
    """Rows of c, tanh(c), 1 - tanh(c)^2, c - tanh(c), and the polynomial of tanh(h).

    c is near j / 32, where the functions are next to doubles.  The second c is low, as in
    ``tanh``.
    """
    step = 1 / TANH_ROWS

    def row(c):
        t = gmpy2.tanh(c)
        return c, t, 1 - t * t, c - t

    rows, edge = [[0.0, 0.0, 1.0, 0.0]], step / 2
    for j in range(1, TANH_TOP * TANH_ROWS + 1):
        # (the second has to be 3/4 of a step, nearly)
        middle, window = (j, 4) if j > 1 else (0.75, 128)
        near = (step * (middle + k / 256 / window) for k in range(-256, 257))
        # (the third is of tanh_shrink, which has more room for it)
        rows.append(next_to_doubles(row, near, (1, 1, 4)))
        c = rows[-1][0]
        edge = max(edge, abs(c - (j - 0.5) * step), abs(c - (j + 0.5) * step))
    return "\n".join([
        tanh_tail(mp.mpf(edge)),
        "/* c, tanh(c), 1 - tanh(c)^2, c - tanh(c) */",
        *matrix("tanh_rows", rows),
    ])


#: rows of the sigmoid, in 1, how many, and what is added to make them begin at 0: the
#: root of silu' is near the middle of one then
SIGMOID_ROWS, SIGMOID_COUNT, SIGMOID_BIAS = 16, 1024, 32 + mp.mpf(3) / 64
#: how far from that root the c of the rows beside it are
SIGMOID_BESIDE = -mp.mpf(17) / 512, mp.mpf(1) / 16


def sigmoid_rows() -> str:
    """Rows of c, s(c), s'(c), silu'(c), s the sigmoid, and of 2 tanh(h / 2), h = x - c.

    c is where the three are next to doubles; next to the root of the third in its row.  A
    row is for the x of which 64 x, rounded, is one of four.
    """
    width, window = mp.mpf(1) / SIGMOID_ROWS, 1 / 256

    def row(c):
        s = 1 / (1 + gmpy2.exp(-c))
        rise = s * (1 - s)
        return c, s, rise, s + c * rise

    rows, edge = [], mp.mpf(0)
    root = -coefficients.SILU_ROOT
    for j in range(SIGMOID_COUNT):
        lo = (j - mp.mpf(1) / 8) * width - SIGMOID_BIAS
        hi = lo + width
        middle, most = (lo + hi) / 2, window
        if lo < root < hi:
            middle, most = root, 2**-13
        elif abs(middle - root) < 1.5 * width:
            # (so that silu'(c) is little larger than the results next to the root)
            side = SIGMOID_BESIDE[middle > root]
            middle, most = mp.nint((root + side) * 2**20) / 2**20, window / 2
        near = (float(middle) + most * k / 128 for k in range(-128, 129))
        rows.append(next_to_doubles(row, near, (1, 1, 1)))
        edge = max(edge, rows[-1][0] - lo, hi - rows[-1][0])
    found, error = coefficients.solve(coefficients.Fit(
        "", lambda w: -coefficients.tanh_shrink_tail(w / 4) / 4, lambda w: w,
        mp.mpf(0), edge**2, 2, 53,
    ))
    about = (
        f"(2 tanh(h / 2) - h) / h^3, in h^2, |h| <= {float(edge):.4f}: relative error of "
        f"the first\n   2^{float(error):.1f}"
    )
    return "\n".join([
        written("sigmoid_tail", about, found),
        f"#define FA_SIGMOID_BIAS {float(SIGMOID_BIAS).hex()}",
        "/* c, s(c), s'(c), s(c) + c s'(c), s the sigmoid */",
        *matrix("sigmoid_rows", rows),
    ])


def root(name: str, slope, at, width, degree: int) -> str:
    """``slope`` around its root near ``at``: U in two parts, and slope(U + h) / h."""
    exact = mp.findroot(slope, mp.mpf(at))

    def target(h):
        h = h if abs(h) > mp.mpf("1e-20") else mp.mpf("1e-20")
        return slope(exact + h) / h

    width = mp.mpf(width) * mp.mpf("1.001")
    found, error = coefficients.solve(coefficients.Fit(
        "", target, lambda h: 1 / target(h), -width, width, degree, 53,
    ))
    first = coefficients.round_to(exact, 53)
    about = f"U in two parts, d(U + h) / h, |h| <= {float(width):.4f}: 2^{float(error):.1f}"
    return written(name + "_root", about, [first, exact - first, *found])


QUICK_GELU = mp.mpf("1.702")


def quick_gelu() -> str:
    """The root of its derivative, and what the double of 1.702 is short of it."""
    b = QUICK_GELU

    def slope(a):
        g = 1 / (1 + mp.exp(b * a))
        return g * (1 - b * a * (1 - g))

    return "\n".join([
        root("quick_gelu", slope, "0.7512", mp.mpf(1) / 32, 8),
        f"#define FA_QUICK_GELU_LOW {float(b - float(b)).hex()}",
    ])


#: gelu_tanh: u = 2 sqrt(2 / pi) (a + d a^3) is a multiple of a (s + s d a^2), s d being exact
#: in few bits
GELU_TANH_S = mp.mpf(100000) / 2**16


def gelu_tanh() -> str:
    """The numbers of u and a u'."""
    c, d, s = 2 * mp.sqrt(2 / mp.pi), mp.mpf("0.044715"), GELU_TANH_S

    def slope(a):
        g = 1 / (1 + mp.exp(c * (a + d * a**3)))
        return g * (1 - c * (a + 3 * d * a**3) * (1 - g))

    first, third = float(c), float(3 * c * d)
    return "\n".join([
        root("gelu_tanh", slope, "0.7525", mp.mpf(1) / 32, 8),
        written("gelu_tanh_sum", "s, s d", [s, s * d]),
        written(
            "gelu_tanh_slope", "a u' = a (c + c' a^2): c, c', what they are short of",
            [first, third, c - first, 3 * c * d - third],
        ),
    ])


#: of gelu's polynomials, after the first
COEFFICIENTS = 14
#: how many centres to choose from, 2^-20 apart, of each of 16 intervals
CENTRES = 1500


def interpolated(function, lo, hi, count: int) -> list:
    """Coefficients of the polynomial through Chebyshev's points."""
    xs = [
        (lo + hi) / 2 + (hi - lo) / 2 * mp.cos(mp.pi * (k + mp.mpf(1) / 2) / count)
        for k in range(count)
    ]
    matrix = mp.matrix(count, count)
    for i, x in enumerate(xs):
        for k in range(count):
            matrix[i, k] = x**k
    return list(mp.lu_solve(matrix, mp.matrix([function(x) for x in xs])))


def slope(a):
    """gelu'(-a) exp(a^2 / 2) = R(a) - a / sqrt(2 pi)."""
    return coefficients.mills(a) - a / mp.sqrt(2 * mp.pi)


def mills_row(middle):
    """What gives c, R and S for c, close to ``middle``: R by R' = c R - 1 / sqrt(2 pi)."""
    line = 1 / gmpy2.sqrt(2 * gmpy2.const_pi())
    ratio = gmpy2.erfc(middle / gmpy2.sqrt(2)) / 2 * gmpy2.exp(middle * middle / 2)
    series = [ratio, middle * ratio - line]
    for k in range(2, 12):
        series.append((middle * series[-1] + series[-2]) / k)

    def row(c):
        h, ratio = c - middle, 0
        for term in reversed(series):
            ratio = ratio * h + term
        return c, ratio, ratio - c * line

    return row


def intervals(steps: int, root_at):
    """v0, s and the edges of the intervals of a, 0 to 39.

    They are those of v0 + s a, 1 to 16, by its exponent and so many steps of each.  v0 and
    s put the root U of S at ``root_at``, the middle of one.
    """
    root, top = coefficients.ROOT, mp.mpf(39)
    scale = mp.mpf(float((mp.mpf("15.99") - root_at) / (top - root)))
    start = mp.mpf(float(root_at - scale * root))
    edges = [
        (mp.mpf(2) ** (i // steps) * (1 + mp.mpf(i % steps) / steps) - start) / scale
        for i in range(4 * steps + 1)
    ]
    return start, scale, edges


def centre_of(lo, hi, choice: int):
    """0, U, or where in the middle R and S are next to doubles, for h = a - centre."""
    if lo <= 0:
        return mp.mpf(0)
    if lo < coefficients.ROOT < hi:
        return mp.mpf(float(coefficients.ROOT))
    middle = float(mp.nint((lo + hi) * 2**19))
    near = ((middle + j) / 2**20 for j in range(choice))
    with gmpy2.context(precision=160):
        row = mills_row(gmpy2.mpfr(middle / 2**20))
    return mp.mpf(next_to_doubles(row, near, (1, 1))[0])


def piece(lo, hi, centre) -> tuple[list[float], list[mp.mpf]]:
    """What R and S have in common, and what not, and their errors.

    In h = a - centre: r0, r1, s0, s1, what s1 is short of, then c2, c3, ..
    """
    first = coefficients.mills(centre)
    found = interpolated(
        lambda h: (coefficients.mills(centre + h) - first) / h, lo - centre, hi - centre,
        COEFFICIENTS,
    )
    second = found[0] - 1 / mp.sqrt(2 * mp.pi)
    if centre == 0:
        # r1 is off, s1 twice that, and they take much of r0 and s0 away: the others make up
        # for what is between the two (near 0, where they would follow it, it is nothing)
        level = found[0] + mp.mpf(1.5) * (float(found[0]) - found[0])
        found[1:] = interpolated(
            lambda h: ((coefficients.mills(h) - first) / h - level) / h, hi / 10, hi,
            COEFFICIENTS - 1,
        )
    # (next to another s0 than that of the root the rest would be lost)
    rest = second - float(second) if abs(slope(centre)) < 1e-16 else 0
    constants = [first, found[0], slope(centre), second, rest]
    column = [float(c) for c in [*constants, *found[1:]]]
    r0, r1, s0, s1, rest, *others = column
    # (in ``others`` by h, highest first; s1 and rest are one number)
    points = [lo - centre + (hi - lo) * j / 40 for j in range(1, 40)]
    errors = [
        abs(mp.polyval([*others[::-1], one, zero], h) / function(centre + h) - 1)
        for function, zero, one in (
            (coefficients.mills, r0, mp.mpf(r1)), (slope, s0, mp.mpf(s1) + rest),
        ) for h in points
    ]
    return column, errors


def gelu() -> str:
    """Phi(-a) = exp(-a^2 / 2) R(a), gelu'(-a) = exp(-a^2 / 2) S(a) by intervals.

    The interval is told by the exponent of v0 + s a and the next two bits.
    """
    start, scale, edges = intervals(4, mp.mpf("1.375"))
    edges[0] = mp.mpf(0)
    columns, errors = [], []
    with mp.workprec(160):
        for lo, hi in itertools.pairwise(edges):
            centre = centre_of(lo, hi, CENTRES)
            column, found = piece(lo, hi, centre)
            columns.append([float(centre), *column])
            errors += found
    # (the last two bits of the exponent of [1, 2) are 3)
    rows = list(zip(*columns[4:], *columns[:4], strict=True))
    lines = [
        f"#define FA_GELU_SCALE {float(scale).hex()}",
        f"#define FA_GELU_START {float(start).hex()}",
        f"/* R and S by intervals: relative error 2^{float(mp.log(max(errors), 2)):.1f} */",
    ]
    for name, first, count in (
        ("centre", 0, 1), ("mills", 1, 2), ("slope", 3, 3), ("both", 6, COEFFICIENTS - 1),
    ):
        lines.append(f"static const double fa_gelu_{name}[{count}][16] = {{")
        for row in rows[first : first + count]:
            lines.append("    {" + " ".join(f"{c.hex()}," for c in row) + "},")
        lines.append("};")
    return "\n".join(lines)


#: of 128 intervals: R and S differ in the first two coefficients alone
TAILS = 7


def gelu_rows() -> str:
    """The same by 128 intervals, five bits after the exponent: one row for each."""
    steps = 32
    root_at = 1 + mp.mpf("12.5") / steps
    start, scale, edges = intervals(steps, root_at)
    rows, errors, slope_low = [], [], mp.mpf(0)
    with mp.workprec(160):
        line = 1 / mp.sqrt(2 * mp.pi)
        for lo, hi in itertools.pairwise(edges):
            if hi <= 0:
                rows.append([0.0] * (TAILS + 5))
                continue
            lo = max(lo, mp.mpf(0))
            centre = centre_of(lo, hi, CENTRES // 4)
            first = coefficients.mills(centre)
            found = interpolated(
                lambda h, c=centre, f=first: (coefficients.mills(c + h) - f) / h,
                lo - centre, hi - centre, TAILS + 1,
            )
            both = [first, found[0], slope(centre), found[0] - line]
            if lo < coefficients.ROOT < hi:
                slope_low = both[3] - mp.mpf(float(both[3]))
            tail = [mp.mpf(float(c)) for c in found[1:]]
            rows.append([float(v) for v in [centre, tail[-1], *both, *tail[:-1]]])
            for at in (lo - centre + (hi - lo) * j / 40 for j in range(1, 40)):
                rest = at * mp.polyval(tail[::-1], at)
                for function, c0, c1 in ((coefficients.mills, *both[:2]), (slope, *both[2:])):
                    exact = function(centre + at)
                    errors.append(abs((c0 + at * (c1 + rest)) / exact - 1))
    at = steps * 3  # (the last two bits of the exponent of [1, 2) are 3)
    rows = rows[-at:] + rows[:-at]
    return "\n".join([
        f"#define FA_GELU_SCALE {float(scale).hex()}",
        f"#define FA_GELU_START {float(start).hex()}",
        f"#define FA_GELU_ROOT {float(coefficients.ROOT).hex()}",
        f"#define FA_GELU_SLOPE_LOW {float(slope_low).hex()}",
        "/* By intervals: centre, last coefficient, the first two of R and of S, the others\n"
        f"   of both; relative error 2^{float(mp.log(max(errors), 2)):.1f} */",
        *matrix("gelu_rows", rows),
    ])


def parts(value) -> tuple[float, float]:
    """``value`` as a number of SHORT bits and the rest."""
    high = coefficients.round_to(value, SHORT)
    return float(high), float(coefficients.round_to(value - high, 53))


def entry(value: float, less: int) -> str:
    """The bits of 2^-K value, less what is added to them beside n 2^52."""
    bits = struct.unpack("<Q", struct.pack("<d", value * 2.0**-K if value else 0.0))[0]
    return f"0x{(bits - less) % 2**64:016x},"


def table(size: Size) -> str:
    """2^(j / entries) as two tables."""
    n = size.entries
    step = 2**52 // n
    pairs = [parts(mp.mpf(2) ** (mp.mpf(j) / n)) for j in range(n)]
    lines = [f"/* 2^(j/{n}), times 2^-{K}: bits, less j 2^{step.bit_length() - 1} */"]
    for part, place in (("hi", 0), ("lo", 1)):
        items = [entry(pair[place], j * step) for j, pair in enumerate(pairs)]
        lines += array("uint64_t", f"exp_{part}", items)
    return "\n".join(lines)


def offsets(size: Size) -> str:
    """The logarithms of the first parts."""
    n = size.entries
    first = [parts(mp.mpf(2) ** (mp.mpf(j) / n))[0] for j in range(n)]
    off = [mp.log(high) - j * mp.log(2) / n for j, high in enumerate(first)]
    return "\n".join([
        f"/* the logarithm of the first part, less j ln2 / {n} */",
        *array("double", "exp_off", [f"{float(k).hex()}," for k in off]),
    ])


def sized(size: Size, *others) -> str:
    """What depends on the number of entries."""
    return "\n\n".join([
        exponential("exp", size.exp, size),
        exponential("expm1", size.expm1, size),
        table(size),
        logarithm(size),
        tanh_shrink(size),
        growth("quick_gelu", QUICK_GELU, size),
        growth("gelu_tanh", 2 * mp.sqrt(2 / mp.pi) / GELU_TANH_S, size),
        growth("gelu", -mp.mpf(1) / 2, size),
        *others,
    ])


def text() -> str:
    """The whole file."""
    return "\n\n".join([
        "/* Written by tools/tables64.py. */",
        f"#if FA_STEPS64 == {SIZES[0].entries}",
        sized(
            SIZES[0], offsets(SIZES[0]), tanh(SIZES[0]), gelu(),
            root("mish", mish_slope, "1.19", mp.mpf(1) / 32, 7),
        ),
        "#else",
        sized(SIZES[1], mish_rows(), tanh_rows(), sigmoid_rows(), gelu_rows()),
        "#endif",
        silu_root(),
        quick_gelu(),
        gelu_tanh(),
    ]) + "\n"


if __name__ == "__main__":
    sys.exit(write_or_check(TARGET, __doc__, text))
