"""The runs of a sweep as tasks of Ray: on a cluster, or on this machine where Ray starts itself.

A task that its node takes down is started again elsewhere, where it goes on from the checkpoint in
the storage. Tasks send their results back; this process writes all records.
"""

import math
import os
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.errors import UserError
from benchmarks.machine import environment, optional_packages, resources
from benchmarks.running import launch
from benchmarks.running.launch import Outcome
from benchmarks.running.slot import Slot
from benchmarks.sweep.engines import received, remote_run
from benchmarks.sweep.engines.cluster_needs import Needs
from benchmarks.sweep.engines.storage import SMALL, Storage, url_of
from data_pipeline.origin import default_cache

RETRIES = 5  # after a node is lost; each goes on from where the last one was
_QUEUED = 256  # tasks that Ray knows of at a time: enough for it to ask for more nodes
_MIRROR = 5.0  # seconds between two looks into a storage that is not the results folder
_GRACE = 30.0  # seconds that interrupted tasks have to keep what they have reached


class OnRay:
    """Runs slots as tasks of a Ray cluster."""

    def __init__(
        self,
        needs: Needs,
        *,
        address: str | None = None,
        storage: str | None = None,
        jobs: int | None = None,
    ):
        self.ray = optional_packages.require("ray", "--executor ray", "ray")
        self.needs, self.storage, self.parallel = needs, storage, jobs
        _connect(self.ray, address)

    def run(self, slots: Sequence[Slot]) -> Generator[Outcome, None, None]:
        """Keep the cluster supplied; what is running when the generator is closed is cancelled."""
        task, waiting = self._task(slots[0].job.devices), deque(slots)
        pending: dict[Any, Slot] = {}
        try:
            while pending or waiting:
                while waiting and len(pending) < (self.parallel or _QUEUED):
                    slot = waiting.popleft()
                    pending[task.remote(self._order(slot))] = slot
                done, _ = self.ray.wait(list(pending), timeout=_MIRROR)
                if not done:
                    self._mirror(list(pending.values()))
                for reference in done:
                    yield self._landed(pending.pop(reference), reference)
        finally:
            self._cancel(list(pending))

    def _task(self, devices: int) -> Any:
        nodes = [node["Resources"] for node in self.ray.nodes() if node["Alive"]]
        gpus = self.needs.gpus
        if gpus is None:
            gpus = devices if any(node.get("GPU") for node in nodes) else 0
        wanted = {"CPU": self.needs.cpus, "GPU": gpus, "memory": self._memory()}
        if not any(all(node.get(k, 0) >= v for k, v in wanted.items()) for node in nodes):
            asked = ", ".join(f"{name} {value:g}" for name, value in wanted.items() if value)
            raise UserError(
                f"No node of the Ray cluster has what a run needs ({asked}): lower --threads, "
                "--gpus or --memory, or add such a node."
            )
        return self.ray.remote(remote_run.attempt).options(
            num_cpus=wanted["CPU"],
            num_gpus=wanted["GPU"],
            memory=wanted["memory"],
            max_retries=RETRIES,
        )

    def _memory(self) -> int:
        return math.ceil((self.needs.memory_gb or 0) * 2**30)

    def _order(self, slot: Slot) -> remote_run.Order:
        job = replace(
            slot.job,
            quiet=True,
            data=slot.job.data and str(Path(slot.job.data).resolve()),
            cache=str(Path(slot.job.cache or default_cache()).resolve()),
        )
        named = os.environ.get("GLIOZOO_MACHINE")
        machine = {"GLIOZOO_MACHINE": named} if named else {}
        return remote_run.Order(job, self._url(slot), machine | resources.gpu(self.needs.gpus))

    def _url(self, slot: Slot) -> str:
        if self.storage is None:
            return str(slot.folder.resolve())
        return url_of(self.storage, slot.path.stem)

    def _mirror(self, slots: Sequence[Slot]) -> None:
        """Bring the small files of runs that may be under way to where a sweep looks at them."""
        if self.storage is not None:
            for slot in slots[: int(self.ray.cluster_resources().get("CPU", 1))]:
                with suppress(UserError):  # it is only looked at
                    Storage(self._url(slot)).pull(slot.folder, SMALL)

    def _landed(self, slot: Slot, reference: Any) -> Outcome:
        try:
            outcome = received.land(slot, self.ray.get(reference))
        except self.ray.exceptions.RayTaskError:
            raise  # a bug of ours
        except self.ray.exceptions.RayError as error:
            return launch.bury(slot, type(error).__name__, f"Ray gave up after {RETRIES} retries")
        if outcome.code == launch.FINE:
            stays = self.storage is None and outcome.path == slot.path
            Storage(self._url(slot)).clear(keep=(SMALL[0],) if stays else ())
        return outcome

    def _cancel(self, references: Sequence[Any]) -> None:
        for reference in references:
            self.ray.cancel(reference)
        if references:
            self.ray.wait(references, num_returns=len(references), timeout=_GRACE)


def _connect(ray: Any, address: str | None) -> None:
    address = address or os.environ.get("RAY_ADDRESS")
    own = {} if address else {"num_cpus": environment.cores(), "include_dashboard": False}
    # Ray reports to its makers unless told not to.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        # "local" starts one here, where nothing at all would join whatever `ray start` left behind.
        ray.init(address=address or "local", log_to_driver=False, logging_level="ERROR", **own)
    except (ConnectionError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"Cannot reach a Ray cluster at {address or 'this machine'}: {first}"
        ) from error
