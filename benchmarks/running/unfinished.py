"""The record of a run that is under way: if the process dies, someone else can say what it was."""

import datetime
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import zoo
from benchmarks.errors import UserError
from benchmarks.records import atomic, record
from benchmarks.records.record import Record
from benchmarks.running.slot import Slot
from benchmarks.training.state import State

FILE, BEST = "unfinished.json", "best.safetensors"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # Keras' own messages are in bold


@dataclass
class Unfinished:
    """A run's record as far as it is known, kept in the run's folder until the run ends."""

    slot: Slot
    record: Record
    keep_best: bool = False

    @classmethod
    def begin(cls, slot: Slot, facts: dict[str, Any], *, keep_best: bool = False) -> "Unfinished":
        """Note the terms of a run before anything can go wrong."""
        begun = cls(slot, of(slot, facts | {"deterministic": slot.job.deterministic}), keep_best)
        begun.note()
        return begun

    def note(self, **sections: Any) -> None:
        """Note what has become known."""
        self.record = replace(self.record, **sections)
        content = record.to_json(replace(self.record, status="failed"))
        atomic.write(self.slot.folder / FILE, content.encode())

    def epoch(self, state: State, save: Callable[[Path], object]) -> None:
        """Note an epoch, and the weights if they are the best so far and are to be kept."""
        if self.keep_best and state.improved:
            save(self.slot.folder / BEST)
        self.note(history=list(state.history))

    def failed(self, error: Exception) -> Record:
        """Return the record of a run that came to grief: its reason in a sentence."""
        from benchmarks.training.train import TrainingError

        known = isinstance(error, TrainingError)
        reason = str(error) if known else f"{type(error).__name__}: {error}"
        return _failed(
            self.record,
            "training" if known else type(error).__name__,
            reason,
            None if known else traceback.format_exc(),
        )

    def end(self, done: Record) -> None:
        """Put the record into the run's folder; forget the notes, and after success checkpoints."""
        atomic.write(self.slot.folder / "record.json", record.to_json(done).encode())
        (self.slot.folder / FILE).unlink(missing_ok=True)
        if done.status == "ok":
            for path in [self.slot.folder / BEST, *self.slot.folder.glob("epoch-*.safetensors")]:
                path.unlink(missing_ok=True)


def of(slot: Slot, facts: dict[str, Any]) -> Record:
    """Return the record of a run of which only the terms are known."""
    return Record(
        run=slot.run,
        protocol=slot.protocol.as_json(),
        protocol_digest=slot.protocol.digest,
        data=slot.data.as_json(),
        environment=facts,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        command=slot.job.command,
        card=zoo.card(slot.job.model).as_dict(),
    )


def killed(slot: Slot, facts: dict[str, Any], signal: str, reason: str) -> Record:
    """Return the record of a run whose process is gone, from its notes if it left any."""
    notes: Path = slot.folder / FILE
    try:
        left = record.read(notes)
    except UserError:
        left = of(slot, facts)
    return _failed(left, signal, reason, None)


def _failed(left: Record, kind: str, reason: str, trace: str | None) -> Record:
    message = " ".join(_COLOUR.sub("", reason).split())[:500]
    return replace(
        left, status="failed", error={"kind": kind, "message": message, "traceback": trace}
    )
