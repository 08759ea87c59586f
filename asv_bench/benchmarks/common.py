"""What the benchmarks share: cases from the registry, and data.

An activation that is added to the registry is benchmarked without an edit here.
asv runs these files, as they are now, against the package as it was in older
commits: they use its public names and ``_registry``, which all commits have, and
nothing that came later (such as ``_catalog`` and ``bench``, which has the comparison
with other libraries).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

import fastact as fa
from fastact import _registry as registry

DTYPES = ("float32", "float64")

#: L1, L2, memory
SIZES = (4096, 65_536, 4_194_304)

#: What one timing works through, in calls of ``size``: times of different sizes
#: compare directly, and 1 ms is 0.24 ns per element.
ELEMENTS = 4_194_304

#: the forms that every elementwise activation has
FORMS = tuple(f for f in registry.FORMS if f != "backward_from_output")


class Timing:
    """Keeps a benchmark to a fraction of a second, and its caches warm.

    asv-runner 0.3 runs ``setup`` before every single timed call and then times
    one call (asv issue 966): hence ``prepare``, once per set of parameters, and
    benchmarks that loop over ``self.calls`` themselves.
    """

    rounds = 1
    repeat = (3, 9, 0.2)
    number = 1
    warmup_time = 0.01
    timeout = 60
    calls = range(1)
    prepared = None

    def setup(self, *params):
        if self.prepared != params:
            self.prepare(*params)
            self.prepared = params

    def prepare(self, *params):
        raise NotImplementedError


def calls(size: int) -> range:
    """As many calls as work through ``ELEMENTS``."""
    return range(max(1, ELEMENTS // size))


class Case(NamedTuple):
    """One row of the registry as a user calls it."""

    row: registry.Row
    name: str
    options: dict

    @property
    def label(self) -> str:
        return call_text(self.name, **self.options) if self.options else self.name

    @property
    def function(self):
        return getattr(fa, self.name)


def call_text(name: str, *args: str, **options) -> str:
    """The source text of a call."""
    return f"{name}({', '.join([*args, *(f'{k}={v!r}' for k, v in options.items())])})"


def _case(row: registry.Row) -> Case:
    """The defaults of ``row``, or its first sample where a default is missing."""
    sample = row.samples[0] if row.samples else {}
    for variant in registry.VARIANTS:
        if row.name in registry.INTERNAL and row.name in variant.choices.values():
            value = next(k for k, v in variant.choices.items() if v == row.name)
            if value is None:
                value = next(s for s in sample.values() if s not in variant.choices)
            return Case(row, variant.name, {variant.option: value})
    required = any(p.default is registry.REQUIRED for p in row.params)
    return Case(row, row.name, dict(sample) if required else {})


#: label -> case
CASES = {case.label: case for case in map(_case, registry.ROWS)}


def _from_output(case: Case) -> bool:
    row = case.row
    if not row.from_output or not row.from_output_needs:
        return bool(row.from_output)
    values = {p.name: p.default for p in row.params} | case.options
    _, names, good = row.from_output_needs
    return bool(good(*[values[n] for n in names]))


#: those with backward_from_output
FROM_OUTPUT = tuple(label for label, case in CASES.items() if _from_output(case))


def data(shape, dtype: str, seed: int = 0) -> np.ndarray:
    """Normal numbers, sigma 2; a long array repeats 65,536 of them."""
    block = np.random.default_rng(seed).normal(0, 2, 65_536).astype(dtype)
    return np.resize(block, shape)


def empty(form: str, x: np.ndarray, n: int = 1):
    """An ``out`` for ``form``: one array, or a tuple of ``n``."""
    if form == "value_and_derivative":
        n += 1
    found = tuple(np.zeros_like(x) for _ in range(n))
    return found if len(found) > 1 else found[0]


def method(function, form: str):
    """The callable for one form of an activation."""
    return function if form == "value" else getattr(function, form)
