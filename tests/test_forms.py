"""The forms of an activation agree bit for bit, wherever the data lie.

All of it holds within one instruction set: .ci/run repeats it on each.
"""

import numpy as np
import pytest
from cases import (
    CASE_IDS,
    CASES,
    DTYPES,
    KERNELS,
    inputs_of,
    kernel_params,
    loop,
    rounded,
    same_bits,
    ufunc,
)

import fastact as fa
from fastact import ufuncs

# Around every edge of the driver: vectors of 16, blocks of 1024, the GIL at 2048.
LENGTHS = (
    *range(71), 255, 256, 257, 272, *range(1007, 1042), 2047, 2048, 2049, 2064, 3000,
)
WHOLE = max(LENGTHS)
STEPS = (2, 3, 7, -1, -2, -5)

each_kernel = pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.public)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


class Calls:
    """A kernel over its inputs, the results as tuples, and those for all of them."""

    def __init__(self, kernel, dtype):
        self.kernel, self.dtype = kernel, dtype
        self.params = kernel_params(kernel, dtype)
        self.inputs = inputs_of(kernel, WHOLE, dtype)
        self.results = self(self.inputs)

    def __call__(self, inputs, **keywords):
        result = ufunc(self.kernel.public)(*inputs, *self.params, **keywords)
        return result if isinstance(result, tuple) else (result,)

    def direct(self, inputs, out=None):
        """The same by the direct entry for plain arrays; None where it declines."""
        if out is not None and len(out) == 1:
            (out,) = out
        result = loop(self.kernel.public).fast(
            tuple(inputs), tuple(map(float, self.params)), out
        )
        return result if result is None or isinstance(result, tuple) else (result,)

    def check(self, got, where=None, note=None):
        """The results are those for all inputs, at ``where``."""
        for part, whole in zip(got, self.results, strict=True):
            assert same_bits(part, whole if where is None else whole[where]), note


@pytest.fixture
def calls(kernel, dtype):
    return Calls(kernel, dtype)


def misaligned(a, offset=1):
    """A copy of ``a`` that begins ``offset`` bytes behind an aligned address."""
    raw = np.empty(a.nbytes + offset, np.uint8)
    b = raw[offset:].view(a.dtype)
    b[...] = a
    return b


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("row", "params"), CASES, ids=CASE_IDS)
def test_pair_and_backward_are_the_single_forms(row, params, dtype):
    kernel = next(k for k in KERNELS if k.public == row.name + "_backward")
    g, x = inputs_of(kernel, 777, dtype)
    p = rounded(params, dtype).values()
    f, d = ufunc(row.name + "_vd")(x, *p)
    assert same_bits(f, ufunc(row.name)(x, *p))
    assert same_bits(d, ufunc(row.name + "_d")(x, *p))
    with np.errstate(all="ignore"):
        expected = g * d
    assert same_bits(ufunc(row.name + "_backward")(g, x, *p), expected)


def test_every_float32_pair_and_backward():
    """The forms are separate machine code: over every bit pattern's top half."""
    x = (np.arange(1 << 16, dtype=np.uint32) << 16).view(np.float32)
    g = np.resize(np.float32([1, -3.7, 1e-3, 1e20]), x.shape)
    for row, params in CASES:
        p = rounded(params, np.float32).values()
        f, d = ufunc(row.name + "_vd")(x, *p)
        assert same_bits(f, ufunc(row.name)(x, *p)), row.name
        assert same_bits(d, ufunc(row.name + "_d")(x, *p)), row.name
        with np.errstate(all="ignore"):
            expected = g * d
        assert same_bits(ufunc(row.name + "_backward")(g, x, *p), expected), row.name


@each_dtype
@pytest.mark.parametrize(
    "name", sorted({k.public for k in KERNELS if k.kind in ("gate", "prelu")
                    and k.form == "value"}),
)
def test_forms_of_two_arrays_agree(name, dtype):
    """Likewise for gates and prelu, whose derivative has its own shape."""
    kernel = next(k for k in KERNELS if k.public == name + "_backward")
    g, *inputs = inputs_of(kernel, 777, dtype)
    f, *both = ufunc(name + "_vd")(*inputs)
    single = ufunc(name + "_d")(*inputs)
    single = single if isinstance(single, tuple) else (single,)
    assert same_bits(f, ufunc(name)(*inputs))
    gradients = ufunc(name + "_backward")(g, *inputs)
    for d, alone, gradient in zip(both, single, gradients, strict=False):
        assert same_bits(d, alone)
        with np.errstate(all="ignore"):
            assert same_bits(gradient, g * d)


@each_dtype
@pytest.mark.parametrize(
    "kernel", [k for k in KERNELS if k.kind == "from_output"], ids=lambda k: k.public
)
def test_gradient_from_output_is_a_product(calls):
    g, y = calls.inputs
    (d,) = calls([np.ones_like(g), y])
    with np.errstate(all="ignore"):
        assert same_bits(calls.results[0], g * d)


@each_dtype
@each_kernel
def test_length(calls):
    """Whatever the length, by the ufunc and by the direct entry."""
    for n in LENGTHS:
        inputs = [a[:n] for a in calls.inputs]
        calls.check(calls(inputs), slice(n), n)
        direct = calls.direct(inputs)
        if direct is not None:
            calls.check(direct, slice(n), n)
        out = tuple(np.empty_like(w[:n]) for w in calls.results)
        if calls.direct(inputs, out) is not None:
            calls.check(out, slice(n), n)


@each_dtype
@each_kernel
def test_alone(calls):
    """Each element by itself: no result depends on its neighbours."""
    special = [np.flatnonzero(~(np.abs(a) < 80) | (a == 0)) for a in calls.inputs]
    for i in np.unique(np.concatenate([np.arange(40), *special])):
        one = slice(i, i + 1)
        calls.check(calls([a[one] for a in calls.inputs]), one, i)


@each_dtype
@each_kernel
def test_offset(calls):
    """At every place of a vector, and of a block."""
    for start in (*range(1, 18), 31, 511):
        for n in (5, 16, 530):
            part = slice(start, start + n)
            inputs = [a[part] for a in calls.inputs]
            calls.check(calls(inputs), part, (start, n))
            direct = calls.direct(inputs)
            if direct is not None:
                calls.check(direct, part, (start, n))
    # operands that are aligned unlike each other
    shifted = []
    for j, a in enumerate(calls.inputs):
        b = np.empty(a.size + 16, a.dtype)[3 * j + 1 :][: a.size]
        b[...] = a
        shifted.append(b)
    calls.check(calls(shifted))


@each_dtype
@each_kernel
def test_most_inputs_far(calls):
    """Where most inputs are those that a kernel leaves to another formula, for later."""
    inputs = [a[::-1] * calls.dtype(8) for a in calls.inputs]
    whole = calls(inputs)
    together = [np.empty_like(a) for a in whole]
    together[0] = inputs[0].copy()
    calls([together[0], *inputs[1:]], out=tuple(together))
    for start in range(0, WHOLE, 40):
        part = slice(start, start + 40)
        for few, *all_of in zip(calls([a[part] for a in inputs]), whole, together, strict=True):
            assert all(same_bits(few, a[part]) for a in all_of), part


@each_dtype
@each_kernel
def test_stride(calls):
    for step in STEPS:
        part = slice(None, None, step)
        calls.check(calls([a[part] for a in calls.inputs]), part, step)
        for n in (1, 15, 16, 17, 513):
            part = slice(n)
            out = tuple(np.zeros(n * abs(step), calls.dtype)[::step] for _ in calls.results)
            out = tuple(o[:n] for o in out)
            inputs = [a[:n] for a in calls.inputs]
            calls.check(calls(inputs, out=out), part, (step, n))
            apart = [np.repeat(a, 2)[::2] for a in inputs]
            for x in (inputs, apart):
                got = calls.direct(x, out)
                if got is not None:
                    calls.check(got, part, (step, n))
    # each operand with a stride of its own, the others contiguous
    for j in range(len(calls.inputs)):
        inputs = list(calls.inputs)
        inputs[j] = np.repeat(inputs[j], 3)[::3]
        calls.check(calls(inputs), note=j)
    matrix = [a[:600].reshape(20, 30) for a in calls.inputs]
    for part, whole in zip(calls([m.T for m in matrix]), calls.results, strict=True):
        assert same_bits(part, whole[:600].reshape(20, 30).T)


@each_dtype
@each_kernel
def test_alignment_and_byte_order(calls):
    for offset in (1, 2, 3, calls.inputs[0].itemsize - 1):
        calls.check(calls([misaligned(a, offset) for a in calls.inputs]), note=offset)
        out = tuple(misaligned(np.zeros_like(w), offset) for w in calls.results)
        calls.check(calls(calls.inputs, out=out), note=offset)
    swapped = np.dtype(calls.dtype).newbyteorder()
    calls.check(calls([a.astype(swapped) for a in calls.inputs]))


@each_dtype
@each_kernel
def test_in_place(calls):
    """Each output over each input, by the ufunc and by the direct entry."""
    for n in (5, 16, 17, 528, WHOLE):
        for i in range(len(calls.inputs)):
            for j in range(len(calls.results)):
                for call in (lambda x, out: calls(x, out=out), calls.direct):
                    inputs = [a[:n].copy() for a in calls.inputs]
                    out = [np.empty_like(w[:n]) for w in calls.results]
                    out[j] = inputs[i]
                    got = call(inputs, tuple(out))
                    if got is not None:
                        assert got[j] is inputs[i]
                        calls.check(got, slice(n), (n, i, j))


@each_dtype
@each_kernel
def test_overlap(calls):
    """An output that lies across an input, forwards, backwards and reversed."""
    n = 1000
    for i in range(len(calls.inputs)):
        for j in range(len(calls.results)):
            for shift in (-513, -16, -5, -1, 1, 5, 16, 513):
                for call in (lambda x, out: calls(x, out=out), calls.direct):
                    buffer = np.zeros(n + abs(shift), calls.dtype)
                    inputs = [a[:n] for a in calls.inputs]
                    inputs[i] = buffer[max(0, -shift) :][:n]
                    inputs[i][...] = calls.inputs[i][:n]
                    out = [np.empty_like(w[:n]) for w in calls.results]
                    out[j] = buffer[max(0, shift) :][:n]
                    got = call(inputs, tuple(out))
                    if got is not None:
                        calls.check(got, slice(n), (i, j, shift))
            inputs = [a[:n].copy() for a in calls.inputs]
            out = [np.empty_like(w[:n]) for w in calls.results]
            out[j] = inputs[i][::-1]
            calls.check(calls(inputs, out=tuple(out)), slice(n), (i, j, "reversed"))
            # elements that are apart: they themselves, those between, both in reverse
            for across in (np.s_[::2], np.s_[1::2], np.s_[-2::-2], np.s_[-1::-2]):
                for call in (lambda x, out: calls(x, out=out), calls.direct):
                    buffer = np.repeat(calls.inputs[i][:n], 2)
                    inputs = [a[:n] for a in calls.inputs]
                    inputs[i] = buffer[::2]
                    out = [np.empty_like(w[:n]) for w in calls.results]
                    out[j] = buffer[across]
                    got = call(inputs, tuple(out))
                    if got is not None:
                        calls.check(got, slice(n), (i, j, across))


@each_dtype
@each_kernel
def test_inputs_are_left_alone(kernel, dtype):
    arrays = inputs_of(kernel, 100, dtype)
    before = [a.copy() for a in arrays]
    for a in arrays:
        a.flags.writeable = False
    ufunc(kernel.public)(*arrays, *kernel_params(kernel, dtype))
    assert all(same_bits(a, b) for a, b in zip(arrays, before, strict=True))


def test_parameters_from_call_to_call():
    """What a call with keywords leaves behind for the next one changes no result."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=33).astype(np.float32)
    out = np.empty_like(x)
    slopes = [0.2, 0.2, float("0.2"), 0.1, 0.2, 0.0, -0.0, 1, 1.0, 3, 0.2, np.float64(0.2)]
    for _ in range(3):
        for slope in slopes:
            wide = x.astype(np.float64)
            want = ufuncs.leaky_relu(wide, slope)
            assert same_bits(fa.leaky_relu(wide, negative_slope=slope), want)
            want = ufuncs.leaky_relu(x, np.float32(slope))
            for data in (x, x[::-1][::-1], list(x)):
                assert same_bits(fa.leaky_relu(data, negative_slope=slope), want)
            assert fa.leaky_relu(x, negative_slope=slope, out=out) is out
            assert same_bits(out, want)
            assert same_bits(fa.leaky_relu(x, out=None, negative_slope=slope), want)
        for keywords in (
            {"threshold": 0.5, "value": 2.0}, {"value": 2.0, "threshold": 0.5},
            {"threshold": 2.0, "value": 0.5}, {"value": 0.5, "threshold": 2.0},
        ):
            params = np.float32([keywords["threshold"], keywords["value"]])
            want = ufuncs.threshold(x, *params)
            for _ in range(2):
                assert same_bits(fa.threshold(x, **keywords), want)
                assert same_bits(fa.threshold(x, out=out, **keywords), want)
        for text in ("none", "tanh", "".join(("ta", "nh"))):
            want = (ufuncs.gelu if text == "none" else ufuncs.gelu_tanh)(x)
            assert same_bits(fa.gelu(x, approximate=text), want)
    with pytest.raises(TypeError, match="negative_slope"):
        fa.leaky_relu(x, negative_slop=0.2)
    with pytest.raises(ValueError, match="approximate"):
        fa.gelu(x, approximate="tanH")
