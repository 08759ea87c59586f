#!/usr/bin/env bash
# The array and edge tests under AddressSanitizer and UBSan, on every instruction
# set that this CPU runs:  tools/sanitize.sh [pytest options]
#
# Builds in a temporary copy of the checkout.  Needs gcc and a Python with the
# `test` extra (PYTHON=... names another than python).
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Beyond what -fsanitize=undefined has: floats that their integer cannot hold.
# (Floats divided by 0 are IEEE arithmetic here, and meant.)
checks="-fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all"

cp -r "$root"/{fastact,tests,setup.py,pyproject.toml,README.md,LICENSE} "$work"
cd "$work"
rm -rf build fastact/*.so fastact/*.c
CC=gcc FASTACT_BUILD=required CFLAGS="$checks -fno-omit-frame-pointer" \
    LDFLAGS="$checks" "$python" setup.py --quiet build_ext --inplace
# The tests import the copy, and not an installed package or a checkout.
mkdir site
mv fastact site/

sanitized() {
    env LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)" \
        ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 \
        PYTHONMALLOC=malloc PYTHONPATH="$work/site" FASTACT_BACKEND=cython \
        FASTACT_ISA="$isa" "$python" -P "$@"
}

ran=0
for isa in base v3 v4; do
    if ! said=$(sanitized -c 'import fastact' 2>&1); then
        # only an instruction set that is missing here may be left out
        grep -q "ImportError: FASTACT_ISA='$isa'" <<<"$said" || { echo "$said"; exit 1; }
        echo "sanitize: $isa: not on this CPU"
        continue
    fi
    echo "sanitize: $isa"
    # --capture=sys: a report goes to the file descriptor, which stays open.
    # test_cimport builds an extension without sanitizers: not for this.
    sanitized -m pytest -q -p no:cacheprovider --capture=sys \
        --deselect tests/test_kernels.py::test_cimport \
        tests/test_{arrays,contract,forms,kernels,axis,errors,gates}.py "$@"
    ran=$((ran + 1))
done
[ "$ran" -gt 0 ]
echo "sanitize: clean on $ran instruction set(s)"
