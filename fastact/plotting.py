"""Pictures of activations: each with its derivative, and gradients that vanish.

>>> from fastact import plotting
>>> figure = plotting.pair("tanh")
>>> figure = plotting.grid(["relu", "leaky_relu:negative_slope=0.2"])
>>> plotting.save(figure, "tanh.svg")  # doctest: +SKIP

Needs Matplotlib (``pip install 'fastact[plot]'``), which is imported when the first
picture is drawn.  The functions use its objects and never pyplot: they work without
a display and leave the caller's figures alone.
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from . import _catalog
from ._catalog import WrongArgument
from ._extras import require

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ._api import Activation

__all__ = ["DEFAULT", "chain", "grid", "pair", "save", "vanishing"]

#: What is drawn when nothing is named.
DEFAULT = ("sigmoid", "tanh", "relu", "leaky_relu")

#: What `vanishing` draws when nothing is named.
VANISHING = DEFAULT[:3]

#: Okabe and Ito's colours, which colour-blind readers can tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
VALUE, DERIVATIVE = COLOURS[:2]


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches."""
    module = require("matplotlib.figure", "plot")
    figure = module.Figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)
    return figure


def save(figure: Figure, path: Any) -> None:
    """Write a figure; the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What to write.
    path : str or path-like
        Where to; the suffix chooses the format (svg, png, pdf, ...).
    """
    matplotlib = require("matplotlib", "plot")
    suffix = check_path(path)
    # Neither the time nor random names in the file.
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(suffix)
    with matplotlib.rc_context({"svg.hashsalt": "fastact"}):
        figure.savefig(path, dpi=120, metadata=metadata)


def check_path(path: Any) -> str:
    """The suffix of a file that `save` can write."""
    suffix = str(path).rpartition(".")[2].lower()
    formats = new_figure(1, 1).canvas.get_supported_filetypes()
    if suffix not in formats:
        raise WrongArgument(
            "fastact.plotting.save",
            f"takes a file that ends in one of {', '.join(sorted(formats))}, "
            f"got {str(path)!r}",
        )
    return suffix


def _formula(text: str) -> str:
    """A formula of the registry, a little closer to how one writes it."""
    text = text.partition(";")[0]
    for power, sign in (("2", "²"), ("3", "³")):
        text = text.replace(f"**{power}", sign)
    text = text.replace("(x²)", "x²").replace("abs(x)", "|x|")
    text = re.sub(r"sqrt\((\w+)\)", r"√\1", text).replace("sqrt", "√")
    return text.replace("pi", "π").replace(" * ", "·")


def _choices(where: str, names: Any) -> list[_catalog.Choice]:
    if isinstance(names, str):
        if names != "all":
            raise TypeError(f"{where}: takes a list of activations or 'all', got {names!r}")
        return [_catalog.with_samples(name) for name in _catalog.elementwise()]
    found = [_catalog.choose(where, name) for name in names]
    if not found:
        raise WrongArgument(where, "takes at least one activation, got none")
    return found


def _check_span(where: str, span: Any) -> tuple[float, float]:
    low, high = (float(end) for end in span)
    if not (-math.inf < low < high < math.inf):
        raise WrongArgument(where, f"span takes (low, high), low < high, got {span!r}")
    return low, high


def _curve(function, span, kinks: Sequence[float]) -> list[tuple[np.ndarray, np.ndarray]]:
    """(x, y) of ``function`` over ``span`` in pieces that end just short of the kinks."""
    low, high = span
    pieces = []
    for left, right in zip([low, *kinks], [*kinks, high], strict=True):
        x = np.linspace(left, right, max(2, 1 + round(400 * (right - left) / (high - low))))
        if left in kinks:
            x[0] = np.nextafter(left, right)
        if right in kinks:
            x[-1] = np.nextafter(right, left)
        pieces.append((x, function(x)))
    return pieces


def _draw(ax: Axes, function, span, kinks: Sequence[float], **style: Any) -> None:
    """One curve; where it jumps a gap, a dotted line, and a dot for its value there."""
    kinks = [k for k in kinks if span[0] < k < span[1]]
    pieces = _curve(function, span, kinks)
    joined = list(pieces[0])
    for kink, (_, before), (x, after) in zip(kinks, pieces[:-1], pieces[1:], strict=True):
        ends = before[-1], after[0]
        if not math.isclose(*ends, rel_tol=1e-9, abs_tol=1e-9):
            look = {**style, "linewidth": 1, "label": None}
            ax.plot([kink, kink], ends, **{**look, "linestyle": ":"})
            at = float(function(np.array([kink]))[0])
            ax.plot([kink], [at], **look, marker="o", markersize=4)
            x, after = np.insert(x, 0, kink), np.insert(after, 0, np.nan)
        joined = [np.concatenate(part) for part in zip(joined, (x, after), strict=True)]
    ax.plot(*joined, **style)


def _panel(ax: Axes, choice: _catalog.Choice, span: tuple[float, float]) -> None:
    for name, function, formula, colour, line in (
        ("f(x)", choice.value, choice.row.formula, VALUE, "-"),
        ("f'(x)", choice.derivative, choice.row.derivative, DERIVATIVE, "--"),
    ):
        text = _formula(formula)
        # What abbreviates or is too long for the width of a panel stays away.
        label = name if ";" in formula or len(text) > 48 else f"{name} = {text}"
        _draw(ax, function, span, choice.kinks(), color=colour, linestyle=line,
              linewidth=2, label=label)
    ax.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    ax.axvline(0, color="0.8", linewidth=0.8, zorder=0)
    ax.set_xlim(span)
    ax.set_title(choice.title, loc="left", fontsize=10, fontweight="bold", pad=31)
    ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1), frameon=False, fontsize=8,
              handlelength=1.8, borderaxespad=0.2, labelspacing=0.3)
    ax.tick_params(labelsize=8)
    ax.spines[["top", "right"]].set_visible(False)


def pair(
    name: str | Activation,
    *,
    ax: Axes | None = None,
    span: tuple[float, float] = (-5, 5),
    **parameters: Any,
) -> Figure:
    """Draw an activation and its derivative.

    Where one of them jumps, the curve is interrupted, and a dot marks the value that
    the function has there.

    Parameters
    ----------
    name : str or activation
        A name, with parameters after a colon (``"leaky_relu:negative_slope=0.2"``), or
        an object like ``fastact.tanh``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.
    span : (float, float), default (-5, 5)
        The range of x.
    **parameters
        Parameters of the activation.

    Returns
    -------
    matplotlib.figure.Figure
    """
    where = "fastact.plotting.pair"
    choice = _catalog.choose(where, name, **parameters)
    span = _check_span(where, span)
    if ax is None:
        ax = new_figure(4.2, 3.4).subplots()
    _panel(ax, choice, span)
    return cast("Figure", ax.get_figure(root=True))


def grid(
    names: Iterable[str | Activation] | str = DEFAULT,
    *,
    figure: Figure | None = None,
    columns: int | None = None,
    span: tuple[float, float] = (-5, 5),
) -> Figure:
    """Draw activations with their derivatives side by side.

    Parameters
    ----------
    names : iterable of str or activation, or "all"
        As for `pair`; "all" for every activation that is a function of one number.
    figure : matplotlib.figure.Figure, optional
        Where to draw; by default a new one of fitting size.  One of your own should
        have ``layout="constrained"``.
    columns : int, optional
        How many to a row; by default 2 for up to four, else 4.
    span : (float, float), default (-5, 5)
        The range of x.

    Returns
    -------
    matplotlib.figure.Figure
    """
    where = "fastact.plotting.grid"
    choices = _choices(where, names)
    span = _check_span(where, span)
    columns = min(len(choices), columns or (2 if len(choices) <= 4 else 4))
    rows = -(-len(choices) // columns)
    if figure is None:
        figure = new_figure(4 * columns, 3 * rows)
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for ax, choice in zip(axes, choices, strict=False):
        _panel(ax, choice, span)
    for ax in axes[len(choices):]:
        ax.remove()
    return figure


def chain(
    name: str | Activation, x: Any, depth: int, **parameters: Any
) -> np.ndarray:
    """The derivative of ``depth`` layers in a row: of f(f(...f(x))) with respect to x.

    Each layer is one unit with weight 1 and bias 0, so that the derivative is the
    product of f' at x, f(x), f(f(x)) and so on, and nothing but the activation shrinks it.

    Parameters
    ----------
    name : str or activation
        As for `pair`.
    x : array_like
        Inputs of the first layer.
    depth : int
        How many layers.
    **parameters
        Parameters of the activation.

    Returns
    -------
    ndarray or scalar
    """
    choice = _catalog.choose("fastact.plotting.chain", name, **parameters)
    return _chain(choice, np.asarray(x, dtype=np.float64), depth)[0][()]


def _chain(choice: _catalog.Choice, x: np.ndarray, depth: int):
    """The derivative, and a code of the smooth pieces that every x goes through."""
    kinks = choice.kinks()
    product, pieces = np.ones_like(x), np.zeros(x.shape, np.int64)
    for _ in range(depth):
        pieces = pieces * (len(kinks) + 1) + np.searchsorted(kinks, x)
        x, slope = choice.value_and_derivative(x)
        product *= slope
    return product, pieces


def vanishing(
    names: Iterable[str | Activation] = VANISHING,
    depths: Sequence[int] = (1, 3, 5, 10),
    *,
    figure: Figure | None = None,
    span: tuple[float, float] = (-5, 5),
) -> Figure:
    """Draw how the derivative shrinks, or does not, through layers in a row.

    The curves are those of `chain`, their magnitude on a logarithmic axis; grey
    shows where the derivative through the most layers is exactly 0.

    Parameters
    ----------
    names : iterable of str or activation
        As for `pair`.
    depths : sequence of int, default (1, 3, 5, 10)
        Numbers of layers.
    figure : matplotlib.figure.Figure, optional
        Where to draw; by default a new one of fitting size.  One of your own should
        have ``layout="constrained"``.
    span : (float, float), default (-5, 5)
        The range of x.

    Returns
    -------
    matplotlib.figure.Figure
    """
    where = "fastact.plotting.vanishing"
    choices = _choices(where, names)
    low, high = _check_span(where, span)
    if not depths or min(depths) < 1:
        raise WrongArgument(where, f"depths takes numbers from 1, got {depths!r}")
    if figure is None:
        figure = new_figure(3.2 * len(choices), 3.6)
    axes = figure.subplots(1, len(choices), sharey=True, squeeze=False)[0]
    x = np.linspace(low, high, 1001)
    shades = require("matplotlib", "plot").colormaps["viridis_r"](
        np.linspace(0.15, 0.95, len(depths))
    )
    for ax, choice in zip(axes, choices, strict=True):
        # Wide below narrow: curves that coincide all show.
        for i, (depth, shade) in enumerate(zip(depths, shades, strict=True)):
            y, pieces = _chain(choice, x, depth)
            y = np.abs(y)
            y[np.flatnonzero(np.diff(pieces)) + 1] = np.nan
            ax.plot(x, y, color=shade, linewidth=1.5 + 0.8 * (len(depths) - 1 - i),
                    solid_capstyle="butt", label=f"{depth} layer{'s' * (depth > 1)}")
        zero = _chain(choice, x, max(depths))[0] == 0
        edges = np.flatnonzero(np.diff(zero, prepend=False, append=False)).reshape(-1, 2)
        for first, end in edges:
            ax.axvspan(x[first], x[end - 1], color="0.92", linewidth=0)
        if len(edges):
            ax.text(np.median(x[zero]), 0.5, f"0 through\n{max(depths)} layers",
                    ha="center", va="center", color="0.3", fontsize=9,
                    transform=ax.get_xaxis_transform())
        ax.set_yscale("log", nonpositive="mask")
        ax.axhline(1, color="0.8", linewidth=0.8, zorder=0)
        ax.set_xlim(low, high)
        ax.set_title(choice.label, fontsize=10, fontweight="bold", loc="left")
        ax.set_xlabel("x", fontsize=9)
        ax.tick_params(labelsize=8)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("| d/dx f(f(… f(x))) |", fontsize=9)
    legend = figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center",
        ncols=len(depths), frameon=False, fontsize=9,
    )
    for handle in legend.get_lines():
        handle.set_linewidth(3)
    return figure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``fastact plot``."""
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help="activations, with parameters after a colon; default: "
                             f"{' '.join(DEFAULT)}, of which --vanishing takes three")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true", help="every activation")
    which.add_argument("--vanishing", action="store_true",
                       help="instead the derivative through 1, 3, 5 and 10 layers")
    parser.add_argument("--span", nargs=2, type=float, metavar=("LOW", "HIGH"),
                        default=(-5.0, 5.0), help="range of x; default: -5 5")
    parser.add_argument("--out", metavar="FILE", default="activations.svg",
                        help="svg, png, pdf, ...; default: %(default)s")


def run(args: argparse.Namespace) -> int:
    """``fastact plot``."""
    if args.all and args.names:
        raise WrongArgument("fastact plot", f"--all takes no names, got {args.names}")
    if args.vanishing:
        figure = vanishing(args.names or VANISHING, span=args.span)
    else:
        figure = grid("all" if args.all else args.names or DEFAULT, span=args.span)
    save(figure, args.out)
    print(args.out)
    return 0
