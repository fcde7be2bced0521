"""A network whose card says [0, 1] gets [0, 1], whatever the protocol's normalisation gives."""

import numpy as np
import pytest

import data_pipeline
import zoo
from data_pipeline import Cohort, DataSpec
from data_pipeline.errors import UserError
from data_pipeline.feeding import value_range
from data_pipeline.feeding.value_range import bring

SPEC = DataSpec(size=(16, 16), batch_size=4, phantom=Cohort(patients=6, size=16))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return data_pipeline.load(SPEC, cache=tmp_path_factory.mktemp("cache"), threads=1)


def as_stated(z):
    """Four deviations on either side of the mean make up [0, 1]."""
    return np.clip((z.astype(np.float64) + 4) / 8, 0, 1)


def test_values_of_z_scores():
    images = np.array([-9, -4, -3.3, -2, 0, 1, 2.9, 4, 7], np.float32)
    bring(images, "zscore_brain", "unit")
    np.testing.assert_allclose(images, [0, 0, 0.0875, 0.25, 0.5, 0.625, 0.8625, 1, 1], atol=1e-6)


@pytest.mark.parametrize("normalisation", ["div255", "minmax_slice", "gaussian_clahe"])
def test_what_is_in_range_already_stays(normalisation):
    images = np.array([0, 0.25, 1], np.float32)
    bring(images, normalisation, "unit")
    np.testing.assert_array_equal(images, [0, 0.25, 1])


def test_nothing_changes_for_a_network_that_takes_what_it_is_given():
    images = np.array([-3, 0, 5], np.float32)
    bring(images, "zscore_brain", "normalised")
    np.testing.assert_array_equal(images, [-3, 0, 5])


def test_values_without_bounds_are_refused(data):
    with pytest.raises(UserError, match=r"takes images in \[0, 1\].*'none' has no bounds"):
        value_range.check("none", "unit")
    with pytest.raises(UserError, match="Expected a range of normalised, unit"):
        data.in_range("bytes")


def test_batches_and_patients_are_brought_to_the_range_on_every_way(data):
    unit = data.in_range("unit")
    given, wanted = next(data.batches("train")), next(unit.batches("train"))
    assert given[0].min() < 0 < 1 < given[0].max()
    np.testing.assert_allclose(wanted[0], as_stated(given[0]), atol=1e-6)
    np.testing.assert_array_equal(wanted[1], given[1])
    for before, after in zip(data.patients("test"), unit.patients("test"), strict=True):
        np.testing.assert_allclose(after.images, as_stated(before.images), atol=1e-6)


def test_the_networks_with_an_encoder_of_imagenet_ask_for_it():
    asking = {name for name in zoo.names() if zoo.card(name).value_range == "unit"}
    assert asking == {"resnet50_unet", "deeplabv3plus"}
