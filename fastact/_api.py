"""The thin API: one object per activation.

``Front`` (from the backend) answers the common call, plain arrays with default
parameters, by itself.  What it cannot, it hands to ``_general`` here, which
checks the arguments, picks the kernel, and lets the ufunc do the rest.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from . import _backend, _containers, _docs
from ._checks import (
    FLOAT_OF,
    UFUNC_KEYWORDS,
    array_of,
    check_axis,
    check_dtype,
    check_input,
    check_out,
    check_param,
    check_shapes,
)
from ._registry import (
    BY_NAME,
    FORMS,
    PRELU,
    SUFFIX,
    VARIANTS,
    Gate,
    Param,
    Row,
    Variant,
    gate_name,
)

#: the inputs of each form of an elementwise activation
INPUTS = {
    "value": ("x",),
    "derivative": ("x",),
    "value_and_derivative": ("x",),
    "backward": ("g", "x"),
    "backward_from_output": ("g", "y"),
}


def _lookup(name: str):
    """Unpickles an activation: by its name."""
    import fastact

    return getattr(fastact, name)


class _Named:
    """What every function object here has in common."""

    __name__: str

    def _name(self, name: str, doc: str) -> None:
        self.__name__ = self.__qualname__ = name
        self.__module__ = "fastact"
        self.__doc__ = doc

    def __repr__(self) -> str:
        return f"<activation fastact.{self.__name__}>"

    def __reduce__(self):
        return _lookup, (self.__name__,)


def call_ufunc(where, public, names, inputs, params, keywords):
    """Check inputs and ``out``, then call the ufunc ``public``."""
    loop = _backend.loop(public)
    if keywords.keys() <= {"dtype"} and not params and all(map(_floats, inputs)):
        try:
            return loop.ufunc(*inputs, **keywords)
        except (TypeError, ValueError):
            pass  # shapes or a dtype that do not fit: below it is said which
    inputs = [check_input(where, n, v) for n, v in zip(names, inputs, strict=True)]
    arrays = inputs + [p for p in params if np.ndim(p)]
    labelled = _containers.labelled(arrays)
    if not labelled:
        shape = check_shapes(where, [*names, *["parameter"] * len(params)], arrays)
    if keywords.get("dtype") is not None:
        keywords["dtype"] = dtype = check_dtype(where, keywords["dtype"])
    else:
        keywords.pop("dtype", None)
        dtype = None
    dtypes = [getattr(v, "dtype", None) for v in inputs]
    if dtype is None and all(isinstance(t, np.dtype) and t.kind in "biu" for t in dtypes):
        # Beside integers a Python float would mean float64; here, as without a
        # parameter, they decide (int8 gives float16, int16 float32).
        kind = np.result_type(np.float16, *dtypes).type
        params = [p if np.ndim(p) else kind(p) for p in params]
    if keywords.get("out") is None:
        keywords.pop("out", None)
    elif not labelled:
        if dtype is None:
            dtype = np.result_type(
                np.float16, *[getattr(v, "dtype", v) for v in (*inputs, *params)]
            )
        keywords["out"] = check_out(
            where, keywords["out"], loop.ufunc.nout, shape, dtype,
            keywords.get("casting", "same_kind"),
        )
    return _containers.call(loop.ufunc, (*inputs, *params), keywords)


def _floats(value) -> bool:
    return type(value) is np.ndarray and value.dtype.char in "efd"


def _alike(values: tuple) -> bool:
    """Whether they are NumPy's own arrays of floats, in one shape and dtype."""
    first = values[0]
    if not _floats(first):
        return False
    for v in values[1:]:
        if type(v) is not np.ndarray or v.shape != first.shape or v.dtype != first.dtype:
            return False
    return True


def _mask(where, x: np.ndarray) -> bool:
    """Whether ``where`` is a mask for x that needs no checks."""
    return type(where) is np.ndarray and where.dtype.char == "?" and where.shape == x.shape


def _bytewise(ufunc, x: np.ndarray, params):
    """``ufunc(x, *params)``; of many bytes, a look-up among the 256 there are."""
    if x.itemsize > 1 or x.size < 1000 or not x.flags.c_contiguous:
        return ufunc(x, *params)
    every = ufunc(np.arange(256, dtype=np.uint8).view(x.dtype), *params)
    at = x.view(np.uint8)
    return tuple([y[at] for y in every]) if isinstance(every, tuple) else every[at]


class Activation(_Named, _backend.Front):
    """An elementwise activation: call it for the value.

    Its other forms are methods: ``derivative``, ``value_and_derivative``,
    ``backward`` and, where f' is a function of the output,
    ``backward_from_output``.
    """

    def __init__(self, row: Row) -> None:
        self._row = row
        self._variant: Variant | None = next(
            (v for v in VARIANTS if v.name == row.name), None
        )
        self._params: tuple[Param, ...] = row.params
        self.defaults: dict[str, Any] = {p.name: p.default for p in row.params}
        if self._variant:
            self.defaults[self._variant.option] = self._variant.default
        self._name(row.name, _docs.elementwise(row, self._variant))
        self.__signature__ = _signature(("x",), self.defaults)
        self._resolved: dict[tuple, tuple] = {}
        self._quick = None not in self.defaults.values()
        if self._quick:
            defaults = tuple(p.default for p in row.params)
            self._set_fast(row, defaults)
            for form in FORMS if row.from_output else FORMS[:-1]:
                loop = _backend.loop(row.name + SUFFIX[form])
                self._resolved[form,] = loop, defaults, None

    @property
    def ufunc(self):
        """The NumPy ufunc of the value (of the default variant)."""
        return _backend.loop(self._row.name).ufunc

    def _signature_of(self, form: str) -> inspect.Signature:
        return _signature(INPUTS[form], self.defaults)

    def _doc_of(self, form: str) -> str:
        return _docs.form(self._row, self._variant, form, INPUTS[form])

    def _resolve(self, where: str, options: dict) -> tuple[Row, tuple]:
        """The row and its parameters for the keywords given."""
        row = self._row
        params: dict[str, Any] = {}
        for name in options:
            if name not in self.defaults:
                takes = ", ".join([*self.defaults, *UFUNC_KEYWORDS])
                raise TypeError(
                    f"{where}: unknown keyword {name!r}; takes {takes}"
                )
        if self._variant and self._variant.option in options:
            row, params = _choose(where, self._variant, options[self._variant.option])
        for param in () if params else row.params:
            value = options.get(param.name, param.default)
            if value is None and param.name not in options:
                raise TypeError(f"{where}: missing keyword {param.name!r}")
            params[param.name] = check_param(where, param, value)
        _check_needs(where, row.needs, params)
        return row, tuple(params.values())

    def _general(self, form: str, args: tuple, kwargs: dict):
        key: tuple | None = None
        if kwargs.get("where") is True:
            del kwargs["where"]  # (the default)
        if len(args) == len(INPUTS[form]):
            if "dtype" in kwargs or "where" in kwargs:
                result = self._by_ufunc(form, args, kwargs)
                if result is not None:
                    return result
            # Parameters seen before (from the start: the defaults) need no checks:
            # what they resolved to is kept.
            key = (form,)
            if kwargs:
                key += tuple([(k, None if k == "out" else v) for k, v in kwargs.items()])
            try:
                found = self._resolved.get(key)
            except TypeError:  # an array among them
                key = found = None
            if found:
                loop, params, bound = found
                if bound is not None:
                    self._recall(form, bound)
                # (without keywords Front has tried)
                result = loop.fast(args, params, kwargs.get("out")) if kwargs else None
                if result is not None:
                    return result
                # Arrays of floats that the kernels could not read where they lie, or a
                # float: nothing to check.
                out = kwargs.get("out")
                if out is None:
                    if _alike(args) or (len(args) == 1 and type(args[0]) is float):
                        return loop.ufunc(*args, *params)
                    if len(args) == 1:
                        x = array_of(args[0])
                        if x is not None:
                            # (of params, which would else make it float64)
                            kind = FLOAT_OF[x.dtype.char]
                            params = [kind(p) for p in params]
                            return _bytewise(loop.ufunc, x, params)
                elif (
                    form != "value_and_derivative"  # (whose out is a tuple)
                    and _alike((*args, out)) and out.flags.writeable
                ):
                    return loop.ufunc(*args, *params, out=out)
        where = f"fastact.{self.__name__}" + ("" if form == "value" else f".{form}")
        names = INPUTS[form]
        lifted = _containers.lift(
            lambda *a, **k: self._general(form, a, k), where, names, args, kwargs
        )
        if lifted is not None:
            return lifted
        asked = dict(kwargs)
        keywords = {k: kwargs.pop(k) for k in UFUNC_KEYWORDS if k in kwargs}
        row, params = self._resolve(where, kwargs)
        args = _take_out(where, names, args, keywords)
        if form == "backward_from_output":
            if not row.from_output:
                raise TypeError(
                    f"{where}: the derivative of {row.name} is not a function of its "
                    "output; use backward(g, x)"
                )
            given = dict(zip([p.name for p in row.params], params, strict=True))
            _check_needs(where, row.from_output_needs, given)
        public = row.name + SUFFIX[form]
        if keywords.keys() <= {"out"} and not any(map(np.ndim, params)):
            loop = _backend.loop(public)
            # (-0.0 is not 0.0, though they are one key)
            if key is not None and all(params) and len(self._resolved) < 100:
                bound = self._bind(asked, loop, params) if asked else None
                # What is there stays: _recall() needs it to.
                self._resolved.setdefault(key, (loop, params, bound))
            result = loop.fast(args, params, keywords.get("out"))
            if result is not None:
                return result
        return call_ufunc(where, public, names, args, params, keywords)


    def _by_ufunc(self, form: str, args: tuple, kwargs: dict):
        """A call on arrays of floats with ``dtype``, or with ``where`` and ``out``; None if
        there is anything to check.
        """
        found = self._resolved.get((form,))
        if not found or not kwargs.keys() <= _QUICK or form == "value_and_derivative":
            return None  # (the out of that is a tuple)
        where, out = kwargs.get("where"), kwargs.get("out")
        if not _alike(args if out is None else (*args, out)):
            return None
        if out is not None and ("dtype" in kwargs or not out.flags.writeable):
            return None
        if where is not None and not _mask(where, args[0]):
            return None
        loop, params, _ = found
        try:
            return loop.ufunc(*args, *params, **kwargs)
        except TypeError:
            return None  # (a dtype: it is said below which there are)


#: the keywords of _by_ufunc()
_QUICK = frozenset(("out", "where", "dtype"))

# A class made from a C class does not inherit the protocol before Python 3.12.
_backend.use_vectorcall(Activation)


def _choose(where: str, variant: Variant, value) -> tuple[Row, dict]:
    """The row of a variant for the value of its option, and its parameters."""
    if None not in variant.choices:
        if not isinstance(value, str) or value not in variant.choices:
            takes = " or ".join(map(repr, variant.choices))
            raise ValueError(
                f"{where}: {variant.option} must be {takes}, got {value!r}"
            )
        return BY_NAME[variant.choices[value]], {}
    row = BY_NAME[variant.choices[None]]
    number = check_param(where, row.params[0], value)
    if not np.ndim(number) and number in variant.choices:
        return BY_NAME[variant.choices[number]], {}
    return row, {variant.option: number}


def _check_needs(where: str, needs: tuple, params: dict) -> None:
    if needs:
        text, names, good = needs
        values = [params[n] for n in names]
        if not np.all(good(*values)):
            got = ", ".join(f"{n}={v!r}" for n, v in zip(names, values, strict=True))
            raise ValueError(f"{where}: takes {text}, got {got}")


def _take_out(where: str, names: tuple, args: tuple, keywords: dict) -> tuple:
    """The inputs among ``args``; outputs behind them count as ``out``."""
    inputs, rest = args[: len(names)], args[len(names) :]
    if len(inputs) < len(names):
        raise TypeError(
            f"{where}: takes {len(names)} inputs ({', '.join(names)}), got {len(args)}"
        )
    if rest:
        if "out" in keywords:
            raise TypeError(f"{where}: out given by position and by keyword")
        for array in rest:
            if array is not None and not hasattr(array, "__array_ufunc__"):
                raise TypeError(
                    f"{where}: takes {', '.join(names)} and out by position, got "
                    f"{array!r}; parameters go by keyword"
                )
        keywords["out"] = rest if len(rest) > 1 else rest[0]
    return inputs


def _signature(names, defaults, extra=()) -> inspect.Signature:
    """x, ..., /, out=None, *, where=True, dtype=None, and the parameters."""
    parameter = inspect.Parameter
    return inspect.Signature(
        [parameter(n, parameter.POSITIONAL_ONLY) for n in names]
        + [parameter("out", parameter.POSITIONAL_OR_KEYWORD, default=None)]
        + [
            parameter(n, parameter.KEYWORD_ONLY, default=d)
            for n, d in (("where", True), ("dtype", None))
        ]
        + [
            parameter(
                n,
                parameter.KEYWORD_ONLY,
                default=parameter.empty if d is None else d,
            )
            for n, d in defaults.items()
        ]
    )


class PReLU(_Named):
    """The activation x if x > 0 else weight * x: leaky_relu with an array of slopes.

    ``weight`` broadcasts against ``x`` as in any NumPy expression (for channels
    along axis 1 of (N, C, L), give it the shape (C, 1)).

    Parameters
    ----------
    x : array_like
        Input, of any shape.
    weight : array_like
        The slopes for negative inputs.
    out : ndarray, optional
        Where to write the result; may be an input.
    where : array_like of bool, optional
        As for any NumPy ufunc.
    dtype : dtype, optional
        That of the result, float16, float32 or float64.

    Returns
    -------
    y : ndarray or scalar
        The value.

    Notes
    -----
    f'(0) = weight.  Source: He et al. 2015.

    Examples
    --------
    >>> import numpy as np, fastact as fa
    >>> fa.prelu(np.array([-2.0, 3.0]), np.array([0.5, 0.5]))
    array([-1.,  3.])
    """

    def __init__(self) -> None:
        self._name(PRELU, inspect.cleandoc(PReLU.__doc__ or "") + "\n")
        self.__signature__ = _signature(("x", "weight"), {})

    def _general(self, form: str, names: tuple, args: tuple, keywords: dict):
        public = PRELU + SUFFIX[form]
        where = f"fastact.{self.__name__}" + ("" if form == "value" else f".{form}")
        if not keywords and len(args) == len(names) and all(map(_floats, args)):
            result = _backend.loop(public).fast(args, (), None)
            if result is not None:
                return result
            return call_ufunc(where, public, names, args, (), {})
        for name in keywords:
            if name not in UFUNC_KEYWORDS:
                raise TypeError(
                    f"{where}: unknown keyword {name!r}; takes "
                    f"{', '.join(UFUNC_KEYWORDS)}"
                )
        lifted = _containers.lift(
            lambda *a, **k: self._general(form, names, a, k), where, names, args, keywords
        )
        if lifted is not None:
            return lifted
        args = _take_out(where, names, args, keywords)
        if keywords.keys() <= {"out"}:
            result = _backend.loop(public).fast(args, (), keywords.get("out"))
            if result is not None:
                return result
        return call_ufunc(where, public, names, args, (), keywords)

    def __call__(self, *args, **kwargs):
        return self._general("value", ("x", "weight"), args, kwargs)

    def derivative(self, *args, **kwargs):
        """The derivative with respect to x.

        Parameters
        ----------
        *args, **kwargs
            As for the value.

        Returns
        -------
        dy : ndarray or scalar
            The derivative.
        """
        return self._general("derivative", ("x", "weight"), args, kwargs)

    def value_and_derivative(self, *args, **kwargs):
        """The value and the derivative with respect to x, in one pass.

        Parameters
        ----------
        *args, **kwargs
            As for the value; ``out`` is a tuple of two arrays.

        Returns
        -------
        y, dy : ndarray or scalar
            The value and the derivative.
        """
        return self._general("value_and_derivative", ("x", "weight"), args, kwargs)

    def backward(self, g, x, weight, /, **kwargs):
        """The gradients to x and to weight, for the gradient g of the output.

        Parameters
        ----------
        g : array_like
            The gradient of the output.
        x, weight : array_like
            As for the value.
        **kwargs
            ``out``, a tuple of two arrays, and other keywords of a NumPy ufunc, but
            no ``where``.

        Returns
        -------
        gx : ndarray or scalar
            The gradient to x.
        gw : ndarray or scalar
            The gradient to weight, in its shape: what ``weight`` was broadcast over is
            summed.
        """
        where = f"fastact.{PRELU}.backward"
        lifted = _containers.lift(
            self.backward, where, ("g", "x", "weight"), (g, x, weight), kwargs
        )
        if lifted is not None:
            return lifted
        g, x, weight = (
            check_input(where, n, v) for n, v in (("g", g), ("x", x), ("weight", weight))
        )
        if kwargs.get("where", True) is not True:
            raise TypeError(
                f"{where}: takes no where: the gradient to weight is a sum over all of x"
            )
        shape, gx, gw = np.shape(weight), None, None
        if kwargs.get("out") is not None:
            dtype = kwargs.get("dtype") or np.result_type(
                np.float16, *[getattr(v, "dtype", v) for v in (g, x, weight)]
            )
            casting = kwargs.get("casting", "same_kind")
            gx, gw = check_out(where, kwargs["out"], 2, (), dtype, casting)
            if gw is not None and np.shape(gw) != shape:
                raise ValueError(
                    f"{where}: the second out has shape {np.shape(gw)}, weight {shape}"
                )
        kwargs["out"] = None if gx is None else (gx, None)
        gx, each = self._general(
            "backward", ("g", "x", "weight"), (g, x, weight), kwargs
        )
        total = _containers.sum_to(each, weight)
        if gw is None:
            return gx, total
        gw[...] = total
        return gx, gw


class _Default(int):
    """An integer by default, told apart from the same one given."""


_LAST = _Default(-1)


class GatedUnit(_Named):
    """A gated unit: value * f(gate), from one array split in half or from two arrays."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._loop: Any = None  # that of the value with default options, once called
        self.defaults = gate.options
        self._name(gate.name, _docs.gated_unit(gate))

    def _public(self, form: str, options: dict) -> str:
        """The ufunc for these options, which are taken out."""
        row, variant = self._gate.rows[0], self._gate.variant
        if variant:
            where = f"fastact.{self.__name__}" + ("" if form == "value" else f".{form}")
            option = options.pop(variant.option, variant.default)
            row = _choose(where, variant, option)[0].name
        return gate_name(self._gate, row) + SUFFIX[form]

    def _quick(self, x, gate, axis):
        """The value of arrays of floats along the last axis, or None."""
        if self._loop is None:
            self._loop = _backend.loop(self._public("value", {}))
        if gate is None:
            half, odd = divmod(x.shape[-1], 2) if x.ndim else (0, 1)
            if odd or (type(axis) is not int and axis is not _LAST) or axis != -1:
                return None
            value, other = x[..., :half], x[..., half:]
            result = self._loop.fast((value, other), (), None)
            return self._loop.ufunc(value, other) if result is None else result
        return self._loop.fast((x, gate), (), None) if axis is _LAST else None

    def _call(self, form: str, g: tuple, x, gate, axis, keywords: dict):
        where = f"fastact.{self.__name__}" + ("" if form == "value" else f".{form}")
        names = ("g",) * len(g) + (("x",) if gate is None else ("value", "gate"))
        lifted = _containers.lift(
            lambda *a, **k: self._call(
                form, a[: len(g)], a[len(g)], None if gate is None else a[-1], axis, k
            ),
            where, names, (*g, x) if gate is None else (*g, x, gate), keywords,
        )
        if lifted is not None:
            return lifted
        public = self._public(form, keywords)
        for name in keywords:
            if name not in UFUNC_KEYWORDS:
                takes = ", ".join(["axis", *self.defaults, *UFUNC_KEYWORDS])
                raise TypeError(f"{where}: unknown keyword {name!r}; takes {takes}")
        x = check_input(where, "x" if gate is None else "value", x)
        g = tuple([check_input(where, "g", v) for v in g])
        if gate is not None:
            if axis is not _LAST:
                raise TypeError(
                    f"{where}: axis splits one array in half; with value and gate "
                    f"apart it means nothing, got axis={axis!r}"
                )
            gate = check_input(where, "gate", gate)
            result = call_ufunc(where, public, names, (*g, x, gate), (), keywords)
            if form == "value_and_derivative":
                return result[0], result[1:]
            return result
        value, gate = _halves(where, x, axis)
        names = ("g",) * len(g) + ("value", "gate")
        if form == "value":
            return call_ufunc(where, public, names, (value, gate), (), keywords)
        found = _containers.find((*g, x), "dask", "masked")
        if found is not None and keywords.get("out") is None:
            parts = call_ufunc(where, public, names, (*g, value, gate), (), keywords)
            whole = _containers.join_halves(parts[-2:], check_axis(where, axis, x.ndim))
            return (parts[0], whole) if form == "value_and_derivative" else whole
        # The gradient goes straight into the halves of one array like x.
        out = keywords.pop("out", None)
        dtype = keywords.get("dtype") or np.result_type(
            np.float16, x.dtype, *[getattr(v, "dtype", v) for v in g]
        )
        if form == "value_and_derivative":
            shape = value.shape
            y, whole = (None, None) if out is None else check_out(
                where, out, 2, (), dtype
            )
            if y is not None:
                check_out(where, y, 1, shape, dtype)
        else:
            y, whole = None, out
        if whole is None:
            whole = np.empty(x.shape, dtype)
        elif np.shape(whole) != x.shape:
            raise ValueError(
                f"{where}: out has shape {np.shape(whole)}, the result {x.shape}"
            )
        check_out(where, whole, 1, x.shape, dtype)
        # out may be x itself, whose halves an output would overwrite early:
        # the ufunc sees that they overlap and copies.
        halves = _halves(where, whole, axis)
        if form == "value_and_derivative":
            y = call_ufunc(
                where, public, names, (value, gate), (), {**keywords, "out": (y, *halves)}
            )[0]
            return y, whole
        call_ufunc(where, public, names, (*g, value, gate), (), {**keywords, "out": halves})
        return whole

    def __call__(self, x, gate=None, /, axis=_LAST, **kwargs):
        if not kwargs and _floats(x) and (gate is None or _floats(gate)):
            result = self._quick(x, gate, axis)
            if result is not None:
                return result
        return self._call("value", (), x, gate, axis, kwargs)

    @_docs.method(_docs.GATE_OPERANDS, "d")
    def derivative(self, x, gate=None, /, axis=_LAST, **kwargs):
        """The partial derivatives to the value and to the gate."""
        return self._call("derivative", (), x, gate, axis, kwargs)

    @_docs.method(_docs.GATE_OPERANDS, "f", "d")
    def value_and_derivative(self, x, gate=None, /, axis=_LAST, **kwargs):
        """The value and the partial derivatives, in one pass."""
        return self._call("value_and_derivative", (), x, gate, axis, kwargs)

    @_docs.method(_docs.GATE_OPERANDS, "gx")
    def backward(self, g, x, gate=None, /, axis=_LAST, **kwargs):
        """The gradient to the input(s), for the gradient g of the output."""
        return self._call("backward", (g,), x, gate, axis, kwargs)


def _halves(where: str, x, axis):
    """The two halves of ``x`` along ``axis``, as views."""
    if _containers.labelled([x]):
        raise TypeError(
            f"{where}: x is a {type(x).__name__}, whose labels two halves do not share; "
            "pass value and gate apart, or its array"
        )
    axis = check_axis(where, axis, np.ndim(x))
    n = x.shape[axis]
    if n % 2:
        raise ValueError(
            f"{where}: axis {axis} of x has odd length {n}; it must split in half"
        )
    at = (slice(None),) * axis
    return x[at + (slice(None, n // 2),)], x[at + (slice(n // 2, None),)]
