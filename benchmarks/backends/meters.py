"""What a computation takes of the device: bytes at most, bytes now, and joules."""

import os
import re
import sys
from pathlib import Path

from benchmarks.backends import device


def peak_memory() -> int | None:
    """Return the most bytes that were in use: on the GPU if there is one, else resident."""
    if not device.gpus():
        return peak_resident_memory()
    if device.backend() == "tensorflow":
        import tensorflow as tf

        return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])
    if device.backend() == "jax":
        import jax

        return (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    import torch

    return int(torch.cuda.max_memory_allocated())


def peak_resident_memory() -> int | None:
    """Return the most bytes that this process held; None on Windows."""
    # Not `ru_maxrss` where this is to be had: Linux hands a parent's peak on in it.
    found = re.search(r"^VmHWM:\s*(\d+) kB$", _status(), re.MULTILINE)
    if found:
        return 1024 * int(found[1])
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _status() -> str:
    status = Path("/proc/self/status")
    return status.read_text() if status.exists() else ""


def resident_memory() -> int:
    """Return the bytes that the process holds now; 0 on a GPU, whose peak starts at nothing."""
    statm = Path("/proc/self/statm")
    if device.gpus() or not statm.exists():
        return 0
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def energy_joules() -> float | None:
    """Return the energy that the first GPU has used since its driver started; None without NVML."""
    if not device.gpus():
        return None
    try:
        import pynvml

        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        return pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1000
    except Exception:  # no package, no driver, or a card that does not count
        return None
