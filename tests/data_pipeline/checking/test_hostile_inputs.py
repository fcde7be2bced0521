"""What no data set means to hold (loops, pipes, shut folders, bombs): one sentence each."""

import json
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from make_nifti import brats, labels, msd, nifti, nnunet, pack, scan
from make_tiff import lgg

from benchmarks.__main__ import main
from data_pipeline.cases import read_case
from data_pipeline.checking.check import check
from data_pipeline.errors import Quarantined, UserError
from data_pipeline.files import archive, listing
from data_pipeline.scans import search
from data_pipeline.splitting import split

DEEP = "[" * 100_000 + "]" * 100_000
WANTED = search.Wanted(("flair", "t1ce"), "nnunet", whole=False)


def refused(arguments: list[str], capsys) -> str:
    assert main(arguments) == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    return sentence


def rewritten(root: Path, **changes) -> Path:
    path = root / "dataset.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return root


@pytest.mark.parametrize("make", [msd, nnunet], ids=lambda make: make.__name__)
@pytest.mark.parametrize(
    "text", [DEEP, '{"a":' * 100_000, "\xff\xfe", '"' + "9" * 5000, "9" * 5000]
)
def test_a_dataset_json_that_is_none(tmp_path, make, text, capsys):
    path = make(tmp_path / "set") / "dataset.json"
    path.write_bytes(text.encode("latin-1"))
    assert f"{path}: can't be read as JSON" in refused(["data", "check", str(path.parent)], capsys)


@pytest.mark.parametrize("layout", [None, "nnunet", "msd"])
def test_a_pipe_for_a_dataset_json_is_not_waited_for(tmp_path, layout, capsys):
    path = nnunet(tmp_path / "set") / "dataset.json"
    path.unlink()
    os.mkfifo(path)
    options = ["--layout", layout] if layout else []
    sentence = refused(["data", "check", str(path.parent), *options], capsys)
    assert f"{path}: can't be read as JSON (not an ordinary file)" in sentence


def test_other_pipes_are_not_waited_for_either(tmp_path):
    root = nnunet(tmp_path / "set")
    path = root / "imagesTr/B_0001.nii.gz"
    path.unlink()
    os.mkfifo(path)
    os.mkfifo(tmp_path / "split.json")
    assert [record.name for record in check(root).quarantined] == ["B"]
    with pytest.raises(UserError, match="not an ordinary file"):
        split.read(tmp_path / "split.json")


@pytest.mark.parametrize(
    "entry",
    [
        *(
            {},
            [],
            "x",
            None,
            {"0": None},
            {"0": {"a": 1}},
            {"0": []},
            {"²": "FLAIR"},
            {"-1": "FLAIR"},
        ),
        *({"0": "FLAIR", "2": "T1"}, {"FLAIR": "a"}, {"FLAIR": 1e400}, {"FLAIR": True}),
        *({"9" * 5000: "FLAIR"}, {"1": "FLAIR"}, {"FLAIR": None}, {"FLAIR": [0]}),
    ],
    ids=lambda entry: str(entry)[:20],
)
@pytest.mark.parametrize("make", [msd, nnunet], ids=lambda make: make.__name__)
def test_channels_that_no_file_can_have(tmp_path, make, entry, capsys):
    key = "modality" if make is msd else "channel_names"
    root = rewritten(make(tmp_path / "set"), **{key: entry})
    sentence = refused(["data", "check", str(root), "--layout", make.__name__], capsys)
    assert sentence.startswith(f"gliozoo: {root / 'dataset.json'}: expected")
    assert len(sentence) < 400


@pytest.mark.parametrize(
    "entry",
    [
        *({}, [], 3, {"background": None}, {"background": "x"}, {"background": 0, "a": 1.5}),
        *(
            {"background": 0, "a": []},
            {"background": 0, "a": [[1]]},
            {"background": 0, "a": [True]},
        ),
        *(
            {"background": 0, "a": 256},
            {"background": 0, "a": -1},
            {"0": {}},
            {"0": ["background"]},
        ),
    ],
    ids=lambda entry: str(entry)[:30],
)
@pytest.mark.parametrize("make", [msd, nnunet], ids=lambda make: make.__name__)
def test_labels_that_no_file_can_have(tmp_path, make, entry, capsys):
    root = rewritten(make(tmp_path / "set"), labels=entry)
    sentence = refused(["data", "check", str(root), "--layout", make.__name__], capsys)
    assert sentence.startswith(f"gliozoo: {root / 'dataset.json'}: expected")


@pytest.mark.parametrize("make", [msd, nnunet], ids=lambda make: make.__name__)
@pytest.mark.parametrize("count", ["x" * 100_000, 10**400, [0] * 9999, None, "2"], ids=range(5))
def test_numbers_of_cases_that_fill_no_page(tmp_path, make, count, capsys):
    root = rewritten(make(tmp_path / "set"), numTraining=count)
    sentence = refused(["data", "check", str(root)], capsys)
    assert "training cases, 2 were found" in sentence
    assert len(sentence) < 400


@pytest.mark.parametrize(
    "row", [None, "x", {}, {"image": 1, "label": 2}, {"image": [], "label": "x"}]
)
def test_cases_that_are_none(tmp_path, row, capsys):
    root = rewritten(msd(tmp_path / "set"), training=[row], numTraining=1)
    assert "expected 'image' and 'label'" in refused(["data", "check", str(root)], capsys)


@pytest.mark.parametrize("name", ["a\0b.nii.gz", "x" * 5000])
def test_names_that_no_file_can_have(tmp_path, name, capsys):
    row = {"image": f"imagesTr/{name}", "label": f"labelsTr/{name}"}
    root = rewritten(msd(tmp_path / "set"), training=[row], numTraining=1)
    assert main(["data", "check", str(root)]) in (1, 2)
    capsys.readouterr()


@pytest.mark.parametrize("where", ["imagesTr", "labelsTr"])
def test_a_folder_that_is_not_there(tmp_path, where, capsys):
    root = nnunet(tmp_path / "set")
    (root / where).rename(root / "elsewhere")
    assert f"{root / where}: can't be opened" in refused(["data", "check", str(root)], capsys)


def test_links_to_themselves(tmp_path):
    root = nnunet(tmp_path / "set")
    path = root / "imagesTr/B_0001.nii.gz"
    path.unlink()
    path.symlink_to(path.name)
    (root / "loop").symlink_to("loop")
    (quarantined,) = check(root).quarantined
    assert str(path) in quarantined.reason
    root = brats(tmp_path / "brats")
    (root / "BraTS20_Training_001" / "up").symlink_to("up")
    assert len(check(root, version="2020").records) == 2
    row = {"image": "imagesTr/x.nii.gz", "label": "labelsTr/BRATS_001.nii.gz"}
    root = rewritten(msd(tmp_path / "msd"), training=[row], numTraining=1)
    (root / "imagesTr/x.nii.gz").symlink_to("x.nii.gz")
    assert "missing" in check(root).quarantined[0].reason


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("", "has no column Patient"),
        ("\n\n", "has no column Patient"),
        ("Name,Age\nTCGA_CS_4941,3\n", "has no column Patient"),
        (f"Patient,Notes\nTCGA_CS_4941,{'x' * 200_000}\n", "field larger than field limit"),
        ("Patient\nTCGA_CS_4941\n", "no row for TCGA_DU_5849"),
    ],
    ids=["empty", "blank", "other", "wide", "short"],
)
def test_a_table_that_tells_nothing_is_a_warning(tmp_path, table, says, capsys):
    root = lgg(tmp_path / "set")
    (root / "kaggle_3m" / "data.csv").write_text(table)
    assert main(["data", "check", str(root)]) == 0
    assert f"warning: data.csv: {says}" in capsys.readouterr().out.replace("can't be read (", "")


def test_a_shut_folder_is_one_sentence_and_the_other_scans_go_on(tmp_path, monkeypatch, capsys):
    root = brats(tmp_path / "set")
    shut = root / "BraTS20_Training_002"
    opened = os.scandir

    def scandir(path):
        if Path(path) == shut:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path)

    monkeypatch.setattr(listing.os, "scandir", scandir)
    assert f"{shut}: can't be opened (Permission denied)" in refused(
        ["data", "check", str(root), "--version", "2020"], capsys
    )
    fine, bad = search.find([root], search.Wanted(("flair",), "brats", "2020"))
    assert (fine.name, fine.problem) == ("BraTS20_Training_001", None)
    with pytest.raises(UserError, match=f"{shut}: can't be opened"):
        search.of_channels(bad, ("flair",))


def test_a_shut_file_is_quarantined_for_every_reader(tmp_path, monkeypatch):
    root = nnunet(tmp_path / "set")
    found = check(root).dataset.cases[0]
    shut = PermissionError(13, "Permission denied", "x.nii.gz")

    def read_bytes(path):
        raise shut

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    with pytest.raises(Quarantined, match=r"x.nii.gz: can't be read \(Permission denied\)"):
        read_case.read_case(found)


@pytest.mark.parametrize("entry", [{"0": None}, {"0": "FLAIR", "7": "T1c"}, "x", {}])
def test_a_scan_that_is_ill_described_does_not_stop_the_others(tmp_path, entry):
    bad = rewritten(nnunet(tmp_path / "bad", cases=("A",)), channel_names=entry)
    good = nnunet(tmp_path / "good", cases=("B",))
    ill, fine = search.find([bad, good], WANTED)
    assert (ill.name, fine.name, fine.problem) == ("A", "B", None)
    with pytest.raises(UserError, match=r"dataset\.json: expected"):
        search.of_channels(ill, WANTED.channels)


@pytest.mark.parametrize("text", [DEEP, "{", ""])
def test_a_broken_description_is_not_taken_for_none(tmp_path, text):
    root = nnunet(tmp_path / "set", cases=("A",))
    (root / "dataset.json").write_text(text)
    (ill,) = search.find([root], WANTED)
    with pytest.raises(UserError, match="can't be read as JSON"):
        search.of_channels(ill, WANTED.channels)


@pytest.mark.parametrize("magic", [b"n+?\0", b"n+2\0", b"n+\0\0", b"n+1x"])
def test_a_magic_that_nibabel_would_refuse_is_refused_when_it_is_checked(tmp_path, magic, capsys):
    root = nnunet(tmp_path / "set")
    path = root / "imagesTr/B_0001.nii.gz"
    raw = nifti(scan(11))
    path.write_bytes(pack(raw[:344] + magic + raw[348:]))
    assert f"{path}: its magic is" in refused(["data", "check", str(root)], capsys)


def broken(path: Path) -> list[bytes]:
    """The archive, damaged at one place after the other."""
    raw = path.read_bytes()
    places = range(0, len(raw), max(1, len(raw) // 60))
    flipped = [raw[:at] + bytes([raw[at] ^ 0x55]) + raw[at + 1 :] for at in places]
    return [*flipped, *(raw[:at] for at in places)]


@pytest.mark.parametrize("suffix", [".zip", ".tar.xz", ".tar.bz2", ".tar.gz", ".tar"])
def test_damaged_archives_are_refused_or_hold_a_sound_set(tmp_path, suffix):
    packed = pack(nifti(labels()))
    path = tmp_path / f"set{suffix}"
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as file:
            file.writestr("imagesTr/A_0000.nii.gz", packed)
    else:
        (tmp_path / "A_0000.nii.gz").write_bytes(packed)
        with tarfile.open(
            path, f"w:{suffix.split('.')[2] if suffix.count('.') > 1 else ''}"
        ) as tar:
            tar.add(tmp_path / "A_0000.nii.gz", "imagesTr/A_0000.nii.gz")
    sentences = []
    for number, raw in enumerate(broken(path)):
        path.write_bytes(raw)
        out = tmp_path / f"out{number}"
        out.mkdir()
        try:
            archive.unpack(path, out)
        except UserError as error:
            sentences.append(str(error))
    assert len(sentences) > 10
    assert all(len(sentence.splitlines()) == 1 for sentence in sentences)
