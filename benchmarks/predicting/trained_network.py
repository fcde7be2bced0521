"""A trained network with all that is needed to use it: what images, prepared how, scored how.

It travels in the weights file itself, so that one file is enough; a run's folder holds such a file.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.errors import UserError
from benchmarks.predicting import about
from benchmarks.protocols.protocol import Evaluation, Protocol
from benchmarks.records import result_paths
from benchmarks.training.cut import Cut
from data_pipeline import Data, DataSpec
from data_pipeline.feeding.targets import Target, target_of
from data_pipeline.grid import voxels
from data_pipeline.preparing.preparation import Preparation
from data_pipeline.scans.search import Wanted
from data_pipeline.storing.image_hashes import of_case
from zoo import weights
from zoo.presets import shelf
from zoo.presets.preset import NAME

WEIGHTS = "weights.safetensors"


@dataclass(frozen=True)
class Trained:
    """How a network's weights are to be used; `spacing` is of the volumes that taught it, in mm."""

    spec: DataSpec
    layout: str
    version: str | None
    labels: dict[str, int]
    regions: dict[str, tuple[int, ...]]
    spacing: tuple[tuple[float, float], ...] | None
    threshold: float
    evaluation: Evaluation
    value_range: str = "normalised"
    smallest: float = 0.0
    images: tuple[str, ...] = ()  # the hashes of the scans that it was trained and chosen on

    @classmethod
    def of(cls, protocol: Protocol, data: Data, cut: Cut) -> "Trained":
        """Note how a run's data were prepared, and the cut that its validation chose."""
        known = data.store.index["about"]
        return cls(
            spec=protocol.data,
            layout=known["layout"],
            version=known["version"],
            labels=known["labels"],
            regions=dict(known["regions"]),
            spacing=_spacing(data) if protocol.data.rank == 3 else None,
            threshold=cut.threshold,
            smallest=cut.smallest,
            evaluation=replace(protocol.evaluate, metrics=()),  # weights name no code
            value_range=data.value_range,
            images=tuple(sorted({*image_hashes(data, "train"), *image_hashes(data, "val")})),
        )

    def as_json(self) -> dict[str, Any]:
        """Give plain values for a weights file; regions as pairs, because their order counts."""
        return {
            **asdict(self),
            "spec": self.spec.as_json(),
            "evaluation": self.evaluation.as_json(),
            "regions": [[name, list(values)] for name, values in self.regions.items()],
        }

    @property
    def cut(self) -> Cut:
        """Return how probabilities become masks."""
        return Cut(self.threshold, self.smallest)

    @property
    def target(self) -> Target:
        """Return what the channels of the network's answer mean."""
        return target_of(self.spec, self.labels, self.regions)

    @property
    def voxels(self) -> tuple[float, ...] | None:
        """Return the mm of the voxels that the network sees; None where it takes what there is."""
        if self.spec.rank == 2 or self.spec.spacing or self.spacing is None:
            return self.spec.spacing
        middle = tuple(round((least + most) / 2, 3) for least, most in self.spacing)
        ends = zip(*self.spacing, strict=True)
        one = all(voxels.ratio(end, middle) == voxels.AS_IT_IS for end in ends)
        return middle if one else None

    @property
    def preparation(self) -> Preparation:
        """Return how a scan is brought to the network: volumes on voxels as it was taught on."""
        return replace(Preparation.of(self.spec), spacing=self.voxels)

    def of_any_spacing(self) -> "Trained":
        """Return the same for volumes that are taken as they are."""
        return replace(self, spec=replace(self.spec, spacing=None), spacing=None)

    @property
    def takes_fewer(self) -> bool:
        """Say whether it was trained with channels missing, and does without them in use."""
        return bool(self.spec.augmentation and self.spec.augmentation.channel_dropout)

    @property
    def wanted(self) -> Wanted:
        """Return what a scan must have."""
        whole = self.spec.target == "whole"
        return Wanted(self.spec.channels, self.layout, self.version, whole)

    def require_spacing(self, name: str, spacing: tuple[float, ...], in_mm: bool) -> None:
        """Refuse, for a network that was taught on several sizes, a volume of none between."""
        if self.spacing is None or self.voxels:
            return
        if not in_mm:
            raise UserError(
                f"{name}: its files state no voxel size, and the network was trained on volumes; "
                "write the true pixdim and sform, or accept any with --any-spacing."
            )
        for size, (least, most) in zip(spacing, self.spacing, strict=True):
            if not least * (1 - voxels.NEAR) <= size <= most * (1 + voxels.NEAR):
                ends = zip(*self.spacing, strict=True)
                raise UserError(
                    f"{name}: its voxels are {voxels.text(spacing)} mm, and the network was "
                    f"trained on {' to '.join(map(voxels.text, ends))} mm; resample the scan, or "
                    "accept any with --any-spacing."
                )


def image_hashes(data: Data, split: str) -> dict[str, str]:
    """Return the cases of a split by the hash of their images."""
    cases = [member.case for member in data.members[split]]
    return {of_case(data.store, case): data.store.cases[case].name for case in cases}


def find_all(places: str) -> list[Path]:
    """Return the weights files of runs and presets joined by commas; a preset has one a fold."""
    found: list[Path] = []
    for place in filter(None, map(str.strip, places.split(","))):
        found += shelf.paths(place) if _is_preset(Path(place)) else [find(Path(place))]
    return found or [find(Path(places))]


def find(place: Path) -> Path:
    """Return the weights file of a run's folder, of its record, of a preset, or the file itself."""
    if _is_preset(place):
        return shelf.paths(str(place))[0]
    if place.suffix == ".json":
        place = result_paths.run_folder(place)
    path = place / WEIGHTS if place.is_dir() else place
    if not path.is_file():
        raise UserError(
            f"{place}: expected a run's folder (results/MACHINE/runs/RUN) or a weights file; "
            "`gliozoo bench MODEL` makes both."
        )
    return path


def _is_preset(place: Path) -> bool:
    """Tell a preset's name from a file's or a run's; a folder of masks may be called as it is."""
    if not NAME.fullmatch(str(place)) or place.is_file() or (place / WEIGHTS).is_file():
        return False
    return not place.exists() or str(place) in shelf.presets()


def read(path: Path, source: str | None = None) -> Trained:
    """Read from a weights file how it is to be used.

    `source` is what the user names of a model that is not the zoo's.
    """
    header = weights.header(path)
    weights.require_source(path, header.identity, source)
    try:
        found = Trained(**about.checked(header.about, header.identity))
        if found.target.classes != header.identity.classes:
            raise ValueError(f"it has {found.target.classes} classes, not those of the network")
        return found
    except KeyError as error:
        raise _unusable(path, f"it has no entry {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise _unusable(path, " ".join(str(error).split())[:200]) from error


def _unusable(path: Path, reason: str) -> UserError:
    return UserError(
        f"{path} does not say how images are to be prepared for it ({reason}): predict with the "
        "weights file in the folder of a run of `gliozoo bench`."
    )


def _spacing(data: Data) -> tuple[tuple[float, float], ...] | None:
    sizes = [data.store.cases[member.case] for member in data.members["train"]]
    if not all(case.in_mm for case in sizes):
        return None
    axes = zip(*(case.spacing for case in sizes), strict=True)
    return tuple((min(axis), max(axis)) for axis in axes)
