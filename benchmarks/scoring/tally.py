"""The rows of a record's patients as arrays, and every metric of all of them at once.

What `policies` says of one row and `aggregate` of a list of them is said here of thousands: a
comparison checks each record's own means before it ranks it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from operator import itemgetter

import numpy as np

from benchmarks.scoring import policies
from benchmarks.scoring.policies import DISTANCES, LESIONS, METRICS, OVERLAPS, SURFACE_SHARES, Row

SURFACES = (*DISTANCES, *SURFACE_SHARES)
RATIOS = (*OVERLAPS, "accuracy")
BACKGROUND = ("specificity", "accuracy")  # ratios that background is part of
STATUSES = ("ok", "both_empty", "pred_empty", "ref_empty")
_counts = itemgetter("tp", "fp", "fn", "tn")
_ABSENT = math.inf  # no distance is infinite


@dataclass(frozen=True, eq=False)
class Tally:
    """Facts of (patients, regions): `counts` with tp fp fn tn last, `surfaces` with SURFACES last.

    NaN is a value that is not there; `slices` holds tp fp fn of every slice of a row after another.
    """

    patients: tuple[str, ...]
    regions: tuple[str, ...]
    rows: Sequence[Row]
    counts: np.ndarray
    surfaces: np.ndarray
    measured: np.ndarray  # whether a row knows each of SURFACES

    @classmethod
    def of(cls, patients: Sequence[Row]) -> "Tally":
        """Put the rows of patients into arrays; every patient has every region."""
        regions = tuple(dict.fromkeys(chain.from_iterable(one["regions"] for one in patients)))
        rows = [one["regions"][region] for one in patients for region in regions]
        shape = (len(patients), len(regions), -1)
        told = [[row.get(name, _ABSENT) for name in SURFACES] for row in rows]
        surfaces = np.array(told, dtype=float).reshape(shape)
        return cls(
            patients=tuple(one["patient"] for one in patients),
            regions=regions,
            rows=rows,
            counts=np.array(list(map(_counts, rows)), dtype=float).reshape(shape),
            surfaces=surfaces,
            measured=~np.isinf(surfaces),
        )

    def number(self, name: str) -> np.ndarray:
        """Return a number of each row, NaN where it is not there."""
        told = [row.get(name) for row in self.rows]
        return np.array(told, dtype=float).reshape(self.counts.shape[:2])

    @cached_property
    def status(self) -> np.ndarray:
        """Return the place in STATUSES that each row's counts imply."""
        tp, fp, fn, _ = np.moveaxis(self.counts, -1, 0)
        reference, prediction = tp + fn > 0, tp + fp > 0
        return np.where(reference, np.where(prediction, 0, 2), np.where(prediction, 3, 1))

    @cached_property
    def ratios(self) -> dict[str, np.ndarray]:
        """Return every one of RATIOS for each row."""
        return ratios(self.counts)

    @cached_property
    def slice_ratios(self) -> dict[str, np.ndarray]:
        """Return them for each slice; its background is what is left of an equal share."""
        depths = self.depths.ravel()
        voxels = np.repeat(self.counts.sum(axis=-1).ravel() // depths, depths)
        return ratios(np.column_stack([self.slices, voxels - self.slices.sum(axis=1)]))

    @cached_property
    def slices(self) -> np.ndarray:
        """Return tp, fp and fn of every slice; a row without any is one slice itself."""
        told = [row["slices"] if "slices" in row else [_counts(row)[:3]] for row in self.rows]
        flat = chain.from_iterable(chain.from_iterable(told))
        return np.fromiter(flat, float, 3 * sum(map(len, told))).reshape(-1, 3)

    @cached_property
    def depths(self) -> np.ndarray:
        """Return the number of slices of each row."""
        told = [len(row["slices"]) if "slices" in row else 1 for row in self.rows]
        return np.array(told).reshape(self.counts.shape[:2])

    def by_region(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the place of each region, and which slices are its own."""
        owner = np.tile(np.arange(len(self.regions)), len(self.patients))
        owners = np.repeat(owner, self.depths.ravel())
        for place in range(len(self.regions)):
            yield place, owners == place

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Name the metrics of `values`: METRICS, then the user's own that any row tells of."""
        own = {name for row in self.rows for name in row.get("own", ())}
        return (*METRICS, *(f"{policies.OWN}{name}" for name in sorted(own)))

    @cached_property
    def values(self) -> dict[str, np.ndarray]:
        """Return all `columns` for each row, by policy; NaN is what it leaves undefined."""
        return {policy: self._values(policy) for policy in policies.POLICIES}

    def _values(self, policy: str) -> np.ndarray:
        told = np.full((*self.counts.shape[:2], len(self.columns)), np.nan)
        for name, ratio in filled(self.ratios, policy).items():
            told[..., METRICS.index(name)] = ratio
        for place, name in enumerate(SURFACES):
            told[..., METRICS.index(name)] = self._surface(place, name, policies.find(policy))
        if any("lesions" in row for row in self.rows):
            told[..., [METRICS.index(name) for name in LESIONS]] = self._lesions(policy)
        for place, name in enumerate(self.columns[len(METRICS) :], len(METRICS)):
            values = [policies.own(row, policy).get(name) for row in self.rows]
            told[..., place] = np.array(values, dtype=float).reshape(self.counts.shape[:2])
        return told

    def _surface(self, place: int, name: str, policy: policies.Policy) -> np.ndarray:
        is_share, value = name in SURFACE_SHARES, self.surfaces[..., place]
        perfect = policy.perfect(1.0 if is_share else 0.0)
        penalty = policy.penalty_mm if policy.penalty_mm is not None else self.number("diagonal_mm")
        missed = 0.0 if is_share else penalty
        empty = np.where(self.status == 1, np.nan if perfect is None else perfect, missed)
        return np.where(self.measured[..., place], np.where(self.status == 0, value, empty), np.nan)

    def _lesions(self, policy: str) -> np.ndarray:
        chosen = policies.find(policy)
        told = [policies.lesions(row, chosen) for row in self.rows]
        pairs = [[one.get(name) for name in LESIONS] for one in told]
        return np.array(pairs, dtype=float).reshape(*self.counts.shape[:2], -1)

    def known(self, region: int) -> list[str]:
        """Return the metrics that any row of a region tells of: the others have no means."""
        names = {*RATIOS}
        known = np.flatnonzero(self.measured[:, region].any(axis=0))
        names |= {SURFACES[place] for place in known.tolist()}
        for row in self.rows[region :: len(self.regions)]:
            if "lesions" in row:
                names |= policies.lesions(row, policies.find("brats")).keys()
            names |= policies.own(row, "brats").keys()
        return [name for name in self.columns if name in names]


def ratios(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Return every one of RATIOS for `[..., (tp, fp, fn, tn)]`; NaN where there is nothing.

    Where both masks are empty, the first five are what a policy says: `filled` puts it in.
    """
    tp, fp, fn, tn = np.moveaxis(counts, -1, 0)
    whole, wrong = 2 * tp + fp + fn, fp + fn
    drawn = whole > 0

    def ratio(part: np.ndarray, of: np.ndarray) -> np.ndarray:
        return np.divide(part, of, out=np.where(drawn, 0.0, np.nan), where=of > 0)

    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "dice": ratio(2 * tp, whole),
            "iou": ratio(tp, tp + wrong),
            "precision": ratio(tp, tp + fp),
            "sensitivity": ratio(tp, tp + fn),
            "volume_similarity": ratio(whole - np.abs(fp - fn), whole),
            "specificity": np.where(tn + fp != 0, tn / (tn + fp), np.nan),
            "accuracy": (tp + tn) / (tp + fp + fn + tn),
        }


def filled(told: dict[str, np.ndarray], policy: str) -> dict[str, np.ndarray]:
    """Put in what a policy says of two empty masks; specificity and accuracy need no policy."""
    perfect = policies.find(policy).perfect(1.0)
    if perfect is None:
        return told
    return {
        name: ratio if name in BACKGROUND else np.where(np.isnan(ratio), perfect, ratio)
        for name, ratio in told.items()
    }
