"""Weights in 16 bits on disk, and in 32 again; moving statistics keep theirs."""

import numpy as np

from zoo.errors import UserError
from zoo.weights_files.sealed import Tensors

KEPT = ("moving_mean", "moving_variance", "mean", "variance", "count")


def halved(tensors: Tensors) -> Tensors:
    """Return float32 weights as float16, save those that normalise."""
    found = {}
    for name, tensor in tensors.items():
        small = tensor.dtype == np.float32 and name.rpartition("/")[2] not in KEPT
        with np.errstate(over="ignore"):
            found[name] = tensor.astype(np.float16) if small else tensor
        if not np.isfinite(found[name]).all():
            raise UserError(f"{name} holds weights beyond float16's range: keep float32.")
    return found


def widened(tensors: Tensors) -> Tensors:
    """Return what `halved` made, in the precision that models have."""
    return {
        name: tensor.astype(np.float32) if tensor.dtype == np.float16 else tensor
        for name, tensor in tensors.items()
    }
