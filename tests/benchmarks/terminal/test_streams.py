"""What a terminal is told: any encoding, a reader that leaves, names that give orders."""

import os
import subprocess
import sys

import pytest

from benchmarks.terminal import streams

COMMANDS = (["list"], ["list", "--json"], ["describe", "unet"], ["describe", "unet", "--json"])


def start(words, **settings):
    command = [sys.executable, "-m", "benchmarks", *words]
    return subprocess.run(command, stderr=subprocess.PIPE, text=True, **settings)


@pytest.mark.parametrize("words", [*COMMANDS, ["--help"]])
def test_a_reader_that_has_gone_is_no_traceback(words):
    reader, writer = os.pipe()
    os.close(reader)
    done = start(words, stdout=writer)
    os.close(writer)
    assert done.stderr == ""
    assert done.returncode == (0 if words == ["--help"] else 1)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("words", COMMANDS)
def test_any_encoding_is_written(words, encoding):
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    done = start(words, stdout=subprocess.PIPE, encoding=encoding, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    if words == ["list"]:
        assert {"ascii": "256^2x3", "latin-1": "256²x3"}.get(encoding, "†") in done.stdout


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("TCGA_é_1", "TCGA_é_1"),
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("a\x1b]0;title\x07", r"a\x1b]0;title\x07"),
        ("a\x9b2Jb", r"a\x9b2Jb"),
        ("a\r\nb\tc", r"a\r\nb\tc"),
        ("a\u202eb", r"a\u202eb"),
        (os.fsdecode(b"a\xffb"), r"a\udcffb"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(name, told):
    assert streams.shown(name) == told


@pytest.mark.parametrize("words", [["bench", "a\x1b[31m\nb"], ["list", "a\x1b[31m\nb"]])
def test_a_mistake_is_one_harmless_line(words):
    done = start(words, stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (2, "")
    assert "\x1b" not in done.stderr
    assert "31m" in done.stderr
    assert done.stderr.count("\n") == 1
