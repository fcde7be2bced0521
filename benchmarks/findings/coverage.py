"""Coverage: how often an interval of nominally 95 % holds the truth, by the number of patients."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.comparison.judging import differences, intervals, statistics
from benchmarks.findings.evidence import rivals
from benchmarks.findings.evidence.needed_runs import EIGHT, Conditions, Runs, of_protocols
from benchmarks.findings.evidence.populations import Population, populations

SUMMARY = "how often intervals and ranks hold the truth, for few and many patients"
MODELS = EIGHT
PATIENTS = (5, 8, 13, 20, 64)
SAMPLES = 1_000
RANKINGS = 200  # each ranks all models
OURS = "ours"


def conditions(base: str) -> Conditions:
    """Return the protocol alone: its patients are resampled."""
    return of_protocols(base)


def rows(runs: Runs) -> list[dict[str, Any]]:
    """Return coverage and median width of each method on each population and number."""
    found = []
    for one in populations(runs):
        for patients in PATIENTS:
            for method, truth, lower, upper in _tried(one, patients):
                told = {"kind": one.kind, "population": one.name, "patients": patients}
                told |= {"method": method, "coverage": _share(truth, lower, upper)}
                found.append(told | {"width": float(np.median(upper - lower))})
    return found


def _share(truth, lower: np.ndarray, upper: np.ndarray) -> float:
    return float(((lower <= truth + 1e-12) & (truth - 1e-12 <= upper)).mean())


Tried = Iterator[tuple[str, Any, np.ndarray, np.ndarray]]


def _tried(one: Population, patients: int) -> Tried:
    return {"mean": _means, "difference": _differences, "rank": _ranks}[one.kind](one, patients)


def _means(one: Population, patients: int) -> Tried:
    scores, truth = one.samples(patients, SAMPLES)[:, 0], one.truth[0]
    told = intervals.intervals(scores, one.ends, resamples=rivals.RESAMPLES)
    yield OURS, truth, told.lower, told.upper
    if not np.isnan(one.ends).any():
        for method, bounds in rivals.MEANS.items():
            yield method, truth, *bounds(scores, one.ends)


def _differences(one: Population, patients: int) -> Tried:
    first, second = np.moveaxis(one.samples(patients, SAMPLES), 1, 0)
    truth = one.truth[0] - one.truth[1]
    sides = np.arange(SAMPLES), SAMPLES + np.arange(SAMPLES)
    told = differences.paired(np.hstack([first, second]), *sides, resamples=rivals.RESAMPLES)
    yield OURS, truth, told.lower, told.upper
    for method, bounds in rivals.DIFFERENCES.items():
        yield method, truth, *bounds(first - second, (-1.0, 1.0))


def _ranks(one: Population, patients: int) -> Tried:
    samples = np.moveaxis(one.samples(patients, RANKINGS), 2, 0)
    bounds = [statistics.rank_intervals(own, resamples=rivals.RESAMPLES) for own in samples]
    lower, upper = np.moveaxis(np.array(bounds), 1, 0)
    yield OURS, statistics.ranks(one.truth), lower, upper


def figure(rows: list[dict[str, Any]]) -> Figure:
    """Draw the coverage of our method and of its rivals against the number of patients."""
    from benchmarks.plots.of_findings import coverage

    return coverage.figure(rows)
