"""A preset made of runs: their weights in half the bytes, and what their records say of them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.comparison.judging import intervals
from benchmarks.comparison.reading import scores
from benchmarks.errors import UserError
from benchmarks.predicting import trained_network
from benchmarks.predicting.trained_network import Trained
from benchmarks.records import record, result_paths, verify
from benchmarks.records.record import Record
from benchmarks.releasing import halving
from benchmarks.training import cut
from data_pipeline.scans import fingerprints, search
from zoo import weights
from zoo.presets import manifest, shelf
from zoo.presets.preset import Dice, File, Preset

LARGEST = 5 << 20  # bytes of a file in the repository
TOGETHER = 20 << 20  # of all of them
LICENCES = {  # of data sets by layout: what its use allows of weights that it taught
    "lgg": ("CC BY-NC-SA 4.0", "LGG MRI segmentation (Buda, Saha, Mazurowski 2019; TCGA-LGG)"),
    "brats": ("CC BY 4.0 (BraTS 2021) and CC BY 3.0 (TCGA)", "BraTS (Baid et al. 2021; TCGA)"),
    "phantom": ("Apache-2.0", "phantoms of GlioZoo"),
}
LIMITS = (
    "no medical device: nothing that it draws may decide about a patient",
    "taught on pre-operative gliomas; other lesions and operated brains are unknown to it",
)


@dataclass(frozen=True)
class Wish:
    """What only a person knows of a preset, and where it is to lie."""

    name: str
    folder: Path
    summary: str = ""
    url: str = ""  # of the folder that larger files will lie in
    half: bool = True
    data: Path | None = None  # whose test patients say what 16 bits cost; unknown without
    scans: Sequence[Path] = field(default_factory=tuple)  # that taught it, to be known again


@dataclass(frozen=True)
class Run:
    """A finished run: its weights, how they are used, and its record."""

    path: Path
    trained: Trained
    record: Record
    record_path: Path


def read(folder: Path) -> Run:
    """Read a run; one that is not whole and finished makes no preset."""
    path = trained_network.find(folder)
    place = result_paths.record_of(path.parent)
    found = record.read(place)
    problems = verify.mismatches(found)
    if found.status != "ok" or problems:
        reason = problems[0] if problems else f"its status is {found.status}"
        raise UserError(f"{place}: makes no preset: {reason}; bench it again.")
    return Run(path, trained_network.read(path), found, place)


def preset(folders: Sequence[Path], wish: Wish) -> Preset:
    """Write the files of a preset and its entry in the folder's manifest; return it."""
    runs = sorted((read(folder) for folder in folders), key=lambda run: run.record.run["fold"])
    _require_one_sweep(runs)
    _require_name(wish.name, runs[0])
    files = tuple(_file(run, wish, place) for place, run in enumerate(runs))
    made = _told(runs, files, wish)
    known = manifest.read(wish.folder)
    _require_room(made, {**known, made.name: made}, wish)
    manifest.write(wish.folder, {**known, made.name: made}.values())
    return made


def _require_one_sweep(runs: Sequence[Run]) -> None:
    first = runs[0].record
    for run in runs[1:]:
        same = (run.record.run["model"], run.record.run["variant"], run.record.protocol_digest)
        if same != (first.run["model"], first.run["variant"], first.protocol_digest):
            raise UserError(f"{run.path}: is of another model or protocol than {runs[0].path}.")
    folds = [run.record.run["fold"] for run in runs]
    if len(set(folds)) < len(folds):
        raise UserError(f"Expected one run a fold. Received the folds: {folds}.")


def _require_name(name: str, run: Run) -> None:
    model = run.record.run["model"]
    if not name.startswith(f"{model}.") or name.count(".") != 1 or name.endswith("."):
        raise UserError(f"Expected a preset's name as {model}.TAG. Received: {name!r}.")


def _file(run: Run, wish: Wish, place: int) -> File:
    fold = run.record.run["fold"]
    name = f"{wish.name}-f{fold}.safetensors"
    target = wish.folder / name
    if wish.half:
        weights.halve(run.path, target)
        if wish.data:
            _require_harmless(run, target, wish.data)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(run.path.read_bytes())
    content = target.read_bytes()
    url = f"{wish.url.rstrip('/')}/{name}" if wish.url else ""
    sha256 = hashlib.sha256(content).hexdigest()
    return File(name, len(content), sha256, fold, run.record_path.name, url)


def _require_harmless(run: Run, target: Path, data: Path | None) -> None:
    try:
        halving.require_harmless(run.path, target, run.record.run["fold"], data)
    except UserError:
        target.unlink()
        raise


def _require_room(made: Preset, all_of_them: Mapping[str, Preset], wish: Wish) -> None:
    """Keep the repository small: what is larger is fetched by URL."""
    if wish.folder.resolve() != shelf.SHIPPED.resolve():
        return
    largest = max(file.bytes for file in made.files)
    whole = sum(one.bytes for preset in all_of_them.values() for one in preset.files if not one.url)
    if not wish.url and (largest > LARGEST or whole > TOGETHER):
        for file in made.files:
            (wish.folder / file.file).unlink(missing_ok=True)
        raise UserError(
            f"{made.name}: {largest / 2**20:.1f} MiB a file and {whole / 2**20:.1f} MiB in all are "
            f"more than the {LARGEST >> 20} and {TOGETHER >> 20} that are shipped; state a --url."
        )


def _told(runs: Sequence[Run], files: tuple[File, ...], wish: Wish) -> Preset:
    first, trained = runs[0].record, runs[0].trained
    layout = trained.spec.layout  # phantoms are written in another's
    licence, data = LICENCES.get(layout, ("that of its data", layout))
    research = "research and teaching only" if layout == "lgg" else "research and teaching"
    spacing = " x ".join("-".join(f"{side:g}" for side in axis) for axis in trained.spacing or ())
    return Preset(
        name=wish.name,
        summary=wish.summary or f"{first.run['model']} by {first.run['protocol']}",
        model=first.run["model"],
        variant=first.run["variant"] or "",
        rank=trained.spec.rank,
        channels=trained.spec.channels,
        layout=layout,
        protocol=first.run["protocol"],
        protocol_digest=first.protocol_digest,
        files=files,
        dice=dice(patient for run in runs for patient in run.record.patients),
        smallest=round(cut.mean([run.trained.cut for run in runs]).smallest, 4),
        spacing=spacing and f"{spacing} mm",
        data=data,
        intended_use=f"{research}: segmenting gliomas in MRI that is like its data",
        limits=LIMITS,
        licence_weights=licence,
        licence_data=licence,
        scans=_scans(wish, trained, runs),
    )


def dice(patients: Iterable[Mapping[str, Any]]) -> tuple[Dice, ...]:
    """Return each region's mean Dice over the test patients of all folds, with its interval.

    Each patient is scored by the network of the fold that never saw it.
    """
    rows: dict[str, dict[str, tuple[int, int, int]]] = {}
    for patient in patients:
        for region, counts in patient["regions"].items():
            own = rows.setdefault(region, {})
            own[patient["patient"]] = (counts["tp"], counts["fp"], counts["fn"])
    found = []
    for region, counts in sorted(rows.items()):
        values = scores.dice(np.array([*counts.values()], float), "brats")[:, None]
        one = intervals.intervals(values)
        ends = [float(np.nan_to_num(end[0], nan=one.mean[0])) for end in (one.lower, one.upper)]
        mean = round(float(one.mean[0]), 4)
        found.append(Dice(region, mean, round(ends[0], 4), round(ends[1], 4), len(values)))
    return tuple(found)


def _scans(wish: Wish, trained: Trained, runs: Sequence[Run]) -> tuple[str, ...]:
    """Return the digests of the scans that taught the runs, without those that tested all."""
    if not wish.scans:
        return ()
    tested = set.intersection(*({*run.record.data["split"]["test"]} for run in runs))
    cases = search.find(wish.scans, trained.wanted, trained.version)
    known = [case for case in cases if not case.problem and case.patient not in tested]
    return tuple(sorted({one for case in known for one in fingerprints.of(case)}))


def as_row(preset: Preset) -> dict[str, Any]:
    """Return what a list says of a preset."""
    return {
        "name": preset.name,
        "summary": preset.summary,
        "rank": preset.rank,
        "channels": list(preset.channels),
        "folds": len(preset.files),
        "megabytes": round(preset.bytes / 1e6, 2),
        "dice": {one.region: [one.mean, one.lower, one.upper] for one in preset.dice},
        "patients": max((one.patients for one in preset.dice), default=0),
        "licence": preset.licence_weights,
    }
