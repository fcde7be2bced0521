"""Which records are the repository's: those that git tracks in the checkout of this code."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[3]


def shipped(folders: Sequence[Path], root: Path = ROOT) -> frozenset[Path]:
    """Return the records under some folders that came with the checkout, whole paths.

    None where there is no checkout, no git, or the folders lie elsewhere: all are the user's then.
    """
    inside = [path for path in (folder.resolve() for folder in folders) if _within(path, root)]
    if not inside or not (root / ".git").exists():
        return frozenset()
    command = ["git", "-C", str(root), "ls-files", "-z", "--", *map(str, inside)]
    try:
        told = subprocess.run(command, capture_output=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return frozenset()
    names = told.decode(errors="surrogateescape").split("\0")
    return frozenset(root.resolve() / name for name in names if name.endswith(".json"))


def _within(path: Path, root: Path) -> bool:
    return path.is_relative_to(root.resolve())
