"""Threads: the same bits for any number, and no way to hang."""

import contextlib
import ctypes
import functools
import os
import platform
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from cases import (
    COMPILED,
    DTYPES,
    KERNELS,
    inputs_of,
    kernel_params,
    loop,
    python,
    same_bits,
)

import fastact as fa
from fastact import _registry, _threads

pooled = pytest.mark.skipif(not COMPILED, reason="the NumPy backend has no threads")
linux = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="Linux: affinity, /proc"
)
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

#: several parts, and elements left over
LENGTH = 6 * 8192 + 5


@pytest.fixture(autouse=True)
def one_thread():
    """Start from one thread, whatever FASTACT_NUM_THREADS says."""
    before = fa.get_num_threads()
    fa.set_num_threads(1)
    yield
    fa.set_num_threads(before)


@pytest.fixture
def eager():
    """Share work however little it is, so that small arrays will do."""
    from fastact import _pool

    before = _pool.set_least(0)
    yield
    _pool.set_least(before)


def arrays(result):
    return result if isinstance(result, tuple) else (result,)


def check_shared(call):
    """The same bits with 1, 2, 3 and 8 threads, helpers at work."""
    from fastact import _pool

    expected = arrays(call())
    for threads in (2, 3, 8):
        with fa.num_threads(threads):
            before = _pool.helped()
            for _ in range(20):  # a helper that wakes up late has the next one
                result = arrays(call())
                if _pool.helped() > before:
                    break
        for a, b in zip(expected, result, strict=True):
            assert same_bits(a, b), threads


@pooled
@pytest.mark.parametrize("dtype", [np.float16, *DTYPES])
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.public)
def test_bits(kernel, dtype, eager):
    """Every kernel, by the direct entry."""
    with np.errstate(over="ignore"):  # 1e30
        x = tuple(inputs_of(kernel, LENGTH, dtype))
    p = tuple(map(float, kernel_params(kernel, dtype)))
    check_shared(lambda: loop(kernel.public).fast(x, p, None))


@pooled
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.public)
def test_bits_of_ufuncs(kernel, eager):
    """float16, strided and reversed operands, by the ufunc."""
    p = kernel_params(kernel, np.float64)
    f = loop(kernel.public).ufunc
    with np.errstate(over="ignore"):  # 1e30
        half = inputs_of(kernel, LENGTH, np.float16)
    check_shared(lambda: f(*half, *map(np.float16, p)))
    strided = [x[::-2] for x in inputs_of(kernel, 2 * LENGTH, np.float64)]
    outs = [np.empty(2 * LENGTH)[::2] for _ in range(f.nout)]
    check_shared(lambda: tuple(
        a.copy() for a in arrays(f(*strided, *p, out=tuple(outs)))
    ))
    backwards = [np.empty(LENGTH)[::-1] for _ in range(f.nout)]
    check_shared(lambda: tuple(
        a.copy() for a in arrays(f(*strided, *p, out=tuple(backwards)))
    ))


@pooled
@pytest.mark.parametrize("dtype", [np.float16, *DTYPES])
@pytest.mark.parametrize("shape", [(3000, 16), (61, 1003), (3, 20000)])
@pytest.mark.parametrize("row", _registry.AXIS_ROWS, ids=lambda r: r.name)
def test_bits_of_rows(row, shape, dtype, eager):
    f = getattr(fa, row.name)
    rng = np.random.default_rng(5)
    x = rng.normal(0, 3, shape).astype(dtype)
    y = f(x)
    g = rng.normal(0, 1, y.shape).astype(dtype)
    check_shared(lambda: f(x))
    check_shared(lambda: f(x, axis=0))
    check_shared(lambda: f.backward(g, x))
    if not row.reduces:
        check_shared(lambda: f.backward_from_output(g, y))


@pooled
@pytest.mark.parametrize("dtype", [np.float16, *DTYPES])
def test_bits_of_slices_and_columns(dtype, eager):
    rng = np.random.default_rng(3)
    x = rng.normal(0, 3, (70, 40, 33)).astype(dtype)
    weight = rng.random((40, 1)).astype(dtype)

    def results():
        for cut in (np.s_[:, :, :-1], np.s_[:, ::2, :5], np.s_[1:, ::-1]):
            out = np.zeros_like(x)
            yield fa.gelu(x[cut], out=out[cut])
            yield fa.leaky_relu.value_and_derivative(x[cut])[1]
            yield out
        yield fa.prelu(x, weight)
        for axis in (0, 1):
            yield fa.softmax(x, axis)
            yield fa.log_softmax.backward(x, x, axis)
            yield fa.logsumexp(x, axis)

    one = [y.copy() for y in results()]
    with fa.num_threads(3):
        for y, like in zip(results(), one, strict=True):
            assert same_bits(y, like)


@pooled
def test_in_place(eager):
    x = inputs_of(KERNELS[0], LENGTH, np.float32)[0]
    g = np.cos(np.arange(LENGTH, dtype=np.float32))

    def both():
        a, b = x.copy(), g.copy()
        return fa.silu(a, out=a), fa.gelu.backward(b, x, out=b)

    check_shared(both)


@pooled
def test_buffers(eager):
    from fastact import kernels

    x = inputs_of(KERNELS[0], LENGTH, np.float64)[0]

    def pair():
        y, dy = np.empty_like(x), np.empty_like(x)
        kernels.mish_vd_f64(x, y, dy)
        return y, dy

    check_shared(pair)


@pooled
@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="FE_UPWARD there"
)
def test_rounding_of_the_caller(eager):
    """Helpers round as the calling thread does, which may have changed its mind."""
    upward, nearest = 0x800, 0
    libm = ctypes.CDLL("libm.so.6")
    x = inputs_of(KERNELS[0], LENGTH, np.float64)[0]
    y = np.empty_like(x)

    def rounded_up():
        libm.fesetround(upward)
        try:
            fa.softplus(x, out=y)
        finally:
            libm.fesetround(nearest)
        return y.copy()

    assert not same_bits(rounded_up(), fa.softplus(x))
    check_shared(rounded_up)
    check_shared(lambda: fa.softplus(x))


@pooled
def test_helpers_help():
    """(So much work that they come to it with one core, too.)"""
    from fastact import _pool

    x = np.full(3_000_000, 0.5)
    before = _pool.helped()
    fa.gelu(x)
    assert _pool.helped() == before
    with fa.num_threads(2):
        for _ in range(20):
            fa.gelu(x, out=x)
    assert _pool.helped() > before


@pooled
def test_small_arrays_are_not_shared():
    from fastact import _pool

    before = _pool.helped()
    with fa.num_threads(8):
        for n in (1, 16, 2048, 16383):
            fa.relu(np.ones(n, "f"))
            fa.softmax(np.ones((1, n), "f"))
    assert _pool.helped() == before


@pooled
def test_many_callers(eager):
    """Python threads that all call at once, with different numbers of threads."""
    names = ["sigmoid", "gelu", "softplus", "relu"]
    x = inputs_of(KERNELS[0], LENGTH, np.float32)[0]
    rows = np.resize(x, (50, 1000))
    expected = {n: getattr(fa, n).value_and_derivative(x) for n in names}
    soft = fa.softmax(rows)
    start = threading.Barrier(6)

    def work(i):
        start.wait()
        for k in range(60):
            name = names[(i + k) % len(names)]
            with fa.num_threads(1 + (i + k) % 4):
                pair = getattr(fa, name).value_and_derivative(x)
                assert same_bits(fa.softmax(rows), soft)
            for a, b in zip(pair, expected[name], strict=True):
                assert same_bits(a, b), name
        return True

    with ThreadPoolExecutor(6) as executor:
        found = [executor.submit(work, i) for i in range(6)]
        assert all(f.result(timeout=60) for f in found)


# ---- in processes of their own ----------------------------------------------
HEAD = """
import faulthandler, os, signal, sys, threading, time
faulthandler.dump_traceback_later(60, exit=True)
import numpy as np, fastact as fa
x = np.random.default_rng(1).normal(0, 3, 100_000).astype("f")
expected = fa.gelu(x)
def same():
    return fa.gelu(x).tobytes() == expected.tobytes()
def tasks():
    return len(os.listdir("/proc/self/task")) - 1  # without faulthandler's
def share(n):
    from fastact import _pool
    _pool.set_least(0)
    fa.set_num_threads(n)
"""


def run(body, **environment):
    """What ``body`` prints.  (NumPy's BLAS has threads of its own.)"""
    environment = {"OPENBLAS_NUM_THREADS": "1", **environment}
    result = python(HEAD + textwrap.dedent(body), **environment)
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


@pooled
@linux
def test_number_of_native_threads():
    """None by default; then one set of helpers, however many threads call."""
    assert run("""
        print(tasks()); same(); print(tasks())
        share(3)
        for _ in range(3): same()
        print(tasks())
        callers = [threading.Thread(target=same) for _ in range(8)]
        for t in callers: t.start()
        for t in callers: t.join()
        for _ in range(500):  # what was joined may take a moment to go
            if tasks() > 3: time.sleep(0.01)
        print(tasks())
        share(2); same(); print(tasks())
    """) == ["1", "1", "3", "3", "3"]


@pooled
@forks
def test_fork():
    """A child computes after threaded work, and so does its child."""
    assert run("""
        share(3)
        assert same()
        def child(depth):
            pid = os.fork()
            if pid:
                assert os.waitpid(pid, 0)[1] == 0
                return
            signal.alarm(30)
            ok = all(same() for _ in range(5))
            from fastact import _pool
            ok = ok and fa.get_num_threads() == 3
            if depth:
                child(depth - 1)
            os._exit(not ok)
        child(1)
        assert same()
        print("done")
    """) == ["done"]


@pooled
@forks
def test_fork_amid_work():
    """Forks while another thread of the parent has the pool."""
    assert run("""
        share(3)
        go = True
        def busy():
            while go: same()
        others = [threading.Thread(target=busy) for _ in range(2)]
        for t in others: t.start()
        for _ in range(30):
            pid = os.fork()
            if not pid:
                signal.alarm(30)
                os._exit(not (same() and same()))
            assert os.waitpid(pid, 0)[1] == 0
        go = False
        for t in others: t.join()
        print("done")
    """) == ["done"]


@pooled
@forks
def test_multiprocessing_fork():
    assert run("""
        import multiprocessing
        share(2)
        assert same()
        def child(_):
            return same()
        with multiprocessing.get_context("fork").Pool(2) as workers:
            print(all(workers.map(child, range(8))))
    """) == ["True"]


@pooled
def test_exit_with_helpers():
    """Helpers that sleep, and a daemon thread that is at work with them."""
    assert run("""
        share(4)
        same()
        def forever():
            while True: same()
        threading.Thread(target=forever, daemon=True).start()
        time.sleep(0.2)
        print("done")
    """) == ["done"]


@pooled
@linux
def test_signals_go_to_the_program():
    """A signal that all threads of the program block is not taken by a helper."""
    assert run("""
        share(2)
        same()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        os.kill(os.getpid(), signal.SIGTERM)
        same()
        print(signal.sigwait({signal.SIGTERM}).name)
    """) == ["SIGTERM"]


def test_joblib():
    """In its processes 'auto' is the share of the CPUs that joblib gives to each."""
    pytest.importorskip("joblib")
    assert run("""
        import joblib
        def child(i):
            import os, fastact as fa
            assert int(os.environ["OMP_NUM_THREADS"]) == 1
            return fa.get_num_threads()
        with joblib.parallel_config("loky", n_jobs=2, inner_max_num_threads=1):
            print(set(joblib.Parallel()(joblib.delayed(child)(i) for i in range(4))))
        fa.set_num_threads(2)
        values = joblib.Parallel(2, backend="threading")(
            joblib.delayed(same)() for i in range(20)
        )
        print(all(values))
    """, FASTACT_NUM_THREADS="auto") == ["{1}", "True"]


@pooled
@linux
def test_dask():
    """Its threads share one set of helpers."""
    pytest.importorskip("dask.array")
    assert run("""
        import dask, dask.array as da
        share(3)
        a = da.from_array(x, chunks=20_000)
        with dask.config.set(scheduler="threads", num_workers=4):
            before = tasks()
            for _ in range(5):
                values = fa.gelu(a).compute()
            print(values.tobytes() == expected.tobytes(), tasks() <= before + 4 + 2)
    """) == ["True", "True"]


def test_dask_processes():
    """In a worker process 'auto' is what dask says."""
    pytest.importorskip("distributed")
    assert run("""
        import logging
        from distributed import Client, LocalCluster
        def threads():
            import fastact as fa
            return fa.get_num_threads()
        if __name__ == "__main__":
            with LocalCluster(
                n_workers=1, threads_per_worker=2, dashboard_address=None,
                silence_logs=logging.CRITICAL,
            ) as cluster, Client(cluster) as client:
                print(client.submit(threads).result(timeout=50))
    """, FASTACT_NUM_THREADS="auto") == ["1"]


# ---- setting the number -----------------------------------------------------
def test_setting():
    assert fa.get_num_threads() == 1
    fa.set_num_threads(np.int64(3))
    assert fa.get_num_threads() == 3
    assert fa.get_config()["threads"] == "3"
    fa.set_num_threads("auto")
    assert fa.get_num_threads() == _threads.available() >= 1


def test_block():
    fa.set_num_threads(2)
    with fa.num_threads(5) as nothing:
        assert nothing is None
        assert fa.get_num_threads() == 5
        with contextlib.suppress(ZeroDivisionError), fa.num_threads(7):
            assert fa.get_num_threads() == 7
            raise ZeroDivisionError
        assert fa.get_num_threads() == 5
        fa.set_num_threads(3)  # for the process: after the block
        assert fa.get_num_threads() == 5
        with ThreadPoolExecutor(1) as other:
            assert other.submit(fa.get_num_threads).result() == 3
    assert fa.get_num_threads() == 3


@pytest.mark.parametrize("function", [fa.set_num_threads, fa.num_threads])
@pytest.mark.parametrize(
    ("value", "error"),
    [
        (0, ValueError), (-1, ValueError), (1025, ValueError), (10**30, ValueError),
        ("x", ValueError), ("2", ValueError), (1.5, TypeError), (2.0, TypeError),
        (True, TypeError), (np.True_, TypeError), (None, TypeError), ([2], TypeError),
    ],
)
def test_bad_numbers(function, value, error):
    with pytest.raises(error) as caught:
        function(value)
    assert str(caught.value) == (
        f"fastact.{function.__name__}: n must be an integer from 1 to 1024, or 'auto', "
        f"got {value!r}"
    )
    assert fa.get_num_threads() == 1


@pytest.mark.parametrize("backend", ["cython", "numpy"] if COMPILED else ["numpy"])
def test_environment(backend):
    show = "import fastact as fa; print(fa.get_num_threads())"
    show = functools.partial(python, show, FASTACT_BACKEND=backend)
    assert show().stdout == "1\n"
    assert show(FASTACT_NUM_THREADS="6").stdout == "6\n"
    auto = show(FASTACT_NUM_THREADS="auto").stdout
    assert auto == f"{_threads.available()}\n"
    for bad in ("0", "-2", "1.5", "many", "1025", " "):
        result = show(FASTACT_NUM_THREADS=bad)
        assert result.returncode
        assert result.stderr.splitlines()[-1] == (
            f"ImportError: FASTACT_NUM_THREADS={bad!r}: takes an integer from 1 to 1024, "
            "or 'auto'"
        )


def test_numpy_backend():
    """It keeps the number, and checks it."""
    assert run("""
        fa.set_num_threads(4)
        with fa.num_threads(2):
            print(fa.get_num_threads(), same())
        print(fa.get_num_threads())
        try: fa.set_num_threads(0)
        except ValueError: print("ValueError")
    """, FASTACT_BACKEND="numpy") == ["2", "True", "4", "ValueError"]


# ---- 'auto' -----------------------------------------------------------------
def test_auto_heeds_omp(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    cpus = _threads.available()
    for text, expected in (
        ("1", 1), (" 1,8", 1), ("100000", cpus), ("", cpus), ("0", cpus), ("x", cpus),
    ):
        monkeypatch.setenv("OMP_NUM_THREADS", text)
        assert _threads.available() == expected, text


@linux
def test_auto_heeds_affinity():
    assert run("""
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        fa.set_num_threads("auto")
        print(fa.get_num_threads())
    """) == ["1"]


GROUPS = {
    # what is in /proc/self/cgroup; files below /sys/fs/cgroup; CPUs
    "v2": ("0::/a/b\n", {"a/b/cpu.max": "150000 100000\n"}, 2),
    "v2, above": ("0::/a/b\n", {"a/cpu.max": "100000 100000", "a/b/cpu.max": "max 100000"}, 1),
    "v2, tightest": ("0::/a\n", {"cpu.max": "300000 100000", "a/cpu.max": "800000 100000"}, 3),
    "v2, in a container": ("0::/\n", {"cpu.max": "250000 50000\n"}, 5),
    "v2, path of the host": ("0::/../x/y\n", {"cpu.max": "200000 100000\n"}, 2),
    "v2, a tenth": ("0::/\n", {"cpu.max": "10000 100000\n"}, 1),
    "v2, no limit": ("0::/\n", {"cpu.max": "max 100000\n"}, None),
    "v2, no file": ("0::/a\n", {}, None),
    "v1": (
        "5:memory:/m\n4:cpu,cpuacct:/a\n0::/\n",
        {"cpu,cpuacct/a/cpu.cfs_quota_us": "310000\n",
         "cpu,cpuacct/a/cpu.cfs_period_us": "100000\n"},
        4,
    ),
    "v1, path of the host": (
        "4:cpu,cpuacct:/docker/0123\n",
        {"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"},
        1,
    ),
    "v1, no limit": (
        "1:cpu:/\n",
        {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"},
        None,
    ),
    "v1, not the controller": (
        "1:cpuset:/\n",
        {"cpuset/cpu.cfs_quota_us": "100000", "cpuset/cpu.cfs_period_us": "100000"},
        None,
    ),
    "hybrid": ("1:name=systemd:/\n0::/a\n", {"unified/a/cpu.max": "200000 100000"}, 2),
    "nothing": ("", {}, None),
    "nonsense": ("0::/\n", {"cpu.max": "a lot\n"}, None),
}


@pytest.mark.parametrize("name", GROUPS)
def test_quota(name, tmp_path, monkeypatch):
    groups, files, expected = GROUPS[name]
    files = {f"sys/fs/cgroup/{path}": text for path, text in files.items()}
    for path, text in {"proc/self/cgroup": groups, **files}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert _threads.quota(tmp_path) == expected
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if expected is not None:
        free = _threads.available(tmp_path / "without")
        assert _threads.available(tmp_path) == min(expected, free)


def test_no_quota_without_proc(tmp_path):
    assert _threads.quota(tmp_path) is None
