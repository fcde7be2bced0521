"""The facts about where a run took place: what a cost depends on, and what a repeat needs."""

import functools
import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.backends import device
from benchmarks.machine import child_process, resources

CPUINFO = Path("/proc/cpuinfo")
INSTRUCTIONS = {
    "amx_tile": "AMX",
    "avx512_bf16": "AVX-512 BF16",
    "avx512_vnni": "AVX-512 VNNI",
    "avx512f": "AVX-512",
    "avx2": "AVX2",
    "avx": "AVX",
    "sve": "SVE",
    "asimd": "NEON",
}


def facts(jit: bool | None = None, n_devices: int = 1) -> dict[str, Any]:
    """Describe machine, software and settings; what can't be known is None."""
    import keras

    gpus = device.gpus()
    return {
        "machine": machine(),
        "system": platform.platform(),
        "cpu": cpu(),
        "instructions": instructions(),
        "cores": cores(),
        "threads": resources.in_use() or cores(),
        "gpu": gpus[0] if gpus else None,
        "devices": gpus or ["CPU"],
        "n_devices": n_devices,
        "driver": driver() if gpus else None,
        "python": platform.python_version(),
        "keras": keras.__version__,
        "backend": device.backend(),
        "backend_version": installed_version(device.backend()),
        "precision": keras.config.dtype_policy().name,
        "layout": keras.config.image_data_format(),
        "jit": device.resolve_jit(jit),
        "commit": _git("rev-parse", "HEAD"),
        "dirty": _dirty(),
    }


def versions() -> list[str]:
    """Name what results depend on with its version: ours first, then what is installed of it."""
    named = ("keras", "tensorflow", "jax", "torch")
    found = [f"{name} {number}" for name in named if (number := installed_version(name))]
    ours = installed_version("gliozoo") or "unknown"
    return [ours, *found, f"Python {platform.python_version()}"]


def machine() -> str:
    """Name the machine, as `$GLIOZOO_MACHINE` says or as it calls itself."""
    return os.environ.get("GLIOZOO_MACHINE") or platform.node() or "unknown"


def installed_version(package: str) -> str | None:
    """Return the version of an installed package; TensorFlow's go by several names."""
    for name in (package, f"{package}-cpu", f"{package}_cpu", f"{package}-intel"):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None


@functools.cache
def cpu() -> str:
    """Name the processor."""
    return _told("model name") or platform.processor() or platform.machine()


@functools.cache
def instructions() -> str | None:
    """Name the widest instructions for vectors: processors of one name may differ in them.

    Kernels are chosen by them: another set is another order of additions, and another speed.
    """
    flags = (_told("flags") or _told("Features") or "").split()
    return next((name for flag, name in INSTRUCTIONS.items() if flag in flags), None)


def processor() -> str:
    """Name the processor with its instructions."""
    return ", ".join(filter(None, (cpu(), instructions())))


def _told(name: str) -> str | None:
    """Return what Linux says of the first processor under a name."""
    if CPUINFO.exists():
        for line in CPUINFO.read_text(errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == name:
                return value.strip()
    return None


def cores() -> int:
    """Return the cores that this process may use, which a container may have narrowed."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@functools.cache
def gpu_count() -> int:
    """Count the GPUs of this machine, without starting a backend."""
    if shutil.which("nvidia-smi") is None:
        return 0
    return len((_output("nvidia-smi", "-L") or "").splitlines())


@functools.cache
def driver() -> str | None:
    """Return the version of the NVIDIA driver."""
    if shutil.which("nvidia-smi") is None:
        return None
    query = ("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
    return (_output(*query) or "").splitlines()[0] if _output(*query) else None


def _dirty() -> bool | None:
    """Say whether tracked files differ from the commit, records apart; None without a checkout."""
    changes = _git("status", "--porcelain", "--untracked-files=no", "--", ":!results")
    return None if changes is None else bool(changes)


def _git(*arguments: str) -> str | None:
    if not (child_process.ROOT / ".git").exists():
        return None
    return _output("git", "-C", str(child_process.ROOT), *arguments)


def _output(*command: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
