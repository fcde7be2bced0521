"""A scan of each layout as a page: what it holds, whose figures it shows, what is refused."""

import base64
import gzip
import hashlib
import json
import re
import threading
import urllib.error
import urllib.request
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest

from benchmarks import metrics
from benchmarks.__main__ import main
from benchmarks.viewing import page, served, shown_scan, voxels
from data_pipeline.phantom import write

LAYOUTS = ("brats", "lgg", "msd", "nnunet")
TEMPLATES = Path(page.__file__).parent / "templates"


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    root = tmp_path_factory.mktemp("cohorts")
    return {layout: write.ensure(root / layout, layout, 2, 32, 0) for layout in LAYOUTS}


@pytest.fixture
def brats(cohorts):
    return next(path for path in sorted(cohorts["brats"].iterdir()) if path.is_dir())


def shifted(scan: Path, out: Path, by: int = 1) -> Path:
    """Write a scan's own labels, moved by some voxels, as `predict` writes a mask."""
    image = nibabel.load(scan / f"{scan.name}_seg.nii.gz")
    labels = np.roll(np.asarray(image.dataobj).astype(np.uint8), by, 0)
    out.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(labels, image.affine), out / f"{scan.name}.nii.gz")
    return out


def view(*arguments) -> int:
    return main(["view", *map(str, arguments)])


def case_of(content: str) -> dict:
    found = re.search(r'<script type="application/json" id="case">(.*?)</script>', content)
    assert found
    return json.loads(found[1])


def unpacked(text: str, shape) -> np.ndarray:
    plain = gzip.decompress(base64.b64decode(text))
    return np.frombuffer(plain, np.uint8).reshape(tuple(reversed(shape)))


def scan_of(cohort: Path, layout: str) -> Path:
    """Name a patient's folder, or one file where the patients lie together."""
    if layout in ("brats", "lgg"):
        return next(path for path in sorted(cohort.iterdir()) if path.is_dir())
    return sorted((cohort / "imagesTr").iterdir())[0]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_scan_of_every_layout_becomes_a_page_with_its_own_labels(layout, cohorts, tmp_path):
    version = ["--version", "2021"] if layout == "brats" else []
    out = tmp_path / "page.html"
    assert view(scan_of(cohorts[layout], layout), "--out", out, *version) == 0
    case = case_of(out.read_text())
    assert case["layers"] == ["Reference"]
    assert case["reference"]
    channels = 3 if layout == "lgg" else 4
    assert len(case["contrasts"]) == channels
    assert case["contrasts"][case["first"]] == "flair"
    regions = ["tumour"] if layout == "lgg" else ["WT", "TC", "ET"]
    assert [region["name"] for region in case["regions"]] == regions
    labels = unpacked(case["voxels"][channels], case["shape"])
    column, row, place = case["start"]
    assert labels.any()
    assert labels[place].any(axis=1)[row]
    assert labels[place].any(axis=0)[column]


def test_the_page_is_told_as_json(brats, tmp_path, capsys):
    out = tmp_path / "page.html"
    assert view(brats, "--version", 2021, "--out", out, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"case": brats.name, "path": str(out)}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_layouts_show_the_same_patient_alike(layout, cohorts):
    version = "2021" if layout == "brats" else None
    known = shown_scan.read(scan_of(cohorts["brats"], "brats"), version="2021")
    shown = shown_scan.read(scan_of(cohorts[layout], layout), version=version)
    if layout == "lgg":
        assert set(np.unique(shown.reference)) == {0, 1}
    elif layout != "nnunet":  # whose values are its own
        assert np.array_equal(shown.reference, known.reference)
    for region, values in shown.regions.items() if layout != "lgg" else ():
        one = np.isin(known.reference, known.regions[region])
        assert np.array_equal(np.isin(shown.reference, values), one)


def test_figures_are_those_of_the_projects_own_metrics(brats, tmp_path):
    masks = [shifted(brats, tmp_path / "unet", 1), shifted(brats, tmp_path / "sa_unet", 4)]
    out = tmp_path / "page.html"
    assert view(brats, *masks, "--version", 2021, "--out", out) == 0
    content = out.read_text()
    shown = shown_scan.read(brats, masks, version="2021")
    assert list(shown.layers) == ["Reference", "unet", "sa_unet"]
    rows = re.findall(r"<tr><th.*?</tr>", content)[1:]
    assert len(rows) == 9
    for row in rows:
        region = re.search(r"</svg> (\w+)<", row)[1]
        name, size, *scores = re.findall(r"<td>(.*?)</td>", row)
        values = shown.regions[region]
        mask = np.isin(shown.layers[name], values)
        ml = mask.sum() * np.prod(shown.volume.spacing) / 1000
        assert float(size) == pytest.approx(ml, abs=0.051)
        if name == "Reference":
            assert set(scores) == {"–"}
            continue
        expected = metrics.score(np.isin(shown.reference, values), mask, shown.volume.spacing)
        assert scores[0] == f"{expected['dice']:.3f}"
        assert scores[3] == f"{expected['hd95']:.1f}"
        assert 0 <= expected["dice"] < 1


def test_what_the_page_holds_is_the_scan(brats):
    shown = shown_scan.read(brats, version="2021")
    case = case_of(page.page(shown))
    depth, rows, columns = shown.volume.image.shape[:3]
    assert case["shape"] == [columns, rows, depth]
    flair = unpacked(case["voxels"][0], case["shape"])
    original = shown.volume.image[..., 0]
    bright = original[flair == 255]
    assert flair[original == 0].max() == 0
    assert bright.min() >= original[(flair > 0) & (flair < 255)].max()
    header = nibabel.Nifti1Header(base64.b64decode(case["header"])[:348])
    assert header.get_data_shape() == (columns, rows, depth)
    assert header.get_zooms() == pytest.approx(tuple(reversed(shown.volume.spacing)))
    assert nibabel.aff2axcodes(header.get_sform()) == ("L", "P", "S")


def test_slices_without_a_distance_are_drawn_as_high_as_a_head(cohorts):
    shown = shown_scan.read(scan_of(cohorts["lgg"], "lgg"))
    depth, _, columns = shown.volume.image.shape[:3]
    high, down, across = voxels.drawn_spacing(shown.volume)
    assert down == across == 1
    assert high == max(1, 0.6 * columns / depth)


def test_masks_of_slices_are_read_from_their_folder(cohorts, tmp_path):
    scan = scan_of(cohorts["lgg"], "lgg")
    out = tmp_path / "sa_unet"
    (out / scan.name).mkdir(parents=True)
    for path in scan.glob("*_mask.tif"):
        picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert cv2.imwrite(str(out / scan.name / path.name), np.roll(picture, 2, 1))
    shown = shown_scan.read(scan, [out])
    assert list(shown.masks) == ["sa_unet"]
    assert np.array_equal(shown.masks["sa_unet"], np.roll(shown.reference, 2, 2))


def test_two_masks_of_one_name_are_told_apart(brats, tmp_path):
    masks = [shifted(brats, tmp_path / run / "masks", 1) for run in ("first", "second")]
    shown = shown_scan.read(brats, masks, version="2021")
    assert list(shown.masks) == ["masks", "masks 2"]


def test_any_label_is_lesion_where_one_asks_for_the_whole(brats, tmp_path):
    shown = shown_scan.read(brats, [shifted(brats, tmp_path / "unet")], whole=True)
    assert list(shown.regions) == ["tumour"]
    assert set(np.unique(shown.reference)) == set(np.unique(shown.masks["unet"])) == {0, 1}


def test_a_plain_volume_needs_no_data_set(tmp_path):
    array = np.random.default_rng(0).uniform(1, 9, (6, 7, 8, 2)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(array, np.diag([-1, -1, 1, 1])), tmp_path / "mine.nii.gz")
    shown = shown_scan.read(tmp_path / "mine.nii.gz")
    assert shown.volume.channels == ("channel 0", "channel 1")
    assert not shown.layers
    assert "No mask was given" in page.page(shown)


def test_a_described_data_set_shows_its_own_regions(brats, tmp_path):
    for path in brats.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "dataset.toml").write_text(
        'mask = "{case}_seg.nii.gz"\n'
        '[images]\nflair = "{case}_flair.nii.gz"\n'
        "[labels]\nncr = 1\ned = 2\net = 4\n"
        '[regions]\nall = ["ncr", "ed", "et"]\ncore = ["ncr"]\n'
    )
    shown = shown_scan.read(tmp_path)
    assert list(shown.regions) == ["all", "core"]
    assert shown.volume.channels == ("flair",)
    assert np.isin(shown.reference, shown.regions["core"]).any()


def sentence(capsys) -> str:
    told = capsys.readouterr().err.strip()
    assert "\n" not in told
    return told


def test_wrong_input_is_one_sentence_and_no_page(cohorts, brats, tmp_path, capsys):
    out = tmp_path / "page.html"
    other = tmp_path / "other" / f"{brats.name}.nii.gz"
    other.parent.mkdir()
    nibabel.save(nibabel.Nifti1Image(np.zeros((5, 5, 5), np.uint8), np.eye(4)), other)
    text = tmp_path / "notes.txt"
    text.write_text("no scan")
    for arguments, word in (
        ([tmp_path / "nowhere"], "there is no such file"),
        ([brats, tmp_path / "nowhere.nii.gz"], "there is no such mask"),
        ([brats, other], "has the shape"),
        ([brats], "--version"),  # a label 4 means another thing each year
        ([text], "expected a NIfTI file"),
        ([cohorts["brats"]], "holds 2 scans"),
        ([cohorts["brats"], "--case", "nobody"], "nobody"),
        ([brats, tmp_path / "other", "--version", "1999"], "1999"),
    ):
        assert view(*arguments, "--out", out) == 2
        assert word in sentence(capsys)
        assert not out.exists()


def test_a_shifted_mask_is_refused(brats, tmp_path, capsys):
    image = nibabel.load(brats / f"{brats.name}_seg.nii.gz")
    moved = image.affine + np.array([[0, 0, 0, 9]] + [[0] * 4] * 3)
    path = tmp_path / "mask.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj), moved), path)
    assert view(brats, path, "--version", 2021, "--out", tmp_path / "page.html") == 2
    assert "affine" in sentence(capsys)


def test_nothing_but_a_page_is_replaced(brats, tmp_path, capsys):
    out = tmp_path / "thesis.html"
    out.write_text("<!doctype html>mine")
    assert view(brats, "--version", 2021, "--out", out) == 2
    assert "choose another --out" in sentence(capsys)
    assert out.read_text() == "<!doctype html>mine"
    out.unlink()
    for _ in range(2):
        assert view(brats, "--version", 2021, "--out", out) == 0
    assert out.read_bytes().startswith(page.MADE)


def test_hostile_names_are_text(brats):
    shown = shown_scan.read(brats, version="2021")
    hostile = "</script><script>alert(1)</script>"
    masks = {hostile: shown.reference}
    content = page.page(shown_scan.Shown(hostile, shown.volume, shown.regions, None, masks))
    assert hostile not in content
    assert case_of(content)["layers"] == [hostile]


def test_the_page_allows_its_own_scripts_alone(brats):
    content = page.page(shown_scan.read(brats, version="2021"))
    policy = re.search(r'Content-Security-Policy" content="(.*?)">', content)[1]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    scripts = re.findall(r"<script>(.*?)</script>", content, re.DOTALL)
    assert len(scripts) == 2
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_the_viewer_is_the_one_that_its_licence_file_states():
    stated = (TEMPLATES / "niivue.LICENSE.txt").read_text()
    content = (TEMPLATES / "niivue.umd.js").read_bytes()
    assert hashlib.sha256(content).hexdigest() in stated
    assert "BSD 2-Clause License" in stated


def asked(address: str, host: str | None = None) -> int:
    request = urllib.request.Request(address, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_it_is_served_to_this_machine_and_to_who_knows_the_address():
    with served.Server("<p>page</p>") as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert server.address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(server.address, timeout=10) as answer:
            assert answer.read() == b"<p>page</p>"
            assert answer.headers["Cache-Control"] == "no-store"
        assert asked(server.address + "more") == 404
        assert asked(f"http://127.0.0.1:{server.server_port}/") == 404
        assert asked(server.address, host="example.org") == 404
        server.shutdown()


def test_out_and_serve_exclude_each_other(brats, tmp_path, capsys):
    assert view(brats, "--serve", "--out", tmp_path / "page.html") == 2
    assert "--out or --serve" in sentence(capsys)
