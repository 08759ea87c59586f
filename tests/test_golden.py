"""Frozen exact values, from tools/golden.py: errors in ULP without mpmath."""

from pathlib import Path

import numpy as np
import pytest
from cases import CASE_IDS, CASES, COMPILED, DTYPES, rounded, ufunc

from fastact._bounds import BOUNDS

FOLDER = Path(__file__).parent / "golden"


def errors(computed, near, rest):
    """|computed - exact| in ULP of exact = near + rest ULP."""
    size = np.abs(near)
    inward = np.sign(rest) * np.sign(near) < 0
    below = size - np.nextafter(size, size.dtype.type(0))
    with np.errstate(invalid="ignore"):
        spacing = np.where(inward, below, np.spacing(size)).astype(np.float64)
        steps = (computed.astype(np.float64) - near.astype(np.float64)) / spacing
        found = np.abs(steps - rest)
    return np.where(np.isinf(near), np.where(computed == near, 0, np.inf), found)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("row", "params", "i"),
    [(*case, i) for case, i in zip(CASES, CASE_IDS, strict=True)], ids=CASE_IDS,
)
def test_golden(row, params, i, dtype):
    with np.load(FOLDER / f"{dtype.__name__}.npz") as table:
        x = table[f"{i} x"]
        exact = {
            form: (table[f"{i} {form} near"], table[f"{i} {form} rest"])
            for form in ("value", "derivative")
        }
    assert x.size > 90
    results = ufunc(row.name + "_vd")(x, *rounded(params, dtype).values())
    for form, computed in zip(("value", "derivative"), results, strict=True):
        found = errors(computed, *exact[form])
        worst = int(np.argmax(found))
        bound = BOUNDS[row.name, dtype.__name__, form][0 if COMPILED else 2]
        assert found[worst] <= bound, (form, float(x[worst]).hex())


def test_errors_are_those_of_the_reference():
    """The ULP arithmetic above against that of mpmath, where there is one."""
    mp = pytest.importorskip("mpmath")
    import reference

    with mp.workprec(200):
        for exact in ("1.25", "1", "0.99999999999999999999", "-3e-40", "7e-46", "-1e38"):
            value = mp.mpf(exact)
            spacing = reference.ulp_of(value, np.float32)
            n = mp.nint(value / spacing)
            near = np.float32(float(n * spacing))
            rest = np.float32(float(value / spacing - n))
            for y in (near, np.nextafter(near, np.float32(np.inf)), np.float32(2) * near):
                ours = errors(np.array([y]), np.array([near]), np.array([rest]))[0]
                assert ours == pytest.approx(reference.error(y, value), rel=1e-5, abs=1e-6)
