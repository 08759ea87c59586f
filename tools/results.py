"""What the measuring tools write and print: one record per form and variant."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from ulp import Tally

from fastact._config import cpu
from fastact._progress import Progress as Progress

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

FORMS = ("value", "derivative")


def meta(**more: Any) -> dict:
    return {"cpu": cpu(), "python": platform.python_version(), "numpy": np.__version__, **more}


def record(
    row: str, params: dict, dtype: Any, form: str, variant: str, tally: Tally, **more: Any
) -> dict:
    return {
        "row": row,
        "params": {k: float(v) for k, v in params.items()},
        "dtype": np.dtype(dtype).name,
        "form": form,
        "variant": variant,
        **tally.to_dict(),
        **more,
    }


HEADER = (
    f"{'row':26s} {'form':18s} {'dtype':8s} {'on':7s} {'max ULP':>9s}  {'at':26s}"
    f"{'misrounded':>10s}  nan inf zero breaks"
)


def line(r: dict) -> str:
    values = ",".join(f"{v:.4g}" for v in r["params"].values())
    share = r["misrounded"] / r["count"] if r["count"] else 0.0
    breaks = "-" if r["breaks"] < 0 else r["breaks"]
    return (
        f"{r['row'] + (f'({values})' if values else ''):26s} {r['form']:18s} "
        f"{r['dtype']:8s} {r['variant']:7s} {r['worst']:9.4f}  {r['at']:26s}"
        f"{share:10.4%}  {r['nan']:3d} {r['inf']:3d} {r['zero']:4d} {breaks:>6}"
    )


def write_json(path: str | Path, content: Any) -> None:
    """Whole or not at all: a killed writer leaves the old file."""
    target = Path(path)
    partial = target.with_name(target.name + ".partial")
    partial.write_text(json.dumps(content, indent=1))
    os.replace(partial, target)


def finish(records: Iterable[dict], path: str | None, **more: Any) -> int:
    """Write the records; 1 if they break what fastact/_bounds.py promises."""
    found = list(records)
    if path:
        write_json(path, {"meta": meta(**more), "records": found})
    import bounds

    problems = bounds.broken(found)
    print(*problems, sep="\n", end="\n" if problems else "")
    return 1 if problems else 0
