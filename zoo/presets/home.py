"""The folder of this user's own files: weights that were fetched or added."""

import os
import sys
from pathlib import Path


def folder() -> Path:
    """Return `$GLIOZOO_HOME`, else `gliozoo` in the folder that the system keeps for caches."""
    named = os.environ.get("GLIOZOO_HOME")
    if named:
        return Path(named)
    if sys.platform == "win32":
        kept = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    else:
        kept = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(kept) / "gliozoo"


def weights() -> Path:
    """Return the folder of presets that were fetched or added."""
    return folder() / "weights"
