"""How long a consumer waited for batches: the clock runs while it asks, and at no other time."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from data_pipeline.feeding.batches import Batch

if TYPE_CHECKING:
    import tensorflow as tf

Seconds = Callable[[], float]


def watched(batches: Iterator[Batch]) -> tuple[Iterator[Batch], Seconds]:
    """Pass batches on; the second value tells the seconds waited for them so far."""
    waited = 0.0

    def passing() -> Iterator[Batch]:
        nonlocal waited
        while True:
            asked = time.perf_counter()
            batch = next(batches, None)
            waited += time.perf_counter() - asked
            if batch is None:
                return
            yield batch

    return passing(), lambda: waited


def watched_dataset(dataset: "tf.data.Dataset") -> tuple["tf.data.Dataset", Seconds]:
    """Do the same for a dataset, in its graph: no Python runs for it.

    `zip` asks its inputs in order, so the batch arrives between two stamps of the clock.
    """
    import tensorflow as tf

    with tf.device("CPU:0"):
        waited = tf.Variable(0.0, dtype=tf.float64, trainable=False)

    def stamps() -> "tf.data.Dataset":
        return tf.data.Dataset.range(1).repeat().map(lambda _: tf.timestamp())

    def add(asked, batch, arrived):
        with tf.control_dependencies([waited.assign_add(arrived - asked)]):
            return tf.nest.map_structure(tf.identity, batch)

    options = tf.data.Options()
    options.experimental_optimization.inject_prefetch = False  # it would ask ahead of the consumer
    timed = tf.data.Dataset.zip((stamps(), dataset, stamps())).map(add)
    return timed.with_options(options), lambda: float(waited.numpy())
