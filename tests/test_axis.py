"""softmax, log_softmax, logsumexp against mpmath."""

import itertools

import mpmath as mp
import numpy as np
import pytest
import reference
from cases import DTYPES, same_bits

import fastact as fa
from fastact import _registry


class Exact:
    """One row in many digits.  A long row has few distinct values: each once."""

    def __init__(self, x):
        self.x, self.at, counts = np.unique(x, return_inverse=True, return_counts=True)
        values = [mp.mpf(float(v)) for v in self.x]
        e = [mp.exp(v) for v in values]
        self.total = mp.fsum(v * int(n) for v, n in zip(e, counts, strict=True))
        self.log = mp.log(self.total)
        self.softmax = [v / self.total for v in e]
        # a row of one element: 0, and not what the digits leave of it
        self.log_softmax = [mp.mpf(0) if x.size == 1 else v - self.log for v in values]

    def picks(self, count=60):
        """(position in the row, number of its value), for some."""
        step = max(1, self.at.size // count)
        return [(i, int(self.at[i])) for i in range(0, self.at.size, step)]


def rows(dtype):
    rng = np.random.default_rng(5)
    for n in (1, 2, 3, 15, 16, 17, 40, 300):
        for scale in (0.1, 3, 30):
            yield rng.normal(0, scale, n).astype(dtype)
    yield np.array([0, -50, -80], dtype)  # one element dominates
    yield np.array([1000, 1000, 999], dtype)  # far from 0
    yield np.array([0, -100, -103], dtype)  # subnormal results (float32)
    yield np.full(1000, 7, dtype)
    for n in (50_000, 1_000_000):  # what a plain sum loses
        for value in (-1.2345, -31.2345, 0.0999):
            x = np.full(n, value, dtype)
            x[3] = 0.1
            yield x
        yield rng.choice(rng.normal(0, 2, 50), n).astype(dtype)


def error_of_terms(got, terms, spread, dtype):
    """|got - sum(terms)| in ULP of the largest of sum, terms and ``spread``.

    A gradient is a difference, and the sum in it (of sizes that add up to
    ``spread``) too: where they cancel, it is as exact as its terms.
    """
    exact = mp.fsum(terms)
    largest = max(abs(v) for v in (exact, *terms, spread))
    return float(abs(mp.mpf(float(got)) - exact) / reference.ulp_of(largest, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_relative_error(dtype):
    with mp.workprec(500):
        for x in rows(dtype):
            exact = Exact(x)
            soft, log = fa.softmax(x), fa.log_softmax(x)
            for i, k in exact.picks():
                assert reference.error(soft[i], exact.softmax[k]) <= 2, (x, i)
                assert reference.error(log[i], exact.log_softmax[k]) <= 2, (x, i)
            assert reference.error(fa.logsumexp(x), exact.log) <= 2, x


@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax_of_equal_elements(dtype):
    """Their exponentials have one error, and so has the sum; another's may add to it."""
    found = {  # by search for the largest errors
        np.float32: (-2.6482105255126953, -1.2552906274795532, 113),
        np.float64: (-2.6356360754573913, -4.742363930527584, 111),
    }
    rng = np.random.default_rng(6)
    cases = [found[k] for k in found if k == dtype]
    cases += [(*-rng.uniform(0, 8, 2), int(rng.integers(1, 300))) for _ in range(40)]
    with mp.workprec(300):
        for equal, other, n in cases:
            x = np.array([0] + [equal] * n + [other], dtype)
            exact, got = Exact(x), fa.softmax(x)
            for i in (0, 1, n + 1):
                assert reference.error(got[i], exact.softmax[int(exact.at[i])]) <= 2, (
                    equal, other, n, i,
                )


def logsumexp_may_lose(exact, x):
    """2 ULP; on the NumPy backend also 2 ULP of the logarithm in it."""
    lost = 2 * reference.ulp_of(exact, x.dtype.type)
    if fa.get_config()["backend"] != "cython":
        lost += 2 * reference.ulp_of(exact - mp.mpf(float(x.max())), np.float64)
    return lost


@pytest.mark.parametrize("dtype", DTYPES)
def test_logsumexp_of_few(dtype):
    """Where the error of one or two exponentials is that of the log."""
    rng = np.random.default_rng(7)
    rows = [  # by search for the largest errors
        [-1.7462701e-03, -5.2308898], [-8.72855212, -12.58783065, -2.50229696, -0.082792],
        [-10.7332991, -2.51011349, -8.27118454, -5.73763189, -0.09152269],
    ]
    rows += [rng.normal(-0.5, 1, int(rng.integers(2, 6))) for _ in range(200)]
    with mp.workprec(300):
        for row in rows:
            x = np.array(row, dtype)
            exact = Exact(x).log
            lost = logsumexp_may_lose(exact, x)
            assert abs(mp.mpf(float(fa.logsumexp(x))) - exact) <= lost, row


@pytest.mark.parametrize("dtype", DTYPES)
def test_logsumexp_near_0(dtype):
    """Where maximum and log cancel, down to the last bits of what the elements are.

    The NumPy backend has what is left of the error of the log.
    """
    rng = np.random.default_rng(8)
    with mp.workprec(500):
        for n in (1, 2, 3, 16, 100, 3000):
            for shift in (0, 1e-15, 1e-4, 1e-2, 0.3, -1e-16, -1e-3, -0.1, -0.45):
                x = rng.normal(0, 1, n)
                x = (x - float(Exact(x).log) + shift).astype(dtype)
                exact = Exact(x).log
                lost = logsumexp_may_lose(exact, x)
                assert abs(mp.mpf(float(fa.logsumexp(x))) - exact) <= lost, (n, shift)


@pytest.mark.parametrize("dtype", DTYPES)
def test_logsumexp_of_few_large_among_many_small(dtype):
    """Near 0 with elements that are next to nothing, and -inf, and exactly 0."""
    half = np.log(dtype(0.5))
    with mp.workprec(500):
        for rest in ([], [-100.0], [-109.9, -110.1], [-700.0] * 20, [-np.inf] * 3):
            x = np.array([half, half, *rest], dtype)
            exact = mp.log(mp.fsum(mp.exp(mp.mpf(float(v))) for v in x))
            # (elements below -110 are not counted)
            lost = logsumexp_may_lose(exact, x) + mp.mpf(2) ** -150
            assert abs(mp.mpf(float(fa.logsumexp(x))) - exact) <= lost, rest
    assert fa.logsumexp(np.array([0.0, -np.inf], dtype)) == 0


def sum_of(values):
    """The exact sum of an array of few distinct values."""
    distinct, counts = np.unique(values, return_counts=True)
    return mp.fsum(
        mp.mpf(float(v)) * int(n) for v, n in zip(distinct, counts, strict=True)
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_error_of_gradients(dtype):
    rng = np.random.default_rng(6)
    with mp.workprec(500):
        for x in rows(dtype):
            exact = Exact(x)
            g = rng.normal(size=x.size).astype(dtype)
            if x.size > 1000:  # few distinct values
                g = g[exact.at]
            elif x.size % 2 == 0:  # the gradient of a loss by label
                g[1:], g[0] = 0, -1
            soft, log = fa.softmax(x), fa.log_softmax(x)
            first = np.unique(x, return_index=True)[1]
            groups = [g[exact.at == k] for k in range(first.size)]
            weights = [sum_of(v) for v in groups]
            sizes = [sum_of(abs(v)) for v in groups]
            total, size = mp.fsum(weights), mp.fsum(sizes)
            soft_y = [mp.mpf(float(v)) for v in soft[first]]
            log_y = [mp.exp(mp.mpf(float(v))) for v in log[first]]
            for p, got in (
                (exact.softmax, fa.softmax.backward(g, x)),
                (soft_y, fa.softmax.backward_from_output(g, soft)),
            ):
                dot = mp.fsum(v * w for v, w in zip(p, weights, strict=True))
                spread = mp.fsum(v * w for v, w in zip(p, sizes, strict=True))
                for i, k in exact.picks(30):
                    terms = p[k] * mp.mpf(float(g[i])), -p[k] * dot
                    error = error_of_terms(got[i], terms, p[k] * spread, dtype)
                    assert error <= 4, (x, i)
            for p, got in (
                (exact.softmax, fa.log_softmax.backward(g, x)),
                (log_y, fa.log_softmax.backward_from_output(g, log)),
            ):
                for i, k in exact.picks(30):
                    terms = mp.mpf(float(g[i])), -p[k] * total
                    error = error_of_terms(got[i], terms, p[k] * size, dtype)
                    assert error <= 4, (x, i)
            got = fa.logsumexp.backward(dtype(1.7), x)
            for i, k in exact.picks(30):
                want = exact.softmax[k] * mp.mpf(float(dtype(1.7)))
                assert reference.error(got[i], want) <= 4, (x, i)


@pytest.mark.parametrize("dtype", DTYPES)
def test_gradient_of_logsumexp_of_any_size(dtype):
    """What comes in may be as large, and as small, as numbers are."""
    limits = np.finfo(dtype)
    gains = np.array(
        [1, -0.3, limits.max, -limits.tiny, limits.smallest_subnormal, 1e-30, 1e30, 0, -0.0]
        + [2.0 ** (k * limits.maxexp // 16) for k in range(-16, 16)] + [np.inf, np.nan], dtype,
    )
    for row in ([0.0, -1, -30], [5.0] * 4 + [-60] * 16, [-3.0, -90, -600]):
        x = np.array([row] * len(gains), dtype)
        exact = [mp.exp(mp.mpf(float(v))) for v in x[0]]
        exact = [e / mp.fsum(exact) for e in exact]
        got = fa.logsumexp.backward(gains, x, axis=-1)
        for gain, found in zip(gains, got, strict=True):
            for e, y in zip(exact, found, strict=True):
                if np.isfinite(gain):
                    assert reference.error(y, mp.mpf(float(gain)) * e) <= 4, (gain, row)
                    assert np.signbit(y) == np.signbit(gain)
                elif np.isnan(gain) or float(fa.softmax(x[0])[-1]):
                    assert y == gain or (np.isnan(y) and np.isnan(gain))
        assert same_bits(fa.logsumexp.backward(gains, x.T.copy(), axis=0), got.T)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, (0, 2), (2, 1), None])
def test_axes_shapes_and_out(name, axis, dtype):
    x = np.random.default_rng(1).normal(size=(3, 4, 5)).astype(dtype)
    f = getattr(fa, name)
    axes = range(3) if axis is None else (axis,) if isinstance(axis, int) else axis
    axes = tuple(a % 3 for a in axes)
    keep = tuple(i for i in range(3) if i not in axes)
    moved = np.ascontiguousarray(x.transpose(keep + axes)).reshape(
        [x.shape[i] for i in keep] + [-1]
    )
    expected = f(moved, axis=-1)
    got = f(x, axis=axis)
    if name == "logsumexp":
        assert same_bits(got, expected)
        kept = f(x, axis=axis, keepdims=True)
        assert kept.ndim == 3 and same_bits(kept.reshape(expected.shape), expected)
    else:
        back = np.argsort(keep + axes)
        expected = expected.reshape([x.shape[i] for i in keep + axes]).transpose(back)
        assert same_bits(got, expected)
        y = x.copy()
        assert f(y, axis=axis, out=y) is y and same_bits(y, expected)
        out = np.empty((5, 4, 3), dtype).T
        assert f(x, axis=axis, out=out) is out and same_bits(out, expected)
    assert got.dtype == dtype
    assert f(x.astype(np.float16), axis=axis).dtype == np.float16
    assert f(np.ones((2, 3), np.int64)).dtype == np.float64


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [0, -1, None])
def test_gradients(axis, dtype):
    """Against the Jacobian of the definition, in float64."""
    rng = np.random.default_rng(2)
    x = rng.normal(0, 2, (6, 20)).astype(dtype)
    g = rng.normal(size=(6, 20)).astype(dtype)
    tol = dict(rtol=1e-4, atol=1e-6) if dtype == np.float32 else dict(rtol=1e-11, atol=1e-14)
    e = np.exp(x.astype("d"))
    y = e / e.sum(axis=axis, keepdims=True)
    expected = y * (g - (g * y).sum(axis=axis, keepdims=True))
    np.testing.assert_allclose(fa.softmax.backward(g, x, axis), expected, **tol)
    np.testing.assert_allclose(
        fa.softmax.backward_from_output(g, y.astype(dtype), axis), expected, **tol
    )
    expected = g - y * g.astype("d").sum(axis=axis, keepdims=True)
    np.testing.assert_allclose(fa.log_softmax.backward(g, x, axis), expected, **tol)
    np.testing.assert_allclose(
        fa.log_softmax.backward_from_output(g, fa.log_softmax(x, axis), axis),
        expected, **tol,
    )
    shape = np.sum(x, axis=axis).shape
    one = rng.normal(size=shape).astype(dtype)
    expected = (one if axis is None else np.expand_dims(one, axis)) * y
    np.testing.assert_allclose(fa.logsumexp.backward(one, x, axis), expected, **tol)
    np.testing.assert_allclose(fa.logsumexp.derivative(x, axis), y, **tol)
    value, derivative = fa.logsumexp.value_and_derivative(x, axis)
    assert same_bits(value, fa.logsumexp(x, axis))
    assert same_bits(derivative, fa.logsumexp_d(x, axis))
    out = np.empty_like(g)
    assert fa.softmax.backward(g, x, axis, out=out) is out
    assert same_bits(out, fa.softmax.backward(g, x, axis))


@pytest.mark.parametrize("dtype", DTYPES)
def test_edges(dtype):
    inf, nan = np.inf, np.nan
    x = np.array([[0, -inf, 0], [nan, 0, 1], [-inf, -inf, -inf], [0, 0, -inf]], dtype)
    with np.errstate(all="raise"):
        soft, log, total = fa.softmax(x), fa.log_softmax(x), fa.logsumexp(x)
    assert soft[0].tolist() == [0.5, 0, 0.5]
    assert np.isnan(soft[1:3]).all() and np.isnan(log[1]).all()
    assert log[0][1] == -inf and abs(log[0][0] + np.log(2)) < 1e-6
    assert np.isnan(total[1]) and total[2] == -inf
    assert fa.logsumexp(np.array([inf, 0], dtype)) == inf
    assert fa.softmax(np.zeros((0, 3), dtype)).shape == (0, 3)
    assert fa.logsumexp(np.zeros((0, 3), dtype)).shape == (0,)
    assert isinstance(fa.logsumexp(np.ones(3, dtype)), dtype)


def call_of(name):
    """Arrays and axis to the result: backward forms take g and x (or y)."""
    function, _, form = name.partition(".")
    return getattr(getattr(fa, function), form or "__call__")


CALLS = (
    "softmax", "softmax.backward", "softmax.backward_from_output",
    "log_softmax", "log_softmax.backward", "log_softmax.backward_from_output",
    "logsumexp", "logsumexp.backward",
)


def operands(name, shape, dtype):
    """x, or g and x (or y), in rows: g of logsumexp is one number per row."""
    rng = np.random.default_rng(3)
    x = rng.normal(0, 5, shape).astype(dtype)
    if "." not in name:
        return [x]
    if name == "softmax.backward_from_output":
        x = fa.softmax(x)
    elif name == "log_softmax.backward_from_output":
        x = fa.log_softmax(x)
    width = 1 if name == "logsumexp.backward" else shape[1]
    return [rng.normal(size=(shape[0], width)).astype(dtype), x]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 37, 513])
@pytest.mark.parametrize("name", CALLS)
def test_a_row_decides_alone(name, n, dtype):
    """Not its position, nor how many others there are, nor how it lies."""
    call = call_of(name)
    arrays = operands(name, (9, n), dtype)
    whole = call(*arrays)
    for i in range(9):
        assert same_bits(call(*[a[i : i + 1].copy() for a in arrays])[0], whole[i])
        if "logsumexp" not in name:  # (its g has no axis then)
            assert same_bits(call(*[a[i].copy() for a in arrays]), whole[i])
    for rows in (slice(3, 8), slice(None, None, 2), slice(None, None, -1)):
        assert same_bits(call(*[a[rows] for a in arrays]), whole[rows])
    # the axis with any stride: doubled, reversed, first
    apart = [np.repeat(a, 2, axis=1)[:, ::2] for a in arrays]
    assert same_bits(call(*apart), whole)
    backwards = [a[:, ::-1].copy()[:, ::-1] for a in arrays]
    assert same_bits(call(*backwards), whole)
    columns = [np.ascontiguousarray(a.T) for a in arrays]
    turned = call(*columns, axis=0)
    assert same_bits(turned.T, whole)
    assert same_bits(call(*[np.asfortranarray(a) for a in arrays]), whole)
    # any address
    for offset in (1, arrays[0].itemsize):
        odd = []
        for a in arrays:
            raw = np.empty(a.nbytes + offset, np.uint8)
            odd.append(raw[offset:].view(dtype).reshape(a.shape))
            odd[-1][...] = a
        assert same_bits(call(*odd), whole)
    # into the input, across it, and into columns
    if whole.shape == arrays[-1].shape:
        for i in range(len(arrays)):
            inputs = [a.copy() for a in arrays]
            if inputs[i].shape == whole.shape:
                assert call(*inputs, out=inputs[i]) is inputs[i]
                assert same_bits(inputs[i], whole)
        buffer = np.zeros((10, n), dtype)
        for source, target in ((0, 1), (1, 0)):
            x = buffer[source:][:9]
            x[...] = arrays[-1]
            call(*arrays[:-1], x, out=buffer[target:][:9])
            assert same_bits(buffer[target:][:9], whole)
        out = np.empty((n, 9), dtype).T
        call(*arrays, out=out)
        assert same_bits(out, whole)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 10, 16, 20, 130, 4100])
@pytest.mark.parametrize("name", CALLS)
def test_many_rows(name, n, dtype):
    """More than the kernels take at once; and they write these, nothing else."""
    call = call_of(name)
    arrays = operands(name, (70, n), dtype)
    whole = call(*arrays)
    for i in (0, 15, 31, 32, 63, 64, 69):
        assert same_bits(call(*[a[i : i + 1].copy() for a in arrays])[0], whole[i])
    memory = np.full(whole.size + 40, -7, dtype)
    out = memory[20:-20].reshape(whole.shape)
    call(*arrays, out=out)
    assert same_bits(out, whole)
    assert (memory[:20] == -7).all() and (memory[-20:] == -7).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_out_may_overlap_anything(name, dtype):
    """Whatever ``out`` shares with the inputs, the result is that without it."""
    f = getattr(fa, name)
    rng = np.random.default_rng(9)
    memory = rng.normal(size=1000).astype(dtype)

    def at(start):
        return memory[start : start + 300].reshape(6, 50)

    start = memory.copy()
    for form in (f, f.backward, f.backward_from_output):
        for x_at, g_at, out_at in itertools.product((0, 7, 300), (0, 7, 400), (0, 7, 301)):
            memory[:] = start
            x, g, out = at(x_at), at(g_at), at(out_at)
            if form is f.backward_from_output:
                x[...] = f(x.copy())
            inputs = (x,) if form is f else (g, x)
            want = form(*[v.copy() for v in inputs])
            assert form(*inputs, out=out) is out
            assert same_bits(out, want), (form, x_at, g_at, out_at)


@pytest.mark.parametrize("dtype", DTYPES)
def test_logsumexp_overlapping(dtype):
    memory = np.random.default_rng(9).normal(size=700).astype(dtype)
    start = memory.copy()
    for x_at, small_at, out_at in itertools.product((0, 7), (0, 3, 290, 310), (0, 8, 350)):
        for kept in (False, True):
            memory[:] = start
            x = memory[x_at : x_at + 300].reshape(6, 50)
            small = memory[small_at : small_at + 6].reshape((6, 1) if kept else 6)
            large = memory[out_at : out_at + 300].reshape(6, 50)
            want = fa.logsumexp.backward(small.copy(), x.copy())
            assert fa.logsumexp.backward(small, x, out=large) is large
            assert same_bits(large, want)
            memory[:] = start
            want = fa.logsumexp(x.copy(), keepdims=kept)
            assert fa.logsumexp(x, out=small, keepdims=kept) is small
            assert same_bits(small, want)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_last_axis_by_its_other_name(dtype):
    """axis=-1 takes a shorter way than axis=(-1,): the same results."""
    rng = np.random.default_rng(4)
    for shape in ((7,), (1,), (3, 16), (2, 5, 33), (4, 1), (1, 2, 1, 40)):
        x = rng.normal(0, 3, shape).astype(dtype)
        g = rng.normal(size=shape[:-1]).astype(dtype)
        value = fa.logsumexp(x)
        assert type(value) is type(fa.logsumexp(x, axis=(-1,)))
        assert value.dtype == dtype and value.shape == shape[:-1]
        assert same_bits(value, fa.logsumexp(x, axis=(-1,)))
        want = fa.logsumexp.backward(g, x, axis=(-1,))
        assert same_bits(fa.logsumexp.backward(g, x), want)
        assert same_bits(fa.logsumexp.backward(g[..., None], x), want)
        for name in ("softmax", "log_softmax"):
            assert same_bits(getattr(fa, name)(x), getattr(fa, name)(x, axis=(-1,)))
        for out in (np.empty((*shape[:-1], 2), dtype), np.empty((*shape[:-1], 1), dtype)):
            with pytest.raises(ValueError, match="out has shape"):
                fa.logsumexp(x, out=out)
        with pytest.raises(ValueError, match="g must have shape"):
            fa.logsumexp.backward(np.ones((*shape[:-1], 3), dtype), x)


@pytest.mark.parametrize("dtype", [np.float16, *DTYPES])
@pytest.mark.parametrize("row", _registry.AXIS_ROWS, ids=lambda r: r.name)
def test_columns_are_rows(row, dtype):
    """The same bits where the axis is not the last in memory."""
    f = getattr(fa, row.name)
    rng = np.random.default_rng(9)
    cases = [
        ((3, 1000, 7), 1), ((5, 7, 129), 1), ((2, 70, 40), 0), ((300, 65), 0),
        ((2, 3, 5, 4), (1, 2)), ((1, 9, 2000), 1), ((4, 1, 600), 1), ((17, 16, 16), 1),
        ((2, 5000, 3), 1), ((6, 12, 5), 1), ((3, 47, 33), 1), ((90, 2, 2), 1),
    ]
    for shape, axis in cases:
        x = rng.normal(0, 3, shape)
        # some that are nearly all of the sum, cancel it, or are no numbers
        for special in (20, 80, np.inf, -np.inf, np.nan):
            x[rng.random(shape) < 0.2 / x.shape[axis if axis == 0 else 1]] = special
        x[rng.random(shape) < 0.1] -= 100
        level = rng.random([1 if i == axis else n for i, n in enumerate(shape)]) < 0.2
        x = np.where(level, -np.log(x.shape[1]), x).astype(dtype)
        axes = axis if isinstance(axis, tuple) else (axis,)
        last = tuple(range(-len(axes), 0))
        turned = np.ascontiguousarray(np.moveaxis(x, axes, last))
        rows = turned.reshape(*turned.shape[: -len(axes)], -1)

        def back(array, like=turned, last=last, axes=axes):
            return np.moveaxis(array.reshape(like.shape), last, axes)

        expected, y = f(rows), f(x, axis)
        g = rng.normal(0, 1, y.shape).astype(dtype)
        if row.reduces:
            assert same_bits(y, expected)
            assert same_bits(f(x, axis, keepdims=True), np.expand_dims(expected, axes))
            g_rows = g
        else:
            assert same_bits(y, back(expected))
            g_rows = np.moveaxis(g, axes, last).reshape(rows.shape)
            gx = f.backward_from_output(g, y, axis)
            assert same_bits(gx, back(f.backward_from_output(g_rows, expected)))
            own = x.copy()
            assert f(own, axis, out=own) is own and same_bits(own, y)
            # from out that x overlaps in part, is apart, or lies otherwise
            space = np.empty((shape[0] + 1, *shape[1:]), dtype)
            space[1:] = x
            assert same_bits(f(space[1:], axis, out=space[:-1]), y)
            assert same_bits(f(x, axis, out=np.empty(shape[::-1], dtype).T), y)
            order = np.roll(range(x.ndim), 1)
            moved = np.ascontiguousarray(x.transpose(order)).transpose(np.argsort(order))
            assert same_bits(f(moved, axis), y)
        gx = f.backward(g, x, axis)
        assert same_bits(gx, back(f.backward(g_rows, rows)))
        out = np.empty_like(x)
        assert f.backward(g, x, axis, out=out) is out and same_bits(out, gx)
        assert same_bits(f.backward(g, x, axis, out=x), gx)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("row", _registry.AXIS_ROWS, ids=lambda r: r.name)
def test_columns_are_rows_down_to_subnormals(row, dtype):
    """Where results are so small that the low part of a sum decides their last bit."""
    f = getattr(fa, row.name)
    rng = np.random.default_rng(12)
    for n in (9, 13, 16, 40):
        x = rng.normal(0, 3, (20000, n)) * rng.uniform(0.1, 60, (20000, 1))
        x = x.astype(dtype)
        assert same_bits(f(x, axis=1), f(x.T.copy(), axis=0).T)
        g = rng.normal(size=20000 if row.reduces else x.shape).astype(dtype)
        turned = f.backward(g.T.copy(), x.T.copy(), axis=0).T
        assert same_bits(f.backward(g, x, axis=1), turned)


@pytest.mark.parametrize("row", _registry.AXIS_ROWS, ids=lambda r: r.name)
def test_every_way_in(row):
    """Lists, integers, slices, other orders in memory, dtype=: what plain arrays give."""
    f = getattr(fa, row.name)
    rng = np.random.default_rng(3)
    x = rng.integers(-9, 9, (4, 5, 6))
    for axis in (-3, -2, -1, 0, 1, 2, None):
        whole = f(x.astype(np.float64), axis)
        n = x.size if axis is None else x.shape[axis]
        rows = x.reshape(1, -1) if axis is None else np.moveaxis(x, axis, -1).reshape(-1, n)
        expected = f(rows.astype(np.float64))
        if axis is None:
            expected = expected.reshape(np.shape(whole))
        elif row.reduces:
            expected = expected.reshape(whole.shape)
        else:
            moved = np.moveaxis(x, axis, -1).shape
            expected = np.moveaxis(expected.reshape(moved), -1, axis)
        assert same_bits(whole, expected)
        assert same_bits(f(x, axis), whole)
        assert same_bits(f(x.tolist(), axis), whole)
        assert same_bits(f(x.astype(np.float32), axis, dtype=np.float64), whole)
        wide = np.full((4, 5, 12), 7.0)
        wide[..., ::2] = x
        assert same_bits(f(wide[..., ::2], axis), whole)
        turned = np.asfortranarray(x.astype(np.float64))
        result = f(turned, axis)
        assert same_bits(result, whole)
        if axis is not None and not row.reduces and fa._backend.COMPILED:
            assert result.flags.f_contiguous
        assert f(x.astype(np.int8), axis).dtype == np.float16
        if row.reduces:
            kept = f(x, axis, keepdims=True)
            axes = range(3) if axis is None else [axis % 3]
            assert kept.shape == tuple(1 if i in axes else s for i, s in enumerate(x.shape))
            assert same_bits(kept.reshape(np.shape(whole)), np.asarray(whole))
    assert f(x[0, 0], None).shape == (() if row.reduces else (6,))
