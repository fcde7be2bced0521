"""The one function that makes a batch: boxes of records in, images and targets out.

tf.data and the plain iterator both call it, with the numbers of a batch and nothing else.
"""

from math import prod

import numpy as np

from data_pipeline.augmenting.augment import augment_records
from data_pipeline.feeding import value_range
from data_pipeline.feeding.targets import Target
from data_pipeline.spec import DataSpec
from data_pipeline.storing import encoding
from data_pipeline.storing.store import Store

Batch = tuple[np.ndarray, np.ndarray]


class BatchMaker:
    """Cuts samples out of a store, augments those of a training epoch, and stacks them."""

    def __init__(
        self,
        store: Store,
        spec: DataSpec,
        target: Target,
        seed: int,
        wanted: str = "normalised",
    ):
        self.store, self.spec, self.target, self.seed = store, spec, target, seed
        self.wanted = wanted
        self.augmentation = spec.augmentation or None

    def batch(self, samples: np.ndarray, epoch: int | None) -> Batch:
        """Make the batch of these samples; `epoch` is None where nothing is augmented."""
        images = _aligned((len(samples), *self.spec.size, len(self.spec.channels)))
        labels = np.empty((len(samples), *self.spec.size), np.uint8)
        # Slices together: their calls are too short for a thread to go to and fro between them.
        # Volumes one by one: what is done to each finds it in the processor's cache.
        step = len(samples) if self.spec.rank == 2 else 1
        for start in range(0, len(samples), step):
            part = slice(start, start + step)
            voxels, labels[part] = self._parts(samples[part], epoch)
            self._decode(voxels, samples[part], images[part])
        value_range.bring(images, self.spec.normalisation, self.wanted)
        return images, self.target.encode(labels)

    def record(self, sample: np.ndarray) -> np.ndarray:
        """Cut one sample out of the store, image and label, as it was prepared."""
        record = self._box(int(sample["case"]), sample["corner"])
        if not self.spec.shuffled_labels:
            return record
        foreign = self._box(int(sample["label_case"]), sample["label_corner"])
        return np.concatenate([record[..., :-1], foreign[..., -1:]], axis=-1)

    def _box(self, case: int, corner: np.ndarray) -> np.ndarray:
        records = self.store.records(case)
        if self.spec.rank == 2:
            return records[corner[0]]
        return records[tuple(slice(c, c + n) for c, n in zip(corner, self.spec.size, strict=True))]

    def _decode(self, voxels: np.ndarray, samples: np.ndarray, images: np.ndarray) -> None:
        scales = [self.store.cases[case].scales for case in samples["case"].tolist()]
        if len(set(scales)) == 1:
            encoding.decode(voxels, scales[0], images)
            return
        for one, own, image in zip(voxels, scales, images, strict=True):
            encoding.decode(one, own, image)

    def _parts(self, samples: np.ndarray, epoch: int | None) -> Batch:
        records = [self.record(sample) for sample in samples]
        if epoch is None or not self.augmentation:
            return encoding.parted(encoding.stacked(records))
        keys = [(self.seed, epoch, number) for number in samples["number"].tolist()]
        return augment_records(records, self.augmentation, keys)


def _aligned(shape: tuple[int, ...]) -> np.ndarray:
    """Make room that TensorFlow takes over as it is: anything off its 64 bytes is copied first."""
    size = prod(shape) * 4
    room = np.empty(size + 64, np.uint8)
    start = -room.ctypes.data % 64
    return room[start : start + size].view(np.float32).reshape(shape)
