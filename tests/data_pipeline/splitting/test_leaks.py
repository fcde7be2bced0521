"""The audit: what leaks is found, what only looks alike is not."""

import json

import numpy as np
import pytest
from make_tiff import lgg, mask_pixels, tiff

from benchmarks.__main__ import main
from data_pipeline import sources
from data_pipeline.splitting import leaks, similar_slices, split

SIDE = 64


def head(patient: int, number: int, noise: int = 0) -> np.ndarray:
    """A smooth picture: a patient's own, changing slowly from slice to slice."""
    import cv2

    rng = np.random.default_rng(patient)
    start, drift = rng.normal(size=(2, 9, 9, 3))
    coarse = start + 0.4 * number * drift
    pixels = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) * 40 + 120
    if noise:
        pixels = pixels + np.random.default_rng(noise).normal(0, 4, pixels.shape)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def cohort(root, patients: int = 8, slices: int = 4):
    names = [f"TCGA_XX_{number:04d}_20000101" for number in range(patients)]
    for path in sorted(lgg(root, names, slices).rglob("*.tif")):
        _, _, patient, _, number, *mask = path.stem.split("_")
        pixels = mask_pixels(255, (SIDE, SIDE)) if mask else head(int(patient), int(number))
        path.write_bytes(tiff(pixels))
    return root


def picture(root, patient: int, number: int):
    return next(root.rglob(f"TCGA_XX_{patient:04d}_20000101_{number}.tif"))


def audited(root, made: split.Split) -> leaks.Audit:
    found, unread = similar_slices.slices_of(sources.find(root).cases)
    assert unread == []
    return leaks.audit(found, made)


def by_patient(root) -> split.Split:
    return split.make({case.patient: None for case in sources.find(root).cases})


def test_split_by_patient_is_clean(tmp_path):
    root = cohort(tmp_path / "set")
    result = audited(root, by_patient(root))
    assert result.clean
    assert sum(result.patients.values()) == 8
    assert sum(result.slices.values()) == 32


def test_split_by_slice_leaks_and_says_so(tmp_path):
    root = cohort(tmp_path / "set")
    result = audited(root, split.make_leaky({c.name: 4 for c in sources.find(root).cases}))
    assert result.leaky
    assert result.split_digest.startswith("leaky-")
    assert len(result.shared_patients) == 8
    assert result.alike > 0
    assert 0 < result.test_with_twin <= result.slices["test"]
    assert all(p.first.split("#")[0] == p.second.split("#")[0] for p in result.pairs)


@pytest.mark.parametrize(("noise", "identical"), [(0, 1), (5, 0)], ids=["identical", "noisy"])
def test_slice_of_another_patient_is_recognised(tmp_path, noise, identical):
    root = cohort(tmp_path / "set")
    made = by_patient(root)
    names = {case.patient: int(case.patient[-4:]) for case in sources.find(root).cases}
    source, target = names[made.train[0]], names[made.test[0]]
    picture(root, target, 2).write_bytes(tiff(head(source, 3, noise), order=">"))
    result = audited(root, made)
    assert (result.identical, result.test_with_twin) == (identical, 1)
    assert not result.clean
    pair = {result.pairs[0].first, result.pairs[0].second}
    assert {f"TCGA_XX_{target:04d}_20000101#1", f"TCGA_XX_{source:04d}_20000101#2"} <= {
        *pair,
        *(unit for p in result.pairs for unit in (p.first, p.second)),
    }


def test_same_bytes_under_two_names(tmp_path):
    root = cohort(tmp_path / "set")
    picture(root, 1, 2).write_bytes(picture(root, 1, 3).read_bytes())
    result = audited(root, by_patient(root))
    assert result.copied_files == ((str(picture(root, 1, 2)), str(picture(root, 1, 3))),)


def test_blank_slices_are_nobodys_twins(tmp_path):
    root = cohort(tmp_path / "set")
    for patient in range(8):
        picture(root, patient, 1).write_bytes(tiff(np.full((SIDE, SIDE, 3), 3, np.uint8)))
    assert audited(root, by_patient(root)).clean


def test_all_pairs_are_found_across_chunks(tmp_path, monkeypatch):
    root = cohort(tmp_path / "set")
    leaky = split.make_leaky({c.name: 4 for c in sources.find(root).cases})
    whole = audited(root, leaky)
    monkeypatch.setattr(leaks, "CHUNK", 3)
    assert audited(root, leaky).alike == whole.alike
    found, _ = similar_slices.slices_of(sources.find(root).cases)
    names = [f"{s.case}#{i}" for s in found for i in s.indices]
    place = {u: n for n in ("train", "val", "test") for u in getattr(leaky, n)}
    alike = np.corrcoef(np.concatenate([s.pictures for s in found]).astype(np.float64))
    expected = sum(
        alike[i, j] >= similar_slices.ALIKE and place[names[i]] != place[names[j]]
        for i in range(len(names))
        for j in range(i)
    )
    assert whole.alike == expected


def test_command(tmp_path, capsys):
    root = cohort(tmp_path / "set")
    assert main(["data", "audit", str(root)]) == 0
    assert "nothing leaks" in capsys.readouterr().out
    assert main(["data", "audit", str(root), "--leaky", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["leaky"]
    assert not content["clean"]


def test_command_judges_a_split_of_ones_own(tmp_path, capsys):
    root = cohort(tmp_path / "set")
    patients = [f"TCGA_XX_{number:04d}" for number in range(8)]
    path = tmp_path / "split.json"
    path.write_text(json.dumps({"train": patients[:6], "val": patients[6:7], "test": patients[7:]}))
    assert main(["data", "audit", str(root), "--split", str(path)]) == 0
    picture(root, 7, 1).write_bytes(tiff(head(0, 2, noise=1)))
    assert main(["data", "audit", str(root), "--split", str(path)]) == 1
    assert "this split leaks" in capsys.readouterr().out
