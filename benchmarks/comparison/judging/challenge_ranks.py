"""The ranking of the BraTS challenges: ranks within each patient, averaged, tested by permutation.

For every patient, region and metric the models are ranked, ties sharing the mean of their places;
a patient's ranks are averaged, and then the patients' (Bakas et al. 2018, section 2.4). A model
without a value comes last. Two models are compared by swapping them in random patients.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import kendalltau, rankdata

from benchmarks.comparison.judging import statistics
from benchmarks.scoring import policies

# By lesions as BraTS 2023 ranks, or by whole masks as before.
BY_LESION, BY_MASK = ("lesion_dice", "lesion_hd95"), ("dice", "hd95")
PERMUTATIONS = 100_000
AT_ONCE = 2**24  # sums of permutations that are held, 128 MB


@dataclass(frozen=True)
class ChallengeRanks:
    """Models from best to worst mean rank; `p` of each pair is adjusted by Holm, better one first.

    `tau` is Kendall's rank correlation with the order in which they came, by mean Dice.
    """

    metrics: tuple[str, ...]
    mean_ranks: Mapping[str, float]
    p: Mapping[tuple[str, str], float]
    tau: float


def challenge_ranks(
    scores: np.ndarray, models: Sequence[str], columns: Sequence[str]
) -> ChallengeRanks | None:
    """Rank models by `(patients, models, regions, columns)`; None where there is one model, or no
    pair of metrics that all have.
    """
    metrics = _metrics(scores, columns)
    if len(models) < 2 or metrics is None:
        return None
    taken = scores[..., [columns.index(name) for name in metrics]]
    by_patient = _by_patient(taken, metrics)
    means = by_patient.mean(axis=0)
    order = np.argsort(means, kind="stable")
    return ChallengeRanks(
        metrics=metrics,
        mean_ranks={models[place]: float(means[place]) for place in order},
        p=_pairs(by_patient[:, order], [models[place] for place in order]),
        tau=float(kendalltau(range(len(models)), means).statistic),
    )


def _metrics(scores: np.ndarray, columns: Sequence[str]) -> tuple[str, ...] | None:
    """Return what every model was scored by: lesions where all were, else masks."""
    for wanted in (BY_LESION, BY_MASK):
        if all(name in columns for name in wanted):
            found = scores[..., [columns.index(name) for name in wanted]]
            if (~np.isnan(found)).any(axis=(0, 2)).all():
                return wanted
    return None


def _by_patient(scores: np.ndarray, metrics: Sequence[str]) -> np.ndarray:
    """Return each patient's mean rank of each model, `(patients, models)`."""
    signs = np.array([1 if name in policies.LOWER_IS_BETTER else -1 for name in metrics])
    keys = np.where(np.isnan(scores), np.inf, scores * signs)
    return rankdata(keys, axis=1).mean(axis=(2, 3))


def _pairs(by_patient: np.ndarray, models: Sequence[str]) -> dict[tuple[str, str], float]:
    pairs = list(combinations(range(len(models)), 2))
    differences = np.stack([by_patient[:, b] - by_patient[:, a] for a, b in pairs], axis=1)
    adjusted = statistics.holm(_permuted(differences))
    return {(models[a], models[b]): float(p) for (a, b), p in zip(pairs, adjusted, strict=True)}


def _permuted(differences: np.ndarray) -> np.ndarray:
    """Return how often swapping models in random patients gives a sum as far from zero."""
    observed = np.abs(differences.sum(axis=0)) - 1e-9
    patients, pairs = differences.shape
    generator, reached = np.random.default_rng(0), np.ones(pairs)
    height = max(1, AT_ONCE // max(patients, pairs))
    for start in range(0, PERMUTATIONS, height):
        number = min(height, PERMUTATIONS - start)
        signs = generator.integers(0, 2, (number, patients)) * 2.0 - 1
        reached += (np.abs(signs @ differences) >= observed).sum(axis=0)
    return reached / (1 + PERMUTATIONS)
