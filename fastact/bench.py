"""``fastact bench``: the speed of fastact beside other libraries, and their accuracy.

    fastact bench --names sigmoid gelu --json results.json --chart results.svg
    fastact bench --from results.json

Everything runs in one process.  In each round all take their turn, and a ratio is the
median over the rounds of the time of fastact by that of the other, so that a slow spell
of the machine hits both.  Everybody gets the same number of threads.

Needs the libraries that it is to measure, and mpmath for their accuracy
(``pip install 'fastact[bench]'``); those that are missing are left out.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
import timeit
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import fastact

from . import _backend, _bench_report, _catalog, _config, _peers, _registry, plotting
from ._catalog import Choice, WrongArgument
from ._peers import Array, Call, Peer
from ._progress import Progress
from ._registry import AxisRow

__all__: list[str] = []

WHERE = "fastact bench"
DTYPES = ("float32", "float64")
#: measured if it is asked for: not every library has it
HALF = "float16"
FORMS = ("value", "pair", "backward")
SIZES = (1, 16, 256, 4096, 65_536, 1_048_576, 16_777_216)
#: of softmax and its kind, along the last axis
SHAPES = ((1024, 1024), (8, 50_257), (65_536, 16))
#: what is measured when nothing is named, in a few minutes
NAMES = ("sigmoid", "tanh", "relu", "leaky_relu", "gelu", "silu", "softplus", "softmax")
DEFAULTS: dict[str, Any] = {
    "sizes": SIZES, "shapes": SHAPES, "dtypes": DTYPES, "rounds": 5, "sample_time": 0.002,
}
QUICK: dict[str, Any] = {
    "sizes": [16, 4096, 65_536], "shapes": [(64, 1024)], "dtypes": DTYPES[:1],
    "rounds": 3, "sample_time": 0.0005,
}

#: from here on memory is the limit, and np.copyto the yardstick
MEMORY = SIZES[-1]
#: up to here the call is, and np.tanh the yardstick
OVERHEAD = 64

#: with several threads, seconds before each turn: those of the one before may still
#: spin, waiting for more work
PAUSE = 0.005

#: the result in a new array, in a given one, in the input
NEW, OUT, IN_PLACE = "new", "out", "in place"


class Task(NamedTuple):
    """What is measured at once: of one function, all libraries and modes."""

    what: Choice | AxisRow
    form: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def name(self) -> str:
        return self.what.label if isinstance(self.what, Choice) else self.what.name

    @property
    def row(self) -> str:
        return self.what.formula if isinstance(self.what, Choice) else self.what.name


# ---- What is called ---------------------------------------------------------
def data(shape: tuple[int, ...], dtype: str, seed: int = 0) -> Array:
    """Normal numbers, sigma 2; a long array repeats 65,536 of them."""
    block = np.random.default_rng(seed).normal(0, 2, 65_536).astype(dtype)
    return np.resize(block, shape)


def having(peers: dict[str, Peer], dtype: str) -> dict[str, Peer]:
    """Those of the peers that compute in the dtype."""
    return {name: peer for name, peer in peers.items() if dtype in DTYPES or peer.half}


def calls(task: Task, peers: dict[str, Peer]) -> dict[tuple[str, str], Call]:
    """(who, mode) -> call, of fastact, of the peers that can, and of yardsticks."""
    peers = having(peers, task.dtype)
    x, g = data(task.shape, task.dtype), data(task.shape, task.dtype, 1)
    if isinstance(task.what, AxisRow):
        return _axis_calls(task.what, task.form, peers, x, g)
    found: dict[tuple[str, str], Call | None] = {}
    out = (np.zeros_like(x), np.zeros_like(x))
    for name, peer in peers.items():
        if task.form == "value":
            found[name, NEW] = peer.value(task.what, x)
            found[name, OUT] = peer.value(task.what, x, out[0])
        else:
            found[name, NEW] = peer.pair(task.what, x, g)
            found[name, OUT] = peer.pair(task.what, x, g, out)
    ours = peers["fastact"]
    if task.form == "pair":
        found["value", NEW] = ours.value(task.what, x)
        found["value", OUT] = ours.value(task.what, x, out[0])
    elif x.size <= OVERHEAD:
        names = {"tanh": np.tanh, "x": x, "out": out[0]}
        found["np.tanh", NEW] = Call("tanh(x)", names)
        found["np.tanh", OUT] = Call("tanh(x, out=out)", names)
    elif x.size >= MEMORY:
        assert isinstance(ours, _peers.FastAct)
        found["fastact", IN_PLACE] = ours.in_place(task.what, x.copy(), x)
        names = {"copyto": np.copyto, "x": x, "out": out[0]}
        found["np.copyto", OUT] = Call("copyto(out, x)", names)
    return {key: call for key, call in found.items() if call is not None}


def _axis_calls(
    row: AxisRow, form: str, peers: dict[str, Peer], x: Array, g: Array
) -> dict[tuple[str, str], Call]:
    y = getattr(fastact, row.name)(x)
    if row.reduces:
        g = np.ascontiguousarray(g[..., 0])
    out = np.zeros_like(y if form == "value" else x)
    found = {}
    for name, peer in peers.items():
        for mode, to in ((NEW, None), (OUT, out)):
            if form == "value":
                call = peer.axis_value(row.name, x, to)
            else:
                call = peer.axis_backward(row.name, g, x, y, to)
            if call is not None:
                found[name, mode] = call
    return found


# ---- How it is timed --------------------------------------------------------
class Samples(NamedTuple):
    """(who, mode) -> seconds per call in each round, and the cores that it kept busy.

    Whoever ran for less than a millisecond is not in ``cores``: too short to tell.
    """

    seconds: dict[tuple[str, str], list[float]]
    cores: dict[tuple[str, str], float]


def sample(
    statements: dict[tuple[str, str], Call], rounds: int, sample_time: float,
    threads: int = 1,
) -> Samples:
    """Time all of them in alternation; one sample takes about ``sample_time`` seconds."""
    timers, numbers = {}, {}
    for key, call in statements.items():
        timer = timeit.Timer(call.text, call.setup or "pass", globals=call.names)
        timers[key] = timer
        numbers[key] = 1 if call.setup else _count(timer, sample_time)
        if call.setup:
            timer.timeit(1)
    seconds: dict[tuple[str, str], list[float]] = {key: [] for key in timers}
    wall, busy = dict.fromkeys(timers, 0.0), dict.fromkeys(timers, 0.0)
    for i in range(rounds):
        for key in list(timers)[:: -1 if i % 2 else 1]:
            if threads > 1:
                time.sleep(PAUSE)
                timers[key].timeit(1)  # (wakes up its own)
            wall_start, busy_start = time.perf_counter(), time.process_time()
            seconds[key].append(timers[key].timeit(numbers[key]) / numbers[key])
            busy[key] += time.process_time() - busy_start
            wall[key] += time.perf_counter() - wall_start
    cores = {key: busy[key] / wall[key] for key in timers if wall[key] >= 0.001}
    return Samples(seconds, cores)


def _count(timer: timeit.Timer, sample_time: float) -> int:
    """How many calls take ``sample_time``."""
    number, took = 1, min(timer.timeit(1), timer.timeit(1))
    while took < sample_time / 2:
        number = max(2 * number, int(number * sample_time / max(took, 1e-9) / 2))
        took = timer.timeit(number)
    return max(1, round(number * sample_time / took))


def compared(seconds: dict[tuple[str, str], list[float]]) -> dict[str, dict[str, float]]:
    """mode -> rival -> median over the rounds of fastact / rival.

    A rival that lacks the mode takes part with the one that it has, but for
    yardsticks, and in place.
    """
    rivals = list(dict.fromkeys(who for who, _ in seconds if who != "fastact"))
    found: dict[str, dict[str, float]] = {}
    for who, mode in seconds:
        if who != "fastact":
            continue
        found[mode] = {}
        for rival in rivals:
            theirs = seconds.get((rival, mode))
            if theirs is None and (rival in _peers.PEERS) != (mode == IN_PLACE):
                theirs = seconds.get((rival, OUT)) or seconds.get((rival, NEW))
            if theirs is not None:
                pairs = zip(seconds[who, mode], theirs, strict=True)
                found[mode][rival] = statistics.median(a / b for a, b in pairs)
    return found


def measure(
    task: Task, peers: dict[str, Peer], rounds: int, sample_time: float, threads: int
) -> dict[str, Any]:
    """One result, as it stands in the JSON file."""
    with np.errstate(all="ignore"):
        samples = sample(calls(task, peers), rounds, sample_time, threads)
    times: dict[str, dict[str, float]] = {}
    cores: dict[str, float] = {}
    for (who, mode), values in samples.seconds.items():
        times.setdefault(who, {})[mode] = statistics.median(values)
    for (who, _), busy in samples.cores.items():
        cores[who] = max(cores.get(who, 0.0), round(busy, 2))
    return {
        "name": task.name, "row": task.row, "form": task.form, "dtype": task.dtype,
        "shape": list(task.shape), "times": times, "ratios": compared(samples.seconds),
        "cores": cores,
    }


# ---- How accurate they are --------------------------------------------------
#: inputs of this magnitude count as usual: nearly all those that are timed
USUAL = 8.0


def points(dtype: str) -> Array:
    """Inputs of both signs: usual ones, small ones, and out to where results vanish."""
    rng = np.random.default_rng(5)
    edge = {"float16": 20, "float32": 110, "float64": 760}[dtype]
    x = np.concatenate([
        rng.uniform(0, USUAL, 90), 2.0 ** rng.uniform(-30, 0, 30), rng.uniform(USUAL, edge, 30)
    ])
    return np.concatenate([x, -x]).astype(dtype)


class Accuracy:
    """Largest errors of everybody, in ULP, on a sample, judged by mpmath."""

    def __init__(self, peers: dict[str, Peer]) -> None:
        from . import _reference

        self.reference: Any = _reference
        self.peers = peers

    def __call__(
        self, what: Choice | AxisRow, form: str, dtype: str
    ) -> list[dict[str, Any]]:
        """A record for each peer that has the function.

        A pair is judged by its derivative: its value is that of the form "value".
        """
        x = points(dtype)
        exact: Sequence[Any] = ()
        found = []
        for name, peer in having(self.peers, dtype).items():
            call = _accuracy_call(peer, what, form, x)
            if call is None:
                continue
            if not exact:
                exact, units = self._exact(what, form, x)
            with np.errstate(all="ignore"):
                computed = peer.arrays(call.result())[-1].ravel()
            errors = np.array([
                self._error(y, value, unit)
                for y, value, unit in zip(computed, exact, units, strict=True)
            ])
            usual = errors
            if isinstance(what, Choice):
                usual = errors[np.abs(x) <= USUAL]
            found.append({
                "name": what.label if isinstance(what, Choice) else what.name,
                "form": form, "dtype": dtype, "peer": name,
                "worst": float(errors.max()), "usual": float(usual.max()),
            })
        return found

    def _exact(self, what: Choice | AxisRow, form: str, x: Array) -> tuple[list, list]:
        """Exact values, and the number whose ULP is the unit of each error."""
        if isinstance(what, AxisRow):
            return self._axis_exact(what, form, x)
        text = what.row.formula if form == "value" else what.row.derivative
        values = [self.reference.evaluate(text, x=v, **what.params) for v in x]
        return values, values

    def _axis_exact(self, row: AxisRow, form: str, x: Array) -> tuple[list, list]:
        """In a backward pass the unit is that of the largest term (as in _bounds.py)."""
        mp = self.reference.mp
        values: list[Any] = []
        units: list[Any] = []
        x, g = _axis_points(row, x)
        with mp.workprec(2000):
            for i, line in enumerate(x):
                big = mp.mpf(float(line.max()))
                powers = [mp.exp(mp.mpf(float(v)) - big) for v in line]
                total = mp.fsum(powers)
                soft = [p / total for p in powers]
                if form == "value":
                    log = big + mp.log(total)
                    own = {
                        "softmax": soft, "logsumexp": [log],
                        "log_softmax": [mp.mpf(float(v)) - log for v in line],
                    }[row.name]
                    values += own
                    units += own
                    continue
                if row.reduces:
                    own = [mp.mpf(float(g[i])) * p for p in soft]
                    values += own
                    units += own
                    continue
                gs = [mp.mpf(float(v)) for v in g[i]]
                weights = soft if row.name == "softmax" else [mp.mpf(1)] * len(soft)
                dot = mp.fsum(a * w for a, w in zip(gs, weights, strict=True))
                most = mp.fsum(abs(a * w) for a, w in zip(gs, weights, strict=True))
                for a, p in zip(gs, soft, strict=True):
                    inner = row.name == "softmax"
                    values.append(p * (a - dot) if inner else a - p * dot)
                    units.append(p * (abs(a) + most) if inner else abs(a) + p * most)
        return values, units

    def _error(self, computed: Any, exact: Any, unit: Any) -> float:
        if unit is exact:
            return self.reference.error(computed, exact)
        if not math.isfinite(computed):
            return math.inf
        mp = self.reference.mp
        size = self.reference.ulp_of(unit, computed.dtype)
        return float(abs(mp.mpf(float(computed)) - exact) / size)


def _axis_points(row: AxisRow, x: Array) -> tuple[Array, Array]:
    """Rows of usual inputs, of them twice as far apart, of all; and a gradient."""
    usual = x[np.abs(x) <= USUAL][:40]
    rows = np.stack([usual, 2 * usual[::-1], x[::6][:40]])
    g = np.cos(np.arange(rows.size)).astype(x.dtype).reshape(rows.shape)
    return rows, g[:, 0].copy() if row.reduces else g


def _accuracy_call(
    peer: Peer, what: Choice | AxisRow, form: str, x: Array
) -> Call | None:
    """The call that is timed, on the sample; with a new result if it can."""
    if isinstance(what, Choice):
        if form == "value":
            return peer.value(what, x) or peer.value(what, x, np.empty_like(x))
        return peer.pair(what, x, np.ones_like(x))
    x, g = _axis_points(what, x)
    if form == "value":
        return peer.axis_value(what.name, x)
    return peer.axis_backward(what.name, g, x, getattr(fastact, what.name)(x))


# ---- The command ------------------------------------------------------------
def chosen(names: Sequence[str]) -> list[Choice | AxisRow]:
    """What the names of the command line stand for; "all" is every row."""
    axis = {row.name: row for row in _registry.AXIS_ROWS}
    found: list[Choice | AxisRow] = []
    for name in names:
        if name == "all":
            found += [_catalog.of_row(row) for row in _registry.ROWS]
            found += axis.values()
        elif name in axis:
            found.append(axis[name])
        elif name in fastact.ACTIVATIONS and name in _catalog.elementwise():
            found.append(_catalog.with_samples(name))
        else:
            found.append(_catalog.choose(WHERE, name))
    return found


def tasks(args: argparse.Namespace, what: Iterable[Choice | AxisRow]) -> Iterator[Task]:
    for one in what:
        axis = isinstance(one, AxisRow)
        if args.only and args.only != ("axis" if axis else "elementwise"):
            continue
        shapes = args.shapes if axis else [(size,) for size in args.sizes]
        for dtype in args.dtypes:
            for form in args.forms:
                if form != ("pair" if axis else "backward"):
                    yield from (Task(one, form, dtype, shape) for shape in shapes)


def _size(text: str) -> int:
    """4096, 4k or 1M."""
    units = {"k": 1024, "M": 1024**2}
    unit = units.get(text[-1:], 1)
    size = int(text[:-1] if unit > 1 else text) * unit
    if size < 1:
        raise ValueError
    return size


def _shape(text: str) -> tuple[int, ...]:
    """8x1024."""
    rows, columns = (_size(part) for part in text.split("x"))
    return rows, columns


_size.__name__ = "size (like 4096, 64k or 1M)"  # what argparse says it takes
_shape.__name__ = "shape (like 8x1024)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``fastact bench``."""
    add = parser.add_argument
    add("--names", nargs="+", metavar="NAME", default=list(NAMES),
        help="activations, with parameters after a colon, or all; default: "
             + " ".join(NAMES))
    add("--sizes", nargs="+", type=_size, metavar="N",
        help="numbers of elements, like 4096, 64k or 1M; default: 1 to 16M")
    add("--shapes", nargs="+", type=_shape, metavar="RxC",
        help="of softmax and its kind, along the last axis; default: "
             + " ".join(f"{r}x{c}" for r, c in SHAPES))
    add("--dtypes", nargs="+", choices=(*DTYPES, HALF), help="default: float32 float64")
    add("--forms", nargs="+", choices=FORMS, default=list(FORMS),
        help="pair: value and derivative; backward: of softmax and its kind; default: all")
    add("--peers", nargs="*", choices=list(_peers.PEERS), metavar="PEER",
        help="other libraries, of " + " ".join(_peers.PEERS) + "; default: those installed")
    add("--only", choices=("elementwise", "axis"), help="leave out the other kind")
    add("--threads", type=_catalog.number(1, int), default=1, metavar="N",
        help="of everybody; default: %(default)s")
    add("--isa", choices=_peers.ISAS,
        help="keep everybody to the instructions of such a CPU (v3: AVX2 and FMA, v4: "
             "AVX-512), by what their own switches allow; who has none is left out")
    add("--rounds", type=_catalog.number(1, int), metavar="N",
        help=f"turns that everybody takes; default: {DEFAULTS['rounds']}")
    add("--sample-time", type=_catalog.number(0, float), metavar="SECONDS",
        help=f"of one turn, about; default: {DEFAULTS['sample_time']}")
    add("--quick", action="store_true",
        help="other defaults, for half a minute: float32, few sizes and rounds")
    add("--json", type=Path, metavar="FILE", help="write the results there")
    add("--chart", type=Path, metavar="FILE",
        help="draw them (png, svg, ...; needs fastact[plot])")
    add("--from", dest="source", type=Path, metavar="FILE",
        help="measure nothing, show the results of an earlier --json")


def run(args: argparse.Namespace) -> int:
    """``fastact bench``."""
    if args.chart:  # (what cannot be written is known before minutes of measuring)
        plotting.check_path(args.chart)
    for path in filter(None, (args.json, args.chart)):
        path.open("a").close()
    if args.source:
        report = _bench_report.load(WHERE, args.source)
        print("\n".join(_bench_report.heading(report)))
        print("\n".join(_bench_report.table(report)))
    elif args.isa and _peers.environment(args.isa) != dict(os.environ):
        return _restarted(args)
    else:
        report = _measured(args)
    print("\n".join(_bench_report.summary(report)))
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if args.chart:
        _bench_report.save_chart(report, args.chart)
        print(args.chart)
    return 0


def _restarted(args: argparse.Namespace) -> int:
    """The command in a new process, whose libraries find their switches as they load."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        raise WrongArgument(WHERE, "--isa: this CPU has other instructions than x86-64")
    if args.isa not in _backend.ISAS:
        can = ", ".join(_backend.ISAS) or "none"
        raise WrongArgument(
            WHERE, f"--isa {args.isa}: what fastact can run in this build on this CPU: {can}"
        )
    sys.stdout.flush()
    code = (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "from fastact._cli import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, *args.argv]
    return subprocess.run(command, env=_peers.environment(args.isa)).returncode


def _measured(args: argparse.Namespace) -> dict[str, Any]:
    """Measure what is asked for, print each table when it is full, return the report."""
    for name, value in (QUICK if args.quick else DEFAULTS).items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    todo = list(tasks(args, chosen(args.names)))
    if not todo:
        raise WrongArgument(WHERE, "nothing to measure: names, forms and --only exclude it")
    report, peers = _prepared(args)
    print("\n".join(_bench_report.heading(report)))
    accuracy = _accuracy(peers)
    progress = Progress(len(todo))
    try:
        for i, task in enumerate(todo):
            about = " ".join(
                [task.name, task.form, task.dtype, _bench_report.shape_text(task.shape)]
            )
            progress.step(about, 0)
            if i == 0 or task[:3] != todo[i - 1][:3]:
                first = len(report["results"])
                report["accuracy"] += accuracy(task.what, task.form, task.dtype)
            report["results"].append(
                measure(task, peers, args.rounds, args.sample_time, args.threads)
            )
            progress.step(about)
            if i + 1 == len(todo) or task[:3] != todo[i + 1][:3]:
                block = {**report, "results": report["results"][first:]}
                progress.print("\n".join(_bench_report.table(block)))
    finally:
        progress.stop()
    return report


def _prepared(args: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Peer]]:
    """The report without results, and everybody who takes part."""
    ours = _peers.FastAct(args.threads)
    asked = list(_peers.PEERS) if args.peers is None else list(dict.fromkeys(args.peers))
    found, missing = _peers.load(asked, args.threads, args.isa)
    if args.peers and missing:
        raise ImportError("; ".join(missing.values()))
    peers: dict[str, Peer] = {"fastact": ours, **found}
    config = _config.get_config()
    report = {
        "cpu": _config.cpu(), **config, "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": args.threads, "rounds": args.rounds, "sample_time": args.sample_time,
        "versions": {name: peer.version for name, peer in found.items()},
        "missing": missing, "switches": _peers.switches(args.isa) if args.isa else {},
        "accuracy": [], "results": [],
    }
    return report, peers


def _accuracy(peers: dict[str, Peer]) -> Callable[..., list[dict[str, Any]]]:
    try:
        return Accuracy(peers)
    except ImportError as error:
        print(f"accuracy: not measured: {error}")
        return lambda *_: []


if __name__ == "__main__":
    from ._cli import main

    sys.exit(main(["bench", *sys.argv[1:]]))
