"""How far a long measurement is, on stderr."""

from __future__ import annotations

import sys
from typing import Any


class Progress:
    """A bar where rich is installed and somebody looks; else a line now and then."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.tenth = total, 0, 0
        self.bar: Any = None
        if sys.stderr.isatty():
            try:
                from rich.console import Console
                from rich.progress import Progress as Bar
            except ImportError:
                return
            self.bar = Bar(console=Console(stderr=True))
            self.bar.start()
            self.task = self.bar.add_task("", total=total)

    def step(self, about: str, count: int = 1) -> None:
        self.done += count
        if self.bar:
            self.bar.update(self.task, advance=count, description=about)
        elif 10 * self.done // max(self.total, 1) > self.tenth:
            self.tenth = 10 * self.done // self.total
            print(f"{self.done / self.total:4.0%}  {about}", file=sys.stderr, flush=True)

    def print(self, text: str) -> None:
        if self.bar:
            self.bar.console.file.flush()
            self.bar.print(text, markup=False, highlight=False)
        else:
            print(text, flush=True)

    def stop(self) -> None:
        if self.bar:
            self.bar.stop()
