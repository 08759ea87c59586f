"""Write the speed table of README.md and docs/benchmarks.md from measured results.

Usage: ``python tools/readme_speed.py RESULTS.json``, a file of
``fastact bench --names all --json RESULTS.json`` on a quiet machine.

The README shows the ratios to PyTorch; the page all of it, with a chart of the
functions that ``fastact bench`` measures by default (which needs Matplotlib).
``--page NAME`` writes docs/NAME.md and its chart, and leaves the README alone.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path

from fastact import _bench_report as report
from fastact import _peers, bench

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGE = "benchmarks"
BEGIN, END = "<!-- speed-table -->\n", "<!-- /speed-table -->\n"

#: the sizes of the README, and the peer
SIZES = (4096, 65_536, 1_048_576)
PEER = "torch"

ABOUT = (
    "Time relative to PyTorch {version} on the same machine ({machine}, in one process, "
    "alternating, medians): below 1, fastact is faster.  *Pair* is value and derivative "
    "against PyTorch's forward and backward.  Each cell: arrays of {sizes} elements; the "
    "result allocated by both.  [All sizes and other libraries](docs/benchmarks.md)."
)

INTRO = """# Benchmarks TITLE

<!-- written by tools/readme_speed.py -->

fastact beside the libraries that people compute activations with, all of them in one
process, in turns, with the same number of threads.  `fastact bench` measures it on your
machine: `pip install 'fastact[bench]'`.  With `--isa v3` everybody is kept to what a CPU with
AVX2 and without AVX-512 has, by environment variables that the table names; ONNX Runtime
has none and is left out.

![Time of fastact by that of other libraries, over the size](images/NAME.svg)

NumPy and SciPy run the expressions that one writes with them; numexpr and Numba (with
`fastmath`) the textbook definitions, compiled; PyTorch is eager, JAX jitted; ONNX Runtime
runs models of one operator; MKL is its vector library at its default accuracy.  Pairs are
value and derivative: in PyTorch forward and backward, in JAX a jitted `vjp`.  Backward
passes of softmax and its kind do not include the forward pass.
"""


def about(content: report.Report) -> str:
    """The machine and the versions, in a few words."""
    threads = content["threads"]
    return (
        f"{content['cpu']}, {content['isa']}, {threads} thread{'s' * (threads > 1)}"
    )


def readme_table(content: report.Report) -> str:
    """A line for each elementwise activation that the peer has."""
    ratios: dict[str, dict[tuple[str, str, int], float]] = {}
    for r in content["results"]:
        ratio = r["ratios"].get("new", {}).get(PEER)
        if ratio is not None and len(r["shape"]) == 1:
            ratios.setdefault(r["name"], {})[r["dtype"], r["form"], r["shape"][0]] = ratio
    version = content["versions"][PEER].partition("+")[0]
    texts = [report.shape_text([size]) for size in SIZES]
    sizes = f"{', '.join(texts[:-1])} and {texts[-1]}"
    text = ABOUT.format(version=version, machine=about(content), sizes=sizes)
    lines = [
        "", *textwrap.wrap(text, 96, break_on_hyphens=False), "",
        "| | float32 value | float32 pair | float64 value | float64 pair |",
        "|---|---|---|---|---|",
    ]
    for name, found in ratios.items():
        cells = [
            ", ".join(
                f"{found[dtype, form, size]:.2f}" if (dtype, form, size) in found else "-"
                for size in SIZES
            )
            for dtype in bench.DTYPES for form in ("value", "pair")
        ]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n\n"


def page(content: report.Report, name: str) -> str:
    """All of it: the tables as ``fastact bench`` prints them."""
    isa = {"base": "baseline x86-64", "v3": "AVX2", "v4": "AVX-512"}[content["isa"]]
    intro = INTRO.replace("TITLE", f"with {isa}").replace("NAME", name)
    parts = [intro, "\n```text\n" + "\n".join(report.heading(content)) + "\n```\n"]
    names = dict.fromkeys(r["name"] for r in content["results"])
    for name in names:
        own = [r for r in content["results"] if r["name"] == name]
        text = "\n".join(report.table({**content, "results": own})).strip()
        parts.append(f"\n## {name}\n\n```text\n{text}\n```\n")
    goals = "\n".join(report.summary(content)).strip()
    parts.append(f"\n## What it should reach\n\n```text\n{goals}\n```\n")
    return "".join(parts)


def write_page(content: report.Report, name: str) -> None:
    (DOCS / f"{name}.md").write_text(page(content, name), encoding="utf-8")
    shown = [r for r in content["results"] if r["name"] in bench.NAMES]
    report.save_chart({**content, "results": shown}, DOCS / "images" / f"{name}.svg")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("results", type=Path, help="of fastact bench --json")
    parser.add_argument("--page", metavar="NAME", help="write docs/NAME.md alone")
    args = parser.parse_args()
    content = report.load("readme_speed.py", args.results)
    if PEER not in content["versions"]:
        parser.error(f"{_peers.PEERS[PEER].title} is not among the results")
    write_page(content, args.page or PAGE)
    if args.page:
        return 0
    before, begin, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        parser.error(f"{README}: no {BEGIN.strip()} ... {END.strip()}")
    README.write_text(f"{before}{BEGIN}{readme_table(content)}{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
