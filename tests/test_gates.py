"""glu and its kin, and prelu: against the activations that they are made of."""

import numpy as np
import pytest
from cases import COMPILED, DTYPES, same_bits

import fastact as fa
from fastact import _registry

GATES = [(g.name, {}, g.rows[0]) for g in _registry.GATES]
GATES.append(("geglu", {"approximate": "tanh"}, "gelu_tanh"))


def parts(row, b):
    from cases import ufunc

    return ufunc(row + "_vd")(b)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "options", "row"), GATES)
@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_gate(name, options, row, axis, dtype):
    rng = np.random.default_rng(1)
    x = rng.normal(0, 3, (4, 6, 8)).astype(dtype)
    a, b = np.split(x, 2, axis=axis)
    g = rng.normal(size=a.shape).astype(dtype)
    f, d = parts(row, b)
    unit = getattr(fa, name)
    value, grad = a * f, np.concatenate([f, a * d], axis)
    assert same_bits(unit(x, axis=axis, **options), value)
    assert same_bits(unit(a, b, **options), value)
    assert same_bits(unit.derivative(x, axis=axis, **options), grad)
    y, both = unit.value_and_derivative(x, axis=axis, **options)
    assert same_bits(y, value) and same_bits(both, grad)
    y, (da, db) = unit.value_and_derivative(a, b, **options)
    assert same_bits(y, value) and same_bits(da, f) and same_bits(db, a * d)
    back = np.concatenate([g * f, g * (a * d)], axis)
    assert same_bits(unit.backward(g, x, axis=axis, **options), back)
    ga, gb = unit.backward(g, a, b, **options)
    assert same_bits(ga, g * f) and same_bits(gb, g * (a * d))
    out = np.empty_like(x)
    assert unit.backward(g, x, axis=axis, out=out, **options) is out
    assert same_bits(out, back)
    assert same_bits(unit.backward(g, x, axis=axis, out=x, **options), back)


def test_which_half_is_the_gate():
    x = np.array([2.0, 3.0, 1.0, -1.0])
    np.testing.assert_array_equal(fa.reglu(x), [2.0, 0.0])


def test_gate_broadcasts_and_promotes():
    assert fa.glu(np.ones((3, 1), "f"), np.ones(4, "f")).shape == (3, 4)
    assert fa.glu(np.ones(4, np.int8)).dtype == np.float16
    assert fa.glu(np.ones(4, np.float16)).dtype == np.float16
    assert fa.glu(np.zeros((3, 0))).shape == (3, 0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (1,), (5, 1), (3, 1, 1), (3, 5, 7)])
def test_prelu(shape, dtype):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(3, 5, 7)).astype(dtype)
    g = rng.normal(size=(3, 5, 7)).astype(dtype)
    w = rng.normal(size=shape).astype(dtype)
    y, d = np.where(x > 0, x, x * w), np.where(x > 0, dtype(1), w)
    assert same_bits(fa.prelu(x, w), y)
    assert same_bits(fa.prelu.derivative(x, w), d.astype(dtype))
    both = fa.prelu.value_and_derivative(x, w)
    assert same_bits(both[0], y) and same_bits(both[1], d.astype(dtype))
    gx, gw = fa.prelu.backward(g, x, w)
    assert same_bits(gx, g * d)
    assert gw.shape == shape and gw.dtype == dtype
    out = np.empty_like(x), np.empty(shape, dtype)
    got = fa.prelu.backward(g, x, w, out=out)
    assert got[0] is out[0] and got[1] is out[1]
    assert same_bits(out[0], gx) and same_bits(out[1], gw)
    assert fa.prelu.backward(g, x, w, out=(None, w))[1] is w  # over the weight
    assert same_bits(w, gw)
    each = np.where(x > 0, 0, g * x).astype("d")
    axes = tuple(i for i in range(3) if i < 3 - len(shape)) + tuple(
        3 - len(shape) + i for i, n in enumerate(shape) if n == 1
    )
    np.testing.assert_allclose(
        gw, each.sum(axis=axes, keepdims=True).reshape(shape),
        rtol=1e-4 if dtype == np.float32 else 1e-12,
    )


@pytest.mark.skipif(not COMPILED, reason="fastact.kernels is compiled")
def test_prelu_kernel():
    from fastact import kernels as k

    g, x, w = (np.array(v, "f") for v in ([1, 2, 3], [-1, 5, -2], [0.5, 0.5, 0.25]))
    gx, gw = np.empty(3, "f"), np.empty(3, "f")
    k.prelu_backward_f32(g, x, w, gx, gw)
    assert gx.tolist() == [0.5, 2, 0.75] and gw.tolist() == [-1, 0, -6]
