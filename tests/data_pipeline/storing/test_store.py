"""The store: whole or absent, resumed after a kill, never stale, mended or refused when damaged."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.__main__ import main
from data_pipeline import DataSpec, UserError, sources
from data_pipeline.checking.check import examine
from data_pipeline.files import digests, whole_files
from data_pipeline.loading import load
from data_pipeline.phantom.write import ensure
from data_pipeline.preparing import prepare, prepare_case
from data_pipeline.preparing.preparation import Preparation, job_of
from data_pipeline.storing import store

FLAT = Preparation(2, (16, 16), ("flair", "t1"), "zscore_brain")
SPEC = DataSpec(size=(16, 16), channels=("flair", "t1"), folds=3)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    root = ensure(tmp_path_factory.mktemp("phantoms"), "brats", 4, 24, 1)
    return examine(sources.find(root, "phantom"))


@pytest.fixture
def job(manifest):
    return job_of(manifest, FLAT)


def content(path):
    return {p.name: p.read_bytes() for p in path.iterdir() if p.name != store.STAMPS}


def test_records_hold_image_and_label_side_by_side(job, tmp_path):
    ready = prepare.prepared(job, tmp_path)
    for index, case in enumerate(ready.cases):
        records = ready.records(index)
        assert records.shape == (*case.geometry.shape, 3)
        assert not records.flags.writeable
        assert case.lesion == tuple(np.count_nonzero(records[..., -1], axis=(1, 2)))
        assert ready.reference(index).shape == case.geometry.native
        for label, *voxel in ready.foreground(index)[:50]:
            assert records[tuple(voxel)][-1] == label


def test_tensorflow_reads_the_records_natively(job, tmp_path):
    import tensorflow as tf

    ready = prepare.prepared(job, tmp_path)
    case = ready.cases[0]
    size = int(np.prod(case.record_shape[1:])) * np.dtype(case.dtype).itemsize
    file = str(ready.path / f"{case.stem}.records")
    read = tf.data.FixedLengthRecordDataset(file, size).as_numpy_iterator()
    rows = [np.frombuffer(row, case.dtype).reshape(case.record_shape[1:]) for row in read]
    np.testing.assert_array_equal(np.stack(rows), ready.records(0))


def test_prepared_twice_gives_the_same_bytes_and_reads_nothing_again(job, tmp_path, monkeypatch):
    first = prepare.prepared(job, tmp_path / "a")
    assert content(first.path) == content(prepare.prepared(job, tmp_path / "b").path)
    monkeypatch.setattr(prepare_case, "read_case", None)
    assert prepare.prepared(job, tmp_path / "a").path == first.path


@pytest.mark.parametrize(
    "change",
    [
        {"size": (20, 16)},
        {"channels": ("t1", "flair")},
        {"normalisation": "minmax_slice"},
        {"rank": 3, "size": (8, 8, 8)},
    ],
)
def test_other_settings_are_another_store(manifest, job, change):
    assert job_of(manifest, replace(FLAT, **change)).key != job.key


def test_other_voxels_are_another_store(manifest, job):
    first, *rest = manifest.records
    changed = replace(manifest, records=(replace(first, content="0" * 64), *rest))
    assert job_of(changed, FLAT).key != job.key


@pytest.mark.parametrize(
    "change", [{"regions": {"WT": (1, 2, 3)}}, {"labels": {"background": 0, "ncr": 2, "ed": 1}}]
)
def test_labels_of_another_meaning_are_another_store(manifest, job, change):
    other = replace(manifest, dataset=replace(manifest.dataset, **change))
    assert job_of(other, FLAT).key != job.key


def test_an_input_that_changed_after_its_check_is_refused(job, tmp_path):
    name, record = next(iter(job.records.items()))
    other = dict.fromkeys(record.files, "0" * 64)
    stale = replace(job, records={**job.records, name: replace(record, files=other)})
    with pytest.raises(UserError, match="changed since"):
        prepare.prepared(stale, tmp_path)
    assert not (tmp_path / job.key / store.INDEX).exists()


def flip(path, *, keep_date=False):
    state = path.stat()
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 255
    path.write_bytes(raw)
    if keep_date:
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


@pytest.mark.parametrize("keep_date", [False, True])
def test_a_flipped_byte_is_found_and_mended(job, tmp_path, keep_date):
    ready = prepare.prepared(job, tmp_path)
    before = content(ready.path)
    time.sleep(0.02)
    flip(ready.path / f"{ready.cases[1].stem}.records", keep_date=keep_date)
    assert store.open_store(ready.path) is None
    assert content(prepare.prepared(job, tmp_path).path) == before


@pytest.mark.parametrize("how", ["cut", "gone", "index"])
def test_missing_pieces_are_made_again(job, tmp_path, how):
    ready = prepare.prepared(job, tmp_path)
    before = content(ready.path)
    records = ready.path / f"{ready.cases[0].stem}.records"
    if how == "cut":
        os.truncate(records, records.stat().st_size - 1)
    elif how == "gone":
        records.unlink()
    else:
        index = ready.path / store.INDEX
        index.write_text(index.read_text().replace("Phantom_00001", "Phantom_00009"))
    assert store.open_store(ready.path) is None
    assert content(prepare.prepared(job, tmp_path).path) == before


def test_an_untouched_store_is_not_read_again_but_a_copy_is(job, tmp_path, monkeypatch):
    ready = prepare.prepared(job, tmp_path)
    digested = []
    monkeypatch.setattr(digests, "sha256", lambda path: digested.append(path) or "")
    assert store.open_store(ready.path) is not None
    assert not digested
    assert store.open_store(ready.path, thorough=True) is None
    assert digested


SLOWLY = """
import sys, time
from pathlib import Path
from data_pipeline.preparing import prepare, prepare_case
from data_pipeline import sources
from data_pipeline.checking.check import examine
from data_pipeline.preparing.preparation import Preparation, job_of

read = prepare_case.read_case
def slow(case):
    time.sleep(float(sys.argv[3]))
    return read(case)
prepare_case.read_case = slow
manifest = examine(sources.find(sys.argv[1], "phantom"))
job = job_of(manifest, Preparation(2, (16, 16), ("flair", "t1"), "zscore_brain"))
print("begin", flush=True)
prepare.prepared(job, Path(sys.argv[2]))
"""


def start(manifest, out, pause):
    command = [sys.executable, "-c", SLOWLY, str(manifest.dataset.root), str(out), str(pause)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def test_a_killed_preparation_goes_on_where_it_stopped(manifest, job, tmp_path, monkeypatch):
    child = start(manifest, tmp_path, 0.5)
    path = tmp_path / job.key
    while not list(path.glob("*.json")):
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    done = {p.name: p.stat().st_mtime_ns for p in path.glob("*.json")}
    assert 0 < len(done) < len(job.cases)
    assert store.open_store(path) is None
    (path / ".torn.records.1.part").write_bytes(b"torn")
    read = []
    whole = prepare_case.read_case
    monkeypatch.setattr(prepare_case, "read_case", lambda case: read.append(case) or whole(case))
    ready = prepare.prepared(job, tmp_path)
    assert len(read) == len(job.cases) - len(done)
    assert {name: (path / name).stat().st_mtime_ns for name in done} == done
    assert not list(path.glob(".*.part"))
    assert content(ready.path) == content(prepare.prepared(job, tmp_path / "undisturbed").path)


def test_two_processes_share_one_preparation(manifest, job, tmp_path):
    children = [start(manifest, tmp_path, 0.05) for _ in range(2)]
    assert [child.wait() for child in children] == [0, 0]
    expected = content(prepare.prepared(job, tmp_path / "alone").path)
    assert content(tmp_path / job.key) == expected


def test_a_full_disk_is_told_before_the_first_byte(job, tmp_path, monkeypatch):
    monkeypatch.setattr(prepare.shutil, "disk_usage", lambda path: type("", (), {"free": 10})())
    with pytest.raises(UserError, match=r"GB are free there; free some room"):
        prepare.prepared(job, tmp_path)
    assert not list((tmp_path / job.key).glob("*.records"))


def test_a_write_that_fails_is_one_sentence(job, tmp_path, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole_files, "write_whole", full)
    with pytest.raises(UserError, match="No space left on device"):
        prepare.prepared(job, tmp_path)


def test_an_unknown_channel_is_named(manifest):
    with pytest.raises(UserError, match=r"no channel adc; it has .*flair"):
        job_of(manifest, replace(FLAT, channels=("flair", "adc")))


def test_large_cases_are_prepared_one_by_one(job):
    big = {name: replace(r, shape=(1000, 1000, 1000, 4)) for name, r in job.records.items()}
    assert replace(job, records=big).workers == 1


PEAK = """
import sys
from pathlib import Path
from benchmarks.backends import meters
from data_pipeline.preparing import prepare
from data_pipeline import sources
from data_pipeline.checking.check import examine
from data_pipeline.preparing.preparation import Preparation, job_of

manifest = examine(sources.find(sys.argv[1], "nnunet"), workers=1)
job = job_of(manifest, Preparation(3, (32, 32, 32), ("flair", "t1ce"), "zscore_brain"))
prepare.prepared(job, Path(sys.argv[2]))
print(meters.peak_resident_memory())
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_data(tmp_path):
    from clinical_scans import write_volumes

    peaks, sizes = [], []
    for patients in (4, 12):  # enough for every worker to have had its peak
        root = write_volumes(tmp_path / f"{patients}", patients, (100, 200, 200))
        out = tmp_path / f"store{patients}"
        command = [sys.executable, "-c", PEAK, str(root), str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
        sizes.append(sum(path.stat().st_size for path in out.rglob("*.records")))
    assert peaks[1] < 2e9
    assert peaks[1] - peaks[0] < 0.4 * (sizes[1] - sizes[0])


def altered(ready, change):
    """Change what a store says of itself, and its digest too, as somebody who knows how would."""
    index = json.loads((ready.path / store.INDEX).read_text())
    del index["digest"]
    change(index)
    whole_files.write_json(ready.path / store.INDEX, index | {"digest": digests.digest(index, 64)})


def first(key, value):
    return lambda index: index["cases"][0].__setitem__(key, value)


def every(index, value):
    """The first case's files, each with this value."""
    return dict.fromkeys(index["cases"][0]["bytes"], value)


TAMPERED = {
    "no cases": lambda index: index.__setitem__("cases", []),
    "cases": lambda index: index.__setitem__("cases", {"a": 1}),
    "about": lambda index: index.__setitem__("about", None),
    "no version": lambda index: index["about"].pop("version"),
    "labels": lambda index: index["about"].__setitem__("labels", {"a": "b"}),
    "regions": lambda index: index["about"].__setitem__("regions", [["WT", [1e400]]]),
    "burdens": lambda index: index["about"].__setitem__("burdens", {"a": [1]}),
    "preparation": lambda index: index.__setitem__("preparation", 3),
    "channels": lambda index: index["preparation"].__setitem__("channels", None),
    "twice": lambda index: index["cases"].append(index["cases"][0]),
    "a field more": first("colour", "red"),
    "a field less": lambda index: index["cases"][0].pop("scales"),
    "another type": first("dtype", "object"),
    "a wider type": first("dtype", "float64"),
    "a number for a type": first("dtype", ["int16"]),
    "a stem elsewhere": first("stem", "../../etc/passwd"),
    "no stem": first("stem", None),
    "huge": lambda index: index["cases"][0]["geometry"].__setitem__("shape", [1 << 40, 9, 9]),
    "flat": lambda index: index["cases"][0]["geometry"].__setitem__("shape", [3, 9]),
    "box": lambda index: index["cases"][0]["geometry"].__setitem__("box", [[0, 1], [2], []]),
    "native": lambda index: index["cases"][0]["geometry"].__setitem__("native", "abc"),
    "no geometry": first("geometry", [1, 2, 3]),
    "scales": first("scales", [None, "1"]),
    "few scales": first("scales", [1.0]),
    "spacing": first("spacing", [1, 1, float("nan")]),
    "lesion": first("lesion", [1]),
    "other files": first("bytes", {"index.json": 3}),
    "sizes": lambda index: index["cases"][0]["bytes"].update(
        dict.fromkeys(index["cases"][0]["bytes"], 10**400)
    ),
    "digests": lambda index: index["cases"][0].__setitem__(
        "sha256", dict.fromkeys(index["cases"][0]["sha256"])
    ),
    "key": lambda index: index.pop("key"),
}


@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED)
def test_an_index_that_can_not_be_meant_is_refused_by_its_name(job, tmp_path, change, capsys):
    ready = prepare.prepared(job, tmp_path)
    before = content(ready.path)
    altered(ready, change)
    assert store.open_store(ready.path) is None
    with pytest.raises(UserError, match=r"index\.json: is not what was written"):
        load(SPEC, root=tmp_path)
    assert main(["data", "check", str(tmp_path)]) == 2
    assert "index.json" in capsys.readouterr().err
    assert content(prepare.prepared(job, tmp_path).path) == before


@pytest.mark.parametrize("text", ["", "[]", "null", '"x"', "[" * 100_000, '{"a": 1}', "\xff"])
@pytest.mark.parametrize("name", [store.INDEX, store.STAMPS, "case"])
def test_documents_that_are_none_are_made_again(job, tmp_path, name, text):
    ready = prepare.prepared(job, tmp_path)
    before = content(ready.path)
    path = ready.path / (f"{ready.cases[0].stem}.json" if name == "case" else name)
    path.write_bytes(text.encode("latin-1"))
    if name == "case":
        (ready.path / store.INDEX).unlink()
    assert content(prepare.prepared(job, tmp_path).path) == before


def packed(**arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"PK\x03\x04 not really",
        packed(other=np.zeros(3)),
        packed(reference=np.zeros((2, 2, 2), np.uint8), foreground=np.zeros((1, 4), np.int16)),
        packed(reference=np.array([{}], object), foreground=np.array([{}], object)),
    ],
    ids=["empty", "torn", "other names", "other shapes", "objects"],
)
def test_labels_of_another_make_are_refused_by_their_name(job, tmp_path, raw, capsys):
    ready = prepare.prepared(job, tmp_path)
    name = f"{ready.cases[0].stem}.labels.npz"
    (ready.path / name).write_bytes(raw)

    def known(index):
        index["cases"][0]["bytes"][name] = len(raw)
        index["cases"][0]["sha256"][name] = digests.sha256(ready.path / name)

    altered(ready, known)
    (opened,) = [store.open_store(ready.path)]
    with pytest.raises(UserError, match=f"{name}: is not what was written"):
        opened.reference(0)
    assert main(["data", "check", str(ready.path)]) == 2
    assert name in capsys.readouterr().err


def test_bytes_changed_under_a_rewritten_stamp_are_found_where_all_are_read(job, tmp_path, capsys):
    """What a stamp can't show: who rewrites it is believed until every byte is asked for."""
    ready = prepare.prepared(job, tmp_path)
    path = ready.path / f"{ready.cases[1].stem}.records"
    flip(path)
    stamps = json.loads((ready.path / store.STAMPS).read_text())
    whole_files.write_json(ready.path / store.STAMPS, stamps | {path.name: digests.stamp(path)})
    assert store.open_store(ready.path) is not None
    assert main(["data", "check", str(tmp_path)]) == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert f"{path}: is not what was written" in sentence


def test_a_copied_store_that_was_changed_names_the_file(job, tmp_path):
    ready = prepare.prepared(job, tmp_path)
    path = ready.path / f"{ready.cases[1].stem}.records"
    assert len(load(SPEC, root=tmp_path).store.cases) == 4
    flip(path)
    with pytest.raises(UserError, match=f"{path}: is not what was written"):
        load(SPEC, root=tmp_path)


def test_a_sound_store_is_checked(job, tmp_path, capsys):
    prepare.prepared(job, tmp_path)
    for place in (tmp_path, tmp_path / job.key):
        assert main(["data", "check", str(place)]) == 0
        assert "4 prepared cases" in capsys.readouterr().out
    assert main(["data", "check", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["cases"] == 4
