"""Synthetic glioma patients: deterministic by seed, in the layouts of real data sets."""

from data_pipeline.phantom.contrast import MODALITIES
from data_pipeline.phantom.patient import PatientVolume, generate

__all__ = ["MODALITIES", "PatientVolume", "generate"]
