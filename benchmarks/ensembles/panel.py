"""Networks as one on a scan's own grid, however each of them wants to see the scan."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.ensembles import ensemble
from benchmarks.ensembles.ensemble import Ensemble
from benchmarks.inference.predictor import Predictor
from benchmarks.predicting import trained_network
from benchmarks.predicting.predict import Look
from benchmarks.predicting.trained_network import Trained
from zoo import weights

if TYPE_CHECKING:
    from data_pipeline.grid.geometry import Geometry


@dataclass(frozen=True)
class Member:
    """A network, and how it is used."""

    trained: Trained
    network: Predictor


def seated(
    paths: Sequence[Path],
    source: str | None = None,
    way: str = "mean",
    *,
    mirror: bool = False,
    asked: Callable[[Trained], Trained] = lambda trained: trained,
) -> "Panel":
    """Build the networks of these files; `asked` puts a user's wishes over how each is used.

    `source` is what the user names of models that are not the zoo's; `mirror` averages over flips.
    """
    members = []
    for path in paths:
        trained = asked(trained_network.read(path, source))
        network = Predictor(weights.restore(path, source), trained.evaluation, mirror=mirror)
        members.append(Member(trained, network))
    return Panel(members, way)


class Panel:
    """Asks networks about a scan and joins what they say.

    Those that see a scan alike are joined on the grid that they see, and their answer is brought to
    the scan's own; if some see it otherwise, each one's answer is brought there first.
    """

    def __init__(self, members: Sequence[Member], way: str = "mean"):
        seen = [ensemble.sight(member.trained) for member in members]
        order = sorted(range(len(members)), key=lambda place: seen.index(seen[place]))
        self._members = [members[place] for place in order]  # each scan is read once a sight
        self._ensemble = Ensemble(
            [member.network for member in self._members],
            [member.trained.threshold for member in self._members],
            way,
        )
        self._alike = seen.count(seen[0]) == len(seen)

    @property
    def progress(self):
        """Tell how far a network is, as a `Predictor` does."""
        return self._ensemble.progress

    @progress.setter
    def progress(self, value) -> None:
        self._ensemble.progress = value

    def __call__(self, look: Look) -> np.ndarray:
        """Return `(D, H, W, K)` probabilities, or shares of votes, on a scan's own grid."""
        if not self._alike:
            return self._ensemble.join(self._answers(look))
        images, restore = look(self._members[0].trained)
        network = self._members[0].network if len(self._members) == 1 else self._ensemble
        answer = network(images)
        del images  # as much as two classes take, while the answer comes to the scan's grid
        return restore(answer)

    def disagreement(self, geometry: "Geometry") -> np.ndarray | None:
        """Return how far the networks lay apart on the last scan, on its own grid; None of one."""
        spread = self._ensemble.spread
        if spread is None or not self._alike:
            return spread
        return geometry.to_native(spread[..., None], np.zeros(1, np.float32))[..., 0]

    def _answers(self, look: Look) -> Iterator[np.ndarray]:
        for _, alike in groupby(self._members, lambda member: ensemble.sight(member.trained)):
            several = list(alike)
            images, restore = look(several[0].trained)
            for member in several:
                yield restore(member.network(images))
