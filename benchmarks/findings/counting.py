"""How much of a BraTS claim is its way of counting: the same masks, counted as its authors do.

Their code pools the voxels of all patients' slices with a tumour, takes the background into the
mean as a fourth class, and multiplies probabilities where a mask would be counted. Beside each
network stands a mask of nothing, counted in the same ways. The networks are asked again, because
records hold regions and no classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.comparison.reading.claims import claims
from benchmarks.findings.evidence import class_ways
from benchmarks.findings.evidence.class_ways import Counted
from benchmarks.findings.evidence.needed_runs import Conditions, Runs, of_protocols
from benchmarks.records.record import Record
from benchmarks.running.job import Job

SUMMARY = "what the ways of counting behind BraTS claims make of the same masks"
MODELS = "deeplabv3plus,attention_unet,resnet50_unet,unet3d"
DATASET = "BraTS"
SEEN, NOTHING, PRINTED = "measured", "nothing found", "claimed"


@dataclass(frozen=True)
class Answer:
    """A model's test patients, its masks and empty ones counted, and what its authors print."""

    masks: Sequence[Counted]
    nothing: Sequence[Counted]
    claimed: Mapping[str, float]
    folds: int


def conditions(base: str) -> Conditions:
    """Return the protocol alone."""
    return of_protocols(base)


def ask(pattern: Job, runs: Runs) -> Mapping[str, Answer]:
    """Count every network's test patients."""
    from benchmarks.backends import device

    device.start(pattern.backend)
    from benchmarks.findings.evidence import networks

    answers = {}
    for model, by_protocol in runs.items():
        (records,) = by_protocol.values()
        masks, nothing = [], []
        for one in records:
            for found, empty in networks.counted(pattern, one):
                masks.append(found)
                nothing.append(empty)
        answers[model] = Answer(masks, nothing, claimed(records[0]), len(records))
    return answers


def claimed(one: Record) -> Mapping[str, float]:
    """Return what a model's authors print of these data, as its card has it."""
    printed = (claim for claim in claims([one]) if claim.dataset.startswith(DATASET))
    return next((claim.metrics for claim in printed), {})


def rows(answers: Mapping[str, Answer]) -> list[dict[str, Any]]:
    """Return each model in every way of counting, beside a mask of nothing and the claim."""
    return [
        {
            "model": model,
            "way": way.replace("\n", " "),
            SEEN: of(answer.masks),
            NOTHING: of(answer.nothing),
            PRINTED: _printed(answer.claimed, way),
            "patients": len(answer.masks),
            "folds": answer.folds,
        }
        for model, answer in answers.items()
        for way, of in class_ways.WAYS.items()
    ]


def _printed(metrics: Mapping[str, float], way: str) -> float:
    names = class_ways.PRINTED.get(way, ())
    return next((metrics[name] for name in names if name in metrics), np.nan)


def figure(rows: list[dict[str, Any]]) -> Figure:
    """Draw every model through the ways, what is claimed, and what finding nothing is worth."""
    from benchmarks.plots.of_findings import counted

    return counted.figure(rows, list(class_ways.WAYS), (SEEN, NOTHING, PRINTED))
