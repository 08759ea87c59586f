"""float16: computed in float32 and rounded once, wherever the numbers lie."""

import numpy as np
import pytest
from cases import COMPILED, KERNELS, inputs_of, kernel_params, loop, python, same_bits

import fastact as fa

pytestmark = pytest.mark.skipif(not COMPILED, reason="the NumPy backend has float64")

ALONG = (fa.softmax, fa.log_softmax, fa.logsumexp)


def every():
    return np.arange(0x10000, dtype=np.uint16).view(np.float16)


def halves(kernel, n):
    with np.errstate(over="ignore"):  # 1e30
        return inputs_of(kernel, n, np.float16)


@pytest.mark.parametrize("isa", ["base", "v3", "v4"])
def test_conversions(isa):
    """All float16 numbers to float32, and products of two, of 22 bits, back."""
    run = python(
        """if True:
        import numpy as np, fastact as fa
        x = np.arange(0x10000, dtype=np.uint16).view(np.float16)
        up, nan = np.ones_like(x), np.isnan(x)
        for factor in (1.0, -1.0, 1.5, 0.5, 3e-5, 2**-14, 1 + 2**-10, 1.99, 7.0, 6e4):
            factor = float(np.float16(factor))
            got = fa.leaky_relu.backward(x, -up, negative_slope=factor)
            with np.errstate(all="ignore"):
                exact = (x.astype(np.float64) * factor).astype(np.float16)
            assert (np.isnan(got) == nan).all()
            assert (got.view("u2") == exact.view("u2"))[~nan].all(), factor
        """,
        FASTACT_ISA=isa,
    )
    if "can run" in run.stderr:
        pytest.skip(f"no {isa} here")
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.public)
def test_rounded_once(kernel):
    """By the direct entry and the ufunc, of float32's result for the same numbers."""
    f = loop(kernel.public)
    x = halves(kernel, 5000)
    p = [float(np.float16(v)) for v in kernel_params(kernel, np.float64)]
    wide = f.fast(tuple([a.astype(np.float32) for a in x]), tuple(p), None)
    wide = wide if isinstance(wide, tuple) else (wide,)
    for got in (f.fast(tuple(x), tuple(p), None), f.ufunc(*x, *map(np.float16, p))):
        got = got if isinstance(got, tuple) else (got,)
        for a, b in zip(got, wide, strict=True):
            with np.errstate(all="ignore"):
                assert same_bits(a, b.astype(np.float16))


@pytest.mark.parametrize(
    "slope", [0.01, 1 / 3, 1 + 2**-11 + 2**-40, 1 + 2**-11, 3e-8, 1e-9, -6e-5, 65519.9]
)
def test_parameters_are_float16(slope):
    """Rounded once, by either way in."""
    x = -np.linspace(0, 1, 100, dtype=np.float16)
    direct = fa.leaky_relu(x, negative_slope=slope)
    assert same_bits(direct, fa.leaky_relu(x, negative_slope=slope, where=True))
    exact = np.float32(np.float16(slope)) * x.astype(np.float32)
    assert same_bits(direct, exact.astype(np.float16))


@pytest.mark.parametrize("n", [1, 7, 16, 17, 1000, 1024, 1040, 5000])
def test_views(n):
    rng = np.random.default_rng(n)
    x = rng.normal(0, 3, n).astype(np.float16)
    y, d = fa.silu.value_and_derivative(x)
    raw = np.empty(2 * n + 1, np.uint8)
    odd = raw[1:].view(np.float16)
    odd[...] = x
    spread = np.repeat(x, 3)
    for view in (odd, spread[::3], x[::-1].copy()[::-1]):
        assert same_bits(fa.silu(view), y)
        out = np.full(4 * n, 9, np.float16)
        got = fa.silu.value_and_derivative(view, out=(out[: 2 * n : 2], out[2 * n :: 2]))
        assert same_bits(got[0], y) and same_bits(got[1], d)
        assert (out[1::2] == 9).all()
        assert fa.silu(view, out=view) is view and same_bits(view, y)
    long = np.concatenate([x, x[:1]])
    assert same_bits(fa.silu(long[:-1], out=long[1:]), y)


@pytest.mark.parametrize("shape", [(1, 1), (300, 16), (5, 1003), (3, 20_000), (700, 3)])
@pytest.mark.parametrize("f", ALONG, ids=lambda f: f.__name__)
def test_along_an_axis(f, shape):
    rng = np.random.default_rng(1)
    x = rng.normal(0, 3, shape).astype(np.float16)
    wide = x.astype(np.float32)
    for axis in (-1, 0):
        y = f(x, axis)
        assert y.dtype == np.float16
        assert same_bits(y, f(wide, axis).astype(np.float16))
        g = rng.normal(0, 1, y.shape).astype(np.float16)
        gx = f.backward(g.astype(np.float32), wide, axis)
        assert same_bits(f.backward(g, x, axis), gx.astype(np.float16))
        out = np.empty_like(x)
        assert f.backward(g, x, axis, out=out) is out
        assert same_bits(out, gx.astype(np.float16))
        if f is not fa.logsumexp:
            gx = f.backward_from_output(g.astype(np.float32), y.astype(np.float32), axis)
            got = f.backward_from_output(g, y, axis)
            assert same_bits(got, gx.astype(np.float16))
            again = x.copy()
            assert f(again, axis, out=again) is again and same_bits(again, y)
    # beside another dtype, or asked for: computed in that of the inputs
    assert same_bits(f(wide, dtype=np.float16), f(wide).astype(np.float16))


def test_no_warnings():
    with np.errstate(all="raise"):
        x = every()
        fa.gelu.value_and_derivative(x)
        fa.gelu(x[::2])
        fa.softmax(x.reshape(256, 256))
        fa.softmax(x.reshape(256, 256), 0)
