"""Chooses the backend, once, when the package is imported.

A backend gives: ``Front`` (the base class of the activations), ``loop(public)``
(an object with ``fast`` and ``ufunc``), ``axis_forward`` and ``axis_backward``, whether
these take float16 and ``axis_columns`` works (``COMPILED``), ``use_bfloat16`` (which is
told the dtype of that name), the instruction set ``ISA`` of its kernels and those that it
could use here, ``ISAS``, and the number of threads: ``get_threads``, ``set_threads`` for
the process, ``limit_here`` for the calling thread (0: that of the process), which returns
what was before.
"""

from __future__ import annotations

import importlib.util
import os
import warnings

import numpy as np

CHOICES = ("cython", "numpy")


def choose() -> str:
    """The name of the backend to use, from FASTACT_BACKEND and what is built."""
    asked = os.environ.get("FASTACT_BACKEND", "")
    if asked and asked not in CHOICES:
        raise ImportError(
            f"FASTACT_BACKEND={asked!r}: takes {' or '.join(map(repr, CHOICES))}"
        )
    if asked == "numpy":
        return "numpy"
    # Only an extension that is absent is a reason to fall back: one that is
    # there and fails to import is a broken installation, and says so itself.
    if importlib.util.find_spec("fastact._front") is not None:
        return "cython"
    if asked == "cython":
        raise ImportError(
            "FASTACT_BACKEND='cython': the compiled extension is not installed "
            "(build it with `pip install .` and a C compiler)"
        )
    warnings.warn(
        "fastact runs on its NumPy backend, which is slower: the compiled extension "
        "is not installed (build it with `pip install .` and a C compiler, or set "
        "FASTACT_BACKEND=numpy to silence this)",
        RuntimeWarning,
        stacklevel=4,
    )
    return "numpy"


NAME = choose()

if NAME == "cython":
    from ._front import (
        ISA,
        ISAS,
        AxisFront,
        Front,
        along,
        axis_columns,
        axis_rows,
        loop,
        use_bfloat16,
        use_vectorcall,
    )
    from ._pool import get_threads, limit_here, set_threads

    COMPILED = True

    def axis_forward(name: str, x: np.ndarray, out: np.ndarray) -> None:
        """Fill ``out`` (rows, n or 1) from ``x`` (rows, n), both contiguous."""
        axis_rows(name, x, None, out)

    def axis_backward(
        name: str, g: np.ndarray, y: np.ndarray, out: np.ndarray
    ) -> None:
        """Fill ``out`` with the gradient: ``name`` says of which form."""
        axis_rows(name, g, y, out)

else:
    import threading

    from . import _numpy_backend
    from ._numpy_backend import ufunc as _ufunc

    ISA = "none"
    ISAS = []
    COMPILED = False

    class Front:  # type: ignore[no-redef]
        """The forms of an activation, all by way of ``_general``."""

        def _set_fast(self, row, params):
            pass

        def _bind(self, keywords, loop, params):
            return None

        def _recall(self, form, bound):
            pass

        def __call__(self, *args, **kwargs):
            return self._general("value", args, kwargs)

        def derivative(self, *args, **kwargs):
            """The derivative f'(x)."""
            return self._general("derivative", args, kwargs)

        def value_and_derivative(self, *args, **kwargs):
            """The value f(x) and the derivative f'(x), in one pass over x."""
            return self._general("value_and_derivative", args, kwargs)

        def backward(self, *args, **kwargs):
            """The gradient g f'(x) for the gradient g of the output."""
            return self._general("backward", args, kwargs)

        def backward_from_output(self, *args, **kwargs):
            """The gradient g f'(x), computed from the output y = f(x)."""
            return self._general("backward_from_output", args, kwargs)

    class AxisFront:  # type: ignore[no-redef]
        """Functions along an axis, all by way of their methods."""

        def _set_axis(self, name, reduces, method):
            pass

    class _Loop:
        def __init__(self, public: str) -> None:
            self.ufunc = _ufunc(public)

        def fast(self, inputs, params, out):
            return None

    def loop(public: str) -> _Loop:
        return _Loop(public)

    def use_vectorcall(cls: type) -> None:
        """Nothing to do without the extension."""

    def use_bfloat16(dtype: np.dtype) -> None:
        """Likewise."""

    def axis_forward(name: str, x: np.ndarray, out: np.ndarray) -> None:
        result = _numpy_backend.axis_forward(name, x)
        out[...] = result.reshape(out.shape)

    def axis_backward(
        name: str, g: np.ndarray, y: np.ndarray, out: np.ndarray
    ) -> None:
        out[...] = _numpy_backend.axis_backward(name, g, y)

    def axis_columns(name: str, a: np.ndarray, b, out: np.ndarray) -> None:
        """Not here (``COMPILED``)."""

    def along(name: str, x, axis, g=None, out=None, reduces=False, keepdims=False) -> None:
        """No quick way here."""

    class _Threads(threading.local):
        """The number of threads, kept but not used: ``everywhere`` and ``here``."""

        everywhere = 1
        here = 0

    _threads = _Threads()

    def get_threads() -> int:
        return _threads.here or _Threads.everywhere

    def set_threads(n: int) -> None:
        _Threads.everywhere = n

    def limit_here(n: int) -> int:
        before, _threads.here = _threads.here, n
        return before
