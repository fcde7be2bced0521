"""The network whose runtimes are asked for: one of the zoo, or a run's with its test patients."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.comparison.reading import runtime_sheet
from benchmarks.ensembles import ensemble, joined
from benchmarks.predicting import own_patients, trained_network
from benchmarks.predicting.own_patients import Place
from benchmarks.predicting.trained_network import Trained
from benchmarks.records import record, result_paths
from data_pipeline import Data
from zoo import weights


@dataclass(frozen=True)
class Asked:
    """A model, how it is to be used where it was trained, its data, and where its sheet belongs."""

    model: Any
    name: str
    protocol: str = ""
    weights_sha256: str = ""
    trained: Trained | None = None
    data: Data | None = None
    sheet: Path | None = None


def of_run(named: str, place: Place) -> Asked:
    """Read a run, or weights that have no record here; data come where they are named or made.

    Several, or the folds of a preset, are one model of their mean.
    """
    paths = trained_network.find_all(named)
    trained = ensemble.usage_of_one_model(paths)
    if len(paths) > 1:
        names = [weights.header(path).identity.architecture for path in paths]
        model = joined.model_of([weights.restore(path) for path in paths])
        return Asked(model, ensemble.title(names), trained=trained)
    (path,) = paths
    model, header = weights.restore(path), weights.header(path)
    known: dict[str, Any] = {"weights_sha256": header.sha256 or "", "trained": trained}
    of = result_paths.record_of(path.parent)
    if not of.is_file():
        return Asked(model, header.identity.architecture, **known)
    one = record.read(of)
    known |= {"protocol": str(one.run["protocol"]), "sheet": runtime_sheet.path_of(of)}
    if place.data or trained.spec.layout == "phantom":
        known["data"] = own_patients.load(one, trained, place)
    return Asked(model, one.name, **known)
