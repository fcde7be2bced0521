"""NIfTI: the same voxels and places as nibabel where it is right, and back again exactly."""

import itertools

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make_nifti import LPS, SHAPE, labels, nifti, nnunet, pack, scan

from data_pipeline import sources
from data_pipeline.cases.case import Case, Volume
from data_pipeline.cases.read_case import read_case
from data_pipeline.errors import UserError
from data_pipeline.formats import affine, nifti_header
from data_pipeline.formats import nifti as reader

IDENTITY = {0: 0, 1: 1, 2: 2}
DTYPES = ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]
OBLIQUE = np.array([(-0.9, 0.1, 0.05, 30), (0.12, -1.1, 0.2, 40), (0.02, 0.18, 2.4, -50)])


def written(tmp_path, raw: bytes, name: str = "x.nii.gz"):
    path = tmp_path / name
    path.write_bytes(pack(raw) if name.endswith(".gz") else raw)
    return path


def case_of(tmp_path, images: list[bytes], mask: bytes) -> Case:
    paths = [written(tmp_path, raw, f"{n}.nii.gz") for n, raw in enumerate(images)]
    names = ("flair", "t1", "t1ce", "t2")[: len(paths)]
    label = written(tmp_path, mask, "label.nii.gz")
    return Case("p", "p", "volumes", names, tuple(paths), (label,), IDENTITY)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["x.nii", "x.nii.gz"])
def test_big_endian_equals_native_and_nibabel(tmp_path, dtype, name):
    array = scan(3).astype(dtype)
    native = reader.read_image(written(tmp_path, nifti(array), name)).array
    path = written(tmp_path, nifti(array, order=">"), name)
    other = reader.read_image(path).array
    np.testing.assert_array_equal(native, other)
    np.testing.assert_array_equal(other, np.asarray(nibabel.load(path).dataobj, np.float32))
    assert other.dtype.isnative
    assert other.dtype == (dtype if dtype in ("u1", "i2") else np.float32)


def test_slope_and_intercept_of_an_image_are_applied(tmp_path):
    raw = nifti(scan(1).astype(np.int16), scl_slope=0.5, scl_inter=-3.0)
    path = written(tmp_path, raw)
    np.testing.assert_allclose(reader.read_image(path).array, nibabel.load(path).get_fdata())


def test_nifti_2_is_read(tmp_path):
    path = tmp_path / "x.nii.gz"
    nibabel.save(nibabel.Nifti2Image(scan(1), np.diag([-1, -1, 1, 1])), path)
    np.testing.assert_array_equal(reader.read_image(path).array, scan(1))


def test_header_extension_is_stepped_over(tmp_path):
    image = nibabel.Nifti1Image(scan(1), np.eye(4))
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"x" * 100))
    nibabel.save(image, tmp_path / "x.nii.gz")
    np.testing.assert_array_equal(reader.read_image(tmp_path / "x.nii.gz").array, scan(1))


@pytest.mark.parametrize("matrix", [np.array(LPS), OBLIQUE], ids=["LPS", "oblique"])
@pytest.mark.parametrize("code", ["sform", "qform"])
def test_affine_is_nibabels(tmp_path, matrix, code):
    square = np.vstack([matrix, [0, 0, 0, 1]])
    image = nibabel.Nifti1Image(scan(1), None)
    image.set_sform(square if code == "sform" else None, int(code == "sform"))
    image.set_qform(square if code == "qform" else None, int(code == "qform"))
    nibabel.save(image, tmp_path / "x.nii.gz")
    loaded = nibabel.load(tmp_path / "x.nii.gz")
    grid = reader.read_image(tmp_path / "x.nii.gz").grid
    np.testing.assert_allclose(grid.affine, loaded.affine, atol=1e-5)
    np.testing.assert_allclose(grid.spacing, nibabel.affines.voxel_sizes(loaded.affine), atol=1e-5)
    assert grid.in_mm


def orientations():
    for axes in itertools.permutations(("RL", "AP", "SI")):
        yield from map("".join, itertools.product(*axes))


@pytest.mark.parametrize("codes", sorted(orientations()))
def test_every_orientation_reads_alike_and_goes_back(tmp_path, codes):
    """The same head stored in each of the 48 ways gives one array, and returns to its file."""
    lps = nibabel.Nifti1Image(scan(7), np.vstack([LPS, [0, 0, 0, 1]]) @ np.diag([1, 2, 3, 1.0]))
    turn = nibabel.orientations.ornt_transform(
        nibabel.io_orientation(lps.affine), nibabel.orientations.axcodes2ornt(codes)
    )
    stored = lps.as_reoriented(turn)
    mask = nibabel.Nifti1Image(labels(), lps.affine).as_reoriented(turn)
    volume = read_case(case_of(tmp_path, [stored.to_bytes()], mask.to_bytes()))
    np.testing.assert_array_equal(volume.image[..., 0], scan(7).transpose(2, 1, 0))
    np.testing.assert_array_equal(volume.label, labels().transpose(2, 1, 0))
    np.testing.assert_allclose(volume.spacing, (3, 2, 1), atol=1e-5)
    np.testing.assert_allclose(volume.affine, stored.affine, atol=1e-5)
    np.testing.assert_array_equal(volume.to_file(volume.label), mask.dataobj)


@given(st.lists(st.integers(1, 6), min_size=3, max_size=3), st.sampled_from(sorted(orientations())))
@settings(deadline=None)
def test_to_file_undoes_the_turn(shape, codes):
    array = np.arange(np.prod(shape)).reshape(shape)
    orientation = nibabel.orientations.axcodes2ornt(codes)
    turned = affine.to_lps(array, orientation).transpose(2, 1, 0)
    volume = Volume(turned[..., None], ("t1",), None, np.eye(4), (1, 1, 1), True, orientation)
    np.testing.assert_array_equal(volume.to_file(turned), array)


def test_labels_are_uint8_whatever_they_were(tmp_path):
    for dtype in (np.int64, np.float64, np.int8):
        path = written(tmp_path, nifti(labels().astype(dtype)))
        label = reader.read_label(path, IDENTITY).array
        assert label.dtype == np.uint8
        np.testing.assert_array_equal(label, labels())


@given(st.dictionaries(st.integers(0, 255), st.integers(0, 255), min_size=1))
@settings(deadline=None)
def test_mapping_is_a_dictionary_look_up(values):
    stored = np.array(sorted(values), np.int32).repeat(3)
    mapped = reader.map_labels("x", stored, values)
    assert mapped.tolist() == [values[value] for value in stored.tolist()]


def test_channels_of_one_type_keep_it_and_mixed_ones_are_float(tmp_path):
    short = [nifti(scan(n).astype(np.int16)) for n in range(2)]
    assert read_case(case_of(tmp_path, short, nifti(labels()))).image.dtype == np.int16
    mixed = [short[0], nifti(scan(1))]
    volume = read_case(case_of(tmp_path, mixed, nifti(labels())))
    assert volume.image.dtype == np.float32
    np.testing.assert_array_equal(volume.image[..., 0], scan(0).astype(np.int16).transpose(2, 1, 0))
    assert volume.image.flags.c_contiguous


def test_millimetres_are_refused_where_the_file_states_none(tmp_path):
    odd = {"sform_code": 0, "pixdim": [1, 0, 1, 1, 0, 0, 0, 0]}
    volume = read_case(case_of(tmp_path, [nifti(scan(1), **odd)], nifti(labels(), **odd)))
    assert (volume.in_mm, volume.spacing) == (False, (1, 1, 1))
    assert any("pixdim" in warning for warning in volume.warnings)
    with pytest.raises(UserError, match="millimetres"):
        volume.spacing_mm("p")


def test_millimetres_of_a_sound_file(tmp_path):
    volume = read_case(case_of(tmp_path, [nifti(scan(1))], nifti(labels())))
    assert volume.spacing_mm("p") == (1, 1, 1)


def test_sizes_are_checked_before_anything_is_allocated(tmp_path, monkeypatch):
    monkeypatch.setattr(reader.gzip_stream, "inflate", lambda *_: pytest.fail("unpacked"))
    path = written(tmp_path, nifti(scan(1), dim=[3, 32767, 32767, 32767, 1, 1, 1, 1]))
    with pytest.raises(UserError, match="32767"):
        reader.read_image(path)


def test_several_gzip_members_and_channels_survive(tmp_path):
    raw = nifti(scan(1))
    (tmp_path / "x.nii.gz").write_bytes(
        b"".join(pack(raw[i : i + 400]) for i in range(0, len(raw), 400))
    )
    np.testing.assert_array_equal(reader.read_image(tmp_path / "x.nii.gz").array, scan(1))


def test_reading_through_a_source_names_channels(tmp_path):
    dataset = sources.find(nnunet(tmp_path / "set"))
    volume = read_case(dataset.cases[0])
    assert volume.channels == dataset.channels == ("flair", "t1ce")
    np.testing.assert_array_equal(volume.image[..., 1], scan(1).transpose(2, 1, 0))
    assert volume.image.shape == (*SHAPE[::-1], 2)


def test_header_limits_hold_a_brats_case():
    assert nifti_header.LIMIT_BYTES / 10 > 240 * 240 * 155 * 4 * 4
