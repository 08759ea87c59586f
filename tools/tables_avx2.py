"""Write fastact/_tables_avx2.h: what _avx2.h looks up, 8 numbers at a time.

    python tools/tables_avx2.py            writes the file (some seconds; needs mpmath)
    python tools/tables_avx2.py --check    exit 1 if the file has other numbers

As tools/tables.py, for the permutation that AVX2 has: 8 intervals, two in each octave of
1 + a / scale, and polynomials of a higher degree.  And the exponential: theta 2^(j/8), for
a theta with which all eight are almost float32 numbers (found by trying them all).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import mpmath as mp
import numpy as np
from generated import write_or_check
from tables import centre, fit, gelu_tanh, near_float, sigmoid, silu, softplus

TARGET = Path(__file__).resolve().parent.parent / "fastact" / "_tables_avx2.h"
SIZE = 8
#: the tables of exp(-u) give 2^-SCALE of it
SCALE = 40
THETA = mp.mpf(float.fromhex("0x1.feb052p-1"))
#: C: for a smaller one R / r and W take higher degrees, for a larger one they are less of a
#: line, and rounding costs more
MILLS_TOP, MILLS_C, MILLS_CENTRE = 14.62, 2.3125, 0.25


@dataclass
class Table:
    """F(c + d) = b d + (p0 + d (p1 + ...)); the error of the fit is by F.

    Where F has a root, that is a c, and b is the slope at c in all intervals.
    """

    name: str
    about: str
    function: Callable
    scale: float
    degree: int
    root: float | None = None
    #: (what tables.centre() and fit() ask for)
    slope: None = None
    weight: None = None

    @property
    def factor(self) -> float:
        return float(np.float32(1 / self.scale))

    def interval(self, j: int) -> tuple[float, float]:
        lo, hi = (
            (2 ** (k // 2) * (1 + k % 2 / 2) - 1) / self.factor for k in (j, j + 1)
        )
        return lo, hi


def nearest(table: Table, lo: float, hi: float) -> tuple[np.float32, np.float32]:
    """near_float() around several points: a function may be almost a line or a limit."""
    f, middle = table.function, centre(table, lo, hi)
    found = [near_float([f], middle + (hi - lo) * k / 100, hi - lo) for k in range(-5, 6)]
    c, (p0,) = min(found, key=lambda of: abs(float(of[1][0]) / f(mp.mpf(float(of[0]))) - 1))
    return c, p0


def columns(table: Table) -> tuple[dict, float]:
    """The numbers of a table, and its largest error."""
    f = table.function
    found: dict = {name: [0.0] * SIZE for name in ["c", "b", *range(table.degree + 1)]}
    worst = 0.0
    for j in range(SIZE):
        lo, hi = table.interval(j)
        root = table.root if table.root is not None and lo <= table.root < hi else None
        if root is not None or (j == 0 and table.root is not None):
            c = np.float32(root or 0)
            p0 = np.float32(float(f(mp.mpf(float(c)))))
        else:
            c, p0 = nearest(table, lo, hi)
        b = mp.mpf(0)
        if table.root is not None:
            b = mp.mpf(float(np.float32(float(mp.diff(f, float(c))))))
        numbers, error = fit(table, lo, hi, mp.mpf(float(c)), mp.mpf(float(p0)), b,
                             table.degree)
        worst = max(worst, error)
        # (1.0 has the exponent 127: its entry is 254 mod 8)
        for name, value in zip(found, [c, b, p0, *numbers], strict=True):
            found[name][(6 + j) % SIZE] = float(value)
    return found, worst


def text_of(table: Table) -> str:
    found, worst = columns(table)
    if table.root is None:
        del found["b"]
    lines = [
        f"/* {table.about}: error of the fit 2^{np.log2(worst):.1f} */",
        f"#define FA_{table.name.upper()}_FACTOR {np.float32(table.factor)}f",
        f"static const float fa_table_{table.name}[{len(found)}][{SIZE}] = {{",
    ]
    for name, values in found.items():
        texts = [f"{np.float32(v)}f" for v in values]
        lines.append(f"    {{   /* {name if isinstance(name, str) else f'p{name}'} */")
        lines += [f"        {', '.join(texts[k:k + 4])}," for k in (0, 4)]
        lines.append("    },")
    return "\n".join([*lines, "};"])


class Series(NamedTuple):
    """What tables.fit() takes."""

    function: Callable
    weight: Callable


def numbers_of(name: str, numbers: list) -> list[str]:
    """The array ``name`` of the coefficients of a series."""
    texts = [f"    {np.float32(v)}f," for v in numbers]
    return [f"static const float {name}[{len(numbers)}] = {{", *texts, "};"]


#: -u, rounded, for the root u of silu'
SILU_ROOT = np.float32(float(mp.findroot(lambda u: u - 1 - mp.exp(-u), 1.28)))


def silu_root() -> str:
    """2^SCALE silu'(h - u0) = q0 + h (q1 + ...) for |h| <= NEAR, u0 the root, rounded."""
    root = SILU_ROOT
    reach = mp.mpf(1) / 32

    def of(h):
        return silu(h - mp.mpf(float(root)))[1]

    at_0, slope = of(mp.mpf(0)), mp.mpf(float(np.float32(float(mp.diff(of, 0)))))
    series = Series(lambda h: (of(h) - at_0) / h - slope if h else mp.mpf(0), lambda h: slope)
    numbers, error = fit(series, -reach, reach, mp.mpf(0), mp.mpf(0), mp.mpf(0), 3)
    return "\n".join([
        f"/* silu' at its root: error 2^{np.log2(error):.1f} */",
        f"#define FA_SILU_NEAR {float(reach)}f",
        f"#define FA_SILU_ROOT {root}f",
        *numbers_of("fa_silu_root", [2.0**SCALE * float(q) for q in [at_0, slope, *numbers]]),
    ])


def silu_steps() -> str:
    """exp(r) = 1 + r + r^2 (p2 + ...), and exp(START) 2^(j/8) with its low part, relative,
    for START + n step, one of which is the root of silu'.

    The first one is even: _avx2.h takes it off 1 + exp(u) < 4, which is exact then.
    """
    step = mp.log(2) / 8
    first = mp.mpf(float(np.float32(float(step))))
    root = mp.mpf(float(SILU_ROOT))
    start = root - round(float(root / step)) * first
    assert float(np.float32(float(start))) == start
    exact = [mp.exp(start) * mp.mpf(2) ** (mp.mpf(j) / 8) for j in range(SIZE)]
    powers = [np.float32(float(s)) for s in exact]
    assert int(powers[0].view(np.uint32)) % 2 == 0
    low = [s / mp.mpf(float(near)) - 1 for s, near in zip(exact, powers, strict=True)]
    tail = Series(lambda r: (mp.expm1(r) - r) / r if r else mp.mpf(0), lambda r: mp.mpf(1))
    lo, hi = -step / 2 - start, step / 2 - start
    numbers, error = fit(tail, lo, hi, mp.mpf(0), mp.mpf(0), mp.mpf(0), 3)
    defines = {"FA_SILU_START": start, "FA_SILU_STEP": first, "FA_SILU_STEP_LOW": step - first}
    defines |= {f"FA_SILU_EXP_{k}": p for k, p in enumerate(numbers, 2)}
    return "\n".join([
        f"/* exp(r): error 2^{np.log2(error):.1f} r */",
        *(f"#define {k} {np.float32(float(v))}f" for k, v in defines.items()),
        *entries("fa_table_silu", powers),
        *numbers_of("fa_table_silu_low", low),
    ])


def tanh_shrink_near() -> str:
    """x - tanh(x) = x^3 (1/3 + w (p0 + ...)), w = x^2, for |x| up to NEAR."""
    reach = mp.mpf("0.65")

    def of_square(w):
        a = mp.sqrt(w)
        return (a - mp.tanh(a)) / a**3

    series = Series(lambda w: of_square(w) - mp.mpf(1) / 3, of_square)
    numbers, error = fit(series, mp.mpf(0), reach**2, mp.mpf(0), mp.mpf(0), mp.mpf(0), 6)
    return "\n".join([
        f"/* x - tanh(x) near 0: error 2^{np.log2(error):.1f} */",
        f"#define FA_TANH_SHRINK_NEAR {float(reach)}f",
        *numbers_of("fa_tanh_shrink_near", numbers),
    ])


def expm1_near() -> str:
    """2^SCALE (exp(-a) - 1 + a) / a^2 = p0 + a (p1 + ...) for a up to NEAR."""
    reach = mp.mpf(3) / 16

    def per_a(a):
        return -mp.expm1(-a) / a if a else mp.mpf(1)

    series = Series(lambda a: 1 - per_a(a), per_a)
    numbers, error = fit(series, mp.mpf(0), reach, mp.mpf(0), mp.mpf(0), mp.mpf(0), 4)
    return "\n".join([
        f"/* exp(-a) - 1 near 0: error 2^{np.log2(error):.1f} */",
        f"#define FA_EXPM1_NEAR {float(reach)}f",
        *numbers_of("fa_expm1_near", [2.0**SCALE * float(p) for p in numbers]),
    ])


def logarithm() -> str:
    """softplus(x) = (ln2 + x / 2) + w (q0 + ...), w = x^2, for |x| up to NEAR; beyond,
    log(1 + e) = e + e^2 (p0 + ...) for e = exp(-|x|).
    """
    reach = mp.mpf(15) / 16
    ln2 = np.float32(float(mp.log(2)))
    even = Series(
        lambda w: mp.log(2 * mp.cosh(mp.sqrt(w) / 2)), lambda w: softplus(-mp.sqrt(w))[0]
    )
    near, error = fit(even, mp.mpf(0), reach**2, mp.mpf(0), mp.mpf(float(ln2)), mp.mpf(0), 4)
    rest = Series(lambda e: mp.log1p(e) / e - 1, lambda e: mp.log1p(e) / e)
    tail, tail_error = fit(
        rest, mp.mpf(0), mp.exp(-reach), mp.mpf(0), mp.mpf(0), mp.mpf(0), 6
    )
    return "\n".join([
        f"/* softplus near 0: error 2^{np.log2(error):.1f} */",
        f"#define FA_SOFTPLUS_NEAR {float(reach)}f",
        f"#define FA_LN2 {ln2}f",
        *numbers_of("fa_softplus_near", near), "",
        f"/* log(1 + e): error 2^{np.log2(tail_error):.1f} */",
        *numbers_of("fa_log1p_tail", tail),
    ])


def exponential() -> str:
    """theta 2^(j/8), of which j / 8 is taken off again: n 2^20 is added to its bits.

    n comes in the low bits of n + 1.5 2^23, and the result is 2^-SCALE times what it was.
    """
    powers = [np.float32(float(THETA * mp.mpf(2) ** (mp.mpf(j) / 8))) for j in range(SIZE)]
    step = mp.log(2) / 8
    first = np.round(float(step) * 2**16) / 2**16
    reach = step / 2 + abs(mp.log(THETA))

    tail = Series(lambda r: (mp.expm1(-r) + r) / r**2 - mp.mpf(0.5), lambda r: 1 / r**2)
    numbers, error = fit(tail, -reach, reach, mp.mpf(0), mp.mpf(0), mp.mpf(0), 2)
    defines = {
        "FA_PER_STEP": 1 / step, "FA_STEP": first, "FA_STEP_LOW": step - mp.mpf(first),
        "FA_LOG_THETA": mp.log(THETA), "FA_EXP_3": float(numbers[0]),
        "FA_EXP_4": float(numbers[1]),
    }
    lines = [f"/* exp(-r) - 1 = -r + r^2 (1/2 + ...): error 2^{np.log2(error):.1f} */"]
    lines += [f"#define {k} {np.float32(float(v))}f" for k, v in defines.items()]
    lines.append(f"#define FA_SCALE 0x1p-{SCALE}f")
    lines.append(f"#define FA_SCALE_BITS {SCALE}")
    return "\n".join([*lines, *entries("fa_table_exp", powers)])


def entries(name: str, powers: list) -> list[str]:
    """The array ``name`` of the bits of powers[j], less what n adds to them."""
    bits = [
        (int(s.view(np.uint32)) - (j << 20) - (0x4B400000 << 20) - (SCALE << 23)) % 2**32
        for j, s in enumerate(powers)
    ]
    lines = [f"    {', '.join(map(hex, bits[k:k + 4]))}," for k in (0, 4)]
    return [f"static const unsigned {name}[{SIZE}] = {{", *lines, "};"]


def twice() -> str:
    """exp(2 r) / 2 = 1/2 + r + r^2 (1 + ...), and 2^(j/8) with half its low part, relative:
    1 is one of them, and its low part 0.
    """
    step = mp.log(2) / 16
    first = mp.mpf(float(np.float32(float(step))))
    exact = [mp.mpf(2) ** (mp.mpf(j) / 8) for j in range(SIZE)]
    powers = [np.float32(float(s)) for s in exact]
    low = [(s / mp.mpf(float(near)) - 1) / 2 for s, near in zip(exact, powers, strict=True)]
    tail = Series(
        lambda r: (mp.expm1(2 * r) / 2 - r) / r**2 - 1 if r else mp.mpf(0),
        lambda r: 1 / abs(r) if r else mp.mpf(1) / step,
    )
    numbers, error = fit(tail, -step / 2, step / 2, mp.mpf(0), mp.mpf(0), mp.mpf(0), 2)
    defines = {
        "FA_PER_HALF_STEP": 1 / step, "FA_HALF_STEP": first,
        "FA_HALF_STEP_LOW": step - first, "FA_TWICE_3": numbers[0], "FA_TWICE_4": numbers[1],
    }
    return "\n".join([
        f"/* exp(2 r) / 2: error 2^{np.log2(error):.1f} r */",
        *(f"#define {k} {np.float32(float(v))}f" for k, v in defines.items()),
        *entries("fa_table_twice", powers),
        *numbers_of("fa_table_twice_low", low),
    ])


def almost_line(name: str, of: Callable, lo, hi, degree: int) -> list[str]:
    """of(r) = p + q r + r S(r - MILLS_CENTRE), and a polynomial of the degree in all.

    p, which the best polynomial is for r = 0, is found by trials: another would ask S for a
    term of 1 / r.  It has few bits, for the difference to p + q r to be exact.
    """
    centre = mp.mpf(MILLS_CENTRE)

    def fitted(k):
        p = mp.mpf(k) / 2**20
        # (for which r S is as large a part, and of another sign, at either end)
        q = sum(1 - p / of(r) for r in (lo, hi)) / sum(r / of(r) for r in (lo, hi))
        q = mp.mpf(round(float(q) * 64)) / 64
        # (S v, for fit() takes no constant)
        series = Series(
            lambda v: v * ((of(v + centre) - p) / (v + centre) - q),
            lambda v: v * of(v + centre) / (v + centre),
        )
        numbers, error = fit(
            series, lo - centre, hi - centre, mp.mpf(0), mp.mpf(0), mp.mpf(0), degree
        )
        return error, p, q, numbers

    limit = round(2**20 / np.sqrt(2 * np.pi))
    error, p, q, numbers = min(map(fitted, range(limit - 12, limit + 4)))
    return [
        f"/* error 2^{np.log2(error):.1f} */",
        f"#define FA_MILLS_{name.upper()}_0 {float(p)}f",
        f"#define FA_MILLS_{name.upper()}_1 {float(q)}f",
        *numbers_of(f"fa_mills_{name}_rest", numbers),
    ]


def gelu() -> str:
    """For r = 1 / (a + C) and R(a) = exp(a^2 / 2) Phi(-a), from 0 to TOP (and the results
    are 0 beyond): R / r, and W of R - a / sqrt(2 pi) = (ROOT - a) W.
    """
    c = mp.mpf(MILLS_C)

    def ratio(a):
        return mp.exp(a * a / 2) * mp.erfc(a / mp.sqrt(2)) / 2

    def both(a):
        return ratio(a) - a / mp.sqrt(2 * mp.pi)

    root = mp.findroot(both, 0.75)
    first = round(float(root) * 2**19) / 2**19
    low = np.float32(float(root - mp.mpf(first)))
    lowest = np.float32(float(root - mp.mpf(first) - mp.mpf(float(low))))

    def slope_of(a):
        near = abs(a - root) < 1e-9
        return -mp.diff(both, root) if near else both(a) / (root - a)

    lo, hi = 1 / (mp.mpf(MILLS_TOP) + c), 1 / c
    return "\n".join([
        "/* gelu: R / r, and W */",
        f"#define FA_MILLS_TOP {MILLS_TOP}f",
        f"#define FA_MILLS_C {MILLS_C}f",
        f"#define FA_MILLS_CENTRE {MILLS_CENTRE}f",
        f"#define FA_MILLS_ROOT {first}f",
        f"#define FA_MILLS_ROOT_LOW {low}f",
        f"#define FA_MILLS_ROOT_LOWEST {lowest}f",
        *almost_line("ratio", lambda r: ratio(1 / r - c) / r, lo, hi, 10),
        *almost_line("slope", lambda r: slope_of(1 / r - c), lo, hi, 9),
    ])


def slope(of, u):
    """of'(-a) / sigmoid(-u(a))"""
    return lambda a: of(-a)[1] / sigmoid(-u(a))


TABLES = [
    Table("gelu_tanh_d", "gelu_tanh'(-a) / sigmoid(-u(a))",
          slope(gelu_tanh, lambda a: 2 * mp.sqrt(2 / mp.pi) * (a + mp.mpf("0.044715") * a**3)),
          0.98, 8, root=0.7524614220710163),
]


def text() -> str:
    """The whole file."""
    parts = ["/* Written by tools/tables_avx2.py. */"]
    parts += [exponential(), twice(), silu_steps(), silu_root()]
    parts += [tanh_shrink_near(), expm1_near(), logarithm(), gelu()]
    parts += map(text_of, TABLES)
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.exit(write_or_check(TARGET, __doc__, text))
