"""The experiment: its network, its gradients, its counting."""

import csv
import dataclasses
import json
import math
import warnings

import numpy as np
import pytest

import fastact as fa
from fastact import _catalog, experiment

SAMPLES = experiment.SAMPLES
HALF = SAMPLES // 2


def choice(spec):
    return _catalog.choose("test", spec)


def batch(seeds, size=20):
    data = [experiment.circle(seed) for seed in seeds]
    x = np.stack([points[:, :size] for points, _ in data], axis=-1)
    return x, np.stack([labels[:size] for _, labels in data], axis=-1)


@pytest.fixture(scope="module")
def runs():
    return experiment.compare(
        ["sigmoid", "tanh", "relu"], seeds=range(20), epochs=150, snapshots=[10]
    )


def test_circle():
    points, labels = experiment.circle(7)
    radius = np.hypot(*points)
    assert points.shape == (2, SAMPLES) and (labels == 1).sum() == HALF
    assert radius[labels == 1].max() < 2.5
    assert 3.5 <= radius[labels == -1].min() and radius.max() < 5
    assert len(set(labels[:20])) == 2  # shuffled
    np.testing.assert_array_equal(points, experiment.circle(7)[0])
    assert not np.array_equal(points, experiment.circle(8)[0])


def test_first_weights():
    layers = experiment.first_weights(range(50))
    assert [w.shape for w, _ in layers] == [(2, 3, 1, 50), (3, 3, 1, 50), (3, 1, 1, 50)]
    every = np.concatenate([w.ravel() for w, _ in layers])
    assert -0.5 <= every.min() < -0.45 and 0.45 < every.max() <= 0.5
    assert len(np.unique(every)) == every.size
    assert all((b == 0.1).all() for _, b in layers)
    one = experiment.first_weights([49])
    for (many, _), (alone, _) in zip(layers, one, strict=True):
        np.testing.assert_array_equal(many[..., 49:], alone)


@pytest.mark.parametrize(
    "spec", ["sigmoid", "tanh", "relu", "leaky_relu:negative_slope=0.2", "gelu", "softplus"]
)
def test_gradients_are_those_of_the_loss(spec):
    """Central differences of the mean error, weight by weight."""
    f, seeds, h = choice(spec), [1, 2], 1e-6
    x, labels = batch(seeds)
    layers = experiment.first_weights(seeds)

    def loss():
        return ((experiment.outputs(layers, x, f)[0] - labels) ** 2).mean(axis=0) / 2

    found = experiment.gradients(layers, x, labels, f)
    for layer, gradient in zip(layers, found, strict=True):
        for array, g in zip(layer, gradient, strict=True):
            assert array.shape == g.shape
            for at in np.ndindex(array.shape[:-1]):
                middle = array[at].copy()
                array[at] = middle + h
                above = loss()
                array[at] = middle - h
                below = loss()
                array[at] = middle
                np.testing.assert_allclose(
                    g[at], (above - below) / (2 * h), rtol=1e-5, atol=1e-9
                )


@pytest.mark.parametrize("spec", ["sigmoid", "tanh", "relu", "leaky_relu", "gelu", "mish"])
def test_gradients_against_torch(spec):
    torch = pytest.importorskip("torch")
    names = {"gelu": "gelu", "mish": "mish", "leaky_relu": "leaky_relu"}
    function = (
        getattr(torch.nn.functional, names[spec]) if spec in names else getattr(torch, spec)
    )
    seeds = [3, 4, 5]
    x, labels = batch(seeds)
    layers = experiment.first_weights(seeds)
    found = experiment.gradients(layers, x, labels, choice(spec))
    for k in range(len(seeds)):
        theirs = [
            (torch.tensor(w[:, :, 0, k], requires_grad=True),
             torch.tensor(b[:, 0, k], requires_grad=True))
            for w, b in layers
        ]
        out = torch.tensor(x[:, :, k].T)
        for w, b in theirs[:-1]:
            out = function(out @ w + b)
        out = torch.tanh(out @ theirs[-1][0] + theirs[-1][1])[:, 0]
        ((out - torch.tensor(labels[:, k])) ** 2).mean().div(2).backward()
        for (gw, gb), (w, b) in zip(found, theirs, strict=True):
            np.testing.assert_allclose(gw[:, :, 0, k], w.grad.numpy(), rtol=1e-10, atol=1e-15)
            np.testing.assert_allclose(gb[:, 0, k], b.grad.numpy(), rtol=1e-10, atol=1e-15)


def playground(seed, epochs):
    """The Playground's training, sample by sample in Python floats, with tanh."""
    points, labels = experiment.circle(seed)
    samples = [(list(map(float, points[:, i])), float(labels[i])) for i in range(HALF)]
    layers = [
        (w[:, :, 0, 0].T.tolist(), b[:, 0, 0].tolist())
        for w, b in experiment.first_weights([seed])
    ]

    def forward(x):
        values = [x]
        for w, b in layers:
            values.append([
                math.tanh(bias + sum(p * q for p, q in zip(row, values[-1], strict=True)))
                for row, bias in zip(w, b, strict=True)
            ])
        return values

    def mean_error():
        return sum((forward(x)[-1][0] - t) ** 2 / 2 for x, t in samples) / len(samples)

    losses = [mean_error()]
    for _ in range(epochs):
        for start in range(0, len(samples), 10):
            total = [([[0.0] * len(row) for row in w], [0.0] * len(b)) for w, b in layers]
            for x, target in samples[start : start + 10]:
                values = forward(x)
                g = [values[-1][0] - target]
                for i in reversed(range(len(layers))):
                    g = [d * (1 - y * y) for d, y in zip(g, values[i + 1], strict=True)]
                    for j, d in enumerate(g):
                        total[i][1][j] += d
                        for k, a in enumerate(values[i]):
                            total[i][0][j][k] += d * a
                    w = layers[i][0]
                    g = [
                        sum(w[j][k] * d for j, d in enumerate(g))
                        for k in range(len(values[i]))
                    ]
            for (w, b), (dw, db) in zip(layers, total, strict=True):
                for j in range(len(b)):
                    b[j] -= 0.03 * db[j] / 10
                    for k in range(len(w[j])):
                        w[j][k] -= 0.03 * dw[j][k] / 10
        losses.append(mean_error())
    return losses


def test_training_is_the_playgrounds():
    run = experiment.train("tanh", seeds=[11], epochs=8)
    np.testing.assert_allclose(run.losses[:, 0], playground(11, 8), rtol=1e-11)
    assert run.losses[8, 0] < run.losses[0, 0]


def test_repeatable_and_seeds_do_not_meet():
    many = experiment.train("gelu", seeds=range(5), epochs=10)
    again = experiment.train(fa.gelu, seeds=range(5), epochs=10)
    np.testing.assert_array_equal(many.losses, again.losses)
    few = experiment.train("gelu", seeds=[3, 1], epochs=10)
    np.testing.assert_allclose(few.losses, many.losses[:, [3, 1]], rtol=1e-11)


def test_training_works(runs):
    sigmoid, tanh, relu = runs
    for run in (tanh, relu):
        assert np.median(run.test_accuracy) > 0.9
        assert np.median(run.losses[-1]) < 0.1 < np.median(run.losses[0])
        assert np.median(run.test_loss) < 0.1
    assert np.median(sigmoid.losses[-1]) > 0.3
    assert [list(run.snapshots) for run in runs] == [[10, 150]] * 3


def with_losses(run, label, epochs):
    """A run whose seeds get from 0.5 to 0.001 after so many epochs."""
    losses = np.where(np.arange(201)[:, None] >= np.asarray(epochs), 0.001, 0.5)
    return dataclasses.replace(
        run, choice=choice(label), losses=losses, seeds=tuple(range(len(epochs)))
    )


def test_epochs_to(runs):
    run = dataclasses.replace(
        runs[0], losses=np.array([[0.5, 0.5, 0.5], [0.01, 0.3, 0.5], [0.2, 0.009, np.nan]])
    )
    np.testing.assert_array_equal(run.epochs_to(0.01), [1, 2, np.inf])
    np.testing.assert_array_equal(run.epochs_to(0.5), [0, 0, 0])


def test_seeds_that_never_get_there_count_as_the_slowest(runs):
    never = 1000  # beyond the last epoch
    run = with_losses(runs[0], "tanh", [30, 10, never, 20, 40])
    (row,) = experiment.summary([run])
    assert (row["median"], row["quartiles"], row["never"]) == (30, (20, 40), 0.2)
    run = with_losses(runs[0], "tanh", [30, never, never, 20, never])
    (row,) = experiment.summary([run])
    assert (row["median"], row["quartiles"]) == (np.inf, (30, np.inf))
    line = experiment.report([run], times=False).splitlines()[2]
    assert [cell.strip() for cell in line.split("|")][2:5] == ["never", "30 to never", "60.0%"]


def test_claims(runs):
    steady = np.full(9, 10)
    slow, fast = (with_losses(runs[0], *a) for a in (("sigmoid", 9 * steady), ("tanh", steady)))
    (claim,) = experiment.claims([slow, fast])
    assert (claim["slow"], claim["fast"], claim["claimed"]) == ("sigmoid", "tanh", 10)
    assert claim["ratio"] == 9 and claim["interval"] == (9, 9) and claim["holds"]
    (claim,) = experiment.claims([with_losses(runs[0], "sigmoid", 5 * steady), fast])
    assert claim["ratio"] == 5 and not claim["holds"]
    assert "none of these losses" in experiment.report(
        [with_losses(runs[0], "sigmoid", 5 * steady), fast]
    )
    (claim,) = experiment.claims([with_losses(runs[0], "sigmoid", 999 * steady), fast])
    assert claim["ratio"] == np.inf and not claim["holds"]
    assert experiment.claims([fast]) == []


def test_report_of_what_never_got_there(runs):
    """A ratio with never in it says what is known, and in how many epochs."""
    steady = np.full(9, 10)
    late, early = (
        [with_losses(runs[0], label, times * steady) for label in ("sigmoid", "tanh")]
        for times in (999, 1)
    )
    epochs = late[0].epochs
    for slow, fast, expected in (
        (late[0], early[1], [f"more than {epochs / 10:.3g}x, never in {epochs} epochs",
                             f"more than {epochs / 10:.3g}"]),
        (early[0], late[1], [f"less than {10 / epochs:.3g}x, never in {epochs} epochs",
                             f"less than {10 / epochs:.3g}"]),
        (late[0], late[1], [f"neither in {epochs} epochs", "unknown"]),
        (early[0], early[1], ["1x", "1"]),
    ):
        text = experiment.report([slow, fast])
        cells = [[c.strip() for c in line.split("|")[1:-1]] for line in text.splitlines()]
        assert ["0.01", *expected] in cells, text


def test_interval_covers_the_ratio(runs):
    rng = np.random.default_rng(1)
    a, b = 10 * rng.integers(5, 15, 40), rng.integers(5, 15, 40)
    (claim,) = experiment.claims(
        [with_losses(runs[0], "sigmoid", a), with_losses(runs[0], "tanh", b)]
    )
    low, high = claim["interval"]
    assert low < claim["ratio"] < high


def test_files(runs, tmp_path):
    experiment.write_csv(runs, tmp_path / "a.csv")
    with open(tmp_path / "a.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for run in runs:
        mine = [row for row in rows if row["activation"] == run.label]
        assert [int(row["seed"]) for row in mine] == list(run.seeds)
        for loss in experiment.LOSSES:
            found = [float(row[f"epochs_to_{loss:g}"]) for row in mine]
            np.testing.assert_array_equal(found, run.epochs_to(loss))
        np.testing.assert_array_equal(
            [float(row["test_loss"]) for row in mine], run.test_loss
        )

    experiment.write_json(runs, tmp_path / "a.json")

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    content = json.loads((tmp_path / "a.json").read_text(), parse_constant=refuse)
    assert content["config"] == fa.get_config()
    assert content["seeds"] == list(range(20))
    for run in runs:
        found = content["epochs_to"][run.label]["0.01"]
        expected = [None if np.isinf(e) else e for e in run.epochs_to(0.01)]
        assert found == expected
    assert None in content["epochs_to"]["sigmoid"]["0.01"]


def test_typical_seed(runs):
    a = with_losses(runs[0], "sigmoid", [100, 200, 150, 1000])
    b = with_losses(runs[0], "tanh", [10, 30, 11, 12])
    assert experiment.typical_seed([a, b]) == 2


def test_a_network_that_diverges_never_gets_there_and_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = experiment.train("leaky_relu:negative_slope=-1e200", [0, 1], epochs=3)
    assert np.isnan(run.losses[-1]).all()
    assert run.epochs_to(0.01).tolist() == [np.inf, np.inf]


@pytest.mark.parametrize(
    "arguments, error, text",
    [
        (dict(activation="tanhh"), ValueError, "did you mean tanh"),
        (dict(activation="tanh", seeds=[]), ValueError, "at least one seed"),
        (dict(activation="tanh", epochs=0), ValueError, "from 1, got 0"),
    ],
)
def test_errors(arguments, error, text):
    with pytest.raises(error, match=text):
        experiment.train(**arguments)


def test_figures(runs):
    pytest.importorskip("matplotlib")
    left, right = experiment.curves(runs).axes
    labelled = [ln for ln in left.get_lines() if not ln.get_label().startswith("_")]
    assert [ln.get_label() for ln in labelled] == ["sigmoid", "tanh", "relu"]
    x, y = labelled[1].get_data()
    middle = np.quantile(runs[1].losses[x.astype(int)], 0.5, axis=1, method="inverted_cdf")
    np.testing.assert_array_equal(y, middle)
    for run, line in zip(runs, right.get_lines(), strict=True):
        assert line.get_ydata()[-1] == np.isfinite(run.epochs_to(0.01)).mean()
    figure = experiment.boundaries(runs, seed=4)
    titles = [ax.get_title() for ax in figure.axes]
    assert len(titles) == 6
    assert titles[3] == f"150: loss {runs[1].losses[150, 4]:.2g}"
    image = figure.axes[3].get_images()[0].get_array()
    centre = experiment.outputs(
        [(w[..., 4:5], b[..., 4:5]) for w, b in runs[1].snapshots[150]],
        np.zeros((2, 1, 1)), runs[1].choice,
    )
    assert image[50, 50] == pytest.approx(centre.item(), rel=1e-12)
    with pytest.raises(ValueError, match="seed takes one of those of the runs, got 99"):
        experiment.boundaries(runs, seed=99)


def test_progress_bar_changes_nothing(capfd):
    pytest.importorskip("rich")
    arguments = dict(activations=["tanh"], seeds=range(2), epochs=3)
    (quiet,) = experiment.compare(**arguments)
    (shown,) = experiment.compare(**arguments, progress=True)
    np.testing.assert_array_equal(quiet.losses, shown.losses)
    assert capfd.readouterr().out == ""
