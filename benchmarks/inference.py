"""Probabilities for a whole scan: batches of one fixed shape, so that one trace serves them all."""

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras


class Predictor:
    """Runs a model over scans; the last batch is filled up rather than traced anew."""

    def __init__(self, model: "keras.Model", batch_size: int):
        self.model = model
        self.batch_size = batch_size

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return `(D, h, w, K)` probabilities of `(D, h, w, C)` images.

        A model of slices takes them one by one; one of volumes takes tiles of its input's shape,
        evenly spread, whose overlaps are averaged.
        """
        sides = self.model.input_shape[1:-1]
        return self.batched(images) if len(sides) == 2 else self._tiled(images, sides)

    def batched(self, samples: np.ndarray) -> np.ndarray:
        """Return the model's output for any number of samples."""
        outputs = [self._batch(chunk) for chunk in _chunks(samples, self.batch_size)]
        return np.concatenate(outputs)

    def _batch(self, chunk: np.ndarray) -> np.ndarray:
        missing = self.batch_size - len(chunk)
        if missing:
            filling = np.zeros((missing, *chunk.shape[1:]), chunk.dtype)
            chunk, wanted = np.concatenate([chunk, filling]), len(chunk)
            return np.asarray(self.model.predict_on_batch(chunk))[:wanted]
        return np.asarray(self.model.predict_on_batch(chunk))

    def _tiled(self, volume: np.ndarray, sides: tuple[int, ...]) -> np.ndarray:
        total = np.zeros((*volume.shape[:3], self.model.output_shape[-1]), np.float32)
        count = np.zeros((*volume.shape[:3], 1), np.float32)
        tiles = list(_tiles(volume.shape[:3], sides))
        for chunk in _chunks(tiles, self.batch_size):
            outputs = self._batch(np.stack([volume[tile] for tile in chunk]))
            for tile, output in zip(chunk, outputs, strict=True):
                total[tile] += output
                count[tile] += 1
        return total / count


def _tiles(shape: tuple[int, ...], sides: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Cover a volume, which is at least as large as a tile, with evenly spread tiles."""
    starts = [
        np.linspace(0, length - side, -(-length // side)).round().astype(int).tolist()
        for length, side in zip(shape, sides, strict=True)
    ]
    for corner in product(*starts):
        yield tuple(slice(start, start + side) for start, side in zip(corner, sides, strict=True))


def _chunks(items, size: int) -> Iterator:
    for start in range(0, len(items), size):
        yield items[start : start + size]
