"""The result of a run on another machine, written here: its files first, its record last."""

import json
from dataclasses import replace

from benchmarks.records import atomic, record, result_paths
from benchmarks.running import unfinished
from benchmarks.running.launch import Outcome
from benchmarks.running.slot import Slot
from benchmarks.sweep.engines.remote_run import Result

RECORD = "record.json"


def land(slot: Slot, result: Result) -> Outcome:
    """Write what a run has sent, under the name of the machine that it ran on."""
    found = None if result.record is None else record.from_dict(json.loads(result.record))
    if found is not None:
        found = replace(found, command=slot.job.command)  # not that of the scratch folder
    path = slot.path if found is None else slot.path_on(found.machine)
    folder = result_paths.run_folder(path)
    for name, content in result.files.items():
        if name != RECORD:
            atomic.write(folder / name, content)
    (slot.folder / unfinished.FILE).unlink(missing_ok=True)
    if found is not None:
        atomic.write(folder / RECORD, record.to_json(found).encode())
        record.write_to(path, found)
    return Outcome(slot.job, result.code, path, found)
