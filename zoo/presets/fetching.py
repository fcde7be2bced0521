"""A weights file brought here, and believed only where its SHA-256 is the manifest's."""

import hashlib
import os
import tempfile
from pathlib import Path

from zoo.errors import UserError
from zoo.presets.preset import File

FOLDER = "fetched"
OFFLINE = "GLIOZOO_OFFLINE"
PART = 1 << 16
PATIENCE = 20.0  # seconds without a byte


def verify(path: Path, file: File) -> None:
    """Refuse a file that is not, byte for byte, what the manifest says."""
    try:
        with path.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise UserError(
            f"{path}: can't be read ({error.strerror}); check its permissions."
        ) from error
    if found != file.sha256:
        raise UserError(
            f"{path}: is damaged or was altered, its SHA-256 is {found[:12]} where the manifest "
            f"says {file.sha256[:12]}; remove it and fetch it again."
        )


def fetch(file: File, name: str, folder: Path, *, offline: bool | None = None) -> Path:
    """Download a file into a folder, whole and verified or not at all; return where it lies."""
    if not file.url:
        raise UserError(
            f"{file.file} of the preset {name} is not here, and no URL is known for it."
        )
    if os.environ.get(OFFLINE, "") not in ("", "0") if offline is None else offline:
        raise UserError(
            f"{file.file} of the preset {name} is not here, and nothing is fetched offline; run "
            f"`gliozoo weights fetch {name}` where there is a network."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, aside = tempfile.mkstemp(dir=folder, prefix=f".{file.file}.")
    except OSError as error:
        raise UserError(
            f"Cannot write to {folder}: {error.strerror or error}; set GLIOZOO_HOME to a folder of "
            "yours."
        ) from error
    try:
        with os.fdopen(descriptor, "wb") as target:
            _download(file, target)
        verify(Path(aside), file)
        os.chmod(aside, 0o644)
        os.replace(aside, folder / file.file)
    except (OSError, ValueError) as error:
        if isinstance(error, UserError):
            raise UserError(str(error).replace(aside, file.url)) from error
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise UserError(
            f"{file.url}: can't be fetched ({reason}); check the network, or copy the file to "
            f"{folder / file.file}."
        ) from error
    finally:
        Path(aside).unlink(missing_ok=True)
    return folder / file.file


def _download(file: File, target) -> None:
    """Copy the body, no more of it than the manifest announces."""
    import urllib.request  # a twentieth of a second, which only a download needs

    left = file.bytes
    with urllib.request.urlopen(file.url, timeout=PATIENCE) as body:
        while part := body.read(PART):
            left -= len(part)
            if left < 0:
                raise OSError(f"it is larger than the {file.bytes} bytes of the manifest")
            target.write(part)
    if left:
        raise OSError(f"it ended {left} bytes early")
