"""Flips over several sides, in a form that every runtime has."""

from collections.abc import Sequence

from keras import ops


def flipped(x, axes: Sequence[int]):
    """Flip one side after the other: OpenVINO reverses no more at a time."""
    for axis in axes:
        x = ops.flip(x, axis)
    return x
