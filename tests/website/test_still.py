"""The picture of a terminal in README: it shows the table that is shipped, and asks for nothing."""

import csv
import html
import re

from website import still
from website.architectures import RECORDS

SHOWN = 8  # rows of the first table that are not cut


def test_the_picture_shows_the_shipped_leaderboard():
    words = re.findall(r"<text[^>]*>([^<]*)</text>", still.PICTURE.read_text(encoding="utf-8"))
    screen = html.unescape(" ".join(words)).replace("\xa0", " ")
    with RECORDS.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["table"] == "1" and row["rank"]]
    assert len(rows) >= SHOWN
    for row in rows[:SHOWN]:
        dice = [float(row[key]) for key in ("dice", "ci_lower", "ci_upper")]
        assert "{:.3f} [{:.3f}, {:.3f}]".format(*dice) in screen
        assert row["model"] in screen


def test_the_picture_asks_for_nothing():
    content = still.PICTURE.read_text(encoding="utf-8")
    assert re.findall(r"https?://[^\"]+", content) == ["http://www.w3.org/2000/svg"]
    assert "url(#" in content
    assert not re.search(r"url\((?!#)|<script|@import", content)


def test_an_answer_is_cut_to_its_lines_and_says_so():
    answers = {command: "\n".join("abcdefghijklmnopqrstuvwxyz") for command, _ in still.COMMANDS}
    content = still.drawn(answers)
    for command, lines in still.COMMANDS:
        assert html.escape(command).replace(" ", "&#160;") in content
        assert content.count(">...<") == len(still.COMMANDS)
        assert f">{'abcdefghijklmnopqrstuvwxyz'[lines - 1]}<" in content


def test_what_a_command_prints_is_what_is_shown(tmp_path):
    assert still.answer("gliozoo protocol list", tmp_path).splitlines()[0]
