"""The kernels of every instruction set and the NumPy backend, in one process.

A variant gives value and derivative of a row at an array, whatever fastact chose
when it was imported.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import importlib
import os
from pathlib import Path
from typing import Any

import numpy as np

from fastact import _backend, _numpy_backend, _registry

Array = np.ndarray
NAMES = ("base", "v3", "v4", "numpy")
LANES = 16  # the loops take multiples of this many elements

# void (*)(void *a0, ..., void *a4, Py_ssize_t n, const double *params)
_KERNEL = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 5, ctypes.c_ssize_t, ctypes.c_void_p)


class Compiled:
    """The loops of one instruction set, called as the array front calls them."""

    slow = False

    def __init__(self, isa: str) -> None:
        self.name = isa
        module = importlib.import_module(f"fastact._kernels_{isa}")
        pointer = ctypes.pythonapi.PyCapsule_GetPointer
        pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
        address = pointer(module.TABLE, b"fastact.table")
        self._table = (ctypes.c_void_p * len(module.NAMES)).from_address(address)
        self._index = {name: i for i, name in enumerate(module.NAMES)}

    def run(self, kernel: str, outputs: int, params: dict, *inputs: Array) -> list[Array]:
        """The named loop ("tanh_value") at arrays of one length and dtype."""
        n, dtype = inputs[0].size, inputs[0].dtype
        full = (n + LANES - 1) & -LANES
        if full != n:
            inputs = tuple(np.concatenate([a, np.full(full - n, a[-1])]) for a in inputs)
        arrays = [np.ascontiguousarray(a) for a in inputs]
        arrays += [np.empty(full, dtype) for _ in range(outputs)]
        self._call(kernel, arrays, full, params)
        return [a[:n] for a in arrays[len(inputs):]]

    def _call(self, kernel: str, arrays: list[Array], n: int, params: dict) -> None:
        pointers = [a.ctypes.data for a in arrays] + [None] * (5 - len(arrays))
        p = (ctypes.c_double * 2)(*[float(v) for v in params.values()])
        name = f"{kernel}_{'f32' if arrays[0].dtype == np.float32 else 'f64'}"
        address: Any = self._table[self._index[name]]
        _KERNEL(address)(*pointers, n, ctypes.addressof(p))

    def axis(self, name: str, x: Array) -> Array:
        """softmax, log_softmax or logsumexp of one row."""
        out = np.empty(1 if name == "logsumexp" else x.size, x.dtype)
        self._call(name, [x, out], x.size, {"rows": 1})
        return out

    def axis_backward(self, name: str, g: Array, x: Array) -> Array:
        """The gradient at x (logsumexp: with one g)."""
        out = np.empty_like(x)
        self._call(name + "_backward", [g, x, out], x.size, {"rows": 1})
        return out

    def pair(self, row: str, params: dict, x: Array) -> list[Array]:
        return self.run(f"{row}_value_and_derivative", 2, params, x)

    def single(self, row: str, form: str, params: dict, x: Array) -> Array:
        return self.run(f"{row}_{form}", 1, params, x)[0]


class Numpy:
    """The NumPy backend."""

    name = "numpy"
    slow = True

    def pair(self, row: str, params: dict, x: Array) -> list[Array]:
        given = [x.dtype.type(v) for v in params.values()]
        return list(_numpy_backend.ufunc(row + "_vd")(x, *given))

    def single(self, row: str, form: str, params: dict, x: Array) -> Array:
        given = [x.dtype.type(v) for v in params.values()]
        return _numpy_backend.ufunc(row + _registry.SUFFIX[form])(x, *given)

    def axis(self, name: str, x: Array) -> Array:
        return _numpy_backend.axis_forward(name, x[None]).reshape(-1)

    def axis_backward(self, name: str, g: Array, x: Array) -> Array:
        given = g if name == "logsumexp" else g[None]
        return _numpy_backend.axis_backward(name, given, x[None])[0]


def _runs(isa: str) -> bool:
    """Whether this build and this CPU have ``isa``."""
    if _backend.NAME != "cython":
        return False
    from fastact._front import choose_isa

    before = os.environ.get("FASTACT_ISA")
    os.environ["FASTACT_ISA"] = isa
    try:
        choose_isa()
    except ImportError:
        return False
    finally:
        if before is None:
            del os.environ["FASTACT_ISA"]
        else:
            os.environ["FASTACT_ISA"] = before
    return True


def available() -> list[str]:
    return [name for name in NAMES if name == "numpy" or _runs(name)]


@functools.cache
def load(name: str) -> Any:
    return Numpy() if name == "numpy" else Compiled(name)


def fingerprint() -> str:
    """Changes with the code that computes anything."""
    digest = hashlib.sha256()
    folder = Path(_numpy_backend.__file__).parent
    for path in sorted([*folder.glob("_kernels_*.*"), folder / "_numpy_backend.py"]):
        if path.suffix in (".so", ".pyd", ".py"):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
