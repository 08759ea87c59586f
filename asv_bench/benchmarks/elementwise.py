"""Every elementwise activation: forms, dtypes, sizes; with out.

A time is that of ``ELEMENTS`` elements.
"""

from .common import (
    CASES,
    DTYPES,
    FORMS,
    FROM_OUTPUT,
    SIZES,
    Timing,
    calls,
    data,
    empty,
    method,
)


class Elementwise(Timing):
    params = (tuple(CASES), FORMS, DTYPES, SIZES)
    param_names = ("activation", "form", "dtype", "size")

    def prepare(self, label, form, dtype, size):
        case = CASES[label]
        x = data(size, dtype)
        self.call = method(case.function, form)
        self.args = (data(size, dtype, 1), x) if form == "backward" else (x,)
        self.out, self.options = empty(form, x), case.options
        self.calls = calls(size)

    def time_call(self, label, form, dtype, size):
        call, args, out, options = self.call, self.args, self.out, self.options
        for _ in self.calls:
            call(*args, out=out, **options)


class FromOutput(Timing):
    params = (FROM_OUTPUT, DTYPES, SIZES)
    param_names = ("activation", "dtype", "size")

    def prepare(self, label, dtype, size):
        case = CASES[label]
        x = data(size, dtype)
        y = case.function(x, **case.options)
        self.call = case.function.backward_from_output
        self.args = (data(size, dtype, 1), y)
        self.out, self.options = x, case.options
        self.calls = calls(size)

    def time_call(self, label, dtype, size):
        call, args, out, options = self.call, self.args, self.out, self.options
        for _ in self.calls:
            call(*args, out=out, **options)
