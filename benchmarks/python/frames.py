"""`frame` and `reliability`: records and probabilities as tidy data frames of pandas."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.errors import UserError
from benchmarks.records import record
from benchmarks.records.record import Record
from benchmarks.scoring import policies

if TYPE_CHECKING:
    import pandas as pd

RUN = ("variant", "protocol", "seed", "fold", "backend", "precision")
FACTS = ("status", "tp", "fp", "fn", "tn", "voxel_volume_mm3")


def frame(*results: str | Path, policy: str | None = None) -> "pd.DataFrame":
    """Return a row a run, patient and region, with every metric under a policy.

    `results` are folders of records, or single records; `policy` is `brats` or `exclude`, by
    default each protocol's own. A value that the policy leaves undefined is NaN. Patients of
    another site have its name under `site`.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for place in results or ("results",):
        for path, found in _read(Path(place)):
            rows += _rows(path, found, policy)
    columns = ["model", *RUN, "site", "origin", "machine", "patient", "region", *FACTS]
    own = sorted({name for row in rows for name in row if name.startswith(policies.OWN)})
    metrics = [*policies.METRICS, *own]
    made = pd.DataFrame(rows, columns=[*columns, *metrics, "policy", "record"])
    return made.astype(dict.fromkeys(metrics, float))


def _read(place: Path) -> Iterator[tuple[Path, Record]]:
    if place.is_file():
        yield place, record.read(place)
        return
    yield from record.read_all(place).records.items()


def _rows(path: Path, found: Record, policy: str | None) -> Iterator[dict[str, Any]]:
    chosen = policies.find(policy or found.protocol.get("evaluate", {}).get("policy", "brats")).name
    for patient in found.patients:
        for region, row in patient["regions"].items():
            yield {
                "model": found.name,
                **{name: found.run.get(name) for name in RUN},
                "site": (found.run.get("external") or {}).get("site"),
                "origin": (found.run.get("origin") or {}).get("kind", "zoo"),
                "machine": found.machine,
                "patient": patient["patient"],
                "region": region,
                **{name: row.get(name) for name in FACTS},
                **policies.values(row, chosen),
                "policy": chosen,
                "record": str(path),
            }


def reliability(reference: Any, probability: Any, bins: int = 15) -> "pd.DataFrame":
    """Return the points of a reliability diagram, by scikit-learn: a row a bin that holds voxels.

    The frame's `attrs` hold `brier` and `ece`, the expected calibration error.
    """
    import pandas as pd
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import brier_score_loss

    truth = np.asarray(reference).ravel().astype(bool)
    chance = np.asarray(probability, dtype=np.float64).ravel()
    if truth.shape != chance.shape or not truth.size:
        raise UserError(
            f"Expected a probability for each voxel of the reference. Received: {chance.size} for "
            f"{truth.size}."
        )
    if not (np.isfinite(chance).all() and chance.min() >= 0 and chance.max() <= 1):
        raise UserError("Expected probabilities from 0 to 1; apply a sigmoid or a softmax first.")
    frequency, confidence = calibration_curve(truth, chance, n_bins=bins)
    edges = np.linspace(0.0, 1.0, bins + 1)
    counts = np.bincount(np.searchsorted(edges[1:-1], chance), minlength=bins)
    counts = counts[counts > 0]
    made = pd.DataFrame({"confidence": confidence, "frequency": frequency, "count": counts})
    gap = np.abs(confidence - frequency) * counts
    made.attrs["ece"] = float(gap.sum() / truth.size)
    made.attrs["brier"] = float(brier_score_loss(truth, chance))
    return made
