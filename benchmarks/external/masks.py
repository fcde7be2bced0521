"""Masks of another tool as a record: read, held to the scans' grids, scored as a run is."""

import datetime
import hashlib
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import zoo
from benchmarks.errors import UserError
from benchmarks.protocols import own_metric, protocol
from benchmarks.protocols.protocol import Protocol
from benchmarks.records import data_section
from benchmarks.records.record import Record
from benchmarks.scoring import aggregate, metrics, policies
from data_pipeline import origin
from data_pipeline.cases.case import Case
from data_pipeline.cases.read_case import read_case
from data_pipeline.feeding.targets import Target, target_of
from data_pipeline.preparing.preparation import Job
from data_pipeline.preparing.prepare import Progress
from data_pipeline.scans import mask_search
from data_pipeline.splitting.split import SETS, Split

LONGEST = 60  # characters of a name


@dataclass(frozen=True)
class Scored:
    """What is to be scored, and where it lies, as a user says it."""

    masks: Path
    name: str
    data: Path | None
    protocol: str = "quick"
    fold: int = 0
    version: str | None = None
    cache: Path | None = None

    def __post_init__(self) -> None:
        if not 0 < len(self.name.strip()) <= LONGEST or not self.name.isprintable():
            raise UserError(f"Expected --name of 1 to {LONGEST} letters. Received: {self.name!r}.")
        if self.name in zoo.names():
            raise UserError(
                f"--name {self.name!r} is a model of the zoo: call the masks otherwise."
            )

    @property
    def command(self) -> str:
        """Return the command that does it again."""
        words = ["gliozoo", "score", str(self.masks), "--name", self.name]
        words += ["--data", str(self.data)] if self.data else []
        words += ["--protocol", self.protocol, "--fold", str(self.fold)]
        return shlex.join(words + (["--version", self.version] if self.version else []))


def score(asked: Scored, machine: str, progress: Progress | None = None) -> Record:
    """Score the test patients of a protocol's split by somebody's masks."""
    chosen = protocol.shipped(asked.protocol)
    found = _found(asked, chosen, progress)
    split = origin.split_of(chosen.data, asked.fold, found)
    target = target_of(chosen.data, found.about["labels"], dict(found.about["regions"]))
    cases = [case for case in found.cases if case.patient in set(split.test)]
    files = mask_search.find(asked.masks, cases)
    total, rows = hashlib.sha256(), []
    shown = progress(cases, len(cases)) if progress else cases
    for name, digest, row in _rows(shown, files, target, chosen):
        total.update(f"{name}\0{digest}\n".encode())
        rows.append(row)
    return _record(asked, chosen, found, split, target, rows, total.hexdigest(), machine)


def _found(asked: Scored, chosen: Protocol, progress: Progress | None) -> Job:
    if chosen.data.leaky:
        raise UserError(f"{asked.protocol!r} divides patients by slices: score whole patients.")
    if not 0 <= asked.fold < chosen.data.folds:
        last = chosen.data.folds - 1
        raise UserError(f"Expected a fold from 0 to {last}. Received: {asked.fold}.")
    cache = asked.cache or origin.default_cache()
    found = origin.find(chosen.data, asked.data, cache, asked.version, progress)
    if not isinstance(found, Job):
        raise UserError(
            f"{asked.data}: holds prepared records; name the data set itself, against whose scans "
            "the masks are checked."
        )
    return found


def _rows(
    cases: Iterable[Case], files: Any, target: Target, chosen: Protocol
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give each case with a digest of its mask, and its row."""
    own = own_metric.load(chosen.evaluate.metrics, surfaces=chosen.evaluate.surfaces)
    for case in cases:
        truth = read_case(_light(case))
        answer = read_case(_light(_masked(case, files[case.name]))).label
        assert truth.label is not None
        assert answer is not None
        regions = {}
        for region, values in target.regions.items():
            asked = np.isin(truth.label, values), np.isin(answer, values), truth.spacing
            row = metrics.measure(*asked, surfaces=chosen.evaluate.surfaces)
            regions[region] = own_metric.add(own, row, *asked)
        digest = hashlib.sha256(np.ascontiguousarray(answer).tobytes()).hexdigest()
        yield case.name, digest, {"patient": case.name, "in_mm": truth.in_mm, "regions": regions}


def _masked(case: Case, masks: tuple[Path, ...]) -> Case:
    remedy = "the data set's labels do not define it: export the masks with its values."
    return replace(case, masks=masks, remedy=remedy)


def _light(case: Case) -> Case:
    """Leave out the channels that need not be read: one tells the grid."""
    if case.form != "volumes":
        return case
    return replace(case, images=case.images[:1], channels=case.channels[:1])


def _record(
    asked: Scored,
    chosen: Protocol,
    found: Job,
    split: Split,
    target: Target,
    rows: list[dict[str, Any]],
    digest: str,
    machine: str,
) -> Record:
    origin_of = {"kind": "masks", "name": asked.name, "version": None, "sha256": digest}
    identity = origin.identify(chosen.data, asked.fold, found).as_json()
    return Record(
        run={
            "model": asked.name,
            "variant": None,
            "protocol": chosen.name,
            "seed": 0,
            "fold": asked.fold,
            "origin": origin_of,
        },
        protocol=chosen.as_json(),
        protocol_digest=chosen.digest,
        data=data_section.facts(
            identity,
            split,
            layout=chosen.data.layout,
            channels=chosen.data.channels,
            classes=target.classes,
            regions=target.regions,
            counts={name: len(getattr(split, name)) for name in SETS},
        ),
        environment={"machine": machine},
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        command=asked.command,
        card={"title": asked.name, "claims": []},
        patients=rows,
        quality={policy: aggregate.summary(rows, policy) for policy in policies.POLICIES},
    )
