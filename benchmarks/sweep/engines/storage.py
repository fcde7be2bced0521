"""Where a run on a cluster keeps what its next attempt needs, if that starts on another machine.

Any URL that fsspec knows: a folder that all nodes see, s3://, gs://, sftp://, ...
"""

import contextlib
from pathlib import Path

from benchmarks.errors import UserError
from benchmarks.machine import optional_packages
from benchmarks.running import unfinished
from benchmarks.training import history

SMALL = (history.FILE, unfinished.FILE)
GENERATIONS = "epoch-*.safetensors"


class Storage:
    """One run's place: its checkpoints, its history and the terms that it began under."""

    def __init__(self, url: str):
        fsspec = optional_packages.require("fsspec", "--storage", "ray")
        try:
            self.files, self.root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise UserError(f"--storage {url}: {str(error).rstrip('.')}.") from error
        self._pushed: dict[str, tuple[int, int]] = {}

    def pull(self, folder: Path, names: tuple[str, ...] | None = None) -> None:
        """Copy what is stored, or only `names` of it, into a run's folder."""
        folder.mkdir(parents=True, exist_ok=True)
        try:
            for name in self._stored() if names is None else names:
                self._get(name, folder)
        except OSError as error:
            raise UserError(f"Cannot read --storage {self.root}: {error}.") from error

    def push(self, folder: Path) -> None:
        """Copy what has changed since the last time; a file appears whole or not at all."""
        found = [*folder.glob(GENERATIONS), *(folder / name for name in SMALL)]
        present = set()
        for path in found:
            try:
                stat = path.stat()
                if self._pushed.get(path.name) != (stat.st_mtime_ns, stat.st_size):
                    self._put(path)
                    self._pushed[path.name] = (stat.st_mtime_ns, stat.st_size)
                present.add(path.name)
            except FileNotFoundError:
                continue  # a newer generation has taken its place
        for name in set(self._stored()) - present:
            self._remove(name)

    def clear(self, keep: tuple[str, ...] = ()) -> None:
        """Remove everything else: the run is finished."""
        for name in set(self._stored()) - set(keep):
            self._remove(name)
        if not keep:
            with contextlib.suppress(OSError, NotImplementedError):  # or there are no folders
                self.files.rmdir(self.root)

    def _stored(self) -> list[str]:
        self.files.invalidate_cache()  # of listings, which other machines may have outdated
        found = self.files.glob(f"{self.root}/{GENERATIONS}")
        small = [name for name in SMALL if self.files.exists(f"{self.root}/{name}")]
        return [str(path).rpartition("/")[2] for path in found] + small

    def _get(self, name: str, folder: Path) -> None:
        aside = folder / f".{name}.pulled"
        try:
            self.files.get_file(f"{self.root}/{name}", str(aside))
        except FileNotFoundError:
            return
        aside.replace(folder / name)

    def _put(self, path: Path) -> None:
        # Object stores show a file when it is complete; a folder would show it while it grows.
        self.files.makedirs(self.root, exist_ok=True)
        aside = f"{self.root}/.{path.name}.part"
        self.files.put_file(str(path), aside)
        self.files.mv(aside, f"{self.root}/{path.name}")

    def _remove(self, name: str) -> None:
        try:
            self.files.rm_file(f"{self.root}/{name}")
        except FileNotFoundError:
            return


def url_of(storage: str, stem: str) -> str:
    """Name a run's place under the storage that all runs share."""
    return f"{storage.rstrip('/')}/{stem}"
