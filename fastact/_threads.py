"""How many threads share the work of one call."""

from __future__ import annotations

import contextlib
import operator
import os
from collections.abc import Iterator
from math import ceil
from typing import TYPE_CHECKING, Literal, SupportsIndex

import numpy as np

from . import _backend

if TYPE_CHECKING:
    from pathlib import Path

#: an upper limit (as in _pool.pyx)
MOST = 1024
_TAKES = f"an integer from 1 to {MOST}, or 'auto'"


def set_num_threads(n: SupportsIndex | Literal["auto"]) -> None:
    """Set how many threads may share the work of one call.

    It holds for the whole process.  At the start it is 1, or what the environment
    variable ``FASTACT_NUM_THREADS`` says.  Children that are forked inherit it.

    Parameters
    ----------
    n : int or 'auto'
        The number of threads, the calling one included; 'auto' for the number of
        CPUs that this process may use (see Notes).

    Raises
    ------
    TypeError, ValueError
        If ``n`` is neither a positive integer nor 'auto'.

    See Also
    --------
    num_threads : The same for a block of code.

    Notes
    -----
    'auto' is the number of CPUs in the affinity mask of the process, or less where
    its control group has a CPU quota (rounded up), or where ``OMP_NUM_THREADS`` says
    less: joblib and dask set that in their worker processes.

    Results are the same to the last bit for any number.  Small arrays are not worth
    sharing, and are not shared.  The NumPy backend takes and keeps the number and
    always runs in one thread.
    """
    _backend.set_threads(check("set_num_threads", n))


def get_num_threads() -> int:
    """Tell how many threads may share the work of a call.

    Returns
    -------
    int
        The number of the innermost ``num_threads`` block of the calling thread,
        else that of the process.
    """
    return _backend.get_threads()


def num_threads(n: SupportsIndex | Literal["auto"]) -> contextlib.AbstractContextManager[None]:
    """Set the number of threads in a ``with`` block.

    It holds for calls from the thread that runs the block, and for no other.

    Parameters
    ----------
    n : int or 'auto'
        As for ``set_num_threads``.

    Returns
    -------
    context manager
        It gives nothing to ``as``.

    Raises
    ------
    TypeError, ValueError
        As ``set_num_threads``.

    Examples
    --------
    >>> import fastact as fa
    >>> with fa.num_threads(2):
    ...     fa.get_num_threads()
    2
    """
    return _block(check("num_threads", n))


@contextlib.contextmanager
def _block(n: int) -> Iterator[None]:
    before = _backend.limit_here(n)
    try:
        yield
    finally:
        _backend.limit_here(before)


def check(where: str, n) -> int:
    """``n`` as a number of threads."""
    if isinstance(n, str):
        if n != "auto":
            raise ValueError(f"fastact.{where}: n must be {_TAKES}, got {n!r}")
        return available()
    try:
        if isinstance(n, (bool, np.bool_)):  # (an index to NumPy < 2.3)
            raise TypeError
        number = operator.index(n)
    except TypeError:
        raise TypeError(f"fastact.{where}: n must be {_TAKES}, got {n!r}") from None
    if not 1 <= number <= MOST:
        raise ValueError(f"fastact.{where}: n must be {_TAKES}, got {n!r}")
    return number


def from_environment() -> int:
    """The number of threads to start with."""
    asked = os.environ.get("FASTACT_NUM_THREADS", "")
    if asked == "auto":
        return available()
    number = _positive(asked or "1")
    if number is None or number > MOST:
        raise ImportError(f"FASTACT_NUM_THREADS={asked!r}: takes {_TAKES}")
    return number


def _positive(text: str) -> int | None:
    """A positive decimal integer, None for any other text."""
    number = int(text) if text.isascii() and text.isdecimal() else 0
    return number or None


# ---- 'auto' -----------------------------------------------------------------
def available(root: str | os.PathLike = "/") -> int:
    """The CPUs that this process may keep busy (``root``: where /proc and /sys are)."""
    if hasattr(os, "process_cpu_count"):  # Python 3.13
        cpus = os.process_cpu_count() or 1
    elif hasattr(os, "sched_getaffinity"):
        cpus = len(os.sched_getaffinity(0))
    else:
        cpus = os.cpu_count() or 1
    # A list is one number for each level of nesting.
    workers = _positive(os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip())
    from pathlib import Path  # here: only 'auto' pays for it

    limits = [cpus, MOST, quota(Path(root)), workers]
    return min(n for n in limits if n is not None)


def quota(root: Path) -> int | None:
    """The CPUs that the control group of this process pays for, None for all.

    A limit holds for everything below it, so the tightest of the group and of those
    above it counts.  In a container the path in /proc may be the host's: the levels
    that are not there are passed over, and the mount itself is the container's.
    """
    try:
        groups = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # not Linux
        return None
    mounts = root / "sys/fs/cgroup"
    found = []
    for line in groups:
        _, controllers, group = line.split(":", 2)
        if controllers == "":
            places, read = [mounts, mounts / "unified"], _quota_v2
        elif "cpu" in controllers.split(","):
            places, read = [mounts / controllers, mounts / "cpu"], _quota_v1
        else:
            continue
        for place in places:
            below = place / group.strip("/")
            for folder in (below, *below.parents):
                found.append(read(folder))
                if folder == place:
                    break
    return min((max(1, ceil(n)) for n in found if n is not None), default=None)


def _quota_v2(folder: Path) -> float | None:
    """From cpu.max: 'max 100000', or microseconds in each period."""
    return _ratio(_words(folder / "cpu.max"))


def _quota_v1(folder: Path) -> float | None:
    return _ratio(_words(folder / "cpu.cfs_quota_us") + _words(folder / "cpu.cfs_period_us"))


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []


def _ratio(words: list[str]) -> float | None:
    """quota / period, None where there is no quota ('max', -1, or no file)."""
    numbers = [_positive(word) for word in words]
    if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
        return None
    return numbers[0] / numbers[1]


_backend.set_threads(from_environment())
