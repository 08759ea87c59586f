"""The package itself: time of import, and memory."""

import tracemalloc

import numpy as np

import fastact as fa

#: 64 MB of float32
LARGE = 16_777_216


class Import:
    """In a fresh interpreter that has NumPy loaded already."""

    rounds = 1
    repeat = 5
    number = 1

    def timeraw_import(self):
        return "import fastact", "import numpy"

    def timeraw_import_numpy(self):
        return "import numpy"


class Memory:
    """Peak of the process: compare with ``peakmem_nothing``."""

    def setup(self):
        self.x = np.full(LARGE, 0.5, np.float32)

    def peakmem_nothing(self):
        pass

    def peakmem_sigmoid_in_place(self):
        fa.sigmoid(self.x, out=self.x)

    def peakmem_sigmoid(self):
        fa.sigmoid(self.x)

    def peakmem_value_and_derivative(self):
        fa.sigmoid.value_and_derivative(self.x)

    def peakmem_value_and_derivative_half_in_place(self):
        fa.sigmoid.value_and_derivative(self.x, out=(self.x, None))


class Allocated:
    """Bytes that a call on 64 MB allocates at its peak (NumPy reports its own)."""

    unit = "bytes"

    def setup(self):
        self.x = np.full(LARGE, 0.5, np.float32)

    def _peak(self, call) -> int:
        tracemalloc.start()
        try:
            call()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def track_sigmoid_in_place(self):
        return self._peak(lambda: fa.sigmoid(self.x, out=self.x))

    def track_backward_in_place(self):
        return self._peak(lambda: fa.sigmoid.backward(self.x, self.x, out=self.x))

    def track_value_and_derivative(self):
        return self._peak(lambda: fa.sigmoid.value_and_derivative(self.x))
