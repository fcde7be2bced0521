"""Damaged scans, slices, descriptions and stores: each ends well, in quarantine, or in a sentence.

What a case has found stands as a test of its own in
`tests/data_pipeline/checking/test_hostile_inputs.py`.
"""

import random
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import mutate
import pytest
from make_nifti import labels, msd, nifti, nnunet, pack, scan
from make_tiff import DEFLATE, LZW, lgg, mask_pixels, slice_pixels, tiff

from data_pipeline import DataSpec
from data_pipeline.checking.check import check
from data_pipeline.errors import UserError
from data_pipeline.files import digests, whole_files
from data_pipeline.loading import load
from data_pipeline.preparing.preparation import Preparation
from data_pipeline.scans import predicted_scan as reader
from data_pipeline.scans import search
from data_pipeline.storing import store, store_check

FEW, MANY = 15, 400  # of each of the eight kinds below
SPEC = DataSpec(layout="nnunet", size=(16, 16), channels=("flair", "t1ce"), folds=2)
WANTED = search.Wanted(SPEC.channels, "nnunet", whole=True)


def answered(work, case: mutate.Case) -> None:
    """Do a work that ends, or is refused in one sentence; anything else names the case."""
    try:
        work()
    except UserError as error:
        sentence = str(error)
    except Exception as error:
        raise AssertionError(f"case {case.number}, {case.how}: {error!r}") from error
    else:
        return
    assert len(sentence.splitlines()) == 1, (case.number, case.how, sentence)
    assert 20 < len(sentence) < 2000, (case.number, case.how, sentence)


def predicted(root: Path) -> None:
    """Read every scan as `predict` does; one that is refused lets the others go on."""
    for case in search.find([root], WANTED):
        with suppress(UserError):
            reader.read(case, Preparation.of(SPEC))


def packed(cases: Iterator[mutate.Case]) -> Iterator[mutate.Case]:
    return (mutate.Case(case.number, case.how, pack(case.content)) for case in cases)


def scan_files(count: int) -> Iterator[mutate.Case]:
    """Damage inside and outside of the compression, by turns."""
    raw = nifti(scan(11))
    yield from mutate.files(pack(raw), count=count // 2)
    yield from packed(mutate.files(raw, count=count - count // 2, seed=1))


def label_files(count: int) -> Iterator[mutate.Case]:
    return packed(mutate.files(nifti(labels()), count=count, seed=2))


def slices(count: int) -> Iterator[mutate.Case]:
    for kind, seed in ((LZW, 3), (DEFLATE, 4), (1, 5)):
        good = tiff(slice_pixels(7), compression=kind, big=kind == DEFLATE, planar=kind == 1)
        yield from mutate.files(good, count=-(-count // 3), seed=seed)


def masks(count: int) -> Iterator[mutate.Case]:
    return mutate.files(tiff(mask_pixels(), compression=LZW), count=count, seed=6)


@pytest.fixture(scope="module")
def volumes(tmp_path_factory) -> Path:
    return nnunet(tmp_path_factory.mktemp("volumes") / "set", cases=("A", "B"))


@pytest.fixture(scope="module")
def stacks(tmp_path_factory) -> Path:
    return msd(tmp_path_factory.mktemp("stacks") / "set", cases=("BRATS_001",))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    root = lgg(tmp_path_factory.mktemp("pictures") / "set", cases=("TCGA_CS_4941_19960909",))
    (root / "kaggle_3m" / "data.csv").write_text("Patient,Age\nTCGA_CS_4941,30\n")
    return root


def fuzz_volumes(root: Path, count: int) -> None:
    for name, cases in (("imagesTr/B_0001", scan_files), ("labelsTr/B", label_files)):
        path = root / f"{name}.nii.gz"
        good = path.read_bytes()
        for case in cases(count):
            path.write_bytes(case.content)
            answered(lambda: check(root), case)
            answered(lambda: predicted(root), case)
        path.write_bytes(good)


def fuzz_pictures(root: Path, count: int) -> None:
    folder = root / "kaggle_3m" / "TCGA_CS_4941_19960909"
    places = {
        folder / f"{folder.name}_2.tif": slices,
        folder / f"{folder.name}_2_mask.tif": masks,
        folder.parent / "data.csv": lambda count: mutate.files(
            b"Patient,Age\nTCGA_CS_4941,30\n", count=count, seed=7
        ),
    }
    for path, cases in places.items():
        good = path.read_bytes()
        for case in cases(count):
            path.write_bytes(case.content)
            answered(lambda: check(root, "lgg"), case)
        path.write_bytes(good)


def fuzz_descriptions(root: Path, count: int) -> None:
    path = root / "dataset.json"
    good = path.read_bytes()
    for case in mutate.documents(whole_files.parsed(good), count=count, seed=8):
        path.write_bytes(case.content)
        answered(lambda: check(root), case)
        answered(lambda: check(root, "msd" if b"modality" in good else "nnunet"), case)
        answered(lambda: predicted(root), case)
    path.write_bytes(good)


def fuzz_stores(good: Path, work: Path, count: int) -> None:
    """Damage one file of a store; one in two indices gets a digest that fits."""
    names = sorted(path.name for path in good.iterdir() if path.is_file())
    for number in range(count):
        generator = random.Random(f"stores/{number}")
        name = generator.choice([store.INDEX, *names])
        content = (good / name).read_bytes()
        if name.endswith(".json") and generator.random() < 0.8:
            document = whole_files.parsed(content)
            how, document = mutate.spoiled(document, generator)
            if name == store.INDEX and isinstance(document, dict):
                document = sealed(document)
            content = mutate.text(document).encode("utf-8", "surrogatepass")
        else:
            how, content = mutate.damaged(content, generator)
        shutil.copytree(good, work / good.name)
        (work / good.name / name).write_bytes(content)
        case = mutate.Case(number, f"{name}: {how}", content)
        answered(lambda: store_check.check(work / good.name), case)
        answered(lambda: read_through(work), case)
        shutil.rmtree(work / good.name)


def sealed(index: dict) -> dict:
    """Compute the digest anew, where what the index holds can be digested at all."""
    content = {key: value for key, value in index.items() if key != "digest"}
    try:
        return content | {
            "digest": digests.digest(whole_files.parsed(mutate.text(content).encode()), 64)
        }
    except (ValueError, UnicodeError):
        return index


def read_through(root: Path) -> None:
    data = load(SPEC, root=root)
    for split in ("train", "test"):
        for patient in data.patients(split):
            assert patient.images.shape[1:3] == SPEC.size
    for _ in data.batches("train"):
        pass


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    root = nnunet(tmp_path_factory.mktemp("source") / "set", cases=("A", "B", "C", "D"))
    return load(SPEC, root=root, cache=tmp_path_factory.mktemp("cache")).store.path


@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
class TestEveryDoor:
    def test_scans_and_labels(self, volumes, count):
        fuzz_volumes(volumes, count)

    def test_slices_masks_and_their_table(self, pictures, count):
        fuzz_pictures(pictures, count)

    def test_descriptions_of_volumes(self, volumes, count):
        fuzz_descriptions(volumes, count)

    def test_descriptions_of_stacks(self, stacks, count):
        fuzz_descriptions(stacks, count)

    def test_stores(self, prepared, tmp_path, count):
        fuzz_stores(prepared, tmp_path, count)
