"""Several members at once: processes that share the card, asked together and answered for."""

import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from benchmarks.gpu.member import ERROR
from benchmarks.machine import child_process, environment, resources

GRACE = 12.0  # seconds that an interrupted member may take to answer, or to end
LOOK = 1.0  # seconds between two looks at the clock
GONE, DEAF = "its process is gone", "it did not stop, and was killed"

Answer = dict[str, Any]


class Crew:
    """Members by their models; whoever dies is left out of what comes after."""

    def __init__(
        self,
        models: tuple[str, ...],
        settings: Mapping[str, Any],
        work: Path,
        log: Path,
        outside: Mapping[str, str],
    ):
        self._answers: queue.Queue[tuple[str, str | None]] = queue.Queue()
        threads = max(1, (environment.cores() or 1) // len(models))
        terms = {**settings, "threads": threads}
        extra: dict[str, str] = {
            **os.environ,
            **outside,
            **resources.threads(threads),
            **resources.gpu(1 / (1 + len(models))),  # one more, for the peak of a profile
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
            **child_process.adopt(),
        }
        log.parent.mkdir(parents=True, exist_ok=True)
        self.members = {}
        with log.open("ab") as errors:
            for model in models:
                request = json.dumps({"model": model, "settings": terms})
                self.members[model] = _start(request, work, extra, errors)
        for model, member in self.members.items():
            listen = threading.Thread(target=self._listen, args=(model, member), daemon=True)
            listen.start()

    def ask(self, requests: Mapping[str, Mapping[str, Any]], deadline: float) -> dict[str, Answer]:
        """Ask members each for something; return their answers, once all have come.

        At the deadline, of `time.monotonic`, those that are still at it are interrupted.
        """
        waiting = {model for model in requests if model in self.members}
        answers: dict[str, Answer] = {model: {ERROR: GONE} for model in requests}
        for model in sorted(waiting):
            self._send(model, requests[model])
        limit, interrupted = deadline, False
        while waiting:
            try:
                model, line = self._answers.get(timeout=LOOK)
            except queue.Empty:
                if time.monotonic() < limit:
                    continue
                if interrupted:
                    break
                interrupted, limit = True, time.monotonic() + GRACE
                for name in waiting:
                    self.members[name].send_signal(signal.SIGINT)
                continue
            if line is None:
                self.members.pop(model, None)
            elif model in waiting:  # and not one that was given up before
                answers[model] = json.loads(line)
            waiting.discard(model)
        for model in waiting:
            answers[model] = {ERROR: DEAF}
            _kill(self.members.pop(model))
        return answers

    def close(self) -> None:
        """Let everyone end; kill those that don't."""
        for member in self.members.values():
            if member.stdin:
                member.stdin.close()
        deadline = time.monotonic() + GRACE
        for member in self.members.values():
            try:
                member.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _kill(member)
        self.members = {}

    def _send(self, model: str, request: Mapping[str, Any]) -> None:
        stdin = self.members[model].stdin
        try:
            if stdin:
                stdin.write(json.dumps(request) + "\n")
                stdin.flush()
        except BrokenPipeError:
            pass  # its end is an answer, too

    def _listen(self, model: str, member: subprocess.Popen) -> None:
        for line in member.stdout or ():
            self._answers.put((model, line))
        self._answers.put((model, None))


def environment_of(machine: str, site: Path | None) -> dict[str, str]:
    """Return what members find in their environment: carried wheels, and one place for programs."""
    paths = [*([str(site)] if site else []), os.environ.get("PYTHONPATH", "")]
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "GLIOZOO_MACHINE": machine,
        "GLIOZOO_CACHE": "cache",
        # Keras on JAX compiles hundreds of small programs as it builds: once for all calls.
        "JAX_COMPILATION_CACHE_DIR": "cache/jax",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


def _start(request: str, work: Path, extra: dict[str, str], errors: IO) -> subprocess.Popen:
    return subprocess.Popen(
        child_process.command("benchmarks.gpu.member", request),
        cwd=work,
        env=extra,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        process_group=0,
    )


def _kill(member: subprocess.Popen) -> None:
    member.kill()
    member.wait()
