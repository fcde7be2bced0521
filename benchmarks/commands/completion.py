"""`gliozoo completion SHELL`: a script that lets a shell complete commands, options and names."""

import argparse
from collections.abc import Iterator

import zoo
from benchmarks.__main__ import COMMANDS, parser_for
from benchmarks.machine import optional_packages
from benchmarks.protocols import protocol

SHELLS = ("bash", "zsh", "tcsh", "fish", "powershell")
HOW = """\
To install it: gliozoo completion bash > ~/.local/share/bash-completion/completions/gliozoo;
zsh: gliozoo completion zsh > a folder of $fpath, as _gliozoo."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = HOW
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help=", ".join(SHELLS))


def run(arguments: argparse.Namespace) -> int:
    """Print the script."""
    shtab = optional_packages.require("shtab", "gliozoo completion", "completion")
    parser = parser_for(*COMMANDS)
    for action in _actions(parser):
        _name(action, shtab.FILE)
    print(shtab.complete(parser, arguments.shell))
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from _actions(below)


def _name(action: argparse.Action, file: object) -> None:
    """Tell what may stand in an argument's place; this parser never reads any."""
    if action.metavar == "MODEL" or action.dest == "models":
        action.choices = zoo.names()
    elif action.dest == "protocol":
        action.choices = protocol.names()
    elif action.choices is None and action.nargs != 0:
        action.complete = file  # type: ignore[attr-defined]
