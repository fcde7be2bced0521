"""Where a preset fails, drawn: its best, its median and its worst case among labelled patients.

They are phantoms, which anyone may show, unless a folder of patients is named.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.ensembles import ensemble
from benchmarks.ensembles.ensemble import Ensemble
from benchmarks.errors import UserError
from benchmarks.external import patients
from benchmarks.external.patients import Site
from benchmarks.inference.predictor import Predictor
from benchmarks.predicting import overlays, trained_network
from benchmarks.training import evaluate
from benchmarks.training.evaluate import Quality
from data_pipeline import origin
from data_pipeline.phantom import write
from zoo import weights
from zoo.presets import shelf
from zoo.presets.preset import Preset

PHANTOMS, SIZE, SEED = 8, 96, 11


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
    taught = {image: "" for path in paths for image in trained_network.read(path).images}
    if known := patients.seen(site.store, taught):
        raise UserError(
            f"{preset.name} was trained on {', '.join(known[:3])}: name patients that it never saw."
        )
    evaluation = replace(
        trained.evaluation, surfaces=False, threshold=trained.threshold, smallest=trained.smallest
    )
    members = [Predictor(weights.restore(path), evaluation) for path in paths]
    predict = Ensemble(members, [trained.threshold] * len(members), "mean")
    quality = evaluate.evaluate(predict, site, evaluation)  # type: ignore[arg-type]
    return _drawn(predict, site, quality, evaluation.policy, folder, data.name if data else "")


def _drawn(
    predict: Ensemble, site: Site, quality: Quality, policy: str, folder: Path, source: str
) -> Cases:
    dice = evaluate.dice_by_patient(quality, policy)
    chosen = overlays.choose(dice, {})
    if not chosen:
        raise UserError("Expected labelled patients whose Dice is defined. Received none.")
    found = {}
    for patient in site.patients():
        if title := chosen.get(patient.id):
            role = title.partition(":")[0]
            answer = patient.restore(np.asarray(predict(patient.images)))
            masks = quality.cut.masks(answer, site.target, site.regions)
            drawn = overlays.draw(patient, site, masks, title)
            file = overlays.save(drawn, folder / f"{role.replace(', ', '_')}.png")
            found[patient.id] = Picture(role, patient.id, dice[patient.id], file)
    return Cases(tuple(found[patient] for patient in chosen), len(dice), source)
