"""What the tests of other libraries walk over."""

from cases import params_of

import fastact as fa
from fastact import _registry


def needed(row) -> dict:
    """Only the parameters that have no default."""
    if all(p.default is not None for p in row.params):
        return {}
    return params_of(row)


#: (activation, keywords)
ELEMENTWISE = [
    (a, needed(_registry.BY_NAME[name]))
    for name, a in fa.ACTIVATIONS.items()
    if name in _registry.BY_NAME
]
ELEMENTWISE_IDS = [a.__name__ for a, _ in ELEMENTWISE]
GATES = [fa.ACTIVATIONS[g.name] for g in _registry.GATES]
ALONG_AXIS = [fa.ACTIVATIONS[r.name] for r in _registry.AXIS_ROWS]


def name_of(activation) -> str:
    return activation.__name__
