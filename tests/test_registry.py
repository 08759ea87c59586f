"""Every row has all its parts: what is missing fails by its name."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest
from cases import COMPILED, ELEMENTWISE, KERNELS, ROWS, all_params

import fastact as fa
from fastact import _numpy_backend, _registry, ufuncs

PUBLIC = [r.name for r in ROWS if r.name not in _registry.INTERNAL] + [
    _registry.PRELU,
    *[g.name for g in _registry.GATES],
    *[a.name for a in _registry.AXIS_ROWS],
]


def test_activations_are_the_registry():
    assert sorted(fa.ACTIVATIONS) == sorted(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name(name):
    activation = getattr(fa, name)
    assert fa.ACTIVATIONS[name] is activation
    assert activation.__name__ == name and name in repr(activation)
    assert name in fa.__all__ and name in dir(fa)
    assert len(activation.__doc__) > 100
    if hasattr(activation, "derivative"):
        x = np.linspace(0.25, 2, 4)
        flat = getattr(fa, name + "_d")
        args = (x, np.full(4, 0.1)) if name == "prelu" else (x,)
        kw = _registry.BY_NAME[name].samples[0] if name == "threshold" else {}
        np.testing.assert_array_equal(
            flat(*args, **kw), activation.derivative(*args, **kw)
        )
        assert name + "_d" in fa.__all__


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.public)
def test_kernel_has_all_its_parts(kernel):
    suffix = "_from_output" if kernel.kind == "from_output" else ""
    assert callable(getattr(_numpy_backend, kernel.row.name + suffix))
    u = getattr(ufuncs, kernel.public)
    assert u.__name__ == kernel.public
    assert u.nin == len(kernel.inputs) + len(kernel.params)
    assert u.nout == len(kernel.outputs)
    if COMPILED:
        from fastact import kernels

        assert isinstance(u, np.ufunc)
        assert [t[-1] for t in u.types] == ["e", "f", "d"]
        for suffix in _registry.DTYPES:
            assert callable(getattr(kernels, f"{kernel.public}_{suffix}"))


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.name)
def test_row_is_complete(row):
    for field in ("formula", "derivative", "kinks", "limits", "source"):
        assert getattr(row, field), field
    for params in all_params(row):
        assert list(params) == [p.name for p in row.params]
        for param in row.params:
            assert _registry.check_number("", param, params[param.name]) is not None
    if any(p.default is None for p in row.params):
        assert row.samples, "a row with a required parameter needs a sample"
    names = set(re.findall(r"[a-zA-Z_]\w*", row.formula + row.derivative))
    assert {p.name for p in row.params} <= names | {"value"}


def test_every_elementwise_form_is_there():
    forms = {(k.row.name, k.form) for k in ELEMENTWISE}
    for row in ROWS:
        for form in ("value", "derivative", "value_and_derivative", "backward"):
            assert (row.name, form) in forms


@pytest.mark.parametrize("name", [r.name for r in ROWS if r.name in fa.ACTIVATIONS])
def test_signature_names_the_parameters(name):
    signature = inspect.signature(getattr(fa, name))
    for param in _registry.BY_NAME[name].params:
        assert param.name in signature.parameters
    assert {"x", "out", "where", "dtype"} <= set(signature.parameters)


def test_version_is_that_of_the_metadata():
    from importlib.metadata import version

    assert fa.__version__ == version("fastact")


def test_readme_has_every_activation():
    readme = Path(__file__).parent.parent / "README.md"
    if not readme.exists():
        pytest.skip("the tests run without the checkout")
    text = readme.read_text()
    for name in PUBLIC:
        assert f"`{name}" in text, name
