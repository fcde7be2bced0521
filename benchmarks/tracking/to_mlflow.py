"""Records as runs of MLflow, in `results/mlflow.db` unless MLFLOW_TRACKING_URI names a server."""

import datetime
import os
from pathlib import Path
from typing import Any

from benchmarks.machine import optional_packages
from benchmarks.records.record import Record
from benchmarks.tracking import facts

DATABASE = "mlflow.db"
_MOST = 900  # values of one request; MLflow takes 1,000 metrics and 100 parameters
_LONGEST = 500  # characters of a parameter


class ToMlflow:
    """Writes each record as a run of the experiment that its protocol names."""

    def __init__(self, results: Path):
        self.entities = optional_packages.require("mlflow.entities", "--track mlflow", "track")
        tracking = optional_packages.require("mlflow.tracking", "--track mlflow", "track")
        database = f"sqlite:///{(results / DATABASE).resolve()}"
        results.mkdir(parents=True, exist_ok=True)
        self.client = tracking.MlflowClient(os.environ.get("MLFLOW_TRACKING_URI") or database)

    def publish(self, record: Record, path: Path) -> None:
        """Write settings as parameters, epochs and results as metrics, and how it ended."""
        began = _milliseconds(record)
        run = self.client.create_run(
            self._experiment(str(record.run["protocol"])),
            start_time=began,
            run_name=path.stem,
            tags={"record": str(path), "status": record.status, "model": record.name},
        )
        settings = [
            self.entities.Param(name, str(value)[:_LONGEST])
            for name, value in facts.settings(record).items()
        ]
        for first in range(0, len(settings), 100):
            self.client.log_batch(run.info.run_id, params=settings[first : first + 100])
        metrics = self._metrics(record, began)
        for first in range(0, len(metrics), _MOST):
            self.client.log_batch(run.info.run_id, metrics=metrics[first : first + _MOST])
        if record.error:
            self.client.set_tag(run.info.run_id, "error", str(record.error.get("message")))
        ended = "FINISHED" if record.status == "ok" else "FAILED"
        last = max((metric.timestamp for metric in metrics), default=began)
        self.client.set_terminated(run.info.run_id, ended, last)

    def _experiment(self, protocol: str) -> str:
        name = f"gliozoo {protocol}"
        found = self.client.get_experiment_by_name(name)
        return found.experiment_id if found else self.client.create_experiment(name)

    def _metrics(self, record: Record, clock: int) -> list[Any]:
        metrics = []
        for number, values in facts.epochs(record):
            clock += int(1000 * record.history[number - 1]["seconds"])
            metrics += [self.entities.Metric(n, v, clock, number) for n, v in values.items()]
        last = len(record.history)
        results = facts.results(record).items()
        return metrics + [self.entities.Metric(name, value, clock, last) for name, value in results]


def _milliseconds(record: Record) -> int:
    if not record.created:
        return 0
    return int(1000 * datetime.datetime.fromisoformat(record.created).timestamp())
