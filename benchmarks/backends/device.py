"""The edge to the backends: which one runs, on what, and what only it can say.

Nothing else in `benchmarks` imports TensorFlow, JAX or torch; `select_backend` has to come before
anything that imports Keras.
"""

import functools
import importlib.util
import logging
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.errors import UserError

# How to install each backend, in the order in which they are tried.
BACKENDS = {
    "tensorflow": "pip install tensorflow",
    "jax": "pip install 'gliozoo[jax]'",
    "torch": "pip install 'gliozoo[torch]'",
}
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


def choose_backend(name: str | None = None) -> str:
    """Name the backend to run on: `name`, else KERAS_BACKEND, else the first one installed."""
    name = name or os.environ.get("KERAS_BACKEND") or _first_installed()
    if name not in BACKENDS:
        raise UserError(f"Unknown backend {name!r}: expected one of {', '.join(BACKENDS)}.")
    if not installed(name):
        raise UserError(f"The backend {name!r} is not installed: run `{BACKENDS[name]}`.")
    return name


def select_backend(name: str | None = None) -> str:
    """Make Keras run on the backend that `choose_backend` names."""
    name = choose_backend(name)
    if "keras" in sys.modules and backend() != name:
        raise UserError(
            f"Keras already runs on {backend()!r}, and {name!r} was asked for: set "
            f"KERAS_BACKEND={name} before anything imports Keras."
        )
    os.environ["KERAS_BACKEND"] = name
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if name == "tensorflow":
        _let_gpu_memory_grow()
        _use_onednn()
        logging.getLogger("tensorflow").addFilter(_worth_saying)
    return name


def start(name: str | None = None, *, require: bool = False) -> None:
    """Select a backend and wake it unheard: it looks for GPUs, of which one may be required."""
    with silence():
        select_backend(name)
        gpus()
    if require:
        require_gpu()


@functools.cache
def installed(name: str) -> bool:
    """Say whether a backend could be imported."""
    return importlib.util.find_spec(name) is not None


def _first_installed() -> str:
    for name in BACKENDS:
        if installed(name):
            return name
    raise UserError(f"No backend for Keras is installed: run `{BACKENDS['tensorflow']}`.")


def _let_gpu_memory_grow() -> None:
    """Keep TensorFlow from taking all of a GPU at once, before it has touched it."""
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")


def _use_onednn() -> None:
    """Have TensorFlow use oneDNN's kernels on every x86 processor, unless the user says otherwise.

    Left alone it does so on newer ones only (AVX-512 with VNNI), and is up to eight times slower on
    the others (docs/speed.md): numbers and times would depend on the year of a processor.
    """
    if platform.machine().lower() in ("x86_64", "amd64"):
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def backend() -> str:
    """Name the backend that Keras runs on."""
    import keras

    return keras.config.backend()


def set_precision(policy: str) -> None:
    """Set Keras' dtype policy for the layers built from now on."""
    import keras

    if policy not in PRECISIONS:
        raise UserError(f"Unknown precision {policy!r}: expected one of {', '.join(PRECISIONS)}.")
    keras.config.set_dtype_policy(policy)


def make_deterministic() -> None:
    """Make equal inputs give equal bits, at some cost in speed; before the first computation."""
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_gpu_deterministic_ops=true"
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    if backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
        _add_in_order()
    elif backend() == "torch":
        import torch

        torch.use_deterministic_algorithms(True, warn_only=True)


def _add_in_order() -> None:
    """Have TensorFlow add the terms of a gradient one after another.

    Its AddN begins with the term whose buffer is free first, which is a matter of time: of three
    terms or more, as the gradient of a weight has that a recurrence uses three times, the last bits
    differ from run to run. The arithmetic optimiser would make an AddN of such additions again.
    """
    import tensorflow as tf
    from tensorflow.python.ops import gen_math_ops

    def add_n(inputs, name=None):
        return functools.reduce(gen_math_ops.add_v2, inputs)

    gen_math_ops.add_n = add_n
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})


def resolve_jit(jit: bool | None) -> bool:
    """Say whether a program is compiled as a whole; unless told, only where JAX always does."""
    return backend() == "jax" if jit is None else jit


def gpus() -> list[str]:
    """Name the GPUs that the backend sees."""
    if backend() == "tensorflow":
        import tensorflow as tf

        details = map(
            tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU")
        )
        return [str(detail.get("device_name", "GPU")) for detail in details]
    if backend() == "jax":
        import jax

        return [d.device_kind for d in jax.local_devices() if d.platform in ("gpu", "cuda", "rocm")]
    import torch

    return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]


def require_gpu() -> None:
    """Fail with the likely reason unless the backend sees a GPU."""
    if gpus():
        return
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        reason = "CUDA_VISIBLE_DEVICES hides every GPU: unset it"
    elif shutil.which("nvidia-smi") is None:
        reason = "this machine has no NVIDIA driver (no nvidia-smi): install it or use another one"
    else:
        reason = "the driver is there, but not the backend's CUDA build: see `gliozoo doctor`"
    raise UserError(f"--require-gpu: {backend()} sees no GPU; {reason}.")


def synchronise(value: Any = None) -> None:
    """Wait until the device has done everything that `value` depends on."""
    if backend() == "jax":
        import jax

        jax.block_until_ready(value)
    elif backend() == "tensorflow":
        if gpus():
            import tensorflow as tf

            tf.test.experimental.sync_devices()
    elif gpus():
        import torch

        torch.cuda.synchronize()


def _worth_saying(line: logging.LogRecord) -> bool:
    """Pass by TensorFlow's warning of many traces: it counts those of all networks together."""
    return "triggered tf.function retracing" not in line.getMessage()


@contextmanager
def silence() -> Iterator[None]:
    """Send file descriptor 2 nowhere; exceptions are raised as ever.

    TensorFlow's logger heeds TF_CPP_MIN_LOG_LEVEL only once it runs; its first lines come earlier.
    """
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
