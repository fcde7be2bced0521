"""What every runtime takes for a sample, and scores on the test patients beside Keras."""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np

from benchmarks.backends import device
from benchmarks.comparison.reading.runtime_sheet import Measured, Sheet
from benchmarks.cost import timing
from benchmarks.exporting import exported, int8, parity
from benchmarks.exporting.parity import Network
from benchmarks.inference.predictor import Predictor
from benchmarks.machine import environment, resources
from benchmarks.predicting.trained_network import Trained
from benchmarks.runtimes import engines
from benchmarks.runtimes.asked_network import Asked
from benchmarks.runtimes.engines import KERAS, Engine
from benchmarks.terminal.streams import say
from benchmarks.training import evaluate
from data_pipeline import Data

Dice = Mapping[str, float]  # by patient, the mean over regions


class Exported:
    """A network outside Keras in the place of a model: what a `Predictor` asks of one."""

    def __init__(self, network: Network, input_shape: tuple[int | None, ...]):
        self.predict_on_batch = network
        self.input_shape = input_shape


def measure(asked: Asked, seconds: float) -> Sheet:
    """Time every runtime on one sample; with a run's data, score its test patients as well.

    A network that was not trained has latency and size alone.
    """
    samples = _samples(asked.trained, asked.data) if asked.trained and asked.data else None
    rows = []
    reference: Dice | None = None
    with tempfile.TemporaryDirectory(prefix="gliozoo-runtimes-") as folder:
        for engine in engines.engines(asked.model, samples, Path(folder)):
            say(f"{engine.name} ...")
            row, dice = _one(engine, asked, seconds)
            reference = dice if engine.name == KERAS else reference
            rows.append(_beside(row, dice, reference))
    return Sheet(
        model=asked.name,
        protocol=asked.protocol,
        weights_sha256=asked.weights_sha256,
        cpu=environment.processor(),
        threads=resources.in_use() or environment.cores(),
        patients=asked.data.n_test if asked.data else 0,
        rows=tuple(rows),
    )


def _one(engine: Engine, asked: Asked, seconds: float) -> tuple[Measured, Dice | None]:
    row = Measured(engine.name, megabytes=engine.megabytes, refused=engine.refused)
    if engine.network is None:
        return row, None
    try:
        dice = _scored(engine.network, asked) if asked.data else None
        return _timed(row, engine.network, asked.model.input_shape, seconds), dice
    except Exception as error:  # a runtime may lack what the converter wrote
        return Measured(engine.name, refused=exported.reason(error)), None


def _timed(row: Measured, network: Network, shape: tuple, seconds: float) -> Measured:
    sample = parity.inputs(shape[1:])["real_like"][:1]
    with device.silence():
        found = timing.measure(lambda: network(sample), seconds)
    return replace(row, p50=1e3 * found.p50, p95=1e3 * found.p95)


def _scored(network: Network, asked: Asked) -> Dice:
    """Return each test patient's mean Dice over regions, of those that a policy defines."""
    trained, data = cast("Trained", asked.trained), cast("Data", asked.data)
    predict = Predictor(Exported(network, asked.model.input_shape), trained.evaluation)
    rows = (
        evaluate.row(
            patient,
            data,
            patient.restore(predict(patient.images)),
            trained.cut,
            surfaces=False,
        )
        for patient in data.patients("test")
    )
    return evaluate.dice_of_rows(rows, trained.evaluation.policy)


def _beside(row: Measured, dice: Dice | None, reference: Dice | None) -> Measured:
    """Add a runtime's Dice, and what it has over Keras' on the same patients.

    The network is the same, so that there is no other patient or training to reckon with.
    """
    if not dice or not reference:
        return row
    row = replace(row, dice=float(np.mean([*dice.values()])))
    if row.runtime == KERAS:
        return row
    gaps = [dice[name] - reference[name] for name in reference]
    return replace(row, difference=float(np.mean(gaps)), least=min(gaps), most=max(gaps))


def _samples(trained: Trained, data: Data) -> np.ndarray:
    """Return what int8 measures its ranges on: slices or windows of the validation patients."""
    patients = list(data.patients("val"))
    each = max(1, int8.SAMPLES // max(1, len(patients)))
    parts = [part for one in patients for part in int8.parts(one.images, trained.spec.size, each)]
    return np.stack(parts[: int8.SAMPLES])
