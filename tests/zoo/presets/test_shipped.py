"""What is shipped: every byte verified, and docs/weights.md tells it as the manifest does."""

import json
import re
from pathlib import Path

from benchmarks.__main__ import main
from zoo.presets import shelf

ROOT = Path(__file__).parents[3]


def test_every_shipped_file_is_what_the_manifest_says(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("GLIOZOO_HOME", str(tmp_path))
    names = list(shelf.presets())
    assert "res_attention_unet.lgg" in names
    assert main(["weights", "verify", *names]) == 0
    capsys.readouterr()


def test_the_page_tells_what_is_shipped(monkeypatch, tmp_path):
    monkeypatch.setenv("GLIOZOO_HOME", str(tmp_path))
    text = (ROOT / "docs/weights.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| `(\w+\.\w+)` \| .+? \| ([.\d]+) \[([.\d]+), ([.\d]+)\], (\d+)", text, re.M
    )
    shipped = shelf.presets()
    assert {name for name, *_ in rows} == set(shipped)
    for name, *told in rows:
        (dice,) = shipped[name].dice
        known = [dice.mean, dice.lower, dice.upper, dice.patients]
        assert [float(number) for number in told] == [round(value, 3) for value in known]


def test_its_record_is_shipped_and_says_the_same(monkeypatch, tmp_path):
    monkeypatch.setenv("GLIOZOO_HOME", str(tmp_path))
    for preset in shelf.presets().values():
        for file in preset.files:
            (path,) = (ROOT / "results").glob(f"*/{file.record}")
            told = json.loads(path.read_text(encoding="utf-8"))
            assert told["protocol_digest"] == preset.protocol_digest
            assert told["run"]["fold"] == file.fold
