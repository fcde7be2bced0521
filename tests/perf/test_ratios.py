"""The page of ratios is what its figures say, and the peer is the faster one."""

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
    assert ratios._told(machines) == "x, 2 cores; load average before: 3.0, **busy**"


def test_what_did_not_note_its_machine_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(ratios, "FOLDER", tmp_path)
    (tmp_path / "volume.json").write_text('{"overhead": 0.25, "monai_over_ours": 2}')
    assert ratios.table() == ""
    (tmp_path / "sweep.json").write_text(
        '{"speedup_of_two_workers": 1.5, "machine": {"cpu": "x", "cores": 2, "load": 0}}'
    )
    (part,) = ratios.parts()
    assert [row.faster for row in part.rows] == [pytest.approx(1.5)]


def test_the_page_is_what_its_figures_say():
    assert pages.table_of(ratios.PAGE, ratios.COMMAND) == ratios.table()
