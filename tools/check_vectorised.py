"""Name every kernel whose loop the compiler did not vectorise.

Usage: ``python tools/check_vectorised.py`` after a build in place (it reads the
generated ``fastact/_kernels_*.c``).  gcc's report has to name a vectorised loop
inside each kernel, for every instruction set; and a float32 kernel that is not
``wide`` must not convert to double (one untyped literal is enough for that).
Exit status 1 if a kernel fails.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
import setup  # noqa: E402


def functions(lines: list[str]) -> dict[str, tuple[int, int]]:
    """Kernel -> first and last line of its definition in the C source."""
    found, name, start = {}, "", 0
    for number, line in enumerate(lines, 1):
        match = re.match(r"static void __pyx_f_\w*?_kernels_[a-z0-9]+_(\w+)\(", line)
        if match and not line.rstrip().endswith(";"):
            name, start = match[1], number
        elif name and line.startswith("}"):
            found[name] = (start, number)
            name = ""
    return found


def converting(assembly: str) -> set[str]:
    """Kernels whose code converts between float and double."""
    found, name = set(), ""
    for line in assembly.splitlines():
        if re.match(r"[A-Za-z_][\w.]*:", line):
            kernel = re.match(r"__pyx_f_\w*?_kernels_[a-z0-9]+_(\w+?)(\.\w+)*:", line)
            name = kernel[1] if kernel else ""
        elif name and re.search(r"\bv?cvtp(s2pd|d2ps)", line):
            found.add(name)
    return found


def check(isa: str, flags: list[str], kernels) -> list[str]:
    source = ROOT / "fastact" / f"_kernels_{isa}.c"
    if not source.exists():
        return [f"{isa}: {source} is missing: build in place first"]
    with tempfile.TemporaryDirectory() as folder:
        report, assembly = Path(folder, "report"), Path(folder, "out.s")
        subprocess.run(
            ["gcc", *setup.KERNEL_FLAGS, *flags, f"-DCYTHON_INLINE={setup.INLINE}",
             f"-I{sysconfig.get_paths()['include']}", f"-fopt-info-vec={report}",
             "-fno-ipa-icf",  # keep every kernel, though some are the same code
             "-w", "-S", str(source), "-o", str(assembly)],
            check=True,
        )
        found = re.findall(r"(\S+):(\d+):\d+: optimized: loop vectorized", report.read_text())
        vectorised = {int(line) for file, line in found if file.endswith(".c")}
        conversions = {int(line) for file, line in found if file.endswith("_half.h")}
        doubles = converting(assembly.read_text())
    where = functions(source.read_text().splitlines())
    failed = []
    header = (ROOT / "fastact" / "_half.h").read_text().splitlines()
    intrinsics = 0 if isa == "base" else header.index("#endif")
    for line, text in enumerate(header):
        if "i++" in text and line > intrinsics and line + 1 not in conversions:
            failed.append(f"{isa}: the loop in line {line + 1} of _half.h is not vectorised")
    for kernel in kernels:
        for suffix in ("f32", "f64"):
            name = f"{kernel.name}_{suffix}"
            if name not in where:
                failed.append(f"{isa}: {name} is not in the source")
                continue
            first, last = where[name]
            body = setup.Body(kernel, "float" if suffix == "f32" else "double", isa)
            if body.table and not body.stores_rest and not kernel.params:
                continue  # intrinsics, see the headers
            if not any(first <= line <= last for line in vectorised):
                failed.append(f"{isa}: the loop of {name} is not vectorised")
            if suffix == "f32" and body.type == "float" and name in doubles:
                failed.append(f"{isa}: {name} converts to double")
    return failed


def main() -> int:
    if shutil.which("gcc") is None:
        print("check_vectorised: needs gcc, whose report it reads")
        return 1
    kernels = setup.load_registry().kernels()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        checks = pool.map(check, setup.ISA_FLAGS, setup.ISA_FLAGS.values(), repeat(kernels))
        failed = [name for of_isa in checks for name in of_isa]
    print(*failed, sep="\n")
    print(f"{2 * len(kernels) * len(setup.ISA_FLAGS)} loops, {len(failed)} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
