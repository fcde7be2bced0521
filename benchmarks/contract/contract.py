"""The contract on every backend that is here, each in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.backends import device
from benchmarks.machine import child_process
from zoo import registry


@dataclass(frozen=True)
class Part:
    """One part of the contract on one backend; `wrong` is a sentence, None where it is kept."""

    backend: str
    name: str
    wrong: str | None


def check(reference: str, backend: str | None = None, seconds: float = 30) -> Iterator[Part]:
    """Try all of the contract on the first backend, and the most of it on the others."""
    registry.outside(reference)  # what can be refused without Keras
    first = device.choose_backend(backend)
    others = [] if backend else [n for n in device.BACKENDS if n != first and device.installed(n)]
    for name in (first, *others):
        request = {
            "reference": reference,
            "backend": name,
            "seconds": seconds,
            "whole": name == first,
        }
        yield from _tried(name, json.dumps(request))


def _tried(backend: str, request: str) -> Iterator[Part]:
    command = child_process.command("benchmarks.contract.one_backend", request)
    environment = os.environ | {"KERAS_BACKEND": backend} | child_process.adopt()
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            out, said = process.communicate()
        except BaseException:
            process.kill()
            raise
    for line in out.splitlines():
        yield Part(backend, *json.loads(line))
    if process.returncode:
        print(said[-2000:], file=sys.stderr)
        last = (said.strip().splitlines() or [f"exit code {process.returncode}"])[-1]
        yield Part(backend, "runs to the end", f"the trial broke off: {last[:300]}")
