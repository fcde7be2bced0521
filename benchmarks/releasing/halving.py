"""What 16 bits cost: the paired difference in Dice to 32, on patients of a fold's test."""

from pathlib import Path

import numpy as np

import data_pipeline
from benchmarks.backends import device
from benchmarks.errors import UserError
from benchmarks.predicting import trained_network
from benchmarks.predicting.trained_network import Trained
from data_pipeline import Data

LIMIT = 0.001


def require_harmless(whole: Path, half: Path, fold: int, root: Path | None) -> float:
    """Return the largest mean difference of a region; above the limit the file is refused."""
    device.start()
    data = fold_of(trained_network.read(whole), fold, root)
    scored = [_dice(path, data) for path in (whole, half)]
    gaps = [scored[0][region] - scored[1][region] for region in scored[0]]
    apart = max(abs(float(gap.mean())) for gap in gaps)
    if apart >= LIMIT:
        raise UserError(
            f"{whole}: 16 bits move its mean Dice by {apart:.4f}, and {LIMIT} is the most that is "
            "shipped; add it with --float32."
        )
    return apart


def fold_of(trained: Trained, fold: int, root: Path | None) -> Data:
    """Load a fold as the network takes it; the phantoms where no data set is named."""
    version = trained.version if trained.spec.layout == trained.layout else None  # not of phantoms
    data = data_pipeline.load(trained.spec, 0, fold, root, version=version)
    return data.in_range(trained.value_range)


def _dice(path: Path, data: Data) -> dict[str, np.ndarray]:
    """Return each region's Dice by test patient; two empty masks count as equal."""
    from benchmarks.inference.predictor import Predictor
    from zoo import weights

    trained = trained_network.read(path)
    predict = Predictor(weights.restore(path), trained.evaluation)
    found: dict[str, list[float]] = {}
    for patient in data.patients("test"):
        answer = patient.restore(predict(patient.images))
        masks = trained.cut.masks(answer, data.target, data.regions)
        for region, mask in masks.items():
            truth = np.isin(patient.reference, data.regions[region])
            size = int(mask.sum() + truth.sum())
            shared = 2 * int((mask & truth).sum()) / size if size else 1.0
            found.setdefault(region, []).append(shared)
    return {region: np.array(values) for region, values in found.items()}
