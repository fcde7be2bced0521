"""Memory of batches that nobody holds any more, for those to come.

Asked of the system anew, every page of a batch costs a fault, on a virtual machine more than what
filling it takes. And what was used a moment ago is still in the processor's caches.
"""

from math import prod
from typing import Any

import numpy as np

ALIGNED = 64  # bytes: TensorFlow takes over as it is what begins there, and copies all else


class Buffers:
    """Lends arrays; what one stood in is lent again once the array and its views are gone."""

    def __init__(self) -> None:
        self._spare: dict[int, list[np.ndarray]] = {}

    def lend(self, shape: tuple[int, ...], dtype: type[np.generic]) -> np.ndarray:
        """Give an array of any content."""
        size = prod(shape) * np.dtype(dtype).itemsize
        spare = self._spare.setdefault(size, [])
        try:
            room = spare.pop()
        except IndexError:
            room = _aligned(size)
        return np.asarray(_Loan(room, spare)).view(dtype).reshape(shape)


class _Loan:
    """What an array says it is made of, so that it ends with the last of its views."""

    def __init__(self, room: np.ndarray, spare: list[np.ndarray]):
        self._room, self._spare = room, spare

    @property
    def __array_interface__(self) -> dict[str, Any]:
        return self._room.__array_interface__

    def __del__(self) -> None:
        self._spare.append(self._room)


def _aligned(size: int) -> np.ndarray:
    room = np.empty(size + ALIGNED, np.uint8)
    start = -room.ctypes.data % ALIGNED
    return room[start : start + size]
