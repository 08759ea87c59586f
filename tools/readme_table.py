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


def table() -> str:
    lines = {
        "elementwise": [
            "| Elementwise | f(x) | f'(x) | from output |",
            "|---|---|---|---|",
        ],
        "arrays": ["", "| Of two arrays | value | derivatives |", "|---|---|---|"],
        "axis": ["", "| Along an axis | value y | gradient to x |", "|---|---|---|"],
    }
    for entry in load_registry().entries():
        names = ", also ".join(f"`{name}`" for name in (entry.call, *entry.aliases))
        derivatives = "; ".join(
            (f"to {to}: " if to else "") + code(text)
            for to, text in entry.derivatives.items()
        )
        line = f"| {names} | {code(entry.formula)} | {derivatives} |"
        if entry.row:
            line += f" {'yes' if entry.row.from_output else ''} |"
        lines[entry.kind].append(line)
    return "\n".join(line for part in lines.values() for line in part) + "\n"


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
