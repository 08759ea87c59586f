"""Activation functions for NumPy: value and derivative in one pass.

>>> import numpy as np, fastact as fa
>>> y, dy = fa.sigmoid.value_and_derivative(np.array([-1.0, 0.0, 1.0]))
>>> dy
array([0.19661193, 0.25      , 0.19661193])

Every activation is an object: calling it gives the value; ``derivative``,
``value_and_derivative``, ``backward`` and, where it exists,
``backward_from_output`` are its other forms, and ``NAME_d`` is the derivative
as a function.  ``fastact.ACTIVATIONS`` maps names to objects.
"""

from types import MappingProxyType as _MappingProxyType
from typing import TYPE_CHECKING as _TYPE_CHECKING

from . import _api, _axis_api, _registry
from ._config import __version__
from ._config import get_config as get_config
from ._config import show_config as show_config
from ._threads import get_num_threads as get_num_threads
from ._threads import num_threads as num_threads
from ._threads import set_num_threads as set_num_threads

_found: dict = {}
for _row in _registry.ROWS:
    if _row.name not in _registry.INTERNAL:
        _found[_row.name] = _api.Activation(_row)
_found[_registry.PRELU] = _api.PReLU()
for _gate in _registry.GATES:
    _found[_gate.name] = _api.GatedUnit(_gate)
for _axis in _registry.AXIS_ROWS:
    _found[_axis.name] = _axis_api.make(_axis)

#: Every activation by name.
ACTIVATIONS = _MappingProxyType(_found)

globals().update(_found)
for _alias, _name in _registry.ALIASES.items():
    globals()[_alias] = _found[_name]
for _name, _object in [*_found.items(), *((a, _found[n]) for a, n in
                                          _registry.ALIASES.items())]:
    if hasattr(_object, "derivative"):
        globals()[_name + "_d"] = _object.derivative

__all__ = sorted(
    [n for n in globals() if not n.startswith("_") and n[0].islower()]
) + ["ACTIVATIONS", "__version__"]


def __dir__():
    return __all__


if _TYPE_CHECKING:
    # For a checkout where setup.py has not rendered the stubs, which say more.
    def __getattr__(name: str): ...
