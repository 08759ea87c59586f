"""float64 kernels, and softmax and its kin in both types: a search for large errors.

    python tools/sample64.py --seconds 30 --all-params --processes 2 --json sample64.json
    python tools/sample64.py --seconds 2 --rows gelu softmax

Elementwise: random inputs of every binade, the subnormals, the edges of ranges and
the roots of derivatives, judged by tools/wide.py in longdouble (2^-58); then the
neighbourhoods of the worst inputs, at several scales, again and again; the worst of
all that by the textbook definition in many digits.  Shares and counts are those of
the random inputs.  Needs longdouble with 64 bits.

softmax, log_softmax, logsumexp: rows of 1 to a million elements, in longdouble.  The
error of a backward pass is in ULP of its largest term: what is left of terms that
cancel has no bound of its own.

The same table and exit status as tools/sweep.py.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np
import sweep
import variants
import wide
from results import FORMS, HEADER, Progress, finish, line, record
from ulp import Tally, error, floats_of, hexadecimal, judge, order_of, ulp

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
import reference
from cases import CASE_IDS, CASES, params_of, rounded

from fastact import _registry

Array = np.ndarray
BLOCK = 1 << 13
KEEP = 24  # worst inputs per form and variant
VERIFY = 12  # of them, by the textbook
AXIS = [row.name for row in _registry.AXIS_ROWS]

#: where kernels change from one piece to the next, or end
EDGES = np.array([
    0.126, 0.25, 0.4246, 0.5, 0.7, 0.75, 0.9, 1, 1.0789, 1.5, 2, 3, 5, 6, 14, 15, 20, 21, 21.6,
    38, 38.6, 39, 40, 80, 120, 300, 350, 354, 372.5, 380, 690, 698, 700, 708, 708.4, 709.8,
    710, 735, 745, 745.13, 746, 750, 760, 800, 1400, 2.0**26, 2.0**27, 2.0**52, 2.0**53,
    2.0**400, 2.0**511,
])


class Task(NamedTuple):
    row: str
    params: dict
    names: tuple[str, ...]
    seconds: float


def special_points(task: Task) -> Array:
    """Edges of reductions and pieces, roots, powers of two, and their neighbours."""
    halves = np.arange(1, 2200) * (np.log(2) / 2)
    middles = [EDGES, halves[:64], halves[::16]]
    middles += [np.abs(float(v)) for v in task.params.values()]
    exact = reference.root(task.row, task.params)
    if exact is not None:
        middles.append(np.abs(float(exact)))
    beta = np.abs(float(task.params.get("beta", 1.702 if task.row == "quick_gelu" else 1)))
    middles.append(np.concatenate([EDGES, halves[:64], halves[::16]]) / beta)
    flat = np.concatenate([np.atleast_1d(m).ravel() for m in middles]).astype(np.float64)
    order = order_of(flat)[:, None] + np.arange(-3, 4)
    return floats_of(order.ravel(), np.float64)


def random_points(rng: np.random.Generator, specials: Array) -> Array:
    """A block of inputs from all of the above."""
    part = BLOCK // 8
    exponents = np.concatenate([
        rng.integers(-1074, 1024, part), rng.integers(-60, 11, 2 * part),
    ])
    near = rng.choice(specials, part)
    x = np.concatenate([
        np.ldexp(1 + rng.random(3 * part), exponents),
        rng.uniform(0, 800, 2 * part),
        rng.uniform(0, 8, part), rng.uniform(0, 40, part),
        near * (1 + rng.choice([-1, 1], part) * 2.0 ** -rng.uniform(2, 52, part)),
    ])
    x = np.where(np.isfinite(x), x, 1.0)
    return x * rng.choice([-1.0, 1.0], x.size)


def neighbours(rng: np.random.Generator, x: Array, count: int) -> Array:
    """Inputs around each of ``x``: a few floats off, or by any relative distance."""
    sign = rng.choice([-1, 1], (x.size, count))
    steps = 2.0 ** rng.uniform(0, 46, (x.size, count))
    steps[:, : count // 4] = rng.integers(1, 64, (x.size, count // 4))
    order = order_of(x)[:, None] + (sign * steps).astype(np.int64)
    return floats_of(order.ravel(), np.float64)


class Search:
    """The worst inputs so far, of each form and variant."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.job = sweep.Job(task.row, task.row, task.params, FORMS, task.names)
        self.best: dict[str, tuple[Array, Array]] = {}
        self.tallies: dict[str, Tally] = {}

    def try_out(self, x: Array, count: bool) -> None:
        task = self.task
        exact = wide.evaluate(task.row, task.params, x, np.longdouble)
        for name in task.names:
            found = sweep.computed(self.job, variants.load(name), x)
            for form, w in zip(FORMS, exact, strict=True):
                k = sweep.key(form, name)
                errors = error(found[form], w).astype(np.float64)
                old_x, old_e = self.best.get(k, (x[:0], errors[:0]))
                top = np.argpartition(errors, -KEEP)[-KEEP:]
                both_x = np.concatenate([old_x, x[top]])
                both_e = np.concatenate([old_e, errors[top]])
                both_x, unique = np.unique(both_x, return_index=True)
                order = np.argsort(both_e[unique])[-KEEP:]
                self.best[k] = both_x[order], both_e[unique][order]
                if count:
                    with np.errstate(all="ignore"):
                        near = w.astype(np.float64)
                    tally = judge(x, found[form], w, near, 1.0)
                    self.tallies.setdefault(k, Tally()).add(tally)

    def verify(self) -> None:
        """The worst of each by the textbook: only that counts as an error."""
        row = _registry.BY_NAME[self.task.row]
        texts = {"value": row.formula, "derivative": row.derivative}
        known: dict[tuple, mp.mpf] = {}
        for k, (x, _) in self.best.items():
            form, name = k.split()
            tally = self.tallies[k]
            tally.worst, tally.at, tally.got = 0.0, "0x0p+0", ""
            x = x[-VERIFY:]
            found = sweep.computed(self.job, variants.load(name), x)[form]
            for xi, y in zip(x, found, strict=True):
                if (form, xi) not in known:
                    known[form, xi] = reference.evaluate(
                        texts[form], x=xi, **self.task.params
                    )
                e = reference.error(y, known[form, xi])
                if e >= tally.worst:
                    tally.worst, tally.at, tally.got = e, hexadecimal(xi), hexadecimal(y)


def elementwise(task: Task) -> list[dict]:
    end = time.monotonic() + 0.9 * task.seconds
    rng = np.random.default_rng(11)
    search = Search(task)
    specials = special_points(task)
    middle = reference.points(np.float64, dense=2000)
    for x in (specials, -specials, middle):
        search.try_out(x[np.isfinite(x)], count=True)
    climb = False
    while time.monotonic() < end:
        if climb:
            worst = np.unique(np.concatenate([x[-8:] for x, _ in search.best.values()]))
            x = neighbours(rng, worst, max(8, BLOCK // worst.size))
            search.try_out(x[np.isfinite(x)], count=False)
        else:
            search.try_out(random_points(rng, specials), count=True)
        climb = not climb
    search.verify()
    for name in task.names:
        nan = sweep.computed(search.job, variants.load(name), np.array([np.nan]))
        for k, tally in sweep.at_infinities(search.job, name, np.float64).items():
            search.tallies[k].add(tally)
            search.tallies[k].nan += not np.isnan(nan[k.split()[0]][0])
    return [
        record(task.row, task.params, np.float64, form, name,
               search.tallies[sweep.key(form, name)])
        for form in FORMS for name in task.names
    ]


# ---- Along an axis ----------------------------------------------------------
def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def axis_exact(name: str, x: Array) -> Array:
    """The row function in longdouble."""
    w = x.astype(np.longdouble)
    top = int(np.argmax(w))
    d, low = two_sum(w, -w[top])
    e = np.exp(d)
    e += e * np.clip(low, -0.5, 0.5)
    rest = e.copy()
    rest[top] = 0
    others = rest.sum()
    if name == "softmax":
        return e / (1 + others)
    log = np.log1p(others)
    if name == "log_softmax":
        return (d - log) + low
    return np.array([w[top] + log])


def log_sum_exact(x: Array) -> Array:
    """logsumexp in many digits."""
    with mp.workprec(400):
        exact = mp.log(mp.fsum(mp.exp(mp.mpf(float(v))) for v in x))
        high = np.longdouble(mp.nstr(exact, 30))
    return np.array([high])


def axis_backward_exact(name: str, g: Array, x: Array) -> tuple[Array, Array]:
    """The gradient at x, and its largest term."""
    a, p = g.astype(np.longdouble), axis_exact("softmax", x)
    if name == "softmax":
        both = a * p
        return p * (a - both.sum()), p * (np.abs(a) + np.abs(both).sum())
    if name == "log_softmax":
        return a - p * a.sum(), np.abs(a) + p * np.abs(a).sum()
    return a * p, np.abs(a * p)


def axis_rows(rng: np.random.Generator, dtype: Any, longest: int) -> Array:
    """One row: any length, one of several kinds of spread."""
    n = int(min(2 ** rng.uniform(0, 20), longest))
    kind = rng.integers(8)
    scale = 10 ** rng.uniform(-3, 2.5)
    x = rng.normal(0, 1, n) * scale
    if kind == 1:
        x = rng.uniform(-800 if dtype == np.float64 else -110, 0, n)
    elif kind == 2:
        x[rng.integers(n)] += 20 * scale  # one element has nearly all
    elif kind == 3:
        x += rng.normal(0, 1e4)  # far from 0
    elif kind == 4:
        x = np.full(n, scale)
    elif kind == 5:
        x = np.round(x)  # ties
    elif kind == 6:
        x = -rng.exponential(scale, n)
    elif kind == 7:  # probabilities, almost: logsumexp is next to 0
        x = x[:2000] - float(axis_exact("logsumexp", x[:2000])[0])
        x += rng.choice([0, 10 ** rng.uniform(-16, -1)])
    return x.astype(dtype)


def axis(task: Task) -> list[dict]:
    """(row, both types, value and backward) within the time."""
    records = []
    for dtype in (np.float32, np.float64):
        tallies: dict[str, Tally] = {}
        rng = np.random.default_rng(13)
        end = time.monotonic() + task.seconds / 2
        longest = 1_000_000
        while time.monotonic() < end:
            axis_one(task, axis_rows(rng, dtype, longest), rng, tallies)
        records += [
            record(task.row, {}, dtype, form, name, tallies[sweep.key(form, name)])
            for form in ("value", "backward") for name in task.names
        ]
    return records


def axis_one(task: Task, x: Array, rng: np.random.Generator, tallies: dict) -> None:
    exact = axis_exact(task.row, x)
    dtype = x.dtype.type
    near = exact.astype(dtype)
    reduces = exact.size < x.size or task.row == "logsumexp"
    cancels = reduces and 2 * abs(exact[0]) < abs(exact[0] - x.max())
    near_0 = reduces and abs(exact[0]) < 2.0**-9 * np.abs(x).max()
    if near_0:  # the largest element and the logarithm cancel: beyond longdouble
        if x.size > 2000:
            return
        exact = log_sum_exact(x)
        near = exact.astype(dtype)
    g = rng.normal(0, 1, 1 if reduces else x.size).astype(dtype)
    gradient, term = axis_backward_exact(task.row, g, x)
    for name in task.names:
        if cancels and name == "numpy":
            continue  # it promises nothing there
        variant = variants.load(name)
        total = tallies.setdefault(sweep.key("value", name), Tally())
        tally = judge(near, variant.axis(task.row, x), exact, near, 0.0)
        tally.at = f"row of {x.size}"  # no other witness of a row
        tally.zero = 0  # no sign is promised here
        total.add(tally)
        got = variant.axis_backward(task.row, g, x)
        tally = Tally(count=x.size, at=f"row of {x.size}")
        tally.misrounded = int(np.count_nonzero(got != gradient.astype(dtype)))
        tally.nan = int(np.count_nonzero(np.isnan(got)))
        own = np.abs(got.astype(np.longdouble) - gradient)
        tally.worst = float((own / ulp(term, dtype)).max())
        tallies.setdefault(sweep.key("backward", name), Tally()).add(tally)


def work(task: Task) -> list[dict]:
    return axis(task) if task.row in AXIS else elementwise(task)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", nargs="+", metavar="ROW", help="default: all")
    parser.add_argument("--all-params", action="store_true", help="the samples too")
    found = variants.available()
    parser.add_argument("--variants", nargs="+", choices=found, default=found)
    parser.add_argument("--seconds", type=float, default=10, help="for each function")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--json", metavar="FILE", help="write the results there")
    args = parser.parse_args()
    if np.finfo(np.longdouble).nmant != 63:
        parser.error("needs a longdouble of 64 bits, which this platform has not")
    names = tuple(args.variants)
    tasks = [
        Task(row.name, rounded(params, np.float64), names, args.seconds)
        for (row, params), _ in zip(CASES, CASE_IDS, strict=True)
        if args.all_params or params == params_of(row)
    ] + [Task(name, {}, names, args.seconds) for name in AXIS]
    tasks = [t for t in tasks if args.rows is None or t.row in args.rows]
    if not tasks:
        parser.error(f"no such row: {args.rows}")
    print(HEADER, flush=True)
    sweep.keep_memory()
    progress, records, pool = Progress(len(tasks)), [], None
    if args.processes > 1:
        pool = multiprocessing.get_context("fork").Pool(args.processes, sweep.keep_memory)
    for done in pool.imap(work, tasks) if pool else map(work, tasks):
        for r in done:
            records.append(r)
            progress.print(line(r))
        progress.step(done[0]["row"])
    progress.stop()
    if pool:
        pool.terminate()
    return finish(records, args.json, code=variants.fingerprint(), seconds=args.seconds)


if __name__ == "__main__":
    sys.exit(main())
