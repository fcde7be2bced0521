import numpy as np
import pytest

from benchmarks.protocols.protocol import Evaluation
from benchmarks.training import cut
from benchmarks.training.cut import Cut
from data_pipeline.feeding.targets import Target

REGIONS = {"WT": (1, 2), "TC": (2,)}
CLASSES = Target(((0,), (1,), (2,)), REGIONS, exclusive=True)


def lesion():
    """A box of 60 voxels with a core, a bar of 6 that touches nothing, and a single voxel."""
    labels = np.zeros((6, 12, 12), np.uint8)
    labels[1:4, 1:5, 1:6] = 1
    labels[2, 2, 2:5] = 2
    labels[1, 10, 1:7] = 1
    labels[5, 0, 11] = 2
    return labels


def sizes(share, least=0):
    return int(cut.large(lesion() > 0, share=share, least=least).sum())


@pytest.mark.parametrize(
    ("share", "voxels"), [(0.0, 67), (1 / 60, 67), (0.02, 66), (0.1, 66), (0.11, 60), (1.0, 60)]
)
def test_a_component_stays_that_has_the_share_of_the_largest(share, voxels):
    assert sizes(share) == voxels


def test_a_component_stays_that_has_so_many_voxels():
    assert [sizes(0.0, least) for least in (1, 2, 6, 7, 61)] == [67, 66, 66, 60, 0]


def test_corners_connect():
    lesion = np.zeros((3, 3, 3), bool)
    lesion[0, 0, 0] = lesion[1, 1, 1] = lesion[2, 2, 2] = True
    assert cut.large(lesion, share=1.0).sum() == 3


def test_of_nothing_nothing_is_kept():
    assert not cut.large(np.zeros((2, 3, 3), bool), share=0.5).any()


def test_a_core_goes_by_the_lesion_that_it_lies_in():
    found = np.eye(3, dtype=np.float32)[lesion()]
    masks = Cut(smallest=0.5).masks(found, CLASSES, REGIONS)
    assert masks["WT"].sum() == 60
    assert masks["TC"].sum() == 3  # smaller than the bar, but a part of the largest lesion
    whole = Cut().masks(found, CLASSES, REGIONS)
    assert (whole["WT"].sum(), whole["TC"].sum()) == (67, 4)


def test_what_a_protocol_leaves_open_is_as_if_nothing_was_chosen():
    assert Cut.of(Evaluation(threshold=None, smallest=None)) == Cut(0.5, 0.0)
    assert Cut.of(Evaluation(threshold=0.3, smallest=0.1)) == Cut(0.3, 0.1)


def test_several_networks_are_cut_in_their_midst():
    assert cut.mean([Cut(0.4, 0.0), Cut(0.6, 0.2)]) == Cut(0.5, 0.1)
