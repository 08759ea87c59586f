"""What ``fastact bench`` shows of its results: tables, goals, a chart."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import _peers, plotting
from ._catalog import WrongArgument

Report = dict[str, Any]
Result = dict[str, Any]

TITLES = {name: peer.title for name, peer in _peers.PEERS.items()}
#: who is no library and stands in the last column
YARDSTICKS = ("np.tanh", "np.copyto", "value")

LEGEND = """\
Below the names: the time of fastact by theirs, as a median over the rounds.
!  fastact is slower        *  they allocate the result, and fastact writes into a given one
+  they write into a given result, and fastact allocates it
beside: np.tanh on as many elements, np.copyto, or for pairs fastact's own value alone
max ULP: largest error found in the last place, over the whole range and where |x| <= 8;
of a pair, that of the derivative: compare times only where these compare."""


def load(where: str, path: Path) -> Report:
    """A file that ``--json`` wrote."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        if not {"results", "accuracy", "versions"} <= report.keys():
            raise ValueError("not all parts are there")
    except (ValueError, AttributeError) as error:
        raise WrongArgument(
            where, f"{path} is not a file that fastact bench --json wrote ({error})"
        ) from None
    return report


# ---- Text -------------------------------------------------------------------
def heading(report: Report) -> list[str]:
    """Where it was measured, with what."""
    peers = ", ".join(f"{TITLES[p]} {v}" for p, v in report["versions"].items())
    lines = [
        f"{report['cpu']}, {report['cores']} cores ({report['machine']}); "
        f"{report['threads']} thread{'s' * (report['threads'] > 1)}",
        f"fastact {report['fastact']}: backend {report['backend']}, isa {report['isa']}; "
        f"Python {report['python']}; NumPy {report['numpy']}",
        *textwrap.wrap(f"beside: {peers or 'nobody'}", 110, subsequent_indent="    "),
    ]
    if report.get("switches"):
        lines += textwrap.wrap(_kept(report), 110, subsequent_indent="    ")
    lines += [f"not measured: {text}" for text in report["missing"].values()]
    if report["backend"] != "cython":
        lines.append("warning: fastact is not compiled: these are times of its NumPy backend")
    lines.append(f"{report['rounds']} rounds of {1000 * report['sample_time']:g} ms")
    return [*lines, "", LEGEND]


def _kept(report: Report) -> str:
    """Who was kept to the instruction set, and by what."""
    shown = {TITLES[p] for p in report["versions"]} | {_peers.FastAct.title}
    by, compiled = [], []
    for who, variables in report["switches"].items():
        if not variables and who in shown:
            compiled.append(who)
        elif who in shown or who not in TITLES.values():
            by.append(f"{who} by {', '.join(variables)}")
    text = f"all kept to {report['isa']}: {'; '.join(by)}"
    return text + (f"; compiled for any CPU: {', '.join(compiled)}" if compiled else "")


def shown_peers(report: Report) -> list[str]:
    return [name for name in _peers.PEERS if name in report["versions"]]


def groups(report: Report) -> list[list[Result]]:
    """The results of one function, form and dtype together."""
    found: dict[tuple, list[Result]] = {}
    for r in report["results"]:
        found.setdefault((r["name"], r["form"], r["dtype"]), []).append(r)
    return list(found.values())


def table(report: Report) -> list[str]:
    """A block for each function, form and dtype."""
    peers = shown_peers(report)
    lines = []
    for group in groups(report):
        lines += ["", *_block(report, group, peers)]
    return lines


def _block(report: Report, group: list[Result], peers: list[str]) -> list[str]:
    first = group[0]
    errors = accuracy_of(report, first)
    title = f"{first['name']}, {first['form']}, {first['dtype']}"
    columns = "".join(f"{TITLES[p]:>8s}" for p in peers)
    lines = [title, f"{'':11s}{'':9s}{'fastact':>9s}{'ns/elem':>8s}{columns}  beside"]
    ends = {"worst": "max ULP", "usual": "|x| <= 8"}
    if not errors:
        del ends["usual"]
    elif "softmax" in first["name"] or "logsumexp" in first["name"]:
        del ends["usual"]
    for key, text in ends.items():
        cells = [ulp_text(errors[p][key] if p in errors else None) for p in peers]
        ours = ulp_text(errors["fastact"][key] if "fastact" in errors else None)
        if not errors:
            cells, ours = ["?"] * len(peers), "?"
        row = f"{text:>20s}{ours:>9s}{'':8s}" + "".join(f"{c:>8s}" for c in cells)
        lines.append(row.rstrip())
    for r in group:
        for mode, seconds in r["times"]["fastact"].items():
            size = math.prod(r["shape"])
            cells = [ratio_text(r, mode, p) for p in peers]
            beside = "".join(
                f"  {y} {ratio_text(r, mode, y)}" for y in YARDSTICKS if y in r["ratios"][mode]
            )
            lines.append((
                f"{shape_text(r['shape']):>11s} {mode:8s}{time_text(seconds):>9s}"
                f"{1e9 * seconds / size:8.3g}" + "".join(f"{c:>8s}" for c in cells) + beside
            ).rstrip())
    return lines


def accuracy_of(report: Report, result: Result) -> dict[str, dict[str, Any]]:
    """peer -> its record."""
    key = ("name", "form", "dtype")
    return {
        a["peer"]: a for a in report["accuracy"] if all(a[k] == result[k] for k in key)
    }


def shape_text(shape: Sequence[int]) -> str:
    """4k, 1M, (8, 50257)."""
    if len(shape) > 1:
        return "x".join(map(str, shape))
    for unit, size in (("M", 1024**2), ("k", 1024)):
        if shape[0] >= size and shape[0] % size == 0:
            return f"{shape[0] // size}{unit}"
    return str(shape[0])


def time_text(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def ulp_text(error: float | None) -> str:
    """As in docs/accuracy.md, in seven characters."""
    if error is None:
        return ""
    if error > 1e6:
        return ">1e6"
    return f"{error:.2f}" if error < 100 else f"{error:.0e}".replace("e+0", "e")


def ratio_text(result: Result, mode: str, rival: str) -> str:
    """A ratio with its marks, "" if there is none."""
    ratio = result["ratios"][mode].get(rival)
    if ratio is None:
        return ""
    if ratio < 0.001:
        number = "<.001"
    else:
        number = f"{ratio:.{3 if ratio < 0.1 else 2 if ratio < 10 else 1}f}"
    slower = "!" if ratio > 1 and rival not in YARDSTICKS else ""
    return number + slower + other_mode(result, mode, rival)


def other_mode(result: Result, mode: str, rival: str) -> str:
    """The mark of a rival that is measured with another mode than fastact."""
    if mode in result["times"][rival] or rival in YARDSTICKS:
        return ""
    return "*" if mode == "out" else "+"


# ---- Goals ------------------------------------------------------------------
class Goal(NamedTuple):
    """At most ``limit`` of the time of the fastest of ``rivals``."""

    about: str
    limit: float
    rivals: tuple[str, ...]
    forms: tuple[str, ...] = ("value",)
    modes: tuple[str, ...] = ("new", "out")
    sizes: tuple[float, float] = (1, math.inf)
    dtypes: tuple[str, ...] = ("float32", "float64")
    axis: bool = False

    def ratios(self, report: Report) -> Iterator[tuple[float, str]]:
        """(ratio to the fastest, where)."""
        for r in report["results"]:
            low, high = self.sizes
            if (
                r["form"] not in self.forms or r["dtype"] not in self.dtypes
                or self.axis != (len(r["shape"]) > 1)
                or not low <= math.prod(r["shape"]) <= high
            ):
                continue
            for mode, ratios in r["ratios"].items():
                found = [(ratios[p], p) for p in self.rivals if p in ratios]
                if mode in self.modes and found:
                    ratio, rival = max(found)
                    where = f"{r['name']} {r['form']} {r['dtype']} {shape_text(r['shape'])}"
                    yield ratio, f"{where} {mode}, to {rival}"


USUAL = (4096, 1024**2)
LARGE = (16 * 1024**2, math.inf)
GOALS = (
    Goal("value, 4k to 1M, the fastest of torch, NumPy, SciPy, JAX, numexpr", 0.7,
         ("torch", "numpy", "scipy", "jax", "numexpr"), sizes=USUAL),
    Goal("value, 4k to 1M, MKL", 1.0, ("mkl",), modes=("out",), sizes=USUAL),
    Goal("pair, from 4k, the value alone", 1.3, ("value",), ("pair",),
         sizes=(4096, math.inf)),
    Goal("pair, torch forward and backward", 0.45, ("torch",), ("pair",)),
    Goal("16M float32 with out=, np.copyto", 1.1, ("np.copyto",), modes=("out",),
         sizes=LARGE, dtypes=("float32",)),
    Goal("16M float32 in place, np.copyto", 0.8, ("np.copyto",), modes=("in place",),
         sizes=LARGE, dtypes=("float32",)),
    Goal("1 to 64 elements, np.tanh", 0.4, ("np.tanh",), sizes=(1, 64)),
    Goal("1 to 64 elements, torch", 0.15, ("torch",), sizes=(1, 64)),
    Goal("softmax and its kind, torch forward", 0.7, ("torch",), axis=True),
    Goal("softmax and its kind, torch backward", 0.7, ("torch",), ("backward",), axis=True),
)


def summary(report: Report) -> list[str]:
    """Which goals are reached, and what misses them; what ran on more cores."""
    lines = ["", "goals: the time of fastact by that of the others, at most"]
    for goal in GOALS:
        found = sorted(goal.ratios(report), reverse=True)
        if not found:
            continue
        misses = [f"{ratio:7.2f}  {where}" for ratio, where in found if ratio > goal.limit]
        reached = f"{len(found) - len(misses)} of {len(found)}"
        lines += [f"{goal.limit:.2f} of {goal.about}: {reached}", *misses]
    most: dict[str, float] = {}
    for r in report["results"]:
        for who, cores in r["cores"].items():
            most[who] = max(most.get(who, 0), cores)
    lines += [
        f"warning: {who} kept up to {cores:.1f} cores busy, with {report['threads']} allowed"
        for who, cores in most.items() if cores > 1.4 * report["threads"]
    ]
    return lines if len(lines) > 2 else []


# ---- Chart ------------------------------------------------------------------
STYLES = {  # Okabe and Ito's colours; marks help where they do not
    "numpy": ("#0072B2", "o"), "scipy": ("#56B4E9", "s"), "numexpr": ("#E69F00", "^"),
    "numba": ("#CC79A7", "v"), "torch": ("#D55E00", "D"), "jax": ("#009E73", "P"),
    "onnx": ("#8C6BB1", "X"), "mkl": ("#000000", "*"),
}
LOWEST, HIGHEST = 0.02, 4.0


def save_chart(report: Report, path: Path) -> None:
    plotting.save(chart(report), path)


def chart(report: Report) -> Any:
    """Ratios over the size: a row for each function, a column for each form and dtype."""
    names = list(dict.fromkeys(r["name"] for r in report["results"]))
    kinds = sorted(
        {(r["dtype"], "value" if r["form"] == "value" else "gradient")
         for r in report["results"]},
        key=lambda kind: (kind[1] != "value", kind[0]),
    )
    width = 2.9 * len(kinds) + 0.6
    figure = plotting.new_figure(max(width, 6.5), 1.75 * len(names) + 1.6)
    axes = figure.subplots(len(names), len(kinds), squeeze=False)
    drawn: dict[str, Any] = {}
    for row, name in zip(axes, names, strict=True):
        for ax, kind in zip(row, kinds, strict=True):
            results = [
                r for r in report["results"] if r["name"] == name
                and (r["dtype"], "value" if r["form"] == "value" else "gradient") == kind
            ]
            drawn = _panel(ax, results) | drawn
        row[0].set_ylabel(name.replace("(", "\n("), fontweight="bold")
    for ax, (dtype, form) in zip(axes[0], kinds, strict=True):
        text = "value" if form == "value" else "value and derivative"
        ax.set_title(f"{dtype}, {text}", fontsize=9)
    order = [name for name in _peers.PEERS if name in drawn]
    if order:
        figure.legend([drawn[n] for n in order], [TITLES[n] for n in order],
                      loc="outside lower center", ncols=4, fontsize=9)
    figure.suptitle(
        "Time of fastact by that of other libraries: below 1 fastact is faster\n"
        f"{report['cpu']}, {report['isa']}, {report['threads']} thread"
        f"{'s' * (report['threads'] > 1)}; full lines and marks: results allocated; "
        f"dotted, open: written into given arrays; at {LOWEST} also what is below",
        fontsize=10,
    )
    return figure


def _panel(ax: Any, results: list[Result]) -> dict[str, Any]:
    """One function, form and dtype; who is drawn, and a line of it for the legend."""
    ax.set_yscale("log")
    ax.set_ylim(LOWEST, HIGHEST)
    ax.set_yticks([0.02, 0.1, 0.5, 1, 2, 4], ["0.02", "0.1", "0.5", "1", "2", "4"])
    ax.yaxis.set_minor_formatter("")
    ax.set_xlim(-0.3, max(len(results), 2) - 0.7)
    ax.tick_params(labelsize=7)
    ax.axhspan(1, HIGHEST, color="#D55E00", alpha=0.09, lw=0)
    ax.axhline(1, color="black", lw=1)
    ax.grid(axis="y", color="#dddddd", lw=0.6)
    if not results:
        ax.set_visible(False)
        return {}
    if results[0]["form"] == "backward":
        ax.text(0.03, 0.05, "backward", transform=ax.transAxes, fontsize=7)
    labels = [shape_text(r["shape"]).replace("x", "x\n", 1) for r in results]
    ax.set_xticks(np.arange(len(results)), labels)
    drawn: dict[str, Any] = {}
    for peer, (colour, mark) in STYLES.items():
        for mode, line in (("new", "-"), ("out", ":")):
            ratios = [
                r["ratios"].get(mode, {}).get(peer, np.nan)
                if mode in r["times"].get(peer, {}) else np.nan
                for r in results
            ]
            if np.isnan(ratios).all():
                continue
            (drawn_line,) = ax.plot(
                np.clip(ratios, LOWEST, HIGHEST), color=colour, marker=mark, ms=3.5, lw=1.1,
                # Lines join sizes, not shapes.
                linestyle=line if len(results[0]["shape"]) == 1 else "none",
                markerfacecolor=colour if mode == "new" else "white", clip_on=False,
            )
            drawn.setdefault(peer, drawn_line)
    return drawn
