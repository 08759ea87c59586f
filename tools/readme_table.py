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


def table() -> str:
    registry = load_registry()
    found = registry.definitions()
    lines = ["| Elementwise | f(x) | f'(x) | from output |", "|---|---|---|---|"]
    for d in found:
        if d.kind == "elementwise":
            also = [a for a, n in registry.ALIASES.items() if n == d.name]
            name = call(d.name, d.options)
            if also:
                name += ", also " + ", ".join(f"`{a}`" for a in also)
            lines.append(
                f"| {name} | {code(d.formula)} | {code(d.derivatives['x'])} "
                f"| {'yes' if d.from_output else ''} |"
            )
    lines += ["", "| Of two arrays | value | derivatives |", "|---|---|---|"]
    for d in found:
        if d.kind == "two arrays":
            to = "; ".join(f"to {k}: {code(v)}" for k, v in d.derivatives.items())
            lines.append(f"| {call(d.name, d.options)} | {code(d.formula)} | {to} |")
    lines += ["", "| Along an axis | value y | gradient to x |", "|---|---|---|"]
    for d in found:
        if d.kind == "axis":
            lines.append(
                f"| {call(d.name, d.options)} | {code(d.formula)} "
                f"| {code(d.derivatives['x'])} |"
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
