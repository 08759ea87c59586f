# The first half of .ci/run: the tests of the checkout, accuracy, generated code.
# shellcheck shell=bash disable=SC2154

step "README: set up and pass the tests"
clone "$work/clone"
mkdir "$work/bin"
ln -s "$python" "$work/bin/python"   # the README says python
(cd "$work/clone" && PATH="$work/bin:$PATH" FASTACT_BUILD=required \
    bash -euc "$(readme_block test-command)")
venv="$work/clone/.venv/bin"

step "every instruction set that this CPU runs"
tested=$(cd / && "$venv/python" -c 'import fastact; print(fastact.get_config()["isa"])')
for isa in base v3; do
    if [[ $isa = "$tested" ]]; then
        echo "$isa: the tests of the README ran it"
    elif (cd / && FASTACT_ISA=$isa "$venv/python" -c 'import fastact' 2>/dev/null); then
        (cd "$work/clone" && FASTACT_ISA=$isa "$venv/pytest" -q -p no:cacheprovider \
            tests/test_accuracy.py tests/test_contract.py tests/test_forms.py \
            tests/test_axis.py)
    else
        echo "$isa: not on this CPU"
    fi
done

step "the NumPy backend, forced"
(cd "$work/clone" && FASTACT_BACKEND=numpy "$venv/pytest" -q -p no:cacheprovider)

step "accuracy: the judges, the frozen tables, a strided sweep of every variant"
"$venv/pip" install scipy
(
    cd "$work/clone"
    "$venv/python" tools/wide.py --check --points 60 >/dev/null
    "$venv/python" tools/golden.py --check
    "$venv/python" tools/sweep.py --stride 4099 --all-params >/dev/null
)

step "pictures, experiment, command line"
"$venv/pip" install matplotlib rich
(cd "$work/clone" && "$venv/pytest" -q -p no:cacheprovider \
    tests/test_plotting.py tests/test_experiment.py tests/test_cli.py)

step "threads, with joblib and dask"
"$venv/pip" install joblib 'dask[array]' distributed
(cd "$work/clone" && "$venv/pytest" -q -p no:cacheprovider tests/test_threads.py)

step "headers that tools write"
(
    cd "$work/clone"
    "$venv/python" tools/coefficients.py --check >/dev/null
    "$venv/python" tools/tables.py --check
    "$venv/python" tools/tables64.py --check
    "$venv/python" tools/tables_avx2.py --check
    "$venv/python" tools/tables_axis.py --check
    "$venv/python" tools/rows.py --check
)

# (of the C that the build for the README generated)
step "every loop vectorised"
(cd "$work/clone" && "$venv/python" tools/check_vectorised.py)

step "a build without a compiler"
"$python" -m venv "$work/plain"
clone "$work/uncompiled"
(cd "$work/uncompiled" && CC=/nonexistent/cc "$work/plain/bin/pip" install . pytest \
    hypothesis mpmath gmpy2)
said=$(cd / && "$work/plain/bin/python" -c 'import fastact' 2>&1)
grep -q 'RuntimeWarning: fastact runs on its NumPy backend' <<<"$said"
(cd "$work/uncompiled" && FASTACT_EXPECT=numpy "$work/plain/bin/pytest" -q \
    -p no:cacheprovider -W ignore::RuntimeWarning \
    tests/test_errors.py tests/test_arrays.py tests/test_backends.py)
