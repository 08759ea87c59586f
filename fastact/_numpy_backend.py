"""The NumPy backend: every kernel of the registry in plain NumPy.

The fallback where the compiled extension is missing, and an independent second
opinion on it in the tests.  All arithmetic is float64; float16 and float32
results are rounded once.

One function per row takes float64 arrays and returns value and derivative;
``Ufunc`` puts NumPy's ufunc semantics around it, with ``np.nditer`` doing the
broadcasting, casting, buffering and overlap handling.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.polynomial.chebyshev import chebval

from . import _registry

Array = np.ndarray
Pair = tuple[Array, Array]

# ---- Constants --------------------------------------------------------------
# Chebyshev coefficients: mpmath, 260 bits, 64 Chebyshev nodes, cut where the
# rest sums to less than 2^-57 of the first.
# The Mills ratio R(t) = exp(t^2 / 2) Phi(-t):
# _MILLS_NEAR: R(t) over 2 t - 1 in [-1, 1].
# _MILLS_FAR: t R(t), t >= 1, over (t - 6) / (t + 4) in [-1, 1].
# _TANH_SHRINK: (x - tanh x) / x^3 over x^2 / 1.125 - 1 in [-1, 1].
# *_ROOT: f'(root + t) / t over t / _NEAR in [-1, 1].
_MILLS_NEAR = np.array([
    0.36501631907799365, -0.11738909144196367, 0.015583570889242693,
    -0.0018037370485171097, 0.0001876609133280152, -1.789316131304388e-05,
    1.5846618415901853e-06, -1.31640500749627e-07, 1.0334910768887118e-08,
    -7.713674430538796e-10, 5.4996559488064396e-11, -3.760531070248507e-12,
    2.474268295518247e-13, -1.5709373117267354e-14, 9.648198515716876e-16,
    -5.744245639171055e-17, 3.3214780153824614e-18,
])
_MILLS_FAR = np.array([
    0.36178827567044347, 0.05866162988115634, -0.029165678087473532,
    0.00961892882339839, -0.0023209142147573515, 0.0004013335723619105,
    -4.211349899747315e-05, 1.8141728643320957e-07, 7.245193247742757e-07,
    -8.186999885846225e-08, -8.320457837395345e-09, 2.5114979482416217e-09,
    6.49874103425303e-11, -6.95356452338747e-11, 2.277027121933045e-13,
    2.0523786405324997e-12, -1.88439134896363e-14, -6.64796169704761e-14,
    -3.86374868605047e-16, 2.3128073649841473e-15, 9.33403982910299e-17,
    -8.244207040212233e-17, -7.890273696371547e-18, 2.7571115046680824e-18,
])
_TANH_SHRINK = np.array([
    0.2422048003412551, -0.07651921589108926, 0.012263409932144026,
    -0.0019691226118215797, 0.00031626574978293966, -5.079827902675008e-05,
    8.159216183622964e-06, -1.3105339360604543e-06, 2.1049809081527707e-07,
    -3.381022491285568e-08, 5.43060180596713e-09, -8.722638215053208e-10,
    1.4010310487563961e-10, -2.2503375139555677e-11, 3.61449443338073e-12,
    -5.805604682818825e-13, 9.324968222912396e-14, -1.4977773566922693e-14,
    2.405731533441558e-15, -3.864088467578675e-16, 6.206502877698274e-17,
    -9.968891316563177e-18, 1.6012043503362403e-18,
])
_SILU_ROOT = np.array([
    0.22237961761324113, 0.10520133721958223, 0.004328127430245219,
    -0.0015886910698545858, -0.0002355767715871609, 4.291215470316172e-06,
    4.173461252594833e-06, 3.140917186108309e-07, -3.442275494786805e-08,
    -7.676501358137759e-09, -1.8156433502064182e-10, 9.30588993634116e-11,
    1.0655196031967095e-11, -3.658718985327774e-13, -1.778601967912604e-13,
    -1.0313280836079563e-14, 1.5197626014456182e-15, 2.6828860648118784e-16,
    2.5719239556168997e-18, -3.3433803772264655e-18,
])
_MISH_ROOT = np.array([
    0.27692422614577006, 0.14670627952583531, 0.009384618852838072,
    -0.002345158655102518, -0.0005844432478999683, -3.59417417664843e-05,
    7.3949027298639424e-06, 1.9192549407349663e-06, 1.390889836648046e-07,
    -1.88455877902615e-08, -5.7779849355814775e-09, -4.962808796392604e-10,
    4.1933279443692155e-11, 1.634181326157159e-11, 1.6254997710202416e-12,
    -7.985888714634293e-14, -4.3929567461601893e-14, -4.9862713318291415e-15,
    1.1297516744898944e-16, 1.1316840423141478e-16, 1.4559499190034083e-17,
])
_GELU_ROOT = np.array([
    0.4248558730755461, 0.25786454735252756, -0.00710758802501877, -0.01067768741868251,
    -0.00044797801427516457, 0.0002572496622038948, 2.0987256237210175e-05,
    -4.203816701924843e-06, -4.952658485230979e-07, 4.976029791298786e-08,
    8.145351577074735e-09, -4.301404948245227e-10, -1.0371720680439814e-10,
    2.471267673959968e-12, 1.0787705827133108e-12, -3.660939534037689e-15,
    -9.470594044685785e-15, -1.2021587670256278e-16, 7.173367681550287e-17,
])
_GELU_TANH_ROOT = np.array([
    0.424258080197922, 0.2573375628084914, -0.006667172969841526, -0.010658034231190215,
    -0.0005005240083650464, 0.0002591187880712715, 2.4023530825309364e-05,
    -4.426856769708271e-06, -6.032915636661077e-07, 6.38962683588922e-08,
    1.1122353012587188e-08, -1.0702212177522603e-09, -1.8610459857953368e-10,
    2.4183333402988092e-11, 3.605897973646909e-12, -5.732704443079923e-13,
    -8.534520447019471e-14, 1.1787840715089341e-14, 2.079273849051108e-15,
    -2.020593730355665e-16, -4.645418871331532e-17, 2.9458911476532496e-18,
])

_NEAR = 0.75  # half-width of the expansion around the root of a derivative

# Roots of derivatives in three parts, as beta x of silu may be as near as the second is
# exact; constants of gelu_tanh in two.
_SILU = (-1.2784645427610737, -1.0946994183093437e-16, -3.907766676128665e-33, _SILU_ROOT)
_MISH = (-1.1924312145154952, -4.8484829848031044e-17, 0.0, _MISH_ROOT)
_GELU = (-0.7517915246935645, 1.4956759177009883e-17, 0.0, _GELU_ROOT)
_GELU_TANH = (-0.7524614220710163, 3.635560509207687e-17, 0.0, _GELU_TANH_ROOT)
_A, _A_LOW = 1.5957691216057308, -9.96930880911092e-17  # 2 sqrt(2 / pi)
_B, _B_LOW = 0.07135481627260025, -6.175149918155315e-19  # 0.044715 _A

_SCALE = 1.0507009873554805  # selu
_SCALE_ALPHA = 1.7580993408473768
_INV_SQRT_2PI = 0.3989422804014327
_MAX = np.finfo(np.float64).max

# exp(-1400) is 0 by a margin that no factor of ours makes up for: arguments are
# clipped there, so that no infinity meets a zero.
_FAR = 1400.0
# exp(-698) is within 0.02 ULP of a float64.
_SHIFT = 698.0
_UNSHIFT = np.exp(-_SHIFT)


# ---- Helpers ----------------------------------------------------------------
def _nan_or(x, value) -> Array:
    """``value``, but NaN where ``x`` is."""
    return np.where(np.isnan(x), x, value)


def _sum(a, b) -> Pair:
    """a + b and its rounding error (Knuth)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def _product(a, b) -> Pair:
    """a * b and its rounding error (Dekker, with Veltkamp's split)."""
    p = a * b
    c, d = 134217729.0 * a, 134217729.0 * b
    a1, b1 = c - (c - a), d - (d - b)
    a2, b2 = a - a1, b - b1
    return p, ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2


def _exp(y) -> Pair:
    """exp(y <= 0) as (m, s): multiply by m early and by s < 1 last.

    Where exp(y) is nearly subnormal, m is not: factors go to m in full
    precision.  y + _SHIFT is exact there.
    """
    far = y < -_SHIFT
    return np.exp(y + np.where(far, _SHIFT, 0.0)), np.where(far, _UNSHIFT, 1.0)


def _exp_neg_abs(z, low) -> Pair:
    """exp(-|z + low|) as ``_exp`` gives it, for |low| << |z|."""
    m, s = _exp(-np.abs(z))
    return m - m * np.where(z < 0, -low, low), s


def _near_root(d: Array, z, low, root) -> Array:
    """``d`` with its expansion near the root, where the terms of d cancel."""
    high, middle, rest, coefs = root
    t, error = _sum(low, -middle)
    t = np.asarray(((z - high) + t) + (error - rest))
    near = np.abs(t) < _NEAR
    d[near] = t[near] * chebval(t[near] / _NEAR, coefs)
    return d


def _sigmoid_product(x, z, low, w) -> Pair:
    """x sigmoid(z + low) and its derivative; w = x dz/dx."""
    m, s = _exp_neg_abs(z, low)
    e = m * s
    q = 1 + e
    f = np.where(z < 0, np.clip(x, -1e20, 1e20) / q * m * s, x / q)
    d = np.where(z < 0, (q + w) * m / (q * q) * s, (q + w * e) / (q * q))
    return f, d


def _scaled(x, beta) -> Pair:
    """beta x and its rounding error, clipped to +-_FAR."""
    bound = _FAR / np.maximum(np.abs(beta), 1e-15)
    return _product(np.clip(x, -bound, bound), beta)


# ---- Rows: value and derivative ---------------------------------------------
def sigmoid(x: Array) -> Pair:
    e = np.exp(-np.abs(x))
    q = 1 + e
    return np.where(x < 0, e, 1.0) / q, e / (q * q)


def log_sigmoid(x: Array) -> Pair:
    e = np.exp(-np.abs(x))
    log = np.log1p(e)
    return np.where(x < 0, x - log, -log), np.where(x < 0, 1.0, e) / (1 + e)


def tanh(x: Array) -> Pair:
    m, s = _exp(-2 * np.abs(x))
    q = 1 + m * s
    return np.tanh(x), 4 * m / (q * q) * s


def relu(x: Array) -> Pair:
    # + 0.0 makes +0 of -0, here and below
    return np.maximum(x, 0) + 0.0, _nan_or(x, x > 0)


def relu6(x: Array) -> Pair:
    return np.clip(x, 0, 6) + 0.0, _nan_or(x, (x > 0) & (x < 6))


def leaky_relu(x: Array, negative_slope: Any) -> Pair:
    # slope 0 must not meet -inf
    low = negative_slope * np.where(negative_slope == 0, np.maximum(x, -_MAX), x)
    d = _nan_or(x, np.where(x > 0, 1.0, negative_slope))
    return np.where(x > 0, x, low), d


prelu = leaky_relu  # with an array of slopes


def below(x: Array) -> Array:
    """The gradient of prelu to its weight."""
    return np.where(x > 0, x.dtype.type(0), x)


def elu(x: Array, alpha: Any) -> Pair:
    low = np.where(x > 0, 0.0, x)
    m, s = _exp(low)
    f = np.where(x > 0, x, alpha * np.expm1(low))
    return f, np.where(x > 0, 1.0, alpha * m * s)


def celu(x: Array, alpha: Any) -> Pair:
    low = np.maximum(np.where(x > 0, 0.0, x), -_FAR * alpha)
    z = low / alpha
    p, error = _product(z, alpha)
    m, s = _exp(z)
    m = m + m * (((low - p) - error) / alpha)
    # z may be subnormal, with few digits, where x is not
    f = np.where((x > 0) | (np.abs(z) < 1e-17), x, alpha * np.expm1(z))
    return f, np.where(x > 0, 1.0, m * s)


def selu(x: Array) -> Pair:
    low = np.where(x > 0, 0.0, x)
    m, s = _exp(low)
    f = np.where(x > 0, _SCALE * x, _SCALE_ALPHA * np.expm1(low))
    return f, np.where(x > 0, _SCALE, _SCALE_ALPHA * m * s)


def gelu(x: Array) -> Pair:
    t = np.minimum(np.abs(x), 39.0)
    square, error = _product(t, t)
    m, s = _exp(-square / 2)
    m = m - m * (error / 2)
    near, far = np.minimum(t, 1.0), np.maximum(t, 1.0)
    mills = chebval(2 * near - 1, _MILLS_NEAR)
    product = chebval((far - 6) / (far + 4), _MILLS_FAR)
    product = np.where(t < 1, t * mills, product)
    mills = np.where(t < 1, mills, product / far)
    up = 1 - m * mills * s  # Phi(|x|)
    f = np.where(x < 0, -product * m * s, x * up)
    slope = t * _INV_SQRT_2PI
    d = np.where(x < 0, (mills - slope) * m * s, up + slope * m * s)
    return f, _near_root(d, x, 0.0, _GELU)


def gelu_tanh(x: Array) -> Pair:
    t = np.clip(x, -30, 30)
    square, square_low = _product(t, t)
    p, low = _product(_B, square)
    u, error = _sum(_A, p)
    low = low + error + _B * square_low + _B_LOW * square + _A_LOW
    z, error = _product(t, u)
    f, d = _sigmoid_product(x, z, error + t * low, t * (_A + 3 * _B * square))
    return f, _near_root(d, x, 0.0, _GELU_TANH)


def quick_gelu(x: Array) -> Pair:
    # The slope is the decimal 1.702; the double is short of it by 4.26e-17.
    z, low = _scaled(x, 1.702)
    low = np.where(np.abs(x) < _FAR, low + x * 4.263256414560601e-17, low)
    f, d = _sigmoid_product(x, z, low, z)
    return f, _near_root(d, z, low, _SILU)


def silu(x: Array) -> Pair:
    z = np.clip(x, -_FAR, _FAR)
    f, d = _sigmoid_product(x, z, 0.0, z)
    return f, _near_root(d, x, 0.0, _SILU)


def silu_beta(x: Array, beta: Any) -> Pair:
    z, low = _scaled(x, beta)
    f, d = _sigmoid_product(x, z, low, z)
    return f, _near_root(d, z, low, _SILU)


def mish(x: Array) -> Pair:
    t = np.clip(x, -_FAR, _FAR)
    m, s = _exp(-np.abs(t))
    e = m * s
    # tanh(log(1 + exp(x))) is e n / q for x < 0 and n / q else
    n = np.where(x < 0, e + 2, 1 + 2 * e)
    q = np.where(x < 0, e * n, n) + np.where(x < 0, 2.0, 2 * e * e)
    f = np.where(x < 0, t / q * n * m * s, x * (n / q))
    rest = 4 * t * (1 + e) / q
    d = np.where(x < 0, (n + rest) * m / q * s, (n + rest * e * e) / q)
    return f, _near_root(d, x, 0.0, _MISH)


def softplus(x: Array, beta: Any) -> Pair:
    z, low = _scaled(x, beta)
    m, s = _exp_neg_abs(z, low)
    e = m * s
    f = np.maximum(x, 0) + np.where(s < 1, m, np.log1p(e)) / beta * s
    return f, np.where(z < 0, e, 1.0) / (1 + e)


def softsign(x: Array) -> Pair:
    r = 1 / (1 + np.abs(x))
    f = np.where(np.isinf(x), np.copysign(1.0, x), x / (1 + np.abs(x)))
    return f, r * r


def squareplus(x: Array, b: Any) -> Pair:
    root = np.hypot(x, np.sqrt(b))
    # halves before sums: neither overflows
    f = np.where(x < 0, b / 4 / (root / 2 - x / 2), root / 2 + x / 2)
    return f, np.where(np.isinf(x), x > 0, f / root)


def hard_sigmoid(x: Array) -> Pair:
    return np.clip(x + 3, 0, 6) / 6, _nan_or(x, (np.abs(x) < 3) / 6)


def hard_tanh(x: Array, min_val: Any, max_val: Any) -> Pair:
    return np.clip(x, min_val, max_val), _nan_or(x, (min_val < x) & (x < max_val))


def hard_swish(x: Array) -> Pair:
    f = np.maximum(x, -3) * (np.clip(x + 3, 0, 6) / 6)
    d = np.where(x <= -3, 0.0, np.where(x >= 3, 1.0, (2 * x + 3) / 6))
    return f, d


def hard_shrink(x: Array, lambd: Any) -> Pair:
    out = np.abs(x) > lambd
    return _nan_or(x, np.where(out, x, 0.0)), _nan_or(x, out)


def soft_shrink(x: Array, lambd: Any) -> Pair:
    out = np.abs(x) > lambd
    f = np.where(out, x - np.copysign(lambd, x), 0.0)
    return _nan_or(x, f), _nan_or(x, out)


def tanh_shrink(x: Array) -> Pair:
    t = np.tanh(x)
    square = np.minimum(x * x, 2.25)
    small = square * chebval(square / 1.125 - 1, _TANH_SHRINK) * x
    return np.where(np.abs(x) < 1.5, small, x - t), t * t


def threshold(x: Array, threshold: Any, value: Any) -> Pair:
    above = x > threshold
    return _nan_or(x, np.where(above, x, value)), _nan_or(x, above)


def relu_squared(x: Array) -> Pair:
    f = np.maximum(x, 0) + 0.0
    return f * f, 2 * f


# ---- Derivatives from the output --------------------------------------------
def sigmoid_from_output(y: Array) -> Array:
    return y * (1 - y)


def log_sigmoid_from_output(y: Array) -> Array:
    return -np.expm1(y)


def tanh_from_output(y: Array) -> Array:
    return (1 - y) * (1 + y)


def relu_from_output(y: Array) -> Array:
    return _nan_or(y, y > 0)


def relu6_from_output(y: Array) -> Array:
    return _nan_or(y, (y > 0) & (y < 6))


def leaky_relu_from_output(y: Array, negative_slope: Any) -> Array:
    return _nan_or(y, np.where(y > 0, 1.0, negative_slope))


def elu_from_output(y: Array, alpha: Any) -> Array:
    return np.where(y > 0, 1.0, y + alpha)


def celu_from_output(y: Array, alpha: Any) -> Array:
    return np.where(y > 0, 1.0, (alpha + y) / alpha)


def selu_from_output(y: Array) -> Array:
    # The double _SCALE_ALPHA is short of scale * alpha by 1.4e-17.
    return np.where(y > 0, _SCALE, (y + _SCALE_ALPHA) + 1.41535193800845e-17)


def softplus_from_output(y: Array, beta: Any) -> Array:
    return -np.expm1(-beta * y)


def softsign_from_output(y: Array) -> Array:
    return (1 - np.abs(y)) ** 2


def squareplus_from_output(y: Array, b: Any) -> Array:
    return np.where(np.isinf(y), 1.0, (y / np.hypot(y, np.sqrt(b) / 2)) ** 2)


def hard_sigmoid_from_output(y: Array) -> Array:
    return _nan_or(y, ((y > 0) & (y < 1)) / 6)


def hard_tanh_from_output(y: Array, min_val: Any, max_val: Any) -> Array:
    return _nan_or(y, (min_val < y) & (y < max_val))


def hard_shrink_from_output(y: Array, lambd: Any) -> Array:
    return _nan_or(y, y != 0)


def soft_shrink_from_output(y: Array, lambd: Any) -> Array:
    return _nan_or(y, y != 0)


def relu_squared_from_output(y: Array) -> Array:
    return 2 * np.sqrt(y)


# ---- Ufuncs -----------------------------------------------------------------
class Ufunc:
    """One kernel of the registry, called like a NumPy ufunc.

    Operands are the inputs, then the parameters, then optionally the outputs.
    """

    signature = None  # elementwise: xarray and dask ask

    def __init__(self, kernel: _registry.Kernel) -> None:
        inputs = kernel.inputs
        self.__name__ = kernel.public
        self.__doc__ = _registry.describe(kernel)
        self.nin = len(inputs) + len(kernel.params)
        self.nout = len(kernel.outputs)
        self.nargs = self.nin + self.nout
        self.types = [c * self.nin + "->" + c * self.nout for c in "efd"]
        self._params = slice(len(inputs), self.nin)
        # the formula takes the last input, with prelu the last two
        self._main = slice(-2 if kernel.kind == "prelu" else -1, None)
        self._pair = kernel.kind != "from_output"
        name = kernel.row.name + ("" if self._pair else "_from_output")
        self._formula = globals()[name]
        self._outputs = [
            eval(f"lambda f, d, {', '.join(inputs)}: {text}", {"below": below})
            for text in kernel.outputs.values()
        ]

    def __repr__(self) -> str:
        return f"<fastact ufunc {self.__name__!r}>"

    def __reduce__(self) -> tuple:
        return ufunc, (self.__name__,)

    def __call__(
        self,
        *args: Any,
        out: Any = None,
        where: Any = True,
        casting: Any = "same_kind",
        order: Any = "K",
        dtype: Any = None,
        subok: bool = True,
    ) -> Any:
        if out is None and self.nin < len(args) <= self.nargs:
            args, out = args[: self.nin], args[self.nin :]
            out += (None,) * (self.nout - len(out))
        if len(args) != self.nin:
            raise TypeError(
                f"{self.__name__}() takes from {self.nin} to {self.nargs} positional "
                f"arguments but {len(args)} were given"
            )
        if not isinstance(out, tuple):
            if out is not None and self.nout > 1:
                raise TypeError("'out' must be a tuple of arrays")
            out = (out,) * self.nout
        if len(out) != self.nout:
            raise ValueError("'out' must have exactly one entry per ufunc output")
        given = out if any(o is not None for o in out) else ()

        options = dict(
            where=where, casting=casting, order=order, dtype=dtype, subok=subok
        )
        taken = self._override(args, given, options)
        if taken is not NotImplemented:
            return taken

        owner: Any = max(
            (a for a in args if _wraps(a)),
            key=lambda a: getattr(a, "__array_priority__", 0.0),
            default=None,
        )
        results = []
        with np.errstate(all="ignore"):
            arrays = self._run(args, out, where, casting, order, dtype)
            for i, (array, target) in enumerate(zip(arrays, out, strict=True)):
                result = array if target is None else target
                wrapper = owner if target is None else target
                if subok and _wraps(wrapper):
                    result = wrapper.__array_wrap__(result, (self, args + given, i))
                if target is None and type(result) is Array and result.ndim == 0:
                    result = result[()]
                results.append(result)
        return results[0] if self.nout == 1 else tuple(results)

    def _override(self, args: tuple, out: tuple, options: dict) -> Any:
        """NumPy's protocol: any operand may take the call over (pandas, dask)."""
        changed = {k: v for k, v in options.items() if v is not _DEFAULTS[k]}
        if out:
            changed["out"] = out
        asked = []
        for operand in args + out:
            method: Any = getattr(type(operand), "__array_ufunc__", _PLAIN)
            if method is None:
                raise TypeError(f"{type(operand).__name__!r} does not support ufuncs")
            if method is not _PLAIN:
                result = method(operand, self, "__call__", *args, **changed)
                if result is not NotImplemented:
                    return result
                asked.append(type(operand).__name__)
        if asked:
            raise TypeError(f"{', '.join(asked)} do not implement {self.__name__}")
        return NotImplemented

    def _loop_dtype(self, args: tuple, dtype: Any) -> np.dtype:
        """The first of float16, 32, 64 that holds the operands, as np.exp has it."""
        if dtype is not None:
            if np.dtype(dtype).char in "efd":
                return np.dtype(np.dtype(dtype).char)
            raise TypeError(f"no loop of {self.__name__} matches dtype {dtype!r}")
        # Python scalars are weak unless they are of a higher kind
        strong = [np.asarray(a).dtype for a in args if type(a) not in _WEAK]
        kind = max(("buif".find(t.kind) for t in strong), default=-1)
        weak = max(_WEAK.get(type(a), -1) for a in args)
        for char in "d" if weak > kind else "efd":
            if all(np.can_cast(t, char) for t in strong):
                return np.dtype(char)
        raise TypeError(f"{self.__name__} has no loop for {[t.name for t in strong]}")

    def _run(self, args, out, where, casting, order, dtype) -> tuple:
        loop = self._loop_dtype(args, dtype)
        work = np.dtype("f") if loop.char == "e" else loop
        types = [loop] * self._params.start
        types += [work] * (self.nin - len(types))
        # weak scalars take the type of the loop, whatever ``casting`` says
        operands: list = [
            np.asarray(a, dtype=t if type(a) in _WEAK else None)
            for a, t in zip(args, types, strict=True)
        ]
        read = ["readonly", "contig", "overlap_assume_elementwise"]
        flags: list[Any] = [read] * self.nin
        masked = where is not True
        for o in out:
            if not isinstance(o, Array | None):
                raise TypeError("return arrays must be of ArrayType")
            # "readwrite": a temporary must hold what the mask leaves untouched
            access = "readwrite" if masked and o is not None else "writeonly"
            flags += [[access, "allocate", "no_subtype"] + ["writemasked"] * masked]
            types.append(loop)
            operands.append(o)
        if masked:
            mask = np.asarray(where)
            if mask.dtype != bool:
                raise TypeError("'where' must be boolean")
            flags.append(["readonly", "arraymask"])
            types.append(mask.dtype)
            operands.append(mask)
        with np.nditer(
            operands,
            ["external_loop", "buffered", "zerosize_ok", "copy_if_overlap"],
            flags,
            types,
            order=order,
            casting=casting,
            buffersize=16384,
        ) as iterator:
            for chunk in iterator:
                results = self._evaluate(chunk, loop, work)
                wanted = chunk[-1] if masked else True
                for result, target in zip(results, chunk[self.nin :], strict=False):
                    np.copyto(target, result, "same_kind", wanted)
            return iterator.operands[self.nin : self.nargs]

    def _evaluate(self, chunk: tuple, loop: np.dtype, work: np.dtype) -> list[Array]:
        inputs, params = chunk[: self._params.start], chunk[self._params]
        wide = [a.astype(np.float64) for a in inputs[self._main] + params]
        result = self._formula(*wide)
        # both rounded as the other forms return them: backward is g * derivative
        f, d = (
            v.astype(loop).astype(work)
            for v in (result if self._pair else (result, result))
        )
        operands = [a.astype(work) for a in inputs]
        return [output(f, d, *operands) for output in self._outputs]


_PLAIN = Array.__array_ufunc__
_DEFAULTS: dict = Ufunc.__call__.__kwdefaults__ or {}
_WEAK = {int: "buif".find("u"), float: "buif".find("f")}


def _wraps(operand: Any) -> bool:
    """Whether results take the type of ``operand``."""
    plain = type(operand) is Array or isinstance(operand, np.generic)
    return not plain and hasattr(type(operand), "__array_wrap__")


UFUNCS: dict[str, Ufunc] = {k.public: Ufunc(k) for k in _registry.kernels()}


def ufunc(public_name: str) -> Ufunc:
    """The ufunc of the kernel with this public name."""
    return UFUNCS[public_name]


# ---- Functions along the last axis ------------------------------------------
def _shifted(x: Array, top: Array) -> Pair:
    """x - top, and the rounding error of that."""
    shift, low = _sum(x, -top)
    return shift, np.where(np.isfinite(shift), low, 0.0)


def _row_sum(a: Array) -> Pair:
    """The sum along the last axis, kept, and the rest of it: added by halves."""
    low = np.zeros_like(a)
    while (n := a.shape[-1]) > 1:
        half = n // 2
        first, second, rest = slice(half), slice(half, 2 * half), slice(2 * half, n)
        s, error = _sum(a[..., first], a[..., second])
        error += low[..., first] + low[..., second]
        a = np.concatenate([s, a[..., rest]], axis=-1)
        low = np.concatenate([error, low[..., rest]], axis=-1)
    low = np.where(np.isfinite(a), low, 0.0)
    total = a + low
    return total, low - (total - a)


def _softmax(x: Array) -> Array:
    shift, low = _shifted(x, x.max(axis=-1, keepdims=True))
    e = np.exp(shift)
    total, rest = _row_sum(e + e * low)
    y = e / total
    # what is left of e (1 + low) - y (total + rest) goes in with one rounding
    product, error = _product(y, total)
    left = ((e - product) - error) + (e * low - y * rest)
    return y + np.where(np.isfinite(left), left / total, 0.0)


def axis_forward(name: str, x: Array) -> Array:
    """softmax, log_softmax or logsumexp along the last axis."""
    wide = np.ascontiguousarray(x, dtype=np.float64)
    with np.errstate(all="ignore"):
        if name == "softmax":
            return _softmax(wide).astype(x.dtype)
        top = wide.max(axis=-1, keepdims=True)
        if name == "logsumexp":
            # an infinite maximum is the result: nothing to subtract from it
            shift, low = _shifted(wide, np.where(np.isinf(top), 0.0, top))
        else:
            shift, low = _shifted(wide, top)
        e = np.exp(shift)
        e += e * low
        # log of the sum through the sum of all but one maximum
        np.put_along_axis(e, wide.argmax(axis=-1, keepdims=True), 0.0, axis=-1)
        log = np.log1p(_row_sum(e)[0])
        if name == "logsumexp":
            return (top + log)[..., 0].astype(x.dtype)
        result, error = _sum(shift, -log)
        result += np.where(np.isfinite(result), low + error, 0.0)
        return result.astype(x.dtype)


def axis_backward(name: str, g: Array, y: Array) -> Array:
    """The gradient to x, given g (of the rows' shape, or one number per row) and
    the input or, for *_from_output, the output."""
    a, b = g.astype(np.float64), np.ascontiguousarray(y, dtype=np.float64)
    with np.errstate(all="ignore"):
        if not name.endswith("_from_output"):
            b = _softmax(b)
        elif name.startswith("log_softmax"):
            b = np.exp(b)
        if name.startswith("softmax"):
            result = b * (a - _row_sum(a * b)[0])
        elif name.startswith("log_softmax"):
            result = a - b * _row_sum(a)[0]
        else:
            result = a * b
        return result.astype(y.dtype)
