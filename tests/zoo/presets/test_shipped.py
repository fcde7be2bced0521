"""The presets that are shipped: whole, small, each file used by one, told as the manifest does."""

import json
import re
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from zoo import weights
from zoo.presets import fetching, manifest, shelf

ROOT = Path(__file__).parents[3]
LARGEST, TOGETHER = 5 << 20, 20 << 20


def test_what_is_shipped_is_what_the_manifest_says():
    total, named = 0, set()
    for preset in manifest.read(shelf.SHIPPED).values():
        assert preset.licence_weights
        assert preset.limits
        for file in preset.files:
            path = shelf.SHIPPED / file.file
            if not path.exists():
                assert file.url, f"{file.file} is neither here nor anywhere else"
                continue
            named.add(path.name)
            fetching.verify(path, file)
            assert path.stat().st_size == file.bytes <= LARGEST
            assert weights.read(path)[0].identity.architecture == preset.model
            total += file.bytes
    assert total <= TOGETHER
    assert {path.name for path in shelf.SHIPPED.glob("*.safetensors")} == named


def test_the_command_verifies_what_is_shipped(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("GLIOZOO_HOME", str(tmp_path))
    names = list(shelf.presets())
    assert "res_attention_unet.lgg" in names
    assert main(["weights", "verify", *names]) == 0
    capsys.readouterr()


def test_the_page_tells_what_is_shipped(monkeypatch, tmp_path):
    monkeypatch.setenv("GLIOZOO_HOME", str(tmp_path))
    text = (ROOT / "docs/weights.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| `([\w.]+)` \| .+? \| (.+?), (\d+) patients \| ([\d.]+) \|", text, re.MULTILINE
    )
    shipped = shelf.presets()
    assert {name for name, *_ in rows} == set(shipped)
    for name, told, patients, megabytes in rows:
        dice = re.findall(r"([.\d]+) \[([.\d]+), ([.\d]+)\]", told)
        known = [(one.mean, one.lower, one.upper) for one in reversed(shipped[name].dice)]
        assert [[*map(float, one)] for one in dice] == [
            pytest.approx(one, abs=6e-4) for one in known
        ]
        assert {one.patients for one in shipped[name].dice} == {int(patients)}
        assert float(megabytes) == pytest.approx(shipped[name].bytes / 1e6, abs=0.06)


def test_its_record_is_shipped_and_says_the_same(monkeypatch, tmp_path):
    monkeypatch.setenv("GLIOZOO_HOME", str(tmp_path))
    for preset in shelf.presets().values():
        for file in preset.files:
            (path,) = (ROOT / "results").glob(f"*/{file.record}")
            told = json.loads(path.read_text(encoding="utf-8"))
            assert told["protocol_digest"] == preset.protocol_digest
            assert told["run"]["fold"] == file.fold
