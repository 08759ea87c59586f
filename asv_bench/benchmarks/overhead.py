"""What a call costs on few elements: a time is that of 1000 calls (us: ns a call)."""

import numpy as np

import fastact as fa

from .common import DTYPES, Timing, data


class _Calls(Timing):
    calls = range(1000)
    repeat = (5, 20, 0.2)


class Overhead(_Calls):
    params = (DTYPES, (1, 4, 16, 64))
    param_names = ("dtype", "size")

    def prepare(self, dtype, size):
        self.x = data(size, dtype)
        self.g = data(size, dtype, 1)
        self.out = np.zeros_like(self.x)

    def time_numpy_tanh(self, dtype, size):
        f, x = np.tanh, self.x
        for _ in self.calls:
            f(x)

    def time_tanh(self, dtype, size):
        f, x = fa.tanh, self.x
        for _ in self.calls:
            f(x)

    def time_numpy_tanh_out(self, dtype, size):
        f, x, out = np.tanh, self.x, self.out
        for _ in self.calls:
            f(x, out=out)

    def time_tanh_out(self, dtype, size):
        f, x, out = fa.tanh, self.x, self.out
        for _ in self.calls:
            f(x, out=out)

    def time_tanh_value_and_derivative(self, dtype, size):
        f, x = fa.tanh.value_and_derivative, self.x
        for _ in self.calls:
            f(x)

    def time_tanh_backward(self, dtype, size):
        f, g, x = fa.tanh.backward, self.g, self.x
        for _ in self.calls:
            f(g, x)

    def time_leaky_relu_slope(self, dtype, size):
        f, x = fa.leaky_relu, self.x
        for _ in self.calls:
            f(x, negative_slope=0.2)

    def time_gelu_tanh(self, dtype, size):
        f, x = fa.gelu, self.x
        for _ in self.calls:
            f(x, approximate="tanh")

    def time_softmax(self, dtype, size):
        f, x = fa.softmax, self.x
        for _ in self.calls:
            f(x)


class Scalar(_Calls):
    """One Python float: no array to go straight to."""

    def prepare(self):
        pass

    def time_numpy_tanh(self):
        f = np.tanh
        for _ in self.calls:
            f(0.5)

    def time_tanh(self):
        f = fa.tanh
        for _ in self.calls:
            f(0.5)
