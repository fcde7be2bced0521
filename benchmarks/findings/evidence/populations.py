"""Populations whose means are known: what test patients may have been drawn from.

Each is a table of patients by models. Those from records resample the patients of real runs; the
others are as Dice, distances and differences are: skewed, bounded, with a lump where a tumour was
missed. A sample is some rows, so the truth is the mean of all of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from benchmarks.findings.evidence.needed_runs import Runs
from benchmarks.scoring import policies

PATIENTS = 50_000
PENALTY = 374.0
METRICS = ("dice", "nsd_2mm", "hd95", "accuracy")


@dataclass(frozen=True)
class Population:
    """All patients' scores, `(patients, models)`: one model for a mean, two for a difference."""

    kind: str  # mean, difference or rank
    name: str
    scores: np.ndarray
    ends: tuple[float, float] = (0.0, 1.0)

    def samples(self, patients: int, number: int) -> np.ndarray:
        """Return `(patients, models, number)` scores, the same ones at every call."""
        generator = np.random.default_rng([patients, number])
        drawn = generator.integers(len(self.scores), size=(patients, number))
        return np.moveaxis(self.scores[drawn], 1, 2)

    @property
    def truth(self) -> np.ndarray:
        """Return the mean of each model."""
        return self.scores.mean(axis=0)


def populations(runs: Runs) -> Iterator[Population]:
    """Yield all of them, made anew and alike at every call."""
    generator = np.random.default_rng(0)
    yield from _means(generator)
    yield from _differences(generator)
    yield from _recorded({metric: _table(runs, metric) for metric in METRICS})


def _lump(generator, missed: float, a: float, b: float, empty: float = 0.0) -> np.ndarray:
    """Return Beta(a, b) scores, some of them 0 and some 1."""
    scores, lot = generator.beta(a, b, (PATIENTS, 1)), generator.random((PATIENTS, 1))
    return np.where(lot < missed, 0.0, np.where(lot > 1 - empty, 1.0, scores))


def _means(generator: np.random.Generator) -> Iterator[Population]:
    for name, shape in {
        "Beta(8, 2), none missed": (0.0, 8, 2),
        "Beta(2, .5), none missed": (0.0, 2, 0.5),
        "Beta(20, 3), 1 in 20 missed": (0.05, 20, 3),
        "Beta(12, 3), 1 in 10 missed": (0.1, 12, 3),
        "Beta(8, 2), 1 in 5 missed": (0.2, 8, 2),
        "Beta(6, 2), 1 in 4 missed, 3 in 20 empty": (0.25, 6, 2, 0.15),
    }.items():
        yield Population("mean", name, _lump(generator, *shape))
    distances = np.minimum(generator.lognormal(2, 0.9, (PATIENTS, 1)), PENALTY)
    distances[generator.random((PATIENTS, 1)) < 0.08] = PENALTY
    yield Population("mean", "distances, 1 in 12 missed", distances, (0.0, PENALTY))


def _differences(generator: np.random.Generator) -> Iterator[Population]:
    """Yield pairs of models that find the same patients hard, and differ as `gap` says."""
    for name, gap, noise, missed in (
        ("two models, equal", 0.0, 0.3, (0.0, 0.0)),
        ("two models, a steady gap", 0.3, 0.05, (0.0, 0.0)),
        ("two models, one misses 1 in 17", 0.2, 0.3, (0.0, 0.06)),
        ("two models, both miss 1 in 10", 0.2, 0.3, (0.1, 0.1)),
    ):
        yield Population("difference", name, _models(generator, (gap, 0.0), noise, missed))
    scores = _models(generator, np.linspace(0.8, 0.0, 8), 0.4, (0.05,) * 8)
    yield Population("rank", "eight models, each misses 1 in 20", scores)


def _models(generator, gaps, noise: float, missed) -> np.ndarray:
    shape = (PATIENTS, len(gaps))
    ease = generator.normal(1.5, 1.0, (PATIENTS, 1))
    scores = expit(ease + np.asarray(gaps) + noise * generator.standard_normal(shape))
    return np.where(generator.random(shape) < missed, 0.0, scores)


def _table(runs: Runs, metric: str) -> np.ndarray:
    """Return `(patients, models)` of the recorded scores, the mean over regions and seeds."""
    columns = []
    for by_protocol in runs.values():
        found: dict[str, list[float]] = {}
        for one in (record for records in by_protocol.values() for record in records):
            for patient in one.patients:
                rows = patient["regions"].values()
                told = [policies.values(row, "brats").get(metric) for row in rows]
                found.setdefault(patient["patient"], []).extend(np.array(told, float))
        columns.append([float(np.mean(found[patient])) for patient in sorted(found)])
    return np.array(columns).T


def _recorded(tables: dict[str, np.ndarray]) -> Iterator[Population]:
    for metric, table in tables.items():
        reach = PENALTY if metric in policies.LOWER_IS_BETTER else np.nan
        everyone = table.reshape(-1, 1)
        yield Population("mean", f"recorded {metric}", everyone, policies.ends(metric, reach))
    dice = tables["dice"][:, np.argsort(-tables["dice"].mean(axis=0))]
    yield Population("difference", "recorded Dice, first and second model", dice[:, :2])
    yield Population("difference", "recorded Dice, first and last model", dice[:, [0, -1]])
    yield Population("rank", "recorded Dice, all models", dice)
