"""The rendered stubs say what is there."""

import ast
import inspect
from pathlib import Path

import pytest
from cases import COMPILED, KERNELS

import fastact

PACKAGE = Path(fastact.__file__).parent


def stub(name):
    path = PACKAGE / f"{name}.pyi"
    if not path.exists():
        pytest.skip(f"{name}.pyi is rendered by setup.py")
    return ast.parse(path.read_text()).body


@pytest.mark.skipif(not COMPILED, reason="fastact.kernels is compiled")
def test_kernels():
    from fastact import kernels

    found = {n.name: n.args for n in stub("kernels") if isinstance(n, ast.FunctionDef)}
    found.pop("_activation_kernel")
    assert sorted(found) == sorted(kernels.__all__)
    for name, args in found.items():
        parameters = inspect.signature(getattr(kernels, name)).parameters.values()
        assert [a.arg for a in args.args] == [p.name for p in parameters], name
        defaults = [p.default for p in parameters if p.default is not p.empty]
        assert [ast.literal_eval(d) for d in args.defaults] == defaults, name


def test_ufuncs():
    found = [n.target.id for n in stub("ufuncs") if isinstance(n, ast.AnnAssign)]
    assert found == [k.public for k in KERNELS]
