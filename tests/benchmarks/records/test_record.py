"""Records: written whole or not at all, read with suspicion."""

import json
import math
import os

import fabricate
import numpy as np
import pytest

from benchmarks.errors import UserError
from benchmarks.records import atomic, record, result_paths, schema


def test_a_record_survives_the_disk(tmp_path):
    written = fabricate.a_record()
    path = record.write(written, tmp_path)
    assert record.read(path) == written
    assert path == tmp_path / fabricate.MACHINE / "unet-quick-01234567-feedc0ff-split0-s0.json"


def test_variant_and_fold_stand_in_the_name_where_they_are_not_the_default(tmp_path):
    run = {"model": "sa_unet", "variant": "original", "protocol": "quick", "seed": 3, "fold": 2}
    path = record.write(fabricate.a_record(run=run), tmp_path)
    assert path.name == "sa_unet+original-quick-01234567-feedc0ff-split0-s3-f2.json"
    assert result_paths.run_folder(path) == path.parent / "runs" / path.stem


def test_keys_are_sorted_and_nothing_is_nan(tmp_path):
    cost = {"mfu": math.nan, "b": math.inf, "a": np.float32(0.5), "n": np.int64(3), "t": (1, 2)}
    path = record.write(fabricate.a_record(cost=cost), tmp_path)

    def refuse(token):
        raise AssertionError(token)

    content = json.loads(path.read_text(), parse_constant=refuse)
    assert list(content) == sorted(content)
    assert content["cost"] == {"a": 0.5, "b": None, "mfu": None, "n": 3, "t": [1, 2]}


@pytest.mark.parametrize("name", ["../../etc/x", "a/b", "", ".", "..", "=cmd()", "ä\0b", "x" * 300])
def test_hostile_names_stay_in_the_folder(tmp_path, name):
    run = {"model": name, "variant": name, "protocol": name, "seed": 0, "fold": 0}
    written = fabricate.a_record(run=run, environment={"machine": name})
    path = record.write(written, tmp_path)
    assert path.resolve().parent.parent == tmp_path.resolve()
    assert record.read(path).run == run


def test_different_names_have_different_slugs():
    names = ["a/b", "a_b", "a b", "a//b", "A/b"]
    assert len({result_paths.slug(name) for name in names}) == len(names)


def test_a_failed_write_leaves_the_old_record_and_no_litter(tmp_path, monkeypatch):
    path = record.write(fabricate.a_record(), tmp_path)
    before = path.read_bytes()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left on device"):
        record.write(fabricate.a_record(dice=[0.1] * 6), tmp_path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_file_appears_only_when_it_is_complete(tmp_path, monkeypatch):
    def killed(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        atomic.write(tmp_path / "x.json", b"{}")
    assert list(tmp_path.iterdir()) == []


def test_a_forbidden_folder_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="Cannot write the record"):
        record.write(fabricate.a_record(), tmp_path / "file")


def test_damaged_files_are_named_and_the_others_read(tmp_path):
    good = record.write(fabricate.a_record(), tmp_path)
    folder = good.parent
    (folder / "torn.json").write_bytes(good.read_bytes()[:200])
    (folder / "list.json").write_text("[1, 2]")
    (folder / "newer.json").write_text('{"schema": 999}')
    (folder / "half.json").write_text('{"schema": 1, "run": {}}')
    (folder / "binary.json").write_bytes(b"\xff\xfe\x00")
    (folder / ".hidden.json").write_text("ignored")
    archive = record.read_all(tmp_path)
    assert list(archive.records) == [good]
    assert {path.name for path in archive.damaged} == {
        "torn.json",
        "list.json",
        "newer.json",
        "half.json",
        "binary.json",
    }
    assert "update GlioZoo" in archive.damaged[folder / "newer.json"]
    assert all(str(path) in reason for path, reason in archive.damaged.items())


def test_deep_nesting_is_damage_not_a_crash(tmp_path):
    path = tmp_path / "deep.json"
    path.write_text("[" * 100_000)
    with pytest.raises(UserError, match="not JSON"):
        record.read(path)


def test_records_are_found_in_the_folder_of_one_machine(tmp_path):
    path = record.write(fabricate.a_record(), tmp_path)
    assert list(record.read_all(path.parent).records) == [path]


def test_no_results_folder_names_the_remedy(tmp_path):
    with pytest.raises(UserError, match="gliozoo bench"):
        record.read_all(tmp_path / "nowhere")


def test_a_record_from_before_versions_is_upgraded(tmp_path):
    path = record.write(fabricate.a_record(), tmp_path)
    old = json.loads(path.read_text())
    for absent in ("schema", "calibration", "history", "status"):
        del old[absent]
    del old["run"]["fold"]
    path.write_text(json.dumps(old))
    found = record.read(path)
    assert (found.schema, found.status, found.run["fold"]) == (schema.SCHEMA, "ok", 0)
    assert found.calibration == {}
    assert found.patients == fabricate.a_record().patients


def test_upgrades_are_taken_one_version_at_a_time(monkeypatch):
    monkeypatch.setattr(schema, "SCHEMA", 3)
    steps = {1: lambda old: {**old, "a": 1}, 2: lambda old: {**old, "b": old["a"] + 1}}
    monkeypatch.setattr(schema, "UPGRADES", steps)
    assert schema.upgrade({"schema": 1}) == {"schema": 3, "a": 1, "b": 2}
    with pytest.raises(UserError, match="too old"):
        schema.upgrade({"schema": 0})


@pytest.mark.parametrize(
    "change",
    [
        {"run": {"model": 5, "protocol": "quick", "seed": 0, "fold": 0}},
        {"patients": [1]},
        {"patients": [{"patient": "p", "regions": {"lgg": 3}}]},
        {"status": "perhaps"},
        {"environment": "linux"},
    ],
)
def test_sections_of_the_wrong_type_are_refused(tmp_path, change):
    path = record.write(fabricate.a_record(), tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(UserError, match="is not a record"):
        record.read(path)
