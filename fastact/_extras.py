"""Optional packages: imported when they are needed, missed in plain words."""

from __future__ import annotations

import importlib
from typing import Any


def require(module: str, extra: str) -> Any:
    """The module, or an ImportError that says what to install.

    Parameters
    ----------
    module : str
        What to import, with its dots.
    extra : str
        The extra of ``pyproject.toml`` that installs it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # (one that is there and lacks something itself says so best)
        top = module.partition(".")[0]
        if (error.name or "").partition(".")[0] != top:
            raise
        raise ImportError(
            f"{top} is not installed: pip install 'fastact[{extra}]'", name=top
        ) from None
