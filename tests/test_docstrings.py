"""The docstrings of the public objects: in numpydoc form, with examples that run."""

import doctest
import importlib
import inspect

import pytest
from api import modules, names
from cases import COMPILED

import fastact as fa
from fastact import _registry

ACTIVATIONS = sorted(fa.ACTIVATIONS)
FUNCTIONS = [n for n in fa.__all__ if n not in fa.ACTIVATIONS and callable(getattr(fa, n))]
# (kernels and ufuncs, hundreds of each, say what they are in one paragraph)
for module in set(modules()) - {"fastact", "fastact.kernels", "fastact.ufuncs"}:
    try:
        found = importlib.import_module(module)
    except ImportError:  # an optional package is missing
        continue
    FUNCTIONS += [
        f"{module.removeprefix('fastact.')}.{name}"
        for name in names(found)
        if inspect.isfunction(getattr(found, name))
    ]
FORMS = [
    f"{name}.{form}"
    for name in ACTIVATIONS
    for form in _registry.FORMS[1:]
    if hasattr(getattr(fa, name), form)
]

#: what numpydoc asks for and is left out on purpose
EXCEPTIONS = {
    "ES01": "a summary says it; an extended one would say it again",
    "SA01": "the forms of an activation are its methods, each named in its page",
    "PR04": "a parameter 'as for' another function has its type there",
    "RT03": "the summary says what comes back; its type stands there",
    "EX01": "the example of an activation shows its forms; get_config has nothing to show",
}


@pytest.mark.skipif(not COMPILED, reason="signatures are those of the compiled backend")
@pytest.mark.parametrize("name", sorted([*ACTIVATIONS, *FORMS, *FUNCTIONS]))
def test_numpydoc(name):
    validate = pytest.importorskip("numpydoc.validate").validate
    errors = validate(f"fastact.{name}")["errors"]
    assert [e for e in errors if e[0] not in EXCEPTIONS] == []


def run_examples(text, name):
    test = doctest.DocTestParser().get_doctest(text, {}, name, None, 0)
    assert test.examples
    said = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=said.append)
    assert not said, "".join(said)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_examples(name):
    run_examples(getattr(fa, name).__doc__, name)


@pytest.mark.parametrize(("name", "needs"), [
    ("fastact", "numpy"), ("fastact.experiment", "numpy"), ("fastact.plotting", "matplotlib"),
    ("fastact.sklearn", "sklearn"), ("fastact.torch", "torch"),
])
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_module_examples(name, needs):
    pytest.importorskip(needs)
    run_examples(importlib.import_module(name).__doc__, name)
