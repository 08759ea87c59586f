"""Other libraries that compute activations, and how each of them is called.

A peer says for a row of the registry how one computes its value, or its value and
derivative, with it: as an expression that ``fastact bench`` times and whose results
it looks at.  Those that it lacks are None.  ``FastAct`` is one of them, called
like the others.

What each of them is told: to use so many threads, and if asked to leave out the
instructions that an older CPU lacks, and nothing else.  numexpr and Numba compile the
textbook definitions of the registry.
"""

from __future__ import annotations

import ast
import copy
import ctypes
import importlib.metadata
import math
import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

import fastact

from . import _catalog, _registry
from ._catalog import Choice
from ._extras import require

Array = np.ndarray

#: x86-64 as it began, with AVX2 and FMA, with AVX-512
ISAS = ("base", "v3", "v4")

#: Environment variables that libraries read when they are loaded, with their values for
#: each of ISAS.
Switches = dict[str, tuple[str, str, str]]

MKL_SWITCHES: Switches = {"MKL_ENABLE_INSTRUCTIONS": ("SSE4_2", "AVX2", "AVX512")}
_HWCAPS = "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW"
LIBC_SWITCHES: Switches = {
    "GLIBC_TUNABLES": (f"{_HWCAPS},-AVX,-AVX2,-FMA,-FMA4", _HWCAPS, ""),
}
#: variables that hold several settings, and what is between them
SEPARATORS = {"GLIBC_TUNABLES": ":", "XLA_FLAGS": " "}


class Call(NamedTuple):
    """An expression over names, to be timed; its value is the result."""

    text: str
    names: dict[str, Any]
    #: what comes before each timing, and is not timed; such a call is timed one by one
    setup: str = ""

    def result(self) -> Any:
        return eval(self.text, dict(self.names))


class Peer:
    """One library.  ``out`` (for a pair, two arrays) is where results are to go.

    Where a method is asked for a call with ``out`` and the library can only allocate,
    it returns None, and likewise for the reverse.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    #: the distribution that has its version
    package: ClassVar[str]
    #: what keeps it to an instruction set.  None: nothing can.  Empty: it is compiled
    #: for the least there is, and leaves the rest to the C library.
    switches: ClassVar[Switches | None] = {}
    #: whether it computes in float16
    half: ClassVar[bool] = False

    @classmethod
    def variables(cls, isa: str) -> dict[str, str]:
        """The environment that keeps it to ``isa``."""
        if cls.switches is None:
            raise ImportError(f"{cls.title} cannot be kept to {isa}", name=cls.name)
        return {name: values[ISAS.index(isa)] for name, values in cls.switches.items()}

    def __init__(self, threads: int = 1) -> None:
        """Import the library and tell it the number of threads."""

    @property
    def version(self) -> str:
        return importlib.metadata.version(self.package)

    def value(self, case: Choice, x: Array, out: Array | None = None) -> Call | None:
        return None

    def pair(
        self, case: Choice, x: Array, g: Array, out: tuple[Array, Array] | None = None
    ) -> Call | None:
        """Value and derivative, the latter times ``g`` if the library wants one.

        The last of its results is the derivative; the value need not be among them.
        """
        return None

    def axis_value(self, name: str, x: Array, out: Array | None = None) -> Call | None:
        """An ``AxisRow``, along the last axis."""
        return None

    def axis_backward(
        self, name: str, g: Array, x: Array, y: Array, out: Array | None = None
    ) -> Call | None:
        """The gradient at x, with what the forward pass keeps, such as its result y."""
        return None

    def arrays(self, result: Any) -> list[Array]:
        """The results of a call as NumPy arrays."""
        return [np.asarray(r) for r in (result if isinstance(result, tuple) else [result])]


def standard(case: Choice) -> bool:
    """Whether its parameters are those of which the tables below are written."""
    return case.params == _catalog.of_row(case.row).params


class FastAct(Peer):
    name, title, package = "fastact", "fastact", "fastact"
    half = True
    switches: ClassVar = {"FASTACT_ISA": ISAS}

    def __init__(self, threads: int = 1) -> None:
        set_threads = getattr(fastact, "set_num_threads", None)
        if set_threads:
            set_threads(threads)

    @property
    def version(self) -> str:
        return fastact.__version__

    @staticmethod
    def _call(function: Any, names: dict, out: Any, options: dict | None = None) -> Call:
        args = list(names)
        names = {"f": function, **names}
        if out is not None:
            args.append("out=out")
            names["out"] = out
        args += [f"{k}={v!r}" for k, v in (options or {}).items()]
        return Call(f"f({', '.join(args)})", names)

    def value(self, case: Choice, x: Array, out: Array | None = None) -> Call:
        return self._call(case.activation, {"x": x}, out, case.options)

    def in_place(self, case: Choice, x: Array, source: Array) -> Call:
        """``x``, a copy of ``source``, becomes its own value."""
        call = self._call(case.activation, {"x": x}, x, case.options)
        return call._replace(
            names={**call.names, "copyto": np.copyto, "source": source},
            setup="copyto(x, source)",
        )

    def pair(
        self, case: Choice, x: Array, g: Array, out: tuple[Array, Array] | None = None
    ) -> Call:
        function = case.activation.value_and_derivative
        return self._call(function, {"x": x}, out, case.options)

    def axis_value(self, name: str, x: Array, out: Array | None = None) -> Call:
        return self._call(getattr(fastact, name), {"x": x}, out)

    def axis_backward(
        self, name: str, g: Array, x: Array, y: Array, out: Array | None = None
    ) -> Call:
        function = getattr(fastact, name)
        if hasattr(function, "backward_from_output"):
            return self._call(function.backward_from_output, {"g": g, "y": y}, out)
        return self._call(function.backward, {"g": g, "x": x}, out)


class Expressions(Peer):
    """What one writes: expressions over ``x``, ``out``, and for gradients ``g``, ``y``."""

    values: ClassVar[dict[str, str]] = {}
    values_out: ClassVar[dict[str, str]] = {}
    pairs: ClassVar[dict[str, str]] = {}
    axis_values: ClassVar[dict[str, str]] = {}
    axis_backwards: ClassVar[dict[str, str]] = {}
    scope: dict[str, Any]

    def _call(self, table: dict[str, str], row: str, **names: Any) -> Call | None:
        if row not in table:
            return None
        return Call(table[row], {**self.scope, **names})

    def value(self, case: Choice, x: Array, out: Array | None = None) -> Call | None:
        if not standard(case):
            return None
        if out is None:
            return self._call(self.values, case.formula, x=x)
        return self._call(self.values_out, case.formula, x=x, out=out)

    def pair(
        self, case: Choice, x: Array, g: Array, out: tuple[Array, Array] | None = None
    ) -> Call | None:
        if out is not None or not standard(case):
            return None
        return self._call(self.pairs, case.formula, x=x)

    def axis_value(self, name: str, x: Array, out: Array | None = None) -> Call | None:
        return None if out is not None else self._call(self.axis_values, name, x=x)

    def axis_backward(
        self, name: str, g: Array, x: Array, y: Array, out: Array | None = None
    ) -> Call | None:
        if out is not None:
            return None
        return self._call(self.axis_backwards, name, g=g, x=x, y=y)


class NumPy(Expressions):
    """What one writes with NumPy alone."""

    name, title, package = "numpy", "NumPy", "numpy"
    half = True
    values: ClassVar = {
        "sigmoid": "1 / (1 + np.exp(-x))",
        "log_sigmoid": "-np.logaddexp(0, -x)",
        "tanh": "np.tanh(x)",
        "relu": "np.maximum(x, 0)",
        "relu6": "np.clip(x, 0, 6)",
        "leaky_relu": "np.maximum(x, 0.01 * x)",
        "elu": "np.where(x > 0, x, np.expm1(np.minimum(x, 0)))",
        "celu": "np.where(x > 0, x, np.expm1(np.minimum(x, 0)))",
        "selu": "1.0507009873554805 * np.where(x > 0, x, "
                "1.6732632423543772 * np.expm1(np.minimum(x, 0)))",
        "gelu_tanh": "0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x * x * x)))",
        "quick_gelu": "x / (1 + np.exp(-1.702 * x))",
        "silu": "x / (1 + np.exp(-x))",
        "mish": "x * np.tanh(np.logaddexp(0, x))",
        "softplus": "np.logaddexp(0, x)",
        "softsign": "x / (1 + np.abs(x))",
        "squareplus": "(x + np.sqrt(x * x + 4)) / 2",
        "hard_sigmoid": "np.clip(x + 3, 0, 6) / 6",
        "hard_tanh": "np.clip(x, -1, 1)",
        "hard_swish": "x * np.clip(x + 3, 0, 6) / 6",
        "hard_shrink": "np.where(np.abs(x) > 0.5, x, 0)",
        "soft_shrink": "x - np.clip(x, -0.5, 0.5)",
        "tanh_shrink": "x - np.tanh(x)",
        "threshold": "np.where(x > 0.5, x, -2)",
        "relu_squared": "np.square(np.maximum(x, 0))",
    }
    values_out: ClassVar = {
        "sigmoid": "np.divide(1, np.add(1, np.exp(np.negative(x, out), out), out), out)",
        "log_sigmoid": "np.negative(np.logaddexp(0, np.negative(x, out), out), out)",
        "tanh": "np.tanh(x, out)",
        "relu": "np.maximum(x, 0, out=out)",
        "relu6": "np.clip(x, 0, 6, out)",
        "leaky_relu": "np.maximum(x, np.multiply(0.01, x, out), out=out)",
        "quick_gelu": "np.divide(x, np.add(1, np.exp(np.multiply(-1.702, x, out), out), "
                      "out), out)",
        "silu": "np.divide(x, np.add(1, np.exp(np.negative(x, out), out), out), out)",
        "mish": "np.multiply(x, np.tanh(np.logaddexp(0, x, out), out), out)",
        "softplus": "np.logaddexp(0, x, out)",
        "softsign": "np.divide(x, np.add(1, np.abs(x, out), out), out)",
        "hard_sigmoid": "np.divide(np.clip(np.add(x, 3, out), 0, 6, out), 6, out)",
        "hard_tanh": "np.clip(x, -1, 1, out)",
        "hard_swish": "np.divide(np.multiply(x, np.clip(np.add(x, 3, out), 0, 6, out), "
                      "out), 6, out)",
        "soft_shrink": "np.subtract(x, np.clip(x, -0.5, 0.5, out), out)",
        "tanh_shrink": "np.subtract(x, np.tanh(x, out), out)",
        "relu_squared": "np.square(np.maximum(x, 0, out=out), out)",
    }
    pairs: ClassVar = {
        "sigmoid": "(y := 1 / (1 + np.exp(-x))), y * (1 - y)",
        "tanh": "(y := np.tanh(x)), 1 - y * y",
        "relu": "np.maximum(x, 0), (x > 0).astype(x.dtype)",
        "leaky_relu": "x * (d := np.where(x > 0, x.dtype.type(1), x.dtype.type(0.01))), d",
        "silu": "x * (s := 1 / (1 + np.exp(-x))), s * (1 + x * (1 - s))",
        "softplus": "np.logaddexp(0, x), 1 / (1 + np.exp(-x))",
    }
    axis_values: ClassVar = {
        "softmax": "(e := np.exp(x - x.max(-1, keepdims=True))) / e.sum(-1, keepdims=True)",
        "log_softmax": "(z := x - x.max(-1, keepdims=True)) - "
                       "np.log(np.exp(z).sum(-1, keepdims=True))",
        "logsumexp": "np.log(np.exp(x - (m := x.max(-1, keepdims=True))).sum(-1)) + m[..., 0]",
    }
    axis_backwards: ClassVar = {
        "softmax": "y * (g - (g * y).sum(-1, keepdims=True))",
        "log_softmax": "g - np.exp(y) * g.sum(-1, keepdims=True)",
        "logsumexp": "g[..., None] * np.exp(x - y[..., None])",
    }

    @classmethod
    def variables(cls, isa: str) -> dict[str, str]:
        """It refuses names that it does not know, or that it cannot do without."""
        simd = np.show_config("dicts")["SIMD Extensions"]
        v4 = ("X86_V4", "AVX512F", "AVX512CD", "AVX512_SKX")
        beyond = {
            "base": lambda name: True,
            "v3": lambda name: name == "X86_V4" or name.startswith("AVX512"),
            "v4": lambda name: name not in v4 and name.startswith("AVX512"),
        }[isa]
        names = sorted({*simd.get("found", ()), *simd.get("not found", ())})
        return {"NPY_DISABLE_CPU_FEATURES": " ".join(filter(beyond, names))}

    def __init__(self, threads: int = 1) -> None:
        self.scope = {"np": np}


class SciPy(Expressions):
    name, title, package = "scipy", "SciPy", "scipy"
    values: ClassVar = {
        "sigmoid": "special.expit(x)",
        "log_sigmoid": "special.log_expit(x)",
        "gelu": "x * special.ndtr(x)",
        "silu": "x * special.expit(x)",
        "softplus": "-special.log_expit(-x)",
    }
    values_out: ClassVar = {
        "sigmoid": "special.expit(x, out)",
        "log_sigmoid": "special.log_expit(x, out)",
        "gelu": "np.multiply(x, special.ndtr(x, out), out)",
        "silu": "np.multiply(x, special.expit(x, out), out)",
        "softplus": "np.negative(special.log_expit(np.negative(x, out), out), out)",
    }
    pairs: ClassVar = {
        "sigmoid": "(y := special.expit(x)), y * (1 - y)",
        "log_sigmoid": "special.log_expit(x), special.expit(-x)",
        "gelu": "x * (p := special.ndtr(x)), "
                "p + x * (0.3989422804014327 * np.exp(-0.5 * x * x))",
        "silu": "x * (s := special.expit(x)), s * (1 + x * (1 - s))",
        "softplus": "-special.log_expit(-x), special.expit(x)",
    }
    axis_values: ClassVar = {
        "softmax": "special.softmax(x, -1)",
        "log_softmax": "special.log_softmax(x, -1)",
        "logsumexp": "special.logsumexp(x, -1)",
    }

    def __init__(self, threads: int = 1) -> None:
        self.scope = {"np": np, "special": require("scipy.special", "bench")}


class MKL(Expressions):
    """Intel's vector mathematics (VML), with its default accuracy (HA), by ctypes."""

    name, title, package = "mkl", "MKL", "mkl"
    switches: ClassVar = MKL_SWITCHES
    #: ``vml`` reads x and writes out if it is given x, else it works in out
    values_out: ClassVar = {
        "sigmoid": "np.divide(1, np.add(1, vml('Exp', np.negative(x, out)), out), out)",
        "tanh": "vml('Tanh', x)",
        "elu": "np.copyto(vml('Expm1', np.minimum(x, 0, out=out)), x, where=x > 0) or out",
        "celu": "np.copyto(vml('Expm1', np.minimum(x, 0, out=out)), x, where=x > 0) or out",
        "gelu": "np.multiply(x, vml('CdfNorm', x), out)",
        "silu": "np.divide(x, np.add(1, vml('Exp', np.negative(x, out)), out), out)",
        "softplus": "np.add(np.maximum(x, 0), vml('Log1p', vml('Exp', "
                    "np.negative(np.abs(x, out), out))), out)",
        "tanh_shrink": "np.subtract(x, vml('Tanh', x), out)",
    }

    def __init__(self, threads: int = 1) -> None:
        try:
            importlib.metadata.version(self.package)
        except importlib.metadata.PackageNotFoundError:
            raise ImportError(
                "mkl is not installed: pip install 'fastact[bench]'", name="mkl"
            ) from None
        found = sorted(Path(sys.prefix, "lib").glob("libmkl_rt.so*"))
        if not found:
            raise ImportError(f"no libmkl_rt.so in {sys.prefix}/lib", name="mkl")
        # Its threads wait in a loop, by default for 200 ms, and slow down whoever is next.
        os.environ.setdefault("KMP_BLOCKTIME", "1")
        self.library = ctypes.CDLL(str(found[0]))
        if threads == 1:
            self.library.MKL_Set_Threading_Layer(1)  # MKL_THREADING_SEQUENTIAL
        else:
            self.library.MKL_Set_Num_Threads(threads)

    def value(self, case: Choice, x: Array, out: Array | None = None) -> Call | None:
        if out is None or case.formula not in self.values_out or not standard(case):
            return None
        prefix = "vms" if x.dtype == np.float32 else "vmd"
        functions = {
            name: getattr(self.library, prefix + name)
            for name in re.findall(r"vml\('(\w+)'", self.values_out[case.formula])
        }
        n, to = ctypes.c_int64(x.size), ctypes.c_void_p(out.ctypes.data)
        given = ctypes.c_void_p(x.ctypes.data)
        # VML_HA | VML_FTZDAZ_OFF | VML_ERRMODE_IGNORE
        mode = ctypes.c_int64(0x2 | 0x140000 | 0x100)

        def vml(name: str, a: Array) -> Array:
            functions[name](n, given if a is x else to, to, mode)
            return out

        self.scope = {"np": np, "vml": vml}
        return super().value(case, x, out)


class Torch(Peer):
    """PyTorch, as it runs without compiling: eager."""

    name, title, package = "torch", "PyTorch", "torch"
    half = True
    switches: ClassVar = {
        "ATEN_CPU_CAPABILITY": ("default", "avx2", "avx512"),
        "ONEDNN_MAX_CPU_ISA": ("SSE41", "AVX2", "AVX512_CORE"),
        **MKL_SWITCHES,  # (it has a copy of MKL)
    }
    #: where the operator with out= has another name than the function
    operators: ClassVar = {
        "logsigmoid": "log_sigmoid", "softmax": "_softmax", "log_softmax": "_log_softmax",
    }

    def __init__(self, threads: int = 1) -> None:
        self.torch = require("torch", "bench")
        self.torch.set_num_threads(threads)

    def _function(self, text: str, scope: dict[str, Any] | None = None) -> Any:
        functional = self.torch.nn.functional
        return eval(text, {"torch": self.torch, "F": functional, **(scope or {})})

    def _operator(self, name: str) -> Any:
        """The operator with out=, if it is not the allocating one and a copy."""
        name = self.operators.get(name, name)
        copies = self.torch._C._dispatch_has_kernel_for_dispatch_key
        try:
            found = getattr(self.torch.ops.aten, name).out
            return None if copies(f"aten::{name}.out", "CompositeExplicitAutograd") else found
        except (AttributeError, RuntimeError):
            return None

    def value(self, case: Choice, x: Array, out: Array | None = None) -> Call | None:
        text, t = case.row.torch, self.torch.from_numpy(x)
        if not text or not standard(case):
            return None
        if out is None:
            return Call("f(x)", {"f": self._function(text), "x": t})
        found = re.search(r"(?:torch|F)\.(\w+)", text)
        operator = self._operator(found[1]) if found else None
        if operator is None or found is None:
            return None
        call = text[found.end():] or "(x)"  # with its parameters
        names = {"f": operator, "x": t, "out": self.torch.from_numpy(out)}
        return Call(f"f{call[:-1]}, out=out)", names)

    def pair(
        self, case: Choice, x: Array, g: Array, out: tuple[Array, Array] | None = None
    ) -> Call | None:
        """Forward and backward."""
        if out is not None or not case.row.torch or not standard(case):
            return None
        return Call("grad(f(x), x, g)", {
            "f": self._function(case.row.torch), "grad": self.torch.autograd.grad,
            "x": self.torch.from_numpy(x).detach().requires_grad_(),
            "g": self.torch.from_numpy(g),
        })

    def axis_value(self, name: str, x: Array, out: Array | None = None) -> Call | None:
        text, t = _AXIS[name].torch, self.torch.from_numpy(x)
        if out is None:
            return Call("f(x, -1)", {"f": self._function(text), "x": t})
        names = {"f": self._operator(name), "x": t, "out": self.torch.from_numpy(out)}
        axis = "[-1]" if _AXIS[name].reduces else "-1, False"
        return Call(f"f(x, {axis}, out=out)", names) if names["f"] else None

    def axis_backward(
        self, name: str, g: Array, x: Array, y: Array, out: Array | None = None
    ) -> Call | None:
        """The backward pass alone: the forward one is done once, here."""
        if out is not None:
            return None
        t = self.torch.from_numpy(x).detach().requires_grad_()
        return Call("grad(y, x, g, retain_graph=True)", {
            "grad": self.torch.autograd.grad, "x": t,
            "y": self._function(_AXIS[name].torch)(t, -1), "g": self.torch.from_numpy(g),
        })

    def arrays(self, result: Any) -> list[Array]:
        several = result if isinstance(result, tuple) else (result,)
        return [t.detach().numpy() for t in several]


class JAX(Peer):
    """JAX, compiled (jit), from and to its own arrays."""

    name, title, package = "jax", "JAX", "jax"
    half = True
    switches: ClassVar = {
        "XLA_FLAGS": (
            "--xla_cpu_max_isa=SSE4_2", "--xla_cpu_max_isa=AVX2", "--xla_cpu_max_isa=AVX512"
        ),
    }

    def __init__(self, threads: int = 1) -> None:
        if "jax" not in sys.modules:  # it reads these once
            os.environ["NPROC"] = str(threads)
            flags = os.environ.get("XLA_FLAGS", "")
            if threads == 1:
                flags += " --xla_cpu_multi_thread_eigen=false"
            os.environ["XLA_FLAGS"] = flags.strip()
        self.jax = jax = require("jax", "bench")
        jax.config.update("jax_platforms", "cpu")
        jax.config.update("jax_enable_x64", True)
        # In the calling thread: faster, all the more on few elements.
        jax.config.update("jax_cpu_enable_async_dispatch", False)
        nn = jax.nn
        self.functions: dict[str, Callable] = {
            "sigmoid": nn.sigmoid, "log_sigmoid": nn.log_sigmoid, "tanh": jax.numpy.tanh,
            "relu": nn.relu, "relu6": nn.relu6, "leaky_relu": nn.leaky_relu,
            "elu": nn.elu, "celu": nn.celu, "selu": nn.selu,
            "gelu": lambda x: nn.gelu(x, approximate=False),
            "gelu_tanh": lambda x: nn.gelu(x, approximate=True), "silu": nn.silu,
            "mish": nn.mish, "softplus": nn.softplus, "softsign": nn.soft_sign,
            "squareplus": nn.squareplus, "hard_sigmoid": nn.hard_sigmoid,
            "hard_tanh": nn.hard_tanh, "hard_swish": nn.hard_silu,
            "softmax": nn.softmax, "log_softmax": nn.log_softmax,
            "logsumexp": lambda x: nn.logsumexp(x, -1),
        }
        self.values = {name: jax.jit(f) for name, f in self.functions.items()}
        self.pairs = {name: jax.jit(self._both(f)) for name, f in self.functions.items()}
        self.backward = jax.jit(lambda back, g: back(g)[0])

    def _both(self, f: Callable) -> Callable:
        def run(x: Any, g: Any) -> Any:
            y, back = self.jax.vjp(f, x)
            return y, back(g)[0]

        return run

    def value(self, case: Choice, x: Array, out: Array | None = None) -> Call | None:
        if out is not None or not standard(case):
            return None
        return self.axis_value(case.formula, x)

    def pair(
        self, case: Choice, x: Array, g: Array, out: tuple[Array, Array] | None = None
    ) -> Call | None:
        if out is not None or case.formula not in self.pairs or not standard(case):
            return None
        put, wait = self.jax.numpy.asarray, self.jax.block_until_ready
        names = {"f": self.pairs[case.formula], "x": put(x), "g": put(g), "wait": wait}
        return Call("wait(f(x, g))", names)

    def axis_value(self, name: str, x: Array, out: Array | None = None) -> Call | None:
        if out is not None or name not in self.values:
            return None
        names = {"f": self.values[name], "x": self.jax.numpy.asarray(x)}
        return Call("f(x).block_until_ready()", names)

    def axis_backward(
        self, name: str, g: Array, x: Array, y: Array, out: Array | None = None
    ) -> Call | None:
        if out is not None:
            return None
        put = self.jax.numpy.asarray
        _, back = self.jax.vjp(self.functions[name], put(x))
        names = {"f": self.backward, "back": back, "g": put(g)}
        return Call("f(back, g).block_until_ready()", names)


class ONNXRuntime(Peer):
    """ONNX Runtime on models of one operator; it computes no gradients."""

    name, title, package = "onnx", "ONNX RT", "onnxruntime"
    switches: ClassVar = None
    #: operator, its attributes, and its inputs after x (None stands for the type's)
    operators: ClassVar[dict[str, tuple[str, dict[str, Any], tuple]]] = {
        "sigmoid": ("Sigmoid", {}, ()),
        "tanh": ("Tanh", {}, ()),
        "relu": ("Relu", {}, ()),
        "relu6": ("Clip", {}, (0.0, 6.0)),
        "leaky_relu": ("LeakyRelu", {"alpha": 0.01}, ()),
        "elu": ("Elu", {}, ()),
        "celu": ("Celu", {}, ()),
        "selu": ("Selu", {}, ()),
        "gelu": ("Gelu", {}, ()),
        "gelu_tanh": ("Gelu", {"approximate": "tanh"}, ()),
        "silu": ("Swish", {}, ()),
        "mish": ("Mish", {}, ()),
        "softplus": ("Softplus", {}, ()),
        "softsign": ("Softsign", {}, ()),
        "hard_sigmoid": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}, ()),
        "hard_tanh": ("Clip", {}, (-1.0, 1.0)),
        "hard_swish": ("HardSwish", {}, ()),
        "hard_shrink": ("Shrink", {"lambd": 0.5, "bias": 0.0}, ()),
        "soft_shrink": ("Shrink", {"lambd": 0.5, "bias": 0.5}, ()),
        "softmax": ("Softmax", {"axis": -1}, ()),
        "log_softmax": ("LogSoftmax", {"axis": -1}, ()),
        "logsumexp": ("ReduceLogSumExp", {"keepdims": 0}, ([-1],)),
    }

    def __init__(self, threads: int = 1) -> None:
        self.runtime = require("onnxruntime", "bench")
        self.helper = require("onnx.helper", "bench")
        self.types = require("onnx", "bench").TensorProto
        self.options = self.runtime.SessionOptions()
        self.options.intra_op_num_threads = threads
        self.options.inter_op_num_threads = 1
        self.options.log_severity_level = 4
        # Threads that wait in a loop would slow down whoever is measured next.
        self.options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.sessions: dict[tuple[str, str], Any] = {}

    def _session(self, name: str, dtype: np.dtype) -> Any:
        if (name, dtype.name) not in self.sessions:
            self.sessions[name, dtype.name] = self._make(name, dtype)
        return self.sessions[name, dtype.name]

    def _make(self, name: str, dtype: np.dtype) -> Any:
        """A session, or None where there is no such operator for this type."""
        helper = self.helper
        kind = self.types.FLOAT if dtype == np.float32 else self.types.DOUBLE
        operator, attributes, inputs = self.operators[name]
        more = [
            helper.make_tensor(f"in{i}", self.types.INT64, [len(v)], v)
            if isinstance(v, list) else helper.make_tensor(f"in{i}", kind, [], [v])
            for i, v in enumerate(inputs)
        ]
        node = helper.make_node(
            operator, ["x", *(t.name for t in more)], ["y"], **attributes
        )
        x, y = (helper.make_tensor_value_info(n, kind, None) for n in "xy")
        graph = helper.make_graph([node], name, [x], [y], more)
        opset = helper.make_opsetid("", 24)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=10)
        try:
            return self.runtime.InferenceSession(
                model.SerializeToString(), self.options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # (its exceptions have no public base)
            if "NOT_IMPLEMENTED" in str(error) or "INVALID_GRAPH" in str(error):
                return None
            raise

    def value(self, case: Choice, x: Array, out: Array | None = None) -> Call | None:
        return self.axis_value(case.formula, x, out) if standard(case) else None

    def axis_value(self, name: str, x: Array, out: Array | None = None) -> Call | None:
        session = self._session(name, x.dtype) if name in self.operators else None
        if session is None:
            return None
        if out is None:
            return Call("run(None, feed)[0]", {"run": session.run, "feed": {"x": x}})
        binding = session.io_binding()
        for bind, array, key in (
            (binding.bind_input, x, "x"), (binding.bind_output, out, "y")
        ):
            bind(key, "cpu", 0, x.dtype.type, array.shape, array.ctypes.data)
        names = {"run": session.run_with_iobinding, "binding": binding}
        # (it returns nothing; x and out are kept, whose addresses are bound)
        return Call("run(binding) or out", {**names, "x": x, "out": out})


class NumExpr(Peer):
    """numexpr on the textbook definition; a pair is two expressions."""

    name, title, package = "numexpr", "numexpr", "numexpr"

    def __init__(self, threads: int = 1) -> None:
        self.numexpr = require("numexpr", "bench")
        self.numexpr.set_num_threads(threads)
        self.compiled: dict[tuple, Any] = {}

    def _compile(self, expression: str, params: dict, dtype: np.dtype) -> Any:
        """(compiled expression, numbers to pass), None if numexpr lacks a function."""
        if "erfc" in expression:
            return None
        key = expression, tuple(params.items()), dtype.name
        if key not in self.compiled:
            # (numexpr calls float32 float and float64 double)
            kind = float if dtype == np.float32 else np.float64
            text, constants = _for_numexpr(expression, params)
            signature = [(name, kind) for name in ("x", *constants)]
            self.compiled[key] = (
                self.numexpr.NumExpr(text, signature),
                {name: np.array(value, dtype) for name, value in constants.items()},
            )
        return self.compiled[key]

    def _call(self, parts: list, x: Array, outs: Any) -> Call | None:
        if None in parts:
            return None
        texts, names = [], {"x": x}
        for i, (f, constants) in enumerate(parts):
            own = {f"f{i}{name}": value for name, value in constants.items()}
            args = ", ".join(["x", *own, "ex_uses_vml=False"])
            names |= {f"f{i}": f, **own}
            if outs:
                args += f", out=out{i}"
                names[f"out{i}"] = outs[i]
            texts.append(f"f{i}({args})")
        return Call(", ".join(texts), names)

    def value(self, case: Choice, x: Array, out: Array | None = None) -> Call | None:
        f = self._compile(case.row.formula, case.params, x.dtype)
        return self._call([f], x, None if out is None else [out])

    def pair(
        self, case: Choice, x: Array, g: Array, out: tuple[Array, Array] | None = None
    ) -> Call | None:
        texts = case.row.formula, case.row.derivative
        return self._call([self._compile(t, case.params, x.dtype) for t in texts], x, out)


class Numba(Peer):
    """Numba on the textbook definition: a loop, compiled with fastmath."""

    name, title, package = "numba", "Numba", "numba"
    switches: ClassVar = {
        "NUMBA_CPU_NAME": ("x86-64", "x86-64-v3", "x86-64-v4"),
        "NUMBA_CPU_FEATURES": ("", "", ""),  # (or it adds all that the CPU has)
    }

    def __init__(self, threads: int = 1) -> None:
        self.numba = require("numba", "bench")
        self.parallel = threads > 1
        if self.parallel:
            self.numba.set_num_threads(threads)
        self.compiled: dict[tuple, dict[str, Any]] = {}

    def _compile(self, case: Choice, dtype: np.dtype) -> dict[str, Any]:
        """The functions ``value``, ``pair``, and those with ``_out``."""
        key = case.formula, tuple(case.params.items()), dtype.name
        if key not in self.compiled:
            jit = self.numba.njit(
                fastmath=True, error_model="numpy", parallel=self.parallel
            )
            scope = {
                "T": dtype.type, "jit": jit, "prange": self.numba.prange, "np": np,
                **{name: getattr(math, name) for name in _FUNCTIONS},
            }
            exec(_for_numba(case), scope)
            self.compiled[key] = scope
        return self.compiled[key]

    def value(self, case: Choice, x: Array, out: Array | None = None) -> Call:
        f = self._compile(case, x.dtype)
        if out is None:
            return Call("f(x)", {"f": f["value"], "x": x})
        return Call("f(x, out)", {"f": f["value_out"], "x": x, "out": out})

    def pair(
        self, case: Choice, x: Array, g: Array, out: tuple[Array, Array] | None = None
    ) -> Call:
        f = self._compile(case, x.dtype)
        if out is None:
            return Call("f(x)", {"f": f["pair"], "x": x})
        names = {"f": f["pair_out"], "x": x, "out": out[0], "d_out": out[1]}
        return Call("f(x, out, d_out)", names)


# ---- Registry expressions, for those that compile them ----------------------
_FUNCTIONS = ("exp", "log", "tanh", "sqrt", "erfc")
_AXIS = {row.name: row for row in _registry.AXIS_ROWS}


class _Fold(ast.NodeTransformer):
    """Known names replaced, and what is constant then computed in double."""

    def __init__(self, known: dict[str, ast.expr]) -> None:
        self.known = known

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return copy.deepcopy(self.known.get(node.id, node))

    def visit(self, node: ast.AST) -> Any:
        node = super().visit(node)
        if isinstance(node, (ast.BinOp, ast.UnaryOp, ast.Call)):
            scope = {name: getattr(math, name) for name in _FUNCTIONS}
            tree = ast.fix_missing_locations(ast.Expression(body=copy.deepcopy(node)))
            try:
                return ast.Constant(eval(compile(tree, "", "eval"), scope))
            except NameError:
                pass  # (x is in it)
        return node


def _statements(expression: str, params: dict[str, float]) -> list[tuple[str, ast.expr]]:
    """(name, expression) for each abbreviation, and "" for the result; params put in."""
    known: dict[str, ast.expr] = {k: ast.Constant(float(v)) for k, v in params.items()}
    known["pi"] = ast.Constant(math.pi)
    result, *abbreviations = (part.strip() for part in expression.split(";"))
    found = []
    for part in [*abbreviations, f" = {result}"]:
        name, _, text = part.partition("= ")
        tree = ast.parse(text.strip(), mode="eval").body
        found.append((name.strip(), _Fold(known).visit(tree)))
    return found


class _Numbers(ast.NodeTransformer):
    """Every number as ``make`` makes it, but exponents."""

    def make(self, value: Any) -> ast.expr:
        """A number of the type of x, as Numba wants it."""
        return ast.Call(ast.Name("T"), [ast.Constant(value)], [])

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        node.left = self.visit(node.left)
        if not isinstance(node.op, ast.Pow):
            node.right = self.visit(node.right)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return self.make(node.value)


class _NumExprSyntax(_Numbers):
    """``where`` for conditions and extremes, ``&`` for chains of comparisons.

    To numexpr 0.5 is float64, beside which float32 becomes float64 too: such numbers
    are passed as arrays without dimensions.  Integers adapt, unless they stand alone.
    """

    def __init__(self) -> None:
        self.constants: dict[str, float] = {}

    def passed(self, value: Any) -> ast.expr:
        name = f"c{len(self.constants)}"
        self.constants[name] = float(value)
        return ast.Name(name)

    def make(self, value: Any) -> ast.expr:
        return ast.Constant(int(value)) if value == int(value) else self.passed(value)

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        test, *branches = (
            self.passed(part.value) if isinstance(part, ast.Constant) else self.visit(part)
            for part in (node.test, node.body, node.orelse)
        )
        return ast.Call(ast.Name("where"), [test, *branches], [])

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        terms = [self.visit(term) for term in (node.left, *node.comparators)]
        pairs = [
            ast.Compare(left, [operator], [right])
            for left, operator, right in zip(terms, node.ops, terms[1:], strict=False)
        ]
        result: ast.expr = pairs[0]
        for one in pairs[1:]:
            result = ast.BinOp(result, ast.BitAnd(), one)
        return result

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """min and max by ``where``: numexpr's own make float64 of float32."""
        operators = {"min": ast.Lt(), "max": ast.Gt()}
        if not isinstance(node.func, ast.Name) or node.func.id not in operators:
            return self.generic_visit(node)  # type: ignore[return-value]
        a, b = node.args
        test = ast.Compare(a, [operators[node.func.id]], [b])
        return self.visit_IfExp(ast.IfExp(test, a, b))


def _for_numexpr(expression: str, params: dict[str, float]) -> tuple[str, dict[str, float]]:
    """The expression as numexpr writes it, and the numbers to be passed."""
    known: dict[str, ast.expr] = {}
    for name, node in _statements(expression, params):
        known[name] = _Fold(known).visit(node)
    syntax = _NumExprSyntax()
    tree = syntax.visit(known[""])
    return ast.unparse(ast.fix_missing_locations(tree)), syntax.constants


def _for_numba(case: Choice) -> str:
    """The source of the functions of a row for arrays."""

    def lines(expression: str, target: str) -> Iterable[str]:
        for name, node in _statements(expression, case.params):
            text = ast.unparse(ast.fix_missing_locations(_Numbers().visit(node)))
            yield f"        {name or f'{target}[i]'} = {text}"

    def function(name: str, outputs: dict[str, str]) -> str:
        targets = ", ".join(outputs)
        body = [line for to, text in outputs.items() for line in lines(text, to)]
        allocate = [f"    {to} = np.empty_like(a)" for to in outputs]
        return "\n".join([
            "@jit", f"def {name}_out(a, {targets}):", "    for i in prange(a.size):",
            "        x = a[i]", *body, f"    return {targets}",
            "@jit", f"def {name}(a):", *allocate, f"    return {name}_out(a, {targets})",
        ])

    row = case.row
    return "\n".join([
        function("value", {"b": row.formula}),
        function("pair", {"b": row.formula, "d": row.derivative}),
    ])


PEERS: dict[str, type[Peer]] = {
    peer.name: peer
    for peer in (NumPy, SciPy, NumExpr, Numba, Torch, JAX, ONNXRuntime, MKL)
}


def switches(isa: str) -> dict[str, dict[str, str]]:
    """Who -> the environment that keeps it to ``isa``, of those that can be kept."""
    who: list[type[Peer]] = [FastAct, *PEERS.values()]
    found = {
        peer.title: peer.variables(isa) for peer in who if peer.switches is not None
    }
    libc = {name: values[ISAS.index(isa)] for name, values in LIBC_SWITCHES.items()}
    return {**found, "the C library": libc}


def environment(isa: str) -> dict[str, str]:
    """The environment of a process where everybody is kept to ``isa``.

    In such a process it changes nothing.
    """
    found = dict(os.environ)
    for variables in switches(isa).values():
        for name, value in variables.items():
            between = SEPARATORS.get(name)
            if between:
                settings = dict.fromkeys(found.get(name, "").split(between))
                settings.pop(value, None)
                value = between.join(filter(None, [*settings, value]))  # the last one counts
            found[name] = value
    return found


def load(
    names: Iterable[str] = PEERS, threads: int = 1, isa: str | None = None
) -> tuple[dict[str, Peer], dict[str, str]]:
    """Those that are installed and can be kept to ``isa``; why the others are not there."""
    found, missing = {}, {}
    for name in names:
        try:
            if isa:
                PEERS[name].variables(isa)
            found[name] = PEERS[name](threads)
        except (ImportError, OSError) as error:
            missing[name] = str(error)
    return found, missing
