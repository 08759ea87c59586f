"""Arrays of other libraries, where NumPy's ufunc protocol does not do it.

One elementwise result goes through the protocol, as any ufunc's does.  Here is the rest:

* ``lift``: PyTorch tensors, which have no such protocol, and dtypes that NumPy does not
  know (bfloat16): a whole call on NumPy's float arrays, and its results back;
* ``call``: several elementwise results from dask arrays, whose protocol takes one;
* ``along``: functions along an axis.

No library is imported before an object of it comes along.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

import numpy as np

from . import _backend
from ._checks import UFUNC_KEYWORDS, check_axes

#: (top module, class) -> library: what the functions below have to do with
CLASSES = {
    ("dask", "Array"): "dask",
    ("numpy", "MaskedArray"): "masked",
    ("pandas", "DataFrame"): "pandas",
    ("pandas", "Series"): "pandas",
    ("torch", "Tensor"): "torch",
    ("xarray", "DataArray"): "xarray",
    ("xarray", "Dataset"): "xarray",
}

_known: dict[type, str] = {}


def library(value) -> str:
    """The library that an object comes from, as in ``CLASSES``, else ""."""
    kind = type(value)
    found = _known.get(kind)
    if found is None:
        keys = [(base.__module__.partition(".")[0], base.__name__) for base in kind.__mro__]
        found = _known[kind] = next((CLASSES[k] for k in keys if k in CLASSES), "")
    return found


_ORDINARY = {float, int, bool, str, list, tuple, type(None)}


def ordinary(values) -> bool:
    """All are arrays of NumPy's own dtypes, numbers or options: nothing to do for them."""
    for value in values:
        kind = type(value)
        if kind is np.ndarray:
            if value.dtype.num >= 256:
                return False
        elif kind not in _ORDINARY:
            return False
    return True


def find(values, *libraries: str):
    """The last of ``values`` that is of one of the libraries, or None."""
    return next((v for v in reversed(values) if library(v) in libraries), None)


def labelled(values) -> bool:
    """One matches elements by labels, so that shapes do not say what fits."""
    return not ordinary(values) and find(values, "pandas", "xarray") is not None


def _each(function, result):
    """``function`` of every array in a result, which may be nested tuples."""
    if isinstance(result, tuple):
        return tuple([_each(function, r) for r in result])
    return function(result)


# --- tensors and extension dtypes ---------------------------------------------

def _extension(value) -> bool:
    """Has a float dtype that another package registered (ml_dtypes: bfloat16, ...)."""
    dtype = getattr(value, "dtype", None)
    return (
        isinstance(dtype, np.dtype)
        and dtype.isbuiltin == 2
        and dtype.name.startswith(("bfloat", "float"))
    )


def lift(call, where: str, names: tuple, args: tuple, keywords: dict):
    """``call(*args, **keywords)`` for tensors and extension dtypes; None without them.

    ``names`` are those of the inputs; what ``args`` has more of is output.
    """
    if ordinary(args) and ordinary(keywords.values()):
        return None
    args, rest = args[: len(names)], args[len(names) :]
    options = {k: v for k, v in keywords.items() if k not in (*UFUNC_KEYWORDS, "axis")}
    values = [*args, *options.values()]
    if find(values, "torch") is not None:
        inputs = [
            _from_tensor(where, name, v)
            for name, v in zip([*names[: len(args)], *options], values, strict=True)
        ]
    elif any(map(_extension, values)):
        for v in values:
            if _extension(v) and v.dtype.name == "bfloat16":
                _backend.use_bfloat16(v.dtype)  # (the next call need not come here)
        inputs = [v.astype(np.float32) if _extension(v) else v for v in values]
    else:
        return None
    params = dict(zip(options, inputs[len(args) :], strict=True))
    result = call(*inputs[: len(args)], *rest, **{**keywords, **params})
    if rest or keywords.get("out") is not None:
        return result  # (the caller's arrays)
    back = _to_tensor if find(values, "torch") is not None else _to_dtype
    arrays = [*args, *[v for v in options.values() if np.ndim(v)]]
    typed = [v for v in arrays if hasattr(v, "dtype")]
    return back(result, typed, keywords.get("dtype") is None)


def _to_dtype(result, typed: list, free: bool):
    """``result`` in the extension dtype, where the inputs promote to one."""
    try:
        dtype = np.result_type(*[v.dtype for v in typed])
    except TypeError:  # no common dtype: float32 holds each
        return result
    if not free or dtype.isbuiltin == 1:
        return result
    return _each(lambda r: r.astype(dtype), result)


def _from_tensor(where: str, name: str, value):
    if library(value) != "torch":
        return value
    torch = sys.modules["torch"]
    if value.device.type != "cpu" or value.layout != torch.strided:
        raise TypeError(
            f"{where}: {name} must be a dense tensor on the CPU, got one on "
            f"{value.device} with layout {value.layout}"
        )
    if value.requires_grad and torch.is_grad_enabled():
        raise TypeError(
            f"{where}: {name} requires grad, which NumPy cannot record: use the function "
            "of the same name in fastact.torch, or pass a tensor.detach()"
        )
    value = value.detach().resolve_conj().resolve_neg()
    if value.is_floating_point() and value.dtype not in (
        torch.float16, torch.float32, torch.float64
    ):
        value = value.float()  # bfloat16 and the like: no NumPy dtype
    return value.numpy()


def _to_tensor(result, typed: list, free: bool):
    """``result`` as tensors, of the dtype of the inputs where NumPy has none such."""
    torch = sys.modules["torch"]
    dtypes = {v.dtype for v in typed}
    dtype = dtypes.pop() if free and len(dtypes) == 1 else None

    def back(array):
        tensor = torch.from_numpy(np.asarray(array))
        if dtype is not None and dtype.is_floating_point:
            tensor = tensor.to(dtype)
        return tensor

    return _each(back, result)


# --- elementwise, several results -----------------------------------------------

def call(ufunc, args, keywords: dict):
    """``ufunc(*args, **keywords)``, of several outputs over dask arrays too."""
    if ordinary(args):
        return ufunc(*args, **keywords)
    kinds = {library(a) for a in args}
    if "dask" in kinds or "pandas" in kinds:
        args = _typed_numbers(args)
    if "dask" in kinds or "xarray" in kinds:
        # Before NumPy 2.2 a ufunc is pickled by the imported module that has it.
        from . import ufuncs  # noqa: F401

        if ufunc.nout > 1:
            if "xarray" not in kinds:
                return _chunks(ufunc, args, keywords)
            if any(getattr(a, "chunks", None) for a in args):
                return _labelled_chunks(ufunc, args, keywords)
    return ufunc(*args, **keywords)


def _typed_numbers(args):
    """Numbers in the type of the arrays: as arrays, they would promote like one."""
    dtypes = []
    for a in args:
        dtypes += [a.dtype] if hasattr(a, "dtype") else list(getattr(a, "dtypes", ()))
    if not all([isinstance(d, np.dtype) for d in dtypes]):
        return args
    kind = np.result_type(np.float16, *dtypes).type
    return [kind(a) if isinstance(a, (int, float)) else a for a in args]


def _labelled_chunks(ufunc, args, keywords: dict):
    """As xarray itself calls a ufunc, with the function below for the chunks."""
    import xarray

    options = xarray.get_options()
    keep = options["keep_attrs"]
    return xarray.apply_ufunc(
        lambda *arrays: call(ufunc, arrays, keywords),
        *args,
        output_core_dims=((),) * ufunc.nout,
        join=options["arithmetic_join"],
        dataset_join=options["arithmetic_join"],
        dataset_fill_value=np.nan,
        dask="allowed",
        keep_attrs=True if keep == "default" else keep,
    )


def _chunks(ufunc, args, keywords: dict):
    import dask.array as da

    for name, absent in (("out", None), ("where", True)):
        if keywords.get(name, absent) is not absent:
            raise TypeError(
                f"fastact.{ufunc.__name__}: takes no {name} where it gives several dask "
                "arrays"
            )
    signature = ",".join(["()"] * ufunc.nin) + "->" + ",".join(["()"] * ufunc.nout)
    # (which gives all of them the same chunks, too)
    arrays = da.broadcast_arrays(*map(da.asarray, args))
    return da.apply_gufunc(functools.partial(ufunc, **keywords), signature, *arrays)


# --- gated units and prelu ------------------------------------------------------

def join_halves(halves, axis: int):
    """One array of two halves."""
    join: Any = np.ma.concatenate if find(halves, "masked") is not None else np.concatenate
    return join(halves, axis=axis)


def sum_to(array, like):
    """``array`` summed over the axes along which ``like`` was broadcast."""
    kind = library(array)
    if kind == library(like) == "xarray":
        return array.sum([d for d in array.dims if d not in like.dims])
    if kind not in ("dask", "masked"):
        array = np.asarray(array)
    shape = np.shape(like)
    if array.shape == shape:
        return array
    lead = array.ndim - len(shape)
    axes = tuple(range(lead)) + tuple(
        lead + i
        for i, n in enumerate(shape)
        if n == 1 and array.shape[lead + i] != 1
    )
    return array.sum(axis=axes, keepdims=True).reshape(shape)


# --- along an axis --------------------------------------------------------------

def along(
    function, where: str, ins: str, outs: str, arrays, axis, keywords: dict, absent: float
):
    """``function(*arrays, axis, **keywords)`` for other libraries; None without them.

    ``ins`` and ``outs`` have a letter for each array: "i" for one that runs along the
    axis, "-" for one with a number per slice.  The last of ``arrays`` is an "i", in
    which an element that is ``absent`` changes no result.
    """
    x = find(arrays, "dask", "masked", "pandas", "xarray")
    if x is None:
        return None
    keywords = {k: v for k, v in keywords.items() if v is not None and v is not False}
    if type(arrays[-1]).__name__ == "Dataset":
        raise TypeError(f"{where}: takes an xarray.DataArray, got a Dataset")
    axes = check_axes(where, axis, np.ndim(arrays[-1]))
    kind = library(x)
    if "out" in keywords:
        raise TypeError(f"{where}: takes no out with a {type(x).__name__}")
    if kind == "masked":
        return _along_masked(function, where, ins, outs, arrays, axes, keywords, absent)
    return _ALONG[kind](function, where, ins, outs, arrays, axes, keywords)


def _last(axes: tuple) -> tuple:
    """The axes where ``axes`` were moved to the end."""
    return tuple(range(-len(axes), 0))


def _kept(where: str, g, x, axes: tuple):
    """g, a number per slice of x, without axes of length 1 for the others."""
    kept = tuple(n for i, n in enumerate(x.shape) if i not in axes)
    ones = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    if np.shape(g) == kept:
        return g
    if np.shape(g) == ones:
        return g.reshape(kept)
    raise ValueError(f"{where}: g must have shape {kept} or {ones}, got {np.shape(g)}")


def _along_dask(function, where, ins, outs, arrays, axes, keywords):
    import dask.array as da

    x = da.asarray(arrays[-1])
    if any(len(x.chunks[i]) > 1 for i in axes):
        # One chunk along the axis, and more along the others, or it gets too large.
        x = x.rechunk({i: -1 if i in axes else "auto" for i in range(x.ndim)})
    keep = [i for i in range(x.ndim) if i not in axes]
    blocks = []
    for letter, array in zip(ins[:-1], arrays[:-1], strict=True):
        array = da.asarray(array)
        if letter == "i":
            array = da.broadcast_to(array, x.shape).rechunk(x.chunks)
        else:
            array = _kept(where, array, x, axes).rechunk([x.chunks[i] for i in keep])
        blocks.append(array)
    core = "(" + ",".join([f"i{i}" for i in axes]) + ")"
    signature = "->".join(
        [",".join([core if c == "i" else "()" for c in letters]) for letters in (ins, outs)]
    )
    keepdims = keywords.pop("keepdims", False)
    result = da.apply_gufunc(
        functools.partial(function, axis=_last(axes), **keywords),
        signature, *blocks, x,
        axes=[axes if c == "i" else () for c in ins + outs],
    )
    return da.expand_dims(result, axes) if keepdims else result


def _along_xarray(function, where, ins, outs, arrays, axes, keywords):
    import xarray

    x = arrays[-1]
    if library(x) != "xarray":
        raise TypeError(f"{where}: g is a DataArray, so x must be one, got {type(x)!r}")
    if "keepdims" in keywords:
        raise TypeError(f"{where}: takes no keepdims with a DataArray: its names do that")
    dims = [x.dims[i] for i in axes]
    slices = x.isel(dict.fromkeys(dims, 0), drop=True)
    operands = []
    for letter, array in zip(ins, arrays, strict=True):
        if not isinstance(array, xarray.DataArray):
            like = x if letter == "i" else slices
            if letter == "-":
                array = _kept(where, array, x, axes)
            array = like.copy(data=np.broadcast_to(array, like.shape))
        operands.append(array)
    result = xarray.apply_ufunc(
        functools.partial(function, axis=_last(axes), **keywords),
        *operands,
        input_core_dims=[dims if c == "i" else [] for c in ins],
        output_core_dims=[dims if c == "i" else [] for c in outs],
        dask="allowed",
        keep_attrs=True,
    )
    return _each(lambda r: r.transpose(*[d for d in x.dims if d in r.dims]), result)


def _along_pandas(function, where, ins, outs, arrays, axes, keywords):
    x = arrays[-1]
    plain = [
        a.reindex_like(x) if c == "i" and type(a) is type(x) else a
        for c, a in zip(ins, arrays, strict=True)
    ]
    result = function(*map(np.asarray, plain), axis=axes, **keywords)
    if library(x) != "pandas" or "keepdims" in keywords:
        return result
    results = result if len(outs) > 1 else (result,)
    back = []
    for letter, array in zip(outs, results, strict=True):
        if letter == "i" and x.ndim == 2:
            array = x._constructor(array, index=x.index, columns=x.columns)
        elif letter == "i":
            array = x._constructor(array, index=x.index, name=x.name)
        elif np.ndim(array):
            array = x._constructor_sliced(array, index=x.axes[1 - axes[0]])
        back.append(array)
    return tuple(back) if len(outs) > 1 else back[0]


def _along_masked(function, where, ins, outs, arrays, axes, keywords, absent):
    """Masked elements are left out, as if the axis were shorter."""
    mask, filled = np.ma.nomask, []
    for letter, array in zip(ins, arrays, strict=True):
        if letter == "i":
            mask = mask | np.ma.getmaskarray(array)
    mask = np.broadcast_to(mask, np.shape(arrays[-1]))
    for i, (letter, array) in enumerate(zip(ins, arrays, strict=True)):
        array = np.ma.asarray(array)
        array = array.astype(np.result_type(np.float16, array.dtype))
        missing = mask if letter == "i" else np.ma.getmaskarray(array)
        data = np.array(np.broadcast_to(array.data, missing.shape))
        data[missing] = absent if i == len(arrays) - 1 else 0
        filled.append(data)
    result = function(*filled, axis=axes, **keywords)
    whole = np.all(mask, axis=axes, keepdims=keywords.get("keepdims", False))

    def masked(letter, array):
        if np.ndim(array) == 0:
            return np.ma.masked if whole else array
        return np.ma.masked_array(array, mask if letter == "i" else whole)

    if len(outs) > 1:
        return tuple(map(masked, outs, result))
    return masked(outs, result)


_ALONG = {"dask": _along_dask, "pandas": _along_pandas, "xarray": _along_xarray}
