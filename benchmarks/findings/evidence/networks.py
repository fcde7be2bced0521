"""The networks behind records, asked again: their test patients, of whom channels are missing."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

import data_pipeline
from benchmarks.errors import UserError
from benchmarks.inference.predictor import Predictor
from benchmarks.predicting import trained_network
from benchmarks.predicting.trained_network import Trained
from benchmarks.records import record, result_paths
from benchmarks.records.record import Record
from benchmarks.running.job import Job
from benchmarks.scoring import policies
from benchmarks.terminal.streams import say
from benchmarks.training import evaluate
from data_pipeline import Data
from data_pipeline.feeding import value_range
from zoo import weights

Dice = tuple[str, tuple[str, ...], str, float]  # patient, channels that are there, region, value


def dice_without(pattern: Job, one: Record, subsets: Sequence[tuple[str, ...]]) -> Iterator[Dice]:
    """Yield the Dice of each test patient of a run with no more than each subset of channels."""
    path = weights_of(one, pattern.results)
    trained = trained_network.read(path)
    data = _data(pattern, one, trained)
    nothing = absent(trained)
    predict = Predictor(weights.restore(path), trained.evaluation)
    for patient in data.patients("test"):
        for subset in subsets:
            gone = [place for place, name in enumerate(data.channels) if name not in subset]
            images = patient.images.copy()
            images[..., gone] = nothing
            found = patient.restore(predict(images))
            row = evaluate.row(patient, data, found, trained.threshold, surfaces=False)
            for region, counts in row["regions"].items():
                dice = policies.values(counts, trained.evaluation.policy)["dice"]
                yield patient.id, subset, region, np.nan if dice is None else dice


def weights_of(one: Record, results: Path | str) -> Path:
    """Return the weights of a run of this machine, and refuse others under its name."""
    path = result_paths.run_folder(record.path_of(one, results)) / trained_network.WEIGHTS
    if not path.is_file():
        raise UserError(
            f"{path} is missing: a record alone can't be asked. Repeat its run with --force: "
            f"{one.command}"
        )
    if weights.header(path).sha256 != one.training.get("weights_sha256"):
        raise UserError(f"{path} holds other weights than those of its record: repeat the run.")
    return path


def absent(trained: Trained) -> float:
    """Return what a channel holds that is not there: the mean, in the range the network takes."""
    value = np.zeros(1, np.float32)
    value_range.bring(value, trained.spec.normalisation, trained.value_range)
    return float(value[0])


def _data(pattern: Job, one: Record, trained: Trained) -> Data:
    """Load the fold of a run, as its network takes it."""
    say(f"Asking {one.name}, seed {one.run['seed']}, fold {one.run['fold']} ...")
    data = data_pipeline.load(
        trained.spec,
        int(one.run["seed"]),
        int(one.run["fold"]),
        root=pattern.data,
        cache=pattern.cache,
        version=pattern.version,
        threads=pattern.threads,
    )
    if data.split_digest != one.data["split_digest"]:
        raise UserError(
            f"{pattern.data or 'the phantoms'}: other patients than those of {one.name}; name "
            "the data of its run with --data."
        )
    return data.in_range(trained.value_range)
