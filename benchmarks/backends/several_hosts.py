"""One training over several hosts, through JAX: each process feeds its part of every batch.

A recipe for scripts (docs/scaling.md), not yet an option of `bench`: scores, checkpoints and the
record are the business of a single process.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from benchmarks.errors import UserError
from data_pipeline.feeding.batches import Batch


def join(coordinator: str, processes: int, number: int) -> None:
    """Make this process the `number`-th of several; after `select_backend`, before any tensor."""
    import jax

    jax.distributed.initialize(coordinator, num_processes=processes, process_id=number)


@contextmanager
def spread() -> Iterator[None]:
    """Build and train on the devices of all hosts what is built and trained within."""
    import keras

    with keras.distribution.DataParallel(auto_shard_dataset=False).scope():
        yield


def own_part(batches: Iterable[Batch]) -> Iterator[Batch]:
    """Yield this process's part of each batch, which are equal and follow one another."""
    import jax

    count, number = jax.process_count(), jax.process_index()
    for images, targets in batches:
        size = len(images)
        if size % jax.device_count():
            raise UserError(
                f"Expected a batch that divides by {jax.device_count()} devices of {count} hosts. "
                f"Received: {size} samples."
            )
        part = slice(number * size // count, (number + 1) * size // count)
        yield images[part], targets[part]
