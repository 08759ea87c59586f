"""The docstrings of the public objects, in numpydoc form, from the registry."""

from __future__ import annotations

import inspect

from ._registry import CHECKS, AxisRow, Gate, Row, Variant

INPUT = "Numbers: float16, float32, float64, integers or bool, of any shape."
OUT = ("out", "ndarray, optional", "Where to write the result; may be an input.")
KEYWORDS = (
    ("where", "array_like of bool, optional", "As for any NumPy ufunc."),
    ("dtype", "dtype, optional", "That of the result, float16, float32 or float64."),
)
MORE_KEYWORDS = "``casting``, ``order`` and ``subok`` are those of a NumPy ufunc."

#: (name, type, text) of every array that a form of an activation takes or gives
OPERANDS = {
    "x": ("x", "array_like", INPUT),
    "g": ("g", "array_like", "The gradient of the output; broadcasts against the rest."),
    "y": ("y", "array_like", "The output f(x)."),
    "f": ("y", "ndarray or scalar", "The value f(x)."),
    "d": ("dy", "ndarray or scalar", "The derivative f'(x)."),
    "gx": ("gx", "ndarray or scalar", "The gradient to x."),
}
#: the same of gates
GATE_OPERANDS = {
    "g": ("g", "array_like", "The gradient of the output."),
    "x": ("x", "array_like", "One array to split, or the value."),
    "gate": ("gate", "array_like, optional", "The gate, if ``x`` is the value."),
    "axis": ("axis", "int", "Along what one array splits."),
    "kwargs": ("**kwargs", "", "As for the value."),
    "f": ("y", "ndarray or scalar", "The value, half as long as one array."),
    "d": (
        "d", "ndarray, or tuple of two",
        "The partial derivatives: one array like ``x``, or one for the value and one "
        "for the gate.",
    ),
    "gx": (
        "gx", "ndarray, or tuple of two",
        "One array like ``x``, or one for the value and one for the gate.",
    ),
}
#: the same of functions along an axis
AXIS_OPERANDS = {
    "g": ("g", "array_like", "The gradient of the output."),
    "x": OPERANDS["x"],
    "y": ("y", "array_like", "The output."),
    "axis": ("axis", "int, tuple of int or None", "Along what; None: the whole array."),
    "out": ("out", "ndarray, optional", "Where to write the result."),
    "dtype": KEYWORDS[1],
    "keepdims": ("keepdims", "bool", "Whether the axis stays, with length 1."),
    "f": ("y", "ndarray or scalar", "The result."),
    "gx": ("gx", "ndarray or scalar", "The gradient to x, in its shape."),
}
FORM_RETURNS = {
    "value": ("f",),
    "derivative": ("d",),
    "value_and_derivative": ("f", "d"),
    "backward": ("gx",),
    "backward_from_output": ("gx",),
}
FORM_SUMMARIES = {
    "derivative": "The derivative f'(x) of {name}.",
    "value_and_derivative": "The value and the derivative of {name}, in one pass over x.",
    "backward": "The gradient g f'(x) of {name}, for the gradient g of the output.",
    "backward_from_output": "The gradient g f'(x) of {name}, from the output y = f(x).",
}


def lines_of(parts) -> list[str]:
    lines = []
    for name, kind, text in parts:
        lines += [f"{name} : {kind}" if kind else name, f"    {text}"]
    return lines


def section(title: str, lines) -> list[str]:
    return ["", title, "-" * len(title), *lines] if lines else []


def join(summary: str, *sections: list[str]) -> str:
    return "\n".join([summary, *[line for s in sections for line in s], ""])


def parameters(row: Row, variant: Variant | None) -> list[tuple]:
    """(name, type, text) of what goes by keyword."""
    if variant:
        takes = "float or array_like"
        if None not in variant.choices:
            takes = "{" + ", ".join(map(repr, variant.choices)) + "}"
        about = f"{variant.about[0].upper()}{variant.about[1:]}."
        return [(variant.option, f"{takes}, default {variant.default!r}", about)]
    found = []
    for p in row.params:
        default = "" if p.default is None else f", default {p.default}"
        about = f"{p.about[0].upper()}{p.about[1:]}; {CHECKS[p.check][0]}."
        found.append((p.name, f"float or array_like{default}", about))
    return found


def example(row: Row, name: str) -> list[str]:
    """Lines that hold for every elementwise activation."""
    given = "".join(f", {k}={v}" for k, v in row.samples[0].items()) if any(
        p.default is None for p in row.params
    ) else ""
    return [
        ">>> import numpy as np, fastact as fa",
        ">>> x = np.array([-2.0, 0.1, 3.0])",
        f">>> y, dy = fa.{name}.value_and_derivative(x{given})",
        f">>> bool(np.all(y == fa.{name}(x{given})))",
        "True",
        f">>> np.allclose(fa.{name}.backward(y, x{given}), y * dy)",
        "True",
    ]


def elementwise(row: Row, variant: Variant | None) -> str:
    return join(
        f"The activation f(x) = {row.formula}.",
        section(
            "Parameters",
            lines_of([OPERANDS["x"], OUT, *KEYWORDS, *parameters(row, variant)]),
        ),
        section("Returns", lines_of([OPERANDS["f"]])),
        section("Raises", [
            "TypeError, ValueError",
            "    For what is no array of real numbers, an unfit out or parameter.",
        ]),
        section("Notes", [
            f"f'(x) = {row.derivative}.", "",
            f"Kinks: {row.kinks}.  Limits: {row.limits}.  NaN gives NaN.", "",
            f"Source: {row.source}.  {MORE_KEYWORDS}",
        ]),
        section("Examples", example(row, row.name)),
    )


def form(row: Row, variant: Variant | None, name: str, inputs: tuple) -> str:
    """The docstring of a form other than the value."""
    returns = [OPERANDS[r] for r in FORM_RETURNS[name]]
    out = OUT if len(returns) == 1 else ("out", "tuple of ndarray, optional", OUT[2])
    return join(
        FORM_SUMMARIES[name].format(name=row.name),
        section("Parameters", lines_of(
            [*(OPERANDS[i] for i in inputs), out, *KEYWORDS, *parameters(row, variant)]
        )),
        section("Returns", lines_of(returns)),
        section("Notes", [MORE_KEYWORDS]),
    )


def method(operands: dict[str, tuple], *returns: str):
    """Complete the docstring of a form: its parameters, by their names, and returns."""
    def complete(function):
        names, _, more = inspect.getargs(function.__code__)  # (a signature takes long)
        names = names[1:] + [more] * bool(more)
        function.__doc__ = join(
            function.__doc__ or "",
            section("Parameters", lines_of([operands[n] for n in names])),
            section("Returns", lines_of([operands[r] for r in returns])),
        )
        return function
    return complete


def gated_unit(gate: Gate) -> str:
    more = "".join(f"``{k}`` (default {v!r}), " for k, v in gate.options.items())
    return join(
        f"The gated unit {gate.formula}.",
        ["", "One array splits along ``axis``: the first half is the value, the second",
         "half the gate.  Or value and gate are two arrays, and ``axis`` means nothing."],
        section("Parameters", lines_of([
            *(GATE_OPERANDS[n] for n in ("x", "gate", "axis")),
            ("**kwargs", "", f"{more}``out`` and other keywords of a NumPy ufunc."),
        ])),
        section("Returns", lines_of([GATE_OPERANDS["f"]])),
        section("Notes", [f"Source: {gate.source}."]),
        section("Examples", [
            ">>> import numpy as np, fastact as fa",
            ">>> x = np.array([1.0, 2.0, 0.5, -1.0])",
            f">>> np.allclose(fa.{gate.name}(x), fa.{gate.name}(x[:2], x[2:]))",
            "True",
        ]),
    )


def along_axis(row: AxisRow) -> str:
    names = ["x", "axis", "out", "dtype", *["keepdims"] * row.reduces]
    return join(
        f"Along an axis, {'y' if row.reduces else 'y_i'} = {row.formula}.",
        section("Parameters", lines_of([AXIS_OPERANDS[n] for n in names])),
        section("Returns", lines_of([
            ("y", "ndarray or scalar",
             "One number for each slice." if row.reduces else "Shaped like x."),
        ])),
        section("Notes", [
            f"The gradient to x_i is {row.backward}, where g is that of the output.", "",
            f"Source: {row.source}.",
        ]),
        section("Examples", [
            ">>> import numpy as np, fastact as fa",
            ">>> x = np.array([[1.0, 2.0], [3.0, 3.0]])",
            f">>> np.allclose(fa.{row.name}(x)[1], fa.{row.name}(x[1]))",
            "True",
        ]),
    )
