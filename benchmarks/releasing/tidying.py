"""How small a component of the lesion may be: chosen for a preset by the patients it was chosen by.

As nnU-Net settles it after its training: each fold's share is the best on the patients that chose
its epoch, and the patients that none of its networks saw say what that does to the Dice.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.errors import UserError
from benchmarks.inference.predictor import Predictor
from benchmarks.predicting import trained_network
from benchmarks.predicting.trained_network import Trained
from benchmarks.releasing import halving, made
from benchmarks.scoring import policies
from benchmarks.training import cut, evaluate
from data_pipeline import Data
from zoo import weights
from zoo.presets import manifest, shelf
from zoo.presets.preset import Dice, File, Preset


@dataclass(frozen=True)
class Tidied:
    """A preset with its shares, by fold, and by region what it had without and has with them."""

    preset: Preset
    shares: Mapping[int, float]
    before: tuple[Dice, ...]
    lesions: Mapping[str, tuple[float, float]]  # lesion-wise Dice, without and with


@dataclass(frozen=True)
class _Fold:
    """A fold's file, how it is used from now on, and its test patients without and with that."""

    file: File
    path: Path
    trained: Trained
    before: list[dict[str, Any]]
    after: list[dict[str, Any]]


def tidied(preset: Preset, root: Path | None, into: Path) -> Tidied:
    """Choose, score and write a preset's files and its entry in a folder's manifest."""
    folds = [_fold(preset, file, root) for file in preset.files]
    files = tuple(_written(fold, into) for fold in folds)
    before = [row for fold in folds for row in fold.before]
    after = [row for fold in folds for row in fold.after]
    dice = made.dice(after)
    smallest = round(cut.mean([fold.trained.cut for fold in folds]).smallest, 4)
    done = replace(preset, files=files, dice=dice, smallest=smallest)
    manifest.write(into, {**manifest.read(into), done.name: done}.values())
    shares = {fold.file.fold: fold.trained.smallest for fold in folds}
    lesions = {one.region: (_lesions(before, one), _lesions(after, one)) for one in dice}
    return Tidied(done, shares, made.dice(before), lesions)


def _lesions(rows: Sequence[Mapping[str, Any]], one: Dice) -> float:
    """Return a region's mean lesion-wise Dice."""
    values = (policies.values(row["regions"][one.region], "brats")["lesion_dice"] for row in rows)
    return float(np.mean([value for value in values if value is not None]))


def _fold(preset: Preset, file: File, root: Path | None) -> _Fold:
    path = shelf.path_of(preset, file)
    trained = trained_network.read(path)
    data = halving.fold_of(trained, file.fold, root)
    _require_its_own(preset, trained, data)
    predict = Predictor(weights.restore(path), trained.evaluation)
    asked = replace(trained.evaluation, threshold=trained.threshold, smallest=None)
    chosen = evaluate.choose_cut(predict, data, asked)
    whole = replace(chosen, smallest=0.0)
    before: list[dict[str, Any]] = []
    after: list[dict[str, Any]] = []
    for patient in data.patients("test"):
        found = patient.restore(predict(patient.images))
        for rows, one in ((before, whole), (after, chosen)):
            rows.append(evaluate.row(patient, data, found, one, surfaces=False))
    return _Fold(file, path, replace(trained, smallest=chosen.smallest), before, after)


def _require_its_own(preset: Preset, trained: Trained, data: Data) -> None:
    """Refuse data whose patients are not those that taught and chose this network."""
    known = [trained_network.image_hashes(data, split) for split in ("train", "val")]
    if set(trained.images) != {image for split in known for image in split}:
        raise UserError(
            f"{preset.name}: other patients taught it than those of this fold; name the data set "
            "of its training with --data."
        )


def _written(fold: _Fold, into: Path) -> File:
    target = into / fold.file.file
    weights.retell(fold.path, target, fold.trained.as_json())
    content = target.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    return replace(fold.file, bytes=len(content), sha256=sha256, url="")
