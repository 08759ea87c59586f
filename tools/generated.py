"""The command line of a tool that writes one file of the package."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path


def write_or_check(target: Path, about: str, text: Callable[[], str]) -> int:
    """Write ``text()`` to ``target``; with --check, 1 if the file has another one."""
    parser = argparse.ArgumentParser(description=about.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    args = parser.parse_args()
    found = text()
    if not args.check:
        target.write_text(found)
        return 0
    if not target.exists() or target.read_text() != found:
        print(f"{target} is not what {sys.argv[0]} writes", file=sys.stderr)
        return 1
    return 0
