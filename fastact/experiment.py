"""How much sooner one activation trains than another: a small network, many seeds.

The network is that of the TensorFlow Playground (https://playground.tensorflow.org)
with two hidden layers of three neurons and the inputs x and y, on its circle data.
The details are those of its source, https://github.com/tensorflow/playground at
commit 02469bd:

* ``src/dataset.ts``, classifyCircleData: half of the samples at a radius uniform in
  [0, 2.5] with label 1, half uniform in [3.5, 5] with label -1, angles uniform, then
  shuffled; ``src/playground.ts`` and ``src/state.ts``: 500 samples, no noise, the first
  half to train, the second to test.
* ``src/nn.ts``: weights uniform in [-0.5, 0.5], biases 0.1; the output goes through
  tanh; the error of a sample is (output - label)^2 / 2.
* ``src/playground.ts``, oneStep: an epoch goes once over the training samples, in the
  same order each time; after every 10 samples each weight moves by 0.03 times the mean
  gradient of these 10; the loss is the mean error over all samples after the epoch.

Everything is computed in float64, all seeds at once: the seed is the last axis of every
array.  A seed gives its data and first weights, the same ones for every activation.

>>> from fastact import experiment
>>> run = experiment.train("tanh", seeds=range(20), epochs=200)
>>> run.epochs_to(0.01).shape
(20,)

The pictures need Matplotlib and the command line's progress bar rich:
``pip install 'fastact[experiment]'``.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import fastact

from . import _catalog, plotting
from ._catalog import WrongArgument
from ._extras import require

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ._api import Activation

__all__ = [
    "CLAIMS",
    "DEFAULT",
    "LOSSES",
    "Run",
    "boundaries",
    "circle",
    "claims",
    "compare",
    "curves",
    "report",
    "summary",
    "train",
    "typical_seed",
    "write_csv",
    "write_json",
]

DEFAULT = plotting.DEFAULT
SHAPE = (2, 3, 3, 1)
SAMPLES, BATCH, RATE = 500, 10, 0.03

#: The losses to which epochs are counted.  The first weights give about 0.5.  A sample
#: on the wrong side adds up to 2/250 to the mean over 250: at 0.01 next to none is.
LOSSES = (0.2, 0.1, 0.05, 0.02, 0.01, 0.005)
LOSS = 0.01

#: What is often said: the second trains this many times sooner than the first.
CLAIMS = (("sigmoid", "tanh", 10), ("tanh", "relu", 2))

#: Weights (inputs, outputs, 1, seeds) and biases (outputs, 1, seeds) of each layer.
Layers = list[tuple[np.ndarray, np.ndarray]]


def _generator(seed: int, stream: int) -> np.random.Generator:
    return np.random.default_rng([seed, stream])


def circle(seed: int, samples: int = SAMPLES) -> tuple[np.ndarray, np.ndarray]:
    """The circle data set of one seed, shuffled.

    Parameters
    ----------
    seed : int
        Which.
    samples : int, default 500
        How many; half of them inside.

    Returns
    -------
    points : ndarray, shape (2, samples)
    labels : ndarray, shape (samples,)
        1 inside, -1 outside.
    """
    rng = _generator(seed, 0)
    half = samples // 2
    radius = np.concatenate([rng.uniform(0, 2.5, half), rng.uniform(3.5, 5, samples - half)])
    angle = rng.uniform(0, 2 * np.pi, samples)
    points = radius * np.stack([np.sin(angle), np.cos(angle)])
    labels = np.where(radius < 2.5, 1.0, -1.0)
    order = rng.permutation(samples)
    return points[:, order], labels[order]


def first_weights(seeds: Sequence[int]) -> Layers:
    """The weights and biases before training.

    Parameters
    ----------
    seeds : sequence of int
        One network each, along the last axis.

    Returns
    -------
    list of (ndarray, ndarray)
        For each layer weights of shape (inputs, outputs, 1, seeds) and biases of shape
        (outputs, 1, seeds).
    """
    rngs = [_generator(seed, 1) for seed in seeds]
    layers = []
    for n, m in itertools.pairwise(SHAPE):
        weights = np.stack([rng.uniform(-0.5, 0.5, (n, m, 1)) for rng in rngs], axis=-1)
        layers.append((weights, np.full((m, 1, len(seeds)), 0.1)))
    return layers


def _weighted(layer: tuple[np.ndarray, np.ndarray], x: np.ndarray) -> np.ndarray:
    weights, biases = layer
    z = (weights * x[:, None]).sum(axis=0)
    z += biases
    return z


def outputs(layers: Layers, x: np.ndarray, choice: _catalog.Choice) -> np.ndarray:
    """What the networks make of ``x``: (inputs, samples, seeds) to (1, samples, seeds)."""
    for layer in layers[:-1]:
        z = _weighted(layer, x)
        x = choice.value(z, out=z)
    z = _weighted(layers[-1], x)
    return fastact.tanh(z, out=z)


def gradients(
    layers: Layers, x: np.ndarray, labels: np.ndarray, choice: _catalog.Choice
) -> Layers:
    """The gradient of the mean error to every weight and bias.

    Parameters
    ----------
    layers : list of (ndarray, ndarray)
        As `first_weights` gives them.
    x : ndarray, shape (inputs, samples, seeds)
    labels : ndarray, shape (samples, seeds)
    choice
        The activation of the hidden layers.

    Returns
    -------
    list of (ndarray, ndarray)
        Shaped like ``layers``.
    """
    inputs, slopes = [x], []
    for layer in layers[:-1]:
        z = _weighted(layer, inputs[-1])
        slope = np.empty_like(z)
        choice.value_and_derivative(z, out=(z, slope))  # the value replaces z
        inputs.append(z)
        slopes.append(slope)
    z = _weighted(layers[-1], inputs[-1])
    g = fastact.tanh(z)
    g -= labels
    g /= labels.shape[0]
    fastact.tanh.backward(g, z, out=g)
    found = []
    for i in reversed(range(len(layers))):
        weights = (inputs[i][:, None] * g).sum(axis=2, keepdims=True)
        found.append((weights, g.sum(axis=1, keepdims=True)))
        if i:
            g = (layers[i][0] * g).sum(axis=1)
            g *= slopes[i - 1]
    return found[::-1]


def _loss(layers: Layers, x: np.ndarray, labels: np.ndarray, choice) -> np.ndarray:
    """The mean error by seed; a few samples at a time, which stay in the cache."""
    total = np.zeros(labels.shape[1])
    for i in range(0, len(labels), 2 * BATCH):
        part = slice(i, i + 2 * BATCH)
        error = outputs(layers, x[:, part], choice)[0]
        error -= labels[part]
        error *= error
        total += error.sum(axis=0)
    return total / (2 * len(labels))


@dataclass(frozen=True)
class Run:
    """What training with one activation gave.

    Attributes
    ----------
    choice
        The activation.
    seeds : tuple of int
        One network each.
    losses : ndarray, shape (epochs + 1, seeds)
        The training loss before the first epoch and after each.
    test_loss, test_accuracy : ndarray, shape (seeds,)
        At the end, on the samples that are not trained on.
    seconds : float
        Wall time of the training.
    snapshots : dict of int to list of (ndarray, ndarray)
        The weights after those epochs.
    """

    choice: _catalog.Choice
    seeds: tuple[int, ...]
    losses: np.ndarray
    test_loss: np.ndarray
    test_accuracy: np.ndarray
    seconds: float
    snapshots: dict[int, Layers]

    @property
    def label(self) -> str:
        return self.choice.label

    @property
    def epochs(self) -> int:
        return len(self.losses) - 1

    def epochs_to(self, loss: float) -> np.ndarray:
        """By seed the first epoch after which the training loss is at most ``loss``.

        inf for a seed that never gets there.
        """
        below = self.losses <= loss
        return np.where(below.any(axis=0), below.argmax(axis=0), np.inf)


def train(
    activation: str | Activation,
    seeds: Iterable[int] = range(100),
    epochs: int = 2000,
    *,
    snapshots: Iterable[int] = (),
    step: Callable[[float], Any] | None = None,
    **parameters: Any,
) -> Run:
    """Train one network for each seed.

    Parameters
    ----------
    activation : str or activation
        Of the hidden layers: a name, with parameters after a colon
        (``"leaky_relu:negative_slope=0.2"``), or an object like ``fastact.tanh``.
    seeds : iterable of int, default range(100)
        Each gives the data and the first weights of one network.
    epochs : int, default 2000
        How often to go over the training samples.
    snapshots : iterable of int, optional
        After which epochs to keep the weights, besides the last.
    step : callable, optional
        Called after each epoch with the median loss, for a progress bar.
    **parameters
        Parameters of the activation.

    Returns
    -------
    Run
    """
    where = "fastact.experiment.train"
    choice = _catalog.choose(where, activation, **parameters)
    seeds = tuple(seeds)
    if not seeds:
        raise WrongArgument(where, "seeds takes at least one seed, got none")
    if epochs < 1:
        raise WrongArgument(where, f"epochs takes a number from 1, got {epochs!r}")
    keep = {*snapshots, epochs}
    data = [circle(seed) for seed in seeds]
    x = np.stack([points for points, _ in data], axis=-1)
    labels = np.stack([label for _, label in data], axis=-1)
    half = SAMPLES // 2
    batches = [
        (np.ascontiguousarray(x[:, i : i + BATCH]), labels[i : i + BATCH])
        for i in range(0, half, BATCH)
    ]
    layers = first_weights(seeds)
    losses = np.empty((epochs + 1, len(seeds)))
    kept = {}
    start = time.perf_counter()
    # A network may diverge: its loss is then inf or NaN, and it never gets there.
    with np.errstate(over="ignore", invalid="ignore"):
        losses[0] = _loss(layers, x[:, :half], labels[:half], choice)
        for epoch in range(1, epochs + 1):
            for points, targets in batches:
                for layer, gradient in zip(
                    layers, gradients(layers, points, targets, choice), strict=True
                ):
                    for old, change in zip(layer, gradient, strict=True):
                        change *= RATE
                        old -= change
            losses[epoch] = _loss(layers, x[:, :half], labels[:half], choice)
            if epoch in keep:
                kept[epoch] = [(w.copy(), b.copy()) for w, b in layers]
            if step:
                step(float(np.median(losses[epoch])))
        seconds = time.perf_counter() - start
        test_loss = _loss(layers, x[:, half:], labels[half:], choice)
        right = np.sign(outputs(layers, x[:, half:], choice)[0]) == labels[half:]
    return Run(choice, seeds, losses, test_loss, right.mean(axis=0), seconds, kept)


def compare(
    activations: Iterable[str | Activation] = DEFAULT,
    seeds: Iterable[int] = range(100),
    epochs: int = 2000,
    *,
    snapshots: Iterable[int] = (),
    progress: bool = False,
) -> list[Run]:
    """`train` with each activation.

    Parameters
    ----------
    activations : iterable of str or activation
        As for `train`.
    seeds, epochs, snapshots
        As for `train`.
    progress : bool, default False
        Show a progress bar on stderr (needs rich).

    Returns
    -------
    list of Run
    """
    where = "fastact.experiment.compare"
    choices = [_catalog.choose(where, a) for a in activations]
    seeds, snapshots = tuple(seeds), tuple(snapshots)

    def one(choice: _catalog.Choice, step=None) -> Run:
        return train(choice.activation, seeds, epochs, snapshots=snapshots, step=step,
                     **choice.options)

    if not progress:
        return [one(choice) for choice in choices]
    rich = require("rich.progress", "experiment")
    console = require("rich.console", "experiment").Console(stderr=True)
    columns = (rich.TextColumn("{task.description}"), rich.BarColumn(),
               rich.TaskProgressColumn(), rich.TimeRemainingColumn())
    runs = []
    with rich.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=len(choices) * epochs)
        for choice in choices:

            def step(loss: float, label: str = choice.label) -> None:
                bar.update(task, advance=1, description=f"{label}: median loss {loss:.4f}")

            runs.append(one(choice, step))
    return runs


def _quantile(values: np.ndarray, q: float = 0.5) -> Any:
    """Over the last axis; always one of the values, of which inf (never) is the largest."""
    return np.quantile(values, q, method="inverted_cdf", axis=-1)


def summary(runs: Iterable[Run], loss: float = LOSS) -> list[dict[str, Any]]:
    """How soon each activation got to a loss.

    Parameters
    ----------
    runs : iterable of Run
        From `compare`.
    loss : float, default 0.01
        The training loss to get to.

    Returns
    -------
    list of dict
        For each run the activation, the median and the quartiles of the epochs to that
        loss (inf where that many seeds never got there), the share of the seeds that
        never did, the mean test accuracy at the end and the wall time in seconds.
    """
    rows = []
    for run in runs:
        epochs = run.epochs_to(loss)
        low, median, high = (float(_quantile(epochs, q)) for q in (0.25, 0.5, 0.75))
        rows.append({
            "activation": run.label,
            "loss": loss,
            "median": median,
            "quartiles": (low, high),
            "never": float(np.isinf(epochs).mean()),
            "test_accuracy": float(run.test_accuracy.mean()),
            "seconds": run.seconds,
        })
    return rows


def claims(runs: Iterable[Run], loss: float = LOSS) -> list[dict[str, Any]]:
    """What was measured beside what is often said (`CLAIMS`).

    Parameters
    ----------
    runs : iterable of Run
        From `compare`, with the same seeds.  A claim is left out if one of its two
        activations is not among them.
    loss : float, default 0.01
        The training loss to get to.

    Returns
    -------
    list of dict
        For each claim the slow and the fast activation, the ratio that is claimed, the
        ratio of their median epochs, the ends of its 95 % bootstrap interval (seeds
        drawn with replacement, 1000 times), and whether the claim holds at this loss:
        within a quarter (claim / 1.25 to claim * 1.25).  A ratio is inf, 0 or nan if the
        slow, the fast or both medians are never; ``bounds`` has the ratio and the ends
        with the epochs that there were (``epochs``) in place of never.
    """
    by_label = {run.label: (run.epochs_to(loss), run.epochs) for run in runs}
    found = []
    for slow, fast, claimed in CLAIMS:
        if slow not in by_label or fast not in by_label:
            continue
        (a, a_epochs), (b, b_epochs) = by_label[slow], by_label[fast]
        ratio, *ends = _ratios(a, b)
        found.append({
            "slow": slow, "fast": fast, "loss": loss, "claimed": claimed, "ratio": ratio,
            "interval": tuple(ends), "holds": 1 / 1.25 <= ratio / claimed <= 1.25,
            "bounds": _ratios(np.minimum(a, a_epochs), np.minimum(b, b_epochs)),
            "epochs": (a_epochs, b_epochs),
        })
    return found


def _ratios(a: np.ndarray, b: np.ndarray) -> tuple[float, ...]:
    """The ratio of the medians and the ends of its interval."""
    drawn = np.random.default_rng(0).integers(len(a), size=(1000, len(a)))
    with np.errstate(invalid="ignore"):  # inf / inf
        many = _quantile(a[drawn]) / _quantile(b[drawn])
        ratio = _quantile(a) / _quantile(b)
    return float(ratio), *(float(_quantile(many, q)) for q in (0.025, 0.975))


def _times(ratio: float, bound: float) -> str:
    if np.isnan(ratio):
        return "unknown"
    if np.isinf(ratio) or ratio == 0:
        return f"{'more' if ratio else 'less'} than {bound:.3g}"
    return f"{ratio:.3g}"


def _ratio_cells(claim: dict[str, Any]) -> list[str]:
    """Loss, ratio and interval for `report`; never is more than the epochs there were."""
    ratio, low, high = map(_times, (claim["ratio"], *claim["interval"]), claim["bounds"])
    if np.isnan(claim["ratio"]):
        ratio = f"neither in {max(claim['epochs'])} epochs"
    elif " " in ratio:
        ratio += f"x, never in {claim['epochs'][claim['ratio'] == 0]} epochs"
    else:
        ratio += "x"
    return [f"{claim['loss']:g}", ratio, low if low == high else f"{low} to {high}"]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table that is aligned as text, too."""
    lines = [list(head), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * (w - 1) + ":" if i else "-" * w for i, w in enumerate(widths)])
    return "\n".join(
        "| " + " | ".join(
            cell.rjust(w) if i else cell.ljust(w)
            for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        ) + " |"
        for line in lines
    )


def _count(epochs: float) -> str:
    return "never" if np.isinf(epochs) else f"{epochs:.0f}"


def report(runs: Sequence[Run], loss: float = LOSS, *, times: bool = True) -> str:
    """The results as text, in Markdown.

    Parameters
    ----------
    runs : sequence of Run
        From `compare`.
    loss : float, default 0.01
        The training loss to get to.
    times : bool, default True
        Whether to give wall times, which are not the same in two runs.

    Returns
    -------
    str
    """
    head = [f"Epochs to loss {loss:g}", "median", "quartiles", "never", "test accuracy"]
    rows = [
        [r["activation"], _count(r["median"]), " to ".join(map(_count, r["quartiles"])),
         f"{r['never']:.1%}", f"{r['test_accuracy']:.1%}"]
        + [f"{r['seconds']:.1f} s"] * times
        for r in summary(runs, loss)
    ]
    parts = [_table(head + ["wall time"] * times, rows)]
    rows = [
        [run.label, *(_count(float(_quantile(run.epochs_to(level)))) for level in LOSSES)]
        for run in runs
    ]
    parts.append(_table(["Median epochs to loss", *(f"{x:g}" for x in LOSSES)], rows))
    levels = sorted({*LOSSES, loss}, reverse=True)
    for each in zip(*(claims(runs, level) for level in levels), strict=True):
        held = [f"{claim['loss']:g}" for claim in each if claim["holds"]]
        first = each[0]
        parts.append(
            f"Claim: {first['fast']} gets there about {first['claimed']}x sooner than "
            f"{first['slow']}.  Within a quarter of that at "
            + (f"loss {', '.join(held)}." if held else "none of these losses.")
        )
        parts.append(
            _table(["To loss", "ratio of medians", "95 % interval"], map(_ratio_cells, each))
        )
    return "\n\n".join(parts)


def typical_seed(runs: Sequence[Run], loss: float = LOSS) -> int:
    """The seed whose epochs to ``loss`` are closest to every median, as ratios.

    Parameters
    ----------
    runs : sequence of Run
        From `compare`, with the same seeds.
    loss : float, default 0.01
        The training loss to get to.

    Returns
    -------
    int
    """
    distance = np.zeros(len(runs[0].seeds))
    for run in runs:
        epochs = run.epochs_to(loss)
        median = _quantile(epochs)
        same = epochs == median
        with np.errstate(divide="ignore", invalid="ignore"):
            distance += np.where(same, 0, np.abs(np.log(epochs / median)))
    return runs[0].seeds[int(distance.argmin())]


def curves(runs: Sequence[Run], loss: float = LOSS, *, figure: Figure | None = None) -> Figure:
    """Draw the training loss by epoch, and the share of seeds that got to ``loss``.

    Lines are medians over the seeds, bands reach from quartile to quartile.

    Parameters
    ----------
    runs : sequence of Run
        From `compare`.
    loss : float, default 0.01
        The training loss to get to.
    figure : matplotlib.figure.Figure, optional
        Where to draw; by default a new one of fitting size.  One of your own should
        have ``layout="constrained"``.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = figure or plotting.new_figure(8.6, 3.6)
    left, right = figure.subplots(1, 2)
    for i, run in enumerate(runs):
        # (leaky_relu hides relu nearly everywhere: dashes let it through)
        style: dict[str, Any] = {
            "color": plotting.COLOURS[i % len(plotting.COLOURS)],
            "linestyle": "-" if i < 3 else (0, (4, 2)),
        }
        at = np.unique(np.geomspace(1, run.epochs, 150).astype(int))
        losses = np.nan_to_num(run.losses[at], nan=np.inf, posinf=np.inf)
        low, middle, high = (_quantile(losses, q) for q in (0.25, 0.5, 0.75))
        left.fill_between(at, low, high, color=style["color"], alpha=0.18, linewidth=0)
        left.plot(at, middle, **style, label=run.label)
        epochs = np.sort(run.epochs_to(loss))
        share = np.arange(len(epochs) + 1) / len(epochs)
        reached = int(np.isfinite(epochs).sum())
        steps = np.concatenate([[1], epochs[:reached], [run.epochs]])
        right.step(steps, share[[*range(reached + 1), reached]], where="post", **style)
    left.axhline(loss, color="0.6", linewidth=0.8, linestyle=":")
    left.set(yscale="log", ylabel="training loss: median, quartiles")
    right.set(ylabel=f"share of seeds at loss {loss:g}", ylim=(0, 1.03))
    for ax in (left, right):
        ax.set(xscale="log", xlabel="epoch", xlim=(1, max(run.epochs for run in runs)))
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=8)
    figure.legend(loc="outside lower center", ncols=len(runs), frameon=False, fontsize=9)
    return figure


def boundaries(
    runs: Sequence[Run], seed: int | None = None, *, figure: Figure | None = None
) -> Figure:
    """Draw the output of one network as it learns: a row per activation.

    Blue is 1, orange -1, the black line 0; the dots are the training samples.

    Parameters
    ----------
    runs : sequence of Run
        From `compare`; the columns are their snapshots.
    seed : int, optional
        Which network; by default the `typical_seed`.
    figure : matplotlib.figure.Figure, optional
        Where to draw; by default a new one of fitting size.  One of your own should
        have ``layout="constrained"``.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if seed is None:
        seed = typical_seed(runs)
    if seed not in runs[0].seeds:
        raise WrongArgument("fastact.experiment.boundaries",
                            f"seed takes one of those of the runs, got {seed!r}")
    colours = require("matplotlib.colors", "experiment").LinearSegmentedColormap.from_list(
        "playground", ["#E69F00", "#FFFFFF", "#0072B2"], N=25
    )
    columns = max(len(run.snapshots) for run in runs)
    figure = figure or plotting.new_figure(0.5 + 1.5 * columns, 0.4 + 1.6 * len(runs))
    axes = figure.subplots(len(runs), columns, squeeze=False)
    edge = 6.0
    line = np.linspace(-edge, edge, 101)
    plane = np.stack(np.meshgrid(line, line)).reshape(2, -1, 1)
    points, labels = circle(seed)
    points, labels = points[:, : SAMPLES // 2], labels[: SAMPLES // 2]
    for run, row in zip(runs, axes, strict=True):
        k = run.seeds.index(seed)
        for ax, (epoch, layers) in zip(row, run.snapshots.items(), strict=False):
            one = [(w[..., k : k + 1], b[..., k : k + 1]) for w, b in layers]
            output = outputs(one, plane, run.choice).reshape(len(line), -1)
            ax.imshow(output, cmap=colours, vmin=-1.3, vmax=1.3, origin="lower",
                      extent=(-edge, edge, -edge, edge), interpolation="nearest")
            if output.min() < 0 < output.max():
                ax.contour(line, line, output, [0], colors="black", linewidths=1)
            for sign, colour in ((1, "#003F66"), (-1, "#8A5A00")):
                ax.plot(*points[:, labels == sign], ".", color=colour, markersize=1.2)
            ax.set(xticks=[], yticks=[])
            ax.set_title(f"{epoch}: loss {run.losses[epoch, k]:.2g}", fontsize=8, pad=3)
        row[0].set_ylabel(run.label, fontsize=9, fontweight="bold")
    figure.suptitle(f"Output after so many epochs, seed {seed}", fontsize=10)
    return figure


def write_csv(runs: Iterable[Run], path: Any) -> None:
    """Write a line for each activation and seed; inf stands for never.

    Parameters
    ----------
    runs : iterable of Run
        From `compare`.
    path : str or path-like
        Where to.
    """
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["activation", "seed", *(f"epochs_to_{x:g}" for x in LOSSES),
                      "train_loss", "test_loss", "test_accuracy"])
        for run in runs:
            epochs = [run.epochs_to(x) for x in LOSSES]
            for k, seed in enumerate(run.seeds):
                out.writerow([run.label, seed, *(f"{e[k]:.0f}" for e in epochs),
                              *map(float, (run.losses[-1, k], run.test_loss[k],
                                           run.test_accuracy[k]))])


def write_json(runs: Sequence[Run], path: Any) -> None:
    """Write settings, versions, summaries and claims for each loss of `LOSSES`.

    Parameters
    ----------
    runs : sequence of Run
        From `compare`.
    path : str or path-like
        Where to.
    """

    def plain(value: Any) -> Any:
        """JSON knows no infinity: null stands for never."""
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(v) for v in value]
        return None if isinstance(value, float) and not np.isfinite(value) else value

    content = {
        "config": fastact.get_config(),
        "network": {"layers": SHAPE, "samples": SAMPLES, "batch": BATCH,
                    "learning_rate": RATE, "epochs": runs[0].epochs},
        "seeds": runs[0].seeds,
        "summary": [row for loss in LOSSES for row in summary(runs, loss)],
        "claims": [row for loss in LOSSES for row in claims(runs, loss)],
        "epochs_to": {
            run.label: {f"{x:g}": run.epochs_to(x).tolist() for x in LOSSES} for run in runs
        },
    }
    Path(path).write_text(json.dumps(plain(content), indent=1) + "\n", encoding="utf-8")


def snapshot_epochs(epochs: int) -> list[int]:
    """10, 30, 100, 300, ... below ``epochs``, and ``epochs``."""
    return [e for k in range(1, 9) for e in (10**k, 3 * 10**k) if e < epochs] + [epochs]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``fastact experiment``."""
    parser.add_argument("names", nargs="*", metavar="NAME", default=list(DEFAULT),
                        help="activations, with parameters after a colon; default: "
                             + " ".join(DEFAULT))
    parser.add_argument("--seeds", type=_catalog.number(1, int), default=100, metavar="N",
                        help="how many networks each trains; default: %(default)s")
    parser.add_argument("--first-seed", type=_catalog.number(0, int), default=0, metavar="SEED",
                        help="their seeds count from here; default: %(default)s")
    parser.add_argument("--epochs", type=_catalog.number(1, int), default=2000, metavar="N",
                        help="default: %(default)s")
    parser.add_argument("--loss", type=_catalog.number(0, float), default=LOSS, metavar="LOSS",
                        help="training loss to get to; default: %(default)s")
    parser.add_argument("--out", metavar="FOLDER", default="experiment", type=Path,
                        help="for results.json, results.csv, curves.svg and "
                             "boundaries.png; default: %(default)s")


def run(args: argparse.Namespace) -> int:
    """``fastact experiment``."""
    for name in args.names:  # before anything that takes time
        _catalog.choose("fastact experiment", name)
    for package in ("matplotlib", "rich"):
        require(package, "experiment")
    args.out.mkdir(parents=True, exist_ok=True)
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    runs = compare(args.names, seeds, args.epochs, progress=True,
                   snapshots=snapshot_epochs(args.epochs))
    write_json(runs, args.out / "results.json")
    write_csv(runs, args.out / "results.csv")
    plotting.save(curves(runs, args.loss), args.out / "curves.svg")
    plotting.save(boundaries(runs, typical_seed(runs, args.loss)), args.out / "boundaries.png")
    print(f"{args.seeds} seeds from {args.first_seed}, {args.epochs} epochs\n")
    print(report(runs, args.loss))
    print(f"\nIn {args.out}: results.json, results.csv, curves.svg, boundaries.png")
    return 0
