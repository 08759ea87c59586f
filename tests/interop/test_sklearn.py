"""scikit-learn's multilayer perceptrons with fastact's activations."""

import numpy as np
import pytest
from containers import ELEMENTWISE

import fastact as fa
from fastact import _registry

pytest.importorskip("sklearn")
from sklearn.datasets import load_iris, make_moons
from sklearn.neural_network import MLPClassifier, MLPRegressor, _base
from sklearn.utils._param_validation import InvalidParameterError

from fastact import sklearn as fs

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")


def network(activation, steps=20, **options):
    return MLPClassifier(
        (8, 8), activation=activation, max_iter=steps, random_state=0, **options
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ["tanh", "logistic", "relu"])
@pytest.mark.parametrize("classes", [2, 3])
def test_same_predictions(activation, classes, dtype):
    if classes == 2:
        X, y = make_moons(100, noise=0.2, random_state=0)
    else:  # the output is a softmax
        X, y = load_iris(return_X_y=True)
    X = X.astype(dtype)
    model = network(activation).fit(X, y)
    theirs = model.predict_proba(X)
    with fs.activations():
        ours = model.predict_proba(X)
        trained = network(activation).fit(X, y)
    # Probabilities to the last digits; in training each step adds roundings.
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=16 * np.finfo(dtype).eps)
    assert (ours.argmax(1) == theirs.argmax(1)).all()
    np.testing.assert_allclose(trained.loss_, model.loss_, rtol=np.finfo(dtype).eps ** 0.5)


@pytest.mark.parametrize("activation", ["tanh", "logistic", "relu", "softmax"])
def test_it_is_fastact_that_runs(activation):
    """In place, with the bits of fastact's forms."""
    name = {"logistic": "sigmoid"}.get(activation, activation)
    x = np.random.default_rng(0).normal(0, 3, (5, 8)).astype(np.float32)
    expected = fa.ACTIVATIONS[name](x)
    delta, before = x[::-1].copy(), x[::-1].copy()
    with fs.activations():
        values, derivatives = dict(_base.ACTIVATIONS), dict(_base.DERIVATIVES)
    y = x.copy()
    values[activation](y)
    assert y.tobytes() == expected.tobytes()
    if activation in derivatives:
        derivatives[activation](y, delta)
        want = fa.ACTIVATIONS[name].backward_from_output(before, expected)
        assert delta.tobytes() == want.tobytes()


def test_all_that_can_train_do():
    X, y = make_moons(200, noise=0.1, random_state=0)
    with fs.activations() as names:
        assert {"logistic", "tanh", "relu", "identity"} < {*names}
        can = {
            a.__name__ for a, options in ELEMENTWISE
            if _registry.BY_NAME[a.__name__].from_output and not options
        }
        assert {*names} == can | {"logistic", "identity"}
        for name in sorted(can):
            model = MLPRegressor(
                hidden_layer_sizes=(16,), activation=name, max_iter=300, random_state=0
            ).fit(X, y)
            assert model.loss_curve_[-1] < 0.7 * model.loss_curve_[0], name
            hidden = fa.ACTIVATIONS[name](X @ model.coefs_[0] + model.intercepts_[0])
            np.testing.assert_allclose(
                model.predict(X), (hidden @ model.coefs_[1] + model.intercepts_[1])[:, 0]
            )


def test_everything_is_put_back():
    before = dict(_base.ACTIVATIONS), dict(_base.DERIVATIVES)
    X, y = make_moons(50, random_state=0)
    with pytest.raises(RuntimeError, match="inside"), fs.activations(), fs.activations():
        raise RuntimeError("inside")
    assert (dict(_base.ACTIVATIONS), dict(_base.DERIVATIVES)) == before
    with pytest.raises(InvalidParameterError, match="'activation' parameter"):
        network("elu").fit(X, y)
