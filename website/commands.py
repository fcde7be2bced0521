"""The command line as one page, as argparse itself knows it."""

import argparse
from collections.abc import Iterator

from benchmarks.__main__ import COMMANDS, parser_for
from website.pages import plain

SKIPPED = (argparse._HelpAction, argparse._SubParsersAction)


def page() -> str:
    """Return a section for each command and subcommand."""
    parser = parser_for(*COMMANDS)
    parts = [
        "# The command line",
        "Exit codes: 0 fine, 1 a run failed, 2 your input or environment.",
    ]
    for found in _below(parser):
        parts += _section(found)
    return "\n\n".join(parts) + "\n"


def _below(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for found in dict.fromkeys(action.choices.values()):
                yield found
                yield from _below(found)


def _section(parser: argparse.ArgumentParser) -> Iterator[str]:
    depth = "##" if parser.prog.count(" ") == 1 else "###"
    yield f"{depth} {parser.prog}"
    told = plain(parser.description or "")
    yield f"{told[:1].upper()}{told[1:]}."
    usage = " ".join(parser.format_usage().removeprefix("usage: ").split())
    yield f"```text\n{usage}\n```"
    actions = [action for action in parser._actions if not isinstance(action, SKIPPED)]
    rows = [f"| {_names(action)} | {_help(parser, action)} |" for action in actions]
    if rows:
        yield "\n".join(["| argument | meaning |", "|---|---|", *rows])


def _names(action: argparse.Action) -> str:
    if not action.option_strings:
        return f"`{action.metavar or action.dest}`"
    names = ", ".join(f"`{name}`" for name in action.option_strings)
    takes = action.metavar or (action.dest.upper() if action.nargs != 0 else "")
    return f"{names} `{takes}`" if takes and isinstance(takes, str) else names


def _help(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    told = parser._get_formatter()._expand_help(action) if action.help else ""
    choices = ", ".join(map(str, action.choices)) if action.choices else ""
    default = action.default
    plainly = isinstance(default, (str, int, float)) and not isinstance(default, bool)
    said = [plain(told)] * bool(told) + [f"one of {plain(choices)}"] * bool(choices)
    said += [f"default {plain(str(default))}"] * (plainly and "default" not in told)
    return "; ".join(said)
