"""xarray: dimensions, coordinates and attributes stay; dask inside stays lazy."""

import numpy as np
import pytest
from cases import same_bits
from containers import ALONG_AXIS, ELEMENTWISE, ELEMENTWISE_IDS, GATES, name_of

import fastact as fa

xr = pytest.importorskip("xarray")

DIMS = ("batch", "unit", "time")


@pytest.fixture
def x():
    values = np.random.default_rng(0).normal(0, 3, (4, 6, 10)).astype(np.float32)
    return xr.DataArray(
        values, dims=DIMS, coords={"unit": list("abcdef"), "batch": range(4)},
        name="current", attrs={"units": "mV"},
    )


def check(got, expected, like, dims=DIMS):
    """A DataArray of these numbers, with the coordinates of ``like``."""
    if isinstance(expected, tuple):
        assert len(got) == len(expected)
        for a, b in zip(got, expected, strict=True):
            check(a, b, like, dims)
        return
    assert isinstance(got, xr.DataArray)
    assert got.dims == dims
    for name in dims:
        assert (name in got.coords) == (name in like.coords)
        if name in got.coords:
            assert got[name].equals(like[name])
    assert same_bits(got.values, expected)


@pytest.fixture(params=["numpy", "dask"])
def wrap(request):
    if request.param == "numpy":
        return lambda array: array
    pytest.importorskip("dask.array")
    return lambda array: array.chunk({"batch": 3, "unit": 2, "time": 4})


@pytest.mark.parametrize(("activation", "options"), ELEMENTWISE, ids=ELEMENTWISE_IDS)
def test_elementwise(activation, options, x, wrap):
    a, values = wrap(x), x.values
    for form in ("__call__", "derivative", "value_and_derivative"):
        got = getattr(activation, form)(a, **options)
        check(got, getattr(activation, form)(values, **options), x)
        for each in got if isinstance(got, tuple) else (got,):
            assert each.attrs == x.attrs and each.name == x.name
            assert each.chunks == a.chunks
    got = activation.backward(a, a, **options)
    check(got, activation.backward(values, values, **options), x)


def test_arrays_meet_by_name(x, wrap):
    """A gradient of other dimensions, or in another order, broadcasts by name."""
    g = x.isel(batch=0, drop=True).transpose("time", "unit")
    got = fa.silu.backward(wrap(x) * 0 + g, wrap(x))
    check(got, fa.silu.backward(np.broadcast_to(x.values[0], x.shape), x.values), x)
    slope = xr.DataArray(np.linspace(0.1, 0.6, 6, dtype="f"), dims="unit",
                         coords={"unit": x.unit})
    expected = fa.prelu.backward(x.values, x.values, slope.values[:, None])
    check(fa.prelu(wrap(x), slope), fa.prelu(x.values, slope.values[:, None]), x)
    gx, gw = fa.prelu.backward(wrap(x), wrap(x), slope)
    check(gx, expected[0], x)
    assert gw.dims == ("unit",)
    np.testing.assert_allclose(gw.values, expected[1][:, 0], rtol=1e-5)


@pytest.mark.parametrize("axis", [1, -1, (0, 2), None])
@pytest.mark.parametrize("function", ALONG_AXIS, ids=name_of)
def test_along_axis(function, axis, x, wrap):
    a, values = wrap(x), x.values
    rest = {1: ("batch", "time"), -1: ("batch", "unit"), (0, 2): ("unit",), None: ()}[axis]
    y = function(values, axis)
    dims = DIMS if y.shape == x.shape else rest
    lazy = function(a, axis)
    check(lazy, y, x, dims)
    assert lazy.attrs == x.attrs
    assert (lazy.chunks is None) == (a.chunks is None)
    g = function(a, axis)
    expected = function.backward(y, values, axis)
    for gradient in (g, g.transpose(), y):
        check(function.backward(gradient, a, axis), expected, x)
    if dims == rest:
        check(function.derivative(a, axis), function.derivative(values, axis), x)
        value, gradient = function.value_and_derivative(a, axis)
        check(value, y, x, rest)
        check(gradient, function.derivative(values, axis), x)
    else:
        check(
            function.backward_from_output(g, g, axis),
            function.backward_from_output(y, y, axis), x,
        )


@pytest.mark.parametrize("unit", GATES, ids=name_of)
def test_gates(unit, x, wrap):
    y, (da, db) = unit.value_and_derivative(wrap(x), wrap(x))
    check((y, da, db), (unit(x.values, x.values), *unit.derivative(x.values, x.values)), x)
    with pytest.raises(TypeError, match=r"x is a DataArray, .* pass value and gate apart"):
        unit(x)


def test_dataset(x):
    both = xr.Dataset({"u": x, "v": 2 * x})
    y, dy = fa.tanh.value_and_derivative(both)
    assert same_bits(y["v"].values, fa.tanh(2 * x.values))
    assert same_bits(dy["u"].values, fa.tanh_d(x.values))
    with pytest.raises(TypeError, match=r"takes an xarray\.DataArray, got a Dataset"):
        fa.softmax(both)


def test_errors(x):
    with pytest.raises(TypeError, match="keepdims with a DataArray"):
        fa.logsumexp(x, keepdims=True)
    with pytest.raises(TypeError, match="takes no out with a DataArray"):
        fa.softmax(x, out=x.values)
    with pytest.raises(TypeError, match="x must be one"):
        fa.softmax.backward(x, x.values)
    with pytest.raises(ValueError, match="batch"):
        fa.softmax.backward(x.isel(batch=[0, 1]), x)
