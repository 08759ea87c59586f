"""fastact against PyTorch and NumPy in one process, for a table to publish.

    python asv_bench/compare.py [--names gelu silu] [--sizes 16384 262144]
                                [--json FILE]

Rivals take turns, round by round, and a ratio is the median over the rounds of
fastact / rival, so that a slow spell of the machine hits both sides.  Below 1
fastact is the faster one.  Up to a million elements everybody allocates the
result; above, everybody who can writes into a given one.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import timeit
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from benchmarks.common import (
    CASES,
    NUMPY,
    NUMPY_PAIR,
    Case,
    call_text,
    cpu,
    data,
    numpy_function,
)

import fastact as fa

ALLOCATE_UP_TO = 1_048_576
MEMORY_SIZE = 16_777_216
OVERHEAD_SIZE = 16

#: form -> what the ratio to PyTorch should stay under
GOALS = {"value": 0.7, "pair": 0.6}

#: where PyTorch's operator with out= is not called like its function
ATEN = {"hardtanh": "hardtanh", "logsigmoid": "log_sigmoid"}


class Statement(NamedTuple):
    text: str
    names: dict[str, Any]


class Result(NamedTuple):
    group: str  # "elementwise", "overhead" or "memory"
    name: str
    form: str
    dtype: str
    size: int
    times: dict[str, float]  # contestant -> median seconds per call
    ratios: dict[str, float]  # rival -> median of fastact / rival
    allocating: tuple[str, ...] = ()  # rivals without out= where fastact has it

    @property
    def where(self) -> str:
        return f"{self.name} {self.form} {self.dtype} {self.size}"


def measure(
    statements: dict[str, Statement], rounds: int, sample_time: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Median times, and median ratios of "fastact" to every other statement."""
    timers = {
        name: timeit.Timer(text, globals=names)
        for name, (text, names) in statements.items()
    }
    numbers = {}
    for name, timer in timers.items():
        timer.timeit(2)
        number, took = 1, timer.timeit(1)
        while took < sample_time / 2:
            number = max(2 * number, int(number * sample_time / max(took, 1e-9) / 2))
            took = timer.timeit(number)
        numbers[name] = max(1, round(number * sample_time / took))
    samples: dict[str, list[float]] = {name: [] for name in timers}
    for i in range(rounds):
        for name in list(timers)[:: -1 if i % 2 else 1]:
            samples[name].append(timers[name].timeit(numbers[name]) / numbers[name])
    ours = samples["fastact"]
    ratios = {
        name: statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        for name, theirs in samples.items()
        if name != "fastact"
    }
    return {name: statistics.median(s) for name, s in samples.items()}, ratios


class Torch:
    """PyTorch on one thread, or nothing."""

    def __init__(self) -> None:
        try:
            import torch
        except ImportError:
            self.module = None
            self.version = "not installed"
            return
        torch.set_num_threads(1)
        self.module = torch
        self.version = torch.__version__

    def value(self, expression: str, x: np.ndarray) -> tuple[Statement, bool]:
        """The forward pass; whether it writes into a given result."""
        f, t = self._function(expression), self.module.from_numpy(x)
        if x.size > ALLOCATE_UP_TO:
            name = expression.rpartition(".")[2]
            out = self.module.empty_like(t)
            try:
                operator = getattr(self.module.ops.aten, ATEN.get(name, name)).out
                operator(t, out=out)
            except (AttributeError, RuntimeError, TypeError):
                pass  # no such operator: it allocates
            else:
                names = {"f": operator, "x": t, "out": out}
                return Statement("f(x, out=out)", names), True
        return Statement("f(x)", {"f": f, "x": t}), False

    def pair(self, expression: str, x: np.ndarray, g: np.ndarray) -> Statement:
        """Forward and backward."""
        t = self.module.from_numpy(x.copy()).requires_grad_()
        names = {
            "f": self._function(expression),
            "x": t,
            "g": self.module.from_numpy(g),
            "grad": self.module.autograd.grad,
        }
        return Statement("grad(f(x), x, g)", names)

    def _function(self, expression: str):
        functional = self.module.nn.functional
        return eval(expression, {"torch": self.module, "F": functional})


def fastact_statement(case: Case, form: str, x: np.ndarray) -> Statement:
    f = case.function if form == "value" else case.function.value_and_derivative
    names: dict[str, Any] = {"f": f, "x": x}
    args = ["x"]
    if x.size > ALLOCATE_UP_TO:
        args.append("out=out")
        one = np.zeros_like(x)
        names["out"] = one if form == "value" else (one, np.zeros_like(x))
    return Statement(call_text("f", *args, **case.options), names)


def numpy_statement(expression: str, x: np.ndarray) -> Statement:
    return Statement("f(x)", {"f": numpy_function(expression), "x": x})


def elementwise(cases, torch, dtypes, sizes, **timing):
    """Value and pair of every case that PyTorch has, dtype and size."""
    for case in cases:
        if not case.row.torch:
            continue
        name = case.row.name
        for dtype in dtypes:
            for size in sizes:
                x = data(size, dtype)
                value = {"fastact": fastact_statement(case, "value", x)}
                pair = {"fastact": fastact_statement(case, "pair", x)}
                given = False
                if torch.module is not None:
                    value["torch"], given = torch.value(case.row.torch, x)
                    pair["torch"] = torch.pair(case.row.torch, x, np.ones_like(x))
                if name in NUMPY:
                    value["numpy"] = numpy_statement(NUMPY[name], x)
                if name in NUMPY_PAIR:
                    pair["numpy"] = numpy_statement(NUMPY_PAIR[name], x)
                for form, statements in (("value", value), ("pair", pair)):
                    allocating = set(statements) - {"fastact"}
                    if size <= ALLOCATE_UP_TO:
                        allocating.clear()
                    elif form == "value" and given:
                        allocating.remove("torch")
                    yield Result(
                        "elementwise", case.label, form, dtype, size,
                        *measure(statements, **timing), tuple(allocating),
                    )


def overhead(cases, torch, **timing):
    """A call on a few elements against np.tanh (and PyTorch, where it is there)."""
    x, g = data(OVERHEAD_SIZE, "float32"), data(OVERHEAD_SIZE, "float32", 1)
    out = np.zeros_like(x)
    for case in cases:
        f = case.function
        names = {"f": f, "pair": f.value_and_derivative, "back": f.backward}
        names |= {"x": x, "g": g, "out": out}
        for form, call in (
            ("value", ("f", "x")),
            ("value, out", ("f", "x", "out=out")),
            ("pair", ("pair", "x")),
            ("backward", ("back", "g", "x")),
        ):
            rival = f"tanh({', '.join(a for a in call[1:] if a != 'g')})"
            statements = {
                "fastact": Statement(call_text(*call, **case.options), names),
                "np.tanh": Statement(rival, {**names, "tanh": np.tanh}),
            }
            if torch.module is not None and case.row.torch and form == "value":
                statements["torch"], _ = torch.value(case.row.torch, x)
            yield Result(
                "overhead", case.label, form, "float32", OVERHEAD_SIZE,
                *measure(statements, **timing),
            )


def is_cheap(case: Case) -> bool:
    """Whether memory is what limits the function: it calls nothing."""
    return not any(f in case.row.formula for f in ("exp(", "log(", "tanh(", "erfc("))


def memory(cases, **timing):
    """The cheap functions with out= on 64 MB against copying."""
    x = data(MEMORY_SIZE, "float32")
    out = np.zeros_like(x)
    for case in filter(is_cheap, cases):
        names = {"f": case.function, "x": x, "out": out, "copyto": np.copyto}
        statements = {
            "fastact": Statement(
                call_text("f", "x", "out=out", **case.options), names
            ),
            "np.copyto": Statement("copyto(out, x)", names),
        }
        yield Result(
            "memory", case.label, "value, out", "float32", MEMORY_SIZE,
            *measure(statements, **timing),
        )


RIVALS = {
    "elementwise": ("torch", "numpy"),
    "overhead": ("np.tanh", "torch"),
    "memory": ("np.copyto",),
}


def heading(group: str) -> str:
    """The title of a table and the line of its columns."""
    unit = "us per call" if group == "overhead" else "ns per element"
    line = f"{'activation':36s} {'form':10s} {'dtype':7s} {'size':>9s} {'fastact':>9s}"
    for rival in RIVALS[group]:
        line += f" {rival:>9s} {'ratio':>7s}"
    return f"\n{group}: {unit}; ratio = fastact / the rival left of it\n{line}"


def table_row(r: Result) -> str:
    scale = 1e6 if r.group == "overhead" else 1e9 / r.size
    line = f"{r.name:36s} {r.form:10s} {r.dtype:7s} {r.size:9d}"
    line += f" {r.times['fastact'] * scale:9.3f}"
    for rival in RIVALS[r.group]:
        if rival in r.times:
            mark = "*" if rival in r.allocating else ""
            line += f" {r.times[rival] * scale:9.3f}"
            line += f" {f'{r.ratios[rival]:.2f}{mark}':>7s}"
        else:
            line += f" {'-':>9s} {'-':>7s}"
    return line


def summarise(results: Sequence[Result]) -> list[str]:
    """How many ratios reach their goal, and which do not."""
    lines = ["", "summary"]

    def count(title, goal, chosen, rival):
        if not chosen:
            return
        misses = [r for r in chosen if r.ratios[rival] > goal]
        lines.append(f"{title} <= {goal}: {len(chosen) - len(misses)}/{len(chosen)}")
        misses.sort(key=lambda r: -r.ratios[rival])
        lines.extend(f"    missed: {r.where}: {r.ratios[rival]:.2f}" for r in misses)

    for group, rivals in RIVALS.items():
        for rival in rivals:
            chosen = [r for r in results if r.group == group and rival in r.ratios]
            count(f"{group}, to {rival}", 1.0, chosen, rival)
            if (group, rival) == ("elementwise", "torch"):
                for form, goal in GOALS.items():
                    of_form = [r for r in chosen if r.form == form]
                    count(f"{group}, to {rival}, {form}", goal, of_form, rival)
    return lines


def choose(names: Sequence[str] | None) -> list[Case]:
    """The cases of ``names``, of rows or public; by default all."""
    known = list(CASES.values())
    if names is None:
        return known
    found = [c for c in known if {c.row.name, c.name, c.label} & set(names)]
    missing = set(names) - {n for c in found for n in (c.row.name, c.name, c.label)}
    if missing:
        have = ", ".join(c.row.name for c in known)
        sys.exit(f"compare.py: no {', '.join(sorted(missing))}; there are {have}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Time fastact against PyTorch (one thread) and NumPy."
    )
    add = parser.add_argument
    add("--names", nargs="+", help="activations (default: all)")
    add("--sizes", nargs="+", type=int, default=[16_384, 262_144])
    add("--dtypes", nargs="+", default=["float32", "float64"],
        choices=["float32", "float64"])
    add("--only", nargs="+", choices=list(RIVALS), default=list(RIVALS),
        help="which tables")
    add("--rounds", type=int, default=11)
    add("--sample-time", type=float, default=0.003, help="seconds per sample")
    add("--json", type=Path, help="write the results to this file")
    args = parser.parse_args()
    cases = choose(args.names)
    timing = {"rounds": args.rounds, "sample_time": args.sample_time}
    torch = Torch()

    config = fa.get_config()
    about = {"cpu": cpu(), **config, "torch": torch.version, "file": fa.__file__}
    for key, value in about.items():
        print(f"{key:8s} {value}")
    if config["backend"] != "cython":
        print("warning: fastact is not compiled; these are times of its NumPy backend")

    tables = {
        "elementwise": lambda: elementwise(
            cases, torch, args.dtypes, args.sizes, **timing
        ),
        "overhead": lambda: overhead(cases, torch, **timing),
        "memory": lambda: memory(cases, **timing),
    }
    results = []
    for group in args.only:
        print(heading(group))
        for result in tables[group]():
            results.append(result)
            print(table_row(result), flush=True)
    if any(r.allocating for r in results):
        print("* this rival allocates its result; fastact writes into a given one")
    print("\n".join(summarise(results)))
    if args.json:
        report = {**about, **timing, "results": [r._asdict() for r in results]}
        args.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
