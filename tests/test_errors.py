"""Bad input: a clear TypeError or ValueError, and out untouched."""

import numpy as np
import pytest
from cases import COMPILED

import fastact as fa

X = np.linspace(-2, 2, 8)

CASES = {
    "complex": (lambda o: fa.sigmoid(X + 1j, out=o), TypeError, "x must hold"),
    "object": (lambda o: fa.sigmoid(np.array([1, None]), out=o), TypeError, "x must"),
    "none": (lambda o: fa.sigmoid(None, out=o), TypeError, "x must hold"),
    "string": (lambda o: fa.sigmoid("abc", out=o), TypeError, "x must hold"),
    "strings": (lambda o: fa.sigmoid(["a", "b"], out=o), TypeError, "x must hold"),
    "datetime": (
        lambda o: fa.sigmoid(np.zeros(8, "M8[s]"), out=o), TypeError, "x must hold",
    ),
    "ragged": (lambda o: fa.sigmoid([[1], [1, 2]], out=o), ValueError, "x"),
    "longdouble": (
        lambda o: fa.sigmoid(X.astype(np.longdouble), out=o), TypeError, "x must hold",
    ),
    "g": (lambda o: fa.sigmoid.backward(X + 1j, X, out=o), TypeError, "g must hold"),
    "g shape": (
        lambda o: fa.sigmoid.backward(np.ones(3), X, out=o), ValueError, r"g \(3,\)",
    ),
    "out dtype": (
        lambda o: fa.sigmoid(X, out=np.zeros(8, int)), TypeError, "out has dtype",
    ),
    "out shape": (lambda o: fa.sigmoid(X[:5], out=o), ValueError, "out has shape"),
    "out type": (lambda o: fa.sigmoid(X, out=[0.0] * 8), TypeError, "out must be"),
    "out count": (
        lambda o: fa.sigmoid.value_and_derivative(X, out=o), ValueError, "tuple of 2",
    ),
    "second out": (
        lambda o: fa.sigmoid.value_and_derivative(X, out=(o, o[:3])),
        ValueError, "out has shape",
    ),
    "out twice": (lambda o: fa.sigmoid(X, o, out=o), TypeError, "by keyword"),
    "no input": (lambda o: fa.sigmoid(out=o), TypeError, r"takes 1 inputs \(x\)"),
    "one of two": (lambda o: fa.sigmoid.backward(X), TypeError, "takes 2 inputs"),
    "keyword": (
        lambda o: fa.sigmoid(X, out=o, slope=1), TypeError, "unknown keyword 'slope'",
    ),
    "position": (lambda o: fa.leaky_relu(X, 0.2), TypeError, "by keyword"),
    "dtype": (lambda o: fa.sigmoid(X, out=o, dtype=complex), TypeError, "dtype must"),
    "no dtype": (lambda o: fa.sigmoid(X, out=o, dtype="big"), TypeError, "dtype must"),
    "no dtype along an axis": (
        lambda o: fa.softmax(X, out=o, dtype=np.ones(2)), TypeError, "dtype must",
    ),
    "shapes of two": (
        lambda o: fa.swiglu(X, X[:3]), ValueError, r"value \(8,\), gate \(3,\)",
    ),
    "shape of weight": (
        lambda o: fa.prelu(X, X[:3]), ValueError, r"x \(8,\), weight \(3,\)",
    ),
    "not finite": (
        lambda o: fa.leaky_relu(X, out=o, negative_slope=np.inf),
        ValueError, "negative_slope must be a finite number, got inf",
    ),
    "nan": (lambda o: fa.elu(X, out=o, alpha=np.nan), ValueError, "alpha must"),
    "zero": (lambda o: fa.celu(X, out=o, alpha=0), ValueError, "alpha must"),
    "negative": (lambda o: fa.softplus(X, out=o, beta=-1), ValueError, "beta must"),
    "negative band": (
        lambda o: fa.hard_shrink(X, out=o, lambd=-0.5), ValueError, "lambd must",
    ),
    "word": (lambda o: fa.elu(X, out=o, alpha="big"), TypeError, "alpha must"),
    "digits": (lambda o: fa.elu(X, out=o, alpha="1"), TypeError, "alpha must"),
    "none param": (lambda o: fa.elu(X, out=o, alpha=None), TypeError, "alpha must"),
    "complex param": (lambda o: fa.elu(X, out=o, alpha=1j), TypeError, "alpha must"),
    "param array": (
        lambda o: fa.softplus(X, out=o, beta=X), ValueError, "beta must be",
    ),
    "order": (
        lambda o: fa.hard_tanh(X, out=o, min_val=2.0), ValueError, "min_val < max_val",
    ),
    "missing": (lambda o: fa.threshold(X, out=o), TypeError, "missing keyword"),
    "approximate": (
        lambda o: fa.gelu(X, out=o, approximate="erf"),
        ValueError, "approximate must be 'none' or 'tanh', got 'erf'",
    ),
    "approximate type": (
        lambda o: fa.gelu(X, out=o, approximate=True), ValueError, "approximate must",
    ),
    "from output": (
        lambda o: fa.gelu.backward_from_output(X, X, out=o),
        TypeError, "not a function of its output",
    ),
    "from output slope": (
        lambda o: fa.leaky_relu.backward_from_output(X, X, out=o, negative_slope=-1),
        ValueError, "negative_slope >= 0",
    ),
    "odd": (lambda o: fa.glu(np.ones(3)), ValueError, "odd length 3"),
    "gate axis": (lambda o: fa.glu(X, axis=2), ValueError, "axis 2 is out of range"),
    "gate axis type": (lambda o: fa.glu(X, axis=1.0), TypeError, "axis must be"),
    "gate keyword": (
        lambda o: fa.glu(X, approximate="tanh"), TypeError, "unknown keyword",
    ),
    "gate shape": (
        lambda o: fa.glu(X, X[:3], out=o), ValueError, "do not broadcast",
    ),
    "gate dtype": (lambda o: fa.glu(X + 1j), TypeError, "x must hold"),
    "gate out": (lambda o: fa.glu(X, out=o), ValueError, "out has shape"),
    "gate backward out": (
        lambda o: fa.glu.backward(X[:4], X, out=o[:4]), ValueError, "out has shape",
    ),
    "gate axis with two": (
        lambda o: fa.glu(X, X, axis=-1, out=o), TypeError, "axis splits one array",
    ),
    "gate axis with two, backward": (
        lambda o: fa.geglu.backward(X, X, X, 0, out=(o, o)), TypeError, "axis=0",
    ),
    "softmax axis": (
        lambda o: fa.softmax(X, axis=1, out=o), ValueError, "axis 1 is out of range",
    ),
    "softmax axes": (
        lambda o: fa.softmax(X, axis=(0, -1), out=o), ValueError, "twice",
    ),
    "softmax 0-d": (lambda o: fa.softmax(np.float64(1)), ValueError, "out of range"),
    "softmax empty": (lambda o: fa.softmax(np.ones((2, 0))), ValueError, "empty"),
    "softmax dtype": (lambda o: fa.softmax(X * 1j, out=o), TypeError, "x must hold"),
    "softmax out": (lambda o: fa.softmax(X[:4], out=o), ValueError, "out has shape"),
    "softmax g": (
        lambda o: fa.softmax.backward(X[:3], X, out=o), ValueError, "g has shape",
    ),
    "logsumexp g": (
        lambda o: fa.logsumexp.backward(X, X, out=o), ValueError, "g must have shape",
    ),
    "prelu keyword": (
        lambda o: fa.prelu(X, 0.1, out=o, alpha=1), TypeError, "unknown keyword",
    ),
    "prelu weight": (lambda o: fa.prelu(X, out=o), TypeError, "takes 2 inputs"),
    "prelu out count": (
        lambda o: fa.prelu.backward(X, X, 0.1, out=o), ValueError, "tuple of 2",
    ),
    "prelu out shape": (
        lambda o: fa.prelu.backward(X, X, 0.1, out=(o, np.ones(8))),
        ValueError, r"second out has shape \(8,\), weight \(\)",
    ),
    "prelu out dtype": (
        lambda o: fa.prelu.backward(X, X, [0.1], out=(o, np.ones(1, int))),
        TypeError, "out has dtype int64",
    ),
    "prelu where": (
        lambda o: fa.prelu.backward(X, X, 0.1, out=(o, None), where=X > 0),
        TypeError, "takes no where",
    ),
    "prelu dtype": (
        lambda o: fa.prelu(X, np.array([1j]), out=o), TypeError, "weight must hold",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input(case):
    call, error, text = CASES[case]
    out = np.full(8, 7.0)
    with pytest.raises(error, match=text):
        call(out)
    assert (out == 7).all()


def test_errors_name_the_function():
    with pytest.raises(ValueError, match=r"fastact\.elu\.backward"):
        fa.elu.backward(X, X, alpha=np.inf)


@pytest.mark.parametrize("form", ["value_and_derivative", "backward"])
def test_one_out_too_few_or_many(form):
    """The same error whether such a call has been seen before or not."""
    a, b = np.zeros(8), np.zeros(8)
    good, bad = ((a, b), a) if form == "value_and_derivative" else (a, (a, b))
    inputs = (X, X)[: 2 if form == "backward" else 1]
    call = getattr(fa.mish, form)
    for out in (bad, good, bad):
        if out is good:
            call(*inputs, out=out)
            before = a.copy()
        else:
            with pytest.raises(ValueError, match="out must be"):
                call(*inputs, out=out)
    assert np.array_equal(a, before)


def test_read_only_out():
    out = np.zeros(8)
    out.flags.writeable = False
    for call in (fa.sigmoid, fa.softmax, fa.tanh.derivative):
        with pytest.raises(ValueError, match="read-only"):
            call(X, out=out)
    assert (out == 0).all()


def test_out_of_one_memory():
    """Two outputs in one place: refused or computed, never half of each."""
    a = np.zeros(8)
    y, d = fa.sigmoid.value_and_derivative(X)
    got = fa.sigmoid.value_and_derivative(X, out=(a, a))
    assert np.array_equal(got[0], y) or np.array_equal(got[0], d)


@pytest.mark.skipif(not COMPILED, reason="fastact.kernels is compiled")
def test_kernels_refuse():
    from array import array

    from fastact import kernels as k

    x = np.ones(8, np.float32)
    out = np.full(8, 7, np.float32)
    bad = [
        ((x, out[:4]), ValueError, "same length"),
        ((x.astype("d"), out), ValueError, "x must be"),
        ((x[::2], out[:4]), ValueError, "x must be"),
        ((x.reshape(2, 4), out), ValueError, "x must be"),
        ((None, out), TypeError, "x must be"),
        (([1.0], out), TypeError, "x must be"),
        ((x, b"12345678901234567890123456789012"), BufferError, "out must be"),
        ((x, array("d", [0] * 8)), ValueError, "out must be"),
        ((x,), TypeError, "out"),
        ((x, out, 1), TypeError, "too many"),
    ]
    for args, error, text in bad:
        with pytest.raises(error, match=text):
            k.sigmoid_f32(*args)
    with pytest.raises(ValueError, match="overlaps"):
        k.sigmoid_f32(out[:6], out[2:])
    with pytest.raises(ValueError, match="another output"):
        k.sigmoid_vd_f32(x, out, out)
    with pytest.raises(ValueError, match="negative_slope"):
        k.leaky_relu_f32(x, out, float("nan"))
    assert (out == 7).all()
