"""The patients of a site as each of several networks sees them, scored on their own grid."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.ensembles.ensemble import sight
from benchmarks.errors import UserError
from benchmarks.external.patients import Site
from benchmarks.predicting.predict import Look, Restore
from benchmarks.predicting.trained_network import Trained
from data_pipeline import PatientData
from data_pipeline.feeding.targets import Target
from data_pipeline.grid import geometry
from data_pipeline.storing.store import Store


@dataclass(frozen=True)
class Seen:
    """One site, prepared once for each way of seeing it; as much as scoring asks of `Data`."""

    sites: Mapping[tuple, Site]  # by sight

    @classmethod
    def of(cls, load: Callable[[Trained], Site], each: Sequence[Trained]) -> "Seen":
        """Load the patients for these networks; all of them must be there for each."""
        sites: dict[tuple, Site] = {}
        for trained in each:
            if sight(trained) not in sites:
                sites[sight(trained)] = load(trained)
        named = [[case.name for case in site.store.cases] for site in sites.values()]
        for names in named[1:]:
            if apart := sorted({*names} ^ {*named[0]}):
                raise UserError(
                    f"{apart[0]} can be scored by some of these networks and not by others: leave "
                    "it out, or score each network on its own."
                )
        return cls(sites)

    @property
    def _first(self) -> Site:
        return next(iter(self.sites.values()))

    @property
    def store(self) -> Store:
        """Give the store of the first network."""
        return self._first.store

    @property
    def resampled(self) -> int:
        """Count the scans that a network saw on voxels of another size than their own."""
        volumes = [site for site in self.sites.values() if site.trained.spec.rank == 3]
        cases = [case for site in volumes for case in site.store.cases]
        return len({case.name for case in cases if case.geometry.resampled})

    @property
    def layout(self) -> str:
        """Name the layout of the data set."""
        return self._first.layout

    @property
    def target(self) -> Target:
        """Say what the answers mean."""
        return self._first.target

    @property
    def regions(self) -> Mapping[str, tuple[int, ...]]:
        """Give the regions to score."""
        return self._first.regions

    def patients(self, split: str = "test") -> Iterator[PatientData]:
        """Read the scans one by one; `images` is what `ask` takes, and lies on the scan's grid."""
        for several in zip(*(site.patients(split) for site in self.sites.values()), strict=True):
            own = geometry.unchanged(several[0].reference.shape)
            yield replace(several[0], images=several, geometry=own)

    def ask(
        self, network: Callable[[Look], np.ndarray], several: Sequence[PatientData]
    ) -> np.ndarray:
        """Let each network look at a patient as it wants to."""
        by_sight = dict(zip(self.sites, several, strict=True))

        def look(trained: Trained) -> tuple[np.ndarray, Restore]:
            patient = by_sight[sight(trained)]
            return patient.images, patient.restore

        return network(look)
