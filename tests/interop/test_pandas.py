"""pandas: Series and DataFrame come back with their labels."""

import numpy as np
import pytest
from cases import same_bits
from containers import ALONG_AXIS, ELEMENTWISE, ELEMENTWISE_IDS, name_of

import fastact as fa

pd = pytest.importorskip("pandas")


@pytest.fixture
def frame():
    values = np.random.default_rng(0).normal(0, 3, (5, 3)).astype(np.float32)
    return pd.DataFrame(values, index=list("vwxyz"), columns=["a", "b", "c"])


def check(got, expected, like):
    assert type(got) is type(like)
    assert got.index.equals(like.index)
    if got.ndim == 2:
        assert got.columns.equals(like.columns)
    else:
        assert got.name == like.name
    assert same_bits(got.to_numpy(), expected)


@pytest.mark.parametrize(("activation", "options"), ELEMENTWISE, ids=ELEMENTWISE_IDS)
def test_elementwise(activation, options, frame):
    for data in (frame, frame["b"]):
        x = data.to_numpy()
        for form in ("__call__", "derivative"):
            f = getattr(activation, form)
            check(f(data, **options), f(x, **options), data)
        got = activation.backward(data, data, **options)
        check(got, activation.backward(x, x, **options), data)
        got = activation.value_and_derivative(data, **options)
        for a, b in zip(got, activation.value_and_derivative(x, **options), strict=True):
            check(a, b, data)


def test_labels_meet():
    """As in any operation of pandas: by label, NaN where one is missing."""
    g = pd.Series([1.0, 2.0, 3.0], index=list("cab"))
    x = pd.Series([0.5, -0.5, 1.5], index=list("abd"))
    got = fa.silu.backward(g, x)
    expected = fa.silu.backward(np.array([2.0, 3.0]), np.array([0.5, -0.5]))
    assert same_bits(got[["a", "b"]].to_numpy(), expected)
    assert got.isna().tolist() == [False, False, True, True]


def test_nullable():
    x = pd.Series([1.5, None, -2.0], dtype="Float32")
    y = fa.gelu(x)
    assert str(y.dtype) == "Float32" and y.isna().tolist() == [False, True, False]
    assert same_bits(
        y.dropna().to_numpy(np.float32), fa.gelu(np.array([1.5, -2.0], np.float32))
    )


    x = pd.Series([1, -2], dtype="Int8")
    assert fa.sigmoid(x).dtype == np.exp(x).dtype
    assert fa.leaky_relu(x).dtype == np.logaddexp(x, 0.01).dtype


def test_out(frame):
    for data in (frame, frame["b"]):
        out = np.empty(data.shape, np.float32)
        fa.gelu(data, out=out)
        assert same_bits(out, fa.gelu(data.to_numpy()))


@pytest.mark.parametrize("function", ALONG_AXIS, ids=name_of)
def test_along_axis(function, frame):
    x = frame.to_numpy()
    for axis, labels in ((0, frame.columns), (-1, frame.index)):
        y, got = function(x, axis), function(frame, axis)
        if y.shape == x.shape:
            check(got, y, frame)
            mixed = frame.iloc[::-1, [2, 0, 1]]
            check(function.backward(mixed, frame, axis), function.backward(x, x, axis), frame)
            check(
                function.backward_from_output(x, got, axis),
                function.backward_from_output(x, y, axis), frame,
            )
        else:
            assert isinstance(got, pd.Series) and got.index.equals(labels)
            assert same_bits(got.to_numpy(), y)
            check(function.backward(got, frame, axis), function.backward(y, x, axis), frame)
            value, gradient = function.value_and_derivative(frame, axis)
            assert value.equals(got)
            check(gradient, function.derivative(x, axis), frame)
    series = frame["b"]
    y = function(series.to_numpy())
    if np.ndim(y):
        check(function(series), y, series)
    else:
        assert function(series) == y
        assert function(frame, axis=None) == function(x, axis=None)


def test_prelu(frame):
    x = frame.to_numpy()
    gx, gw = fa.prelu.backward(frame, frame, np.float32(0.25))
    expected = fa.prelu.backward(x, x, np.float32(0.25))
    check(gx, expected[0], frame)
    assert gw.shape == () and gw == expected[1]


def test_errors(frame):
    with pytest.raises(TypeError, match="x is a DataFrame, whose labels"):
        fa.glu(frame)
    with pytest.raises(TypeError, match="x is a Series, whose labels"):
        fa.glu.derivative(frame["a"])
    with pytest.raises(TypeError, match="takes no out with a DataFrame"):
        fa.softmax(frame, out=frame.to_numpy())
    with pytest.raises(TypeError, match="dtype object"):
        fa.softmax(pd.DataFrame({"a": ["x"]}))
