"""A report's patients, each linked to a page with the scan and the masks that are at hand."""

import importlib
import json
import re
from urllib.parse import unquote

import fabricate
import pytest

from benchmarks.__main__ import main
from data_pipeline.phantom import write

ABSENT = "elsewhere"  # a patient whose scan is not at hand


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    return write.ensure(tmp_path_factory.mktemp("cohort") / "lgg", "lgg", 3, 32, 0)


@pytest.fixture
def names(scans):
    return sorted(path.name for path in scans.iterdir() if path.is_dir())


@pytest.fixture
def results(tmp_path, names, monkeypatch):
    # Without figures, which take seconds.
    monkeypatch.setattr(importlib.import_module("benchmarks.report.page"), "DRAWN", 0)
    patients = [*names, ABSENT]
    records = [
        fabricate.a_record(model, names=patients, dice=[0.5] * len(patients))
        for model in ("unet", "sa_unet")
    ]
    fabricate.archive(records, tmp_path / "results")
    return tmp_path / "results"


def masks_of(scans, root, model, patients):
    """Copy reference masks of some patients to where `predict --out MASKS/MODEL` writes its own."""
    for name in patients:
        (root / model / name).mkdir(parents=True)
        for mask in (scans / name).glob("*_mask.tif"):
            (root / model / name / mask.name).write_bytes(mask.read_bytes())
    return root


def report(results, *arguments) -> int:
    return main(["report", "--results", str(results), *map(str, arguments)])


def links(results) -> dict[str, str]:
    rows = re.findall(r"<tr data-row.*?</tr>", (results / "report.html").read_text())
    found = {name[1]: row for row in rows if (name := re.search(r'"patient".*?>(.*?)<', row))}
    return {
        name: unquote(link[1])
        for name, row in found.items()
        if (link := re.search(r'<a href="([^"]+)"', row))
    }


def layers(path) -> list[str]:
    case = re.search(r'<script type="application/json" id="case">(.*?)</script>', path.read_text())
    return json.loads(case[1])["layers"]


def test_each_patient_whose_scan_is_at_hand_is_linked_to_its_masks(scans, names, results, tmp_path):
    masks = masks_of(scans, tmp_path / "masks", "unet", names)
    masks_of(scans, masks, "sa_unet", names[:1])
    masks_of(scans, masks, "Reference", names[1:2])  # a model's name, and no reason to lose it
    assert report(results, "--scans", scans, "--masks", masks) == 0
    found = links(results)
    assert set(found) == set(names)
    assert layers(results / found[names[0]]) == ["Reference", "sa_unet", "unet"]
    assert layers(results / found[names[1]]) == ["Reference", "Reference 2", "unet"]


def test_without_masks_the_pages_show_the_reference(scans, names, results):
    assert report(results, "--scans", scans) == 0
    assert [layers(results / path) for path in links(results).values()] == [["Reference"]] * 3


def test_without_scans_nothing_is_linked_and_no_page_written(results):
    assert report(results) == 0
    assert links(results) == {}
    assert [path.name for path in results.glob("*_scans")] == []


def test_a_damaged_scan_costs_its_own_link_alone(scans, names, results, tmp_path, capsys):
    broken = tmp_path / "scans"
    for name in names[:2]:
        (broken / name).mkdir(parents=True)
        for path in (scans / name).iterdir():
            (broken / name / path.name).write_bytes(path.read_bytes())
    next((broken / names[0]).glob("*_1.tif")).write_bytes(b"no image")
    assert report(results, "--scans", broken) == 0
    assert set(links(results)) == {names[1]}
    assert f"Not shown: {broken / names[0]}" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", ["no scan of theirs", "no masks", "masks alone"])
def test_what_cannot_be_shown_is_said_and_nothing_written(wrong, scans, results, tmp_path, capsys):
    other = write.ensure(tmp_path / "other", "brats", 1, 32, 0)
    arguments = {
        "no scan of theirs": ["--scans", other],
        "no masks": ["--scans", scans, "--masks", tmp_path / "none"],
        "masks alone": ["--masks", tmp_path],
    }[wrong]
    assert report(results, *arguments) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not (results / "report.html").exists()
