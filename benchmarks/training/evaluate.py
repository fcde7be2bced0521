"""Scores by patient, on each scan's own voxels: slices are stacked back before anything is counted.

What cuts probabilities into masks is the protocol's, or the best on the VALIDATION patients; the
test patients choose nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from benchmarks.errors import UserError
from benchmarks.protocols import own_metric
from benchmarks.protocols.own_metric import OwnMetric
from benchmarks.protocols.protocol import Evaluation
from benchmarks.scoring import aggregate, calibration, metrics, policies
from benchmarks.scoring.calibration import Calibration
from benchmarks.training import cut
from benchmarks.training.cut import Cut
from benchmarks.training.losses import Loss
from data_pipeline import Data, PatientData
from data_pipeline.feeding.targets import Target

Predict = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Quality:
    """What the test patients say of a model: rows of facts, and what follows from them."""

    patients: tuple[dict[str, Any], ...]
    summary: dict[str, Any]
    calibration: dict[str, Any]
    cut: Cut


def evaluate(predict: Predict, data: Data, evaluation: Evaluation) -> Quality:
    """Score every test patient under every policy, and how far its probabilities can be trusted."""
    own = own_metric.load(evaluation.metrics, surfaces=evaluation.surfaces)
    chosen = choose_cut(predict, data, evaluation)
    rows: list[dict[str, Any]] = []
    sums: dict[str, Calibration] = {}
    for patient in data.patients("test"):
        found = patient.restore(predict(patient.images))
        rows.append(row(patient, data, found, chosen, surfaces=evaluation.surfaces, own=own))
        for region, probability in region_probabilities(found, data.target, data.regions):
            reference = np.isin(patient.reference, data.regions[region])
            measured = calibration.measure(reference, probability)
            sums[region] = sums.get(region, calibration.empty()) + measured
    return Quality(
        patients=tuple(rows),
        summary={policy: aggregate.summary(rows, policy) for policy in policies.POLICIES},
        calibration={region: told(total) for region, total in sums.items()},
        cut=chosen,
    )


def row(
    patient: PatientData,
    data: Data,
    found: np.ndarray,
    by: Cut,
    *,
    surfaces: bool,
    own: Sequence[OwnMetric] = (),
) -> dict[str, Any]:
    """Return what a record keeps of one patient, given its probabilities on its own grid."""
    predicted = by.masks(found, data.target, data.regions)
    regions = {}
    for region, values in data.regions.items():
        asked = np.isin(patient.reference, values), predicted[region], patient.spacing
        regions[region] = own_metric.add(own, metrics.measure(*asked, surfaces=surfaces), *asked)
    return {"patient": patient.id, "in_mm": patient.in_mm, "regions": regions}


def validate(
    predict: Predict, data: Data, evaluation: Evaluation, loss: Loss
) -> tuple[float, float]:
    """Return the foreground Dice and the loss, both as means over the validation patients."""
    by = Cut.of(evaluation)
    rows, losses = [], []
    for patient in data.patients("val"):
        found = patient.restore(predict(patient.images))
        rows.append(row(patient, data, found, by, surfaces=False))
        truth = data.target.encode(patient.reference)
        samples = (truth, found) if data.spec.rank == 2 else (truth[None], found[None])
        losses.append(float(np.mean(keras.ops.convert_to_numpy(loss(*samples)))))
    return _mean_dice(rows, evaluation.policy), float(np.mean(losses))


def choose_cut(predict: Predict, data: Data, evaluation: Evaluation) -> Cut:
    """Return what a protocol states, and for what it leaves open the best on validation patients.

    Several may be equally good: the threshold nearest to one half is the least peculiar, and the
    smallest share leaves the most.
    """
    chosen = Cut.of(evaluation)
    if evaluation.threshold is None:
        if data.target.exclusive:
            raise UserError(
                "Expected evaluate.threshold as a number, because softmax classes are told apart "
                "by the largest. Received: None. Write 0.5; it will not be used."
            )
        by_nearness = sorted(cut.THRESHOLDS, key=lambda threshold: abs(threshold - 0.5))
        cuts = [replace(chosen, threshold=threshold) for threshold in by_nearness]
        chosen = _best(predict, data, evaluation.policy, cuts)
    if evaluation.smallest is None:
        cuts = [replace(chosen, smallest=share) for share in cut.SHARES]
        chosen = _best(predict, data, evaluation.policy, cuts)
    return chosen


def _best(predict: Predict, data: Data, policy: str, cuts: Sequence[Cut]) -> Cut:
    """Return the first of the cuts with the highest mean Dice on the validation patients."""
    rows: dict[Cut, list] = {one: [] for one in cuts}
    for patient in data.patients("val"):
        found = patient.restore(predict(patient.images))
        for one, scored in rows.items():
            scored.append(row(patient, data, found, one, surfaces=False))
    return max(cuts, key=lambda one: _mean_dice(rows[one], policy))


def region_probabilities(
    found: np.ndarray, target: Target, regions: Mapping[str, tuple[int, ...]]
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each region with its probability; those of exclusive classes add up."""
    for region, values in regions.items():
        channels = [
            place
            for place, own in enumerate(target.channels)
            if (set(own) <= set(values) if target.exclusive else own == tuple(values))
        ]
        alone = found[..., channels[0]] if len(channels) == 1 else None  # not copied: it is large
        yield region, (found[..., channels].sum(axis=-1) if alone is None else alone).clip(0, 1)


def told(total: Calibration) -> dict[str, Any]:
    """Return calibration as a record keeps it: both errors and the bins of the diagram."""
    bins = [
        {
            "confidence": point["probability"],
            "frequency": point["frequency"],
            "count": point["voxels"],
        }
        for point in total.reliability()
    ]
    return {"ece": total.ece, "brier": total.brier, "bins": bins}


def _mean_dice(rows: list[dict[str, Any]], policy: str) -> float:
    """Return the mean Dice over patients and regions; 0 where the policy leaves none defined."""
    summary = aggregate.summary(rows, policy)
    region = "mean" if "mean" in summary else next(iter(summary))
    return summary[region]["patient"]["dice"]["mean"] or 0.0


def table(quality: Quality, policy: str) -> list[dict[str, Any]]:
    """Return a row for each patient and region: the facts, and the metrics under a policy."""
    facts = ("status", "tp", "fp", "fn", "tn", "voxel_volume_mm3")
    return [
        {
            "patient": patient["patient"],
            "region": region,
            **{name: counts[name] for name in facts},
            **policies.values(counts, policy),
        }
        for patient in quality.patients
        for region, counts in patient["regions"].items()
    ]


def dice_by_patient(quality: Quality, policy: str) -> dict[str, float]:
    """Return each patient's mean Dice over the regions that the policy leaves defined."""
    return dice_of_rows(quality.patients, policy)


def dice_of_rows(rows: Iterable[dict[str, Any]], policy: str) -> dict[str, float]:
    """Return the same of rows that are no more than counted."""
    found = {}
    for patient in rows:
        values = [policies.values(row, policy)["dice"] for row in patient["regions"].values()]
        defined = [value for value in values if value is not None]
        if defined:
            found[patient["patient"]] = sum(defined) / len(defined)
    return found
