"""The one chain from samples to batches: with tf.data, and without TensorFlow.

Both ways call the same function of a batch's number, so they give the same bits in the same order,
however many threads work ahead. Batches are numbered on across epochs: the first of epoch 1 follows
the last of epoch 0 without a pause, and a training that resumes asks for the number it needs.
"""

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from typing import TYPE_CHECKING

import numpy as np

from data_pipeline.feeding.batches import Batch, BatchMaker
from data_pipeline.feeding.sampling import Sampler
from data_pipeline.files import processors

if TYPE_CHECKING:
    import tensorflow as tf

ENDLESS = 1 << 62
AHEAD = 2  # batches, beside those being made


class Pipeline:
    """The batches of a split: `stop` epochs may be endless, `threads` make batches ahead."""

    def __init__(
        self,
        maker: BatchMaker,
        sampler: Sampler,
        *,
        augmented: bool,
        drop_last: bool = False,
        threads: int | None = None,
    ):
        self.maker, self.sampler, self.augmented = maker, sampler, augmented
        self.threads = threads or processors.count()
        whole, rest = divmod(len(sampler), maker.spec.batch_size)
        self.steps = whole + bool(rest and not drop_last)
        self._even = drop_last or not rest
        self._lock = threading.Lock()
        self._epochs: dict[int, np.ndarray] = {}

    def batch(self, number: int) -> Batch:
        """Make one batch."""
        epoch, place = divmod(number, self.steps)
        size = self.maker.spec.batch_size
        samples = self._samples(epoch)[place * size : (place + 1) * size]
        return self.maker.batch(samples, epoch if self.augmented else None)

    def iterator(self, start: int, stop: int | None) -> Iterator[Batch]:
        """Yield the batches of epochs `start..stop` as NumPy arrays."""
        first, last = start * self.steps, None if stop is None else stop * self.steps
        numbers = count(first) if last is None else iter(range(first, last))
        with ThreadPoolExecutor(self.threads, thread_name_prefix="batches") as pool:
            ahead = deque(pool.submit(self.batch, n) for n in islice(numbers, self.threads + AHEAD))
            try:
                while ahead:
                    batch = ahead.popleft().result()
                    ahead.extend(pool.submit(self.batch, n) for n in islice(numbers, 1))
                    yield batch
            finally:
                for future in ahead:
                    future.cancel()

    def dataset(self, start: int, stop: int | None) -> "tf.data.Dataset":
        """Give the same batches as a `tf.data.Dataset`."""
        import tensorflow as tf

        spec, size = self.maker.spec, self.maker.spec.batch_size if self._even else None
        image_shape = (size, *spec.size, len(spec.channels))
        target_shape = (size, *spec.size, self.maker.target.width)

        def read(number):
            image, target = tf.numpy_function(
                lambda n: self.batch(int(n)), [number], (tf.float32, tf.uint8), stateful=False
            )
            return tf.ensure_shape(image, image_shape), tf.ensure_shape(target, target_shape)

        stop = ENDLESS // max(1, self.steps) if stop is None else stop
        numbers = tf.data.Dataset.range(start * self.steps, stop * self.steps)
        batches = numbers.map(read, num_parallel_calls=self.threads, deterministic=True)
        options = tf.data.Options()
        options.autotune.enabled = False  # it would pile up more with each pause of a consumer
        return batches.prefetch(AHEAD).with_options(options)

    def _samples(self, epoch: int) -> np.ndarray:
        """Draw an epoch's samples once; keep its neighbour's, whose batches may still be made."""
        with self._lock:
            if epoch not in self._epochs:
                near = {e: samples for e, samples in self._epochs.items() if abs(e - epoch) == 1}
                self._epochs = {**near, epoch: self.sampler.epoch(epoch)}
            return self._epochs[epoch]
