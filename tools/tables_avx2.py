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
from tables import fit, silu, softplus

TARGET = Path(__file__).resolve().parent.parent / "fastact" / "_tables_avx2.h"
SIZE = 8
#: the tables of exp(-u) give 2^-SCALE of it
SCALE = 40
THETA = mp.mpf(float.fromhex("0x1.feb052p-1"))


class Series(NamedTuple):
    """What tables.fit() takes."""

    function: Callable
    weight: Callable


def numbers_of(name: str, numbers: list) -> list[str]:
    """The array ``name`` of the coefficients of a series."""
    texts = [f"    {np.float32(v)}f," for v in numbers]
    return [f"static const float {name}[{len(numbers)}] = {{", *texts, "};"]


def silu_root() -> str:
    """2^SCALE silu'(h - u0) = q0 + h (q1 + ...) for |h| <= NEAR, u0 the root, rounded."""
    root = np.float32(float(mp.findroot(lambda u: u - 1 - mp.exp(-u), 1.28)))
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


def tanh_near() -> str:
    """tanh(x) = x (1 + w (p0 + ...)), w = x^2, for |x| up to NEAR, where it is 1 / 2."""
    reach = mp.mpf("0.55")

    def of_square(w):
        return mp.tanh(mp.sqrt(w)) / mp.sqrt(w)

    series = Series(lambda w: of_square(w) - 1, of_square)
    numbers, error = fit(series, mp.mpf(0), reach**2, mp.mpf(0), mp.mpf(0), mp.mpf(0), 5)
    return "\n".join([
        f"/* tanh near 0: error 2^{np.log2(error):.1f} */",
        f"#define FA_TANH_NEAR {float(reach)}f",
        *numbers_of("fa_tanh_near", numbers),
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
    bits = []
    for j in range(SIZE):
        number = np.float32(float(THETA * mp.mpf(2) ** (mp.mpf(j) / 8)))
        entry = int(number.view(np.uint32)) - (j << 20) - (0x4B400000 << 20) - (SCALE << 23)
        bits.append(entry % 2**32)
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
    lines.append(f"static const unsigned fa_table_exp[{SIZE}] = {{")
    lines += [f"    {', '.join(map(hex, bits[k:k + 4]))}," for k in (0, 4)]
    return "\n".join([*lines, "};"])


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
    parts += [exponential(), silu_root(), tanh_near(), tanh_shrink_near()]
    parts += [expm1_near(), logarithm(), gelu_far()]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.exit(write_or_check(TARGET, __doc__, text))
