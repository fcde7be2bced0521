"""The project's names of MRI sequences, and the names that data sets give them."""

import re

ALIASES = {
    "flair": ("flair", "t2f", "t2flair", "t2wflair", "flr"),
    "t1": ("t1", "t1n", "t1w", "t1native", "t1pre", "pre"),
    "t1ce": ("t1ce", "t1c", "t1gd", "t1wgd", "t1wce", "t1contrast", "t1post", "post"),
    "t2": ("t2", "t2w"),
}
_CANONICAL = {alias: name for name, aliases in ALIASES.items() for alias in aliases}


def canonical(name: str) -> str:
    """Give the project's name of a sequence: `T1Gd`, `t1c` and `T1_CE` are all `t1ce`."""
    bare = re.sub(r"[^a-z0-9]", "", name.lower())
    return _CANONICAL.get(bare, bare or "unnamed")
