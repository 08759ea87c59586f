"""The pictures show what the functions are."""

import re
import subprocess
import sys

import numpy as np
import pytest

import fastact as fa
from fastact import _catalog, plotting

pytest.importorskip("matplotlib")
from matplotlib.figure import Figure

ALL = _catalog.elementwise()


def drawn(name, form, x):
    """The function itself, by another way than the picture's."""
    options = _catalog.with_samples(name).options
    activation = fa.ACTIVATIONS[name]
    return (activation.derivative if form else activation)(x, **options)


def curves(ax):
    """The curves of value and derivative: the lines that are in the legend."""
    return [line for line in ax.get_lines() if line.get_label().startswith("f")]


@pytest.fixture(scope="module")
def everything():
    figure = plotting.grid("all")
    return dict(zip(ALL, figure.axes, strict=True))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("form", [0, 1], ids=["value", "derivative"])
def test_curve_is_the_function(everything, name, form):
    x, y = curves(everything[name])[form].get_data()
    there = np.isfinite(y)
    np.testing.assert_array_equal(y[there], drawn(name, form, x[there]))
    assert x[0] == -5 and x[-1] == 5 and np.all(np.diff(x) >= 0)
    # Nor does a line between two points lie: one across a jump would.
    middle = (x[1:] + x[:-1]) / 2
    off = (y[1:] + y[:-1]) / 2 - drawn(name, form, middle)
    assert np.nanmax(np.abs(off)) < 1e-2
    # What is left out are single points.
    assert np.nanmax(np.diff(x)) < 0.03 and (~there).sum() <= 2


@pytest.mark.parametrize(
    "name, form, at, value, ends",
    [
        ("relu", 1, 0, 0, (0, 1)),
        ("selu", 1, 0, 1.7580993408473768, (1.7580993408473768, 1.0507009873554805)),
        ("hard_swish", 1, 3, 1, (1.5, 1)),
        ("hard_shrink", 0, 0.5, 0, (0, 0.5)),
        ("threshold", 0, 0.5, -2, (-2, 0.5)),
    ],
)
def test_jump(everything, name, form, at, value, ends):
    colour = curves(everything[name])[form].get_color()
    lines = [
        line for line in everything[name].get_lines()
        if line.get_color() == colour and set(line.get_xdata()) == {at}
    ]
    dots = [line.get_ydata() for line in lines if line.get_marker() == "o"]
    steps = [line.get_ydata() for line in lines if line.get_linestyle() == ":"]
    np.testing.assert_allclose(dots, [[value]], rtol=1e-14)
    np.testing.assert_allclose(steps, [ends], rtol=1e-14)


def test_no_jump_where_there_is_none(everything):
    for name in ("tanh", "celu", "relu_squared"):
        assert not [ln for ln in everything[name].get_lines() if ln.get_linestyle() == ":"]


def test_kinks_come_from_the_registry():
    def kinks(spec):
        return _catalog.choose("test", spec).kinks()

    assert kinks("tanh") == []
    assert kinks("relu6") == [0, 6]
    assert kinks("hard_tanh:min_val=-2,max_val=0.5") == [-2, 0.5]
    assert kinks("soft_shrink:lambd=1.25") == [-1.25, 1.25]


def test_pair_draws_where_it_is_told():
    figure = Figure()
    ax = figure.subplots()
    assert plotting.pair("leaky_relu", ax=ax, negative_slope=0.2) is figure
    assert ax.get_title(loc="left") == "leaky_relu(negative_slope=0.2)"
    x, y = curves(ax)[0].get_data()
    np.testing.assert_array_equal(y, fa.leaky_relu(x, negative_slope=0.2))
    other = Figure()
    assert plotting.grid(["tanh", fa.gelu, "gelu:approximate=tanh"], figure=other) is other
    assert [a.get_title(loc="left") for a in other.axes] == [
        "tanh", "gelu", "gelu(approximate='tanh')",
    ]


def test_default_grid():
    titles = [ax.get_title(loc="left") for ax in plotting.grid().axes]
    assert [t.partition("(")[0] for t in titles] == list(plotting.DEFAULT)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "gelu", "softplus"])
@pytest.mark.parametrize("depth", [1, 2, 5])
def test_chain_is_the_derivative_of_the_composition(name, depth):
    def composed(x):
        for _ in range(depth):
            x = fa.ACTIVATIONS[name](x)
        return x

    x, h = np.linspace(-3, 3, 25), 1e-5
    expected = (composed(x + h) - composed(x - h)) / (2 * h)
    np.testing.assert_allclose(plotting.chain(name, x, depth), expected, rtol=1e-4, atol=1e-9)


def test_chain_of_relu_neither_shrinks_nor_grows():
    x = np.array([-1.0, 0.0, 1e-300, 5.0])
    np.testing.assert_array_equal(plotting.chain("relu", x, 10), [0, 0, 1, 1])
    assert plotting.chain("sigmoid", 0.0, 10) < 0.25**10


def test_vanishing_draws_the_chain():
    depths = (1, 4)
    figure = plotting.vanishing(["gelu", "soft_shrink"], depths)
    for name, ax in zip(("gelu", "soft_shrink"), figure.axes, strict=True):
        assert ax.get_yscale() == "log"
        lines = [ln for ln in ax.get_lines() if "layer" in str(ln.get_label())]
        assert len(lines) == len(depths)
        for depth, line in zip(depths, lines, strict=True):
            x, y = line.get_data()
            there = np.isfinite(y)
            expected = np.abs(plotting.chain(name, x, depth))
            np.testing.assert_array_equal(y[there], expected[there])
            # interrupted where the chain has a kink: at 0.5 of each layer
            assert (~there).sum() == (2 * depth if name == "soft_shrink" else 0)


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf"])
def test_save_is_repeatable(tmp_path, suffix):
    files = [tmp_path / f"{i}.{suffix}" for i in range(2)]
    for file in files:
        plotting.save(plotting.pair("tanh"), file)
    first, second = (file.read_bytes() for file in files)
    assert first == second and len(first) > 1000


@pytest.mark.parametrize(
    "call, error, text",
    [
        (lambda: plotting.pair("sigmiod"), ValueError, "'sigmiod'; did you mean sigmoid"),
        (lambda: plotting.pair("x"), ValueError, "takes one of sigmoid, "),
        (lambda: plotting.pair("softmax"), ValueError, "not a function of one number"),
        (lambda: plotting.pair(fa.glu), ValueError, "not a function of one number"),
        (lambda: plotting.pair(np.tanh), TypeError, "got <ufunc 'tanh'>"),
        (lambda: plotting.pair("elu:alhpa=2"), ValueError, "'alhpa'; its parameters: alpha"),
        (lambda: plotting.pair("elu:alpha"), ValueError, "NAME:PARAMETER=VALUE"),
        (lambda: plotting.pair("elu", alpha=[1, 2]), ValueError, "takes numbers"),
        (lambda: plotting.pair("threshold"), ValueError, "missing keyword 'threshold'"),
        (lambda: plotting.pair("tanh", span=(1, 1)), ValueError, "low < high, got (1, 1)"),
        (lambda: plotting.grid([]), ValueError, "at least one"),
        (lambda: plotting.grid("tanh"), TypeError, "a list of activations or 'all'"),
        (lambda: plotting.vanishing(depths=[0]), ValueError, "from 1, got [0]"),
        (lambda: plotting.save(plotting.pair("tanh"), "x.y"), ValueError, "svg"),
    ],
)
def test_errors(call, error, text):
    with pytest.raises(error, match=re.escape(text)):
        call()


def python(code, cwd):
    """Run ``code`` outside of the checkout."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def test_no_pyplot_and_nothing_before_the_first_picture(tmp_path):
    done = python(
        "import sys; from fastact import plotting\n"
        "print('matplotlib' in sys.modules)\n"
        "plotting.save(plotting.vanishing(), 'a.png')\n"
        "print('matplotlib' in sys.modules, 'matplotlib.pyplot' in sys.modules)",
        tmp_path,
    )
    assert done.stdout.split() == ["False", "True", "False"], done.stderr


def test_matplotlib_missing(tmp_path):
    done = python(
        "import sys; sys.modules['matplotlib'] = None  # as if it were not installed\n"
        "from fastact import plotting; plotting.pair('tanh')",
        tmp_path,
    )
    assert "matplotlib is not installed: pip install 'fastact[plot]'" in done.stderr
