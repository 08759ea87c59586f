"""What runs here: ``get_config`` as a dict, ``show_config`` in print."""

from __future__ import annotations

import platform

import numpy as np

from . import _backend, _threads

#: Written once, in pyproject.toml; a test compares the two.
__version__ = "0.1.0"


def get_config() -> dict[str, str]:
    """Tell versions, backend, instruction set and number of threads.

    Returns
    -------
    dict
        Strings by name: the lines that ``show_config`` prints.
    """
    return {
        "fastact": __version__,
        "backend": _backend.NAME,
        "isa": _backend.ISA,
        "threads": str(_threads.get_num_threads()),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }


def cpu() -> str:
    """The processor, in its own words."""
    try:
        for line in open("/proc/cpuinfo"):
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def show_config() -> None:
    """Print versions, backend, instruction set and number of threads."""
    for key, value in get_config().items():
        print(f"{key:8s} {value}")
