"""What reading may take: asked for by the header, shared by threads, refused before it is taken."""

import threading
import tracemalloc

import numpy as np
import pytest
from make_nifti import nifti, nnunet, pack, scan
from make_tiff import lgg

from benchmarks.__main__ import main
from data_pipeline import sources
from data_pipeline.cases.case import bytes_to_read
from data_pipeline.cases.read_case import read_case
from data_pipeline.checking.check import check
from data_pipeline.errors import UserError
from data_pipeline.files import memory_share


@pytest.fixture
def little(monkeypatch):
    """A share of 8 MiB."""
    monkeypatch.setattr(memory_share, "share", lambda: 8 << 20)


def test_a_scan_that_takes_more_than_the_share_is_refused_before_it_is_unpacked(
    tmp_path, little, capsys
):
    root = nnunet(tmp_path / "set")
    path = root / "imagesTr/B_0001.nii.gz"
    path.write_bytes(pack(nifti(np.zeros((160, 160, 160), np.float32))))
    main(["data", "check", str(root)])  # imports are not counted below
    capsys.readouterr()
    tracemalloc.start()
    assert main(["data", "check", str(root)]) == 2
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    (sentence,) = capsys.readouterr().err.splitlines()
    assert "to read it takes" in sentence
    assert "more than the 0.00781 GiB" in sentence
    assert peak < 4 << 20


def test_slices_are_counted_by_their_first(tmp_path, monkeypatch):
    root = lgg(tmp_path / "set", slices=40)
    case = check(root).dataset.cases[0]
    assert bytes_to_read(case) >= 40 * 16 * 16 * 3 * 2
    monkeypatch.setattr(memory_share, "share", lambda: 40 * 16 * 16 * 3)
    with pytest.raises(UserError, match="to read it takes"):
        check(root)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
@pytest.mark.parametrize("slope", [1.0, 2.0])
def test_a_header_announces_no_less_than_reading_takes(tmp_path, dtype, slope):
    shape = (64, 64, 48)
    root = nnunet(tmp_path / "set", cases=("A",))
    for path in root.rglob("*.nii.gz"):
        voxels = np.zeros(shape, np.uint8) if "labels" in str(path) else scan(1, shape, dtype)
        fields = {} if "labels" in str(path) else {"scl_slope": slope}
        path.write_bytes(pack(nifti(voxels, **fields)))
    case = sources.find(root).cases[0]
    read_case(case)
    tracemalloc.start()
    read_case(case)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0.3 * bytes_to_read(case) < peak < bytes_to_read(case)


def test_threads_wait_for_one_another(little):
    together = worst = 0
    counting = threading.Lock()

    def read():
        nonlocal together, worst
        with memory_share.room(3 << 20, "x"):
            with counting:
                together += 1
                worst = max(worst, together)
            with counting:
                together -= 1

    threads = [threading.Thread(target=read) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= worst <= 2
    assert memory_share._taken == 0


def test_room_is_given_back_after_an_error(little):
    with pytest.raises(KeyError), memory_share.room(5 << 20, "x"):
        raise KeyError
    with memory_share.room(8 << 20, "x"):
        pass


@pytest.mark.parametrize(
    ("membership", "files", "limits"),
    [
        ("0::/a/b\n", {"a/memory.max": "1000", "a/b/memory.max": "max"}, [1000]),
        ("0::/\n", {"memory.max": "77"}, [77]),
        ("5:memory:/a\n3:cpu:/a\n", {"memory/a/memory.limit_in_bytes": "42"}, [42]),
        ("0::/gone\n", {}, []),
    ],
)
def test_limits_of_control_groups_are_obeyed(tmp_path, membership, files, limits):
    (tmp_path / "cgroup").write_text(membership)
    for name, text in files.items():
        path = tmp_path / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert list(memory_share._limits(tmp_path / "cgroup", tmp_path / "groups")) == limits


def test_a_process_without_control_groups_has_the_machine(tmp_path):
    assert list(memory_share._limits(tmp_path / "none", tmp_path)) == []
    assert memory_share.share() > 1 << 27
