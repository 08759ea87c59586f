"""The public API is the one that was agreed on: tests/api.txt."""

import difflib

import pytest
from api import describe, frozen, modules
from cases import COMPILED

pytestmark = pytest.mark.skipif(
    not COMPILED, reason="the API is written down as the compiled backend has it"
)


def test_modules():
    assert list(frozen()) == modules()


@pytest.mark.parametrize("module", frozen())
def test_api_is_frozen(module):
    pytest.importorskip(module, exc_type=ImportError)
    changes = difflib.unified_diff(
        frozen()[module].splitlines(), describe(module).splitlines(),
        "tests/api.txt", "this fastact", lineterm="", n=0,
    )
    text = "\n".join(changes)
    assert not text, (
        f"the public API has changed; if it should, run python tests/api.py --write\n{text}"
    )
