"""Errors in units in the last place (ULP), in NumPy; shared by the other tools.

The ULP of an exact value is the spacing of the type there, at least its
smallest subnormal number; no error is forgiven for being small.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

Array = np.ndarray


def ulp(exact: Array, dtype: Any) -> Array:
    """The spacing of ``dtype`` at ``exact``, an array of a wider type."""
    info = np.finfo(dtype)
    least = info.minexp - info.nmant
    _, exponent = np.frexp(exact)
    exponent = np.where(exact == 0, least, exponent - info.nmant - 1)
    return np.ldexp(exact.dtype.type(1), np.maximum(exponent, least))


def overflows(exact: Array, dtype: Any) -> Array:
    """Where ``exact`` is rounded to an infinity: half an ULP above the largest."""
    top = exact.dtype.type(np.finfo(dtype).max)
    return np.abs(exact) >= top + ulp(top[None], dtype)[0] / 2


def at_power_of_two(exact: Array) -> Array:
    """Where ``exact`` is a power of two, or above it by no more than its error."""
    above = np.abs(np.frexp(exact)[0]) - exact.dtype.type(0.5)
    return above < 2.0 ** (5 - np.finfo(exact.dtype).nmant)


def error(computed: Array, exact: Array) -> Array:
    """|computed - exact| in ULP; inf for a NaN and for a wrong infinity.

    ``exact`` has errors of its own: next to a power of two it may stand for a value
    below, of half the ULP (tanh of 20, say), and the smaller ULP is taken.
    """
    dtype = computed.dtype
    with np.errstate(all="ignore"):
        wide = computed.astype(exact.dtype)
        power = at_power_of_two(exact)
        nearer = np.where(power, exact * exact.dtype.type(0.75), exact)
        result = np.abs(wide - exact) / ulp(nearer, dtype)
    endless = np.isinf(computed)
    if endless.any():
        right = overflows(exact, dtype) & (np.signbit(exact) == np.signbit(computed))
        result[endless] = np.where(right[endless], 0, np.inf)
    result[np.isnan(computed)] = np.inf
    return result


def bits_of(a: Array) -> Array:
    return a.view({2: np.int16, 4: np.int32, 8: np.int64}[a.dtype.itemsize])


def order_of(a: Array) -> Array:
    """Integers in the order of the floats, neighbours one apart; -0 is 0."""
    bits = bits_of(a)
    return np.where(bits < 0, np.iinfo(bits.dtype).min - bits, bits)


def floats_of(order: Array, dtype: Any) -> Array:
    """The floats that ``order_of`` numbers so."""
    low = np.iinfo(order.dtype).min
    return np.where(order < 0, low - order, order).view(dtype)


@dataclass
class Tally:
    """What is known of one form of one function on one variant."""

    count: int = 0
    worst: float = 0.0
    #: the input with the worst error, and what came out, as hex floats
    at: str = ""
    got: str = ""
    #: results other than the correctly rounded one (zeros of wrong sign apart)
    misrounded: int = 0
    #: NaN for a number or a number for NaN
    nan: int = 0
    #: infinity for a number or a number for infinity
    inf: int = 0
    #: zeros of the wrong sign
    zero: int = 0
    #: steps against the direction of a monotone function; -1: not monotone
    breaks: int = -1

    def add(self, other: Tally) -> None:
        if other.worst > self.worst or not self.at:
            self.worst, self.at, self.got = other.worst, other.at, other.got
        for name in ("count", "misrounded", "nan", "inf", "zero"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        if other.breaks >= 0:
            self.breaks = max(self.breaks, 0) + other.breaks

    @property
    def share(self) -> float:
        """The share of misrounded results."""
        return self.misrounded / self.count if self.count else 0.0

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, state: dict) -> Tally:
        return cls(**{f.name: state[f.name] for f in fields(cls)})


def judge(x: Array, computed: Array, exact: Array, rounded: Array, known: float) -> Tally:
    """The tally of ``computed``, given ``exact`` in a wider type.

    ``rounded`` is ``exact`` in the type of ``computed``: results equal to it have
    an error of at most half an ULP, so only the others are measured, unless the
    worst error ``known`` so far is below that.  Signed zeros in ``exact`` say
    which zero is right.  Exact values closer to a midpoint of two floats than
    the error of ``exact`` may count as misrounded or not.
    """
    tally = Tally(count=x.size)
    wrong = np.flatnonzero(bits_of(computed) != bits_of(rounded))
    where: Any = wrong
    if known < 0.4999 and 2 * wrong.size <= x.size:
        where = slice(None)
    errors = error(computed[where], exact[where])
    if errors.size:
        i = int(np.argmax(errors))
        tally.worst = float(errors[i])
        tally.at, tally.got = hexadecimal(x[where][i]), hexadecimal(computed[where][i])
    if wrong.size:
        y, right = computed[wrong], rounded[wrong]
        tally.nan = int(np.count_nonzero(np.isnan(y)))
        tally.inf = int(np.count_nonzero(np.isinf(y) != np.isinf(right)))
        tally.misrounded = int(np.count_nonzero(y != right))
        tally.zero = int(
            np.count_nonzero((y == 0) & (np.signbit(y) != np.signbit(exact[wrong])))
        )
    return tally


def hexadecimal(x: Any) -> str:
    """Without the zeros that float.hex() pads with."""
    return re.sub(r"\.?0+p", "p", float(x).hex())
