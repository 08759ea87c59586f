"""Write fastact/_tables_avx2.h: the numbers of _avx2.h.

    python tools/tables_avx2.py            writes the file (some seconds; needs mpmath)
    python tools/tables_avx2.py --check    exit 1 if the file has other numbers

The exponential by what AVX2 can look up in one instruction, 8 numbers: theta 2^(j/8), for a
theta with which all of them are almost float32 numbers (found by trying them all).  And series.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import mpmath as mp
import numpy as np
from generated import write_or_check
from tables import fit, softplus, unit

TARGET = Path(__file__).resolve().parent.parent / "fastact" / "_tables_avx2.h"
SIZE = 8
#: the tables of exp(-u) give 2^-SCALE of it
SCALE = 40
THETA = mp.mpf(float.fromhex("0x1.feb052p-1"))
LN2 = np.float32(float(mp.log(2)))


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
    even = Series(
        lambda w: mp.log(2 * mp.cosh(mp.sqrt(w) / 2)), lambda w: softplus(-mp.sqrt(w))[0]
    )
    near, error = fit(even, mp.mpf(0), reach**2, mp.mpf(0), mp.mpf(float(LN2)), mp.mpf(0), 4)
    rest = Series(lambda e: mp.log1p(e) / e - 1, lambda e: mp.log1p(e) / e)
    tail, tail_error = fit(
        rest, mp.mpf(0), mp.exp(-reach), mp.mpf(0), mp.mpf(0), mp.mpf(0), 6
    )
    return "\n".join([
        f"/* softplus near 0: error 2^{np.log2(error):.1f} */",
        f"#define FA_SOFTPLUS_NEAR {float(reach)}f",
        f"#define FA_LN2 {LN2}f",
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
    """exp(r) = 1 + r + r^2 (p2 + ...) for tanh(a), 2 a = n ln2 + r, and what ln2 as a float32
    number makes tanh' lack.

    Good where it counts: in ulps of tanh for n = 0, and 1 where r < 0, less what ln2 lacks.
    """
    ln2 = mp.log(2)
    lack = ln2 - mp.mpf(float(LN2))

    def tail(r):
        lost = lack * mp.exp(r) if r < 0 else 0
        return (mp.expm1(r) - r - lost) / r if r else mp.mpf(0)

    def weight(r):
        if not r:
            return mp.mpf(1)
        a, s = (r / 2, mp.mpf(1) / 2) if r > 0 else ((ln2 + r) / 2, mp.mpf(1))
        over = (1 + mp.exp(2 * a)) / 2
        return unit(mp.tanh(a)) * over**2 / (s * abs(r))

    numbers, error = fit(
        Series(tail, weight), -ln2 / 2, ln2 / 2, mp.mpf(0), mp.mpf(0), mp.mpf(0), 5
    )
    defines = {"FA_PER_LN2": 1 / ln2, "FA_TANH_LACK": 4 * lack / ln2}
    defines |= {f"FA_TWICE_{k}": p for k, p in enumerate(numbers, 2)}
    return "\n".join([
        f"/* exp(2 a) for tanh(a): error of that {error:.3f} ulp near 0 */",
        *(f"#define {k} {np.float32(float(v))}f" for k, v in defines.items()),
    ])


def gelu_far() -> str:
    """a Phi(-a) exp(a^2 / 2) = 1 / sqrt(2 pi) - w (p0 + w (p1 + ...)), w = 1 / a^2, for a from
    5.4 to TOP, beyond which the results are 0.
    """
    top, limit = 14.62, 1 / mp.sqrt(2 * mp.pi)

    def of_square(w):
        a = 1 / mp.sqrt(w)
        return a * mp.exp(a * a / 2) * mp.erfc(a / mp.sqrt(2)) / 2

    series = Series(lambda w: limit - of_square(w), of_square)
    numbers, error = fit(
        series, 1 / mp.mpf(top) ** 2, 1 / mp.mpf("5.4") ** 2,
        mp.mpf(0), mp.mpf(0), mp.mpf(0), 5,
    )
    return "\n".join([
        f"/* gelu, far on the left: error 2^{np.log2(error):.1f} */",
        f"#define FA_GELU_FAR_TOP {top}f",
        *numbers_of("fa_gelu_far", numbers),
    ])


def text() -> str:
    """The whole file."""
    parts = ["/* Written by tools/tables_avx2.py. */"]
    parts += [exponential(), twice(), silu_steps(), tanh_shrink_near()]
    parts += [expm1_near(), logarithm(), gelu_far()]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.exit(write_or_check(TARGET, __doc__, text))
