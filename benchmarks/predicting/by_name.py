"""What is known of presets when scans are predicted by name: whom they were taught on, and more."""

from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.predicting.trained_network import Trained
from data_pipeline.cases.case import Case
from data_pipeline.scans import fingerprints
from zoo.presets import shelf
from zoo.presets.preset import NAME, Preset


def presets(places: str) -> list[Preset]:
    """Return the presets among places joined by commas."""
    names = [place.strip() for place in places.split(",")]
    return [shelf.find(name) for name in names if NAME.fullmatch(name) and not Path(name).exists()]


def warn_of_taught(places: str, cases: Sequence[Case], say: Callable[[str], None]) -> None:
    """Say which scans a preset was trained on: its mask of them shows nothing."""
    taught = {one: preset.name for preset in presets(places) for one in preset.scans}
    for case in cases if taught else ():
        if not case.problem and (found := fingerprints.of(case) & taught.keys()):
            name = taught[min(found)]
            say(f"gliozoo: {name} was trained on {case.name}: its mask shows nothing of its worth.")


def of_fewer_channels(case: Case, known: Trained) -> str:
    """Name the presets that do with what a scan has, where it lacks a channel; else nothing."""
    if case.problem or set(known.spec.channels) <= set(case.channels):
        return ""
    fitting = [
        one.name for one in shelf.presets().values() if set(one.channels) <= {*case.channels}
    ]
    return f" Presets that need no more than it has: {', '.join(fitting)}." if fitting else ""
