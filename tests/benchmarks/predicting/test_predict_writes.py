"""Where `predict` writes: nothing of the user's is replaced, and no data set gets a file more.

The network is NumPy's, because only the files count here; a call of it is a failure where nothing
may be computed.
"""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

import zoo
from benchmarks.__main__ import main
from benchmarks.commands import predict as command
from benchmarks.ensembles.panel import Member, Panel
from benchmarks.predicting import trained_network, written
from benchmarks.protocols.protocol import Evaluation
from benchmarks.terminal import progress
from data_pipeline import DataSpec
from data_pipeline.phantom import write
from zoo.weights_files import weights_file

CHANNELS = {"lgg": ("t1", "flair", "t1ce"), "brats": ("flair", "t1", "t1ce", "t2")}
BYTES = b"a reference, years of work"


class Network:
    """Calls every bright voxel a lesion, or fails where it may not be asked."""

    def __init__(self, allowed=True):
        self.allowed, self.progress = allowed, None

    def __call__(self, images):
        assert self.allowed, "it was computed"
        return (images[:][..., :1] > 0.5).astype(np.float32)


@pytest.fixture(autouse=True)
def network(monkeypatch):
    network = Network()

    def panel(_, paths):
        return Panel([Member(trained_network.read(path), network) for path in paths])

    monkeypatch.setattr(command, "_network", panel)
    return network


def weights(folder: Path, layout="lgg", region="tumour") -> Path:
    """A weights file that says how scans are to be prepared; its tensors are never asked for."""
    spec = DataSpec(size=(16, 16), channels=CHANNELS[layout])
    use = trained_network.Trained(
        *(spec, layout, None, {"background": 0, "tumour": 1}, {region: (1,)}, None, 0.5),
        Evaluation(),
    )
    facts = {
        "architecture": "unet",
        "variant": None,
        "input_shape": [16, 16, len(spec.channels)],
        "classes": 1,
        "width": 1.0,
        "settings": {},
        "card_digest": zoo.card("unet").digest(),
        "about": use.as_json(),
    }
    path = folder / "weights.safetensors"
    weights_file.write(path, {"a/kernel": np.zeros(1, np.float32)}, facts)
    return path


def predict(*arguments) -> int:
    return main(["predict", *map(str, arguments)])


def cohort(folder: Path, layout: str) -> Path:
    """A data set as its publisher packs it, so without the marker of a phantom."""
    root = write.write(folder / layout, layout, 3, 16)
    (root / write.MARKER).unlink()
    return root


def contents(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def cases(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir())


@pytest.mark.parametrize(
    ("layout", "scans", "out"),
    [
        ("msd", "imagesTr", "labelsTr"),
        ("msd", "imagesTr", "imagesTr"),
        ("msd", "imagesTr", "labelsTs"),
        ("msd", "imagesTr", "labelsTr/new"),
        ("msd", "imagesTr", ""),
        ("nnunet", "imagesTr", "labelsTr"),
        ("nnunet", "imagesTr", "labelsTr/../labelsTr"),
        ("brats", "{0}", "{0}"),
        ("brats", "{0}", "{1}"),
        ("brats", "{0}", "{1}/masks"),
        ("brats", "{0}", ""),
        ("brats", "", "masks"),
        ("lgg", "{0}", "{0}"),
        ("lgg", "{0}", "{1}"),
        ("lgg", "{0}", ""),
        ("lgg", "{0}", "masks"),
        ("lgg", "", "new/masks"),
    ],
)
def test_no_folder_of_a_data_set_is_written_into(layout, scans, out, tmp_path, network, capsys):
    network.allowed = False
    root = cohort(tmp_path, layout)
    names = [path.name for path in cases(root)]
    scans, out = (root / place.format(*names) for place in (scans, out))
    before = contents(root)
    path = weights(tmp_path, "lgg" if layout == "lgg" else "brats")
    assert predict(path, scans, "--out", out, "--version", "2021") == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert "--out" in told
    assert contents(root) == before
    assert not (root / "masks").exists()


def test_a_link_to_a_data_set_is_a_data_set(tmp_path, network):
    network.allowed = False
    root = cohort(tmp_path, "msd")
    (tmp_path / "out").symlink_to(root / "labelsTr")
    before = contents(root)
    assert predict(weights(tmp_path, "brats"), root / "imagesTr", "--out", tmp_path / "out") == 2
    assert contents(root) == before


@pytest.fixture
def slices(tmp_path):
    """Two cases of slices without masks, as scanners leave them, and a network for them."""
    root = cohort(tmp_path, "lgg")
    for path in root.rglob("*_mask.tif"):
        path.unlink()
    first, second, _ = cases(root)
    return weights(tmp_path), first, second


def test_a_new_folder_beside_one_case_is_free(slices, tmp_path):
    path, first, _ = slices
    beside = tmp_path / "desk" / first.name
    beside.parent.mkdir()
    first.rename(beside)
    assert predict(path, beside, "--out", tmp_path / "desk" / "masks") == 0


def test_the_same_command_replaces_its_own_files(slices, tmp_path):
    path, first, second = slices
    out = tmp_path / "out"
    assert predict(path, first, "--out", out, "--overlays", "--probabilities") == 0
    before = contents(out)
    assert predict(path, first, "--out", out, "--overlays", "--probabilities") == 0
    after = contents(out)
    assert {name for name in after if after[name] != before[name]} <= {written.LIST}
    assert predict(path, second, "--out", out) == 0
    assert {name.split("/")[0] for name in contents(out)} > {first.name, second.name}


def test_a_mask_mended_by_hand_is_not_replaced(slices, tmp_path, network, capsys):
    path, first, _ = slices
    out = tmp_path / "out"
    predict(path, first, "--out", out)
    mended = sorted((out / first.name).iterdir())[1]
    mended.write_bytes(BYTES)
    before = contents(out)
    network.allowed = False
    capsys.readouterr()
    assert predict(path, first, "--out", out) == 2
    assert str(mended) in capsys.readouterr().err
    assert contents(out) == before


@pytest.mark.parametrize("name", ["volumes.csv", "{case}/{slice}_mask.tif", "overlays/{case}.png"])
def test_a_file_of_somebody_elses_is_not_replaced(name, slices, tmp_path, network, capsys):
    network.allowed = False
    path, first, _ = slices
    there = sorted(first.iterdir())[0].stem
    theirs = tmp_path / "out" / name.format(case=first.name, slice=there)
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(BYTES)
    assert predict(path, first, "--out", tmp_path / "out", "--overlays") == 2
    assert str(theirs) in capsys.readouterr().err
    assert contents(tmp_path / "out") == {str(theirs.relative_to(tmp_path / "out")): BYTES}


def test_a_file_that_appears_meanwhile_is_not_replaced(slices, tmp_path, network):
    path, first, second = slices
    theirs = tmp_path / "out" / second.name / f"{sorted(second.iterdir())[0].stem}_mask.tif"

    class Slow(Network):
        def __call__(self, images):
            theirs.parent.mkdir(exist_ok=True)
            theirs.write_bytes(BYTES)
            return super().__call__(images)

    network.__class__ = Slow
    assert predict(path, first, second, "--out", tmp_path / "out") == 2
    assert theirs.read_bytes() == BYTES
    assert len(list((tmp_path / "out" / first.name).iterdir())) > 1


def test_a_list_that_is_not_ours_is_not_added_to(slices, tmp_path, network):
    network.allowed = False
    path, first, _ = slices
    theirs = tmp_path / "out" / written.LIST
    theirs.parent.mkdir()
    theirs.write_bytes(BYTES)
    assert predict(path, first, "--out", theirs.parent) == 2
    assert contents(theirs.parent) == {written.LIST: BYTES}


@pytest.mark.parametrize("out", ["file", "file/below"])
def test_what_can_not_be_a_folder_is_told_before_anything_is_computed(
    out, slices, tmp_path, network, capsys
):
    network.allowed = False
    path, first, _ = slices
    (tmp_path / "file").write_bytes(BYTES)
    assert predict(path, first, "--out", tmp_path / out) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert (tmp_path / "file").read_bytes() == BYTES


def renamed(case: Path, name: str | bytes, folder: Path) -> Path:
    """The slices of a case under another name."""
    target = os.fsdecode(os.path.join(os.fsencode(folder), os.fsencode(name)))
    os.makedirs(target)
    for number, path in enumerate(sorted(case.iterdir()), 1):
        os.rename(path, os.path.join(target, f"{os.fsdecode(name)}_{number}.tif"))
    return Path(target)


def test_no_name_leads_out_of_the_folder(slices, tmp_path, capsys):
    path, first, second = slices
    for number, file in enumerate(sorted(first.iterdir()), 1):
        file.rename(first / f".._{number}.tif")
    hidden = sorted(first.iterdir())
    before = set(contents(tmp_path))
    out = tmp_path / "deep" / "out"
    assert predict(path, *hidden, second, "--out", out) == 2
    assert "rename it" in capsys.readouterr().err
    assert set(contents(tmp_path)) - before == {f"deep/out/{name}" for name in contents(out)}
    assert {name.split("/")[0] for name in contents(out)} == {
        *(second.name, written.LIST, written.LOCK, "volumes.csv")
    }


@pytest.mark.parametrize("name", [b"\xffcase", "a$b$_{", "x\x1b[31mred", "=cmd()", "caseé"])
def test_names_of_any_bytes_are_predicted_and_drawn(name, slices, tmp_path):
    path, first, _ = slices
    case = renamed(first, name, tmp_path / "in")
    out = tmp_path / "out"
    assert predict(path, case, "--out", out, "--overlays", "--probabilities") == 0
    slices = len(list(case.iterdir()))
    assert len(os.listdir(out / case.name)) == 2 * slices
    assert os.listdir(out / "overlays") == [f"{case.name}.png"]
    assert predict(path, case, "--out", out, "--overlays", "--probabilities") == 0  # its own
    with (out / "volumes.csv").open(encoding="utf-8") as file:
        assert [row["region"] for row in csv.DictReader(file)] == ["tumour"]


def test_a_name_is_no_markup_of_a_progress_bar(capsys):
    assert list(progress._bar("case[/red]", [1, 2], 2)) == [1, 2]


def test_a_regions_name_from_a_file_makes_no_folder(slices, tmp_path):
    _, first, _ = slices
    path = weights(tmp_path, region="x/../../../y")
    assert predict(path, first, "--out", tmp_path / "out", "--probabilities") == 0
    assert {len(Path(name).parts) for name in contents(tmp_path / "out")} == {1, 2}
    assert not list(tmp_path.rglob("y*"))


def test_two_scans_that_would_write_one_file_are_told_apart(tmp_path, network, capsys):
    network.allowed = False
    root = cohort(tmp_path, "msd")
    first, second, _ = sorted((root / "imagesTr").iterdir())
    (tmp_path / "in").mkdir()
    first.rename(tmp_path / "in" / "a.nii.gz")
    second.rename(tmp_path / "in" / "a_tumour.nii.gz")
    path = weights(tmp_path, "brats")
    arguments = (path, tmp_path / "in", "--out", tmp_path / "out", "--probabilities")
    assert predict(*arguments, "--version", "2021") == 2
    assert "a_tumour.nii.gz would be written for" in capsys.readouterr().err


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), MemoryError()])
def test_a_scan_that_fails_leaves_the_others(error, slices, tmp_path, monkeypatch, capsys):
    from benchmarks.predicting import predict as predicting

    path, first, second = slices
    whole = predicting.predict

    def failing(network, known, case, **options):
        if case.name == first.name:
            raise error
        return whole(network, known, case, **options)

    monkeypatch.setattr(predicting, "predict", failing)
    assert predict(path, first, second, "--out", tmp_path / "out") == 2
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("gliozoo:")]
    assert len(told) == 1
    assert first.name in told[0]
    assert (tmp_path / "out" / second.name).is_dir()


def test_a_slice_that_is_there_twice_is_not_chosen(slices, tmp_path, capsys):
    path, first, second = slices
    twice = sorted(first.iterdir())[0]
    number = twice.stem.rsplit("_", 1)[1]
    twice.with_name(f"{first.name}_0{number}.tif").write_bytes(twice.read_bytes())
    assert predict(path, first, second, "--out", tmp_path / "out") == 2
    assert "is there twice" in capsys.readouterr().err
    assert not (tmp_path / "out" / first.name).exists()
    assert (tmp_path / "out" / second.name).is_dir()


def test_a_channel_that_is_there_twice_is_not_chosen(tmp_path, capsys):
    root = cohort(tmp_path, "brats")
    first, second, third = cases(root)
    (channel,) = first.glob("*_t1ce.nii.gz")
    channel.with_name(channel.name.replace("t1ce", "t1gd")).write_bytes(channel.read_bytes())
    arguments = (weights(tmp_path, "brats"), root, "--out", tmp_path / "out")
    assert predict(*arguments) == 2
    assert "is a second t1" in capsys.readouterr().err
    found = {path.name for path in (tmp_path / "out").glob("*.nii.gz")}
    assert found == {f"{case.name}.nii.gz" for case in (second, third)}


def test_the_list_outlives_a_kill_between_list_and_file(slices, tmp_path):
    """A line is there before its file; either of the file's two contents is then ours."""
    path, first, _ = slices
    out = tmp_path / "out"
    predict(path, first, "--out", out)
    with (out / written.LIST).open("a") as file:
        name = f"{first.name}/{sorted(first.iterdir())[0].stem}_mask.tif"
        file.write(json.dumps({"name": name, "sha256": "0" * 64}) + "\n" + '{"name": "to')
    assert predict(path, first, "--out", out) == 0
