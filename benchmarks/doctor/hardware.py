"""Processors, memory and GPUs as this process really has them, containers minded."""

import os
import re
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

from benchmarks.doctor import finding
from benchmarks.doctor.finding import FINE, NOTE, Finding
from benchmarks.machine import environment, resources
from data_pipeline.files import memory_share

GIB = 2**30
LEAST_MEMORY = 3 * GIB  # TensorFlow and a network of quarter width
QUOTAS = Path("/sys/fs/cgroup/cpu.max"), Path("/sys/fs/cgroup/cpu")
_CUDA = re.compile(r"nvidia-cudnn-cu\d+|jax-cuda\d+-plugin|nvidia-cublas-cu\d+")


def findings() -> Iterator[Finding]:
    """Look at all of it."""
    yield _processors()
    memory = memory_share.given()
    yield finding.of(
        "hardware",
        "memory",
        memory >= LEAST_MEMORY,
        f"{memory / GIB:.1f} GiB{_available()}",
        "give this container more memory, or use small protocols (--protocol smoke)",
        needed=False,
    )
    yield _gpus()


def _processors() -> Finding:
    cores, limit, threads = environment.cores(), quota(), resources.in_use()
    said = [environment.processor(), f"{cores} of {os.cpu_count()} processors"]
    if limit is not None:
        said.append(f"a quota of {limit:g}")
    if threads is not None:
        said.append(f"OMP_NUM_THREADS={threads}")
    found = ", ".join(said)
    share = min(cores, limit or cores)
    if threads is None and limit is not None and limit < cores:
        remedy = f"export OMP_NUM_THREADS={max(1, int(limit))}, or bench with --threads"
        return Finding("hardware", "processors", NOTE, found, remedy)
    if threads is not None and threads > share:
        remedy = f"export OMP_NUM_THREADS={max(1, int(share))}"
        return Finding("hardware", "processors", NOTE, found, remedy)
    return Finding("hardware", "processors", FINE, found)


def quota(places: tuple[Path, Path] = QUOTAS) -> float | None:
    """Return the processors that a control group lets this process keep busy; None without one."""
    second, first = places
    try:
        limit, period = second.read_text().split()
    except (OSError, ValueError):
        try:
            limit = (first / "cpu.cfs_quota_us").read_text().strip()
            period = (first / "cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    return int(limit) / int(period) if limit.isdigit() and int(period) else None


def _available() -> str:
    try:
        text = Path("/proc/meminfo").read_text()
    except OSError:
        return ""
    found = re.search(r"^MemAvailable:\s*(\d+) kB$", text, re.MULTILINE)
    return f", {int(found[1]) / 2**20:.1f} GiB of the machine's free" if found else ""


def _gpus() -> Finding:
    seen = environment.gpu_count()
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    if not seen:
        return Finding("hardware", "GPU", FINE, "no NVIDIA driver (no nvidia-smi): runs on the CPU")
    found = f"{seen} with driver {environment.driver()}"
    if hidden:
        mend = "unset CUDA_VISIBLE_DEVICES"
        return Finding("hardware", "GPU", NOTE, f"{found}, hidden by CUDA_VISIBLE_DEVICES", mend)
    if not any(_CUDA.fullmatch(one.name or "") for one in distributions()):
        lacks = f"{found}, and no backend with CUDA beside it"
        return Finding("hardware", "GPU", NOTE, lacks, "pip install 'gliozoo[gpu]'")
    return Finding("hardware", "GPU", FINE, found)
