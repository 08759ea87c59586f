"""fastact's kernels in the neural networks of scikit-learn.

>>> import fastact.sklearn
>>> from sklearn.neural_network import MLPRegressor
>>> with fastact.sklearn.activations() as names:
...     model = MLPRegressor(activation="elu", random_state=0).fit([[0], [1], [2]], [1, 2, 3])
>>> names[:3]
('celu', 'elu', 'hard_shrink')

"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from . import ACTIVATIONS, _registry, softmax
from ._extras import require

require("sklearn", "sklearn")
from sklearn.neural_network import MLPClassifier, _base  # noqa: E402
from sklearn.utils._param_validation import StrOptions  # noqa: E402

__all__ = ["activations"]

#: scikit-learn's name -> fastact's, where they differ
_NAMES = {"logistic": "sigmoid"}


def _tables() -> tuple[dict, dict]:
    """scikit-learn's two tables: functions that work in place."""
    values: dict = {"softmax": lambda X: softmax(X, axis=1, out=X)}
    derivatives: dict = {}
    rows = {
        name: _registry.BY_NAME[name]
        for name in ACTIVATIONS
        if name in _registry.BY_NAME
    }
    for name, row in rows.items():
        # scikit-learn has the output only, and no parameters
        if row.from_output and None not in [p.default for p in row.params]:
            f = ACTIVATIONS[name]
            values[name] = lambda X, f=f: f(X, out=X)
            derivatives[name] = lambda Z, delta, f=f: f.backward_from_output(
                delta, Z, out=delta
            )
    for theirs, ours in _NAMES.items():
        values[theirs], derivatives[theirs] = values[ours], derivatives[ours]
    return values, derivatives


@contextlib.contextmanager
def activations() -> Iterator[tuple[str, ...]]:
    """Let scikit-learn's multilayer perceptrons use fastact, inside a with block.

    ``MLPClassifier`` and ``MLPRegressor`` then compute their own activations
    (logistic, tanh, relu, and the softmax of the output) with fastact, and take the
    names of others: all whose derivative is a function of the output, with their
    default parameters.  It holds for this process, all its threads, until the block ends;
    a model of another activation fits and predicts inside such a block only.

    Yields
    ------
    tuple of str
        What ``activation=`` takes.
    """
    values, derivatives = _tables()
    takes = MLPClassifier._parameter_constraints["activation"]  # the regressor's too
    more = StrOptions(set(derivatives))
    before = dict(_base.ACTIVATIONS), dict(_base.DERIVATIVES)
    takes.append(more)
    _base.ACTIVATIONS.update(values)
    _base.DERIVATIVES.update(derivatives)
    try:
        yield tuple(sorted(_base.DERIVATIVES))
    finally:
        takes.remove(more)
        for table, old in zip((_base.ACTIVATIONS, _base.DERIVATIVES), before, strict=True):
            table.clear()
            table.update(old)
