"""A run with moving statistics estimated again: the training of the run without, where it is done.

Both runs have the same weights but for those statistics, so that their difference is the answer to
one question, and whoever has trained need not train twice.
"""

from dataclasses import replace
from typing import Any

import keras

from benchmarks.errors import UserError
from benchmarks.predicting import trained_network
from benchmarks.running.slot import Slot
from benchmarks.training import recalibrate
from benchmarks.training.state import State
from data_pipeline import Data
from zoo import weights


def trained(slot: Slot, model: keras.Model) -> State | None:
    """Give the model the weights of the same run without recalibration; None where it isn't done.

    Its record may be there without its weights, which no repository keeps: then it trains.
    """
    if not slot.job.recalibrate:
        return None
    if not recalibrate.norms(model):
        raise UserError(
            f"{slot.job.model} has no BatchNorm, so there are no moving statistics to estimate: "
            "run it without --recalibrate."
        )
    plain = replace(slot, job=replace(slot.job, recalibrate=False, force=False))
    record, file = plain.finished(), plain.folder / trained_network.WEIGHTS
    if record is None or not file.is_file():
        return None
    if weights.digest_of(weights.read(file)[1]) != record.training.get("weights_sha256"):
        return None
    weights.load(model, file)
    return State(
        history=tuple(record.history),
        best_epoch=record.training["best_epoch"],
        best_dice=record.training["best_val_dice"],
        seconds=record.training["seconds"],
        stopped=record.training["stopped"],
        first_step_s=record.training["first_step_s"],
    )


def apply(slot: Slot, model: keras.Model, data: Data) -> dict[str, Any]:
    """Estimate the model's moving statistics anew, where asked; return what its record says of it.

    The batches are those of the first epoch, augmented as they were in training.
    """
    if not slot.job.recalibrate:
        return {}
    before = weights.digest(model)
    batches = recalibrate.estimate(model, data.batches("train"))
    return {"recalibration": {"batches": batches, "weights_sha256_before": before}}
