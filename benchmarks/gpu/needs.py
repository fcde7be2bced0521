"""What the Python over there must have; asked before anything is imported that needs it."""

import sys
from collections.abc import Iterable
from importlib.machinery import PathFinder
from pathlib import Path

from benchmarks.errors import UserError

THERE: tuple[str, ...] = ("absl", "h5py", "ml_dtypes", "numpy", "scipy", "cv2", "pandas")
THERE += ("matplotlib", "rich", "safetensors")
CARRIED = ("keras", "namex", "optree", "typing_extensions", "nibabel", "filelock")


def require(names: Iterable[str], site: Path | None = None) -> None:
    """Say at once what this interpreter lacks, not once a task."""
    places = [*([str(site)] if site else []), *sys.path]
    missing = [name for name in names if not PathFinder.find_spec(name, places)]
    if missing:
        raise UserError(
            f"The Python of {sys.prefix} lacks {', '.join(missing)}: bring wheels into "
            "carry/wheels (`make gpu-carry`), or name a Python that has them, make gpu "
            "PYTHON=/path/to/python."
        )
