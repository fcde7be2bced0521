"""Where each network is best and where it is worst: one patient each, with its mask drawn.

Whose pictures may be published is a matter of licences: of BraTS, those of its 2021 collection (CC
BY 4.0, with attribution). Where a table has none of them, all its patients are looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.findings.evidence import paired
from benchmarks.findings.evidence.needed_runs import EIGHT, Conditions, Runs, of_protocols
from benchmarks.records.record import Record
from benchmarks.running.job import Job

SUMMARY = "each network's best and worst patient, with its masks drawn"
MODELS = EIGHT
SHOWN = "BraTS2021_*"
BEST, WORST = "best", "worst"


@dataclass(frozen=True)
class Case:
    """A patient of a model: Dice by region, RGB planes of image, reference and prediction."""

    model: str
    role: str
    patient: str
    dice: Mapping[str, float]
    planes: Sequence[np.ndarray]
    colours: Mapping[str, tuple[float, float, float]]


def conditions(base: str) -> Conditions:
    """Return the protocol alone."""
    return of_protocols(base)


def ask(pattern: Job, runs: Runs) -> Sequence[Case]:
    """Let every network draw the two patients that its records say it is best and worst on."""
    from benchmarks.backends import device

    device.start(pattern.backend)
    from benchmarks.findings.evidence import networks

    found = []
    for model, by_protocol in runs.items():
        (records,) = by_protocol.values()
        roles = chosen(records)
        for one in records:  # each is asked once, though best and worst may be of one fold
            names = {patient: role for role, (own, patient) in roles.items() if own is one}
            drawn = networks.drawn(pattern, one, names) if names else {}
            found += [
                Case(model, names[patient], patient, case.dice, case.planes, case.colours)
                for patient, case in drawn.items()
            ]
    return found


def chosen(records: Sequence[Record]) -> dict[str, tuple[Record, str]]:
    """Return the record and the patient of each role, by the mean Dice over regions."""
    dice = {
        (place, patient): value
        for place, one in enumerate(records)
        for patient, value in paired.dice([one]).items()
    }
    known = {key: value for key, value in dice.items() if fnmatch(key[1], SHOWN)} or dice
    ordered = sorted(known, key=lambda key: (-known[key], key))
    return {
        role: (records[place], patient)
        for role, (place, patient) in ((BEST, ordered[0]), (WORST, ordered[-1]))
    }


def rows(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Return each case with its Dice by region."""
    return [
        {"model": one.model, "case": one.role, "patient": one.patient} | dict(one.dice)
        for one in cases
    ]


def picture(cases: Sequence[Case]) -> Figure:
    """Draw a row a model: its best case on the left, its worst on the right."""
    from benchmarks.plots.of_findings import drawn_cases

    return drawn_cases.figure(cases, (BEST, WORST))
