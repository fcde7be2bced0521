"""A small phantom cohort, made once, and specs that read it."""

import pytest

from data_pipeline import Cohort, DataSpec
from data_pipeline.augmenting.augment import Augmentation
from data_pipeline.files import whole_files

COHORT = Cohort(patients=6, size=24, seed=3)
MOVING = Augmentation(rotation=20, zoom=0.1, shift=0.1, flip=0.5, gamma=0.3, noise=0.05)
FLAT = DataSpec(size=(20, 20), batch_size=5, folds=3, phantom=COHORT, augmentation=MOVING)
SOLID = DataSpec(
    rank=3,
    size=(8, 12, 12),
    channels=("flair", "t1ce"),
    target="labels",
    batch_size=2,
    folds=3,
    phantom=COHORT,
    augmentation=MOVING,
)


@pytest.fixture(scope="session", autouse=True)
def _no_flush():
    """Leave flushing to the system: no test cuts the power, and a busy disk takes minutes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(whole_files.os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def flat():
    return FLAT


@pytest.fixture(scope="session")
def solid():
    return SOLID
