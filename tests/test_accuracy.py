"""Values and derivatives against the textbook definition in mpmath, in ULP."""

import numpy as np
import pytest
import reference
from cases import CASE_IDS, CASES, COMPILED, DTYPES, rounded, ufunc

# Largest error of a value, in ULP, over the whole range.
VALUE_BOUND = {np.float32: 2.5, np.float64: 4.0}
DERIVATIVE_BOUND = 6.0
# f' goes through 0 here, and what is left of it near there has an error of one
# part in 2^23 (2^52) of its terms, not of itself.
ROOTS = {
    "silu": -1.2784645427610738,
    "silu_beta": None,
    "quick_gelu": -1.2784645427610738 / 1.702,
    "mish": -1.1924312145154955,
    "gelu": -0.7517915246935645,
    "gelu_tanh": -0.7524614220710163,
}


def near_root(row, params, x):
    if row.name not in ROOTS:
        return np.zeros(x.shape, bool)
    root = ROOTS[row.name]
    if root is None:
        root = ROOTS["silu"] / params["beta"]
    return np.abs(x - root) < 0.6 * abs(root)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("row", "params"), CASES, ids=CASE_IDS)
def test_relative_error(row, params, dtype):
    x = reference.points(dtype, dense=60)
    params = rounded(params, dtype)
    value, derivative = ufunc(row.name + "_vd")(x, *params.values())
    bound = VALUE_BOUND[dtype]
    skip = near_root(row, params, x)
    worst = {"value": (0.0, 0.0), "derivative": (0.0, 0.0)}
    for xi, f, d, root in zip(x, value, derivative, skip, strict=True):
        exact = reference.evaluate(row.formula, x=xi, **params)
        worst["value"] = max(worst["value"], (reference.error(f, exact), float(xi)))
        exact = reference.evaluate(row.derivative, x=xi, **params)
        if root:
            error = float(abs(float(d) - exact) / np.finfo(dtype).eps)
        else:
            error = reference.error(d, exact)
        worst["derivative"] = max(worst["derivative"], (error, float(xi)))
    assert worst["value"][0] <= bound, worst
    # The NumPy backend reaches 7 in mish'.
    assert worst["derivative"][0] <= (DERIVATIVE_BOUND if COMPILED else 8), worst


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
    from fastact._registry import BY_NAME

    row = BY_NAME[name]
    params = {p.name: p.default for p in row.params}
    for x in (-7.0, -11.0, -25.0, 18.0):
        f, d = ufunc(name + "_vd")(np.array([x]), *params.values())
        for got, expression in ((f, row.formula), (d, row.derivative)):
            exact = reference.evaluate(expression, x=x, **params)
            assert reference.error(got[0], exact) <= 6
