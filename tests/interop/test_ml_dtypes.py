"""bfloat16 and its kind: computed in float32, rounded once."""

import warnings

import numpy as np
import pytest
from containers import ALONG_AXIS, ELEMENTWISE, ELEMENTWISE_IDS, GATES, name_of

import fastact as fa

ml_dtypes = pytest.importorskip("ml_dtypes")

DTYPES = [ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn]


def every(dtype):
    """All numbers of the dtype, quiet NaNs among them."""
    n = np.dtype(dtype).itemsize
    x = np.arange(256**n, dtype=f"u{n}").view(dtype)
    with np.errstate(invalid="ignore"):  # (ml_dtypes says so of signalling ones)
        return np.where(np.isnan(x), np.array(np.nan, dtype), x)


def check(got, expected, dtype):
    """``expected`` are float32 results."""
    assert got.dtype == dtype and got.shape == expected.shape
    with np.errstate(all="ignore"):
        expected = expected.astype(dtype)
    assert (np.isnan(got) == np.isnan(expected)).all()
    kind = f"u{np.dtype(dtype).itemsize}"
    assert (got.view(kind) == expected.view(kind))[~np.isnan(got)].all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("activation", "options"), ELEMENTWISE, ids=ELEMENTWISE_IDS)
def test_elementwise(activation, options, dtype):
    x = every(dtype)
    x32 = x.astype(np.float32)
    forms = {"__call__": (x,), "derivative": (x,), "backward": (x[::-1], x)}
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        for form, args in forms.items():
            f = getattr(activation, form)
            expected = f(*[a.astype(np.float32) for a in args], **options)
            check(f(*args, **options), expected, dtype)
        y, d = activation.value_and_derivative(x, **options)
    expected = activation.value_and_derivative(x32, **options)
    check(y, expected[0], dtype)
    check(d, expected[1], dtype)


@pytest.mark.parametrize("function", ALONG_AXIS, ids=name_of)
def test_along_axis(function):
    x = np.linspace(-5, 5, 60, dtype="f").astype(ml_dtypes.bfloat16).reshape(6, 10)
    x32 = x.astype(np.float32)
    y = function(x, 0)
    check(y, function(x32, 0), x.dtype)
    check(function.backward(y, x, 0), function.backward(y.astype("f"), x32, 0), x.dtype)
    assert function(x, dtype=np.float64).dtype == np.float64
    if y.ndim == 1:
        value, gradient = function.value_and_derivative(x, 0)
        check(gradient, function.derivative(x32, 0), x.dtype)
        check(value, function(x32, 0), x.dtype)


@pytest.mark.parametrize("unit", GATES, ids=name_of)
def test_gates(unit):
    x = np.linspace(-5, 5, 60, dtype="f").astype(ml_dtypes.bfloat16)
    x32 = x.astype(np.float32)
    check(unit(x), unit(x32), x.dtype)
    check(unit.derivative(x), unit.derivative(x32), x.dtype)
    for got, expected in zip(
        unit.backward(x, x, x), unit.backward(x32, x32, x32), strict=True
    ):
        check(got, expected, x.dtype)


def test_prelu():
    x = np.linspace(-5, 5, 60, dtype="f").astype(ml_dtypes.bfloat16).reshape(6, 10)
    w, x32 = x[:, :1], x.astype(np.float32)
    check(fa.prelu(x, w), fa.prelu(x32, w.astype("f")), x.dtype)
    gx, gw = fa.prelu.backward(x, x, w)
    expected = fa.prelu.backward(x32, x32, w.astype("f"))
    check(gx, expected[0], x.dtype)
    check(gw, expected[1], x.dtype)


def test_promotion():
    """A number as parameter changes nothing; an array promotes as NumPy decides."""
    x = np.linspace(-5, 5, 60, dtype="f").astype(ml_dtypes.bfloat16)
    x32 = x.astype(np.float32)
    for slope in (0.2, np.float64(0.2)):
        got = fa.leaky_relu(x, negative_slope=slope)
        check(got, fa.leaky_relu(x32, negative_slope=slope), x.dtype)
    check(fa.silu.backward(2.0, x), fa.silu.backward(np.float32(2), x32), x.dtype)
    array = np.full(60, 0.2, "f")
    assert fa.leaky_relu(x, negative_slope=array).dtype == np.float32
    check(fa.leaky_relu(x, negative_slope=x), fa.leaky_relu(x32, negative_slope=x32), x.dtype)
    assert fa.silu.backward(x32, x).dtype == np.float32
    assert fa.silu.backward(x.astype("e"), x).dtype == np.float32  # no common dtype
    assert fa.silu(x[0]).dtype == x.dtype
    assert fa.silu(x, dtype=np.float64).dtype == np.float64


def test_out():
    x = np.linspace(-5, 5, 60, dtype="f").astype(ml_dtypes.bfloat16)
    expected = fa.tanh(x.astype("f"))
    out = np.empty(60, np.float32)
    assert fa.tanh(x, out=out) is out and (out == expected).all()
    for a in (np.empty_like(x), x.copy()):
        assert fa.tanh(a if (a == x).all() else x, out=a) is a
        check(a, expected, x.dtype)
    y, d = np.empty_like(x), np.empty_like(x)
    got = fa.tanh.value_and_derivative(x, y, d)
    assert got[0] is y and got[1] is d
    check(y, expected, x.dtype)
    check(d, fa.tanh_d(x.astype("f")), x.dtype)


def test_in_other_containers():
    da = pytest.importorskip("dask.array")
    x = np.linspace(-5, 5, 60, dtype="f").astype(ml_dtypes.bfloat16)
    y, d = fa.gelu.value_and_derivative(da.from_array(x, chunks=7))
    assert y.dtype == d.dtype == x.dtype
    check(y.compute(), fa.gelu(x.astype("f")), x.dtype)
