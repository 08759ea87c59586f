"""JAX arrays as input: NumPy arrays come back, as from np.exp."""

import numpy as np
import pytest
from cases import same_bits
from containers import ALONG_AXIS, ELEMENTWISE, ELEMENTWISE_IDS, name_of

import fastact as fa

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")


@pytest.mark.parametrize("code", ["e", "f"])
@pytest.mark.parametrize(("activation", "options"), ELEMENTWISE, ids=ELEMENTWISE_IDS)
def test_elementwise(activation, options, code):
    x = np.random.default_rng(0).normal(0, 3, (5, 8)).astype(code)
    a = jnp.asarray(x)
    assert same_bits(activation(a, **options), activation(x, **options))
    got = activation.value_and_derivative(a, **options)
    for y, expected in zip(got, activation.value_and_derivative(x, **options), strict=True):
        assert type(y) is np.ndarray and same_bits(y, expected)
    got = activation.backward(a, a, **options)
    assert same_bits(got, activation.backward(x, x, **options))


@pytest.mark.parametrize("function", ALONG_AXIS, ids=name_of)
def test_along_axis(function):
    x = np.random.default_rng(0).normal(0, 3, (5, 8)).astype("f")
    assert same_bits(function(jnp.asarray(x), 0), function(x, 0))


def test_bfloat16():
    x = jnp.linspace(-4, 4, 50, dtype=jnp.bfloat16)
    got = fa.mish(x)
    assert got.dtype == x.dtype
    expected = fa.mish(np.asarray(x).astype(np.float32)).astype(x.dtype)
    assert got.tobytes() == expected.tobytes()
    assert fa.softmax(x).dtype == x.dtype


def test_traced_functions_say_no():
    with pytest.raises(jax.errors.TracerArrayConversionError):
        jax.jit(fa.sigmoid)(jnp.ones(3))
