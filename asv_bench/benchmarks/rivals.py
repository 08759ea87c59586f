"""fastact beside the NumPy expression of the same function, both allocating.

A time is that of ``ELEMENTS`` elements.
"""

from .common import (
    CASES,
    DTYPES,
    NUMPY,
    NUMPY_PAIR,
    SIZES,
    Timing,
    calls,
    data,
    numpy_function,
)

BY_ROW = {case.row.name: case for case in CASES.values()}


class Value(Timing):
    params = (tuple(NUMPY), DTYPES, SIZES)
    param_names = ("activation", "dtype", "size")
    expressions = NUMPY

    def prepare(self, name, dtype, size):
        case = BY_ROW[name]
        self.x = data(size, dtype)
        self.calls = calls(size)
        self.options = case.options
        self.fastact = self.form_of(case.function)
        self.numpy = numpy_function(self.expressions[name])

    @staticmethod
    def form_of(function):
        return function

    def time_fastact(self, name, dtype, size):
        f, x, options = self.fastact, self.x, self.options
        for _ in self.calls:
            f(x, **options)

    def time_numpy(self, name, dtype, size):
        f, x = self.numpy, self.x
        for _ in self.calls:
            f(x)


class Pair(Value):
    params = (tuple(NUMPY_PAIR), DTYPES, SIZES)
    expressions = NUMPY_PAIR

    @staticmethod
    def form_of(function):
        return function.value_and_derivative
