"""Prepared stores read to their last byte, as `gliozoo data check` does with a data set."""

from dataclasses import dataclass
from pathlib import Path

from data_pipeline.errors import UserError
from data_pipeline.storing import store_index
from data_pipeline.storing.store import Store, damaged


@dataclass(frozen=True)
class Checked:
    """A sound store, and what was read of it."""

    path: Path
    cases: int
    bytes: int

    def summary(self) -> str:
        """Say what was found, in a line for people."""
        return f"{self.path}: {self.cases} prepared cases, {self.bytes / 1e6:,.0f} MB, as written"


def find(root: Path) -> list[Path]:
    """List the stores that a folder is or holds; none where it is a data set."""
    if (root / store_index.INDEX).is_file():
        return [root]
    return sorted(path.parent for path in root.glob(f"*/{store_index.INDEX}"))


def check(path: Path) -> Checked:
    """Digest every file anew, whatever its stamp says, and refuse a store that was changed."""
    index = store_index.read(path)
    bad = [store_index.INDEX] if index is None else damaged(Store(path, index), thorough=True)
    if index is None or bad:
        raise UserError(
            f"{path / bad[0]}: is not what was written when the data were prepared; copy the store "
            "again or prepare it anew."
        )
    store = Store(path, index)
    for number in range(len(store.cases)):
        store.reference(number)
        store.foreground(number)
    return Checked(path, len(store.cases), sum(sum(c.bytes.values()) for c in store.cases))
