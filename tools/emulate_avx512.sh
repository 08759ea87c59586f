#!/usr/bin/env bash
# The kernels for AVX-512 on a CPU without it (one with AVX2), by SIMDe's functions:
#
#     tools/emulate_avx512.sh FOLDER      (Debian: apt-get install libsimde-dev)
#     cd FOLDER && PYTHONPATH=. FASTACT_ISA=v4 python -m pytest tests/test_accuracy.py
#
# builds a copy of HEAD in FOLDER, which must not exist.  Results are those of AVX-512, but
# for the bits that its approximations leave open; times say nothing.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
mkdir "$1"
git -C "$root" archive HEAD | tar -x -C "$1"
cd "$1"

sed -i 's/__builtin_cpu_supports("avx512[a-z]*")/1/g' fastact/_front.pyx
FASTACT_BUILD=required python setup.py -q build_ext --inplace

{
    echo '#include <immintrin.h>'
    echo '#define SIMDE_NO_CHECK_IMMEDIATE_CONSTANT'
    echo '#include <simde/x86/avx512.h>'
    echo '#include "tools/emulated_avx512.h"'
    # (names that _hard.h and _algebraic32.h paste together, too)
    for op in set1 add sub mul div sqrt fmadd fmsub fnmadd min max andnot loadu storeu; do
        echo "_mm512_${op}_ps _mm512_${op}_pd"
    done | cat - fastact/*.h | grep -oE '_mm512_[a-z0-9_]+' | sort -u |
        sed 's/.*/#define & simde&/'
    for type in __m512 __m512d __m512i __mmask8 __mmask16; do
        echo "#define $type simde$type"
    done
    echo '#define __AVX512F__ 1'
} > emulated.h
suffix=$(python -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')
include=$(python -c 'import sysconfig; print(sysconfig.get_paths()["include"])')
gcc -shared -fPIC -O2 -g0 -w -Werror=implicit-function-declaration \
    -march=x86-64-v3 -fno-math-errno -fno-trapping-math \
    -ffp-contract=off '-DCYTHON_INLINE=inline __attribute__((__always_inline__))' \
    -include ./emulated.h -I. -Ifastact "-I$include" fastact/_kernels_v4.c \
    -o "fastact/_kernels_v4$suffix"
