"""What runs here: ``get_config`` as a dict, ``show_config`` in print."""

from __future__ import annotations

import platform

import numpy as np

from . import _backend

#: Written once, in pyproject.toml; a test compares the two.
__version__ = "0.1.0"


def get_config() -> dict[str, str]:
    """Tell versions, backend and instruction set.

    Returns
    -------
    dict
        Strings by name: the lines that ``show_config`` prints.
    """
    return {
        "fastact": __version__,
        "backend": _backend.NAME,
        "isa": _backend.ISA,
        "threads": "1",
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }


def show_config() -> None:
    """Print versions, backend and instruction set."""
    for key, value in get_config().items():
        print(f"{key:8s} {value}")
