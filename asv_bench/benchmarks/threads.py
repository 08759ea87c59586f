"""Calls shared among threads: around the size where that begins, and at memory size.

``time_copyto`` is what the memory allows: NumPy's copy, by as many Python threads.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

import fastact as fa

from .common import Timing, calls, data

#: elements
SIZES = (32_768, 131_072, 524_288, 16_777_216)


class Threads(Timing):
    """With ``out=``: the memory is there."""

    params = (("relu", "sigmoid", "gelu"), ("float32", "float64"), SIZES, (1, 2))
    param_names = ("function", "dtype", "size", "threads")

    def prepare(self, name, dtype, size, threads):
        self.calls = calls(size)
        self.function = getattr(fa, name)
        self.x = data(size, dtype)
        self.out, self.d_out = np.zeros_like(self.x), np.zeros_like(self.x)

    def time_value(self, name, dtype, size, threads):
        f, x, out = self.function, self.x, self.out
        with fa.num_threads(threads):
            for _ in self.calls:
                f(x, out=out)

    def time_pair(self, name, dtype, size, threads):
        f, x, out = self.function.value_and_derivative, self.x, (self.out, self.d_out)
        with fa.num_threads(threads):
            for _ in self.calls:
                f(x, out=out)


class Rows(Timing):
    params = (("softmax", "log_softmax"), ("1024x1024", "8x50257", "65536x16"), (1, 2))
    param_names = ("function", "shape", "threads")

    def prepare(self, name, shape, threads):
        self.function = getattr(fa, name)
        self.x = data([int(n) for n in shape.split("x")], "float32")
        self.out = np.zeros_like(self.x)

    def time_value(self, name, shape, threads):
        with fa.num_threads(threads):
            self.function(self.x, out=self.out)

    def time_backward(self, name, shape, threads):
        with fa.num_threads(threads):
            self.function.backward(self.x, self.x, out=self.out)


class Copy(Timing):
    params = (SIZES, (1, 2))
    param_names = ("size", "threads")

    def prepare(self, size, threads):
        self.calls = calls(size)
        x = data(size, "float32")
        self.parts = list(zip(
            np.array_split(np.zeros_like(x), threads), np.array_split(x, threads),
            strict=True,
        ))
        self.pool = ThreadPoolExecutor(threads)
        self.time_copyto(size, threads)

    def time_copyto(self, size, threads):
        def copy(part):
            for _ in self.calls:
                np.copyto(*part)

        list(self.pool.map(copy, self.parts))
