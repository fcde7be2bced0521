"""Labelled patients of another site, prepared as the network's own were."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.errors import UserError
from benchmarks.predicting.trained_network import Trained
from data_pipeline import PatientData, origin, sources
from data_pipeline.feeding import value_range
from data_pipeline.feeding.sampling import Member
from data_pipeline.feeding.targets import Target
from data_pipeline.preparing.prepare import Progress, prepared
from data_pipeline.scans import scored_scan
from data_pipeline.storing import image_hashes
from data_pipeline.storing.store import Store

NAMED = 3


@dataclass(frozen=True)
class Site:
    """All patients of a folder as test patients of a network; as much as scoring asks of `Data`."""

    store: Store
    layout: str
    trained: Trained
    target: Target

    @property
    def regions(self) -> Mapping[str, tuple[int, ...]]:
        """Give the regions to score."""
        return self.target.regions

    @property
    def channels(self) -> tuple[str, ...]:
        """Name the channels of an image."""
        return self.trained.spec.channels

    def patients(self, split: str = "test") -> Iterator[PatientData]:
        """Read the scans one by one."""
        members = [Member(place) for place in range(len(self.store.cases))]
        for patient in scored_scan.patients(self.store, members, self.target):
            value_range.bring(
                patient.images, self.trained.spec.normalisation, self.trained.value_range
            )
            yield patient


def load(
    trained: Trained,
    root: Path,
    cache: Path | None = None,
    layout: str | None = None,
    version: str | None = None,
    progress: Progress | None = None,
) -> Site:
    """Check and prepare a data set of any layout that has the network's channels and labels."""
    if not root.is_dir():
        raise UserError(f"{root}: expected the folder of a data set; there is none.")
    layout = layout or sources.detect(root)
    spec = replace(trained.spec, layout=layout, version=version, spacing=trained.voxels)
    cache = cache or origin.default_cache()
    found = origin.find(spec, root, cache, version, progress)
    store = found if isinstance(found, Store) else prepared(found, cache / "stores", progress)
    _require_labels(trained, root, store)
    return Site(store, layout, trained, trained.target)


def _require_labels(trained: Trained, root: Path, store: Store) -> None:
    """Refuse labels that mean something else; a network of the whole lesion knows but one."""
    labels = dict(store.about["labels"])
    if trained.spec.target != "whole" and labels != dict(trained.labels):
        raise UserError(
            f"{root}: its labels are {_told(labels)}, and the network was taught "
            f"{_told(trained.labels)}; map them in a dataset.toml (docs/own.md)."
        )


def whole_lesion(site: Site) -> Site:
    """Let a network of the whole lesion be scored on all that these labels call one."""
    if site.trained.spec.target != "whole":
        return site
    values = tuple(sorted({value for value in site.store.about["labels"].values() if value}))
    (name,) = site.target.regions
    return replace(site, target=Target((values,), {name: values}))


def seen(store: Store, taught: Mapping[str, str]) -> list[str]:
    """Name the patients of a store that a network was trained on; `taught` by image hash."""
    hashes = {image_hashes.of_case(store, n): n for n in range(len(store.cases))}
    return sorted(store.cases[hashes[one]].name for one in hashes.keys() & taught.keys())


def require_unseen(names: list[str], *, force: bool) -> None:
    """Refuse patients that were trained on, naming them."""
    if names and not force:
        more = f" and {len(names) - NAMED} more" if names[NAMED:] else ""
        raise UserError(
            f"The network was trained on {', '.join(names[:NAMED])}{more} of these patients, by "
            "their images: leave them out, or mark the row by --force."
        )


def _told(labels: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {value}" for name, value in labels.items() if value)
