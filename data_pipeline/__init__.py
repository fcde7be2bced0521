"""Datasets of brain tumours: found, checked, split by patient, prepared, and fed fast.

Names are looked up when they are asked for, so that `import data_pipeline` imports neither
TensorFlow nor Keras nor OpenCV.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from data_pipeline.errors import UserError

if TYPE_CHECKING:
    from data_pipeline.data import Data
    from data_pipeline.loading import load
    from data_pipeline.scans.scored_scan import PatientData
    from data_pipeline.spec import Cohort, DataSpec

_HOMES = {
    "Cohort": "spec",
    "Data": "data",
    "DataSpec": "spec",
    "PatientData": "scans.scored_scan",
    "load": "loading",
}

__all__ = ["Cohort", "Data", "DataSpec", "PatientData", "UserError", "load"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'data_pipeline' has no attribute {name!r}")
    return getattr(import_module(f"data_pipeline.{_HOMES[name]}"), name)
