# The second half of .ci/run: what is built from the checkout, and its users.
# shellcheck shell=bash disable=SC2154

step "sdist -> wheel -> install -> tests outside the checkout"
"$python" -m venv "$work/built"
"$work/built/bin/pip" install build
clone "$work/source"
touch "$work/source/fastact/"_front.{c,so}  # as a build in place leaves them
FASTACT_BUILD=none "$work/built/bin/python" -m build --sdist --outdir "$work/dist" \
    "$work/source" >/dev/null
rm "$work/source/fastact/"_front.{c,so}
FASTACT_BUILD=required "$work/built/bin/pip" wheel --no-deps -w "$work/dist" \
    "$work"/dist/*.tar.gz
"$work/built/bin/python" - "$work"/dist/*.whl "$work"/dist/*.tar.gz <<'PY'
import os, sys, tarfile, zipfile

wheel, sdist = sys.argv[1:]
names = zipfile.ZipFile(wheel).namelist()
bad = [n for n in names if n.endswith((".c", ".pyx", ".in")) or "test" in n]
assert not bad, bad
for isa in ("base", "v3", "v4") if os.uname().machine == "x86_64" else ("base",):
    assert any(f"_kernels_{isa}." in n for n in names), isa
for wanted in ("kernels.pxd", "py.typed", "__init__.pyi", "kernels.pyi", "ufuncs.pyi"):
    wanted = "fastact/" + wanted
    assert wanted in names, wanted
size = os.path.getsize(wheel)
assert size < 3_000_000, size
inside = tarfile.open(sdist).getnames()
assert not [n for n in inside if n.endswith((".c", ".so"))]
print(f"wheel: {len(names)} files, {size / 1e6:.2f} MB; sdist: {len(inside)} files")
PY
"$work/built/bin/pip" install "$work"/dist/*.whl pytest hypothesis mpmath gmpy2 cython setuptools
cp -r "$work/source/tests" "$work/tests"
# (less what .ci/tests.sh puts every instruction set through)
(cd "$work" && "$work/built/bin/pytest" -q -p no:cacheprovider --import-mode=importlib \
    -o pythonpath=tests tests \
    --ignore=tests/test_accuracy.py --ignore=tests/test_contract.py --ignore=tests/test_forms.py)

step "other libraries"
"$python" -m venv "$work/interop"
"$work/interop/bin/pip" install "$(echo "$work"/dist/*.whl)[test,interop]" numpydoc
(
    cd "$work"
    "$work/interop/bin/pytest" -q -p no:cacheprovider --import-mode=importlib \
        -o pythonpath=tests tests/interop tests/test_api.py tests/test_docstrings.py
    "$work/interop/bin/python" -m doctest -o NORMALIZE_WHITESPACE -o ELLIPSIS \
        "$work/source/docs/ecosystem.md"
)

step "documentation: examples, docstrings, pages"
"$python" -m venv "$work/docs"
"$work/docs/bin/pip" install "$(echo "$work"/dist/*.whl)[docs]" pytest
(
    cd "$work"  # not the checkout: python -m would import it
    for page in "$work"/source/{README.md,docs/*.md,docs/_ext/formulas.py}; do
        [[ $page != */ecosystem.md ]] || continue  # done above
        "$work/docs/bin/python" -m doctest -o NORMALIZE_WHITESPACE -o ELLIPSIS "$page"
    done
    "$work/docs/bin/pytest" -q -p no:cacheprovider --import-mode=importlib \
        -o pythonpath=tests tests/test_docstrings.py
    "$work/docs/bin/sphinx-build" -q -W --keep-going -b html "$work/source/docs" "$work/html"
    echo "docs: $(find "$work/html" -name '*.html' | wc -l) pages"
)

step "lint"
"$python" -m venv "$work/lint"
"$work/lint/bin/pip" install ruff==0.17.6 cython-lint==0.22.1 mypy==2.4.1 numpy==2.2.6 \
    "$work"/dist/*.whl
(
    cd "$work/source"
    export PATH="$work/lint/bin:$PATH"  # cython-lint runs pycodestyle from there
    ruff check .
    git ls-files -z '*.pyx' '*.pxd' | xargs -0 cython-lint
    mypy
    (cd "$work" && stubtest fastact --mypy-config-file "$work/source/pyproject.toml" \
        --allowlist "$work/source/tests/stubtest_allow.txt")
    "$python" tools/readme_table.py --check
)

step "asv, one quick pass"
"$work/built/bin/pip" install asv virtualenv
clone "$work/asv"
(
    cd "$work/asv"
    git checkout --quiet -B main
    export PATH="$work/built/bin:$PATH"
    asv machine --yes --config asv_bench/asv.conf.json >/dev/null
    asv run --config asv_bench/asv.conf.json --quick --show-stderr \
        --bench '^overhead' 'HEAD^!'
    if command -v chromedriver >/dev/null && command -v chromium >/dev/null; then
        "$work/built/bin/pip" install selenium
        python tools/check_history.py
    else
        echo "history: not looked at: no chromium and chromedriver on this machine"
    fi
)
