"""Write fastact/_tables64.h: the exponential of _avx512_f64.h.

    python tools/tables64.py            writes the file (a second; needs mpmath)
    python tools/tables64.py --check    exit 1 if the file has other numbers

AVX-512 picks one of 16 doubles per lane in one instruction: 2^(j/16), in two parts, of
which the first has so few bits that its product with a short reciprocal is exact.  The
polynomial then only has to reach to ln2 / 32.
"""

from __future__ import annotations

import argparse
import dataclasses
import struct
import sys
from pathlib import Path

import coefficients
import mpmath as mp

TARGET = Path(__file__).resolve().parent.parent / "fastact" / "_tables64.h"
SIZE = 16
#: bits of the first part
SHORT = 20
#: what 0 to 1 is cut into for the logarithm: 15.49, so that 1 is in the last entry
STEPS = mp.mpf("15.49")
#: the scale 2^-K of the results
K = 100
#: the scale 2^DOWN of the exponentials below 1 and of their logarithm
DOWN = 1000


def exponential(name: str, about: str, degree: int) -> str:
    """(expm1(r) - r) / r^2 for |r| <= ln2 / 32, for mp.exp or mp.expm1 as ``about``."""
    edge = mp.log(2) / (2 * SIZE) * mp.mpf("1.0001")
    found, error = coefficients.solve(dataclasses.replace(
        coefficients.exp_fit(degree, 53, edge),
        weight=lambda r: r * r / getattr(mp, about)(r) if r else mp.mpf(0),
    ))
    numbers = " ".join(f"{float(c).hex()}," for c in found)
    return (
        f"/* (expm1(r) - r) / r^2: relative error of {about}(r) 2^{float(error):.1f} */\n"
        f"static const double fa_{name}_tail[{len(found)}] = {{\n    {numbers}\n}};"
    )


def silu_root() -> str:
    """What _primitives.pxd has too: silu' around its root."""
    found, error = coefficients.solve(coefficients.FITS["silu_slope_f64"])
    numbers = " ".join(f"{float(c).hex()}," for c in found)
    first = coefficients.round_to(coefficients.SILU_ROOT, 53)
    return (
        f"/* silu'(-U - h) / h, |h| <= 1/16: relative error 2^{float(error):.1f}; U */\n"
        f"static const double fa_silu_root[{len(found)}] = {{\n    {numbers}\n}};\n"
        f"#define FA_SILU_ROOT {float(first).hex()}\n"
        f"#define FA_SILU_ROOT_LOW {float(coefficients.SILU_ROOT - first).hex()}"
    )


def tanh_shrink() -> str:
    """(x - tanh(x)) / x^3, in x^2, and what 1/3 is short of."""
    fit = coefficients.tanh_shrink_fit("0.7", 12)
    found, _ = coefficients.solve(fit)
    numbers = " ".join(f"{float(c).hex()}," for c in found)
    rest = mp.mpf(1) / 3 - found[0]
    exact = [*found[:0:-1], found[0] + rest]
    error = mp.log(max(
        abs(mp.polyval(exact, w) / fit.target(w) - 1) for w in mp.linspace(0, fit.hi, 999)
    ), 2)
    return (
        f"/* (x - tanh(x)) / x^3, in x^2, x <= 0.7: relative error 2^{float(error):.1f}; "
        f"what 1/3 is short of */\n"
        f"static const double fa_tanh_shrink[{len(found)}] = {{\n    {numbers}\n}};\n"
        f"#define FA_THIRD_LOW {float(rest).hex()}"
    )


#: where mish' is 0, negated
MISH_ROOT = mp.findroot(
    lambda u: mp.polyval([1, 4, 6 - 4 * u, 4 - 4 * u], mp.exp(-u)), mp.mpf("1.19")
)


def mish_slope(x):
    """mish'(x)."""
    e = mp.exp(x)
    return e * mp.polyval([1, 4, 6 + 4 * x, 4 + 4 * x], e) / (e * e + 2 * e + 2) ** 2


def mish_root() -> str:
    """mish' around its root: a constant, a slope in two parts, and the rest."""
    first = coefficients.round_to(MISH_ROOT, 53)
    at_first = mish_slope(-first)
    edge = mp.mpf("0.0626")

    def target(h):
        h = h if abs(h) > mp.mpf("1e-20") else mp.mpf("1e-20")
        return (mish_slope(h - first) - at_first) / h

    fit = coefficients.Fit("", target, lambda h: 1 / target(h), -edge, edge, 8, 53)
    found, _ = coefficients.solve(fit)
    found[0] = coefficients.round_to(target(0), 53)
    rest = coefficients.round_to(target(0) - found[0], 53)
    exact = [*found[:0:-1], found[0] + rest]
    error = mp.log(max(
        abs(mp.polyval(exact, h) / target(h) - 1) for h in mp.linspace(-edge, edge, 999)
    ), 2)
    numbers = " ".join(f"{float(c).hex()}," for c in found)
    return (
        f"/* mish'(h - U) less mish'(-U), over h, |h| <= 1/16: relative error "
        f"2^{float(error):.1f}; what its first\n   number is short of; U, mish'(-U) */\n"
        f"static const double fa_mish_root[{len(found)}] = {{\n    {numbers}\n}};\n"
        f"#define FA_MISH_ROOT_LOW {float(rest).hex()}\n"
        f"#define FA_MISH_ROOT {float(first).hex()}\n"
        f"#define FA_MISH_AT_ROOT {float(at_first).hex()}"
    )


def log1p_tail(z):
    """(log1p(z) - z) / z^2."""
    if abs(z) < mp.mpf("1e-9"):
        return -mp.mpf(1) / 2 + z / 3 - z * z / 4
    return (mp.log1p(z) - z) / z**2


def logarithm() -> str:
    """log1p(e), 0 <= e <= 1: entry j is for |e STEPS - j| <= 1 / 2.

    c is near 1 / (1 + j / STEPS), and 1 where j is 0; z = (1 + e) c - 1.  The error is
    relative to log1p(z) there, otherwise to the least logarithm.
    """
    c = [coefficients.round_to(1 / (1 + j / STEPS), SHORT) for j in range(SIZE)]
    # what picks is e / 2^r, |r| <= 1 / 32
    off = mp.mpf(2) ** (mp.mpf(1) / (2 * SIZE))
    ends = [
        (1 + e) * cj - 1
        for j, cj in enumerate(c)
        for e in (max(j - mp.mpf(1) / 2, 0) / STEPS / off, (j + mp.mpf(1) / 2) / STEPS * off)
    ]
    least = mp.log1p(1 / (2 * STEPS) / off)
    found, error = coefficients.solve(coefficients.Fit(
        "", log1p_tail, lambda z: z * z / (mp.log1p(z) if z > 0 else least) if z else mp.eps,
        min(ends), max(ends), 7, 53,
    ))
    high = [mp.nint(-mp.log(cj) * 2**44) / 2**44 for cj in c]
    low = [-mp.log(cj) - h for cj, h in zip(c, high, strict=True)]
    lines = [
        f"/* (log1p(z) - z) / z^2: relative error of log1p 2^{float(error):.1f} */",
        f"static const double fa_log16_tail[{len(found)}] = {{",
        "    " + " ".join(f"{float(k).hex()}," for k in found),
        f"}};\n#define FA_LOG_STEPS {float(STEPS).hex()}\n/* c - 1, -log(c) 2^{DOWN} */",
    ]
    up = mp.mpf(2) ** DOWN
    for part, numbers in (
        ("c", [cj - 1 for cj in c]), ("hi", [h * up for h in high]),
        ("lo", [k * up for k in low]),
    ):
        lines.append(f"static const double fa_log16_{part}[{SIZE}] = {{")
        for at in range(0, SIZE, 4):
            lines.append("    " + " ".join(f"{float(k).hex()}," for k in numbers[at : at + 4]))
        lines.append("};")
    return "\n".join(lines)


def parts(value) -> tuple[float, float]:
    """``value`` as a number of SHORT bits and the rest."""
    high = coefficients.round_to(value, SHORT)
    return float(high), float(coefficients.round_to(value - high, 53))


def entry(j: int, value: float) -> str:
    """The bits of 2^-K value, less j 2^48: what is added to them is n 2^52 + j 2^48."""
    bits = struct.unpack("<Q", struct.pack("<d", value * 2.0**-K if value else 0.0))[0]
    return f"0x{(bits - (j << 48)) % 2**64:016x},"


def table(name: str, about: str, factor) -> str:
    """factor 2^(j/16), j = 0 to 15, as two tables."""
    pairs = [parts(factor * mp.mpf(2) ** (mp.mpf(j) / SIZE)) for j in range(SIZE)]
    lines = [f"/* {about}, times 2^-{K}: bits, less j 2^48 */"]
    for part, place in (("hi", 0), ("lo", 1)):
        lines.append(f"static const uint64_t fa_{name}_{part}[{SIZE}] = {{")
        for at in range(0, SIZE, 4):
            lines.append(
                "    " + " ".join(entry(j, pairs[j][place]) for j in range(at, at + 4))
            )
        lines.append("};")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    text = "\n\n".join([
        "/* Written by tools/tables64.py. */",
        exponential("exp16", "exp", 4),
        exponential("expm1", "expm1", 5),
        table("exp16", "2^(j/16)", mp.mpf(1)),
        silu_root(),
        tanh_shrink(),
        logarithm(),
        mish_root(),
    ]) + "\n"
    if not args.check:
        TARGET.write_text(text)
        return 0
    if not TARGET.exists() or TARGET.read_text() != text:
        print(f"{TARGET} is not what tools/tables64.py writes", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
