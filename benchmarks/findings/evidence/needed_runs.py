"""The records that a finding stands on: what any machine has finished is read, the rest is run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.comparison.judging.intervals import Intervals
from benchmarks.errors import UserError
from benchmarks.protocols import chosen_models, protocol
from benchmarks.records import record, result_paths
from benchmarks.records.record import Record
from benchmarks.running import launch, settle
from benchmarks.running.job import Job
from benchmarks.running.slot import Slot, terms
from benchmarks.sweep.finished import Finished

# Those that have records; further ones join with theirs.
EIGHT = (
    "unet,attention_unet,mod_r2au,ar2_unet,res_attention_unet,sa_unet,resnet50_unet,deeplabv3plus"
)

Runs = Mapping[str, Mapping[str, Sequence[Record]]]  # by model, by condition: one a seed and fold
Conditions = Mapping[str, Mapping[str, Any]]  # what they are called, and what it changes in a job


def of_protocols(*names: str) -> Conditions:
    """Return conditions that are protocols."""
    return {name: {"protocol": name} for name in names}


def collect(
    pattern: Job,
    models: str,
    conditions: Conditions,
    seeds: Sequence[int] = (0,),
    folds: Sequence[int] = (0,),
) -> Runs:
    """Return the records of every model under every condition; a run that fails ends it all."""
    finished = Finished(pattern.results, any_machine=True)
    runs: dict[str, dict[str, list[Record]]] = {}
    for name, changes in conditions.items():
        for model in chosen_models.models(models, changes["protocol"])[0]:
            for seed, fold in product(seeds, folds):
                job = replace(pattern, model=model, seed=seed, fold=fold, **changes)
                done = _record(job, finished)
                runs.setdefault(model, {}).setdefault(name, []).append(done)
    return runs


def require_equal(field: str, *sides: Iterable[Record]) -> None:
    """Refuse sides of different data: their difference would answer another question.

    Several folds of a side are several values, and the same ones on each.
    """
    names = [{str(one.data.get(field)): one.name for one in records} for records in sides]
    if any(side.keys() != names[0].keys() for side in names):
        found = dict(item for side in names for item in side.items())
        raise UserError(
            f"Expected records of the same data. Received: {' and '.join(found.values())}, whose "
            f"{field} differ; name the folder of records that belong together with --results."
        )


def told(name: str, one: Intervals) -> dict[str, float]:
    """Return a row's three cells of a value and its interval."""
    values = (one.mean, one.lower, one.upper)
    return {
        f"{name}{suffix}": float(value[0])
        for suffix, value in zip(("", " lower", " upper"), values, strict=True)
    }


def _record(job: Job, finished: Finished) -> Record:
    chosen = protocol.find(job.protocol, job.model)
    if job.data is None and chosen.data.layout != "phantom":
        names = result_paths.pattern(terms(job, chosen), chosen.digest)
        if found := finished.matching(names):
            return _of_one_data_set([record.read(path) for path in found])
    slot = settle.slot(job)
    return record.read(finished.path(slot) or _run(slot))


def _of_one_data_set(records: Sequence[Record]) -> Record:
    """Where no data are named, take those of which there are records, if they are all the same."""
    for name in result_paths.DATA:
        if len({one.data.get(name) for one in records}) > 1:
            raise UserError(
                f"There are records of {records[0].name} on data of different {name}: name those "
                "that are meant with --data."
            )
    return records[0]


def _run(slot: Slot) -> Path:
    job, outcome = slot.job, launch.launch(slot)
    if outcome.code != launch.FINE:
        raise UserError(
            f"{job.model} under {job.protocol} did not finish, and the finding needs it: its "
            f"record or the line above says why; the same command goes on from there."
        )
    return outcome.path


def patients(records: Iterable[Record]) -> dict[str, list[np.ndarray]]:
    """Return each patient's (tp, fp, fn, tn) by slice, one array a region and seed.

    Of a patient whose slices several folds tested, as where a split is by slice, they stand in one.
    """
    parts: dict[tuple[str, str, int], list[np.ndarray]] = {}
    for one in records:
        for patient in one.patients:
            for region_name, region in patient["regions"].items():
                key = str(patient["patient"]), region_name, int(one.run["seed"])
                parts.setdefault(key, []).append(_slices(region))
    found: dict[str, list[np.ndarray]] = {}
    for (name, _, _), tested in parts.items():
        found.setdefault(name, []).append(np.concatenate(tested))
    return found


def _slices(region: Mapping) -> np.ndarray:
    counts = [[region[name] for name in ("tp", "fp", "fn", "tn")]]
    if "slices" not in region:
        return np.array(counts, float)
    found = np.array(region["slices"], float).reshape(-1, 3)
    voxels = np.sum(counts) / len(found)
    return np.column_stack([found, voxels - found.sum(axis=1)])
