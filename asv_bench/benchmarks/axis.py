"""softmax and its relatives: forward, and backward from the input."""

import numpy as np

import fastact as fa
from fastact import _registry as registry

from .common import DTYPES, Timing, data


class Axis(Timing):
    params = (
        tuple(row.name for row in registry.AXIS_ROWS),
        ("value", "backward", "backward_from_output"),
        DTYPES,
        ("1024x1024", "8x50257", "65536x16"),
    )
    param_names = ("function", "form", "dtype", "shape")

    def prepare(self, name, form, dtype, shape):
        x = data([int(n) for n in shape.split("x")], dtype)
        function = getattr(fa, name)
        if form != "value" and not hasattr(function, form):
            raise NotImplementedError
        y = function(x)
        self.call = function if form == "value" else getattr(function, form)
        self.args = {
            "value": (x,),
            "backward": (data(y.shape, dtype, 1), x),
            "backward_from_output": (data(y.shape, dtype, 1), y),
        }[form]
        self.out = np.zeros_like(y if form == "value" else x)

    def time_call(self, name, form, dtype, shape):
        self.call(*self.args, out=self.out)


class FirstAxis(Timing):
    """Along axis 0 of a C-contiguous array: strided rows."""

    params = (tuple(row.name for row in registry.AXIS_ROWS), DTYPES)
    param_names = ("function", "dtype")

    def prepare(self, name, dtype):
        self.call = getattr(fa, name)
        self.x = data((1024, 1024), dtype)

    def time_call(self, name, dtype):
        self.call(self.x, axis=0)
