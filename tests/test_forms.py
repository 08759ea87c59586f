"""The forms of an activation agree bit for bit, wherever the data lie."""

import numpy as np
import pytest
from cases import (
    CASE_IDS,
    CASES,
    DTYPES,
    KERNELS,
    inputs_of,
    kernel_params,
    rounded,
    same_bits,
    ufunc,
)

LENGTHS = (0, 1, 2, 3, 7, 15, 16, 17, 31, 33, 64, 100, 511, 512, 513, 1030, 5000)


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


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.public)
def test_results_do_not_depend_on_where_data_lie(kernel, dtype):
    """Length, offset, stride, alignment, order, position, in place."""
    u = ufunc(kernel.public)
    p = kernel_params(kernel, dtype)
    arrays = inputs_of(kernel, max(LENGTHS), dtype)

    def call(*inputs, **keywords):
        result = u(*inputs, *p, **keywords)
        return result if isinstance(result, tuple) else (result,)

    whole = call(*arrays)
    for n in LENGTHS:
        for part, full in zip(call(*[a[:n] for a in arrays]), whole, strict=True):
            assert same_bits(part, full[:n]), n
    for start in (1, 3, 5):
        got = call(*[a[start : start + 600] for a in arrays])
        for part, full in zip(got, whole, strict=True):
            assert same_bits(part, full[start : start + 600])
    for step in (2, 7, -1, -3):
        for part, full in zip(call(*[a[::step] for a in arrays]), whole, strict=True):
            assert same_bits(part, full[::step]), step

    def misaligned(a):
        raw = np.empty(a.nbytes + 1, np.uint8)
        b = raw[1:].view(dtype)
        b[...] = a
        return b

    swapped = np.dtype(dtype).newbyteorder()
    for change in (misaligned, lambda a: a.astype(swapped)):
        changed = call(*[change(a) for a in arrays])
        for part, full in zip(changed, whole, strict=True):
            assert same_bits(part, full)
    out = tuple(misaligned(np.zeros_like(w)) for w in whole)
    for part, full in zip(call(*arrays, out=out), whole, strict=True):
        assert same_bits(part, full)
    out = tuple(np.zeros(3 * w.size, dtype)[::3] for w in whole)
    for part, full in zip(call(*arrays, out=out), whole, strict=True):
        assert same_bits(part, full)
    for i in range(len(kernel.inputs)):  # the first output over each input
        inputs = [a.copy() for a in arrays]
        out = (inputs[i], *[np.empty_like(w) for w in whole[1:]])
        got = call(*inputs, out=out)
        assert got[0] is inputs[i]
        for part, full in zip(got, whole, strict=True):
            assert same_bits(part, full)
    for shift in (1, 5, 16):  # output overlapping the input, both ways
        for source, target in ((0, shift), (shift, 0)):
            buffer = np.zeros(1000 + shift, dtype)
            x = buffer[source : source + 1000]
            x[...] = arrays[-1][:1000]
            others = [a[:1000] for a in arrays[:-1]]
            out = (buffer[target : target + 1000],)
            out += tuple(np.empty(1000, dtype) for _ in whole[1:])
            got = call(*others, x, out=out)
            assert same_bits(got[0], whole[0][:1000])
    matrix = [a[:600].reshape(20, 30) for a in arrays]
    for part, full in zip(call(*[m.T for m in matrix]), whole, strict=True):
        assert same_bits(part, full[:600].reshape(20, 30).T)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.public)
def test_inputs_are_left_alone(kernel, dtype):
    arrays = inputs_of(kernel, 100, dtype)
    before = [a.copy() for a in arrays]
    for a in arrays:
        a.flags.writeable = False
    ufunc(kernel.public)(*arrays, *kernel_params(kernel, dtype))
    assert all(same_bits(a, b) for a, b in zip(arrays, before, strict=True))
