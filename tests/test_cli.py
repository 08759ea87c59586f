"""The command line, in the process and as a user starts it."""

import importlib.metadata
import json
import subprocess
import sys

import pytest

import fastact as fa
from fastact import _cli, _registry

COMMANDS = list(_cli.COMMANDS)


def fails(*argv):
    """The exit code of an error that argparse reports."""
    with pytest.raises(SystemExit) as stop:
        _cli.main(argv)
    return stop.value.code


def started(cwd, *argv, code=None, **keywords):
    """``python -m fastact ...``, outside of the checkout."""
    command = [sys.executable, *(["-c", code] if code else ["-m", "fastact"]), *argv]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, **keywords)


def test_info(capsys):
    assert _cli.main(["info"]) == 0
    shown = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert shown == fa.get_config()
    assert _cli.main(["info", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == fa.get_config()


def test_list_is_the_registry(capsys):
    assert _cli.main(["list"]) == 0
    text = capsys.readouterr().out
    for row in _registry.ROWS:
        if row.name != "silu":  # its general form is listed
            assert f"    f      {row.formula}\n    f'     {row.derivative}\n" in text
    assert _cli.main(["list", "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert {entry["name"] for entry in entries} == set(fa.ACTIVATIONS)
    (leaky,) = [entry for entry in entries if entry["name"] == "leaky_relu"]
    row = _registry.BY_NAME["leaky_relu"]
    assert leaky["derivatives"] == {"": row.derivative}
    assert leaky["kinks"] == row.kinks and "negative_slope" in leaky["parameters"]


def test_list_of_names(capsys):
    assert _cli.main(["list", "swish", "prelu"]) == 0
    heads = [ln for ln in capsys.readouterr().out.splitlines() if not ln.startswith(" ")]
    assert heads == ["silu(beta=1.0), also swish", "prelu"]


@pytest.mark.parametrize("command", ["list", "plot", "experiment", "bench"])
def test_unknown_name(command, capsys):
    pytest.importorskip("matplotlib")
    assert fails(command, *["--names"] * (command == "bench"), "sigmiod") == 2
    error = capsys.readouterr().err
    assert f"fastact {command}: error: no activation is called 'sigmiod'" in error
    assert "did you mean sigmoid" in error


@pytest.mark.parametrize(
    "argv",
    [
        (), ("drawing",), ("info", "more"), ("plot", "--all", "tanh"),
        ("plot", "tanh", "--span", "3", "2"), ("plot", "tanh", "--out", "a.b"),
        ("plot", "relu:x=1"), ("experiment", "--seeds", "0"), ("experiment", "--epochs", "x"),
        ("experiment", "--loss", "nan"), ("experiment", "softmax"),
    ],
    ids=" ".join,
)
def test_usage_errors_exit_with_2(argv, capsys, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    assert fails(*argv) == 2
    out, error = capsys.readouterr()
    assert out == "" and "usage: fastact" in error
    assert list(tmp_path.iterdir()) == []


def test_help(capsys):
    assert fails("--help") == 0
    text = capsys.readouterr().out
    assert all(f"\n    {command}" in text for command in COMMANDS)
    for command in COMMANDS:
        assert fails(command, "--help") == 0
        text = capsys.readouterr().out
        assert f"\nexamples:\n  fastact {command}" in text
    assert fails("--version") == 0
    assert capsys.readouterr().out == f"fastact {fa.__version__}\n"


@pytest.mark.parametrize("command", ["plot", "experiment", "bench"])
def test_examples_in_help_are_valid(command):
    parser = _cli._parser(command)
    for example in _cli.COMMANDS[command].examples.split("\n"):
        program, *argv = example.split()
        assert program == "fastact"
        assert parser.parse_args(argv).command == command


def test_plot(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    file = tmp_path / "a.svg"
    assert _cli.main(["plot", "tanh", "elu:alpha=2", "--out", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}\n"
    one = file.read_bytes()
    assert one.startswith(b"<?xml")
    assert _cli.main(["plot", "--vanishing", "tanh", "--out", str(file)]) == 0
    assert file.read_bytes() != one


def test_plot_into_no_folder(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    assert _cli.main(["plot", "--out", str(tmp_path / "no" / "a.svg")]) == 1
    assert "fastact plot: [Errno 2] No such file" in capsys.readouterr().err


def test_experiment(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    pytest.importorskip("rich")
    folder = tmp_path / "results"
    argv = ["experiment", "tanh", "leaky_relu:negative_slope=0.2", "--seeds", "3",
            "--first-seed", "5", "--epochs", "12", "--out", str(folder)]
    assert _cli.main(argv) == 0
    assert "| leaky_relu(negative_slope=0.2) |" in capsys.readouterr().out
    names = {file.name for file in folder.iterdir()}
    assert names == {"results.json", "results.csv", "curves.svg", "boundaries.png"}
    assert json.loads((folder / "results.json").read_text())["seeds"] == [5, 6, 7]


@pytest.mark.parametrize(
    "command, missing, extra",
    [("plot", "matplotlib", "plot"), ("experiment", "matplotlib", "experiment"),
     ("experiment", "rich", "experiment")],
)
def test_missing_extra(command, missing, extra, tmp_path):
    if missing == "rich":
        pytest.importorskip("matplotlib")
    code = (
        f"import sys; sys.modules[{missing!r}] = None  # as if it were not installed\n"
        f"from fastact._cli import main; sys.exit(main([{command!r}]))"
    )
    done = started(tmp_path, code=code)
    assert done.returncode == 1
    assert done.stderr == (
        f"fastact {command}: {missing} is not installed: pip install 'fastact[{extra}]'\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_started_as_a_module(tmp_path):
    done = started(tmp_path, "info", "--json")
    assert done.returncode == 0 and json.loads(done.stdout) == fa.get_config()
    done = started(tmp_path, "plto")
    assert done.returncode == 2 and "invalid choice: 'plto'" in done.stderr


def test_the_script_of_the_installed_package():
    try:
        scripts = importlib.metadata.distribution("fastact").entry_points
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("fastact is imported from a folder, not installed")
    (script,) = [s for s in scripts if s.group == "console_scripts"]
    assert script.name == "fastact" and script.load() is _cli.main


def test_help_imports_nothing_heavy(tmp_path):
    code = (
        "import sys, fastact; before = set(sys.modules)\n"
        "from fastact._cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "more = {m.partition('.')[0] for m in set(sys.modules) - before}\n"
        "print('MORE', *more - sys.stdlib_module_names)"
    )
    done = started(tmp_path, code=code)
    assert done.stdout.splitlines()[-1] == "MORE fastact", done.stderr


def test_a_closed_pipe_is_no_traceback(tmp_path):
    command = [sys.executable, "-m", "fastact", "list"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        error = process.stderr.read()
    assert process.returncode == 1 and error == b""
