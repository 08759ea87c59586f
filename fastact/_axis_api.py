"""softmax, log_softmax and logsumexp: functions of all elements along an axis."""

from __future__ import annotations

import functools
import inspect
from math import prod

import numpy as np

from . import _backend, _containers, _docs
from ._api import _Named
from ._checks import FLOAT_OF, array_of, check_axes, check_dtype, check_input, check_out
from ._registry import AxisRow


def _aligned(array: np.ndarray, dtype) -> np.ndarray:
    """C-contiguous and where the kernels may read it, ``array`` itself if it is."""
    result = np.ascontiguousarray(array, dtype=dtype)
    return result if result.flags.aligned else result.copy()


def _straight(x, dtype) -> np.ndarray | None:
    """A copy of numbers in memory order and in a dtype that the kernels have.

    None where there is none, or the order of the axes in memory is another.
    """
    x = array_of(x)
    if x is None or not _backend.COMPILED:
        return None
    kind = FLOAT_OF[x.dtype.char]
    if dtype is not None:
        if dtype is not np.float32 and dtype is not np.float64:
            return None  # (float16 is rounded at the end)
        kind = dtype
    if list(x.strides) != sorted(x.strides, reverse=True):
        return None
    return np.array(x, kind, order="C")


def _memory_order(x: np.ndarray) -> list:
    """The axes of x as they follow each other in memory."""
    order = [*range(x.ndim)]
    if not x.flags.c_contiguous:
        order.sort(key=lambda i: -x.strides[i])
    return order


def _inverse(order: list) -> list:
    """The order of axes that undoes this one."""
    return sorted(range(len(order)), key=order.__getitem__)


def _moved(name, y, axis, g=None) -> np.ndarray | None:
    """along() of arrays that are contiguous but for the order of their axes."""
    if type(y) is not np.ndarray or type(axis) is not int or not -y.ndim <= axis < y.ndim:
        return None
    order = _memory_order(y)
    if g is not None:
        if type(g) is not np.ndarray or g.ndim != y.ndim:
            return None
        g = g.transpose(order)
    result = _backend.along(name, y.transpose(order), order.index(axis % y.ndim), g)
    return None if result is None else result.transpose(_inverse(order))


class _Rows:
    """An array as contiguous rows along ``axes``, and back."""

    def __init__(self, shape: tuple, axes: tuple) -> None:
        self.keep = [i for i in range(len(shape)) if i not in axes]
        self.order = [*self.keep, *axes]
        self.shape = shape
        self.length = prod(shape[i] for i in axes)
        self.count = prod(shape[i] for i in self.keep)

    def of(self, array: np.ndarray, dtype) -> np.ndarray:
        """(count, length), a view where the memory already lies so."""
        rows = array.transpose(self.order).reshape(self.count, self.length)
        return _aligned(rows, dtype)

    def back(self, rows: np.ndarray) -> np.ndarray:
        """A view of ``rows`` in the shape of the array."""
        moved = rows.reshape([self.shape[i] for i in self.order])
        return moved.transpose(_inverse(self.order))


def _readable(array: np.ndarray) -> bool:
    """Whether _aligned() would give the array itself."""
    return array.flags.c_contiguous and array.flags.aligned


def _middle(x: np.ndarray, axes: tuple) -> tuple[list, tuple] | None:
    """The axes of x in the order of its memory, and its shape (outer, n, inner) then.

    None where it has no such order, ``axes`` are not neighbours in it, or are the last.
    """
    order = _memory_order(x)
    shape = x.transpose(order).shape
    places = [order.index(i) for i in axes]
    end = places[0] + len(places)
    if places != [*range(places[0], end)] or prod(shape[end:]) <= 1:
        return None
    return order, (prod(shape[: places[0]]), prod(shape[places[0] : end]), prod(shape[end:]))


class AxisActivation(_Named, _backend.AxisFront):
    """A function of all the elements along an axis.

    There is no elementwise derivative: ``backward`` applies the Jacobian.
    """

    def __init__(self, row: AxisRow) -> None:
        self._row = row
        self._backward = f"{row.name}_backward"
        self._from_output = f"{row.name}_backward_from_output"
        self._set_axis(row.name, row.reduces, functools.partial(type(self).__call__, self))
        self._name(row.name, _docs.along_axis(row))
        if not row.reduces:
            whole = inspect.signature(self.__call__)
            self.__signature__ = whole.replace(
                parameters=[p for n, p in whole.parameters.items() if n != "keepdims"]
            )

    def _others(self, form, names, arrays, axis, **keywords):
        """The form for arrays of other libraries, None for NumPy's."""
        if _containers.ordinary(arrays):
            return None
        where = f"fastact.{self.__name__}" + ("" if form == "value" else f".{form}")
        function = self if form == "value" else getattr(self, form)
        lifted = _containers.lift(
            function, where, names, arrays, {"axis": axis, **keywords}
        )
        if lifted is not None:
            return lifted
        one = "-" if self._row.reduces else "i"  # a number per slice, or an array
        ins = {"backward": one + "i", "backward_from_output": "ii"}.get(form, "i")
        outs = {"value": one, "value_and_derivative": one + "i"}.get(form, "i")
        # an absent x is -inf, and so is the output but for softmax
        absent = -np.inf
        if form == "backward_from_output" and self._row.name == "softmax":
            absent = 0.0
        return _containers.along(
            function, where, ins, outs, arrays, axis, keywords, absent
        )

    def _prepare(self, where, names, values, axis, dtype):
        """Checked arrays, their rows, and the dtypes of result and kernel."""
        arrays = [
            np.asarray(check_input(where, n, v))
            for n, v in zip(names, values, strict=True)
        ]
        if dtype is None:
            dtype = np.result_type(np.float16, *[a.dtype for a in arrays])
            if dtype.char not in "ef":
                dtype = np.dtype(np.float64)
        else:
            dtype = check_dtype(where, dtype)
        x = arrays[-1]
        axes = check_axes(where, axis, x.ndim)
        rows = _Rows(x.shape, axes)
        if rows.length == 0:
            raise ValueError(
                f"{where}: the axis {axis} of {names[-1]} is empty (shape {x.shape})"
            )
        work = np.dtype(np.float64 if dtype == np.float64 else np.float32)
        if _backend.COMPILED and dtype == np.float16 and all(a.dtype == dtype for a in arrays):
            work = dtype
        return arrays, axes, rows, dtype, work

    def _by_columns(self, name, inputs, axes, work, shape, out):
        """The result where what follows the axes lies side by side; else None.

        It may be ``out``, and has the order of x in memory, as a ufunc's has.
        """
        x = inputs[-1]
        found = _middle(x, axes) if _backend.COMPILED and x.size and axes else None
        if found is None or any(a.dtype != work for a in inputs):
            return None
        order, (outer, n, inner) = found
        one = self._row.reduces  # g, or without it the result: one number per column
        if one and order != [*range(x.ndim)]:
            return None

        def block(array, one):
            moved = array if one else array.transpose(order)
            return moved.reshape(outer, 1 if one else n, inner) if _readable(moved) else None

        blocks = [block(g, one) for g in inputs[:-1]] + [block(x, False)]
        if any(b is None for b in blocks):
            return None
        one = one and len(inputs) == 1
        target = None if out is None or out.dtype != work else block(out, one)
        if target is not None and any(
            np.may_share_memory(target, b)
            and (one or len(inputs) > 1 or target.ctypes.data != b.ctypes.data)
            for b in blocks
        ):
            target = None
        if target is None:
            out = np.empty(shape if one else [shape[i] for i in order], work)
            target = out.reshape(outer, -1, inner)
            out = out if one else out.transpose(_inverse(order))
        _backend.axis_columns(name, blocks[0], blocks[1] if len(blocks) > 1 else None, target)
        return out

    def _quick(self, x, axis, out, dtype, keepdims):
        """The value of what only has to be copied first, or None.

        (What does not, AxisFront has answered.)
        """
        name, reduces = self._row.name, self._row.reduces
        if (keepdims and not reduces) or (type(axis) is not int and axis is not None):
            return None
        straight = _straight(x, dtype)
        if straight is not None:
            return _backend.along(name, straight, axis, None, out, reduces, bool(keepdims))
        if dtype is None and out is None and not reduces:
            return _moved(name, x, axis)
        return None

    def _finish(self, result, shape, out, dtype):
        if result is out:
            return out
        if out is not None:
            out[...] = result
            return out
        result = result.astype(dtype, copy=False)
        return result if shape else result[()]

    def __call__(self, x, /, axis=-1, *, out=None, dtype=None, keepdims=False):
        result = self._quick(x, axis, out, dtype, keepdims)
        if result is not None:
            return result if result.ndim else result[()]
        where = f"fastact.{self.__name__}"
        if keepdims and not self._row.reduces:
            raise TypeError(f"{where}: unknown keyword 'keepdims'")
        options = {"keepdims": keepdims} if self._row.reduces else {}
        other = self._others("value", ("x",), (x,), axis, out=out, dtype=dtype, **options)
        if other is not None:
            return other
        (x,), axes, rows, dtype, work = self._prepare(where, ("x",), (x,), axis, dtype)
        if not self._row.reduces:
            shape = x.shape
        else:
            shape = tuple(
                1 if i not in rows.keep else n
                for i, n in enumerate(x.shape)
                if keepdims or i in rows.keep
            )
        if out is not None:
            (out,) = check_out(where, out, 1, shape, dtype)
            self._exact(where, out, shape)
        result = self._by_columns(self._row.name, [x], axes, work, shape, out)
        if result is not None:
            return self._finish(result, shape, out, dtype)
        target = None
        if not self._row.reduces and out is not None and out.dtype == work:
            view = out.transpose(rows.order)
            if view.flags.c_contiguous and view.flags.aligned:
                target = view.reshape(rows.count, rows.length)
        source = rows.of(x, work)
        if target is None or (
            np.may_share_memory(source, target)
            and source.__array_interface__["data"] != target.__array_interface__["data"]
        ):
            width = 1 if self._row.reduces else rows.length
            result = np.empty((rows.count, width), work)
            _backend.axis_forward(self._row.name, source, result)
            full = result.reshape(shape) if self._row.reduces else rows.back(result)
            return self._finish(full, shape, out, dtype)
        _backend.axis_forward(self._row.name, source, target)
        return out

    def _exact(self, where: str, out, shape: tuple) -> None:
        if np.shape(out) != shape:
            raise ValueError(
                f"{where}: out has shape {np.shape(out)}, the result {shape}"
            )

    def _gradient(self, form, names, g, y, axis, out, dtype):
        """The gradient from g and the input or output, as ``form`` has it."""
        name = f"{self._row.name}_{form}"
        if dtype is None and out is None and not self._row.reduces:
            result = _moved(name, y, axis, g)
            if result is not None:
                return result
        where = f"fastact.{self.__name__}.{form}"
        other = self._others(form, names, (g, y), axis, out=out, dtype=dtype)
        if other is not None:
            return other
        (g, y), axes, rows, dtype, work = self._prepare(where, names, (g, y), axis, dtype)
        shape = y.shape
        if self._row.reduces:
            kept = tuple(shape[i] for i in rows.keep)
            ones = tuple(n if i in rows.keep else 1 for i, n in enumerate(shape))
            if g.shape not in (kept, ones):
                raise ValueError(
                    f"{where}: g must have shape {kept} or {ones}, got {g.shape}"
                )
        else:
            try:
                g = np.broadcast_to(g, shape)
            except ValueError:
                raise ValueError(
                    f"{where}: g has shape {g.shape}, {names[1]} {shape}"
                ) from None
        if out is not None:
            (out,) = check_out(where, out, 1, shape, dtype)
            self._exact(where, out, shape)
        result = self._by_columns(name, [g, y], axes, work, shape, out)
        if result is not None:
            return self._finish(result, shape, out, dtype)
        if self._row.reduces:
            g_rows = _aligned(g, work).reshape(rows.count, 1)
        else:
            g_rows = rows.of(g, work)
        result = np.empty((rows.count, rows.length), work)
        _backend.axis_backward(name, g_rows, rows.of(y, work), result)
        return self._finish(rows.back(result), shape, out, dtype)

    @_docs.method(_docs.AXIS_OPERANDS, "gx")
    def backward(self, g, x, /, axis=-1, *, out=None, dtype=None):
        """The gradient to x, for the gradient g of the output."""
        if dtype is None:
            result = _backend.along(self._backward, x, axis, g, out, self._row.reduces)
            if result is not None:
                return result
        return self._gradient("backward", ("g", "x"), g, x, axis, out, dtype)


class AxisMap(AxisActivation):
    """One whose result is shaped like its input."""

    @_docs.method(_docs.AXIS_OPERANDS, "gx")
    def backward_from_output(self, g, y, /, axis=-1, *, out=None, dtype=None):
        """The gradient to x, computed from the output y."""
        if dtype is None:
            result = _backend.along(self._from_output, y, axis, g, out)
            if result is not None:
                return result
        return self._gradient(
            "backward_from_output", ("g", "y"), g, y, axis, out, dtype
        )


class AxisReduction(AxisActivation):
    """One that reduces the axis."""

    @_docs.method(_docs.AXIS_OPERANDS, "gx")
    def derivative(self, x, /, axis=-1, *, out=None, dtype=None):
        """The gradient of the result to each element: softmax."""
        other = self._others("derivative", ("x",), (x,), axis, out=out, dtype=dtype)
        if other is not None:
            return other
        return self.backward(
            np.ones((), np.float16) if axis is None else _ones(self, x, axis),
            x, axis, out=out, dtype=dtype,
        )

    @_docs.method(_docs.AXIS_OPERANDS, "f", "gx")
    def value_and_derivative(self, x, /, axis=-1, *, dtype=None):
        """The result, and its gradient to each element."""
        other = self._others("value_and_derivative", ("x",), (x,), axis, dtype=dtype)
        if other is not None:
            return other
        return self(x, axis, dtype=dtype), self.derivative(x, axis, dtype=dtype)


for _class in (AxisActivation, AxisMap, AxisReduction):
    _backend.use_vectorcall(_class)


def _ones(function: AxisActivation, x, axis) -> np.ndarray:
    """A gradient of ones for the reduced shape, of a dtype that promotes nothing."""
    where = f"fastact.{function.__name__}.derivative"
    shape = np.shape(x)
    axes = check_axes(where, axis, len(shape))
    dtype = getattr(x, "dtype", None)
    if dtype not in (np.float32, np.float64):
        dtype = np.float16
    return np.ones([n for i, n in enumerate(shape) if i not in axes], dtype)


def make(row: AxisRow) -> AxisActivation:
    return (AxisReduction if row.reduces else AxisMap)(row)
