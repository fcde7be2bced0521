"""What a user sees of work that takes long: on a terminal, and in a log file."""

import io

import fabricate
import pytest

from benchmarks.__main__ import main
from benchmarks.terminal import progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def terminal(monkeypatch) -> Terminal:
    """Put a terminal where standard error was; pytest puts its own there before each test."""
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    return stream


def test_a_bar_and_a_spinner_are_drawn_on_a_terminal(monkeypatch):
    screen = terminal(monkeypatch)
    assert list(progress.progress("Reading [cases]")(range(3), 3)) == [0, 1, 2]
    with progress.waiting("Comparing [all]"):
        pass
    assert "Reading [cases]" in screen.getvalue()
    assert "Comparing [all] ..." in screen.getvalue()


def test_a_log_file_has_a_line_now_and_then_and_no_spinner(capsys, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS", -1)
    assert list(progress.progress("Reading")(range(3), 3)) == [0, 1, 2]
    with progress.waiting("Comparing"):
        pass
    assert capsys.readouterr().err == "Reading: 1 of 3\nReading: 2 of 3\n"


@pytest.mark.parametrize("command", ["compare", "verify"])
def test_commands_that_take_seconds_say_so(command, tmp_path, monkeypatch, capsys):
    screen = terminal(monkeypatch)
    fabricate.archive([fabricate.a_record()], tmp_path)
    assert main([command, "--results", str(tmp_path)]) == 0
    assert {"compare": "Comparing ...", "verify": "Verifying"}[command] in screen.getvalue()
    assert "..." not in capsys.readouterr().out
