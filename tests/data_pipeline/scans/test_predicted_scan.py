"""A scan to predict: what it is against a store's way, and what is held of it meanwhile."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from make_nifti import nifti

from data_pipeline.cases.case import Case
from data_pipeline.cases.read_case import read_case
from data_pipeline.errors import UserError
from data_pipeline.preparing.normalise import normalise
from data_pipeline.preparing.preparation import Preparation
from data_pipeline.scans import predicted_scan
from data_pipeline.storing import encoding

NAMES = ("t1", "t1ce", "t2", "flair")
SHAPE = (80, 96, 88)  # X, Y, Z; the brain's box is all of it


@pytest.fixture(params=[np.int16, np.float32])
def case(request, tmp_path):
    paths = []
    for seed, name in enumerate(NAMES):
        voxels = np.random.default_rng(seed).integers(0, 900, SHAPE).astype(request.param)
        paths.append(tmp_path / f"{name}.nii")
        paths[-1].write_bytes(nifti(voxels))
    return Case("A", "A", "volumes", NAMES, tuple(paths), (), {})


def test_channels_one_by_one_are_those_of_the_whole_scan_to_the_bit(case):
    order = ("flair", "t1", "t2", "t1ce")
    whole = read_case(case).image[..., [NAMES.index(name) for name in order]]
    label = np.zeros(whole.shape[:3], np.uint8)
    records, scales = encoding.encode(normalise(whole, "zscore_brain"), label)
    expected = np.empty(whole.shape, np.float32)
    encoding.decode(encoding.parted(records)[0], scales, expected)
    preparation = Preparation(3, (32, 32, 32), order, "zscore_brain")
    scan, images = predicted_scan.read(case, preparation)
    np.testing.assert_array_equal(np.asarray(images), expected)
    np.testing.assert_array_equal(scan.drawn(), whole[..., 0])


def test_four_channels_wait_in_16_bits_and_one_is_float32(case):
    preparation = Preparation(3, (32, 32, 32), NAMES, "zscore_brain")
    held = 4 * predicted_scan.read(case, preparation)[1].channels[0].itemsize
    as_read = 4 * read_case(case).image.itemsize  # imports are not counted below
    tracemalloc.start()
    predicted_scan.read(case, preparation)
    peak = tracemalloc.get_traced_memory()[1] / np.prod(SHAPE)
    tracemalloc.stop()
    assert held == 8
    assert peak < as_read + 4 + 2  # bytes a voxel: the files' own, a float32, and little else


def test_what_a_scan_lacks_is_zeros_where_fewer_will_do(case):
    preparation = Preparation(3, (32, 32, 32), NAMES, "zscore_brain")
    _, whole = predicted_scan.read(case, preparation)
    partial = replace(case, channels=NAMES[1::2], images=case.images[1::2])
    _, found = predicted_scan.read(partial, preparation, fewer=True)
    assert found.shape == whole.shape
    np.testing.assert_array_equal(found[:][..., 1::2], whole[:][..., 1::2])
    assert not found[:][..., ::2].any()
    with pytest.raises(UserError, match="add t1, t2"):
        predicted_scan.read(partial, preparation)
    other = replace(case, channels=("pd",), images=case.images[:1])
    with pytest.raises(UserError, match="add t1, t1ce, t2, flair"):
        predicted_scan.read(other, preparation, fewer=True)
