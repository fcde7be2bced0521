"""Which samples a split holds, epoch by epoch: a pure function of (spec, seed, epoch).

A sample is a box of the store's records, one slice deep in 2D and a patch in 3D. Its random numbers
come from its place in a table drawn for (seed, epoch), so neither threads nor order change them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from data_pipeline.spec import DataSpec
from data_pipeline.storing.store import Store

ORDER, PLACE, QUIET, DONOR = 1, 2, 3, 4  # independent streams of random numbers
SAMPLE = np.dtype(
    [
        ("case", np.int64),
        ("corner", np.int64, 3),
        ("label_case", np.int64),  # the same, unless labels are shuffled on purpose
        ("label_corner", np.int64, 3),
        ("number", np.int64),  # tells samples apart for their randomness
    ]
)


@dataclass(frozen=True)
class Member:
    """A case of a split; `slices` picks some of them where a split is leaky on purpose."""

    case: int
    slices: tuple[int, ...] | None = None


class Sampler(Protocol):
    """What gives the samples of an epoch in their order."""

    def __len__(self) -> int: ...

    def epoch(self, epoch: int) -> np.ndarray:
        """Give the samples of an epoch in their order."""
        ...


def generator(stream: int, *numbers: int) -> np.random.Generator:
    """Give random numbers that depend on these numbers alone."""
    return np.random.default_rng([stream, *numbers])


def every_slice(store: Store, members: Sequence[Member]) -> np.ndarray:
    """List the slices of a split, case by case."""
    groups = []
    for member in members:
        chosen = range(store.cases[member.case].depth) if member.slices is None else member.slices
        group = np.zeros(len(chosen), SAMPLE)
        group["case"] = member.case
        group["corner"][:, 0] = chosen
        group["number"] = store.first_slices[member.case] + group["corner"][:, 0]
        groups.append(group)
    return _own_labels(np.concatenate([np.empty(0, SAMPLE), *groups]))


def every_tile(store: Store, members: Sequence[Member], size: tuple[int, ...]) -> np.ndarray:
    """List the patches that cover the volumes of a split, case by case."""
    groups = []
    for member in members:
        shape = store.cases[member.case].geometry.shape
        starts = [
            np.linspace(0, length - side, -(-length // side)).round().astype(np.int64)
            for length, side in zip(shape, size, strict=True)
        ]
        corners = np.stack(np.meshgrid(*starts, indexing="ij"), axis=-1).reshape(-1, 3)
        group = np.zeros(len(corners), SAMPLE)
        group["case"], group["corner"] = member.case, corners
        groups.append(group)
    tiles = np.concatenate([np.empty(0, SAMPLE), *groups])
    tiles["number"] = np.arange(len(tiles))
    return _own_labels(tiles)


@dataclass(frozen=True, eq=False)
class InOrder:
    """The same samples in the same order in every epoch."""

    samples: np.ndarray

    def __len__(self) -> int:
        return len(self.samples)

    def epoch(self, epoch: int) -> np.ndarray:
        """Give all samples."""
        return self.samples


class Slices:
    """The training slices of each epoch: all, those with a lesion, or as many without as with."""

    def __init__(self, store: Store, members: Sequence[Member], spec: DataSpec, seed: int):
        pool = every_slice(store, members)
        lesion = np.array([_has_lesion(store, sample) for sample in pool], bool)
        if spec.shuffled_labels:
            pool = _with_donors(pool, store, spec.split_seed)
        self.always = pool if spec.slices == "all" else pool[lesion]
        self.sometimes = pool[~lesion] if spec.slices == "balanced" else pool[:0]
        self.drawn = min(len(self.always), len(self.sometimes))
        self.seed = seed

    def __len__(self) -> int:
        return len(self.always) + self.drawn

    def epoch(self, epoch: int) -> np.ndarray:
        """Give the samples of an epoch in their order."""
        draw = generator(QUIET, self.seed, epoch)
        quiet = self.sometimes[:0]
        if self.drawn:
            quiet = draw.choice(self.sometimes, self.drawn, replace=False)
        samples = np.concatenate([self.always, quiet])
        return generator(ORDER, self.seed, epoch).permutation(samples)


class Patches:
    """The training patches of each epoch, some of them centred on a lesion voxel."""

    def __init__(self, store: Store, members: Sequence[Member], spec: DataSpec, seed: int):
        self.store, self.spec, self.seed = store, spec, seed
        self._lesions: dict[int, list[np.ndarray]] = {}
        cases = np.array([member.case for member in members], np.int64)
        pool = np.zeros(len(cases) * spec.patches_per_volume, SAMPLE)
        pool["case"] = np.repeat(cases, spec.patches_per_volume)
        turn = np.tile(np.arange(spec.patches_per_volume), len(cases))
        pool["number"] = pool["case"] * spec.patches_per_volume + turn
        pool = _own_labels(pool)
        self.pool = _with_donors(pool, store, spec.split_seed) if spec.shuffled_labels else pool

    def __len__(self) -> int:
        return len(self.pool)

    def epoch(self, epoch: int) -> np.ndarray:
        """Give the samples of an epoch in their order."""
        count = len(self.store.cases) * self.spec.patches_per_volume
        table = generator(PLACE, self.seed, epoch).random((count, 5))
        samples = self.pool.copy()
        for sample in samples:
            sample["corner"] = self._corner(sample["case"], table[sample["number"]])
            room = self._room(sample["label_case"])
            sample["label_corner"] = np.minimum(sample["corner"], room)
        return generator(ORDER, self.seed, epoch).permutation(samples)

    def _room(self, case: int) -> np.ndarray:
        return np.array(self.store.cases[int(case)].geometry.shape) - self.spec.size

    def _lesion(self, case: int) -> list[np.ndarray]:
        """Give the places of a case's lesion voxels, label by label."""
        if case not in self._lesions:
            labels, places = np.split(self.store.foreground(case), [1], axis=1)
            self._lesions[case] = [places[labels[:, 0] == label] for label in np.unique(labels)]
        return self._lesions[case]

    def _corner(self, case: int, uniform: np.ndarray) -> np.ndarray:
        room = self._room(case)
        if uniform[0] < self.spec.foreground_oversampling and (of_labels := self._lesion(case)):
            voxels = of_labels[int(uniform[1] * len(of_labels))]
            centre = voxels[int(uniform[2] * len(voxels))].astype(np.int64)
            return np.clip(centre - np.array(self.spec.size) // 2, 0, room)
        return (uniform[2:] * (room + 1)).astype(np.int64)


def _has_lesion(store: Store, sample: np.ndarray) -> bool:
    return store.cases[int(sample["case"])].lesion[sample["corner"][0]] > 0


def _own_labels(samples: np.ndarray) -> np.ndarray:
    samples["label_case"], samples["label_corner"] = samples["case"], samples["corner"]
    return samples


def _with_donors(samples: np.ndarray, store: Store, seed: int) -> np.ndarray:
    """Give every sample the label of another patient: a negative control that nothing can learn.

    Patient after patient in a ring, turned by the longest of them. Only where one patient has more
    than half of all samples do some of his keep a label of his own, of another place.
    """
    patients = np.array([store.cases[int(case)].patient for case in samples["case"]])
    mixed = generator(DONOR, seed).permutation(len(samples))
    ring = mixed[np.argsort(patients[mixed], kind="stable")]
    longest = max(Counter(patients.tolist()).values(), default=0)
    donors = samples[np.roll(ring, longest if longest < len(ring) else 1)]
    shuffled = samples.copy()
    shuffled["label_case"][ring] = donors["case"]
    shuffled["label_corner"][ring] = donors["corner"]
    return shuffled
