"""What the tests walk over, all of it from the registry."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np

from fastact import _backend, _registry

COMPILED = _backend.NAME == "cython"
DTYPES = (np.float32, np.float64)
ROWS = _registry.ROWS
KERNELS = _registry.kernels()
ELEMENTWISE = [k for k in KERNELS if k.kind == "elementwise"]


def params_of(row) -> dict:
    """One valid set of parameters: the defaults, else the first sample."""
    if all(p.default is not None for p in row.params):
        return {p.name: p.default for p in row.params}
    return dict(row.samples[0])


def all_params(row) -> list[dict]:
    sets = [params_of(row), *row.samples]
    return [p for i, p in enumerate(sets) if p not in sets[:i]]


CASES = [(row, params) for row in ROWS for params in all_params(row)]
CASE_IDS = [f"{r.name}-{'-'.join(map(str, p.values()))}" for r, p in CASES]


def loop(name):
    return _backend.loop(name)


def ufunc(name):
    return loop(name).ufunc


def rounded(params: dict, dtype) -> dict:
    """Parameters as a kernel of that dtype sees them."""
    return {k: dtype(v) for k, v in params.items()}


def inputs_of(kernel, n: int, dtype, seed: int = 3) -> list[np.ndarray]:
    """Random inputs for every operand, with the special values among them."""
    rng = np.random.default_rng(seed)
    arrays = []
    for name in kernel.inputs:
        a = rng.normal(0, 4, n).astype(dtype)
        if name == "y":  # an output: within the range of most activations
            a = np.abs(np.tanh(a))
        special = [0.0, -0.0, 1e-40, -1e-40, np.inf, -np.inf, np.nan, 1e30, -95.0]
        if name != "y" and n > 3 * len(special):
            a[rng.permutation(n)[: len(special)]] = special
        arrays.append(a)
    return arrays


def kernel_params(kernel, dtype) -> list:
    if not kernel.params:
        return []
    return [dtype(v) for v in params_of(kernel.row).values()]


def same_bits(a, b) -> bool:
    """Equal to the last bit, any NaN equal to any NaN."""
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    both_nan = np.isnan(a) & np.isnan(b)
    kind = {2: np.uint16, 4: np.uint32, 8: np.uint64}[a.dtype.itemsize]
    bits = np.ascontiguousarray(a).view(kind) == np.ascontiguousarray(b).view(kind)
    return bool(np.all(bits.reshape(a.shape) | both_nan))


def python(code, **environment):
    """``code`` in a fresh interpreter, with no FASTACT_* but those given."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("FASTACT_")}
    return subprocess.run(
        [sys.executable, "-c", code], env={**env, **environment}, cwd="/",
        capture_output=True, text=True, timeout=120,
    )
