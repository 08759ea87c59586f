"""Values and derivatives against the textbook definition in mpmath, in ULP."""

import mpmath as mp
import numpy as np
import pytest
import reference
from cases import CASE_IDS, CASES, COMPILED, DTYPES, rounded, ufunc

from fastact import _reference, _registry
from fastact._bounds import BOUNDS


def inputs(row, params, dtype):
    """The whole range, where f' has a root, and the worst inputs known."""
    points = [reference.points(dtype, dense=60)]
    root = reference.root(row.name, params)
    if root is not None:
        points.append(reference.around(float(root), dtype, 20))
        points.append((float(root) * (1 + 2.0 ** -np.arange(1, 24))).astype(dtype))
        points.append((float(root) * (1 - 2.0 ** -np.arange(2, 24))).astype(dtype))
    for form in ("value", "derivative"):
        line = BOUNDS[row.name, dtype.__name__, form]
        points.append(np.array([float.fromhex(line[1]), float.fromhex(line[3])], dtype))
    return np.unique(np.concatenate(points))


@pytest.mark.parametrize(("row", "params"), CASES, ids=CASE_IDS)
def test_exact_values_are_those_of_mpmath(row, params):
    for expression in (row.formula, row.derivative):
        for x in (-700.0, -30.0, -1.3, 1e-9, 0.7, 12.5):
            ours = reference.evaluate(expression, x=x, **params)
            with mp.workprec(200):
                theirs = _reference.evaluate(expression, x=x, **params)
                assert abs(ours - theirs) <= abs(theirs) * mp.mpf(2) ** -150, x


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("row", "params"), CASES, ids=CASE_IDS)
def test_relative_error(row, params, dtype):
    params = rounded(params, dtype)
    x = inputs(row, params, dtype)
    results = ufunc(row.name + "_vd")(x, *params.values())
    for form, expression, computed in zip(
        ("value", "derivative"), (row.formula, row.derivative), results, strict=True
    ):
        errors = [
            reference.error(y, reference.evaluate(expression, x=xi, **params))
            for xi, y in zip(x, computed, strict=True)
        ]
        i = int(np.argmax(errors))
        bound = BOUNDS[row.name, dtype.__name__, form][0 if COMPILED else 2]
        assert errors[i] <= bound, (form, float(x[i]).hex())


#: pairs of which beta x is as good as the root, to 2^-44 and 2^-91
NEAREST = {
    np.float32: ("0x1.20c96p+0", "-0x1.222118p+0"),
    np.float64: ("0x1.2174f89343e5cp+0", "-0x1.21751963088bep+0"),
}


@pytest.mark.skipif(not COMPILED, reason="the NumPy backend has a bound for some slopes")
@pytest.mark.parametrize("dtype", DTYPES)
def test_root_of_silu_whatever_its_slope(dtype):
    row = _registry.BY_NAME["silu_beta"]
    slopes = 2 ** np.random.default_rng(5).uniform(-20, 20, 60) * np.tile([1, -1], 30)
    pairs = [(beta, dtype(float(reference.root(row.name, {"beta": beta}))))
             for beta in slopes.astype(dtype)]
    pairs.append(tuple(dtype(float.fromhex(text)) for text in NEAREST[dtype]))
    bound = BOUNDS[row.name, dtype.__name__, "derivative"][0]
    for beta, x in pairs:
        exact = reference.evaluate(row.derivative, x=x, beta=beta)
        got = ufunc(row.name + "_d")(x, beta)
        assert reference.error(got, exact) <= bound, (float(beta).hex(), float(x).hex())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("row", "params"),
    [c for c in CASES if c[0].from_output],
    ids=[i for c, i in zip(CASES, CASE_IDS, strict=True) if c[0].from_output],
)
def test_derivative_from_output(row, params, dtype):
    """g f' as a function of y, at outputs of the function itself."""
    if row.from_output_needs and not row.from_output_needs[2](
        *[params[n] for n in row.from_output_needs[1]]
    ):
        pytest.skip("not a function of the output for these parameters")
    params = rounded(params, dtype)
    x = reference.points(dtype, dense=40)
    # 1 - y and the like are exact, or cancel as the expression itself does
    x = x[np.abs(x) < 12]
    y = ufunc(row.name)(x, *params.values())
    got = ufunc(row.name + "_backward_from_output")(
        np.ones_like(y), y, *params.values()
    )
    for yi, d in zip(y, got, strict=True):
        exact = reference.evaluate(row.from_output, y=yi, **params)
        assert reference.error(d, exact) <= 4, (float(yi), float(d), float(exact))


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "gelu", "silu", "mish", "elu"])
def test_tails_keep_their_digits(name):
    """Where 1 - s, 1 - t^2 and 1 + erf have no digits left."""
    row = _registry.BY_NAME[name]
    params = {p.name: p.default for p in row.params}
    for x in (-7.0, -11.0, -25.0, 18.0):
        f, d = ufunc(name + "_vd")(np.array([x]), *params.values())
        for got, expression in ((f, row.formula), (d, row.derivative)):
            exact = reference.evaluate(expression, x=x, **params)
            assert reference.error(got[0], exact) <= 6
