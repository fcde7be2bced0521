"""The page of ratios is what its figures say, and the peer is the faster one."""

import json
import re
import sys

import native_speed
import pages
import pytest
import ratios


def turn(**seconds):
    return {side: {"train": {"s": value}} for side, value in seconds.items()}


ROUNDS = [
    turn(first=2.0, last=1.0, tensorflow=1.5, compiled=3.0),
    turn(first=1.0, last=2.0, tensorflow=2.0),
    turn(first=4.0, last=4.0, tensorflow=4.0),
]


def test_a_ratio_is_to_the_faster_layout_of_the_same_round():
    assert native_speed.ratio(ROUNDS, "tensorflow", "train") == 1.5
    assert native_speed.ratio(ROUNDS, "first", "train") == 1.0


def test_what_was_compiled_once_is_compared_in_its_round():
    assert native_speed.ratio(ROUNDS, "tensorflow", "train", "compiled") == 0.5


def test_a_part_says_whether_the_machine_was_quiet():
    assert pages.noise(0.1) == "quiet"
    assert pages.noise(pages.QUIET) != "quiet"
    machines = [{"cpu": "x", "cores": 2, "load": load} for load in (0.1, 3.0)]
    assert ratios._told(machines) == "x, 2 cores; load average before: 3.00, **busy**"


def test_what_did_not_note_its_machine_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(ratios, "FOLDER", tmp_path)
    (tmp_path / "volume.json").write_text('{"overhead": 0.25, "monai_over_ours": 2}')
    assert ratios.table() == ""
    (tmp_path / "sweep.json").write_text(
        '{"speedup_of_two_workers": 1.5, "machine": {"cpu": "x", "cores": 2, "load": 0}}'
    )
    (part,) = ratios.parts()
    assert [row.faster for row in part.rows] == [pytest.approx(1.5)]


def test_of_entries_only_those_that_noted_it_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(ratios, "FOLDER", tmp_path)
    (tmp_path / "first_step.json").write_text(
        '{"old": {"harness_over_bare": 2}, "new": {"harness_over_bare": 1.25, '
        '"machine": {"cpu": "x", "cores": 2, "load": 0}}}'
    )
    (part,) = ratios.parts()
    assert [(row.what, row.faster) for row in part.rows] == [("`new`", 0.8)]


def test_the_page_on_speed_tells_its_figures():
    told = json.loads(native_speed.JSON.read_text(encoding="utf-8"))
    page = ratios.FOLDER.parent / "speed.md"
    assert pages.table_of(page, native_speed.COMMAND) == native_speed.table(told)
    firsts = {
        side: [one["rounds"][0][side]["train"]["first_s"] for one in told.values()]
        for side in ("compiled", "tensorflow")
    }
    pattern = r"torch.compile needs (\d+) to (\d+) s, TensorFlow (\d+) to (\d+)"
    words = " ".join(page.read_text(encoding="utf-8").split())
    found = [*map(int, re.search(pattern, words).groups())]
    assert found == [round(end(firsts[side])) for side in firsts for end in (min, max)]


def test_an_unknown_network_is_refused_before_anything_is_measured(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["native_speed.py", "unet", "unett"])
    with pytest.raises(SystemExit, match=r"Expected of ar2_unet, .+\. Received: unett\."):
        native_speed.main()


def test_the_page_is_what_its_figures_say():
    assert pages.table_of(ratios.PAGE, ratios.COMMAND) == ratios.table()
