"""The NumPy ufuncs under the activations, by kernel name.

``fastact.ufuncs.sigmoid``, ``sigmoid_d``, ``sigmoid_vd`` and
``sigmoid_backward`` are what the activations call for anything but plain
arrays: use them where a library wants a real ufunc (``numpy.ufunc`` with the
compiled backend, an object that behaves like one with the NumPy backend).
Parameters are further inputs.
"""

from . import _backend, _registry

__all__ = [kernel.public for kernel in _registry.kernels()]

for _name in __all__:
    globals()[_name] = _backend.loop(_name).ufunc
