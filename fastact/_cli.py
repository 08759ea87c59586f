"""The command line: ``fastact`` and ``python -m fastact``.

A subcommand is something with ``add_arguments(parser)`` and ``run(args)``, which returns
the exit code; most are modules, imported only when their subcommand is asked for.

Exit codes: 0 for success; 1 for a failure, such as a package that is not installed or a
file that cannot be written; 2 for wrong arguments.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from . import _config, _registry

JSON_HELP = "as JSON"


class Info:
    """``fastact info``."""

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help=JSON_HELP)

    @staticmethod
    def run(args: argparse.Namespace) -> int:
        if args.json:
            print(json.dumps(_config.get_config(), indent=1))
        else:
            _config.show_config()
        return 0


class List:
    """``fastact list``."""

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help="default: all")
        parser.add_argument("--json", action="store_true", help=JSON_HELP)

    @staticmethod
    def run(args: argparse.Namespace) -> int:
        from ._catalog import lookup

        asked = {lookup("fastact list", name).__name__ for name in args.names}
        entries = [e for e in _registry.entries() if not asked or e.name in asked]
        if args.json:
            print(json.dumps([_as_dict(e) for e in entries], indent=1))
            return 0
        for entry in entries:
            also = "".join(f", also {alias}" for alias in entry.aliases)
            print(f"{entry.call}{also}\n    f      {entry.formula}")
            for to, text in entry.derivatives.items():
                label = "f'" if entry.kind != "axis" else "grad"
                print(f"    {label:6s} {f'to {to}: ' if to else ''}{text}")
        return 0


def _as_dict(entry: _registry.Entry) -> dict[str, Any]:
    found = entry._asdict()
    row = found.pop("row")
    if row:
        found |= {
            "kinks": row.kinks,
            "limits": row.limits,
            "from_output": row.from_output,
            "parameters": {p.name: p.about for p in row.params},
        }
    return found


class Command(NamedTuple):
    load: Callable[[], Any]
    about: str
    examples: str


def _module(name: str) -> Callable[[], Any]:
    return lambda: importlib.import_module(f"fastact.{name}")


COMMANDS = {
    "info": Command(lambda: Info, "say what runs: versions, backend, instruction set",
                    "fastact info\nfastact info --json"),
    "list": Command(lambda: List, "list the activations with formula and derivative",
                    "fastact list\nfastact list gelu softmax\nfastact list --json"),
    "plot": Command(
        _module("plotting"), "draw activations with their derivatives",
        "fastact plot\n"
        "fastact plot gelu leaky_relu:negative_slope=0.2 --out some.png\n"
        "fastact plot --all --out all.svg\n"
        "fastact plot --vanishing sigmoid tanh relu",
    ),
    "experiment": Command(
        _module("experiment"), "train a small network with each activation, over many seeds",
        "fastact experiment\n"
        "fastact experiment tanh gelu --seeds 500 --epochs 1000 --out results",
    ),
    "bench": Command(
        _module("bench"), "measure the speed beside other libraries",
        "fastact bench --quick\n"
        "fastact bench --names gelu softmax --sizes 16 64k 1M --chart speed.svg\n"
        "fastact bench --isa v3 --only elementwise\n"
        "fastact bench --names all --threads 2 --json results.json",
    ),
}


def _parser(asked: str | None) -> argparse.ArgumentParser:
    """The parser; of the subcommands only ``asked`` has its arguments."""

    def formatter(prog: str) -> argparse.HelpFormatter:
        return argparse.RawDescriptionHelpFormatter(prog, max_help_position=26)

    parser = argparse.ArgumentParser(
        prog="fastact", formatter_class=formatter,
        description="Activation functions for NumPy: value and derivative in one pass.",
        epilog="fastact COMMAND --help says more.\n"
               "Exit codes: 0 success, 1 failure, 2 wrong arguments.",
    )
    parser.add_argument("--version", action="version",
                        version=f"fastact {_config.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        examples = "".join(f"\n  {line}" for line in command.examples.split("\n"))
        sub = commands.add_parser(
            name, help=command.about, formatter_class=formatter,
            description=command.about[0].upper() + command.about[1:] + ".",
            epilog=f"examples:{examples}",
        )
        if name == asked:
            loaded = command.load()
            loaded.add_arguments(sub)
            sub.set_defaults(run=loaded.run, error=sub.error)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; by default those of the process.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    # (no option before the subcommand takes a value)
    asked = next((a for a in argv if not a.startswith("-")), None)
    try:
        args = _parser(asked).parse_args(argv, argparse.Namespace(argv=argv))
        try:
            code = args.run(args)
            sys.stdout.flush()
            return code
        except ValueError as error:
            from ._catalog import WrongArgument

            if not isinstance(error, WrongArgument):
                raise
            args.error(error.text)
    except BrokenPipeError:
        # Whoever read the output has seen enough; nothing more must be flushed to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ImportError, OSError) as error:
        print(f"fastact {asked}: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1
