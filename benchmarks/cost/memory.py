"""Peak memory of one model, measured in a process of its own, which `main` is.

On a GPU it is the allocator's peak. On a CPU it is the highest resident set up to the end of the
steps, compilation included, less what the process held with the backend imported and no model yet.
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict

from benchmarks.backends import device, meters
from benchmarks.cost.profiled_model import Subject
from benchmarks.machine import child_process

STEPS = 3
PATIENCE = 900  # seconds, beyond which a machine is taken to be swapping


def peak_bytes(subject: Subject, jit: bool, train: bool) -> int | None:
    """Run a few steps in a new process and return its peak; None where it died or hung."""
    request = json.dumps({"subject": asdict(subject), "jit": jit, "train": train})
    command = child_process.command("benchmarks.cost.memory", request)
    environment = os.environ | {"KERAS_BACKEND": device.backend()} | child_process.adopt()
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return None
    lines = done.stdout.splitlines()
    return json.loads(lines[-1]) if done.returncode == 0 and lines else None


def _measure(subject: Subject, jit: bool, train: bool) -> int | None:
    from benchmarks.cost import timing

    device.gpus()  # initialise the backend before the baseline is read
    before = meters.resident_memory()
    make = timing.training_step if train else timing.inference_step
    step = make(subject.build(), subject.batch_size, jit)
    for _ in range(STEPS):
        device.synchronise(step())
    peak = meters.peak_memory()
    return None if peak is None else max(0, peak - before)


def main(request: str) -> None:
    """Answer one request on standard output."""
    child_process.follow_parent()
    content = json.loads(request)
    device.select_backend()
    subject = Subject(**content["subject"])
    print(json.dumps(_measure(subject, content["jit"], content["train"])))


if __name__ == "__main__":
    main(sys.argv[1])
