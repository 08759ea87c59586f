"""Activations as users name them, for pictures, experiments and the command line.

A *spec* is a name of ``fastact.ACTIVATIONS`` or an alias, with parameters after a
colon: ``tanh``, ``leaky_relu:negative_slope=0.2``, ``threshold:threshold=1,value=0``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import fastact

from . import _registry
from ._api import Activation
from ._registry import Row


class WrongArgument(ValueError):
    """What a caller gave does not fit; the command line exits with 2 for it."""

    def __init__(self, where: str, text: str) -> None:
        super().__init__(f"{where}: {text}")
        self.text = text


class Choice(NamedTuple):
    """An elementwise activation with its parameters."""

    label: str
    activation: Activation
    options: dict[str, Any]
    formula: str  #: the name of its row
    params: dict[str, float]  #: of that row

    @property
    def row(self) -> Row:
        return _registry.BY_NAME[self.formula]

    @property
    def title(self) -> str:
        """The label with all parameters."""
        return _registry.call(self.activation.__name__, {**self.params, **self.options})

    def value(self, x: np.ndarray, **keywords: Any) -> np.ndarray:
        return self.activation(x, **self.options, **keywords)

    def derivative(self, x: np.ndarray, **keywords: Any) -> np.ndarray:
        return self.activation.derivative(x, **self.options, **keywords)

    def value_and_derivative(
        self, x: np.ndarray, **keywords: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        return self.activation.value_and_derivative(x, **self.options, **keywords)

    def kinks(self) -> list[float]:
        """Where f or f' is not smooth, in order."""
        found = set()
        for at in re.findall(r"f'\((.+?)\)", self.row.kinks):
            sign, name = (-1, at[1:]) if at.startswith("-") else (1, at)
            found.add(sign * float(self.params.get(name, name)))
        return sorted(found)


def elementwise() -> list[str]:
    """The names of the activations that are functions of one number."""
    return [n for n, a in fastact.ACTIVATIONS.items() if isinstance(a, Activation)]


def choose(where: str, spec: str | Activation, **options: Any) -> Choice:
    """What ``spec`` names.

    Parameters
    ----------
    where : str
        Who asks, for error messages.
    spec : str or activation
        A name, with parameters after a colon; or an object of ``fastact``.
    **options
        More parameters.

    Raises
    ------
    ValueError
        For an unknown name (with the closest ones), one that is not a function of
        one number, and parameters that the activation does not take.
    TypeError
        For anything that is not a name or an activation.
    """
    if isinstance(spec, str):
        name, _, rest = spec.partition(":")
        options = {**_parse(where, spec, rest), **options}
        activation = lookup(where, name)
    else:
        activation = spec
    name = getattr(activation, "__name__", None)
    if name is None or fastact.ACTIVATIONS.get(name) is not activation:
        raise TypeError(
            f"{where}: takes the name of an activation or the object, got {spec!r}"
        )
    if not isinstance(activation, Activation):
        raise WrongArgument(
            where,
            f"{name} is not a function of one number; takes one of "
            f"{', '.join(elementwise())}",
        )
    for option in options:
        if option not in activation.defaults:
            takes = ", ".join(activation.defaults) or "none"
            raise WrongArgument(
                where, f"{name} has no parameter {option!r}; its parameters: {takes}"
            )
    try:
        row, values = activation._resolve(f"fastact.{name}", options)
    except (TypeError, ValueError) as error:
        raise WrongArgument(where, str(error)) from None
    if any(map(np.ndim, values)):
        raise WrongArgument(where, f"takes numbers as parameters, got {options!r}")
    params = dict(zip([p.name for p in row.params], values, strict=True))
    return Choice(
        _registry.call(name, options), activation, options, row.name, params
    )


def with_samples(name: str) -> Choice:
    """``name`` with its defaults; a parameter that has none as in the registry's sample."""
    defaults = fastact.ACTIVATIONS[name].defaults
    required = [n for n, d in defaults.items() if d is _registry.REQUIRED]
    row = _registry.BY_NAME[name]
    return choose(name, name, **{n: row.samples[0][n] for n in required})


def of_row(row: Row) -> Choice:
    """A row as its public name gives it, with the parameters of `with_samples`."""
    for variant in _registry.VARIANTS:
        for option, name in variant.choices.items():
            if name == row.name and row.name in _registry.INTERNAL:
                if option is None:  # any number that is not a choice of its own
                    numbers = [v for s in row.samples for v in s.values()]
                    option = next(v for v in numbers if v not in variant.choices)
                return choose(row.name, variant.name, **{variant.option: option})
    return with_samples(row.name)


def lookup(where: str, name: str) -> Any:
    """The activation of that name or alias, whatever its kind."""
    names = [*fastact.ACTIVATIONS, *_registry.ALIASES]
    if name in names:
        return getattr(fastact, name)
    import difflib

    close = difflib.get_close_matches(name, names, n=3)
    hint = f"; did you mean {' or '.join(close)}?" if close else (
        f"; takes one of {', '.join(names)}"
    )
    raise WrongArgument(where, f"no activation is called {name!r}{hint}")


def _parse(where: str, spec: str, text: str) -> dict[str, Any]:
    """``a=1,b=tanh`` as a dict; numbers become floats."""
    options: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        name, equals, value = part.partition("=")
        if not (name and equals and value):
            raise WrongArgument(where, f"takes NAME:PARAMETER=VALUE,..., got {spec!r}")
        try:
            options[name] = float(value)
        except ValueError:
            options[name] = value
    return options


def number(low: float, kind: type) -> Callable[[str], Any]:
    """What argparse makes an argument that is a number from ``low`` on with."""

    def parse(text: str) -> Any:
        value = kind(text)
        if not value >= low or value == np.inf:
            raise ValueError
        return value

    parse.__name__ = f"number (from {low:g})"  # what argparse says it takes
    return parse
