"""The stages of a run: each takes values, and returns one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

import data_pipeline
import zoo
from benchmarks.backends import device, several_devices
from benchmarks.cost import run_cost as costs
from benchmarks.cost.profiled_model import Subject
from benchmarks.errors import UserError
from benchmarks.inference.predictor import Predictor
from benchmarks.predicting import overlays, trained_network
from benchmarks.predicting.trained_network import Trained
from benchmarks.protocols import own_metric
from benchmarks.records import atomic, csv_table, data_section
from benchmarks.records.record import Record
from benchmarks.running.slot import Slot
from benchmarks.running.unfinished import Unfinished
from benchmarks.terminal import progress
from benchmarks.terminal.streams import say
from benchmarks.training import checkpoint, display, history
from benchmarks.training import evaluate as scoring
from benchmarks.training import train as training
from benchmarks.training.checkpoint import Checkpoints
from benchmarks.training.cut import Cut
from benchmarks.training.evaluate import Quality
from benchmarks.training.state import State
from data_pipeline import Data
from data_pipeline.data import SPLITS
from zoo import weights


def load(slot: Slot, unfinished: Unfinished) -> Data:
    """Load the data, and note what they are."""
    data = data_of(slot)
    unfinished.note(data=facts(data))
    return data


def data_of(slot: Slot) -> Data:
    """Load the data by which the run has its name, in the range that its model asks for."""
    job = slot.job
    asked = slot.protocol.evaluate
    own_metric.load(asked.metrics, surfaces=asked.surfaces)  # what fails does so before training
    data = data_pipeline.load(
        slot.protocol.data,
        job.seed,
        job.fold,
        root=job.data,
        cache=job.cache,
        version=job.version,
        threads=job.threads,
        progress=None if job.quiet else progress.progress("Preparing"),
    )
    if data.spec.target == "regions" and data.classes > 1:
        raise UserError(
            "Expected a protocol whose target is 'whole' or 'labels', because the zoo's models end "
            "in one sigmoid or a softmax. Received: 'regions'. Use 'labels': regions are scored."
        )
    _require_same(slot, data)
    data = data.in_range(zoo.card(job.model).value_range)
    several_devices.require_equal_parts(job.devices, slot.protocol, data)
    return data


def _require_same(slot: Slot, data: Data) -> None:
    """Refuse data that are no longer those by which the run has been given its name."""
    if (data.fingerprint, data.split_digest) != (slot.data.fingerprint, slot.data.split_digest):
        raise UserError("The data changed while the run was starting: start it again.")


def facts(data: Data) -> dict[str, Any]:
    """Return the data section of a record."""
    return data_section.facts(
        {"fingerprint": data.fingerprint, "split_digest": data.split_digest},
        data.split,
        layout=data.spec.layout,
        channels=data.channels,
        classes=data.classes,
        regions=data.regions,
        counts={name: getattr(data, f"n_{name}") for name in SPLITS},
        value_range=data.value_range,
        images={
            name: {case: one for one, case in trained_network.image_hashes(data, name).items()}
            for name in SPLITS
        },
    )


def build(slot: Slot, data: Data) -> keras.Model:
    """Build the model from the run's seed."""
    keras.utils.set_random_seed(slot.job.seed)
    model = zoo.create(
        slot.job.model,
        data.input_shape,
        data.classes,
        slot.job.variant,
        slot.protocol.train.width,
    )
    origin = weights.identity_of(model).origin
    if origin and origin.as_json() != slot.run["origin"]:
        raise UserError(f"{slot.job.model} changed while the run was starting: start it again.")
    if slot.job.from_weights is not None:
        _go_on_from(slot, model)
    return model


def _go_on_from(slot: Slot, model: keras.Model) -> None:
    """Take over the weights of another run; a head of other classes begins anew, and is named."""
    path = trained_network.find(Path(str(slot.job.from_weights)))
    if weights.header(path).sha256 != slot.run["started_from"]["weights_sha256"]:
        raise UserError(f"{path} changed while the run was starting: start it again.")
    anew, resampled = weights.transfer(model, path)
    if anew:
        say(f"Goes on from {path}; the number of classes differs, so these begin anew: {anew}.")
    if resampled:
        say(f"Goes on from {path}; {len(resampled)} kernels are resampled to this variant's size.")


def train(slot: Slot, model: keras.Model, data: Data, unfinished: Unfinished) -> State:
    """Train from the newest checkpoint on; keep the log."""
    job, epochs = slot.job, slot.protocol.train.epochs
    share = checkpoint.KEEN if unfinished.keep_best else checkpoint.SHARE
    checkpoints = Checkpoints(slot.folder, identity(unfinished.record), share)
    if job.force:
        checkpoints.discard()
    title = slot.path.stem
    chosen = display.choose(title, epochs, data.steps_per_epoch, quiet=job.quiet)

    usage = _usage(slot, data, Cut.of(slot.protocol.evaluate))

    def noted(state: State) -> None:
        unfinished.epoch(state, lambda path: weights.save(model, path, usage))

    with history.Kept(chosen, slot.folder, noted) as shown:
        return training.train(
            model,
            data,
            slot.protocol,
            checkpoints,
            shown,
            jit=device.resolve_jit(job.jit),
            watch=not job.deterministic,
        )


def identity(begun: Record) -> dict[str, Any]:
    """Return what a checkpoint must agree with to be gone on from."""
    environment = ("backend", "precision", "deterministic", "keras")
    return {
        **begun.run,
        "protocol_digest": begun.protocol_digest,
        **{name: begun.data[name] for name in ("fingerprint", "split_digest")},
        **{name: begun.environment[name] for name in environment},
    }


def evaluate(slot: Slot, model: keras.Model, data: Data) -> Quality:
    """Score the test patients; keep their numbers as a table, and the network ready for use."""
    predict = Predictor(model, slot.protocol.evaluate)
    quality = scoring.evaluate(predict, data, slot.protocol.evaluate)
    for failure in own_metric.failures(quality.patients):
        say(f"A metric failed on a patient, who is left out of it: {failure}")
    usage = _usage(slot, data, quality.cut)
    weights.save(model, slot.folder / trained_network.WEIGHTS, usage)
    policy = slot.protocol.evaluate.policy
    _write(slot, "patients.csv", csv_table.text(scoring.table(quality, policy)))
    return quality


def _usage(slot: Slot, data: Data, cut: Cut) -> dict[str, Any]:
    """Say what a file of weights needs to be used."""
    return Trained.of(slot.protocol, data, cut).as_json()


def cost(slot: Slot, model: keras.Model, state: State, memory_before: int) -> dict[str, Any]:
    """Count and time the model at a batch of one."""
    subject = Subject(
        slot.job.model,
        slot.job.variant,
        model.input_shape[1:],
        model.output_shape[-1],
        slot.protocol.train.width,
        precision=slot.job.precision,
    )
    jit = device.resolve_jit(slot.job.jit)
    return costs.measure(model, subject, state, jit=jit, memory_before=memory_before)


def draw(slot: Slot, model: keras.Model, data: Data, quality: Quality, state: State) -> None:
    """Draw the training curve and some of the patients."""
    predict = Predictor(model, slot.protocol.evaluate)
    overlays.curves(state.history, slot.path.stem, slot.folder)
    overlays.patients(predict, data, quality, slot.protocol.evaluate.policy, slot.folder)


def conclude(
    begun: Record,
    model: keras.Model,
    state: State,
    quality: Quality,
    cost: dict[str, Any],
    recalibration: dict[str, Any],
) -> Record:
    """Put everything into the record."""
    return replace(
        begun,
        history=list(state.history),
        training={
            "epochs": state.epoch,
            "best_epoch": state.best_epoch,
            "best_val_dice": state.best_dice,
            "stopped": state.stopped,
            "seconds": state.seconds,
            "first_step_s": state.first_step_s,
            **quality.cut.as_json(),
            "weights_sha256": weights.digest(model),
            **recalibration,
        },
        patients=list(quality.patients),
        quality=quality.summary,
        calibration=quality.calibration,
        cost=cost,
    )


def _write(slot: Slot, name: str, content: str) -> None:
    atomic.write(slot.folder / name, content.encode())
