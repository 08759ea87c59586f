"""An optional package that is missing is named, with what to install."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("package", ["sklearn", "torch"])
def test_missing(package):
    code = (
        f"import sys; sys.modules[{package!r}] = None  # as if it were not installed\n"
        f"import fastact.{package}\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 1
    said = f"ImportError: {package} is not installed: pip install 'fastact[{package}]'"
    assert run.stderr.splitlines()[-1] == said


def test_nothing_is_imported_before_it_is_used():
    code = (
        "import sys, numpy as np, fastact as fa\n"
        "fa.softmax([1.0, 2.0]), fa.glu([1.0, 2.0]), fa.gelu.value_and_derivative(1.0)\n"
        "found = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(found & {'dask', 'jax', 'ml_dtypes', 'numba', 'pandas', 'scipy', "
        "'sklearn', 'torch', 'xarray'}))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout == "[]\n", run.stderr
