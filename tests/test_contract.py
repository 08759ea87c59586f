"""NaN, infinities, signed zeros, kinks, subnormals; no warnings from any."""

import warnings

import numpy as np
import pytest
from cases import (
    CASE_IDS,
    CASES,
    DTYPES,
    KERNELS,
    inputs_of,
    kernel_params,
    rounded,
    ufunc,
)

import fastact as fa


@pytest.mark.parametrize("dtype", [np.float16, *DTYPES])
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.public)
def test_nan_in_nan_out(kernel, dtype):
    """In every input, in every form, at every position of a vector."""
    params = kernel_params(kernel, dtype)
    for i, name in enumerate(kernel.inputs):
        arrays = [np.full(37, 0.5, dtype) for _ in kernel.inputs]
        arrays[i][::3] = np.nan
        results = ufunc(kernel.public)(*arrays, *params)
        results = results if isinstance(results, tuple) else (results,)
        for output, result in zip(kernel.outputs, results, strict=True):
            depends = not (
                (kernel.kind == "gate" and name == "value" and output == "d_value")
                or (kernel.kind == "gate" and output == "g_value" and name == "value")
                or (kernel.kind == "prelu" and output == "gw" and name == "weight")
                # the slope of prelu shows where it is used only
                or (kernel.kind == "prelu" and name == "weight")
            )
            if depends:
                assert np.isnan(result[::3]).all(), output
                assert not np.isnan(result[1::3]).any(), output


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("row", "params"), CASES, ids=CASE_IDS)
def test_infinities_give_the_limits(row, params, dtype):
    """At +-inf: the value at the largest finite input, or infinite as it is."""
    top = np.finfo(dtype).max
    x = np.array([-np.inf, -top, top, np.inf], dtype)
    f, d = ufunc(row.name + "_vd")(x, *rounded(params, dtype).values())
    for limit, near, at in ((f[0], f[1], x[0]), (f[3], f[2], x[3])):
        if abs(near) > 1e30:
            assert np.isinf(limit) and np.sign(limit) == np.sign(near), at
        else:
            assert limit == near or (abs(near) < 1e-30 and limit == 0), at
            assert np.signbit(limit) == np.signbit(near), at
    if row.name != "relu_squared":
        assert d[0] == d[1] or (abs(d[1]) < 1e-30 and d[0] == 0)
        assert d[3] == d[2] or (abs(d[2]) < 1e-30 and d[3] == 0)
    else:
        assert d[3] == np.inf and d[0] == 0


POSITIVE_AT_MINUS_0 = {"relu", "relu6", "relu_squared", "hard_shrink", "soft_shrink"}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("row", "params"), CASES, ids=CASE_IDS)
def test_signed_zeros(row, params, dtype):
    x = np.array([0.0, -0.0], dtype)
    f = ufunc(row.name)(x, *rounded(params, dtype).values())
    if f[0] == 0:
        assert not np.signbit(f[0])
        assert np.signbit(f[1]) == (row.name not in POSITIVE_AT_MINUS_0)


KINKS = [
    ("relu", {}, 0.0, 0.0),
    ("leaky_relu", {"negative_slope": 0.25}, 0.0, 0.25),
    ("elu", {"alpha": 1.5}, 0.0, 1.5),
    ("celu", {"alpha": 1.5}, 0.0, 1.0),
    ("selu", {}, 0.0, 1.7580993408473768),
    ("relu6", {}, 0.0, 0.0),
    ("relu6", {}, 6.0, 0.0),
    ("hard_tanh", {}, -1.0, 0.0),
    ("hard_tanh", {}, 1.0, 0.0),
    ("hard_sigmoid", {}, -3.0, 0.0),
    ("hard_sigmoid", {}, 3.0, 0.0),
    ("hard_swish", {}, -3.0, 0.0),
    ("hard_swish", {}, 3.0, 1.0),
    ("hard_shrink", {"lambd": 0.5}, 0.5, 0.0),
    ("hard_shrink", {"lambd": 0.5}, -0.5, 0.0),
    ("soft_shrink", {"lambd": 0.5}, 0.5, 0.0),
    ("soft_shrink", {"lambd": 0.5}, -0.5, 0.0),
    ("threshold", {"threshold": 1.0, "value": 0.0}, 1.0, 0.0),
    ("relu_squared", {}, 0.0, 0.0),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "params", "x", "expected"), KINKS)
def test_derivative_at_kinks(name, params, x, expected, dtype):
    got = getattr(fa, name).derivative(np.full(3, x, dtype), **params)
    assert (got == dtype(expected)).all()
    got = getattr(fa, name).derivative(np.full(3, -x, dtype), **params)
    if x == 0:
        assert (got == dtype(expected)).all()


@pytest.mark.parametrize("dtype", [np.float16, *DTYPES])
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.public)
def test_no_warnings(kernel, dtype):
    with np.errstate(all="ignore"):
        arrays = inputs_of(kernel, 200, dtype)
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        params = kernel_params(kernel, dtype)
        ufunc(kernel.public)(*arrays, *params)
        ufunc(kernel.public)(*[a[::2] for a in arrays], *params)


@pytest.mark.parametrize("dtype", DTYPES)
def test_flush_to_zero_stays_off(dtype):
    tiny = np.array([np.finfo(dtype).smallest_subnormal] * 40, dtype)
    assert (fa.relu(tiny) == tiny).all() and (tiny > 0).all()
    assert (fa.leaky_relu(-tiny, negative_slope=1.0) == -tiny).all()
    assert float(fa.sigmoid(np.array([-88.5], np.float32))[0]) > 0
    assert (tiny + tiny > tiny).all()
