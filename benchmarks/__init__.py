"""The harness: protocols, runs, records and what follows from them.

    benchmarks.bench("unet", protocol="quick")              -> Record
    benchmarks.evaluate("results/.../runs/RUN", "folder")   -> Record
    benchmarks.predict("weights.safetensors", {"flair": array, ...}, spacing=(1, 1, 1))
    benchmarks.frame("results")                             -> pandas.DataFrame
    benchmarks.reliability(reference, probability)          -> pandas.DataFrame

Names are looked up when they are asked for, so that `import benchmarks` imports nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.python.frames import frame, reliability
    from benchmarks.python.networks import evaluate, predict
    from benchmarks.python.runs import bench

_HOMES = {
    "bench": "runs",
    "evaluate": "networks",
    "frame": "frames",
    "predict": "networks",
    "reliability": "frames",
}

__all__ = ["bench", "evaluate", "frame", "predict", "reliability"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'benchmarks' has no attribute {name!r}")
    return getattr(import_module(f"benchmarks.python.{_HOMES[name]}"), name)
