"""The public API as text: modules, names, forms and signatures, one a line.

``python tests/api.py --write`` writes it to tests/api.txt, where test_api.py wants it:
a change of the API is a change of that file, and shows in review.  It needs the
compiled backend and every optional package.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import pkgutil
import sys
from pathlib import Path

import numpy as np

import fastact
from fastact import _registry

FROZEN = Path(__file__).with_name("api.txt")


def modules() -> list[str]:
    found = [m.name for m in pkgutil.iter_modules(fastact.__path__) if m.name[0] != "_"]
    return ["fastact", *(f"fastact.{name}" for name in sorted(found))]


def signature(function) -> str:
    """The signature without annotations: those are in the stubs."""
    found = inspect.signature(function)
    bare = [p.replace(annotation=p.empty) for p in found.parameters.values()]
    return str(found.replace(parameters=bare, return_annotation=found.empty))


def methods(name: str, value) -> list[str]:
    """The forms of an activation; the public methods of a class."""
    if name in fastact.ACTIVATIONS:
        return [form for form in _registry.FORMS[1:] if hasattr(value, form)]
    if inspect.isclass(value):
        return [n for n, m in vars(value).items() if n[0] != "_" and callable(m)]
    return []


def names(module) -> list[str]:
    if hasattr(module, "__all__"):
        return sorted(module.__all__)
    own = inspect.getmembers(module, lambda v: getattr(v, "__module__", "") == module.__name__)
    return [name for name, _ in own if name[0] != "_"]


def describe(title: str) -> str:
    """The API of one module."""
    module = importlib.import_module(title)
    lines = [title]
    for name in names(module):
        value = getattr(module, name)
        if isinstance(value, np.ufunc):
            lines.append(f"{name}: {value.nin} -> {value.nout}")
        elif callable(value):
            lines.append(f"{name}{signature(value)}")
        else:
            lines.append(f"{name}: {type(value).__name__}")
        lines += [f"{name}.{m}{signature(getattr(value, m))}" for m in methods(name, value)]
    return "\n  ".join(lines) + "\n"


def frozen() -> dict[str, str]:
    """Module -> its API in tests/api.txt."""
    sections = FROZEN.read_text(encoding="utf-8").split("\n\n")
    return {text.split("\n")[0]: text.rstrip("\n") + "\n" for text in sections}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--write", action="store_true", help=f"write {FROZEN.name}")
    text = "\n".join(map(describe, modules()))
    if parser.parse_args().write:
        FROZEN.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
