"""Missing sequences: what is left of each region's Dice with any of the fifteen subsets.

Once in networks that were trained on all four and get nothing in the place of what is missing, once
in networks that were trained with sequences missing. The networks are asked again, so that their
weights are needed, not their records alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.findings.evidence import paired
from benchmarks.findings.evidence.needed_runs import Conditions, Runs, of_protocols
from benchmarks.findings.evidence.paired import Tested
from benchmarks.running.job import Job

SUMMARY = "what is left of each region where sequences are missing"
MODELS = "unet,attention_unet,sa_unet"
TRAINED = ("trained on all", "trained on some")  # of the sequences in each sample


@dataclass(frozen=True)
class Answers:
    """Dice by patient, for each (training, subset, region), and the folds behind it."""

    dice: Mapping[tuple[str, tuple[str, ...], str], Mapping[str, float]]
    tested: Sequence[Tested]


def conditions(base: str) -> Conditions:
    """Return the protocol, and its twin that leaves sequences out of training samples."""
    return of_protocols(base, f"{base}_missing")


def subsets(channels: Sequence[str]) -> list[tuple[str, ...]]:
    """Return every choice of channels, the most of them first."""
    return [
        chosen for size in range(len(channels), 0, -1) for chosen in combinations(channels, size)
    ]


def ask(pattern: Job, runs: Runs) -> Mapping[str, Answers]:
    """Score every network on its test patients, without what is not in each subset."""
    from benchmarks.backends import device

    device.start(pattern.backend)
    from benchmarks.findings.evidence import networks

    found = {}
    for model, by_training in runs.items():
        dice: dict[tuple, dict[str, list[float]]] = {}
        for training, records in zip(TRAINED, by_training.values(), strict=True):
            for one in records:
                asked = subsets(one.data["channels"])
                for patient, subset, region, value in networks.dice_without(pattern, one, asked):
                    by_patient = dice.setdefault((training, subset, region), {})
                    by_patient.setdefault(patient, []).append(value)
        means = {
            key: {patient: float(np.mean(values)) for patient, values in by_patient.items()}
            for key, by_patient in dice.items()
        }
        every = (one for records in by_training.values() for one in records)
        found[model] = Answers(means, [paired.tested(one) for one in every])
    return found


def rows(answers: Mapping[str, Answers]) -> list[dict[str, Any]]:
    """Return each model, subset and region: both trainings, and what the second gains."""
    told = []
    for model, found in answers.items():
        for subset, region in [key[1:] for key in found.dice if key[0] == TRAINED[0]]:
            first, second = ((name, found.dice[name, subset, region]) for name in TRAINED)
            row = paired.of_scores(first, second, found.tested)
            names = {"model": model, "sequences": " ".join(subset), "region": region}
            told.append(names | row)
    return paired.judged(told)


def figure(rows: list[dict[str, Any]]) -> Figure:
    """Draw every subset: a panel a region, both trainings of each model."""
    from benchmarks.plots.of_findings import missing

    return missing.figure(rows, TRAINED)
