"""Masked arrays: the mask stays, and along an axis what it hides is left out."""

import numpy as np
import pytest
from cases import DTYPES, same_bits
from containers import ALONG_AXIS, ELEMENTWISE, ELEMENTWISE_IDS, GATES, name_of

import fastact as fa


def data(dtype, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 3, (6, 8)).astype(dtype)
    x[0, 0], x[1, 2] = np.nan, np.inf
    mask = rng.random(x.shape) < 0.3
    mask[0, 0] = mask[1, 2] = True
    mask[3] = True
    return np.ma.masked_array(x, mask)


def check(got, expected, mask):
    assert isinstance(got, np.ma.MaskedArray)
    assert (np.ma.getmaskarray(got) == mask).all()
    assert same_bits(got.compressed(), np.asarray(expected)[~mask])


@pytest.mark.parametrize("dtype", [np.float16, *DTYPES])
@pytest.mark.parametrize(("activation", "options"), ELEMENTWISE, ids=ELEMENTWISE_IDS)
def test_elementwise(activation, options, dtype):
    x, g = data(dtype), data(dtype, 1)
    for form in ("__call__", "derivative", "value_and_derivative"):
        f = getattr(activation, form)
        got, expected = f(x, **options), f(x.data, **options)
        if form != "value_and_derivative":
            got, expected = (got,), (expected,)
        for a, b in zip(got, expected, strict=True):
            check(a, b, x.mask)
    check(
        activation.backward(g, x, **options),
        activation.backward(g.data, x.data, **options), g.mask | x.mask,
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", ALONG_AXIS, ids=name_of)
def test_along_axis(function, dtype):
    """Each row gives what its visible elements alone give."""
    x, g = data(dtype), data(dtype, 1)
    both = np.ma.masked_array(x, x.mask | g.mask)
    value = function(x)
    tolerance = dict(rtol=20 * np.finfo(dtype).eps, atol=5 * np.finfo(dtype).eps)
    if value.ndim == 1:
        assert value.mask.tolist() == [False] * 3 + [True] + [False] * 2
        assert function(x, keepdims=True).shape == (6, 1)
        rows = function.backward(value, x)
        for i in np.flatnonzero(~value.mask):
            row = x[i].compressed()
            np.testing.assert_allclose(value[i], function(row), **tolerance)
            expected = function.backward(value[i], row)
            np.testing.assert_allclose(rows[i].compressed(), expected, **tolerance)
            gradient = function.derivative(x)[i]
            np.testing.assert_allclose(
                gradient.compressed(), function.derivative(row), **tolerance
            )
        assert (rows.mask == x.mask).all()
        assert function(x[3]) is np.ma.masked
        return
    assert (value.mask == x.mask).all()
    rows = function.backward(g, x)
    again = function.backward_from_output(g, function(both))
    assert (rows.mask == both.mask).all() and (again.mask == both.mask).all()
    for i in (0, 1, 2, 4, 5):
        np.testing.assert_allclose(
            value[i].compressed(), function(x[i].compressed()), **tolerance
        )
        visible = both[i].compressed()
        expected = function.backward(g.data[i][~both.mask[i]], visible)
        np.testing.assert_allclose(rows[i].compressed(), expected, **tolerance)
        np.testing.assert_allclose(again[i].compressed(), expected, **tolerance)


def test_integers_without_a_mask():
    x = np.ma.masked_array(np.arange(6, dtype=np.int16))
    got = fa.softmax(x)
    assert got.dtype == np.float32
    assert same_bits(got.data, fa.softmax(x.data))


@pytest.mark.parametrize("unit", GATES, ids=name_of)
def test_gates(unit):
    x, g = data("d"), data("d", 1)
    half = x.mask[:, :4] | x.mask[:, 4:]
    check(unit(x), unit(x.data), half)
    y, gradient = unit.value_and_derivative(x)
    check(y, unit(x.data), half)
    check(gradient, unit.derivative(x.data), np.concatenate([half, half], -1))
    got = unit.backward(g[:, :4], x)
    hidden = half | g.mask[:, :4]
    check(got, unit.backward(g.data[:, :4], x.data), np.concatenate([hidden, hidden], -1))


def test_prelu():
    x = data("d")
    _, gw = fa.prelu.backward(np.ones(x.shape), x, 0.5)
    expected = np.minimum(x, 0).sum()
    assert gw == pytest.approx(expected, rel=1e-12)


def test_errors():
    with pytest.raises(TypeError, match="takes no out with a MaskedArray"):
        fa.softmax(data("d"), out=np.empty((6, 8)))
