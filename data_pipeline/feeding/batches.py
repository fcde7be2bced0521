"""The one function that makes a batch: boxes of records in, images and targets out.

tf.data and the plain iterator both call it, with the numbers of a batch and nothing else.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from data_pipeline.augmenting.augment import augment_records, augment_slabs
from data_pipeline.feeding import value_range
from data_pipeline.feeding.buffers import Buffers
from data_pipeline.feeding.targets import Target
from data_pipeline.spec import DataSpec
from data_pipeline.storing import encoding
from data_pipeline.storing.store import Store

Batch = tuple[np.ndarray, np.ndarray]
Part = tuple[tuple[slice, ...], np.ndarray, np.ndarray]  # a place in the batch, voxels, labels


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
        self._buffers = Buffers()

    def batch(self, samples: np.ndarray, epoch: int | None) -> Batch:
        """Make the batch of these samples; `epoch` is None where nothing is augmented."""
        shape = (len(samples), *self.spec.size)
        images = self._buffers.lend((*shape, len(self.spec.channels)), np.float32)
        targets = self._buffers.lend((*shape, self.target.width), np.uint8)
        scales = [self.store.cases[case].scales for case in samples["case"].tolist()]
        for place, voxels, found in self._parts(samples, epoch):
            _decode(voxels, scales[place[0]], images[place])
            self.target.encode(found, targets[place])
        value_range.bring(images, self.spec.normalisation, self.wanted)
        return images, targets

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

    def _parts(self, samples: np.ndarray, epoch: int | None) -> Iterator[Part]:
        """Yield voxels and labels of the batch: of all slices together, of volumes by slabs.

        Calls for one slice are too short for a thread to go to and fro between them; what is done
        to a slab of a volume finds it in the processor's cache.
        """
        augmentation = self.augmentation if epoch is not None else None
        records = [self.record(sample) for sample in samples]
        keys = [(self.seed, epoch or 0, number) for number in samples["number"].tolist()]
        if self.spec.rank == 2:
            yield (slice(None),), *augment_records(records, augmentation, keys, self._buffers.lend)
            return
        for n, slab, voxels, labels in augment_slabs(records, augmentation, keys):
            yield (slice(n, n + 1), slab), voxels, labels


def _decode(voxels: np.ndarray, scales: Sequence[tuple[float, ...]], images: np.ndarray) -> None:
    if len(set(scales)) == 1:
        encoding.decode(voxels, scales[0], images)
        return
    for one, own, image in zip(voxels, scales, images, strict=True):
        encoding.decode(one, own, image)
