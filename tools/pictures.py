"""Draw every picture of README.md and docs/ into docs/images, and run the experiment.

Usage: ``python tools/pictures.py [--no-experiment]``.  The experiment takes about a
minute and also writes the results in docs/experiment.md.  With the same packages and
the same instruction set the files come out the same; the pictures need Matplotlib.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fastact import experiment, plotting

DOCS = Path(__file__).resolve().parent.parent / "docs"
IMAGES = DOCS / "images"
PAGE = DOCS / "experiment.md"
BEGIN, END = "<!-- results -->\n", "<!-- /results -->\n"
SEEDS, EPOCHS = 300, 3000


def save(figure, name: str) -> None:
    plotting.save(figure, IMAGES / name)
    print(IMAGES / name)


def run_experiment() -> None:
    before, begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{PAGE}: no {BEGIN.strip()} ... {END.strip()}")
    runs = experiment.compare(
        seeds=range(SEEDS), epochs=EPOCHS, progress=True,
        snapshots=experiment.snapshot_epochs(EPOCHS),
    )
    save(experiment.curves(runs), "experiment-curves.svg")
    save(experiment.boundaries(runs), "experiment-boundaries.png")
    report = experiment.report(runs, times=False)
    text = f"{SEEDS} seeds, {EPOCHS} epochs:\n\n{report}\n"
    PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    print(PAGE)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--no-experiment", action="store_true",
                        help="only the pictures of activations, in seconds")
    args = parser.parse_args()
    IMAGES.mkdir(exist_ok=True)
    save(plotting.grid(), "activations.svg")
    save(plotting.grid("all"), "all-activations.svg")
    save(plotting.vanishing(), "vanishing.svg")
    if not args.no_experiment:
        run_experiment()
    return 0


if __name__ == "__main__":
    sys.exit(main())
