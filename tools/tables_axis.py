"""Write fastact/_tables_axis.h: the exponentials of _axis_rows.h.

    python tools/tables_axis.py            writes the file (needs mpmath, gmpy2)
    python tools/tables_axis.py --check    exit 1 if the file has other numbers

exp(x) = 2^n 2^(j/N) exp(r), |r| <= ln2 / 2 N: as many steps N as one instruction picks
from.  2^(j/N) stands rounded; its logarithm, less j ln2 / N, is taken from r.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import coefficients
import mpmath as mp
from generated import write_or_check
from tables64 import array

TARGET = Path(__file__).resolve().parent.parent / "fastact" / "_tables_axis.h"
#: by type: its bits, those of its number, the scale 2^K of the exponentials, format codes
TYPES = {"float": (32, 24, 100, "<I", "<f"), "double": (64, 53, 300, "<Q", "<d")}
#: by the steps of AVX-512 and AVX2: the degrees of (expm1(r) - r) / r^2, by type
STEPS = {16: {"float": 1, "double": 5}, 4: {"float": 2, "double": 6}}


def exponential(steps: int, kind: str) -> str:
    """All numbers of one type."""
    size, bits, scale, word, number = TYPES[kind]
    step = mp.log(2) / steps
    edge = step / 2 * mp.mpf("1.001")
    tail, error = coefficients.solve(
        coefficients.exp_fit(STEPS[steps][kind], bits, edge)
    )
    high = coefficients.round_to(step, bits)
    exact = (mp.mpf(2) ** (mp.mpf(j) / steps) for j in range(steps))
    power = [coefficients.round_to(value, bits) for value in exact]
    off = [j * step - mp.log(p) for j, p in enumerate(power)]
    shift = bits - steps.bit_length()
    entries = [
        struct.unpack(word, struct.pack(number, float(p * 2**scale)))[0] - (j << shift)
        for j, p in enumerate(power)
    ]

    def numbers(name: str, values) -> list[str]:
        rounded = [float(coefficients.round_to(value, bits)).hex() + "," for value in values]
        return array(kind, f"{name}{size}", rounded)

    about = f"(expm1(r) - r) / r^2: relative error of exp(r) 2^{float(error):.1f}"
    return "\n".join([
        f"/* {kind}: steps in 1, a step, what that is short of */",
        *numbers("row_steps", [1 / step, high, step - high]),
        f"/* {about} */",
        *numbers("row_tail", tail),
        f"/* 2^(j/{steps}), times 2^{scale}: bits, less j 2^{shift}; j ln2 / {steps} less its"
        " logarithm */",
        *array(f"uint{size}_t", f"row_power{size}", [f"{e:#x}," for e in entries]),
        *numbers("row_rest", off),
    ])


def text() -> str:
    """The file."""
    first, second = ("\n\n".join(exponential(n, kind) for kind in TYPES) for n in STEPS)
    return "\n\n".join([
        "/* Written by tools/tables_axis.py. */\n#if FA_STEPS64 == 16", first, "#else", second,
        "#endif\n",
    ])


if __name__ == "__main__":
    sys.exit(write_or_check(TARGET, __doc__, text))
