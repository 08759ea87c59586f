"""Writes a page for each activation, and their index, from the registry.

They go to docs/activations, which is not in the repository, before Sphinx reads the
pages.
"""

from __future__ import annotations

from pathlib import Path

from formulas import equations

import fastact
from fastact import _bounds, _catalog, _registry, plotting

KINDS = {
    "elementwise": "Elementwise",
    "arrays": "Of two arrays",
    "axis": "Along an axis",
}


def math(lines: list[str]) -> list[str]:
    return [f"$$\n{line}\n$$\n" for line in lines]


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    if not rows:
        return []
    cells = [head, ["---"] * len(head), *rows]
    return [*("| " + " | ".join(row) + " |" for row in cells), ""]


def function(entry) -> str:
    """The left side of its definition."""
    if entry.kind == "axis":
        return "y" if entry.name == "logsumexp" else "y_i"
    return "f(x)" if entry.row else r"f"


def derivative(entry, to: str) -> str:
    """The left side of a derivative."""
    if entry.kind == "axis":
        return r"\text{gradient to } x_i"
    return rf"\frac{{\partial f}}{{\partial\,\text{{{to}}}}}" if to else "f'(x)"


def definitions(entries: list) -> list[str]:
    lines = []
    for entry in entries:
        if len(entries) > 1:
            lines += [f"`{entry.call}`:", ""]
        found = equations(function(entry), entry.formula)
        for to, text in entry.derivatives.items():
            found += equations(derivative(entry, to), text)
        lines += math(list(dict.fromkeys(found)))  # (an abbreviation of both, once)
        if entry.row and entry.row.from_output:
            lines += ["As a function of the output y = f(x):", ""]
            output = equations("f'", entry.row.from_output)
            lines += math([line for line in output if line not in found])
            if entry.row.from_output_needs:
                lines += [f"(for `{entry.row.from_output_needs[0]}`)", ""]
    if entries[0].kind == "axis":
        lines += ["where g is the gradient of the output.", ""]
    return lines


def draw(folder: Path, entries: list) -> list[str]:
    """The picture of an elementwise activation, written beside its page."""
    name = entries[0].name
    if not entries[0].row:
        return []
    choice = _catalog.with_samples(name)
    plotting.save(plotting.pair(name, **choice.options), folder / f"{name}.svg")
    return [
        f"```{{image}} {name}.svg",
        f":alt: {choice.label} and its derivative from -5 to 5",
        ":width: 420px",
        "```",
        "",
    ]


def facts(entries: list) -> list[str]:
    """Kinks, limits, source; what PyTorch calls it."""
    row, rows = entries[0].row, []
    if row:
        rows += [["Kinks", row.kinks], ["Limits", row.limits]]
    rows.append(["Source", "; ".join(dict.fromkeys(e.source for e in entries))])
    if entries[0].aliases:
        rows.append(["Also", ", ".join(f"`{a}`" for a in entries[0].aliases)])
    names = [row.torch if row else torch_of(entries[0].name)]
    if names[0] and "lambda" not in names[0]:
        rows.append(["In PyTorch", f"`{names[0]}`"])
    return table(["", ""], rows)


def torch_of(name: str) -> str:
    return next((a.torch for a in _registry.AXIS_ROWS if a.name == name), "")


def rows_of(name: str) -> list[str]:
    """The rows of _bounds.py behind a public name."""
    variant = next((v for v in _registry.VARIANTS if v.name == name), None)
    return list(variant.choices.values()) if variant else [name]


def bounds(name: str) -> list[str]:
    lines = []
    names = rows_of(name)
    for row in names:
        found = sorted(
            ((k, v) for k, v in _bounds.BOUNDS.items() if k[0] == row),
            key=lambda item: (item[0][1], _registry.FORMS.index(item[0][2])),
        )
        cells = [
            [dtype, form, f"{ulp:.2f}", f"`{at}`", f"{plain:.2f}", f"`{where}`"]
            for (_, dtype, form), (ulp, at, plain, where) in found
        ]
        if cells and len(names) > 1:
            lines += [f"`{row}`:", ""]
        lines += table(
            ["type", "form", "compiled", "worst at", "NumPy backend", "worst at"], cells
        )
    if not lines:
        return []
    return [
        "## Accuracy", "",
        "The largest errors found, in units in the last place (ULP) of the exact result, "
        "rounded up, and the inputs where they are reached; those of gradients along an "
        "axis in ULP of their largest term.  [About these numbers](../accuracy.md).", "",
        *lines,
    ]


def calls(name: str) -> list[str]:
    """The signature and docstring of each form."""
    activation = fastact.ACTIVATIONS[name]
    forms = [
        form for form in _registry.FORMS[1:]
        if hasattr(activation, form)
        and (name not in _registry.BY_NAME or form != "backward_from_output"
             or _registry.BY_NAME[name].from_output)
    ]
    lines = ["## Calls", "", "```{eval-rst}", f".. autofunction:: fastact.{name}", ""]
    for form in forms:
        lines += [f".. autofunction:: fastact.{name}.{form}", ""]
    return [*lines, "```", ""]


def kernels(name: str) -> list[str]:
    """The names in fastact.kernels, of which fastact.ufuncs has the first part."""
    rows = rows_of(name)
    gate = next((g for g in _registry.GATES if g.name == name), None)
    if gate:
        rows = [_registry.gate_name(gate, row) for row in gate.rows]
    forms = {row + suffix for row in rows for suffix in _registry.SUFFIX.values()}
    lines = []
    for kernel in _registry.kernels():
        if kernel.public in forms:
            arguments = ", ".join([*kernel.operands, *(p.name for p in kernel.params)])
            lines.append(f"`{kernel.public}_f32({arguments})`")
    if not lines:
        return []
    return [
        "## Kernels", "",
        "[In `fastact.kernels`](../kernels.md), and the same with `_f64`; in "
        "`fastact.ufuncs` without the type:", "", *(f"* {line}" for line in lines), "",
    ]


def page(folder: Path, name: str, entries: list) -> str:
    lines = [f"# {name}", "", *definitions(entries), *draw(folder, entries)]
    lines += facts(entries)
    lines += [*bounds(name), *calls(name), *kernels(name)]
    return "\n".join(lines)


def index(by_name: dict) -> str:
    lines = ["# Activations", ""]
    for kind, title in KINDS.items():
        rows = []
        for name, entries in by_name.items():
            for e in entries:
                if e.kind == kind:
                    definition = equations("", e.formula)[0].removeprefix(" = ")
                    kinks = e.row.kinks if e.row and e.row.kinks != "none" else ""
                    rows.append([f"[`{e.call}`]({name}.md)", f"${definition}$", kinks])
        lines += [f"## {title}", "", *table(["", "definition", "at kinks"], rows)]
    lines += ["```{toctree}", ":hidden:", "", *by_name, "```", ""]
    return "\n".join(lines)


def write(path: Path, text: str) -> None:
    """``path`` with this text; untouched, and so not read again, if it has it."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def generate(app) -> None:
    folder = Path(app.srcdir) / "activations"
    folder.mkdir(exist_ok=True)
    by_name: dict[str, list] = {}
    for entry in _registry.entries():
        by_name.setdefault(entry.name, []).append(entry)
    wanted = {"index": index(by_name)} | {
        n: page(folder, n, e) for n, e in by_name.items()
    }
    for stale in folder.glob("*.md"):
        if stale.stem not in wanted:
            stale.unlink()
    for name, text in wanted.items():
        write(folder / f"{name}.md", text)


def setup(app):
    app.connect("builder-inited", generate)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
