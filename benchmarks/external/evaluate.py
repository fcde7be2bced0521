"""A trained network, or several as one, scored on labelled patients that it never saw."""

import datetime
import hashlib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.ensembles import ensemble, panel
from benchmarks.errors import UserError
from benchmarks.external import patients
from benchmarks.external.seen import Seen
from benchmarks.predicting import trained_network
from benchmarks.predicting.trained_network import Trained
from benchmarks.protocols.protocol import Protocol
from benchmarks.records import record
from benchmarks.records.record import Record
from benchmarks.scoring import policies
from benchmarks.training import cut
from benchmarks.training import evaluate as scoring
from data_pipeline.preparing.prepare import Progress
from zoo import weights

SHORT = 16


@dataclass(frozen=True)
class Asked:
    """What is to be scored on whom, as a user says it."""

    networks: str  # runs, weights files or presets, joined by commas
    data: Path
    name: str | None = None
    layout: str | None = None
    version: str | None = None
    cache: Path | None = None
    model: str | None = None
    force: bool = False
    any_spacing: bool = False

    @property
    def site(self) -> str:
        """Return what tables call the patients."""
        return self.name or self.data.resolve().name

    def over(self, trained: Trained) -> Trained:
        """Put over how a network is used what a user wishes."""
        return trained.of_any_spacing() if self.any_spacing else trained

    @property
    def command(self) -> str:
        """Return the command that does it again."""
        words = ["gliozoo", "evaluate", self.networks, str(self.data), "--name", self.site]
        for option in ("layout", "version", "model"):
            value = getattr(self, option)
            words += [f"--{option}", value] if value else []
        words += ["--force"] if self.force else []
        return shlex.join(words + (["--any-spacing"] if self.any_spacing else []))


@dataclass(frozen=True)
class Network:
    """One network of an ensemble: where it lies, how it is used, what its run said."""

    path: Path
    trained: Trained
    identity: Any
    sha256: str
    run: Record | None


def networks(asked: Asked) -> list[Network]:
    """Read what is known of each network, without building one."""
    found = []
    for path in trained_network.find_all(asked.networks):
        header = weights.header(path)
        trained = asked.over(trained_network.read(path, asked.model))
        found.append(Network(path, trained, header.identity, header.sha256, _run(path, header)))
    ensemble.require_one_meaning([one.path for one in found], [one.trained for one in found])
    return found


def _run(path: Path, header: Any) -> Record | None:
    """Return the record beside a weights file, where it is of these weights."""
    try:
        found = record.read(path.parent / "record.json")
    except UserError:
        return None
    return found if found.training.get("weights_sha256") == header.sha256 else None


def evaluate(
    asked: Asked, environment: Mapping[str, Any], progress: Progress | None = None
) -> Record:
    """Score every patient; Keras runs already."""
    known = networks(asked)
    each = [one.trained for one in known]
    site = Seen.of(
        lambda trained: patients.whole_lesion(
            patients.load(trained, asked.data, asked.cache, asked.layout, asked.version, progress)
        ),
        each,
    )
    taught = {one: "" for network in known for one in network.trained.images}
    seen = patients.seen(site.store, taught)
    patients.require_unseen(seen, force=asked.force)
    for trained in each:
        for case in site.store.cases:
            trained.require_spacing(case.name, case.spacing, case.in_mm)
    joint = cut.mean([trained.cut for trained in each])
    evaluation = replace(each[0].evaluation, **asdict(joint))
    network = panel.seated([one.path for one in known], asked.model, asked=asked.over)
    quality = scoring.evaluate(partial(site.ask, network), site, evaluation)  # type: ignore[arg-type]
    return _record(asked, known, site, seen, quality, environment)


def _record(
    asked: Asked,
    known: Sequence[Network],
    site: Seen,
    seen: list[str],
    quality: scoring.Quality,
    environment: Mapping[str, Any],
) -> Record:
    trained = known[0].trained
    chosen = Protocol("external", trained.spec, evaluate=trained.evaluation)
    run = known[0].run
    protocol, digest = (
        (run.protocol, run.protocol_digest) if run else (chosen.as_json(), chosen.digest)
    )
    names = sorted(case.patient for case in site.store.cases)
    return Record(
        run={**_terms(known), "external": _external(asked, known, seen, site.resampled)},
        protocol=protocol,
        protocol_digest=digest,
        data={
            "fingerprint": site.store.key,
            "split_digest": hashlib.sha256(site.store.key.encode()).hexdigest()[:SHORT],
            "layout": site.layout,
            "leaky": bool(protocol["data"].get("leaky")),
            "classes": site.target.classes,
            "channels": list(trained.spec.channels),
            "regions": {name: list(values) for name, values in site.regions.items()},
            "n_test": len(set(names)),
            "split": None,
        },
        environment=dict(environment),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        command=asked.command,
        card=run.card if run else {"claims": []},
        training=quality.cut.as_json(),
        patients=list(quality.patients),
        quality=quality.summary,
        calibration=quality.calibration,
    )


def _terms(known: Sequence[Network]) -> dict[str, Any]:
    """Return what the record says of its run: that of the network, or of the first of several."""
    first = known[0]
    origin = first.identity.origin
    told: dict[str, Any] = {
        "model": first.identity.architecture,
        "variant": first.identity.variant,
        "protocol": "external",
        "seed": 0,
        "fold": 0,
        **({"origin": origin.as_json()} if origin else {}),
    }
    if first.run:
        told |= {name: value for name, value in first.run.run.items() if name != "external"}
    if len(known) > 1:
        others = [one.identity.architecture for one in known[1:]]
        told["model"] = ensemble.title([told["model"], *others])
    return told


def _external(
    asked: Asked, known: Sequence[Network], seen: list[str], resampled: int
) -> dict[str, Any]:
    return {
        "site": asked.site,
        "weights": [one.sha256 for one in known],
        "seen": len(seen),
        "checked": all(one.trained.images for one in known),
        "internal": _internal(known),
        **({"resampled": resampled} if resampled else {}),
    }


def _internal(known: Sequence[Network]) -> dict[str, list[float]] | None:
    """Return the Dice of each network's own test patients by region, pooled; None if unknown."""
    if not all(one.run for one in known):
        return None
    found: dict[str, list[float]] = {}
    for one in known:
        assert one.run is not None
        policy = one.run.protocol["evaluate"]["policy"]
        for patient in one.run.patients:
            for region, row in patient["regions"].items():
                value = policies.values(row, policy)["dice"]
                if value is not None:
                    found.setdefault(region, []).append(value)
    return found
