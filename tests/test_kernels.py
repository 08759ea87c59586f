"""fastact.kernels: buffers of any owner, from Python and from Cython."""

import ctypes
import inspect
import mmap
import subprocess
import sys
import threading
import time
from array import array
from pathlib import Path

import numpy as np
import pytest
from cases import COMPILED, KERNELS, inputs_of, params_of, same_bits, ufunc

pytestmark = pytest.mark.skipif(not COMPILED, reason="fastact.kernels is compiled")

TYPES = {"f32": np.float32, "f64": np.float64}


@pytest.mark.parametrize("suffix", TYPES)
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.public)
def test_kernel_is_the_ufunc(kernel, suffix):
    from fastact import kernels

    dtype = TYPES[suffix]
    function = getattr(kernels, f"{kernel.public}_{suffix}")
    params = params_of(kernel.row) if kernel.params else {}
    names = [*kernel.inputs, *kernel.outputs, *params]
    assert list(inspect.signature(function).parameters) == names
    for n in (0, 1, 17, 3000):
        arrays = inputs_of(kernel, n, dtype)
        outs = [np.zeros(n, dtype) for _ in kernel.outputs]
        assert function(*arrays, *outs, **params) is None
        expected = ufunc(kernel.public)(*arrays, *[dtype(v) for v in params.values()])
        expected = expected if isinstance(expected, tuple) else (expected,)
        for got, want in zip(outs, expected, strict=True):
            assert same_bits(got, want)
        # from and into any address, and the first output over each input
        raw = [np.empty(n * a.itemsize + 3, np.uint8) for a in (*arrays, *outs)]
        odd = [r[3:].view(dtype) for r in raw]
        for a, b in zip(odd, arrays, strict=False):
            a[...] = b
        function(*odd, **params)
        for got, want in zip(odd[len(arrays) :], expected, strict=True):
            assert same_bits(got, want)
        for i in range(len(arrays)):
            inputs = [a.copy() for a in arrays]
            function(*inputs, inputs[i], *outs[1:], **params)
            assert same_bits(inputs[i], expected[0])


def c_function(name, result, *arguments):
    """A C function of fastact.kernels, and the signature that it is exported with."""
    from fastact import kernels

    capsule, api = kernels.__pyx_capi__[name], ctypes.pythonapi
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    api.PyCapsule_GetName.restype = ctypes.c_char_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    signature = api.PyCapsule_GetName(capsule)
    address = api.PyCapsule_GetPointer(capsule, signature)
    return ctypes.CFUNCTYPE(result, *arguments)(address), signature.decode()


@pytest.mark.parametrize("suffix", TYPES)
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.public)
def test_c_functions_are_the_ufunc(kernel, suffix):
    dtype, public = TYPES[suffix], kernel.public
    number = {"f32": ctypes.c_float, "f64": ctypes.c_double}[suffix]
    name = number.__name__.removeprefix("c_")
    params = list(params_of(kernel.row).values()) if kernel.params else []
    doubles = [ctypes.c_double] * len(params)
    function, signature = c_function(
        f"{public}_{suffix}_ptr", None, *[ctypes.c_void_p] * len(kernel.operands),
        ctypes.c_ssize_t, *doubles,
    )
    assert signature == "void ({})".format(", ".join(
        [f"{name} const *"] * len(kernel.inputs) + [f"{name} *"] * len(kernel.outputs)
        + ["Py_ssize_t"] + ["double"] * len(params)
    ))
    for n in (0, 1, 17, 3000):
        arrays = inputs_of(kernel, n, dtype)
        outs = [np.zeros(n + 1, dtype) for _ in kernel.outputs]
        function(*[a.ctypes.data for a in (*arrays, *outs)], n, *params)
        expected = ufunc(public)(*arrays, *[dtype(v) for v in params])
        expected = expected if isinstance(expected, tuple) else (expected,)
        for got, want in zip(outs, expected, strict=True):
            assert same_bits(got[:n], want) and got[n] == 0
    if len(kernel.outputs) > 1 or kernel.form not in ("value", "derivative"):
        return
    scalar, signature = c_function(
        f"{public}_{suffix}_scalar", number, *[number] * len(kernel.inputs), *doubles
    )
    arguments = [name] * len(kernel.inputs) + ["double"] * len(params)
    assert signature == f"{name} ({', '.join(arguments)})"
    for i in range(50):
        got = scalar(*[a[i] for a in arrays], *params)
        assert same_bits(dtype(got), expected[0][i])


def test_any_buffer():
    from fastact import kernels

    x = np.linspace(-2, 2, 9, dtype=np.float32)
    want = ufunc("sigmoid")(x)
    out = array("f", [0] * 9)
    kernels.sigmoid_f32(array("f", x), out)
    assert same_bits(np.array(out), want)
    with mmap.mmap(-1, 4096) as shared:
        view = memoryview(shared)[:36].cast("f")
        kernels.sigmoid_f32(x, view)
        assert same_bits(np.array(view), want)
        view.release()
    out = (ctypes.c_float * 9)()
    kernels.sigmoid_f32(memoryview(x.tobytes()).cast("f"), out)
    assert same_bits(np.array(out), want)
    y = x.copy()
    kernels.sigmoid_f32(y, y)
    assert same_bits(y, want)


def test_the_gil_is_released():
    """A Python thread makes progress while one kernel call runs."""
    from fastact import kernels

    x = np.ones(1 << 24)
    count, stop = 0, threading.Event()

    def tick():
        nonlocal count
        while not stop.is_set():
            count += 1
            time.sleep(1e-4)  # lets go of the GIL

    interval = sys.getswitchinterval()
    sys.setswitchinterval(10)  # nobody is made to let go of the GIL
    thread = threading.Thread(target=tick)
    try:
        thread.start()
        sys.setswitchinterval(1e-4)
        before = count
        sys.setswitchinterval(10)
        kernels.mish_f64(x, x)
        after = count
    finally:
        sys.setswitchinterval(1e-4)
        stop.set()
        thread.join()
        sys.setswitchinterval(interval)
    assert after > before


def test_from_several_threads():
    from fastact import kernels

    x = np.linspace(-9, 9, 100_000)
    want = ufunc("mish")(x)
    outs = [np.empty_like(x) for _ in range(4)]

    def work(out):
        for _ in range(20):
            kernels.mish_f64(x, out)

    threads = [threading.Thread(target=work, args=(out,)) for out in outs]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert all(same_bits(out, want) for out in outs)


EXAMPLE = Path(__file__).parent / "cimport_example.pyx"


def test_cimport(tmp_path):
    """The example of the README compiles against the installed package."""
    source = tmp_path / "cimport_example.pyx"
    source.write_text(EXAMPLE.read_text())
    (tmp_path / "setup.py").write_text(
        "from setuptools import setup\n"
        "from Cython.Build import cythonize\n"
        "setup(ext_modules=cythonize('cimport_example.pyx', language_level=3))\n"
    )
    build = subprocess.run(
        [sys.executable, "setup.py", "build_ext", "--inplace"],
        cwd=tmp_path, capture_output=True, text=True,
    )
    assert build.returncode == 0, build.stdout + build.stderr
    code = (
        "import numpy as np, cimport_example as e\n"
        "x = np.linspace(-2, 2, 9); y = np.empty(9); d = np.empty(9)\n"
        "print(e.step(x, y, d), e.refuses(x, y[:3]))\n"
        "print(y.tobytes().hex())\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    first, hexes = run.stdout.split("\n")[:2]
    x = np.linspace(-2, 2, 9)
    f, d = ufunc("leaky_relu_vd")(x, 0.25)
    assert hexes == f.tobytes().hex()
    total, refused = first.split()
    assert float(total) == d.sum() and refused == "True"
