"""Largest errors of other libraries, beside ours: docs/accuracy.md.

    python tools/peers_accuracy.py --json peers.json [--stride 1021] [--seconds 2]
    python tools/peers_accuracy.py --from peers.json     renders again, measures nothing

Measured are the libraries of fastact/_peers.py, as ``fastact bench`` calls them, those
that are installed: float32 on every Nth bit pattern, float64 on random inputs of every
binade and the middle, both as tools/sweep.py and tools/sample64.py judge our kernels.
Our columns are fastact/_bounds.py.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import bounds
import numpy as np
import sample64
import sweep
import wide
from results import FORMS, Progress, meta, write_json
from ulp import error, hexadecimal

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
import reference
from cases import rounded

from fastact import _catalog, _peers, _registry
from fastact._catalog import Choice
from fastact._peers import Peer

Array = np.ndarray
#: (value, derivative), each an array or None
Pair = tuple[Array | None, Array | None]
#: |x| where rows have kinks, for default parameters
KINKS = (0.0, 0.5, 1.0, 3.0, 6.0)
TARGET = Path(__file__).resolve().parent.parent / "docs" / "accuracy.md"


def pair_of(peer: Peer, case: Choice, x: Array) -> Pair:
    """Value and derivative of ``x`` by one peer."""
    value = peer.value(case, x) or peer.value(case, x, np.empty_like(x))
    pair = peer.pair(case, x, np.ones_like(x))
    y, d = (call and peer.arrays(call.result())[-1] for call in (value, pair))
    return y, d


# ---- Measuring --------------------------------------------------------------
class Worst:
    """(peer, form) -> the largest error and where, of all and of normal numbers."""

    def __init__(self, case: Choice, params: dict, peers: dict[str, Peer]) -> None:
        self.case, self.params, self.peers = case, params, peers
        self.found: dict[tuple[str, str], tuple[float, str]] = {}
        self.normal: dict[tuple[str, str], float] = {}

    def add(self, x: Array, wider: Any) -> None:
        exact = wide.evaluate(self.case.formula, self.params, x, wider)
        tiny, top = np.finfo(x.dtype).tiny, np.finfo(x.dtype).max
        plain = (x == 0) | (np.abs(x) >= tiny)
        kink = np.isin(np.abs(x), KINKS) & (self.case.row.kinks != "none")
        for name, peer in self.peers.items():
            with np.errstate(all="ignore"):
                pair = pair_of(peer, self.case, x)
            for form, y, w in zip(FORMS, pair, exact, strict=True):
                if y is None:
                    continue
                if y.dtype != x.dtype:
                    raise TypeError(f"{name} gives {y.dtype} for {x.dtype}: {self.case.label}")
                e = error(y, w)
                if form == "derivative":
                    e[kink] = 0  # a choice, not an error
                i = int(np.argmax(e))
                worst = (float(e[i]), hexadecimal(x[i]))
                k = name, form
                self.found[k] = max(self.found.get(k, (-1.0, "")), worst)
                size = np.abs(w)
                usual = plain & ((size == 0) | ((size >= tiny) & (size <= top)))
                inside = float(e[usual].max(initial=0))
                self.normal[k] = max(self.normal.get(k, 0.0), inside)


def measure(row: str, peers: dict[str, Peer], stride: int, seconds: float) -> list[dict]:
    case = _catalog.of_row(_registry.BY_NAME[row])
    records = []
    for dtype in (np.float32, np.float64):
        given = rounded(case.params, dtype)
        worst = Worst(case, given, peers)
        job = sweep.Job(row, row, given, FORMS, ())
        if dtype == np.float32:
            for unit in sweep.units(stride):
                for first in range(unit.start, unit.stop, sweep.BLOCK * stride):
                    last = min(first + sweep.BLOCK * stride, unit.stop)
                    worst.add(unit.floats(first, last, stride), np.float64)
            worst.add(sweep.named_points(job), np.float64)
        else:
            task = sample64.Task(row, given, (), seconds)
            specials = sample64.special_points(task)
            specials = specials[np.isfinite(specials)]
            rng = np.random.default_rng(11)
            root = reference.root(row, given)
            near = [] if root is None else [reference.around(float(root), dtype, 500)]
            for x in [np.concatenate([specials, -specials]), *near]:
                worst.add(x, np.longdouble)
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                worst.add(sample64.random_points(rng, specials), np.longdouble)
        records += [
            {"row": row, "dtype": np.dtype(dtype).name, "peer": peer, "form": form,
             "worst": e, "at": at, "normal": worst.normal[peer, form]}
            for (peer, form), (e, at) in worst.found.items()
        ]
    return records


# ---- docs/accuracy.md -------------------------------------------------------
INTRO = """# Accuracy

<!-- written by tools/peers_accuracy.py -->

The largest error found, in units in the last place (ULP) of the exact result, over
the whole range of the type: tails, subnormal numbers and the neighbourhood of zero
count like everything else.  0.5 is a correctly rounded result.  An error above a
million means that no digit is left, somewhere: the result is 0 or infinite where it
should not be, or two terms cancel.  In parentheses, where it is another number: the
largest error among inputs and results that are 0 or normal numbers.  Inputs that are
NaN or infinite are not in these tables, nor derivatives at kinks, where libraries choose
differently.

fastact's numbers hold for every instruction set that it is compiled for, and for all
parameters that the tests use; the others' for default parameters.
"""

HOW = """
## How it is measured

* float32, fastact: {ours}.
* float32, the others: every {stride}th bit pattern, the neighbours of the roots of
  derivatives, and the inputs where fastact is worst.
* float64: random inputs of every binade, the edges of ranges, the roots of derivatives;
  for fastact also a search around the worst of them.  These are lower limits.
* Exact results come from `tools/wide.py`: well-conditioned formulas in a wider type,
  compared with the textbook definitions in hundreds of digits.  fastact's float64
  errors are from those definitions.
* Derivatives: automatic differentiation in PyTorch and JAX, written-out expressions
  in NumPy and SciPy.  numexpr and Numba compute the textbook definitions, Numba with
  `fastmath`; MKL's are its vector functions of high accuracy.  The expressions stand in
  `fastact/_peers.py`.

{versions}; {cpu}.

`python tools/sweep.py`, `tools/sample64.py` and `tools/peers_accuracy.py` measure it again.
"""


def number(worst: float | None) -> str:
    if worst is None:
        return ""
    if worst > 1e6:
        return ">1e6"
    return f"{worst:.2f}" if worst < 100 else f"{worst:.3g}"


def cell(r: dict | None) -> str:
    """The largest error, and in parentheses that of normal numbers if it is another."""
    if r is None:
        return ""
    whole, normal = number(r["worst"]), number(r["normal"])
    return whole if whole == normal else f"{whole} ({normal})"


def grid(
    records: list[dict], peers: list[str], dtype: str, form: str, promised: dict
) -> str:
    found = {
        (r["row"], r["peer"]): r
        for r in records
        if r["dtype"] == dtype and r["form"] == form
    }
    shown = [p for p in peers if any(peer == p for _, peer in found)]
    titles = ["", "fastact", *(_peers.PEERS[p].title for p in shown)]
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for row in _registry.ROWS:
        line = promised.get((row.name, dtype, form))
        cells = [number(line[0] if line else None)]
        cells += [cell(found.get((row.name, p))) for p in shown]
        lines.append(f"| `{row.name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def render(content: dict) -> str:
    about, records = content["meta"], content["records"]
    promised = bounds.load()
    peers = [p for p in _peers.PEERS if p in about["versions"]]
    parts = [INTRO]
    for dtype in ("float32", "float64"):
        for form in FORMS:
            text = grid(records, peers, dtype, form, promised)
            parts.append(f"\n## {dtype}, {form}\n\n{text}\n")
    axis = [
        f"| `{name}` | {form} | "
        + " | ".join(
            number(promised.get((name, dtype, form), (None,))[0])
            for dtype in ("float32", "float64")
        )
        + " |"
        for name in sample64.AXIS
        for form in ("value", "backward")
    ]
    parts.append(
        "\n## Along an axis\n\nRows of up to a million elements.  The error of a backward "
        "pass is in ULP of its\nlargest term.\n\n| | | float32 | float64 |\n|---|---|---|---|\n"
        + "\n".join(axis) + "\n"
    )
    versions = ", ".join(f"{_peers.PEERS[p].title} {about['versions'][p]}" for p in peers)
    parts.append(HOW.format(
        ours=about["ours"], stride=about["stride"], versions=versions, cpu=about["cpu"],
    ))
    return "".join(parts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", nargs="+", metavar="ROW", help="default: all")
    parser.add_argument("--stride", type=int, default=1021)
    parser.add_argument("--seconds", type=float, default=2, help="float64, each function")
    parser.add_argument("--ours", default="every number there is", help="how it was swept")
    parser.add_argument("--json", metavar="FILE", help="write the results there")
    parser.add_argument("--from", dest="source", metavar="FILE", help="results to render")
    args = parser.parse_args()
    if args.source:
        content = json.loads(Path(args.source).read_text())
    else:
        sweep.keep_memory()
        peers, missing = _peers.load()
        for name, problem in missing.items():
            print(f"{name}: not measured ({problem})", file=sys.stderr)
        versions = {name: peer.version for name, peer in peers.items()}
        rows = [r.name for r in _registry.ROWS if args.rows is None or r.name in args.rows]
        progress, records = Progress(len(rows)), []
        for row in rows:
            records += measure(row, peers, args.stride, args.seconds)
            progress.step(row)
        progress.stop()
        content = {
            "meta": meta(versions=versions, stride=args.stride, ours=args.ours),
            "records": records,
        }
        if args.json:
            write_json(args.json, content)
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(render(content), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
