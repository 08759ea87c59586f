"""The registry: one row per activation, read by everything else.

The build renders the kernels from it (``setup.py``), the package builds its
public names from it (``__init__.py``), and tests, benchmarks and docs walk
over it.  It imports nothing but the standard library, so that the build can
load it before NumPy and the extension exist.

A *row* is one formula.  A *public name* usually is one row; a few choose
between two rows by a parameter (``VARIANTS``).
"""

from __future__ import annotations

from typing import NamedTuple

#: Marks a parameter that has no default.
REQUIRED = None

#: What a parameter may be: the text of the error message, and the test.
CHECKS = {
    "finite": ("a finite number", lambda v: abs(v) < float("inf")),
    "nonnegative": ("a finite number >= 0", lambda v: 0 <= v < float("inf")),
    "positive": ("a finite number > 0", lambda v: 0 < v < float("inf")),
    # Far outside what anybody trains with; inside it no product of the
    # kernels leaves the range in which their clamps are exact.
    "slope": (
        "a number of magnitude 1e-15 to 1e15",
        lambda v: 1e-15 <= abs(v) <= 1e15,
    ),
    "sharpness": ("a number from 1e-6 to 1e6", lambda v: 1e-6 <= v <= 1e6),
    "smoothness": ("a number from 1e-15 to 1e15", lambda v: 1e-15 <= v <= 1e15),
    "number": ("a number", lambda v: True),
}


class Param(NamedTuple):
    """One parameter of a row: keyword-only in the API."""

    name: str
    default: float | None
    check: str
    about: str


class Row(NamedTuple):
    """One formula.

    ``formula``, ``derivative`` and ``from_output`` are Python expressions, with
    ``; name = expression`` for what they abbreviate: the textbook definition,
    for docs to show and for tests to evaluate in many digits.  They say nothing
    of how the kernels compute it.

    ``wide`` rows compute float32 through double, with the formula's WIDE form: where
    the native form would take longer for the accuracy it has.  "base": only where there
    is no FMA.
    """

    name: str
    formula: str
    derivative: str
    kinks: str
    limits: str
    source: str
    params: tuple[Param, ...] = ()
    wide: bool | str = False
    #: "exp" or "expm1": the loop takes NAME_exp first (see _formulas.pxd)
    exp: str = ""
    #: with AVX-512, float32 at default parameters comes from fa_NAME_f32 in _avx512.h
    table: bool = False
    #: with AVX2, float32 values and derivatives come from fa_NAME_f32 in _avx2.h
    avx2: bool = False
    #: ... with AVX2 or AVX-512, from fa_NAME_f32 in _algebraic32.h
    algebraic32: bool = False
    #: with AVX2 or AVX-512, float64 values and derivatives come from fa_NAME_f64 in
    #: _float64.h
    table64: bool = False
    #: ... where that is so of the parameters p, which it takes; "": at the defaults
    table64_where: str = ""
    #: with AVX2 or AVX-512, values and derivatives come from fa_NAME_f32, _f64 in _hard.h
    hard: bool = False
    #: f' as a function of y = f(x), "" where there is none.
    from_output: str = ""
    #: what the parameters must satisfy for ``from_output``: (text, names, test)
    from_output_needs: tuple = ()
    #: what the parameters must satisfy together, likewise
    needs: tuple = ()
    #: parameter sets that the tests and benchmarks use beside the defaults
    samples: tuple[dict, ...] = ()
    #: how PyTorch spells it ("" where it has none)
    torch: str = ""


ALPHA = Param("alpha", 1.0, "finite", "scale of the negative part")
NEGATIVE_SLOPE = Param(
    "negative_slope", 0.01, "finite", "slope for negative inputs"
)
LAMBD = Param("lambd", 0.5, "nonnegative", "half-width of the zero band")

#: Klambauer et al. 2017, equation 14
SELU = "scale = 1.0507009873554804934193349852946; alpha = 1.6732632423543772848170429916717"

ROWS: tuple[Row, ...] = (
    Row(
        "sigmoid",
        "1 / (1 + exp(-x))",
        "exp(-x) / (1 + exp(-x))**2",
        "none",
        "0 at -inf, 1 at +inf",
        "Verhulst 1838 (the logistic function)",
        from_output="y * (1 - y)",
        torch="torch.sigmoid",
        exp="expm1",
        table=True,
        avx2=True,
        table64=True,
    ),
    Row(
        "log_sigmoid",
        "-log(1 + exp(-x))",
        "1 / (1 + exp(x))",
        "none",
        "-inf at -inf, -0 at +inf",
        "torch.nn.LogSigmoid",
        from_output="1 - exp(y)",
        torch="F.logsigmoid",
        exp="exp",
        table=True,
        avx2=True,
        table64=True,
    ),
    Row(
        "tanh",
        "(exp(x) - exp(-x)) / (exp(x) + exp(-x))",
        "4 / (exp(x) + exp(-x))**2",
        "none",
        "-1 at -inf, 1 at +inf",
        "LeCun et al. 1998, Efficient BackProp",
        from_output="1 - y**2",
        torch="torch.tanh",
        exp="expm1",
        table=True,
        table64=True,
        avx2=True,
    ),
    Row(
        "relu",
        "max(x, 0)",
        "1 if x > 0 else 0",
        "f'(0) = 0",
        "0 at -inf, inf at +inf; relu(-0) = 0",
        "Nair and Hinton 2010",
        from_output="1 if y > 0 else 0",
        torch="torch.relu",
    ),
    Row(
        "relu6",
        "min(max(x, 0), 6)",
        "1 if 0 < x < 6 else 0",
        "f'(0) = f'(6) = 0",
        "0 at -inf, 6 at +inf; relu6(-0) = 0",
        "Krizhevsky 2010",
        from_output="1 if 0 < y < 6 else 0",
        torch="F.relu6",
        hard=True,
    ),
    Row(
        "leaky_relu",
        "x if x > 0 else negative_slope * x",
        "1 if x > 0 else negative_slope",
        "f'(0) = negative_slope",
        "negative_slope (-inf) at -inf (-0 for slope 0), inf at +inf",
        "Maas et al. 2013",
        params=(NEGATIVE_SLOPE,),
        from_output="1 if y > 0 else negative_slope",
        from_output_needs=("negative_slope >= 0", ("negative_slope",), lambda a: a >= 0),
        samples=({"negative_slope": 0.2}, {"negative_slope": 0.0}),
        torch="F.leaky_relu",
    ),
    Row(
        "elu",
        "x if x > 0 else alpha * (exp(x) - 1)",
        "1 if x > 0 else alpha * exp(x)",
        "f'(0) = alpha",
        "-alpha at -inf, inf at +inf",
        "Clevert et al. 2016",
        params=(ALPHA,),
        from_output="1 if y > 0 else y + alpha",
        from_output_needs=("alpha >= 0", ("alpha",), lambda a: a >= 0),
        samples=({"alpha": 1.7},),
        torch="F.elu",
        wide=True,
        exp="expm1",
        table=True,
        avx2=True,
        table64=True,
    ),
    Row(
        "celu",
        "x if x > 0 else alpha * (exp(x / alpha) - 1)",
        "1 if x > 0 else exp(x / alpha)",
        "f'(0) = 1",
        "-alpha at -inf, inf at +inf",
        "Barron 2017",
        params=(Param("alpha", 1.0, "smoothness", "scale of the negative part"),),
        from_output="1 if y > 0 else (y + alpha) / alpha",
        samples=({"alpha": 1.7},),
        torch="F.celu",
        wide=True,
        exp="expm1",
        table=True,
        avx2=True,
        table64=True,
    ),
    Row(
        "selu",
        "scale * (x if x > 0 else alpha * (exp(x) - 1)); " + SELU,
        "scale * (1 if x > 0 else alpha * exp(x)); " + SELU,
        "f'(0) = scale alpha",
        "-scale alpha at -inf, inf at +inf",
        "Klambauer et al. 2017",
        from_output="scale if y > 0 else y + scale * alpha; " + SELU,
        torch="F.selu",
        wide=True,
        exp="expm1",
        table=True,
        avx2=True,
        table64=True,
    ),
    Row(
        "gelu",
        "x * erfc(-x / sqrt(2)) / 2",
        "erfc(-x / sqrt(2)) / 2 + x * exp(-(x**2) / 2) / sqrt(2 * pi)",
        "none",
        "-0 at -inf, inf at +inf",
        "Hendrycks and Gimpel 2016",
        torch="F.gelu",
        wide=True,
        exp="expm1",
        table=True,
        table64=True,
        avx2=True,
    ),
    Row(
        "gelu_tanh",
        "x * (1 + tanh(u)) / 2; u = sqrt(2 / pi) * (x + 0.044715 * x**3)",
        "(1 + tanh(u)) / 2 + x * (1 - tanh(u)**2) * v / 2; "
        "u = sqrt(2 / pi) * (x + 0.044715 * x**3); v = sqrt(2 / pi) * (1 + 0.134145 * x**2)",
        "none",
        "-0 at -inf, inf at +inf",
        "Hendrycks and Gimpel 2016",
        torch="lambda x: F.gelu(x, approximate='tanh')",
        wide=True,
        exp="exp",
        table=True,
        table64=True,
        avx2=True,
    ),
    Row(
        "quick_gelu",
        "x / (1 + exp(-1.702 * x))",
        "s + 1.702 * x * s * (1 - s); s = 1 / (1 + exp(-1.702 * x))",
        "none",
        "-0 at -inf, inf at +inf",
        "Hendrycks and Gimpel 2016; CLIP",
        wide=True,
        exp="expm1",
        table=True,
        table64=True,
        avx2=True,
    ),
    Row(
        "silu",
        "x / (1 + exp(-x))",
        "s + x * s * (1 - s); s = 1 / (1 + exp(-x))",
        "none",
        "-0 at -inf, inf at +inf",
        "Elfwing et al. 2017; Ramachandran et al. 2017 (swish)",
        torch="F.silu",
        exp="expm1",
        table=True,
        avx2=True,
        table64=True,
    ),
    Row(
        "silu_beta",
        "x / (1 + exp(-beta * x))",
        "s + beta * x * s * (1 - s); s = 1 / (1 + exp(-beta * x))",
        "none",
        "for beta > 0: -0 at -inf, inf at +inf",
        "Ramachandran et al. 2017 (swish)",
        params=(Param("beta", 1.0, "slope", "slope of the sigmoid"),),
        samples=({"beta": 1.5}, {"beta": -0.7}),
        wide=True,
        exp="expm1",
        table64=True,
        table64_where="p[0] >= 0.001 or p[0] <= -0.001",
    ),
    Row(
        "mish",
        "x * tanh(log(1 + exp(x)))",
        "t + x * (1 - t**2) / (1 + exp(-x)); t = tanh(log(1 + exp(x)))",
        "none",
        "-0 at -inf, inf at +inf",
        "Misra 2019",
        torch="F.mish",
        wide=True,
        exp="exp",
        avx2=True,
        table=True,
        table64=True,
    ),
    Row(
        "softplus",
        "log(1 + exp(beta * x)) / beta",
        "1 / (1 + exp(-beta * x))",
        "none",
        "0 at -inf, inf at +inf",
        "Dugas et al. 2001; no threshold, unlike PyTorch",
        params=(Param("beta", 1.0, "sharpness", "sharpness"),),
        from_output="1 - exp(-beta * y)",
        samples=({"beta": 2.5},),
        torch="F.softplus",
        exp="exp",
        table=True,
        avx2=True,
        table64=True,
    ),
    Row(
        "softsign",
        "x / (1 + abs(x))",
        "1 / (1 + abs(x))**2",
        "none",
        "-1 at -inf, 1 at +inf",
        "Bergstra et al. 2009",
        from_output="(1 - abs(y))**2",
        torch="F.softsign",
        wide="base",
        avx2=True,
        table64=True,
    ),
    Row(
        "squareplus",
        "(x + sqrt(x**2 + b)) / 2",
        "(1 + x / sqrt(x**2 + b)) / 2",
        "none",
        "0 at -inf, inf at +inf",
        "Barron 2021",
        params=(Param("b", 4.0, "smoothness", "smoothness; b -> 0 gives relu"),),
        from_output="y**2 / (y**2 + b / 4)",
        samples=({"b": 0.5},),
        exp="expm1",
        algebraic32=True,
        table64=True,
    ),
    Row(
        "hard_sigmoid",
        "min(max(x + 3, 0), 6) / 6",
        "1 / 6 if -3 < x < 3 else 0",
        "f'(-3) = f'(3) = 0",
        "0 at -inf, 1 at +inf",
        "Howard et al. 2019 (MobileNetV3)",
        from_output="1 / 6 if 0 < y < 1 else 0",
        torch="F.hardsigmoid",
        hard=True,
    ),
    Row(
        "hard_tanh",
        "min(max(x, min_val), max_val)",
        "1 if min_val < x < max_val else 0",
        "f'(min_val) = f'(max_val) = 0",
        "min_val at -inf, max_val at +inf",
        "Collobert 2004",
        params=(
            Param("min_val", -1.0, "finite", "lower end of the linear part"),
            Param("max_val", 1.0, "finite", "upper end; must be > min_val"),
        ),
        from_output="1 if min_val < y < max_val else 0",
        needs=("min_val < max_val", ("min_val", "max_val"), lambda lo, hi: lo < hi),
        samples=({"min_val": -2.0, "max_val": 0.5},),
        torch="F.hardtanh",
    ),
    Row(
        "hard_swish",
        "x * min(max(x + 3, 0), 6) / 6",
        "0 if x <= -3 else 1 if x >= 3 else (2 * x + 3) / 6",
        "f'(-3) = 0, f'(3) = 1",
        "-0 at -inf, inf at +inf",
        "Howard et al. 2019 (MobileNetV3)",
        torch="F.hardswish",
        hard=True,
    ),
    Row(
        "hard_shrink",
        "x if abs(x) > lambd else 0",
        "1 if abs(x) > lambd else 0",
        "f'(-lambd) = f'(lambd) = 0",
        "-inf at -inf, inf at +inf",
        "torch.nn.Hardshrink",
        params=(LAMBD,),
        from_output="1 if y != 0 else 0",
        samples=({"lambd": 1.25},),
        torch="F.hardshrink",
    ),
    Row(
        "soft_shrink",
        "x - lambd if x > lambd else x + lambd if x < -lambd else 0",
        "1 if abs(x) > lambd else 0",
        "f'(-lambd) = f'(lambd) = 0",
        "-inf at -inf, inf at +inf",
        "torch.nn.Softshrink",
        params=(LAMBD,),
        from_output="1 if y != 0 else 0",
        samples=({"lambd": 1.25},),
        torch="F.softshrink",
    ),
    Row(
        "tanh_shrink",
        "x - tanh(x)",
        "tanh(x)**2",
        "none",
        "-inf at -inf, inf at +inf",
        "torch.nn.Tanhshrink",
        torch="F.tanhshrink",
        wide=True,
        exp="expm1",
        table=True,
        avx2=True,
        table64=True,
    ),
    Row(
        "threshold",
        "x if x > threshold else value",
        "1 if x > threshold else 0",
        "f'(threshold) = 0",
        "value at -inf, inf at +inf",
        "torch.nn.Threshold",
        params=(
            Param("threshold", REQUIRED, "finite", "where the identity begins"),
            Param("value", REQUIRED, "number", "result at and below the threshold"),
        ),
        samples=({"threshold": 0.5, "value": -2.0},),
        torch="lambda x: F.threshold(x, 0.5, -2.0)",
    ),
    Row(
        "relu_squared",
        "max(x, 0)**2",
        "2 * max(x, 0)",
        "f'(0) = 0",
        "0 at -inf, inf at +inf",
        "So et al. 2021 (Primer)",
        from_output="2 * sqrt(y)",
    ),
)


class Variant(NamedTuple):
    """A public name that chooses its row by one option."""

    name: str
    option: str
    default: object
    #: option value -> row, for a named choice; None: any other number
    choices: dict
    about: str


VARIANTS: tuple[Variant, ...] = (
    Variant(
        "gelu",
        "approximate",
        "none",
        {"none": "gelu", "tanh": "gelu_tanh"},
        "'none' for the exact function, 'tanh' for the approximation",
    ),
    Variant(
        "silu",
        "beta",
        1.0,
        {1.0: "silu", None: "silu_beta"},
        "slope of the sigmoid",
    ),
)


class Gate(NamedTuple):
    """value * f(gate), where f is one of the rows.

    ``formula`` and ``derivatives`` (to the value and to the gate) are expressions, as
    those of a Row.
    """

    name: str
    rows: tuple[str, ...]
    source: str

    @property
    def variant(self) -> Variant | None:
        """By what one chooses among several rows."""
        return next((v for v in VARIANTS if {*self.rows} == {*v.choices.values()}), None)

    @property
    def options(self) -> dict:
        return {self.variant.option: self.variant.default} if self.variant else {}

    @property
    def formula(self) -> str:
        return f"value * {self.rows[0]}(gate)"

    @property
    def derivatives(self) -> dict[str, str]:
        return {
            "value": f"{self.rows[0]}(gate)", "gate": f"value * {self.rows[0]}_d(gate)"
        }


GATES: tuple[Gate, ...] = (
    Gate("glu", ("sigmoid",), "Dauphin et al. 2017"),
    Gate("swiglu", ("silu",), "Shazeer 2020"),
    Gate("geglu", ("gelu", "gelu_tanh"), "Shazeer 2020"),
    Gate("reglu", ("relu",), "Shazeer 2020"),
)


class AxisRow(NamedTuple):
    """A function of all the elements along one axis.

    ``formula`` is the element i of the result y, ``backward`` that of the gradient to x
    for the gradient g of the output: expressions, as those of a Row, over elements
    (``x_i``) and sums (``sum_j``).
    """

    name: str
    formula: str
    backward: str
    source: str
    reduces: bool
    torch: str


AXIS_ROWS: tuple[AxisRow, ...] = (
    AxisRow(
        "softmax", "exp(x_i) / sum_j(exp(x_j))", "y_i * (g_i - sum_j(g_j * y_j))",
        "Bridle 1990", False, "torch.softmax",
    ),
    AxisRow(
        "log_softmax", "x_i - log(sum_j(exp(x_j)))", "g_i - exp(y_i) * sum_j(g_j)",
        "torch.nn.LogSoftmax", False, "torch.log_softmax",
    ),
    AxisRow(
        "logsumexp", "log(sum_j(exp(x_j)))", "g * exp(x_i - y)",
        "Blanchard, Higham and Higham 2021", True, "torch.logsumexp",
    ),
)

#: PReLU is leaky_relu with an array of slopes, itself an input with a gradient.
PRELU = "prelu"

ALIASES = {"swish": "silu"}

#: Rows that are reached through another public name only.
INTERNAL = {row for v in VARIANTS for row in v.choices.values()} - {
    v.name for v in VARIANTS
}

DTYPES = {"f32": "float", "f64": "double"}


class Kernel(NamedTuple):
    """One loop: its name without the dtype, operands, and body."""

    name: str
    public: str  # the name in fastact.kernels, without the dtype
    row: Row
    form: str
    kind: str  # "elementwise", "from_output", "prelu" or "gate"
    inputs: tuple[str, ...]
    outputs: dict[str, str]  # operand -> expression over f, d and the inputs

    @property
    def params(self) -> tuple[Param, ...]:
        """The parameters that are not inputs (prelu's slope is one)."""
        return () if self.kind in ("prelu", "gate") else self.row.params

    @property
    def operands(self) -> tuple[str, ...]:
        return self.inputs + tuple(self.outputs)


def _forms(kind: str) -> dict:
    if kind == "prelu":
        # The gradient to the slope is x below the kink; 0 * x keeps NaN.
        return {
            "value": (("x", "weight"), {"out": "f"}),
            "derivative": (("x", "weight"), {"out": "d"}),
            "value_and_derivative": (("x", "weight"), {"out": "f", "d_out": "d"}),
            "backward": (("g", "x", "weight"), {"gx": "g * d", "gw": "g * below(x)"}),
        }
    if kind == "gate":
        return {
            "value": (("value", "gate"), {"out": "value * f"}),
            "derivative": (("value", "gate"), {"d_value": "f", "d_gate": "value * d"}),
            "value_and_derivative": (
                ("value", "gate"),
                {"out": "value * f", "d_value": "f", "d_gate": "value * d"},
            ),
            "backward": (
                ("g", "value", "gate"),
                {"g_value": "g * f", "g_gate": "g * (value * d)"},
            ),
        }
    return {
        "value": (("x",), {"out": "f"}),
        "derivative": (("x",), {"out": "d"}),
        "value_and_derivative": (("x",), {"out": "f", "d_out": "d"}),
        "backward": (("g", "x"), {"out": "g * d"}),
    }


#: form -> suffix of the name in fastact.kernels and fastact.ufuncs
SUFFIX = {
    "value": "",
    "derivative": "_d",
    "value_and_derivative": "_vd",
    "backward": "_backward",
    "backward_from_output": "_backward_from_output",
}

FORMS = tuple(SUFFIX)


def kernels() -> list[Kernel]:
    """Every elementwise loop, in the order of the kernel table."""
    table = []

    def add(name, row, kind):
        for form, (inputs, outputs) in _forms(kind).items():
            table.append(
                Kernel(f"{name}_{form}", name + SUFFIX[form], row, form, kind, inputs,
                       outputs)
            )

    for row in ROWS:
        add(row.name, row, "elementwise")
        if row.from_output:
            form = "backward_from_output"
            table.append(
                Kernel(f"{row.name}_{form}", row.name + SUFFIX[form], row, form,
                       "from_output", ("g", "y"), {"out": "g * d"})
            )
    add(PRELU, BY_NAME["leaky_relu"], "prelu")
    for gate in GATES:
        for name in gate.rows:
            add(gate_name(gate, name), BY_NAME[name], "gate")
    return table


def gate_name(gate: Gate, row: str) -> str:
    """The kernel name of ``gate`` over ``row``: geglu, geglu_tanh, ..."""
    return gate.name + ("" if row == gate.rows[0] else row[len(gate.rows[0]):])


BY_NAME = {row.name: row for row in ROWS}


def call(name: str, options: dict) -> str:
    """How one writes it: ``leaky_relu(negative_slope=0.2)``; ``...`` has no default."""
    if not options:
        return name
    args = ", ".join(
        f"{k}=..." if v is REQUIRED else f"{k}={v!r}" for k, v in options.items()
    )
    return f"{name}({args})"


class Entry(NamedTuple):
    """A public name as the README and ``fastact list`` show it."""

    name: str
    call: str  # with the defaults of its parameters
    kind: str  # "elementwise", "arrays" (two of them) or "axis"
    formula: str
    #: by what it is taken to; "" where there is only one
    derivatives: dict[str, str]
    source: str
    aliases: tuple[str, ...] = ()
    row: Row | None = None


def entries() -> list[Entry]:
    """Every public name, a variant with another formula once more."""
    table = []
    variants = {v.name: v for v in VARIANTS}
    for row in ROWS:
        if row.name in INTERNAL:
            continue
        variant = variants.get(row.name)
        shown: list[tuple[Row, dict]] = [(row, {p.name: p.default for p in row.params})]
        if variant and None in variant.choices:  # any number: the general row says it all
            shown = [(BY_NAME[variant.choices[None]], {variant.option: variant.default})]
        elif variant:
            shown = [
                (BY_NAME[chosen], {variant.option: option})
                for option, chosen in variant.choices.items()
            ]
        also = tuple(a for a, n in ALIASES.items() if n == row.name)
        table += [
            Entry(row.name, call(row.name, options), "elementwise", which.formula,
                  {"": which.derivative}, which.source, also, which)
            for which, options in shown
        ]
    slope = BY_NAME["leaky_relu"]
    formula, to_x = (
        text.replace("negative_slope", "weight")
        for text in (slope.formula, slope.derivative)
    )
    table.append(
        Entry(PRELU, PRELU, "arrays", formula,
              {"x": to_x, "weight": "0 if x > 0 else x"}, "He et al. 2015")
    )
    for gate in GATES:
        table.append(
            Entry(gate.name, call(gate.name, gate.options), "arrays", gate.formula,
                  gate.derivatives, gate.source)
        )
    for axis in AXIS_ROWS:
        table.append(
            Entry(axis.name, f"{axis.name}(axis=-1)", "axis", axis.formula,
                  {"": axis.backward}, axis.source)
        )
    return table


def fingerprint() -> str:
    """Names of all kernels: the extension must be built from this registry."""
    return ",".join(k.name for k in kernels())


def describe(kernel: Kernel) -> str:
    """One paragraph on a kernel, for its ufunc and for fastact.kernels."""
    return (
        f"{kernel.form.replace('_', ' ')} of {kernel.row.name}: "
        f"f(x) = {kernel.row.formula}; f'(x) = {kernel.row.derivative}"
    )


def check_number(where: str, param: Param, value) -> float:
    """``value`` as a float that ``param`` may be, or an error that says why not."""
    text, good = CHECKS[param.check]
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(
            f"{where}: {param.name} must be {text}, got {value!r}"
        ) from None
    if isinstance(value, (str, bytes)):
        raise TypeError(f"{where}: {param.name} must be {text}, got {value!r}")
    if not good(number):
        raise ValueError(f"{where}: {param.name} must be {text}, got {value!r}")
    return number
