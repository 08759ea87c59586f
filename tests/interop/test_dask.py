"""dask arrays: lazily, chunk by chunk, the same bits as from the whole array."""

import numpy as np
import pytest
from cases import same_bits
from containers import ALONG_AXIS, ELEMENTWISE, ELEMENTWISE_IDS, GATES, name_of

import fastact as fa

da = pytest.importorskip("dask.array")


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(0, 3, (30, 40)).astype(np.float32)


@pytest.fixture
def g():
    return np.random.default_rng(1).normal(size=(30, 40)).astype(np.float32)


def lazily(array, chunks=(7, 16)):
    return da.from_array(array, chunks=chunks)


def check(got, expected, chunks=None):
    """Lazy arrays (or tuples of them) with these results."""
    if isinstance(expected, tuple):
        assert isinstance(got, tuple) and len(got) == len(expected)
        for a, b in zip(got, expected, strict=True):
            check(a, b, chunks)
        return
    assert isinstance(got, da.Array)
    assert got.dtype == expected.dtype and got.shape == expected.shape
    if chunks:
        assert got.chunks == chunks
    assert same_bits(got.compute(scheduler="sync"), expected)


@pytest.mark.parametrize(("activation", "options"), ELEMENTWISE, ids=ELEMENTWISE_IDS)
def test_elementwise(activation, options, x, g):
    d = lazily(x)
    check(activation(d, **options), activation(x, **options), d.chunks)
    for form in ("derivative", "value_and_derivative"):
        got = getattr(activation, form)(d, **options)
        check(got, getattr(activation, form)(x, **options), d.chunks)
    got = activation.backward(lazily(g), d, **options)
    check(got, activation.backward(g, x, **options), d.chunks)


def test_nothing_is_computed_early():
    def fail(block):
        if block.size > 1:  # (dask tries a function on one element)
            raise RuntimeError("computed")
        return block

    d = da.ones((8, 8), chunks=4).map_blocks(fail, dtype=float)
    results = [
        fa.sigmoid(d), *fa.sigmoid.value_and_derivative(d), fa.softmax(d),
        *fa.logsumexp.value_and_derivative(d), fa.glu.derivative(d),
    ]
    for result in results:
        with pytest.raises(RuntimeError, match="computed"):
            result.compute(scheduler="sync")


def test_pairs_take_parameters_and_other_arrays(x, g):
    d, slope = lazily(x), np.linspace(0.1, 0.9, 40).astype(np.float32)
    for value in (0.2, np.float64(0.2), slope):
        check(
            fa.leaky_relu.value_and_derivative(d, negative_slope=value),
            fa.leaky_relu.value_and_derivative(x, negative_slope=value),
        )
    for code in "e?bhi":
        whole = (x > 0).astype(code)
        check(
            fa.elu.value_and_derivative(lazily(whole), alpha=0.3),
            fa.elu.value_and_derivative(whole, alpha=0.3),
        )
    check(fa.glu.backward(g, d, x[0]), fa.glu.backward(g, x, x[0]))
    check(
        fa.mish.value_and_derivative(d, dtype=np.float64),
        fa.mish.value_and_derivative(x, dtype=np.float64),
    )
    for option in ({"out": (np.empty_like(x),) * 2}, {"where": x > 0}):
        with pytest.raises(TypeError, match=r"fastact.mish_vd: takes no (out|where)"):
            fa.mish.value_and_derivative(d, **option)


@pytest.mark.parametrize("unit", GATES, ids=name_of)
def test_gates(unit, x, g):
    d, dg = lazily(x), lazily(g)
    for axis in (0, -1):
        half = np.split(g, 2, axis=axis)[0]
        check(unit(d, axis=axis), unit(x, axis=axis))
        for form in ("derivative", "value_and_derivative"):
            check(getattr(unit, form)(d, axis=axis), getattr(unit, form)(x, axis=axis))
        check(unit.backward(lazily(half), d, axis=axis), unit.backward(half, x, axis=axis))
    check(unit.derivative(d, dg), unit.derivative(x, g))
    y, pair = unit.value_and_derivative(d, dg)
    check((y, *pair), (unit(x, g), *unit.derivative(x, g)))


def test_prelu(x, g):
    d, weight = lazily(x), np.linspace(-1, 1, 40).astype(np.float32)
    check(fa.prelu(d, weight), fa.prelu(x, weight))
    gx, gw = fa.prelu.backward(lazily(g), d, lazily(weight, 16))
    expected = fa.prelu.backward(g, x, weight)
    check(gx, expected[0])
    assert isinstance(gw, da.Array) and gw.shape == weight.shape
    # a sum in another order
    np.testing.assert_allclose(gw.compute(), expected[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("axis", [0, -1, (0, 1), None])
@pytest.mark.parametrize("function", ALONG_AXIS, ids=name_of)
def test_along_axis(function, axis, x, g):
    """The axis becomes one chunk; the results are those of the whole array."""
    d = lazily(x)
    value = function(x, axis)
    check(function(d, axis), value)
    if value.shape == x.shape:
        lazy = function(d, axis)
        assert all(lazy.numblocks[i] == 1 for i in np.atleast_1d(axis or (0, -1)))
        check(function.backward(lazily(g), d, axis), function.backward(g, x, axis))
        check(
            function.backward_from_output(g[0], lazily(value), axis),
            function.backward_from_output(g[0], value, axis),
        )
        return
    check(function(d, axis, keepdims=True), function(x, axis, keepdims=True))
    check(function.derivative(d, axis), function.derivative(x, axis))
    check(
        function.value_and_derivative(d, axis), function.value_and_derivative(x, axis)
    )
    expected = function.backward(value, x, axis)
    check(function.backward(function(d, axis), d, axis), expected)
    check(function.backward(function(d, axis, keepdims=True), d, axis), expected)
    with pytest.raises(ValueError, match="g must have shape"):
        function.backward(d, d, axis)


def test_chunks_along_the_axis_stay_bounded():
    """Where the axis is joined, the others are divided: no chunk beyond dask's limit."""
    dask = pytest.importorskip("dask")
    with dask.config.set({"array.chunk-size": "1MiB"}):
        d = da.zeros((4000, 4000), chunks=(4000, 50), dtype=np.float32)
        rows = fa.softmax(d)
    assert rows.numblocks[1] == 1
    assert max(rows.chunks[0]) * 4000 * 4 <= 2**20


def test_one_chunk_along_the_axis_is_left_alone(x):
    d = lazily(x, (7, -1))
    assert fa.softmax(d).chunks == d.chunks


def test_axis_errors(x):
    d = lazily(x)
    with pytest.raises(ValueError, match="axis 2 is out of range"):
        fa.softmax(d, axis=2)
    with pytest.raises(TypeError, match="takes no out"):
        fa.softmax(d, out=np.empty_like(x))


def test_local_cluster(tmp_path):
    """Two processes, an array of many chunks: pickled functions, the same numbers."""
    distributed = pytest.importorskip("distributed")
    x = np.random.default_rng(5).normal(0, 4, (512, 1024)).astype(np.float32)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
        local_directory=str(tmp_path),
    ) as cluster, distributed.Client(cluster) as client:
        d = da.from_array(x, chunks=(100, 300))
        assert d.npartitions == 24
        lazy = [
            fa.gelu(d), *fa.gelu.value_and_derivative(d, approximate="tanh"),
            fa.elu.backward(d, d, alpha=0.5), fa.softmax(d),
            *fa.logsumexp.value_and_derivative(d), fa.swiglu.derivative(d),
        ]
        results = client.gather(client.compute(lazy))
        assert len(client.scheduler_info()["workers"]) == 2
    expected = [
        fa.gelu(x), *fa.gelu.value_and_derivative(x, approximate="tanh"),
        fa.elu.backward(x, x, alpha=0.5), fa.softmax(x),
        *fa.logsumexp.value_and_derivative(x), fa.swiglu.derivative(x),
    ]
    for got, want in zip(results, expected, strict=True):
        assert same_bits(got, want)
