"""Synthetic glioma patients: deterministic by seed, written in the layouts of the real data sets."""

from data_pipeline.phantom.patient import MODALITIES, PatientVolume, generate
from data_pipeline.phantom.write import LAYOUTS, MARKER, write

__all__ = ["LAYOUTS", "MARKER", "MODALITIES", "PatientVolume", "generate", "write"]
