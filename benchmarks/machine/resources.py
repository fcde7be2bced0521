"""What part of a machine a run may use, said so that every library heeds it.

TensorFlow, JAX, torch, OpenCV and OpenBLAS each start a thread a processor; N runs side by side
would start N times as many. The variables have to be set before any of them is imported, so they
go into the environment of a run's own process.
"""

import os

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "NPROC",  # JAX on a CPU
    "OPENCV_FOR_THREADS_NUM",
)


def threads(count: int | None) -> dict[str, str]:
    """Return the environment that keeps a run to `count` threads; nothing where it is None."""
    return {} if count is None else dict.fromkeys(VARIABLES, str(count))


def in_use() -> int | None:
    """Return the threads that this process was given; None where it has the whole machine."""
    given = os.environ.get(VARIABLES[0], "")
    return int(given) if given.isdigit() else None


def gpu(part: float | None) -> dict[str, str]:
    """Return the environment that keeps JAX to a part of a GPU; TensorFlow takes what it needs."""
    if part is None or not 0 < part < 1:
        return {}
    return {"XLA_PYTHON_CLIENT_MEM_FRACTION": f"{0.9 * part:.3f}"}
