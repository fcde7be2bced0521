"""Records as event files: `tensorboard --logdir results` shows every run."""

import datetime
import json
from pathlib import Path
from typing import Any

from benchmarks.machine import optional_packages
from benchmarks.records.record import Record
from benchmarks.records.result_paths import run_folder
from benchmarks.tracking import facts

FOLDER = "tensorboard"


class ToTensorboard:
    """Writes a run's events into its own folder."""

    def __init__(self, results: Path):
        writer = "tensorboard.summary.writer.event_file_writer"
        self.writer = optional_packages.require(
            writer, "--track tensorboard", "track"
        ).EventFileWriter
        proto = "tensorboard.compat.proto"
        self.event = optional_packages.require(
            f"{proto}.event_pb2", "--track tensorboard", "track"
        ).Event
        self.summary = optional_packages.require(
            f"{proto}.summary_pb2", "--track tensorboard", "track"
        )

    def publish(self, record: Record, path: Path) -> None:
        """Write the epochs as curves, the results after the last, and the settings as a text."""
        folder = run_folder(path) / FOLDER
        for old in folder.glob("events.*"):
            old.unlink()  # of an earlier attempt, whose record is gone as well
        events = self.writer(str(folder))
        clock = _began(record)
        for number, values in facts.epochs(record):
            clock += record.history[number - 1]["seconds"]
            self._add(events, clock, number, self._scalars(values))
        self._add(events, clock, len(record.history), self._scalars(facts.results(record)))
        self._add(events, clock, 0, [self._text("settings", facts.settings(record))])
        events.close()

    def _add(self, events: Any, clock: float, step: int, values: list[Any]) -> None:
        summary = self.summary.Summary(value=values)
        events.add_event(self.event(wall_time=clock, step=step, summary=summary))

    def _scalars(self, values: dict[str, float]) -> list[Any]:
        return [
            self.summary.Summary.Value(tag=name, simple_value=value)
            for name, value in values.items()
        ]

    def _text(self, name: str, content: dict[str, Any]) -> Any:
        lines = "\n".join(f"    {key}: {json.dumps(value)}" for key, value in content.items())
        value = self.summary.Summary.Value(tag=f"{name}/text_summary")
        value.metadata.plugin_data.plugin_name = "text"
        value.tensor.dtype = 7  # DT_STRING
        value.tensor.tensor_shape.dim.add(size=1)
        value.tensor.string_val.append(lines.encode())
        return value


def _began(record: Record) -> float:
    return datetime.datetime.fromisoformat(record.created).timestamp() if record.created else 0.0
