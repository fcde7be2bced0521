"""A crew asks processes and answers for them: for those that fail, die, or do not stop."""

import signal
import sys
import time

import pytest

from benchmarks.gpu import crew
from benchmarks.gpu.crew import Crew
from benchmarks.gpu.member import CUT, ERROR
from benchmarks.machine import child_process

# A member without Keras: its requests are words, and it heeds them as `member.main` does.
MEMBER = """
import os, signal, sys, time
sys.path.insert(0, {root!r})
from benchmarks.gpu import member

class Plain:
    def __init__(self, model, settings):
        self.model, self.settings = model, settings
    def tell(self):
        print("not an answer")
        return dict(model=self.model, threads=self.settings["threads"])
    def fail(self):
        raise ValueError("two\\nlines")
    def die(self):
        os._exit(3)
    def sleep(self):
        time.sleep(600)
    def deaf(self):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        time.sleep(600)

member.Member = Plain
raise SystemExit(member.main(sys.argv[1]))
"""


@pytest.fixture
def start(tmp_path, monkeypatch):
    def command(module, request):
        code = MEMBER.format(root=str(child_process.ROOT))
        return [sys.executable, "-c", code, request]

    monkeypatch.setattr(child_process, "command", command)
    monkeypatch.setattr(crew, "GRACE", 1.5)
    monkeypatch.setattr(crew, "LOOK", 0.05)
    started = []

    def make(*models):
        started.append(Crew(models, {}, tmp_path, tmp_path / "log.txt", {}))
        return started[-1]

    yield make
    for one in started:
        one.close()


def soon(seconds=60.0):
    return time.monotonic() + seconds


def test_everyone_answers_for_itself(start, tmp_path):
    several = start("a", "b")
    told = several.ask({"a": {"do": "tell"}, "b": {"do": "fail"}}, soon())
    assert told["a"]["model"] == "a"
    assert told["a"]["threads"] >= 1
    assert told["b"] == {ERROR: "ValueError: two lines"}
    assert several.ask({"b": {"do": "tell"}}, soon())["b"]["model"] == "b"
    several.close()
    log = (tmp_path / "log.txt").read_text()
    assert "not an answer" in log
    assert "Traceback" in log


def test_one_that_dies_is_left_out_of_what_comes_after(start):
    several = start("a", "b")
    requests = {"a": {"do": "die"}, "b": {"do": "tell"}}
    for _ in range(2):
        told = several.ask(requests, soon())
        assert told["a"] == {ERROR: crew.GONE}
        assert told["b"]["model"] == "b"
    assert list(several.members) == ["b"]


def test_at_the_deadline_all_are_interrupted_and_those_that_heed_it_go_on(start):
    several = start("a", "b")
    assert several.ask({"a": {"do": "tell"}, "b": {"do": "tell"}}, soon()).keys() == {"a", "b"}
    told = several.ask({"a": {"do": "sleep"}, "b": {"do": "deaf"}}, soon(0.5))
    assert told == {"a": {CUT: True}, "b": {ERROR: crew.DEAF}}
    assert several.ask({"a": {"do": "tell"}}, soon())["a"]["model"] == "a"
    assert list(several.members) == ["a"]


def test_an_answer_to_what_was_given_up_is_no_answer_to_what_comes_after(start):
    several = start("a", "b")
    several._answers.put(("b", '{"model": "of before"}'))
    assert several.ask({"a": {"do": "tell"}}, soon()).keys() == {"a"}


def test_an_interruption_that_comes_too_late_means_nothing(start):
    several = start("a")
    assert several.ask({"a": {"do": "tell"}}, soon())["a"]["model"] == "a"
    several.members["a"].send_signal(signal.SIGINT)
    assert several.ask({"a": {"do": "tell"}}, soon())["a"]["model"] == "a"
