"""`Data`: one fold of a prepared data set, as batches for training and as patients for scores."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from data_pipeline.errors import UserError
from data_pipeline.feeding import sampling, value_range
from data_pipeline.feeding.batches import Batch, BatchMaker
from data_pipeline.feeding.pipeline import Pipeline
from data_pipeline.feeding.sampling import Member
from data_pipeline.feeding.targets import Target
from data_pipeline.scans import scored_scan
from data_pipeline.spec import DataSpec
from data_pipeline.splitting.split import Split
from data_pipeline.storing.store import Store

if TYPE_CHECKING:
    import tensorflow as tf

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class Data:
    """Training, validation and test of one fold; TensorFlow is imported by its datasets alone.

    Order and augmentation of an epoch depend on (seed, epoch, sample) and on nothing else.
    """

    spec: DataSpec
    seed: int
    fold: int
    store: Store
    split: Split
    target: Target
    members: Mapping[str, Sequence[Member]]
    threads: int | None = None
    value_range: str = "normalised"

    def in_range(self, wanted: str) -> "Data":
        """Give the same data in the range of values that a network wants."""
        value_range.check(self.spec.normalisation, wanted)
        return replace(self, value_range=wanted)

    @property
    def train(self) -> "tf.data.Dataset":
        """Give the first epoch of training batches."""
        return self.epochs(0, 1)

    @property
    def val(self) -> "tf.data.Dataset":
        """Give the validation samples once, in order, unaugmented."""
        return self.pipelines["val"].dataset(0, 1)

    @property
    def test(self) -> "tf.data.Dataset":
        """Give the test samples once, in order, unaugmented."""
        return self.pipelines["test"].dataset(0, 1)

    def epochs(self, start: int, stop: int | None = None) -> "tf.data.Dataset":
        """Give the training batches from epoch `start` on; endless where `stop` is None."""
        return self.pipelines["train"].dataset(start, stop)

    def batches(self, split: str, epoch: int = 0) -> Iterator[Batch]:
        """Give one epoch of a split as NumPy arrays, without TensorFlow: the same bits."""
        if split not in SPLITS:
            raise UserError(f"Expected a split of {', '.join(SPLITS)}. Received: {split!r}.")
        first = epoch if split == "train" else 0
        return self.pipelines[split].iterator(first, first + 1)

    def training_batches(self, start: int, stop: int | None = None) -> Iterator[Batch]:
        """Give what `epochs` gives as NumPy arrays, without TensorFlow: the same bits."""
        return self.pipelines["train"].iterator(start, stop)

    def patients(self, split: str) -> Iterator[scored_scan.PatientData]:
        """Read the scans of a split one by one, to be scored on their own voxels."""
        for patient in scored_scan.patients(self.store, self.members[split], self.target):
            value_range.bring(patient.images, self.spec.normalisation, self.value_range)
            yield patient

    @property
    def steps_per_epoch(self) -> int:
        """Count the training batches of an epoch."""
        return self.pipelines["train"].steps

    @property
    def fingerprint(self) -> str:
        """Name the content of the data and its preparation."""
        return self.store.key

    @property
    def split_digest(self) -> str:
        """Name the split by who is in it."""
        return self.split.digest

    @property
    def leaky(self) -> bool:
        """Tell whether the split divides patients, which was done on purpose."""
        return self.split.leaky

    @property
    def regions(self) -> Mapping[str, tuple[int, ...]]:
        """Give the regions to score: name -> the label values that it unites."""
        return self.target.regions

    @property
    def channels(self) -> tuple[str, ...]:
        """Name the input channels in order."""
        return self.spec.channels

    @property
    def classes(self) -> int:
        """Count the output channels of a model for this target."""
        return self.target.classes

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Give a model's input shape, without the batch."""
        return (*self.spec.size, len(self.spec.channels))

    @property
    def n_train(self) -> int:
        """Count the patients that train."""
        return self._patients("train")

    @property
    def n_val(self) -> int:
        """Count the patients that choose the best epoch."""
        return self._patients("val")

    @property
    def n_test(self) -> int:
        """Count the patients that are scored."""
        return self._patients("test")

    def _patients(self, split: str) -> int:
        return len({self.store.cases[member.case].patient for member in self.members[split]})

    @cached_property
    def pipelines(self) -> Mapping[str, Pipeline]:
        """Give the chain of samples and batches of each split."""
        maker = BatchMaker(self.store, self.spec, self.target, self.seed, self.value_range)
        kind = sampling.Slices if self.spec.rank == 2 else sampling.Patches
        training = Pipeline(
            maker,
            kind(self.store, self.members["train"], self.spec, self.seed),
            augmented=True,
            drop_last=self.spec.drop_last,
            threads=self.threads,
        )
        if not training.steps:
            raise UserError(
                f"Expected samples enough for a batch of {self.spec.batch_size}. "
                f"Received: {len(training.sampler)} to train on. "
                "Lower batch_size, turn drop_last off or choose other slices."
            )
        return {"train": training, **{name: self._in_order(maker, name) for name in SPLITS[1:]}}

    def _in_order(self, maker: BatchMaker, split: str) -> Pipeline:
        members = self.members[split]
        samples = (
            sampling.every_slice(self.store, members)
            if self.spec.rank == 2
            else sampling.every_tile(self.store, members, self.spec.size)
        )
        return Pipeline(maker, sampling.InOrder(samples), augmented=False, threads=self.threads)
