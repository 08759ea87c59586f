"""Every float32 there is, through every kernel: errors in ULP against tools/wide.py.

    python tools/sweep.py --all-params --resume state.json --json results.json
    python tools/sweep.py --stride 4099 [--rows silu gelu] [--variants v3 numpy]

Reported per row, form and variant: the largest error and where, how many results
are not the correctly rounded one, NaN or infinity where there should be none (or
the reverse), zeros of the wrong sign, and steps against the direction of a
monotone function.  Exit status 1 where fastact/_bounds.py is broken, where a NaN, an
infinity or the sign of a zero is wrong, or where there is such a step.

The inputs of a binade where the exact function is c x^k, k = -2 .. 3, to 2^-41
(checked at 65 points) are judged by that; the NumPy backend gets every 61st of
them.  A function counts as monotone on each side of 0.  The sign of a zero is
right if it is that of ``wide``: the sign of the tiny value or of the limit.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import multiprocessing
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import bounds
import numpy as np
import variants
import wide
from results import FORMS, HEADER, Progress, finish, line, record, write_json
from ulp import Tally, bits_of, hexadecimal, judge

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
import reference
from cases import CASE_IDS, CASES, params_of, rounded

Array = np.ndarray
BLOCK = 1 << 15
BINADE = 1 << 23
INFINITY = 0x7F800000  # patterns below are finite; above they are NaN
TRIVIAL_STEP = 61
SAVE_EVERY = 5.0  # seconds

# Direction of monotone functions for x < 0 and x > 0; 0 where there is none.
UP, HUMP, RIGHT = (1, 1), (1, -1), (0, 1)
MONOTONE = {
    "value": {
        **dict.fromkeys(
            ("sigmoid", "log_sigmoid", "tanh", "relu", "relu6", "leaky_relu", "elu",
             "celu", "selu", "softplus", "softsign", "squareplus", "hard_sigmoid",
             "hard_tanh", "hard_shrink", "soft_shrink", "tanh_shrink", "threshold",
             "relu_squared"), UP,
        ),
        **dict.fromkeys(
            ("gelu", "gelu_tanh", "quick_gelu", "silu", "silu_beta", "mish",
             "hard_swish"), RIGHT,
        ),
    },
    "derivative": {
        **dict.fromkeys(
            ("relu", "leaky_relu", "elu", "celu", "selu", "softplus", "squareplus",
             "threshold", "relu_squared"), UP,
        ),
        **dict.fromkeys(("sigmoid", "tanh", "softsign", "hard_sigmoid", "hard_tanh"), HUMP),
        "log_sigmoid": (-1, -1),
        **dict.fromkeys(("tanh_shrink", "hard_shrink", "soft_shrink"), (-1, 1)),
    },
}


def direction(row: str, params: dict, form: str, negative: bool) -> int:
    """+1 or -1 for a function that rises or falls with |x| there, else 0."""
    left, right = MONOTONE[form].get(row, (0, 0))
    if params.get("beta", 1) < 0:
        # f(x) = -g(-x), g that of -beta
        left, right = (right, left) if form == "value" else (-right, -left)
    if params.get("negative_slope", 0) < 0 or params.get("alpha", 1) < 0:
        left = 0
    if form == "derivative" and (row == "selu" or (row == "elu" and params["alpha"] > 1)):
        right = 0  # f' falls at the kink
    return -left if negative else right


class Unit(NamedTuple):
    """Bit patterns start, start + step, ... below stop, of one sign."""

    negative: bool
    start: int
    stop: int
    step: int

    def floats(self, first: int, last: int, step: int) -> Array:
        patterns = np.arange(first, last, step, dtype=np.uint32)
        if self.negative:
            patterns |= np.uint32(1 << 31)
        return patterns.view(np.float32)


def units(stride: int) -> list[Unit]:
    """All finite numbers: binades, or about a block each where they are strided."""
    size = BINADE if stride == 1 else max(1, BINADE // (BLOCK * stride) + 1) * BLOCK * stride
    return [
        Unit(negative, start, min(start + size, INFINITY), stride)
        for negative in (False, True)
        for start in range(0, INFINITY, size)
    ]


def power_laws(row: str, params: dict, unit: Unit) -> dict[str, tuple[float, int]]:
    """form -> (c, k) where the exact function is c x^k in all of the unit."""
    if unit.step != 1:
        return {}
    spread = np.linspace(unit.start, unit.stop - 1, 65).astype(np.uint32)
    if unit.start == 0:
        spread[0] = 1  # not the zero
    if unit.negative:
        spread |= np.uint32(1 << 31)
    x = spread.view(np.float32)
    found = {}
    for form, exact in zip(FORMS, wide.evaluate(row, params, x), strict=True):
        signs = np.signbit(exact)
        if signs.any() != signs.all():
            continue
        if np.abs(exact).max() < 2.0**-170:
            found[form] = (float(np.copysign(0.0, exact[0])), 0)
            continue
        for k in (0, 1, 2, 3, -1, -2):
            with np.errstate(all="ignore"):
                c = exact / x.astype(np.float64) ** k
            if np.all(np.abs(c - c[32]) <= 2.0**-41 * abs(c[32])):
                found[form] = (float(c[32]), k)
                break
    return found


def exact_values(job: Job, laws: dict, x: Array) -> dict[str, Array]:
    if not all(form in laws for form in job.forms):
        both = dict(zip(FORMS, wide.evaluate(job.row, job.params, x), strict=True))
        return {form: both[form] for form in job.forms}
    result = {}
    for form in job.forms:
        c, k = laws[form]
        result[form] = (
            np.full(x.size, c) if k == 0 else c * x.astype(np.float64) ** k
        )
        # c x^k of a zero: the function itself
        if x[0] == 0:
            start = dict(zip(FORMS, wide.evaluate(job.row, job.params, x[:1]), strict=True))
            result[form][0] = start[form][0]
    return result


class Job(NamedTuple):
    """One row with parameters (rounded to float32)."""

    id: str
    row: str
    params: dict
    forms: tuple[str, ...]
    variants: tuple[str, ...]


Tallies = dict[str, Tally]  # "form variant" -> tally


def key(form: str, variant: str) -> str:
    return f"{form} {variant}"


def computed(job: Job, variant: Any, x: Array) -> dict[str, Array]:
    with np.errstate(all="ignore"):
        both = dict(zip(FORMS, variant.pair(job.row, job.params, x), strict=True))
    return {form: both[form] for form in job.forms}


def run_unit(job: Job, unit: Unit, load: Any = variants.load) -> Tallies:
    """The tallies of one unit; forms of one variant must agree to the last bit."""
    laws = power_laws(job.row, job.params, unit)
    trivial = all(form in laws for form in job.forms)
    groups: dict[int, list] = {}
    for name in job.variants:
        variant = load(name)
        step = unit.step * (TRIVIAL_STEP if trivial and variant.slow else 1)
        groups.setdefault(step, []).append(variant)
    tallies: Tallies = {}
    for step, members in groups.items():
        before = None
        if unit.start >= step:  # to compare the first result with
            x = unit.floats(unit.start - step, unit.start, step)
            before = {v.name: computed(job, v, x) for v in members}
        for first in range(unit.start, unit.stop, BLOCK * step):
            x = unit.floats(first, min(first + BLOCK * step, unit.stop), step)
            exact = exact_values(job, laws, x)
            results = {v.name: computed(job, v, x) for v in members}
            for form in job.forms:
                judge_block(job, form, unit, x, exact[form], results, before, tallies)
            before = results
        for variant in members:
            agree(job, variant, unit.floats(unit.start, unit.start + 512 * step, step))
    return tallies


def judge_block(
    job: Job, form: str, unit: Unit, x: Array, exact: Array, results: dict,
    before: dict | None, tallies: Tallies,
) -> None:
    with np.errstate(all="ignore"):
        rounded = exact.astype(np.float32)
    up = direction(job.row, job.params, form, unit.negative)
    names = list(results)
    known = min(tallies.setdefault(key(form, n), Tally()).worst for n in names)
    judged: list[tuple[Array, Tally]] = []
    for name in names:
        y = results[name][form]
        bits = bits_of(y)
        tally = next((t for b, t in judged if np.array_equal(b, bits)), None)
        if tally is None:
            tally = judge(x, y, exact, rounded, known)
            if up:
                tally.breaks = breaks(y, up)
            judged.append((bits, tally))
        total = tallies[key(form, name)]
        total.add(tally)
        if up and before is not None:
            total.breaks += breaks(np.array([before[name][form][-1], y[0]]), up)


def breaks(y: Array, up: int) -> int:
    wrong = y[1:] < y[:-1] if up > 0 else y[1:] > y[:-1]
    return int(np.count_nonzero(wrong))


def agree(job: Job, variant: Any, x: Array) -> None:
    """Value and derivative alone are what the pair is."""
    if not hasattr(variant, "single"):
        return
    pair = computed(job, variant, x)
    for form in job.forms:
        with np.errstate(all="ignore"):
            alone = variant.single(job.row, form, job.params, x)
        same = bits_of(alone) == bits_of(pair[form])
        same |= np.isnan(alone) & np.isnan(pair[form])
        if not same.all():
            at = hexadecimal(x[~same][0])
            raise RuntimeError(f"{job.id} {variant.name}: {form} and pair differ at {at}")


def at_infinities(job: Job, name: str, dtype: Any, load: Any = variants.load) -> Tallies:
    """Results at -inf and inf against the limits: the values at the largest numbers."""
    ends = np.array([-np.inf, np.inf], dtype)
    top = np.finfo(dtype).max
    wider = np.float64 if dtype == np.float32 else np.longdouble
    near = wide.evaluate(job.row, job.params, np.array([-top, top]), wider)
    tallies: Tallies = {}
    for form, exact in zip(FORMS, near, strict=True):
        if form not in job.forms:
            continue
        right = np.where(np.abs(exact) > 1e30, np.copysign(np.inf, exact), exact)
        right = np.where(np.abs(exact) < 1e-30, np.copysign(0, exact), right).astype(dtype)
        y = computed(job, load(name), ends)[form]
        wrong = y != right
        tally = Tally(count=2, misrounded=int(np.count_nonzero(wrong)))
        tally.nan = int(np.count_nonzero(np.isnan(y)))
        tally.inf = int(np.count_nonzero(np.isinf(y) != np.isinf(right)))
        tally.zero = int(np.count_nonzero((y == 0) & (bits_of(y) != bits_of(right))))
        if tally.misrounded:
            tally.worst = float("inf")
            tally.at, tally.got = hexadecimal(ends[wrong][0]), hexadecimal(y[wrong][0])
        tallies[key(form, name)] = tally
    return tallies


def named_points(job: Job) -> Array:
    """What a stride must not miss: roots of f', the worst inputs known, and more."""
    points = [reference.points(np.float32)]
    root = reference.root(job.row, job.params)
    if root is not None:
        points.append(reference.around(float(root), np.float32, 500))
    for (row, dtype, _), known in bounds.load().items():
        if row == job.row and dtype == "float32":
            points.append(np.array([float.fromhex(known[1]), float.fromhex(known[3])]))
    return np.unique(np.concatenate(points).astype(np.float32))


def runs() -> list[Unit]:
    """Neighbours in the middle of binades: a stride sees no small step back."""
    starts = [(127 + exponent << 23) + BINADE // 3 for exponent in range(-25, 8)]
    return [Unit(negative, s, s + 1024, 1) for negative in (False, True) for s in starts]


def specials(job: Job, stride: int, load: Any = variants.load) -> Tallies:
    """Infinities, against the limits, and NaNs; with a stride named points and runs too."""
    tallies: Tallies = {}
    for name in job.variants:
        tallies |= at_infinities(job, name, np.float32, load)
    if stride > 1:
        x = named_points(job)
        exact = exact_values(job, {}, x)
        results = {name: computed(job, load(name), x) for name in job.variants}
        for form in job.forms:
            with np.errstate(all="ignore"):
                rounded = exact[form].astype(np.float32)
            for name in job.variants:
                tally = judge(x, results[name][form], exact[form], rounded, 0.0)
                tallies[key(form, name)].add(tally)
        for unit in runs():
            x = unit.floats(unit.start, unit.stop, 1)
            for name in job.variants:
                for form, y in computed(job, load(name), x).items():
                    if up := direction(job.row, job.params, form, unit.negative):
                        tallies[key(form, name)].add(Tally(breaks=breaks(y, up)))
    for first in range(INFINITY + 1, 1 << 31, BLOCK * stride):
        last = min(first + BLOCK * stride, 1 << 31)
        patterns = np.arange(first, last, stride, dtype=np.uint32)
        for sign in (0, 1 << 31):
            x = (patterns | np.uint32(sign)).view(np.float32)
            for name in job.variants:
                for form, y in computed(job, load(name), x).items():
                    tally = tallies[key(form, name)]
                    tally.count += x.size
                    tally.nan += int(np.count_nonzero(~np.isnan(y)))
    return tallies


# ---- Running ----------------------------------------------------------------
def work(task: tuple[int, Job, int, Unit | None, int]) -> tuple[int, int, Tallies]:
    number, job, i, unit, stride = task
    return number, i, specials(job, stride) if unit is None else run_unit(job, unit)


def keep_memory() -> None:
    """Freed blocks stay with the process: fetching their pages anew is slow."""
    try:
        libc = ctypes.CDLL(None)
        libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
        libc.mallopt(-1, (1 << 31) - 1)  # M_TRIM_THRESHOLD
    except (AttributeError, OSError):
        pass


def make_jobs(
    rows: list[str] | None, every: bool, forms: tuple[str, ...], names: tuple[str, ...]
) -> list[Job]:
    return [
        Job(i, row.name, rounded(params, np.float32), forms, names)
        for (row, params), i in zip(CASES, CASE_IDS, strict=True)
        if (rows is None or row.name in rows) and (every or params == params_of(row))
    ]


class State:
    """What is done, in memory and in a file that survives a kill."""

    def __init__(self, path: str | None, setting: dict) -> None:
        self.path, self.setting, self.saved = path, setting, time.monotonic()
        self.done: dict[str, set[int]] = {}
        self.tallies: dict[str, Tallies] = {}
        if path and Path(path).exists():
            old = json.loads(Path(path).read_text())
            if old["setting"] != setting:
                raise SystemExit(
                    f"{path} was begun with other code or options ({old['setting']}, now "
                    f"{setting}): delete it or name another file"
                )
            for i, job in old["jobs"].items():
                self.done[i] = set(job["done"])
                self.tallies[i] = {k: Tally.from_dict(t) for k, t in job["tallies"].items()}

    def add(self, job: str, unit: int, tallies: Tallies) -> None:
        self.done.setdefault(job, set()).add(unit)
        totals = self.tallies.setdefault(job, {})
        for k, tally in tallies.items():
            totals.setdefault(k, Tally()).add(tally)
        if time.monotonic() - self.saved > SAVE_EVERY:
            self.save()

    def save(self) -> None:
        self.saved = time.monotonic()
        if self.path:
            jobs = {
                i: {
                    "done": sorted(done),
                    "tallies": {k: t.to_dict() for k, t in self.tallies[i].items()},
                }
                for i, done in self.done.items()
            }
            write_json(self.path, {"setting": self.setting, "jobs": jobs})


def records_of(job: Job, tallies: Tallies, stride: int) -> Iterator[dict]:
    for form in job.forms:
        for name in job.variants:
            yield record(
                job.row, job.params, np.float32, form, name, tallies[key(form, name)],
                stride=stride,
            )


def run(jobs: list[Job], stride: int, processes: int, state: State) -> Iterator[tuple]:
    """(job, tallies) of each job as it is complete."""
    ranges: list[Unit | None] = [*units(stride), None]
    tasks = [
        (number, job, i, unit, stride)
        for number, job in enumerate(jobs)
        for i, unit in enumerate(ranges)
        if i not in state.done.get(job.id, ())
    ]
    progress = Progress(len(jobs) * len(ranges))
    progress.step("", len(jobs) * len(ranges) - len(tasks))
    pool = None
    keep_memory()
    if processes > 1:
        pool = multiprocessing.get_context("fork").Pool(processes, keep_memory)
    try:
        for job in jobs:
            if len(state.done.get(job.id, ())) == len(ranges):
                yield job, state.tallies[job.id], progress
        finished = pool.imap_unordered(work, tasks) if pool else map(work, tasks)
        for number, i, tallies in finished:
            job = jobs[number]
            state.add(job.id, i, tallies)
            progress.step(job.id)
            if len(state.done[job.id]) == len(ranges):
                yield job, state.tallies[job.id], progress
    finally:
        state.save()
        progress.stop()
        if pool:
            pool.terminate()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", nargs="+", metavar="ROW", help="default: all")
    parser.add_argument("--all-params", action="store_true", help="the samples too")
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=FORMS)
    found = variants.available()
    parser.add_argument("--variants", nargs="+", choices=found, default=found)
    parser.add_argument("--stride", type=int, default=1, help="every Nth bit pattern")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--resume", metavar="FILE", help="keep the state there")
    parser.add_argument("--json", metavar="FILE", help="write the results there")
    args = parser.parse_args()
    forms = tuple(f for f in FORMS if f in args.forms)
    jobs = make_jobs(args.rows, args.all_params, forms, tuple(args.variants))
    if not jobs:
        parser.error(f"no such row: {args.rows}")
    setting = {
        "code": variants.fingerprint(), "stride": args.stride, "forms": list(forms),
        "variants": list(args.variants),
    }
    state = State(args.resume, setting)
    print(HEADER, flush=True)
    records = []
    try:
        for job, tallies, progress in run(jobs, args.stride, args.processes, state):
            for r in records_of(job, tallies, args.stride):
                records.append(r)
                progress.print(line(r))
    except KeyboardInterrupt:
        print("interrupted" + (f"; {args.resume} goes on from here" if args.resume else ""))
        return 130
    return finish(records, args.json, **setting)


if __name__ == "__main__":
    sys.exit(main())
