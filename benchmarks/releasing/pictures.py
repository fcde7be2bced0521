"""Where a preset fails, drawn: its best, its median and its worst case among labelled patients.

They are phantoms, which anyone may show, unless a folder of patients is named.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.errors import UserError
from benchmarks.external import patients
from benchmarks.external.patients import Site
from benchmarks.inference.predictor import Predictor
from benchmarks.predicting import ensemble, overlays
from benchmarks.predicting.ensemble import Ensemble
from benchmarks.training import evaluate
from benchmarks.training.evaluate import Quality
from data_pipeline import origin
from data_pipeline.phantom import write
from zoo import weights
from zoo.presets import shelf
from zoo.presets.preset import Preset

PHANTOMS, SIZE, SEED = 8, 96, 11
SHOWN = ("best", "median", "worst")


@dataclass(frozen=True)
class Picture:
    """One case: which it is, its Dice, and the file that shows it."""

    role: str
    patient: str
    dice: float
    file: Path


@dataclass(frozen=True)
class Cases:
    """The pictures, and of whom they are."""

    pictures: tuple[Picture, ...]
    patients: int
    source: str  # empty: phantoms


def draw(
    preset: Preset,
    folder: Path,
    data: Path | None = None,
    version: str | None = None,
) -> Cases:
    """Score labelled patients, or phantoms, and draw those that tell most."""
    paths, cache = shelf.paths(preset.name), origin.default_cache()
    trained = ensemble.usage(paths, "mean")
    root = data or write.ensure(cache / "phantoms", "brats", PHANTOMS, SIZE, SEED)
    site = patients.whole_lesion(
        patients.load(trained, root, cache, version=version if data else None)
    )
    if data and (known := patients.seen(site, dict.fromkeys(preset.scans, ""))):
        raise UserError(
            f"{preset.name} was trained on {', '.join(known[:3])}: name patients that it never saw."
        )
    evaluation = replace(trained.evaluation, surfaces=False, threshold=trained.threshold)
    members = [Predictor(weights.restore(path), evaluation) for path in paths]
    predict = Ensemble(members, [trained.threshold] * len(members), "mean")
    quality = evaluate.evaluate(predict, site, evaluation)  # type: ignore[arg-type]
    return _drawn(predict, site, quality, evaluation.policy, folder, data.name if data else "")


def _drawn(
    predict: Ensemble, site: Site, quality: Quality, policy: str, folder: Path, source: str
) -> Cases:
    dice = evaluate.dice_by_patient(quality, policy)
    ordered = sorted(dice, key=lambda name: (-dice[name], name))
    if not ordered:
        raise UserError("Expected labelled patients whose Dice is defined. Received none.")
    places = {"best": 0, "median": len(ordered) // 2, "worst": len(ordered) - 1}
    chosen = {ordered[place]: role for role, place in reversed(places.items())}
    found = {}
    for patient in site.patients():
        if role := chosen.get(patient.id):
            answer = patient.restore(np.asarray(predict(patient.images)))
            masks = evaluate.masks(answer, site.target, site.regions, quality.threshold)
            title = f"{role}: {patient.id}, Dice {dice[patient.id]:.3f}"
            drawn = overlays.draw(patient, site, masks, title)
            file = overlays.save(drawn, folder / f"{role}.png")
            found[role] = Picture(role, patient.id, dice[patient.id], file)
    return Cases(tuple(found[role] for role in SHOWN if role in found), len(ordered), source)
