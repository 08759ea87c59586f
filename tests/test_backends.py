"""Backends and instruction sets: choosing one, and that they agree."""

import os

import numpy as np
import pytest
import reference
from cases import (
    CASE_IDS,
    CASES,
    COMPILED,
    DTYPES,
    KERNELS,
    kernel_params,
    python,
    rounded,
    ufunc,
)

from fastact import _numpy_backend


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("row", "params"), CASES, ids=CASE_IDS)
def test_numpy_backend_agrees(row, params, dtype):
    """Two texts of each formula, one result (to the bounds of both)."""
    x = reference.points(dtype, dense=200)
    params = rounded(params, dtype)
    ours = ufunc(row.name + "_vd")(x, *params.values())
    other = _numpy_backend.ufunc(row.name + "_vd")(x, *params.values())
    for i, (a, b) in enumerate(zip(ours, other, strict=True)):
        with np.errstate(all="ignore"):
            spacing = np.spacing(np.maximum(np.abs(a), np.finfo(dtype).tiny))
            error = np.abs(a.astype("d") - b)
            same = (a == b) | (error <= 8 * spacing)
        if i == 1:  # roots of derivatives: see test_accuracy.py
            same |= error <= 4 * np.finfo(dtype).eps
        assert same.all(), (x[~same][:3], a[~same][:3], b[~same][:3])
        zero = (a == 0) & (b == 0)
        assert (np.signbit(a[zero]) == np.signbit(b[zero])).all()


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.public)
def test_numpy_backend_edges(kernel):
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 3.0, -3.0, 6.0])
    arrays = [x if n != "g" else np.ones_like(x) for n in kernel.inputs]
    if kernel.kind == "from_output":
        arrays[1] = np.array([0.0, 0.25, 0.5, 1.0, np.nan, 0.75, 0.125, 0, 1, 0.9])
    p = kernel_params(kernel, np.float64)
    ours = ufunc(kernel.public)(*arrays, *p)
    other = _numpy_backend.ufunc(kernel.public)(*arrays, *p)
    np.testing.assert_allclose(ours, other, rtol=1e-14, atol=1e-300)


@pytest.mark.skipif(not COMPILED, reason="one instruction set only")
def test_isa_variants_agree(tmp_path):
    """Every kernel on every variant that this CPU runs, within the bounds."""
    code = """if True:
        import sys
        sys.path.insert(0, {path!r})
        import numpy as np
        from cases import KERNELS, DTYPES, inputs_of, kernel_params, ufunc
        import fastact
        assert fastact.get_config()["isa"] == {isa!r}
        found = {{}}
        for k in KERNELS:
            for t in DTYPES:
                r = ufunc(k.public)(*inputs_of(k, 3000, t), *kernel_params(k, t))
                for i, a in enumerate(r if isinstance(r, tuple) else (r,)):
                    found[f"{{k.public}}-{{t.__name__}}-{{i}}"] = a
        np.savez({target!r}, **found)
    """
    results = {}
    for isa in ("base", "v3", "v4"):
        target = str(tmp_path / f"{isa}.npz")
        run = python(
            code.format(path=os.path.dirname(__file__), isa=isa, target=target),
            FASTACT_ISA=isa,
        )
        if run.returncode and "can run" in run.stderr:
            continue
        assert run.returncode == 0, run.stderr
        results[isa] = np.load(target)
    assert "base" in results
    for isa, arrays in results.items():
        for name in arrays.files:
            a, b = results["base"][name], arrays[name]
            with np.errstate(all="ignore"):
                spacing = np.spacing(np.maximum(np.abs(a), np.finfo(a.dtype).tiny))
                same = (a == b) | (np.isnan(a) & np.isnan(b))
                same |= np.abs(a - b) / spacing <= 8
                # roots of derivatives, times g: see test_accuracy.py
                same |= np.abs(a - b) <= 64 * np.finfo(a.dtype).eps
            assert same.all(), (isa, name)


def test_choosing():
    show = "import fastact; print(fastact.get_config()['backend'])"
    assert python(show, FASTACT_BACKEND="numpy").stdout == "numpy\n"
    run = python(show, FASTACT_BACKEND="fortran")
    assert run.returncode and "FASTACT_BACKEND='fortran'" in run.stderr
    if COMPILED:
        assert python(show).stdout == "cython\n"
        run = python(show, FASTACT_ISA="v9")
        assert run.returncode and "FASTACT_ISA='v9'" in run.stderr
    else:
        run = python(show, FASTACT_BACKEND="cython")
        assert run.returncode == 0 or "is not installed" in run.stderr


def test_absent_extension_warns_once(tmp_path):
    """A tree without the extension: NumPy backend, one warning, or an error."""
    import shutil
    from pathlib import Path

    import fastact

    source = Path(fastact.__file__).parent
    target = tmp_path / "fastact"
    target.mkdir()
    for path in source.glob("*.py"):
        shutil.copy(path, target)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import fastact as fa; "
    run = python(code + "print(fa.sigmoid(0.0), fa.get_config()['backend'])")
    assert run.stdout == "0.5 numpy\n", run.stderr
    assert run.stderr.count("RuntimeWarning") == 1
    run = python(code + "import fastact", FASTACT_BACKEND="cython")
    assert run.returncode and "is not installed" in run.stderr
    assert not python(code, FASTACT_BACKEND="numpy").stderr
    for how in ("import fastact.kernels", "from fastact import kernels"):
        run = python(code + how, FASTACT_BACKEND="numpy")
        assert run.returncode and "FASTACT_BUILD=required" in run.stderr, how


def test_show_config(capsys):
    import fastact

    fastact.show_config()
    shown = capsys.readouterr().out
    for key, value in fastact.get_config().items():
        assert key in shown and value in shown


def test_import_is_lean():
    """Optional packages stay out of a plain import."""
    code = (
        "import sys, numpy; before = set(sys.modules); import fastact; "
        "print(*{m.split('.')[0] for m in set(sys.modules) - before})"
    )
    new = set(python(code).stdout.split())
    assert not new & {"mpmath", "matplotlib", "scipy", "torch", "Cython", "setuptools"}
