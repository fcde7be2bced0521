"""A data set described by a dataset.toml, against the same files under a layout of their own."""

import dataclasses
import importlib

import numpy as np
import pytest
from make_nifti import brats, labels, nifti, nnunet, pack, scan
from make_tiff import lgg

from data_pipeline import DataSpec, sources
from data_pipeline.cases.read_case import read_case
from data_pipeline.checking.check import check
from data_pipeline.errors import UserError
from data_pipeline.scans import search
from data_pipeline.scans.search import Wanted

NNUNET = """
mask = "labelsTr/{case}.nii.gz"
[images]
FLAIR = "imagesTr/{case}_0000.nii.gz"
T1c = "imagesTr/{case}_0001.nii.gz"
[labels]
edema = 1
enhancing = 2
"""
LGG = """
slices = "kaggle_3m/{case}/{case}_{slice}.tif"
mask = "kaggle_3m/{case}/{case}_{slice}_mask.tif"
channels = ["t1", "flair", "t1ce"]
[labels]
tumour = 1
"""


def described(root, text):
    (root / "dataset.toml").write_text(text)
    return root


@pytest.mark.parametrize(("make", "text"), [(nnunet, NNUNET), (lgg, LGG)])
def test_the_same_files_are_the_same_data(make, text, tmp_path):
    native = check(make(tmp_path / "set"))
    found = check(described(tmp_path / "set", text))
    assert found.dataset.layout == "described"
    assert found.fingerprint == native.fingerprint
    assert [r.name for r in found.records] == [r.name for r in native.records]


def test_labels_are_named_united_and_mapped(tmp_path):
    text = """
    mask = "{case}/*_seg.nii.gz"
    patient = 'BraTS20_([A-Za-z]+)_.*'
    [images]
    t1 = "{case}/{case}_t1*.nii.gz"
    t1ce = "{case}/{case}_t1ce.nii.gz"
    [labels]
    core = [1, 4]
    edema = 2
    [regions]
    WT = ["core", "edema"]
    TC = ["core"]
    """
    dataset = sources.find(described(brats(tmp_path / "set"), text))
    assert dataset.channels == ("t1", "t1ce")
    assert dataset.regions == {"WT": (1, 2), "TC": (1,)}
    assert {case.patient for case in dataset.cases} == {"Training"}
    volume = read_case(dataset.cases[0])
    assert sorted(np.unique(volume.label)) == [0, 1, 2]


def test_spacing_is_taken_where_the_files_state_none(tmp_path):
    root = described(lgg(tmp_path / "set"), "spacing = [3, 0.5, 0.25]\n" + LGG)
    volume = read_case(sources.find(root).cases[0])
    assert (volume.spacing, volume.in_mm) == ((3.0, 0.5, 0.25), True)
    plain = check(described(root, LGG)).fingerprint
    assert check(described(root, "spacing = [3, 0.5, 0.25]\n" + LGG)).fingerprint != plain
    stated = described(nnunet(tmp_path / "other"), "spacing = [9, 9, 9]\n" + NNUNET)
    assert read_case(sources.find(stated).cases[0]).spacing == (1.0, 1.0, 1.0)


def test_a_missing_file_is_the_cases_own_problem(tmp_path):
    root = described(nnunet(tmp_path / "set"), NNUNET)
    (root / "labelsTr/B.nii.gz").unlink()
    (quarantined,) = check(root).quarantined
    assert "labelsTr/B.nii.gz: is missing" in quarantined.reason


def test_scans_to_predict_need_no_mask(tmp_path):
    root = described(nnunet(tmp_path / "set"), NNUNET)
    (root / "labelsTr/B.nii.gz").unlink()
    cases = search.find([root], Wanted(("flair", "t1ce"), "described"))
    assert [(case.name, case.masks, case.problem) for case in cases] == [
        ("A", (), None),
        ("B", (), None),
    ]


def test_the_description_may_lie_elsewhere(tmp_path):
    root = nnunet(tmp_path / "set")
    (tmp_path / "mine").mkdir()
    place = described(tmp_path / "mine", NNUNET)
    assert len(check(root, str(place)).records) == 2


def test_a_protocol_names_it():
    assert DataSpec(layout="described").layout == "described"
    with pytest.raises(UserError, match="described"):
        DataSpec(layout="nothing")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = [", "can't be read as TOML"),
        ("", "one of"),
        ("image = 3\n" + NNUNET, "no use for 'image'"),
        ("spacing = 3\n" + NNUNET, "spacing to be a list"),
        ("spacing = [1, 2]\n" + NNUNET, "three millimetres"),
        ("patient = '('\n" + NNUNET, "no regular expression"),
        ("patient = 'P'\n" + NNUNET, "with a group"),
        (NNUNET.replace("mask", "patient"), "expected mask"),
        (NNUNET.replace("{case}_0000", "x"), "expected {case}"),
        (NNUNET.replace("imagesTr/{case}_0000", "../{case}_0000"), "leaves the folder"),
        (NNUNET.replace("{case}_0000", "{case}_{slice}"), "without {slice}"),
        (NNUNET.replace("edema = 1", "edema = 'one'"), "label edema as a number"),
        (NNUNET.replace("edema = 1", "edema = 2"), "stands twice"),
        (NNUNET + "[regions]\nWT = ['core']\n", "region WT"),
        (NNUNET.replace("imagesTr", "images"), "no file matches"),
        (LGG.replace("tumour = 1", "tumour = 2"), "one label"),
    ],
)
def test_what_is_wrong_is_one_sentence_that_names_the_file(text, said, tmp_path):
    with pytest.raises(UserError) as refused:
        sources.find(described(nnunet(tmp_path / "set"), text))
    assert said in str(refused.value)
    assert "dataset.toml" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_label_that_is_not_described_is_refused(tmp_path):
    root = described(nnunet(tmp_path / "set"), NNUNET)
    (root / "labelsTr/A.nii.gz").write_bytes(pack(nifti(labels((0, 1, 7)))))
    with pytest.raises(UserError, match=r"add it under \[labels\]"):
        check(root)


def test_a_layout_of_an_installed_package(tmp_path, monkeypatch):
    facts = tmp_path / "their_layout-1.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: their-layout\nVersion: 1\n")
    points = "[gliozoo.layouts]\ntheirs = their_layout\nhalf = their_half\nbad = no_such_layout\n"
    (facts / "entry_points.txt").write_text(points)
    (tmp_path / "their_half.py").write_text("TITLE = 'x'\n")
    (tmp_path / "their_layout.py").write_text(
        "import dataclasses\n"
        "from data_pipeline.sources.nnunet import find as of_nnunet\n"
        "TITLE, VERSIONS = 'theirs', ()\n"
        "def detect(root): return None\n"
        "def find(root, version=None):\n"
        "    return dataclasses.replace(of_nnunet(root), layout='theirs')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    assert "theirs" in sources.names()
    assert check(nnunet(tmp_path / "set"), "theirs").dataset.layout == "theirs"
    assert dataclasses.replace(DataSpec(), layout="theirs").layout == "theirs"
    for name, said in (("half", "has no VERSIONS"), ("bad", "can't be imported")):
        with pytest.raises(UserError, match=said):
            sources.load(name)


def test_a_data_set_of_links_is_the_data_set(tmp_path):
    real = nnunet(tmp_path / "shared")
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "dataset.json").symlink_to(real / "dataset.json")
    (linked / "labelsTr").symlink_to(real / "labelsTr")
    (linked / "imagesTr").mkdir()
    for path in (real / "imagesTr").iterdir():
        (linked / "imagesTr" / path.name).symlink_to(path)
    assert check(linked).fingerprint == check(real).fingerprint
    cases = search.find([linked], Wanted(("flair", "t1ce"), "nnunet"))
    assert [case.name for case in cases] == ["A", "B"]


def test_a_link_that_leads_back_is_refused(tmp_path):
    root = described(brats(tmp_path / "set"), NNUNET)
    (root / "BraTS20_Training_001" / "again").symlink_to(root)
    with pytest.raises(UserError, match="is a link back to"):
        sources.find(root, "brats", "2020")


def test_slices_of_a_described_set_may_have_gaps_in_their_names(tmp_path):
    root = tmp_path / "set"
    root.mkdir()
    for case in ("a", "b"):
        for number in (3, 10, 4):
            np_file = root / f"{case}_{number}.nii.gz"
            np_file.write_bytes(pack(nifti(scan(number))))
    text = (
        'slices = "{case}_{slice}.nii.gz"\nmask = "{case}_{slice}_m.nii.gz"\nchannels = ["flair"]\n'
    )
    dataset = sources.find(described(root, text + "[labels]\ntumour = 1\n"))
    assert [path.name for path in dataset.cases[0].images] == [
        "a_3.nii.gz",
        "a_4.nii.gz",
        "a_10.nii.gz",
    ]
