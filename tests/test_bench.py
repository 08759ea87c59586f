"""``fastact bench``: what it measures, and whether it measures what it says."""

import json
import math
import os
import platform
import subprocess
import sys
from typing import ClassVar

import numpy as np
import pytest

import fastact as fa
from fastact import _backend, _bench_report, _catalog, _cli, _peers, _registry, bench

FOUND, MISSING = _peers.load()
QUICK = ("bench", "--names", "tanh", "--sizes", "16", "--forms", "value", "--dtypes",
         "float32", "--rounds", "1", "--sample-time", "0")
AXIS = _registry.AXIS_ROWS
CASES = [_catalog.of_row(row) for row in _registry.ROWS]


def fails(*argv):
    """The exit code of an error that argparse reports."""
    with pytest.raises(SystemExit) as stop:
        _cli.main(["bench", *argv])
    return stop.value.code


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """One real run: what it printed, and its JSON file."""
    file = tmp_path_factory.mktemp("bench") / "results.json"
    done = subprocess.run(
        [sys.executable, "-m", "fastact", "bench", "--names", "sigmoid", "relu", "softmax",
         "--sizes", "16", "--shapes", "3x40", "--rounds", "1", "--sample-time", "0",
         "--json", str(file)],
        cwd=file.parent, capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, file


@pytest.fixture
def report(measured):
    return json.loads(measured[1].read_text())


# ---- Who is measured --------------------------------------------------------
def values_of(peer, call, out=None):
    """The results of a call; those in ``out`` are the ones it returns."""
    with np.errstate(all="ignore"):
        found = peer.arrays(call.result())
    given = () if out is None else out if isinstance(out, tuple) else (out,)
    for a, b in zip(found, given, strict=False):
        assert a.tobytes() == b.tobytes(), call.text
    return found


#: of largest errors, by chains of operations that are each rounded
CLOSE = {"float16": 1e-2, "float32": 3e-6, "float64": 3e-6}


@pytest.mark.parametrize("dtype", [*bench.DTYPES, bench.HALF])
@pytest.mark.parametrize("name", _peers.PEERS)
def test_peers_compute_the_same_functions(name, dtype):
    """Far closer than any other function or parameter is: they differ by rounding."""
    if name in MISSING:
        pytest.skip(MISSING[name])
    peer = FOUND[name]
    if dtype == bench.HALF and not peer.half:
        pytest.skip("computes in float32 and float64 only")
    x = np.random.default_rng(1).uniform(-4, 4, 61).astype(dtype)
    # What compiles takes its time, Numba half a second for each; its code is generated.
    slow = name == "numba" or (name == "jax" and dtype != "float32")
    cases = CASES[::5] if slow else CASES
    count = 0
    for case in cases:
        y, d = case.value_and_derivative(x)
        for out in (None, (np.empty_like(x), np.empty_like(x))):
            value = peer.value(case, x, out and out[0])
            if value:
                (got,) = values_of(peer, value, out and out[0])
                assert got.dtype == dtype, case.label
                np.testing.assert_allclose(got, y, 0, CLOSE[dtype], err_msg=case.label)
                count += 1
            pair = peer.pair(case, x, np.ones_like(x), out)
            if pair:
                *first, got = values_of(peer, pair, out)
                assert got.dtype == dtype, case.label
                np.testing.assert_allclose(got, d, 0, CLOSE[dtype], err_msg=case.label)
                for other in first:
                    np.testing.assert_allclose(other, y, rtol=0, atol=CLOSE[dtype])
                count += 1
    assert count >= 5


@pytest.mark.parametrize("dtype", bench.DTYPES)
@pytest.mark.parametrize("row", AXIS, ids=lambda row: row.name)
def test_peers_compute_the_same_softmax(row, dtype):
    rng = np.random.default_rng(2)
    x = rng.normal(0, 3, (4, 33)).astype(dtype)
    y = getattr(fa, row.name)(x)
    g = rng.normal(0, 1, y.shape).astype(dtype)
    gx = getattr(fa, row.name).backward(g, x)
    peers = {"fastact": _peers.FastAct(), **FOUND}
    seen = set()
    for name, peer in peers.items():
        for out in (None, np.empty_like(y)):
            call = peer.axis_value(row.name, x, out)
            if call:
                (got,) = values_of(peer, call, out)
                np.testing.assert_allclose(got, y, rtol=0, atol=1e-5, err_msg=name)
                seen.add((name, "value"))
        for out in (None, np.empty_like(x)):
            call = peer.axis_backward(row.name, g, x, y, out)
            if call:
                (got,) = values_of(peer, call, out)
                np.testing.assert_allclose(got, gx, rtol=0, atol=1e-5, err_msg=name)
                seen.add((name, "backward"))
    both = {(name, form) for name in ("fastact", "numpy") for form in ("value", "backward")}
    assert both <= seen


def test_torch_has_what_the_registry_says():
    if "torch" in MISSING:
        pytest.skip(MISSING["torch"])
    x = np.zeros(3)
    for case in CASES:
        call = FOUND["torch"].value(case, x)
        assert bool(call) == bool(case.row.torch), case.label


def test_other_parameters_are_not_compared_with_default_ones():
    case = _catalog.choose("test", "leaky_relu:negative_slope=0.5")
    x = np.linspace(-1, 1, 5)
    for name, peer in FOUND.items():
        call = peer.value(case, x) or peer.value(case, x, np.empty_like(x))
        if call:
            assert values_of(peer, call)[0][0] == -0.5, name
        else:
            assert name not in ("numexpr", "numba")


# ---- On which instructions --------------------------------------------------
CAN = _backend.ISAS if platform.machine() == "x86_64" else []
ISAS = pytest.mark.parametrize(
    "isa", [
        pytest.param(isa, marks=pytest.mark.skipif(
            isa not in CAN, reason=f"fastact cannot run {isa} here"
        )) for isa in _peers.ISAS
    ],
)
#: registers that an instruction set lacks, NumPy's features that it has not
BEYOND = {"base": ("ymm", "X86_V3"), "v3": ("zmm", "X86_V4"), "v4": ("tmm", "AVX512_ICL")}


def in_a_process_of(isa, code):
    """What the code leaves in ``found``, run where everybody is kept to ``isa``."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json; print(json.dumps(found))"],
        env=_peers.environment(isa), capture_output=True, text=True, cwd="/",
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@ISAS
def test_the_environment_is_complete(isa):
    code = "import os; from fastact import _peers\n" \
           f"found = _peers.environment({isa!r}) == dict(os.environ)"
    assert in_a_process_of(isa, code)


@ISAS
def test_numpy_is_kept_to_an_instruction_set(isa):
    code = "import numpy; found = numpy.show_config('dicts')['SIMD Extensions']"
    simd = in_a_process_of(isa, code)
    above = [n for n in simd.get("found", []) if n.startswith(BEYOND[isa][1])]
    assert "baseline" in simd and above == []
    if isa == "base":
        assert not simd.get("found")


@ISAS
def test_torch_is_kept_to_an_instruction_set(isa):
    pytest.importorskip("torch")
    code = "import torch; found = torch.backends.cpu.get_cpu_capability()"
    expected = {"base": "DEFAULT", "v3": "AVX2", "v4": "AVX512"}
    assert in_a_process_of(isa, code) == expected[isa]


@ISAS
def test_numba_is_kept_to_an_instruction_set(isa):
    pytest.importorskip("numba")
    code = """
import numba, numpy as np
@numba.njit(fastmath=True)
def f(a):
    for i in range(a.size):
        a[i] = a[i] * a[i]
f(np.ones(9))
found = "".join(f.inspect_asm().values())
"""
    assembly = in_a_process_of(isa, code)
    assert "%xmm" in assembly and f"%{BEYOND[isa][0]}" not in assembly


def test_other_settings_are_kept(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--a --xla_cpu_max_isa=AVX512")
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.check=0")
    found = _peers.environment("v3")
    assert found["XLA_FLAGS"].split()[0] == "--a"
    assert found["XLA_FLAGS"].endswith("--xla_cpu_max_isa=AVX2")  # (the last one counts)
    assert found["GLIBC_TUNABLES"].split(":")[0] == "glibc.malloc.check=0"


@pytest.mark.skipif(not CAN, reason="no kernels for x86-64")
def test_a_run_on_an_instruction_set(tmp_path):
    file, isa = tmp_path / "a.json", CAN[0]
    done = subprocess.run(
        [sys.executable, "-m", "fastact", *QUICK, "--isa", isa, "--json", str(file)],
        capture_output=True, text=True, cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    text = " ".join(done.stdout.split())
    assert f"all kept to {isa}: fastact by FASTACT_ISA; NumPy by NPY_DISABLE_CPU_" in text
    assert f"not measured: ONNX RT cannot be kept to {isa}" in text
    report = json.loads(file.read_text())
    assert report["isa"] == isa and "onnx" not in report["versions"]
    assert report["switches"]["fastact"] == {"FASTACT_ISA": isa}


@pytest.mark.skipif(not CAN, reason="no kernels for x86-64")
def test_who_cannot_be_kept_to_it_is_refused():
    isa = CAN[0]
    done = subprocess.run(
        [sys.executable, "-m", "fastact", *QUICK, "--isa", isa, "--peers", "onnx"],
        capture_output=True, text=True, cwd="/",
    )
    assert done.returncode == 1
    assert done.stderr == f"fastact bench: ONNX RT cannot be kept to {isa}\n"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x86-64 only")
def test_an_instruction_set_that_is_not_there():
    done = subprocess.run(
        [sys.executable, "-m", "fastact", *QUICK, "--isa", "v3"], cwd="/",
        capture_output=True, text=True, env={**os.environ, "FASTACT_BACKEND": "numpy"},
    )
    assert done.returncode == 2
    assert "--isa" in done.stderr and "none" in done.stderr.split("CPU")[-1]


# ---- How it is measured -----------------------------------------------------
def test_ratios_are_medians_over_rounds():
    seconds = {
        ("fastact", "new"): [1.0, 2.0, 30.0], ("fastact", "out"): [1.0, 1.0, 1.0],
        ("torch", "new"): [2.0, 2.0, 10.0],  # 0.5, 1, 3 of fastact
        ("mkl", "out"): [4.0, 4.0, 1.0], ("np.tanh", "new"): [1.0, 4.0, 10.0],
    }
    found = bench.compared(seconds)
    assert found == {
        # mkl with out=, torch allocating where they have nothing else; np.tanh not
        "new": {"torch": 1.0, "mkl": 0.5, "np.tanh": 1.0},
        "out": {"torch": 0.5, "mkl": 0.25},
    }


def test_in_place_is_compared_with_copyto_alone():
    seconds = {
        ("fastact", "in place"): [1.0], ("torch", "out"): [2.0], ("np.copyto", "out"): [4.0],
    }
    assert bench.compared(seconds) == {"in place": {"np.copyto": 0.25}}


def test_samples_are_times_of_calls():
    x = np.zeros(200_000)
    calls = {
        ("fastact", "new"): _peers.Call("a.sum()", {"a": x}),
        ("numpy", "new"): _peers.Call("a.fill(i)", {"a": np.ones(3), "i": 1}, setup="i = 2"),
    }
    seconds, cores = bench.sample(calls, 3, 1e-2)
    assert {len(s) for s in seconds.values()} == {3}
    # (a call with a setup is measured one by one, the setup each time before it)
    assert calls["numpy", "new"].names["a"].tolist() == [2, 2, 2]
    # (the other runs for microseconds: too short to tell, unless something interrupts it)
    assert min(seconds["fastact", "new"]) > 0 and ("fastact", "new") in cores


def test_what_is_in_place_starts_from_the_same_numbers(monkeypatch):
    monkeypatch.setattr(bench, "MEMORY", 1000)
    peers = {"fastact": _peers.FastAct()}
    task = bench.Task(_catalog.choose("test", "tanh"), "value", "float32", (1000,))
    call = bench.calls(task, peers)["fastact", "in place"]
    bench.sample({("fastact", "in place"): call}, 2, 0.0)
    y = fa.tanh(bench.data((1000,), "float32"))
    np.testing.assert_array_equal(call.names["x"], y)


def test_results(report):
    assert {r["name"] for r in report["results"]} == {"sigmoid", "relu", "softmax"}
    kinds = {(r["name"], r["form"], r["dtype"]) for r in report["results"]}
    assert len(kinds) == len(report["results"]) == 3 * 2 * 2
    assert report["versions"].keys() | report["missing"].keys() == _peers.PEERS.keys()
    assert report["isa"] == fa.get_config()["isa"] and report["threads"] == 1
    for r in report["results"]:
        assert r["shape"] == ([3, 40] if r["name"] == "softmax" else [16])
        assert r["cores"].keys() <= r["times"].keys()
        assert all(t > 0 for modes in r["times"].values() for t in modes.values())
        assert r["times"]["fastact"].keys() == r["ratios"].keys() == {"new", "out"}
        assert "numpy" in r["ratios"]["new"]
        for mode, ratios in r["ratios"].items():
            for rival, ratio in ratios.items():
                theirs = r["times"][rival]
                other = next(iter(theirs.values()))
                # (of one round, the median is the quotient)
                assert ratio == pytest.approx(
                    r["times"]["fastact"][mode] / theirs.get(mode, other)
                ), (r["name"], mode, rival)
        if r["name"] == "sigmoid":
            yardstick = "np.tanh" if r["form"] == "value" else "value"
            assert yardstick in r["ratios"]["new"] and yardstick in r["ratios"]["out"]


def test_every_time_has_an_accuracy(report):
    pytest.importorskip("mpmath")
    judged = {(a["name"], a["form"], a["dtype"], a["peer"]) for a in report["accuracy"]}
    timed = {
        (r["name"], r["form"], r["dtype"], who)
        for r in report["results"] for who in r["times"] if who not in _bench_report.YARDSTICKS
    }
    assert judged == timed
    ours = [a for a in report["accuracy"] if a["peer"] == "fastact"]
    assert len(ours) == 12
    assert all(0 <= a["usual"] <= a["worst"] <= 4 for a in ours)


# ---- Accuracy ---------------------------------------------------------------
class Shifted(_peers.NumPy):
    """sigmoid, a thousandth too large; its derivative s (1 - s) from that."""

    values: ClassVar = {"sigmoid": "1.001 / (1 + np.exp(-x))"}
    pairs: ClassVar = {"sigmoid": "(y := 1.001 / (1 + np.exp(-x))), y * (1 - y)"}


class Rounded(_peers.Expressions):
    """The correctly rounded value, and so many neighbours further."""

    def __init__(self, steps):
        self.steps = steps

    def value(self, case, x, out=None):
        from fastact._reference import evaluate

        y = np.array([float(evaluate(case.row.formula, x=v)) for v in x]).astype(x.dtype)
        for _ in range(self.steps):
            y = np.nextafter(y, x.dtype.type(0))  # (upwards a step may be of two ULP)
        return _peers.Call("y", {"y": y})


def test_errors_are_those_of_the_function():
    pytest.importorskip("mpmath")
    peers = {"shifted": Shifted(), "right": Rounded(0), "off": Rounded(3)}
    judge = bench.Accuracy(peers)
    case = _catalog.choose("test", "sigmoid")
    value = {a["peer"]: a for a in judge(case, "value", "float32")}
    # A thousandth is 2^23 / 1000 ULP at a power of two, twice that below the next.
    assert 2**23 / 1000 < value["shifted"]["usual"] < 2**24 / 1000 + 3
    # float(mpf) rounds to double first: half an ULP of float32, and a little
    assert value["right"]["worst"] <= 0.5 + 2**-20
    assert 2.5 <= value["off"]["usual"] <= value["off"]["worst"] <= 3.5
    pair = {a["peer"]: a for a in judge(case, "pair", "float32")}
    assert pair["shifted"]["worst"] > 1e6 and "right" not in pair


@pytest.mark.parametrize("row", AXIS, ids=lambda row: row.name)
def test_errors_of_softmax(row):
    pytest.importorskip("mpmath")
    worse = _peers.NumPy()
    worse.axis_values = {row.name: f"0.999 * ({worse.axis_values[row.name]})"}
    worse.axis_backwards = {row.name: f"0.999 * ({worse.axis_backwards[row.name]})"}
    judge = bench.Accuracy({"fastact": _peers.FastAct(), "worse": worse})
    for form in ("value", "backward"):
        found = {a["peer"]: a["worst"] for a in judge(row, form, "float32")}
        assert found["fastact"] <= 4, form
        assert found["worse"] > 1000, form


# ---- What it prints ---------------------------------------------------------
def test_table_shows_the_results(measured, report):
    text = measured[0]
    for r in report["results"]:
        assert f"\n{r['name']}, {r['form']}, {r['dtype']}\n" in text
    width = max(map(len, text.splitlines()))
    assert width <= 120
    for name, version in report["versions"].items():
        assert _peers.PEERS[name].title in text and version in text
    assert report["cpu"] in text


def test_losses_are_marked():
    result = {
        "times": {"fastact": {"new": 1, "out": 1}, "torch": {"new": 2}, "mkl": {"out": 1},
                  "np.tanh": {"new": 1}},
        "ratios": {"new": {"torch": 0.5, "mkl": 1.2, "np.tanh": 3.0},
                   "out": {"torch": 1.5, "mkl": 0.0312}},
    }
    text = _bench_report.ratio_text
    assert [text(result, "new", p) for p in ("torch", "mkl", "np.tanh", "jax")] == [
        "0.50", "1.20!+", "3.00", ""
    ]
    assert [text(result, "out", p) for p in ("torch", "mkl")] == ["1.50!*", "0.031"]


def test_goals_count_losses(report):
    for r in report["results"]:
        for ratios in r["ratios"].values():
            ratios.update(dict.fromkeys(ratios, 0.01))
        r["cores"] = {}
    lines = "\n".join(_bench_report.summary(report))
    assert "np.tanh: 8 of 8" in lines
    first = next(r for r in report["results"] if (r["name"], r["form"]) == ("relu", "value"))
    first["ratios"]["new"]["np.tanh"] = 7.25
    lines = "\n".join(_bench_report.summary(report))
    assert "np.tanh: 7 of 8" in lines
    assert f"7.25  relu value {first['dtype']} 16 new, to np.tanh" in lines
    assert "cores busy" not in lines
    first["cores"]["numpy"] = 2.0
    assert "numpy kept up to 2.0 cores busy" in "\n".join(_bench_report.summary(report))


def test_rendered_again(measured, capsys, tmp_path):
    """From the file come the same tables; what follows ``goals`` too."""
    assert _cli.main(["bench", "--from", str(measured[1])]) == 0
    again = capsys.readouterr().out
    blocks = [part for part in measured[0].split("\n\n") if ", float" in part.split("\n")[0]]
    assert len(blocks) == 12
    assert all(block.strip() in again for block in blocks)
    assert again.endswith(measured[0][measured[0].index("\ngoals"):])


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_chart(measured, report, suffix, tmp_path):
    pytest.importorskip("matplotlib")
    file = tmp_path / f"speed.{suffix}"
    assert _cli.main(["bench", "--from", str(measured[1]), "--chart", str(file)]) == 0
    assert file.read_bytes().startswith({"png": b"\x89PNG", "svg": b"<?xml"}[suffix])
    figure = _bench_report.chart(report)
    visible = [ax for ax in figure.axes if ax.get_visible()]
    assert len(visible) == 3 * 4
    (ax,) = [ax for ax in visible if ax.get_ylabel() == "sigmoid"]
    (sigmoid,) = [
        r for r in report["results"]
        if (r["name"], r["form"], r["dtype"]) == ("sigmoid", "value", "float32")
    ]
    ratio = np.clip(sigmoid["ratios"]["new"]["numpy"], *ax.get_ylim())
    drawn = {float(y) for line in ax.lines for y in np.atleast_1d(line.get_ydata())}
    assert any(math.isclose(ratio, y, rel_tol=1e-6) for y in drawn)


# ---- The command ------------------------------------------------------------
@pytest.mark.parametrize(
    "argv, says",
    [
        (("--sizes", "0"), "size (like 4096, 64k or 1M)"),
        (("--sizes", "64K"), "'64K'"),
        (("--shapes", "8"), "shape (like 8x1024)"),
        (("--rounds", "0"), "number (from 1)"),
        (("--sample-time", "nan"), "'nan'"),
        (("--threads", "0"), "number (from 1)"),
        (("--isa", "avx2"), "avx2"),
        (("--dtypes", "int8"), "int8"),
        (("--forms", "both"), "both"),
        (("--peers", "matlab"), "matlab"),
        (("--names", "glu"), "glu is not a function of one number"),
        (("--names", "leaky_relu:slope=1"), "slope"),
        (("--names", "relu", "--only", "axis"), "nothing to measure"),
        (("--chart", "speed.docx"), "speed.docx"),
        (("--from", __file__), "is not a file that fastact bench --json wrote"),
        (("gelu",), "gelu"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, tuple) else "",
)
def test_wrong_arguments(argv, says, capsys, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    assert fails(*argv) == 2
    assert says in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_files_that_cannot_be_written_are_known_first(tmp_path, capsys):
    assert _cli.main(["bench", "--json", str(tmp_path / "no" / "a.json")]) == 1
    out, error = capsys.readouterr()
    assert out == "" and "No such file" in error


def without(*modules, argv=QUICK):
    """A run as if these packages were not installed."""
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({modules!r}))\n"
        f"from fastact._cli import main; sys.exit(main({list(argv)!r}))"
    )
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd="/"
    )


def test_numpy_alone_will_do():
    done = without("scipy", "numexpr", "numba", "torch", "jax", "onnxruntime", "mpmath", "rich")
    assert done.returncode == 0, done.stderr
    for name in ("scipy", "numexpr", "numba", "torch", "jax", "onnxruntime"):
        text = f"not measured: {name} is not installed: pip install 'fastact[bench]'"
        assert text in done.stdout
    assert "accuracy: not measured: mpmath is not installed" in done.stdout
    (line,) = [ln for ln in done.stdout.splitlines() if "max ULP" in ln and "?" in ln]
    assert line.split()[2] == "?"  # nobody's is claimed
    assert "16 new" in done.stdout


def test_a_peer_that_is_asked_for_must_be_there():
    done = without("torch", argv=(*QUICK, "--peers", "torch"))
    assert done.returncode == 1
    assert done.stderr == (
        "fastact bench: torch is not installed: pip install 'fastact[bench]'\n"
    )


def test_started_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "fastact.bench", *QUICK[1:], "--peers", "numpy"],
        capture_output=True, text=True, cwd="/",
    )
    assert done.returncode == 0, done.stderr
    assert "beside: NumPy" in done.stdout and "tanh, value, float32" in done.stdout


def test_threads_reach_those_who_have_them():
    code = (
        "from fastact import _peers; import sys\n"
        "found, _ = _peers.load(threads=2)\n"
        "if 'torch' in found: assert found['torch'].torch.get_num_threads() == 2\n"
        "if 'numexpr' in found: assert found['numexpr'].numexpr.get_num_threads() == 2\n"
        "if 'numba' in found: assert found['numba'].numba.get_num_threads() == 2\n"
        "if 'mkl' in found: assert found['mkl'].library.MKL_Get_Max_Threads() == 2\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd="/"
    )
    assert done.returncode == 0, done.stderr


def test_all_names_are_all_rows():
    found = bench.chosen(["all"])
    assert [one.formula for one in found[: -len(AXIS)]] == [r.name for r in _registry.ROWS]
    assert found[-len(AXIS):] == list(AXIS)
