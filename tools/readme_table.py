"""Write the table of activations in README.md from the registry.

Usage: ``python tools/readme_table.py [--check]``; ``--check`` writes nothing
and exits 1 if the table is stale.  Needs the standard library alone.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BEGIN, END = "<!-- table -->\n", "<!-- /table -->\n"


def load_registry():
    """fastact/_registry.py, without importing the package."""
    path = ROOT / "fastact" / "_registry.py"
    spec = importlib.util.spec_from_file_location("_registry", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def code(text: str) -> str:
    """``text`` as code in a cell; what it abbreviates follows "where"."""
    formula, *wheres = (part.strip() for part in text.split(";"))
    cell = f"`{formula}`"
    if wheres:
        cell += " where " + ", ".join(f"`{w}`" for w in wheres)
    return cell.replace("|", "\\|")


def call(name: str, defaults: dict) -> str:
    """How to write the parameters: ``name(a=1.0)``; ``a=...`` has no default."""
    if not defaults:
        return f"`{name}`"
    args = ", ".join(
        f"{k}=..." if v is None else f"{k}={v!r}" for k, v in defaults.items()
    )
    return f"`{name}({args})`"


def elementwise(registry):
    """(call, formula, derivative, from output) of every elementwise activation."""
    variants = {v.name: v for v in registry.VARIANTS}
    for row in registry.ROWS:
        if row.name in registry.INTERNAL:
            continue
        defaults = {p.name: p.default for p in row.params}
        variant = variants.get(row.name)
        if variant is None:
            shown = [(row, defaults)]
        elif None in variant.choices:  # any number: the general row says it all
            general = registry.BY_NAME[variant.choices[None]]
            shown = [(general, {variant.option: variant.default})]
        else:
            shown = [
                (registry.BY_NAME[chosen], {variant.option: option})
                for option, chosen in variant.choices.items()
            ]
        also = [a for a, n in registry.ALIASES.items() if n == row.name]
        for which, options in shown:
            name = call(row.name, options)
            if also:
                name += ", also " + ", ".join(f"`{a}`" for a in also)
            yield name, code(which.formula), code(which.derivative), row.from_output


def table() -> str:
    registry = load_registry()
    lines = [
        "| Elementwise | f(x) | f'(x) | from output |",
        "|---|---|---|---|",
    ]
    for name, formula, derivative, output in elementwise(registry):
        lines.append(
            f"| {name} | {formula} | {derivative} | {'yes' if output else ''} |"
        )
    slope = registry.BY_NAME["leaky_relu"]
    lines += ["", "| Of two arrays | value | derivatives |", "|---|---|---|"]
    swap = [
        code(t.replace("negative_slope", "weight"))
        for t in (slope.formula, slope.derivative)
    ]
    lines.append(
        f"| `{registry.PRELU}` | {swap[0]} | to x: {swap[1]}; "
        "to weight: `0 if x > 0 else x` |"
    )
    for gate in registry.GATES:
        f = gate.rows[0]
        options = {"approximate": "none"} if len(gate.rows) > 1 else {}
        lines.append(
            f"| {call(gate.name, options)} | `value * {f}(gate)` | "
            f"to value: `{f}(gate)`; to gate: `value * {f}_d(gate)` |"
        )
    lines += ["", "| Along an axis | value | backward |", "|---|---|---|"]
    for row in registry.AXIS_ROWS:
        lines.append(
            f"| `{row.name}(axis=-1)` | `{row.formula}` | `{row.derivative}` |"
        )
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="exit 1 if stale")
    check = parser.parse_args().check
    old = README.read_text(encoding="utf-8")
    before, begin, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        print(f"{README}: no {BEGIN.strip()} ... {END.strip()}", file=sys.stderr)
        return 2
    new = f"{before}{BEGIN}\n{table()}\n{END}{after}"
    if new == old:
        return 0
    if check:
        print(
            f"{README}: the table is stale: run python tools/readme_table.py",
            file=sys.stderr,
        )
        return 1
    README.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
