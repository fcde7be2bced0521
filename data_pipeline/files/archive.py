"""Archives unpacked only if every member is an ordinary file that stays inside, or not at all."""

import lzma
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from data_pipeline.errors import UserError

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
RATIO_LIMIT = 100  # medical images pack to a tenth at best; a bomb to a thousandth
RATIO_FREE = 256 << 20  # bytes below which the ratio is not looked at: blank phantoms pack well
CHUNK = 1 << 20
# What the readers of the standard library raise over damaged bytes.
DAMAGED: tuple[type[Exception], ...] = (zipfile.BadZipFile, tarfile.TarError, zlib.error)
DAMAGED += (lzma.LZMAError, struct.error)
DAMAGED += (EOFError, OSError, RuntimeError, ValueError, LookupError, OverflowError)


@dataclass(frozen=True)
class _Member:
    name: str
    size: int
    ordinary: bool  # a file or a folder; no link, device or pipe
    folder: bool


def is_archive(path: Path) -> bool:
    """Whether a file's name says that it is an archive."""
    return path.is_file() and path.name.lower().endswith(SUFFIXES)


def unpack(path: Path, out: Path) -> Path:
    """Unpack into `out`, an empty folder; a suspicious archive is refused whole."""
    try:
        if path.name.lower().endswith(".zip"):
            with zipfile.ZipFile(path) as archive:
                _check(path, list(_zip_members(path, archive)), out)
                for info in archive.infolist():
                    if not info.is_dir():
                        _write(path, out / info.filename, archive.open(info), info.file_size)
        else:
            with tarfile.open(path) as tar:
                members = tar.getmembers()
                _check(path, [_tar_member(info) for info in members], out)
                for file in filter(tarfile.TarInfo.isfile, members):
                    _write(path, out / file.name, tar.extractfile(file), file.size)
    except UserError:
        raise
    except DAMAGED as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise UserError(
            f"{path}: can't be unpacked ({reason or 'it ends early'}); download it again."
        ) from error
    return out


def _zip_members(path: Path, archive: zipfile.ZipFile) -> Iterator[_Member]:
    for info in archive.infolist():
        if info.flag_bits & 1:
            raise UserError(f"{path}: is encrypted; unpack it yourself and check the folder.")
        kind = stat.S_IFMT(info.external_attr >> 16)
        ordinary = kind in (0, stat.S_IFREG, stat.S_IFDIR)
        yield _Member(info.orig_filename, info.file_size, ordinary, info.is_dir())


def _tar_member(info: tarfile.TarInfo) -> _Member:
    return _Member(info.name, info.size, info.isfile() or info.isdir(), info.isdir())


def _check(path: Path, members: list[_Member], out: Path) -> None:
    for member in members:
        name = PurePosixPath(member.name)
        odd = "\\" in member.name or ":" in member.name or "\0" in member.name
        if not member.ordinary or odd or name.is_absolute() or ".." in name.parts:
            reason = "lies outside" if member.ordinary else "is a link or a device"
            raise UserError(
                f"{path}: its member {member.name!r} {reason}; nothing was unpacked: get the "
                "archive from its original source."
            )
    names = [PurePosixPath(member.name) for member in members if not member.folder]
    if len(set(names)) < len(names):
        raise UserError(
            f"{path}: holds two files of one name; nothing was unpacked: unpack it by hand."
        )
    total = sum(member.size for member in members)
    free = shutil.disk_usage(out).free
    if total > max(RATIO_FREE, RATIO_LIMIT * path.stat().st_size) or total > free:
        raise UserError(
            f"{path}: would unpack from {path.stat().st_size} to {total} bytes ({free} are free); "
            "nothing was unpacked: unpack it by hand where there is room, if you trust it."
        )


def _write(path: Path, target: Path, source, size: int) -> None:
    """Copy one member; it may not turn out larger than the archive's directory said."""
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with source, target.open("xb") as file:
        while chunk := source.read(CHUNK):
            written += len(chunk)
            if written > size:
                raise UserError(
                    f"{path}: {target.name} is larger than announced; download it again."
                )
            file.write(chunk)
