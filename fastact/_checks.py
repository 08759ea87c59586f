"""Checks of arguments: every error names the argument, what it got, what it takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._registry import CHECKS, Param, check_number

#: keywords that go through to the ufunc
UFUNC_KEYWORDS = ("out", "where", "dtype", "casting", "order", "subok")

FLOATS = tuple(np.dtype(t) for t in ("float16", "float32", "float64"))
#: what arrays of numbers are computed in, by the character of their dtype
FLOAT_OF = {
    c: np.result_type(np.float16, c).type for c in "efd?" + np.typecodes["AllInteger"]
}
_TAKES = "float16, float32, float64, integers or bool"


def describe(value) -> str:
    """What ``value`` is, for an error message."""
    if isinstance(value, np.ndarray):
        return f"an array of dtype {value.dtype} and shape {value.shape}"
    text = repr(value)
    if len(text) > 40:
        text = text[:40] + "..."
    return f"{type(value).__name__} {text}"


def check_input(where: str, name: str, value):
    """``value``, or the array that it becomes; TypeError if it holds no reals.

    Objects with a ufunc protocol of their own (dask, pandas, xarray, ...) and
    Python scalars stay as they are.
    """
    dtype: Any
    if isinstance(value, (bool, int, float, np.generic)):
        dtype = np.asarray(value).dtype
    elif hasattr(value, "__array_ufunc__"):
        dtype = getattr(value, "dtype", None)
    else:
        try:
            value = np.asarray(value)
        except ValueError as error:  # a ragged list
            raise ValueError(f"{where}: {name}: {error}") from None
        dtype = value.dtype
    if isinstance(dtype, np.dtype) and not np.can_cast(dtype, np.float64):
        raise TypeError(f"{where}: {name} must hold {_TAKES}, got dtype {dtype}")
    return value


def array_of(value) -> np.ndarray | None:
    """An array of numbers (``FLOAT_OF``), or a list of them as one; None for the rest."""
    if type(value) is list:
        try:
            value = np.array(value)
        except ValueError:  # (ragged)
            return None
    if type(value) is np.ndarray and value.dtype.char in FLOAT_OF:
        return value
    return None


def check_param(where: str, param: Param, value):
    """A float, or an array of numbers that the parameter may be."""
    if np.ndim(value) == 0:
        return check_number(where, param, value)
    array = check_input(where, param.name, value)
    text, good = CHECKS[param.check]
    for number in np.unique(np.asarray(array)):
        if not good(number):
            raise ValueError(
                f"{where}: {param.name} must be {text}, got an array with {number}"
            )
    return array


def check_dtype(where: str, dtype) -> np.dtype:
    try:
        result = np.dtype(dtype)
    except TypeError:
        result = None  # (which equals np.dtype("float64"))
    if result is None or result not in FLOATS:
        raise TypeError(
            f"{where}: dtype must be float16, float32 or float64, got {dtype!r}"
        )
    return result


def check_shapes(where: str, names, values) -> tuple[int, ...]:
    """The common shape of the inputs."""
    shapes = [np.shape(v) for v in values]
    if shapes.count(shapes[0]) == len(shapes):
        return shapes[0]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        got = ", ".join(f"{n} {s}" for n, s in zip(names, shapes, strict=True))
        raise ValueError(
            f"{where}: the shapes do not broadcast together: {got}"
        ) from None


def check_out(where: str, out, nout: int, shape, dtype, casting="same_kind") -> tuple:
    """``out`` as a tuple of ``nout``, each fit to take a result."""
    if not isinstance(out, tuple):
        out = (out,)
    if len(out) != nout:
        takes = "an array" if nout == 1 else f"a tuple of {nout} arrays"
        raise ValueError(f"{where}: out must be {takes}, got {len(out)}")
    for array in out:
        if array is None or not isinstance(array, np.ndarray):
            if array is None or hasattr(array, "__array_ufunc__"):
                continue
            raise TypeError(
                f"{where}: out must be an array or None, got {describe(array)}"
            )
        if not array.flags.writeable:
            raise ValueError(f"{where}: out is read-only")
        if not np.can_cast(dtype, array.dtype, casting):
            raise TypeError(
                f"{where}: out has dtype {array.dtype}, which cannot take {dtype} "
                f"under casting={casting!r}"
            )
        try:
            fits = array.shape == shape or (
                np.broadcast_shapes(shape, array.shape) == array.shape
            )
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(
                f"{where}: out has shape {array.shape}, the result {tuple(shape)}"
            )
    return out


def check_axis(where: str, axis, ndim: int) -> int:
    """``axis`` as an index in [0, ndim)."""
    try:
        index = axis.__index__()
    except AttributeError:
        raise TypeError(f"{where}: axis must be an integer, got {axis!r}") from None
    if not -ndim <= index < ndim:
        raise ValueError(
            f"{where}: axis {index} is out of range for {ndim} dimension(s)"
        )
    return index % ndim


def check_axes(where: str, axis, ndim: int) -> tuple[int, ...]:
    """``axis`` (an integer, several, or None for all) as distinct indices."""
    if axis is None:
        return tuple(range(ndim))
    if not isinstance(axis, tuple):
        return (check_axis(where, axis, ndim),)
    axes = tuple(check_axis(where, a, ndim) for a in axis)
    if len(set(axes)) < len(axes):
        raise ValueError(f"{where}: axis {axis} names one axis twice")
    return axes
