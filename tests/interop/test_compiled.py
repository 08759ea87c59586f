"""Numba and SciPy call the C functions of fastact.kernels."""

import ctypes

import numpy as np
import pytest
from cases import COMPILED, same_bits

import fastact as fa

pytestmark = pytest.mark.skipif(not COMPILED, reason="fastact.kernels is compiled")


def test_scipy_integrates_a_kernel():
    scipy = pytest.importorskip("scipy")
    integrate = pytest.importorskip("scipy.integrate")
    from fastact import kernels

    for name in ("sigmoid", "tanh", "gelu", "mish"):
        f = scipy.LowLevelCallable.from_cython(kernels, f"{name}_d_f64_scalar")
        assert f.signature == "double (double)"
        area, error = integrate.quad(f, -3, 2)
        activation = fa.ACTIVATIONS[name]
        assert error < 1e-6 and abs(area - (activation(2.0) - activation(-3.0))) < 1e-12


def test_numba():
    numba = pytest.importorskip("numba")
    from numba.extending import get_cython_function_address

    double, size = ctypes.c_double, ctypes.c_ssize_t
    slope = ctypes.CFUNCTYPE(double, double, double)(
        get_cython_function_address("fastact.kernels", "leaky_relu_f64_scalar")
    )
    pair = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, size)(
        get_cython_function_address("fastact.kernels", "gelu_vd_f32_ptr")
    )

    @numba.njit
    def numbers(x):
        y = np.empty_like(x)
        for i in range(x.size):
            y[i] = slope(x[i], 0.25)
        return y

    @numba.njit(nogil=True)
    def arrays(x):
        y, dy = np.empty_like(x), np.empty_like(x)
        pair(x.ctypes, y.ctypes, dy.ctypes, x.size)
        return y, dy

    x = np.random.default_rng(0).normal(0, 4, 1003)
    assert same_bits(numbers(x), fa.leaky_relu(x, negative_slope=0.25))
    got = arrays(x.astype(np.float32))
    for a, b in zip(got, fa.gelu.value_and_derivative(x.astype(np.float32)), strict=True):
        assert same_bits(a, b)
