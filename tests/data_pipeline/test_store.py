"""The store: whole or absent, resumed after a kill, never stale, mended or refused when damaged."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from data_pipeline import UserError, files, prepare, prepare_case, sources, store
from data_pipeline.check import examine
from data_pipeline.job import Preparation, job_of
from data_pipeline.phantom.write import ensure

FLAT = Preparation(2, (16, 16), ("flair", "t1"), "zscore_brain")


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
    monkeypatch.setattr(files, "sha256", lambda path: digested.append(path) or "")
    assert store.open_store(ready.path) is not None
    assert not digested
    assert store.open_store(ready.path, thorough=True) is None
    assert digested


SLOWLY = """
import sys, time
from pathlib import Path
from data_pipeline import prepare, prepare_case, sources
from data_pipeline.check import examine
from data_pipeline.job import Preparation, job_of

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

    monkeypatch.setattr(files, "write_whole", full)
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
from benchmarks import device
from data_pipeline import prepare, sources
from data_pipeline.check import examine
from data_pipeline.job import Preparation, job_of

manifest = examine(sources.find(sys.argv[1], "nnunet"), workers=1)
job = job_of(manifest, Preparation(3, (32, 32, 32), ("flair", "t1ce"), "zscore_brain"))
prepare.prepared(job, Path(sys.argv[2]))
print(device.peak_resident_memory())
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_data(tmp_path):
    from benchmarks.perf_cohort import write_volumes

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
