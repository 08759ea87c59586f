#!/usr/bin/env bash
# The array and edge tests under AddressSanitizer and UBSan, on every instruction
# set that this CPU runs, and those of shared work under ThreadSanitizer:
#   tools/sanitize.sh [pytest options]
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

# The tests import the folder $1, and not an installed package or a checkout.
build() {
    rm -rf build fastact/*.so fastact/*.c
    CC=gcc FASTACT_BUILD=required CFLAGS="$2 -fno-omit-frame-pointer" \
        LDFLAGS="$2" "$python" setup.py --quiet build_ext --inplace
    mkdir "$1"
    cp -r fastact "$1"/
}

build site "$checks"
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
    # test_cimport builds an extension without sanitizers: not for this; nor is what
    # forks, whose child may find AddressSanitizer's own allocator locked.
    sanitized -m pytest -q -p no:cacheprovider --capture=sys -k "not fork" \
        --deselect tests/test_kernels.py::test_cimport \
        tests/test_{arrays,contract,forms,kernels,axis,errors,gates,half,threads}.py "$@"
    ran=$((ran + 1))
done
[ "$ran" -gt 0 ]

echo "sanitize: threads"
build shared -fsanitize=thread
# (Processes that fork with threads, or count them, are not for ThreadSanitizer.)
env LD_PRELOAD="$(gcc -print-file-name=libtsan.so)" TSAN_OPTIONS="exitcode=66" \
    PYTHONPATH="$work/shared" FASTACT_BACKEND=cython OPENBLAS_NUM_THREADS=1 \
    "$python" -P -m pytest -q -p no:cacheprovider --capture=sys tests/test_threads.py \
    -k "bits or in_place or buffers or rounding or callers or help" "$@"
echo "sanitize: clean on $ran instruction set(s)"
