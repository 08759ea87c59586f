"""The tests run against the installed package, and say which one that is.

They expect the compiled backend: where it is absent they fail, unless
FASTACT_EXPECT=numpy or FASTACT_BACKEND=numpy says that it may be.
"""

import os
from pathlib import Path

import fastact

EXPECTED = os.environ.get("FASTACT_EXPECT") or os.environ.get(
    "FASTACT_BACKEND", "cython"
)


def pytest_report_header(config):
    config = fastact.get_config()
    return (
        f"fastact {config['fastact']} from {Path(fastact.__file__).parent}: "
        f"backend {config['backend']} (expected {EXPECTED}), isa {config['isa']}"
    )


def pytest_configure(config):
    import pytest

    backend = fastact.get_config()["backend"]
    if backend != EXPECTED:
        pytest.exit(
            f"fastact runs on its {backend} backend, expected {EXPECTED} "
            f"(imported from {fastact.__file__})",
            returncode=1,
        )
