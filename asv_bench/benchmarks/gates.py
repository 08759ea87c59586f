"""The gated units, from one array and from two, and prelu.

A time is that of ``ELEMENTS`` results.
"""

import fastact as fa
from fastact import _registry as registry

from .common import (
    DTYPES,
    FORMS,
    SIZES,
    Timing,
    call_text,
    calls,
    data,
    empty,
    method,
)


def _gates():
    """label -> (function, options)"""
    for gate in registry.GATES:
        for row in gate.rows:
            options = {}
            if row != gate.rows[0]:
                variant = next(
                    v for v in registry.VARIANTS if row in v.choices.values()
                )
                value = next(k for k, v in variant.choices.items() if v == row)
                options = {variant.option: value}
            label = call_text(gate.name, **options) if options else gate.name
            yield label, (getattr(fa, gate.name), options)


GATES = dict(_gates())


class Gates(Timing):
    params = (tuple(GATES), FORMS, ("split", "two arrays"), DTYPES, SIZES)
    param_names = ("gate", "form", "layout", "dtype", "size")

    def prepare(self, label, form, layout, dtype, size):
        function, options = GATES[label]
        half = data((size // 256, 128), dtype)
        whole = data((size // 256, 256), dtype)
        self.call = method(function, form)
        inputs = (whole,) if layout == "split" else (half, half[::-1].copy())
        self.args = (data(half.shape, dtype, 1), *inputs)[form != "backward" :]
        if form == "value":
            out = empty(form, half)
        elif layout == "two arrays":
            out = empty(form, half, 2)
        elif form == "value_and_derivative":
            out = (empty("value", half), empty("value", whole))
        else:
            out = empty(form, whole)
        self.out, self.options = out, options
        self.calls = calls(size)

    def time_call(self, label, form, layout, dtype, size):
        call, args, out, options = self.call, self.args, self.out, self.options
        for _ in self.calls:
            call(*args, out=out, **options)


class PReLU(Timing):
    """A slope for each channel of (N, C, 64), and one for each element."""

    params = (FORMS, ("channels", "elements"), DTYPES, SIZES)
    param_names = ("form", "weight", "dtype", "size")

    def prepare(self, form, weight, dtype, size):
        x = data((size // 4096, 64, 64), dtype)
        w = data((64, 1) if weight == "channels" else x.shape, dtype, 2)
        self.call = method(getattr(fa, registry.PRELU), form)
        self.args = (data(x.shape, dtype, 1), x, w)[form != "backward" :]
        self.out = empty(form, x, 2 if form == "backward" else 1)
        self.options = {}
        self.calls = calls(size)

    def time_call(self, form, weight, dtype, size):
        call, args, out, options = self.call, self.args, self.out, self.options
        for _ in self.calls:
            call(*args, out=out, **options)
