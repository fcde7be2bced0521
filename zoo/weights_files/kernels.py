"""Kernels of one size out of trained ones of another, as MedNeXt's UpKern makes them."""

import numpy as np


def resampled(kernel: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a kernel whose spatial sides are those of `shape`, interpolated linearly.

    Places are centres of equal parts of a side, and those beyond the outermost centre have its
    value: what PyTorch's `interpolate(mode="trilinear")` does, from which UpKern takes its own.
    """
    for axis, (have, want) in enumerate(zip(kernel.shape, shape, strict=True)):
        kernel = np.moveaxis(np.tensordot(_line(have, want), kernel, (1, axis)), 0, axis)
    return kernel


def differ_in_size(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Say whether two shapes of kernels differ in their spatial sides, and in nothing else."""
    sides = len(one) - 2
    return len(one) == len(other) and sides >= 1 and one != other and one[sides:] == other[sides:]


def _line(have: int, want: int) -> np.ndarray:
    """Return the matrix that interpolates `want` values out of `have`."""
    matrix = np.zeros((want, have), np.float32)
    places = np.clip((np.arange(want) + 0.5) * have / want - 0.5, 0, have - 1)
    before = np.minimum(places.astype(int), max(have - 2, 0))
    after = np.minimum(before + 1, have - 1)
    np.add.at(matrix, (np.arange(want), before), 1 - (places - before))
    np.add.at(matrix, (np.arange(want), after), places - before)
    return matrix
