"""The published error bounds, fastact/_bounds.py, from measured results.

    python tools/bounds.py --from sweep.json sample64.json   writes the file
    python tools/bounds.py --from sweep.json --check         exit 1 if broken
    python tools/bounds.py --from sweep.json --table docs/sweep.md   as a page

A bound is the largest error found, over instruction sets and parameters, rounded
up to two decimals (0.5 to 0.500002, 1 to 1.000002); the input where it was found stands
beside it.  Results of rows, types or forms (on the page: and variants) that the files do
not hold keep their lines.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "fastact" / "_bounds.py"

#: What the judge of the float32 sweep may be off by: 2^-44, in ULP.
UNCERTAIN = 2.0**-20

HEADER = '''"""Largest errors, in ULP: measured, rounded up; written by tools/bounds.py.

(row, type, form): (bound of the compiled kernels, where, bound of the NumPy
backend, where).  float32 elementwise: every float32 there is (tools/sweep.py); the
rest: searched for (tools/sample64.py).  0.500002: correctly rounded, but for inputs
whose result lies so close to the middle of two numbers that the judge cannot tell.
The NumPy backend gets every 61st input of the binades where a function is c x^k.
"""

BOUNDS: dict[tuple[str, str, str], tuple[float, str, float, str]] = {
'''


def load() -> dict:
    """The bounds of the checkout, not of an installed package."""
    if not TARGET.exists():
        return {}
    spec = importlib.util.spec_from_file_location("_bounds", TARGET)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return dict(module.BOUNDS)


def up(error: float) -> float:
    """Rounded up to two decimals, never down; 0.5, 1 .. to all that the judge can tell."""
    if not math.isfinite(error) or error == 0:
        return error
    if abs(error - round(2 * error) / 2) <= UNCERTAIN:
        return round(2 * error) / 2 + 2e-6
    error += UNCERTAIN
    hundredths = math.ceil(error * 100)
    return (hundredths + (hundredths / 100 < error)) / 100


def worst(records: list[dict]) -> dict:
    """(row, dtype, form) -> {"compiled" or "numpy": (error, where)}."""
    found: dict = {}
    for r in records:
        where = found.setdefault((r["row"], r["dtype"], r["form"]), {})
        kind = "numpy" if r["variant"] == "numpy" else "compiled"
        where[kind] = max(where.get(kind, (0.0, "")), (r["worst"], r["at"]))
    return found


def broken(records: list[dict]) -> list[str]:
    """What the records show that must not be, in words."""
    bounds, problems = load(), []
    absent = sorted({(r["row"], r["dtype"], r["form"]) for r in records} - set(bounds))
    if absent:
        problems.append(f"no bound in {TARGET.name}: {', '.join(map('-'.join, absent))}")
    for r in records:
        name = f"{r['row']} {r['params'] or ''} {r['dtype']} {r['form']} on {r['variant']}"
        for count, what in (
            ("nan", "NaN or not, wrongly"), ("inf", "infinite or not, wrongly"),
            ("zero", "zeros of the wrong sign"),
        ):
            if r[count]:
                problems.append(f"{name}: {r[count]} results {what}")
        if r["breaks"] > 0:
            problems.append(f"{name}: {r['breaks']} steps in the wrong direction")
        line = bounds.get((r["row"], r["dtype"], r["form"]))
        if line is None:
            continue
        bound = line[2] if r["variant"] == "numpy" else line[0]
        if r["worst"] > bound:  # (which has UNCERTAIN in it)
            problems.append(f"{name}: {r['worst']:.4f} ULP at {r['at']}, bound {bound}")
    return problems


def updated(old: dict, records: list[dict]) -> dict:
    new = dict(old)
    for k, kinds in worst(records).items():
        line = list(new.get(k, (math.inf, "", math.inf, "")))
        for place, kind in ((0, "compiled"), (2, "numpy")):
            if kind in kinds:
                error, where = kinds[kind]
                line[place : place + 2] = up(error), where
        new[k] = tuple(line)
    return new


def text(bounds: dict) -> str:
    def number(bound: float) -> str:
        return repr(bound) if math.isfinite(bound) else 'float("inf")'

    lines = [
        f'    ({", ".join(json.dumps(part) for part in k)}): '
        f"({number(a)}, {json.dumps(at)}, {number(b)}, {json.dumps(b_at)}),\n"
        for k, (a, at, b, b_at) in sorted(bounds.items())
    ]
    return HEADER + "".join(lines) + "}\n"


PAGE = """# Every float32

<!-- written by tools/bounds.py --table -->

All 2^32 inputs through every kernel, default parameters, judged by
`tools/wide.py`: the largest error in ULP and where, the share of results that are not
the correctly rounded one, and steps in the wrong direction of a monotone function.  No
result was NaN or infinite, or the reverse, where it should not be, and no zero had the
wrong sign, but where the last column says so; it also says where only one of so many
inputs went through, with named ones (roots, worst inputs).  Instruction sets with the
same line share it.  The NumPy backend gets every 61st input where a function is c x^k
to 2^-41.

| function | form | on | max ULP | at | misrounded | breaks | wrong |
|---|---|---|---|---|---|---|---|
"""


def lines_of(records: list[dict]) -> dict[tuple[str, str], dict[str, list[str]]]:
    """(function, form) -> the rest of a line -> the variants that it is of."""
    found: dict = {}
    for r in records:
        if r["dtype"] != "float32":
            continue
        wrong = [f"{r[k]} {k}" for k in ("nan", "inf", "zero") if r[k]]
        if r.get("stride", 1) > 1:
            wrong.append(f"one of {r['stride']} inputs")
        breaks = f"{r['breaks']:,}" if r["breaks"] >= 0 else ""
        share = f"{r['misrounded'] / r['count']:.4%}" if r["misrounded"] else "0"
        values = ", ".join(f"{k}={v:.6g}" for k, v in r["params"].items())
        name = f"`{r['row']}{f'({values})' if values else ''}`"
        rest = f"{r['worst']:.4f} | `{r['at']}` | {share} | {breaks} | {', '.join(wrong)} |"
        found.setdefault((name, r["form"]), {}).setdefault(rest, []).append(r["variant"])
    return found


def page(old: str, records: list[dict]) -> str:
    """The records as Markdown, equal lines of several variants as one; variants
    of which there are none keep their lines."""
    lines: dict = {}
    for line in old.splitlines():
        if line.startswith("| `"):
            name, form, on, rest = line[2:].split(" | ", 3)
            lines.setdefault((name, form), {})[rest] = on.split(", ")
    for key, new in lines_of(records).items():
        fresh = {v for on in new.values() for v in on}
        kept = lines.get(key, {})
        lines[key] = {rest: [v for v in on if v not in fresh] for rest, on in kept.items()}
        for rest, on in new.items():
            lines[key].setdefault(rest, []).extend(on)
    order = ("base", "v3", "v4", "numpy")
    text = PAGE
    for (name, form), found in lines.items():
        shared = [(sorted(on, key=order.index), rest) for rest, on in found.items() if on]
        for on, rest in sorted(shared, key=lambda line: order.index(line[0][0])):
            text += f"| {name} | {form} | {', '.join(on)} | {rest}\n"
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--from", dest="files", nargs="+", required=True, metavar="JSON")
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--table", metavar="FILE", help="write a page, no bounds")
    args = parser.parse_args()
    records = [r for f in args.files for r in json.loads(Path(f).read_text())["records"]]
    if args.check:
        problems = broken(records)
        print(*problems, sep="\n", end="\n" if problems else "")
        return 1 if problems else 0
    if args.table:
        path = Path(args.table)
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(page(old, records), encoding="utf-8")
        return 0
    thin = sorted({r["stride"] for r in records if r.get("stride", 1) > 1})
    if thin:
        print(f"note: a sweep of every {thin}th input only")
    TARGET.write_text(text(updated(load(), records)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
