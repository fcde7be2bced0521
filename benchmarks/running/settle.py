"""From jobs to slots: what a run is asked to be is settled, or refused, before anything runs."""

import functools
from collections.abc import Sequence
from pathlib import Path

import zoo
from benchmarks.backends import device, several_devices
from benchmarks.errors import UserError
from benchmarks.protocols import protocol
from benchmarks.protocols.protocol import Protocol
from benchmarks.running.job import Job
from benchmarks.running.slot import Slot
from data_pipeline import origin
from data_pipeline.identity import Identity
from data_pipeline.origin import Origin
from data_pipeline.preparing.prepare import Progress
from data_pipeline.spec import DataSpec
from zoo.registry import choose

Place = tuple[str | None, str | None, str | None]  # the folder of the data, the cache, the year


def slot(job: Job, progress: Progress | None = None) -> Slot:
    """Give a job its slot."""
    (found,) = slots([job], progress)
    return found


def slots(jobs: Sequence[Job], progress: Progress | None = None) -> tuple[Slot, ...]:
    """Give each job its slot; a protocol and data that several share are looked up once."""
    find = functools.cache(protocol.find)
    look = functools.cache(functools.partial(_look, progress))

    @functools.cache
    def identity(spec: DataSpec, fold: int, place: Place) -> Identity:
        return origin.identify(spec, fold, look(spec, place))

    found = []
    for job in jobs:
        chosen = find(job.protocol, job.model)
        require(job, chosen)
        data = identity(chosen.data, job.fold, (job.data, job.cache, job.version))
        found.append(Slot(job, chosen, data))
    return tuple(found)


def _look(progress: Progress | None, spec: DataSpec, place: Place) -> Origin:
    root, cache, version = place
    folder = origin.default_cache() if cache is None else Path(cache)
    return origin.find(spec, root, folder, version, progress)


def require(job: Job, chosen: Protocol) -> None:
    """Refuse what no run could be, whether or not there is a record under its name."""
    if job.variant is not None:
        choose(job.variant, zoo.card(job.model).variants, f"variant of {job.model}")
    if not 0 <= job.fold < chosen.data.folds:
        raise UserError(
            f"Expected a fold from 0 to {chosen.data.folds - 1}, those of the protocol "
            f"{chosen.name!r}. Received: {job.fold}."
        )
    several_devices.require_backend(job.devices, device.choose_backend(job.backend))
    several_devices.require_divisor(job.devices, {"the training's batch": chosen.data.batch_size})
