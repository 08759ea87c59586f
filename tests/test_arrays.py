"""NumPy semantics: shapes, dtypes, out, where, subclasses, scalars."""

import copy
import pickle

import numpy as np
import pytest
from cases import COMPILED, same_bits
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import fastact as fa
from fastact import ufuncs

DTYPES = ("?", "b", "B", "h", "H", "i", "I", "l", "L", "e", "f", "d")


@pytest.mark.parametrize("code", DTYPES)
@pytest.mark.parametrize("name", ["sigmoid", "leaky_relu", "gelu", "hard_tanh"])
def test_dtypes_promote_as_exp_does(name, code):
    x = np.array([0, 1], code)
    expected = np.exp(x).dtype
    for form in ("__call__", "derivative"):
        assert getattr(getattr(fa, name), form)(x).dtype == expected
    y, d = getattr(fa, name).value_and_derivative(x)
    assert y.dtype == d.dtype == expected
    assert getattr(fa, name).backward(x, x).dtype == expected


def test_float16_is_computed_in_float32():
    x = np.arange(0x7C00, dtype=np.uint16).view(np.float16)
    x = np.concatenate([x, -x])
    with np.errstate(all="ignore"):
        expected = fa.sigmoid(x.astype(np.float32)).astype(np.float16)
        if COMPILED:
            assert same_bits(fa.sigmoid(x), expected)
        else:  # float64, rounded once
            step = fa.sigmoid(x).view(np.int16).astype(int) - expected.view(np.int16)
            assert np.abs(step).max() <= 1
        expected = fa.leaky_relu(x.astype(np.float32), negative_slope=0.5)
        assert same_bits(
            fa.leaky_relu(x, negative_slope=0.5), expected.astype(np.float16)
        )
        big = np.array([6e4, -6e4, np.inf, np.nan], np.float16)
        assert same_bits(fa.relu_squared(big), np.array([np.inf, 0, np.inf, np.nan], "e"))


@settings(max_examples=60, deadline=None)
@given(
    hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=5),
    st.sampled_from(["f", "d", "e"]),
    st.sampled_from(["sigmoid", "elu", "mish"]),
)
def test_any_shapes_broadcast(shapes, code, name):
    rng = np.random.default_rng(0)
    g, x = (rng.normal(size=s).astype(code) for s in shapes.input_shapes)
    got = getattr(fa, name).backward(g, x)
    g, x = np.broadcast_arrays(g, x)
    assert np.shape(got) == shapes.result_shape
    flat = getattr(fa, name).backward(g.ravel().copy(), x.ravel().copy())
    assert same_bits(got, flat.reshape(shapes.result_shape))


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.float64]),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6),
        elements=st.floats(-100, 100, width=32),
    ),
    st.data(),
)
def test_any_view_is_its_copy(x, data):
    index = data.draw(hnp.basic_indices(x.shape, allow_ellipsis=True))
    view = x[index]
    y, d = fa.silu.value_and_derivative(view)
    y2, d2 = fa.silu.value_and_derivative(np.array(view))
    assert np.shape(y) == np.shape(view)
    assert same_bits(y, y2) and same_bits(d, d2)


def test_scalars_lists_and_0d():
    for x in (0.5, np.float64(0.5), np.array(0.5)):
        y = fa.sigmoid(x)
        assert isinstance(y, np.float64) and y == fa.sigmoid(np.array([0.5]))[0]
    assert fa.relu(3).dtype == np.float64
    assert fa.sigmoid(np.float32(1)).dtype == np.float32
    assert isinstance(fa.sigmoid.value_and_derivative(1.0)[1], np.float64)
    np.testing.assert_array_equal(fa.relu([[-1, 2]]), [[0.0, 2.0]])
    assert fa.sigmoid([]).shape == (0,)
    assert fa.sigmoid(np.zeros((0, 3), "f")).shape == (0, 3)
    out = np.zeros(())
    assert fa.sigmoid(np.array(0.0), out=out) is out and out == 0.5


@pytest.mark.parametrize("code", DTYPES)
@pytest.mark.parametrize("name", ["relu", "gelu", "silu", "selu", "threshold", "softplus"])
def test_every_kind_of_call_is_that_of_an_array(name, code):
    """Scalars, 0-d, other orders and byte orders, dtype= and where= have their own ways."""
    keywords = {"threshold": 0.5, "value": -2.0} if name == "threshold" else {}
    f = getattr(fa, name)
    x = np.array([[0, 1, 3], [2, 1, 0]], code)
    floats = x.astype(np.exp(x[:0]).dtype)
    expected = f(floats, **keywords)
    others = [x.copy("F"), x[::-1].copy()[::-1], x.astype(x.dtype.newbyteorder())]
    for other in (x, *others):
        assert same_bits(f(other, **keywords), expected)
    for at in ((0, 1), (1, 0)):
        for scalar in (x[at], x[at].reshape(())):
            y = f(scalar, **keywords)
            assert type(y) is expected.dtype.type and y == expected[at]
        if code != "?":
            y = f(x[at].item(), **keywords)
            assert type(y) is np.float64 and y == f(x.astype(float), **keywords)[at]
    for dtype in (np.float16, "f4", np.dtype("d")):
        if np.can_cast(x.dtype, dtype, "same_kind"):
            y = f(x, dtype=dtype, **keywords)
            assert same_bits(y, f(x.astype(dtype), **keywords))
    mask, out = x > 1, np.full(x.shape, 7, expected.dtype)
    assert f(x, where=mask, out=out, **keywords) is out
    assert same_bits(out, np.where(mask, expected, out.dtype.type(7)))
    for dtype in ("i4", complex):
        with pytest.raises(TypeError, match="dtype must be float16, float32 or float64"):
            f(x, dtype=dtype, **keywords)


def test_out_and_in_place():
    x = np.linspace(-3, 3, 50, dtype=np.float32)
    expected = fa.tanh(x)
    out = np.empty_like(x)
    assert fa.tanh(x, out=out) is out and same_bits(out, expected)
    assert fa.tanh(x, out=(out,)) is out
    out[:] = 0
    assert fa.tanh(x, out) is out and same_bits(out, expected)
    assert same_bits(fa.tanh(x, None), expected)
    y = x.copy()
    assert fa.tanh(y, out=y) is y and same_bits(y, expected)
    pair = np.empty_like(x), np.empty_like(x)
    got = fa.tanh.value_and_derivative(x, out=pair)
    assert got[0] is pair[0] and got[1] is pair[1]
    places = np.zeros_like(x), np.zeros_like(x)
    got = fa.tanh.value_and_derivative(x, *places)
    assert all(a is b and same_bits(a, c) for a, b, c in zip(got, places, pair, strict=True))
    got = fa.tanh.value_and_derivative(x, out=(None, pair[1]))
    assert got[1] is pair[1] and same_bits(got[0], expected)
    wide = np.empty(50, np.float64)
    assert fa.tanh(x, out=wide) is wide and same_bits(wide, expected.astype("d"))
    narrow = np.empty(50, np.float32)
    fa.tanh(x.astype("d"), out=narrow)
    assert np.allclose(narrow, expected, rtol=1e-6)
    g = np.ones_like(x)
    assert fa.tanh.backward(g, x, out=g) is g and same_bits(g, fa.tanh.derivative(x))
    bigger = np.empty((3, 50), np.float32)
    assert same_bits(fa.tanh(x, out=bigger)[2], expected)


def test_where_and_dtype():
    x = np.array([-1.0, 2.0, -3.0, 4.0])
    out = np.full(4, 9.0)
    fa.relu(x, out=out, where=[True, False, True, False])
    np.testing.assert_array_equal(out, [0, 9, 0, 9])
    assert fa.relu(x, dtype=np.float32, casting="same_kind").dtype == np.float32
    assert fa.relu(np.arange(3), dtype="f").dtype == np.float32
    u = ufuncs.sigmoid
    out = np.full(4, 9.0)
    u(x, out=out, where=x > 0)
    assert out[0] == 9 and out[1] == fa.sigmoid(x)[1]


@pytest.mark.parametrize("code", ["e", "f", "d"])
@pytest.mark.parametrize("n", [1, 16, 1000, 1024, 5003])
def test_one_number_for_all(n, code):
    """A broadcast operand, of which a kernel reads a part again and again."""
    rng = np.random.default_rng(n)
    x = rng.normal(0, 2, n).astype(code)
    for one in (np.array([0.3], code), np.array(-2.5, code)):
        every = np.full(n, one, code)
        assert same_bits(fa.prelu(x, one), fa.prelu(x, every))
        assert same_bits(fa.silu.backward(one, x), fa.silu.backward(every, x))
        assert same_bits(fa.silu.backward(x, one), fa.silu.backward(x, every))
        pair = fa.prelu.backward(x, one, every), fa.prelu.backward(x, every, every)
        assert all(map(same_bits, *pair))


def test_order_is_kept():
    x = np.asfortranarray(np.ones((3, 4), np.float32))
    assert fa.sigmoid(x).flags.f_contiguous
    assert fa.sigmoid(np.ones((3, 4))).flags.c_contiguous


def test_parameters_broadcast():
    x = np.array([[-1.0, -2.0], [3.0, -4.0]])
    slope = np.array([0.1, 0.2])
    np.testing.assert_array_equal(
        fa.leaky_relu(x, negative_slope=slope), np.where(x > 0, x, x * slope)
    )
    column = np.array([[0.5], [0.25]])
    y, d = fa.leaky_relu.value_and_derivative(x, negative_slope=column)
    np.testing.assert_array_equal(y, np.where(x > 0, x, x * column))
    np.testing.assert_array_equal(d, np.where(x > 0, 1, column))
    many = np.linspace(0.1, 1, 1000)
    x = np.full(1000, -1.0)
    np.testing.assert_array_equal(fa.leaky_relu(x, negative_slope=many), -many)
    np.testing.assert_array_equal(
        fa.silu(x, beta=many), [fa.silu(-1.0, beta=b) for b in many]
    )


def test_subclasses_and_protocols():
    class Tagged(np.ndarray):
        pass

    x = np.linspace(-2, 2, 9)
    assert type(fa.sigmoid(x.view(Tagged))) is Tagged
    masked = np.ma.array(x, mask=x > 1)
    got = fa.sigmoid(masked)
    assert isinstance(got, np.ma.MaskedArray) and (got.mask == masked.mask).all()

    class Seen:
        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            return ufunc.__name__, method

    assert fa.sigmoid(Seen()) == ("sigmoid", "__call__")
    assert fa.sigmoid.backward(Seen(), x)[0] == "sigmoid_backward"

    class Interface:
        __array_interface__ = x.__array_interface__

    assert same_bits(fa.sigmoid(Interface()), fa.sigmoid(x))


def test_pickle_and_copy():
    for name, activation in fa.ACTIVATIONS.items():
        assert pickle.loads(pickle.dumps(activation)) is activation, name
        assert copy.deepcopy(activation) is activation
    if COMPILED:
        for name in ufuncs.__all__:
            u = getattr(ufuncs, name)
            assert pickle.loads(pickle.dumps(u)) is u


@pytest.mark.skipif(not COMPILED, reason="the NumPy backend makes temporaries")
@pytest.mark.parametrize("form", ["value", "value_and_derivative", "backward"])
def test_no_copy_of_contiguous_input(form):
    import tracemalloc

    x = np.ones(1 << 20, np.float32)
    out = np.empty_like(x)
    call = {
        "value": lambda: fa.sigmoid(x, out=out),
        "value_and_derivative": lambda: fa.sigmoid.value_and_derivative(
            x, out=(out, x)
        ),
        "backward": lambda: fa.sigmoid.backward(x, x, out=out),
    }[form]
    call()
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000


@pytest.mark.skipif(not COMPILED, reason="the NumPy backend has no real ufuncs")
@pytest.mark.parametrize("shape", [(2,), (7,), (100,), (3, 50), (50, 3)])
@pytest.mark.parametrize("name", ["prelu", "swiglu", "leaky_relu"])
@pytest.mark.parametrize("code", "fd")
def test_reduce_and_accumulate(name, shape, code):
    """Each element needs the result of the one before."""
    f = getattr(ufuncs, name)
    x = np.random.default_rng(3).normal(0, 2, shape).astype(code)
    for axis in range(len(shape)):
        lines = np.moveaxis(x, axis, 0)
        steps = [lines[0]]
        for line in lines[1:]:
            steps.append(f(steps[-1], line))
        assert same_bits(f.accumulate(x, axis=axis), np.moveaxis(np.array(steps), 0, axis))
        assert same_bits(f.reduce(x, axis=axis), steps[-1])


def layout(rng, shape, code):
    """An array of that shape, in memory anyhow: a slice, backwards, turned; and what of."""
    sizes, cut = [], []
    for n in shape:
        before, after = rng.integers(0, 3, 2)
        size, part = [
            (n, slice(None)), (n, slice(None, None, -1)), (2 * n, slice(None, None, 2)),
            (before + n + after, slice(before, before + n)),
        ][rng.choice(4, p=[0.5, 0.1, 0.1, 0.3])]
        sizes.append(size)
        cut.append(part)
    order = rng.permutation(len(shape)) if rng.random() < 0.3 else np.arange(len(shape))
    whole = rng.normal(0, 3, [sizes[i] for i in order]).astype(code)
    return whole.transpose(np.argsort(order))[tuple(cut)], whole


FORMS_TO_TRY = ["value", "derivative", "value_and_derivative", "backward"]


@pytest.mark.parametrize("form", FORMS_TO_TRY)
@pytest.mark.parametrize("code", ["e", "f", "d"])
def test_slices(code, form):
    """Whatever operands are slices of, or broadcast to: the bits of plain copies, in out.

    And what lies between the elements of ``out`` stays.
    """
    rng = np.random.default_rng(sum(map(ord, code + form)))
    functions = [fa.gelu, fa.leaky_relu, fa.silu, fa.hard_swish, fa.elu, fa.softsign]
    for _ in range(150):
        f = functions[rng.integers(len(functions))]
        call = f if form == "value" else getattr(f, form)
        shape = [int(n) for n in rng.choice([1, 2, 3, 7, 17, 40, 64, 130], rng.integers(1, 5))]
        while np.prod(shape) > 30000:
            shape[int(np.argmax(shape))] = 2
        inputs = [layout(rng, shape, code)[0]]
        if form == "backward":
            given = [1 if rng.random() < 0.3 else n for n in shape][rng.integers(len(shape)):]
            inputs.insert(0, layout(rng, given, code)[0])
        plain = [np.array(np.broadcast_to(a, shape), order="C") for a in inputs]
        several = form == "value_and_derivative"
        expected = call(*plain) if several else (call(*plain),)
        found = call(*inputs) if several else (call(*inputs),)
        targets = [layout(rng, shape, code) for _ in expected]
        before = [whole.copy() for _, whole in targets]
        out = tuple(view for view, _ in targets)
        call(*inputs, out=out if several else out[0])
        for y, like, (view, whole), old in zip(found, expected, targets, before, strict=True):
            assert same_bits(y, like) and same_bits(view, like)
            view[...] = 0
            changed = whole.copy()
            whole[...] = old
            view[...] = 0
            assert same_bits(changed, whole)
        # into the input, and across it
        if form == "value":
            own = layout(rng, shape, code)[0]
            expected = f(own.copy(order="C"))
            assert same_bits(f(own, out=own), expected)
            memory = rng.normal(0, 3, [n + 1 for n in shape]).astype(code)
            x = memory[tuple(slice(0, n) for n in shape)]
            y = memory[tuple(slice(1, n + 1) for n in shape)]
            expected = f(x.copy())
            assert same_bits(f(x, out=y), expected)


@pytest.mark.parametrize("code", ["e", "f", "d"])
def test_prelu_broadcasts(code):
    rng = np.random.default_rng(4)
    forms = fa.prelu, fa.prelu.derivative, fa.prelu.value_and_derivative
    for shape, weights in (
        ((3, 8, 70), ((1,), (70,), (8, 1), (3, 1, 1), (8, 70), (1, 8, 1), (2, 3, 8, 70))),
        ((6, 5, 49), ((49,), (5, 1), (6, 1, 1), (5, 49), (6, 1, 49))),
        ((7, 300, 3), ((3,), (300, 1), (7, 1, 1), (7, 1, 3))),
        ((2, 1500), ((1500,), (2, 1), (1, 1))),
    ):
        x = rng.normal(0, 2, shape).astype(code)
        for weight in map(rng.random, weights):
            weight = weight.astype(code)
            weight.flat[-1] = np.nan
            like = [np.array(a) for a in np.broadcast_arrays(x, weight)]
            for form in forms:
                assert all(map(same_bits, form(x, weight), form(*like)))
            assert same_bits(fa.prelu(x[..., 1:], weight[..., :1]),
                             fa.prelu(x[..., 1:].copy(), weight[..., :1].copy()))
            if like[0].shape == shape:
                own = x.copy()
                assert same_bits(fa.prelu(own, weight, out=own), fa.prelu(*like))
                with fa.num_threads(2):
                    assert same_bits(fa.prelu(x, weight), fa.prelu(*like))


@pytest.mark.parametrize("code", ["e", "f", "d"])
@pytest.mark.parametrize("n", [1, 5, 32, 49, 700])
def test_halves_are_slices(code, n):
    x = np.random.default_rng(n).normal(0, 2, (90, 2 * n)).astype(code)
    assert same_bits(fa.glu(x), fa.glu(x[:, :n].copy(), x[:, n:].copy()))


@pytest.mark.parametrize("code", ["b", "B", "?"])
def test_many_bytes(code):
    """Looked up among 256: what the kernels say of each."""
    rng = np.random.default_rng(1)
    x = rng.integers(0, 256, (30, 50)).astype(np.uint8).view("b" if code == "b" else "B")
    x = (x > 90) if code == "?" else x
    for f in (fa.sigmoid, fa.leaky_relu, fa.gelu):
        for call in (f, f.derivative, f.value_and_derivative):
            whole, rows = call(x), [call(row) for row in x]
            if not isinstance(whole, tuple):
                whole, rows = (whole,), [(row,) for row in rows]
            for y, parts in zip(whole, zip(*rows, strict=True), strict=True):
                assert y.dtype == np.float16 and same_bits(y, np.stack(parts))
        assert same_bits(f(x.T), f(x).T)
