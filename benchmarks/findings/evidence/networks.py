"""The networks behind records, asked again about their test patients."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.findings.evidence import class_ways
from benchmarks.findings.evidence.class_ways import Counted
from benchmarks.inference.predictor import Predictor
from benchmarks.predicting import overlays, own_patients, region_colours, trained_network
from benchmarks.predicting.own_patients import Place
from benchmarks.predicting.trained_network import Trained
from benchmarks.records.record import Record
from benchmarks.running.job import Job
from benchmarks.scoring import policies
from benchmarks.terminal.streams import say
from benchmarks.training import evaluate
from data_pipeline import Data, PatientData
from data_pipeline.feeding import value_range
from zoo import weights

Dice = tuple[str, tuple[str, ...], str, float]  # patient, channels that are there, region, value


@dataclass(frozen=True)
class Asked:
    """The network of a run, and the data of its fold as it takes them."""

    trained: Trained
    data: Data
    predict: Predictor


def ask(pattern: Job, one: Record) -> Asked:
    """Load what a run left behind, and its patients."""
    path = own_patients.weights_of(one, pattern.results)
    trained = trained_network.read(path)
    say(f"Asking {one.name}, seed {one.run['seed']}, fold {one.run['fold']} ...")
    place = Place(pattern.data, pattern.version, pattern.cache, pattern.threads)
    data = own_patients.load(one, trained, place)
    return Asked(trained, data, Predictor(weights.restore(path), trained.evaluation))


def dice_without(pattern: Job, one: Record, subsets: Sequence[tuple[str, ...]]) -> Iterator[Dice]:
    """Yield the Dice of each test patient of a run with no more than each subset of channels."""
    asked = ask(pattern, one)
    nothing = absent(asked.trained)
    for patient in asked.data.patients("test"):
        for subset in subsets:
            gone = [place for place, name in enumerate(asked.data.channels) if name not in subset]
            images = patient.images.copy()
            images[..., gone] = nothing
            found = patient.restore(asked.predict(images))
            for region, dice in dice_of(asked, patient, found).items():
                yield patient.id, subset, region, dice


def dice_of(asked: Asked, patient: PatientData, found: np.ndarray) -> dict[str, float]:
    """Return each region's Dice of the probabilities found for a patient, on its own grid."""
    row = evaluate.row(patient, asked.data, found, asked.trained.cut, surfaces=False)
    policy = asked.trained.evaluation.policy
    told = {name: policies.values(counts, policy) for name, counts in row["regions"].items()}
    return {name: np.nan if own["dice"] is None else own["dice"] for name, own in told.items()}


def counted(pattern: Job, one: Record) -> Iterator[tuple[Counted, Counted]]:
    """Yield the sums of each test patient of a run, and those of a mask that finds nothing."""
    asked = ask(pattern, one)
    by_slice = asked.data.spec.rank == 2
    for patient in asked.data.patients("test"):
        truth = asked.data.target.encode(patient.reference)
        answer = patient.restore(asked.predict(patient.images))
        nothing = np.broadcast_to(asked.data.target.outside, truth.shape)
        masks, empty = (
            class_ways.counted(truth, found, _mean(asked, patient, found), by_slice=by_slice)
            for found in (answer, nothing)
        )
        yield masks, empty


@dataclass(frozen=True)
class Drawn:
    """A patient's Dice by region, RGB planes of image, reference and prediction, and a legend."""

    dice: dict[str, float]
    planes: list[np.ndarray]
    colours: dict[str, tuple[float, float, float]]


def drawn(pattern: Job, one: Record, names: Collection[str]) -> dict[str, Drawn]:
    """Let a network draw some of its test patients, on the slice with the most tumour."""
    asked = ask(pattern, one)
    chosen = (patient for patient in asked.data.patients("test") if patient.patient in names)
    return {patient.patient: _drawn(asked, patient) for patient in chosen}


def _drawn(asked: Asked, patient: PatientData) -> Drawn:
    data = asked.data
    found = patient.restore(asked.predict(patient.images))
    masks = asked.trained.cut.masks(found, data.target, data.regions)
    truth = {region: np.isin(patient.reference, own) for region, own in data.regions.items()}
    place = overlays.fullest(patient.reference > 0, next(iter(masks.values())))
    image = overlays.grey(overlays.shown_planes(patient, data)[place])
    planes = [image]
    for regions in (truth, masks):
        planes.append(overlays.nested(image, [mask[place] for mask in regions.values()]))
    return Drawn(
        dice_of(asked, patient, found),
        [_cut(plane, image) for plane in planes],
        dict(zip(data.regions, region_colours.NESTED, strict=False)),
    )


def _cut(plane: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Leave out the margins that hold no brain."""
    held = image[..., 0] != image[0, 0, 0]
    rows, columns = (np.flatnonzero(held.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return plane
    return plane[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _mean(asked: Asked, patient: PatientData, found: np.ndarray) -> float:
    return float(np.nanmean([*dice_of(asked, patient, found).values()]))


def absent(trained: Trained) -> float:
    """Return what a channel holds that is not there: the mean, in the range the network takes."""
    value = np.zeros(1, np.float32)
    value_range.bring(value, trained.spec.normalisation, trained.value_range)
    return float(value[0])
