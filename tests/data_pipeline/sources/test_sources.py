"""Finding cases and reading their labels: golden values for each layout and year."""

import json

import numpy as np
import pytest
from make_nifti import brats, labels, msd, nifti, nnunet, pack, scan
from make_tiff import lgg

from data_pipeline import sources
from data_pipeline.cases.read_case import read_case
from data_pipeline.errors import UserError
from data_pipeline.formats import dataset_json, modality

LABELLED = {1: (2, 2, 2), 2: (2, 4, 2), 3: (2, 6, 2), 4: (2, 8, 2)}  # a voxel of each block


def put(root, values):
    """Give every case of a BraTS set a label map with blocks of these values."""
    for path in root.rglob("*seg.nii.gz"):
        path.write_bytes(pack(nifti(labels(values))))
    return root


def read_labels(root, version=None, **options):
    dataset = sources.find(root, version=version, **options)
    label = read_case(dataset.cases[0]).label.transpose(2, 1, 0)
    blocks = [int(label[3, 2 + 2 * number, 3]) for number in range(5)]
    return blocks, dataset


@pytest.mark.parametrize("make", [lgg, brats, msd, nnunet], ids=["lgg", "brats", "msd", "nnunet"])
def test_layout_is_detected(tmp_path, make, request):
    root = make(tmp_path / "set")
    assert sources.detect(root) == request.node.callspec.id
    assert len(sources.find(root, version="2020" if make is brats else None).cases) == 2


def test_nothing_is_detected_in_an_empty_folder(tmp_path):
    with pytest.raises(UserError, match="no known layout"):
        sources.detect(tmp_path)


def test_missing_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match="there is none"):
        sources.find(tmp_path / "nowhere")


def test_two_layouts_are_ambiguous_until_one_is_named(tmp_path):
    root = brats(lgg(tmp_path / "set"))
    with pytest.raises(UserError, match=r"brats.*lgg.*--layout"):
        sources.find(root)
    assert len(sources.find(root, "lgg").cases) == 2


def test_unknown_layout_suggests_the_closest():
    with pytest.raises(UserError, match="Did you mean brats"):
        sources.load("brat")


@pytest.mark.parametrize("name", ["lgg", "msd", "nnunet"])
def test_layout_without_its_files_is_refused(tmp_path, name):
    with pytest.raises(UserError):
        sources.find(tmp_path, name)


@pytest.mark.parametrize("year", ["2018", "2019", "2020", "2021"])
def test_four_is_enhancing_until_2021(tmp_path, year):
    root = put(brats(tmp_path / "set"), (0, 1, 2, 4))
    blocks, dataset = read_labels(root, year)
    assert blocks == [0, 1, 2, 3, 0]
    assert dataset.labels == {"background": 0, "ncr": 1, "ed": 2, "et": 3}
    assert dataset.regions == {"WT": (1, 2, 3), "TC": (1, 3), "ET": (3,)}


def test_three_is_enhancing_in_2023(tmp_path):
    blocks, _ = read_labels(put(brats(tmp_path / "set"), (0, 1, 2, 3)), "2023")
    assert blocks == [0, 1, 2, 3, 0]


def test_four_is_the_cavity_in_2024(tmp_path):
    blocks, dataset = read_labels(put(brats(tmp_path / "set"), (0, 1, 2, 3, 4)), "2024")
    assert blocks == [0, 1, 2, 3, 4]
    assert dataset.labels["rc"] == 4
    assert dataset.regions["RC"] == (4,)
    assert 4 not in dataset.regions["WT"]


def test_labels_that_every_year_agrees_on_need_no_year(tmp_path):
    blocks, _ = read_labels(put(brats(tmp_path / "set"), (0, 1, 2)))
    assert blocks == [0, 1, 2, 0, 0]


def test_order_of_msd_is_its_own(tmp_path):
    blocks, dataset = read_labels(msd(tmp_path / "set"))
    assert blocks == [0, 2, 1, 3, 0]  # 1 edema, 2 non-enhancing, 3 enhancing
    assert dataset.channels == ("flair", "t1", "t1ce", "t2")


def test_order_of_msd_follows_its_names(tmp_path):
    names = ("background", "non-enhancing tumor", "edema", "enhancing tumour")
    blocks, _ = read_labels(msd(tmp_path / "set", names=names))
    assert blocks == [0, 1, 2, 3, 0]


def test_channels_of_msd_are_in_file_order(tmp_path):
    case = sources.find(msd(tmp_path / "set")).cases[0]
    expected = np.moveaxis(scan(200, (10, 12, 8, 4)), (0, 1, 2), (2, 1, 0))
    np.testing.assert_array_equal(read_case(case).image, expected)


def test_new_brats_names_are_the_same_channels(tmp_path):
    old = brats(tmp_path / "old", cases=("BraTS-GLI-00005-000", "BraTS-GLI-00005-001"))
    new = {"flair": "t2f", "t1": "t1n", "t1ce": "t1c", "t2": "t2w", "seg": "seg"}
    for path in sorted(old.rglob("*.nii.gz")):
        part = path.name.removesuffix(".nii.gz").rpartition("_")[2]
        path.rename(path.with_name(f"{path.parent.name}-{new[part]}.nii.gz"))
    dataset = sources.find(put(old, (0, 1, 2, 3)))
    assert [case.name for case in dataset.cases] == ["BraTS-GLI-00005-000", "BraTS-GLI-00005-001"]
    assert {case.patient for case in dataset.cases} == {"BraTS-GLI-00005"}
    image = read_case(dataset.cases[0]).image
    for channel in range(4):
        np.testing.assert_array_equal(image[..., channel], scan(100 + channel).transpose(2, 1, 0))


@pytest.mark.parametrize("name", ["T1Gd", "t1c", "T1_CE", "T1wCE", "t1ce", "T1-Gd"])
def test_names_of_one_sequence(name):
    assert modality.canonical(name) == "t1ce"


def test_two_files_of_one_sequence_are_refused(tmp_path):
    root = brats(tmp_path / "set")
    path = next(root.rglob("*_t1ce.nii.gz"))
    path.with_name(path.name.replace("t1ce", "t1gd")).write_bytes(path.read_bytes())
    with pytest.raises(UserError, match="second t1ce"):
        sources.find(root)


def test_slices_are_in_numeric_order(tmp_path):
    case = sources.find(lgg(tmp_path / "set", slices=11)).cases[0]
    assert [int(path.stem.rpartition("_")[2]) for path in case.images] == list(range(1, 12))
    assert [path.stem.removesuffix("_mask") for path in case.masks] == [p.stem for p in case.images]
    assert (case.patient, case.channels) == ("TCGA_CS_4941", ("t1", "flair", "t1ce"))


def test_gap_between_slices_is_noted(tmp_path):
    root = lgg(tmp_path / "set", slices=5)
    for path in root.rglob("TCGA_CS*_3*.tif"):
        path.unlink()
    assert "gaps" in sources.find(root).cases[0].notes[0]


def test_patient_facts_may_be_lacking(tmp_path):
    root = lgg(tmp_path / "set")
    (root / "kaggle_3m/data.csv").write_text("Patient,age\nTCGA_CS_4941,\n")
    assert sources.find(root).warnings == ("data.csv: no row for TCGA_DU_5849",)


def test_brats_2013_keeps_its_names_and_gets_its_regions(tmp_path):
    root = nnunet(tmp_path / "set")
    path = root / dataset_json.NAME
    named = {"background": 0, "necrosis": 1, "edema": 2, "non_enhancing": 3, "enhancing": 4}
    path.write_text(json.dumps({**json.loads(path.read_text()), "labels": named}))
    blocks, dataset = read_labels(root)
    assert blocks[:3] == [0, 1, 2]
    assert dataset.labels == named
    assert dataset.regions == {"WT": (1, 2, 3, 4), "TC": (1, 3, 4), "ET": (4,)}


def test_region_labels_of_nnunet(tmp_path):
    path = nnunet(tmp_path / "set") / dataset_json.NAME
    regions = {"background": 0, "whole_tumor": [1, 2, 3], "tumor_core": [2, 3], "enhancing": 3}
    path.write_text(json.dumps({**json.loads(path.read_text()), "labels": regions}))
    dataset = sources.find(path.parent)
    assert dataset.regions == {
        "whole_tumor": (1, 2, 3),
        "tumor_core": (2, 3),
        "enhancing": (3,),
    }
    assert sorted(dataset.labels.values()) == [0, 1, 2, 3]


def test_labels_without_known_names_are_regions_of_their_own(tmp_path):
    path = nnunet(tmp_path / "set") / dataset_json.NAME
    content = {**json.loads(path.read_text()), "labels": {"background": 0, "a": 1, "b": 2}}
    path.write_text(json.dumps(content))
    assert sources.find(path.parent).regions == {"a": (1,), "b": (2,)}


@pytest.mark.parametrize("labels_entry", [{}, {"a": 1}, {"background": 0, "a": 300}, {"a": "x"}])
def test_labels_that_make_no_sense_are_refused(tmp_path, labels_entry):
    path = nnunet(tmp_path / "set") / dataset_json.NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), "labels": labels_entry}))
    with pytest.raises(UserError, match="mend it"):
        sources.find(path.parent, "nnunet")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"labels": 3}'])
def test_broken_dataset_json_is_refused(tmp_path, text):
    path = nnunet(tmp_path / "set") / dataset_json.NAME
    path.write_text(text)
    with pytest.raises(UserError, match=r"dataset\.json"):
        sources.find(path.parent, "nnunet")
