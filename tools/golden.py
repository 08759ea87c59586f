"""Tables of exact values for tests that have no mpmath: tests/golden/*.npz.

    python tools/golden.py            writes them
    python tools/golden.py --check    exit 1 if they are stale

For every row, parameters and type: inputs x, and for value and derivative the
correctly rounded result ("near") and what the textbook definition has beyond it,
in ULP ("rest").  Inputs: binades, subnormals, the middle, around the root of a
derivative.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
import reference
from cases import CASE_IDS, CASES, rounded

FOLDER = Path(reference.__file__).parent / "golden"
COUNT = 110


class Rounded(NamedTuple):
    """Exact values: ``near``, correctly rounded, and (exact - near) / ulp(exact)."""

    near: np.ndarray
    rest: np.ndarray

    @classmethod
    def of(cls, values: Iterable[mp.mpf], dtype: Any) -> Rounded:
        near, rest = [], []
        top = mp.mpf(float(np.finfo(dtype).max))
        over = top + reference.ulp_of(top, dtype) / 2
        for value in values:
            if abs(value) >= over:
                near.append(float(mp.sign(value)) * np.inf)
                rest.append(0.0)
                continue
            spacing = reference.ulp_of(value, dtype)
            with mp.workprec(400):
                scaled = value / spacing
                steps = mp.nint(scaled)
                near.append(float(steps * spacing))
                rest.append(float(scaled - steps))
        return cls(np.array(near, dtype), np.array(rest))


def inputs(row: str, params: dict, dtype: Any) -> np.ndarray:
    """About COUNT numbers, the same for all rows but for the roots."""
    points = reference.points(dtype, dense=60, seed=17)
    chosen = np.random.default_rng(23).choice(points, COUNT - 14, replace=False)
    root = reference.root(row, params)
    extra = [np.zeros(1, dtype), np.array([-3, 3, 0.5, -0.5, 6, -1, 1], dtype)]
    if root is not None:
        extra.append(reference.around(float(root), dtype, 3))
    return np.unique(np.concatenate([chosen, *extra]))


def table(dtype: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for (row, given), i in zip(CASES, CASE_IDS, strict=True):
        params = rounded(given, dtype)
        x = inputs(row.name, params, dtype)
        found[f"{i} x"] = x
        for form, expression in (("value", row.formula), ("derivative", row.derivative)):
            exact = Rounded.of(
                (reference.evaluate(expression, x=xi, **params) for xi in x), dtype
            )
            found[f"{i} {form} near"] = exact.near
            found[f"{i} {form} rest"] = exact.rest.astype(np.float32)
    return found


def same(path: Path, new: dict[str, Any]) -> bool:
    if not path.exists():
        return False
    with np.load(path) as old:
        return set(old.files) == set(new) and all(
            np.array_equal(old[k], new[k]) for k in new
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    stale = 0
    for dtype in (np.float32, np.float64):
        path = FOLDER / f"{dtype.__name__}.npz"
        new = table(dtype)
        if same(path, new):
            continue
        stale += 1
        print(f"{path}: {'stale: run python tools/golden.py' if check else 'written'}")
        if not check:
            FOLDER.mkdir(exist_ok=True)
            np.savez_compressed(path, **new)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
