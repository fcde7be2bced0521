"""The folder that prepared data go to, unless a command names another one."""

import os
from pathlib import Path


def default() -> Path:
    """Return `$GLIOZOO_CACHE`, else `cache` in the working folder."""
    return Path(os.environ.get("GLIOZOO_CACHE") or "cache")
