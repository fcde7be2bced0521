"""What names a store must not move: files and records written before are found by it."""

import pytest

from data_pipeline import Cohort, DataSpec, load

COHORT = Cohort(patients=4, size=16, seed=1)
FLAT = DataSpec(size=(16, 16), channels=("flair", "t1"), phantom=COHORT, folds=3)
DEEP = DataSpec(rank=3, size=(16, 16, 16), phantom=COHORT, folds=3)


@pytest.mark.parametrize(
    ("spec", "fingerprint"), [(FLAT, "14adb17003d2240d"), (DEEP, "6261c3f12ae212bd")]
)
def test_no_store_and_no_split_changes_its_name_unnoticed(tmp_path, spec, fingerprint):
    data = load(spec, cache=tmp_path)
    assert (data.fingerprint, data.split_digest) == (fingerprint, "fa5df80cb09c49fd")
    assert data.store.path == tmp_path / "stores" / fingerprint
