"""Build fastact: render the kernels from the registry, compile them per ISA.

Environment: FASTACT_BUILD=required makes a failing compiler an error instead of
falling back to the NumPy backend; FASTACT_BUILD=none builds no extension.
"""

import importlib.util
import os
import platform
import re
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent
PACKAGE = ROOT / "fastact"
BUILD = os.environ.get("FASTACT_BUILD", "")
MSVC = sys.platform == "win32"

# No -ffast-math: subnormals, NaN and signed zeros are part of the contract.
# -fno-trapping-math lets selects be computed without branches;
# -ffp-contract=off keeps compensated code as written (fma is explicit);
# -fno-tree-loop-distribute-patterns, or sixteen partial sums are set to 0 by a
# memset, which for AVX2 is the slow `rep stos`.
KERNEL_FLAGS = (
    ["/O2"]
    if MSVC
    else [
        "-O3", "-g0", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off",
        "-fno-tree-loop-distribute-patterns",
    ]
)
# Inlining is not left to heuristics: a formula that stays a call is a loop that
# does not vectorise.
INLINE = "__forceinline" if MSVC else "inline __attribute__((__always_inline__))"
NARROW = ("f16", "bf16")  # what kernels see as float32 (_half.h)
ISA_FLAGS = {"base": []}
if platform.machine().lower() in ("x86_64", "amd64") and not MSVC:
    ISA_FLAGS["v3"] = ["-march=x86-64-v3"]
    ISA_FLAGS["v4"] = ["-march=x86-64-v4", "-mprefer-vector-width=512"]


def load_registry():
    """fastact/_registry.py, without importing the package."""
    spec = importlib.util.spec_from_file_location(
        "_registry", PACKAGE / "_registry.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def render(template, target, **names):
    """Write ``target`` from a Tempita ``template``, if it changed."""
    from Cython.Tempita import Template

    source = (PACKAGE / template).read_text()
    text = Template(source, name=template).substitute(**names)
    return write(PACKAGE / target, text)


def write(path, text):
    """``path`` with this content, untouched if it has it; relative to the root."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
    return str(path.relative_to(ROOT))


def widen(text):
    """Primitives or formulas for float32 through double (see _primitives.pxd)."""
    text = re.sub(r"\bWIDE = 0", "WIDE = 1", text)
    return text.replace("fastact._primitives", "fastact._wide_primitives")


def declared64(row):
    """Name and types of the function of _float64.h."""
    types = ["const double *", "double *", "double *", "Py_ssize_t"]
    types += ["double"] * len(row.params) if row.table64_where else []
    return f"fa_{row.name}_f64({', '.join(types)})"


class Body:
    """The inside of one loop: the call of its formula, and the stores.

    ``type`` is what the formula computes in: double for a wide row.
    """

    def __init__(self, kernel, dtype, isa):
        row = kernel.row
        wide = dtype == "float" and row.wide in (True, isa)
        self.type = "double" if wide else dtype
        formula = ("wide_" if wide else "") + row.name
        # The arrays that a formula with an exponential keeps between its two steps.
        self.exp = {"exp": ("s", "q"), "expm1": ("s", "q", "ql")}.get(row.exp, ())
        if kernel.kind == "from_output":
            self.exp = ()
        # Whether f and d come from a header of intrinsics.
        single = dtype == "float"
        self.table = kernel.kind != "from_output" and isa != "base" and (
            row.hard
            or (row.algebraic32 or (row.table if isa == "v4" else row.avx2)
                if single else row.table64)
        )
        # (blocks: of a formula with an exponential, or of what a header's function takes)
        at = "first + i" if self.exp or self.table else "i"
        # Inputs are read into locals first: a load that only one side of a select
        # needs would otherwise move into a branch, and the loop stay scalar.
        self.loads = [f"{name}_ = {name}[{at}]" for name in kernel.inputs]
        x = "x" if kernel.kind == "prelu" else kernel.inputs[-1]
        args = [f"<{self.type}>{x}_"]
        if kernel.kind == "prelu":
            args.append(f"<{self.type}>weight_")
        args += [param.name + "_" for param in kernel.params]
        if kernel.kind == "from_output":
            self.call = f"{formula}_from_output({', '.join(args)}, &d_)"
        else:
            parts = [f"{name}[i]" for name in self.exp]
            self.call = f"{formula}({', '.join(args + parts)}, &f_, &d_)"
            args[0] = f"<{self.type}>{x}[{at}]"
            parts = [f"&{name}[i]" for name in self.exp]
            self.exp_call = f"{formula}_exp({', '.join(args + parts)})"
        places = {name: f"{name}_" for name in kernel.inputs}
        places |= {"f": f"<{dtype}>f_", "d": f"<{dtype}>d_"}
        self.stores = [
            f"{name}[{at}] = {re.sub('[a-z_]+', lambda m: places.get(m[0], m[0]), expr)}"
            for name, expr in kernel.outputs.items()
        ]
        # By which function f and d come from there, and where they go to: the output that is
        # nothing else, or an array; from there the other outputs are computed.
        self.look_up = f"fa_{row.name}_f{32 if single else 64}"
        limited = single and isa == "v4" and row.table
        if limited:
            self.look_up = f"{row.name}_look_up"
        self.look_up_block = 1024 if single else 256
        direct = {expr: name for name, expr in kernel.outputs.items() if expr in ("f", "d")}
        self.stores_rest = [
            store for store, expr in zip(self.stores, kernel.outputs.values(), strict=True)
            if expr not in direct
        ]
        # Whether one call is enough.
        self.at_once = not (self.stores_rest or limited)
        start = "" if self.at_once else " + first"
        self.tables = {
            which: f"{direct[which]}{start}" if which in direct
            else f"{which}_table" if any(f">{which}_" in store for store in self.stores_rest)
            else "NULL"
            for which in ("f", "d")
        }
        self.table_loads = [
            f"{which}_ = ({place})[i]" for which, place in self.tables.items()
            if place != "NULL"
        ]
        # ... for these parameters, which the function takes unless they are the defaults.
        places = [f"p[{j}]" for j in range(len(kernel.params))]
        self.look_up_where = " and ".join(
            f"{place} == {param.default!r}"
            for place, param in zip(places, kernel.params, strict=True)
        )
        taken = [f"{x}{start}", *self.tables.values(), "n" if self.at_once else "m"]
        if limited:
            taken.append("n")
        if not single and row.table64_where:
            self.look_up_where = row.table64_where
            taken += places
        self.look_up = f"{self.look_up}({', '.join(taken)})"


def arguments(kernel, dtype, header=False):
    """The arguments of a public kernel; a header hides the defaults."""
    args = [f"const {dtype}[::1] {name}" for name in kernel.inputs]
    args += [f"{dtype}[::1] {name}" for name in kernel.outputs]
    for param in kernel.params:
        default = "*" if header else repr(param.default)
        args.append(
            f"double {param.name}" + (f"={default}" if param.default is not None else "")
        )
    return ", ".join(args)


def c_arguments(kernel, dtype, scalar=False):
    """The arguments of a C function: pointers and their length, or numbers."""
    if scalar:
        args = [f"{dtype} {name}" for name in kernel.inputs]
    else:
        args = [f"const {dtype} *{name}" for name in kernel.inputs]
        args += [f"{dtype} *{name}" for name in kernel.outputs]
        args.append("Py_ssize_t n")
    return ", ".join(args + [f"double {param.name}" for param in kernel.params])


def has_scalar(kernel):
    """Whether there is a C function of numbers: where one number comes out, from x."""
    return len(kernel.outputs) == 1 and kernel.form in ("value", "derivative")


def stub_arguments(kernel):
    """The arguments of a public kernel, for type checkers."""
    args = [f"{name}: Buffer" for name in kernel.operands]
    for param in kernel.params:
        default = "" if param.default is None else f" = {param.default!r}"
        args.append(f"{param.name}: float{default}")
    return ", ".join(args)


def stub_options(registry, row):
    """What an elementwise activation takes beside x, for type checkers."""
    options = ["out: _Out = None"]
    variant = next((v for v in registry.VARIANTS if v.name == row.name), None)
    if variant:
        options += ["*", stub_option(variant)]
    elif row.params:
        options += ["*", *(f"{p.name}: ArrayLike = {p.default!r}" for p in row.params)]
    return "".join(o + ", " for o in options)


def stub_option(variant):
    """What chooses between rows, for type checkers."""
    takes = "ArrayLike"
    if None not in variant.choices:
        takes = f"Literal[{', '.join(map(repr, variant.choices))}]"
    return f"{variant.option}: {takes} = {variant.default!r}"


def protocol(row):
    """The class of an activation that has one of its own in the stubs."""
    return row.name.title().replace("_", "")


def public_stubs(registry):
    """What fastact/__init__.pyi.in asks for: the public names."""
    rows = [r for r in registry.ROWS if r.name not in registry.INTERNAL]
    required = [r for r in rows if any(p.default is None for p in r.params)]
    decorated = [
        (r.name, "_from_output" if r.from_output else "_activation",
         stub_options(registry, r))
        for r in rows if r not in required
    ]
    for gate in registry.GATES:
        options = "axis: SupportsIndex = -1, *, out: _Out = None, "
        if gate.variant:
            options += stub_option(gate.variant) + ", "
        decorated.append((gate.name, "_gated", options))
    finals = [(r.name, protocol(r)) for r in required] + [(registry.PRELU, "PReLU")]
    finals += [
        (a.name, "AxisReduction" if a.reduces else "AxisMap") for a in registry.AXIS_ROWS
    ]
    names = [*(d[0] for d in decorated), *(f[0] for f in finals), *registry.ALIASES]
    maps = [a.name for a in registry.AXIS_ROWS if not a.reduces]
    differentiable = [n for n in names if n not in maps]
    return dict(
        decorated=decorated, finals=finals, required=required, protocol=protocol,
        aliases=registry.ALIASES, differentiable=differentiable,
        names=sorted([*names, *(n + "_d" for n in differentiable)]),
    )


def stubs():
    """Render the type stubs of what the registry names."""
    registry = load_registry()
    render("__init__.pyi.in", "__init__.pyi", **public_stubs(registry))
    kernels = registry.kernels()
    functions = [
        (f"{k.public}_{s}", stub_arguments(k)) for k in kernels for s in registry.DTYPES
    ]
    render("kernels.pyi.in", "kernels.pyi", functions=functions)
    render("ufuncs.pyi.in", "ufuncs.pyi", names=[k.public for k in kernels])


def extensions():
    stubs()
    if BUILD == "none":
        return []
    import numpy
    from Cython.Build import cythonize

    registry = load_registry()
    kernels = registry.kernels()
    axis = []
    for row in registry.AXIS_ROWS:
        one = row.reduces  # a number per row
        axis += [(row.name, 2, one), (row.name + "_backward", 3, one)]
        if not row.reduces:
            axis.append((row.name + "_backward_from_output", 3, one))
    # (a row is narrow in float64 even where float32 goes through double)
    formulas = {k.row.name for k in kernels} | {"below"}
    formulas |= {k.row.name + "_from_output" for k in kernels if k.kind == "from_output"}
    formulas |= {k.row.name + "_exp" for k in kernels if k.row.exp}
    for name in ("primitives", "formulas"):
        text = (PACKAGE / f"_{name}.pxd").read_text()
        write(PACKAGE / f"_wide_{name}.pxd", "# A copy: see setup.py.\n" + widen(text))
    copies = ["copy", "copy_rows", "repeat"]
    copies += [f"{way}_{s}" for way in ("from", "to") for s in NARROW]
    lines = [f"lines_{way}_{s}" for way in ("from", "to") for s in (*registry.DTYPES, *NARROW)]
    names = dict(
        kernels=kernels,
        all_kernels=[
            (i * len(kernels) + j, k, s, T)
            for i, (s, T) in enumerate(registry.DTYPES.items())
            for j, k in enumerate(kernels)
        ],
        dtypes=registry.DTYPES,
        axis=axis,
        ones=lambda count, one: ", ".join(
            str(one and j == (1 if count == 2 else 0)) for j in range(3)
        ),
        names=[
            f"{name}_{s}"
            for s in registry.DTYPES
            for name in [
                *[k.name for k in kernels],
                *[name + way for name, _, _ in axis for way in ("", "_columns")],
            ]
        ] + copies + lines,
        narrow=NARROW,
        lines=lines,
        formulas=", ".join(sorted(formulas)),
        wide_formulas=", ".join(f"{f} as wide_{f}" for f in sorted(formulas)),
        tables=[k for k in kernels if k.row.table and k.kind == "elementwise"
                and k.form == "value_and_derivative"],
        tables64=[declared64(row) for row in registry.ROWS if row.table64],
        avx2=[row.name for row in registry.ROWS if row.avx2],
        algebraic32=[row.name for row in registry.ROWS if row.algebraic32],
        hard=[row.name for row in registry.ROWS if row.hard],
        Body=Body,
        arguments=arguments,
        c_arguments=c_arguments,
        has_scalar=has_scalar,
    )
    found = [
        Extension(
            f"fastact._kernels_{isa}",
            [render("_kernels.pyx.in", f"_kernels_{isa}.pyx", isa=isa, **names)],
            include_dirs=["fastact"],
            depends=[f"fastact/{p.name}" for p in sorted(PACKAGE.glob("*.h"))],
            extra_compile_args=KERNEL_FLAGS + flags,
            define_macros=[("CYTHON_INLINE", INLINE)],
        )
        for isa, flags in ISA_FLAGS.items()
    ]
    render("kernels.pxd.in", "kernels.pxd", **names)
    for name, source in (
        ("fastact._pool", "fastact/_pool.pyx"),
        ("fastact._front", "fastact/_front.pyx"),
        ("fastact.kernels", render("kernels.pyx.in", "kernels.pyx", **names)),
    ):
        found.append(
            Extension(
                name,
                [source],
                include_dirs=[numpy.get_include()],
                define_macros=[("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION")],
                extra_compile_args=[] if MSVC else ["-O2", "-g0"],
            )
        )
    found = cythonize(found, language_level=3, nthreads=0)
    for extension in found:
        # cythonize() drops the argument of the constructor.
        extension.optional = BUILD != "required"
    return found


class BuildExt(build_ext):
    """build_ext on all cores that says plainly when it did not work."""

    def finalize_options(self):
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count() or 1

    def run(self):
        super().run()
        missing = [
            e.name
            for e in self.extensions
            if not Path(self.get_ext_fullpath(e.name)).exists()
        ]
        if missing:
            print(
                "fastact: these extensions could not be built: "
                f"{', '.join(missing)}.\nfastact: a working C compiler gives the "
                "fast backend; without it fastact falls back to NumPy.",
                file=sys.stderr,
            )


if __name__ == "__main__":
    setup(ext_modules=extensions(), cmdclass={"build_ext": BuildExt})
