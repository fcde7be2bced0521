"""Which packages are known to work: read off the installed project, or its checkout's setup.cfg."""

import configparser
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from operator import eq, ge, gt, le, lt, ne

from benchmarks.machine import child_process

PROJECT = "gliozoo"
_NAME = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*([^;]*)")
_BOUND = re.compile(r"(<=|>=|==|!=|<|>)\s*([0-9][0-9.]*)")
_EXTRA = re.compile(r"""extra\s*==\s*["']([^"']+)""")
_COMPARE = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne}
# Under which names a package is imported that has another one in the registry.
MODULES = {
    "axe-playwright-python": "axe_playwright_python",
    "nvidia-ml-py": "pynvml",
    "opencv-python-headless": "cv2",
    "pandas-stubs": "pandas",
    "pytest-xdist": "xdist",
    "scikit-learn": "sklearn",
}
TWINS: dict[str, tuple[str, ...]] = {
    "tensorflow": ("tensorflow-cpu", "tensorflow-intel", "tensorflow-macos"),
    "opencv-python-headless": ("opencv-python", "opencv-contrib-python"),
}


@dataclass(frozen=True)
class Requirement:
    """A package, the versions that are known to work, and the extra that asks for it."""

    name: str
    bounds: tuple[tuple[str, str], ...]
    extra: str | None = None

    @property
    def wanted(self) -> str:
        """Write the bounds as pip reads them."""
        return ",".join(f"{sign}{number}" for sign, number in self.bounds)

    @property
    def installed(self) -> str | None:
        """Return the version that is installed, under any of its names; None where it is not."""
        for name in (self.name, *TWINS.get(self.name, ())):
            try:
                return version(name)
            except PackageNotFoundError:
                continue
        return None

    @property
    def importable(self) -> bool:
        """Say whether Python finds it, without running any of it."""
        try:
            return find_spec(MODULES.get(self.name, self.name.replace("-", "_"))) is not None
        except (ImportError, ValueError):
            return False

    @property
    def within(self) -> bool:
        """Say whether what is installed is of a version that is known to work."""
        found = numbers(self.installed or "")
        return all(_COMPARE[sign](*_level(found, numbers(number))) for sign, number in self.bounds)


def all_of_them() -> list[Requirement]:
    """List the project's requirements, those of its extras after those of every run."""
    source = _of_checkout() if (child_process.ROOT / "setup.cfg").exists() else _of_metadata()
    return sorted(source, key=lambda one: one.extra is not None)


def numbers(text: str) -> tuple[int, ...]:
    """Return a version's numbers up to its first letter."""
    return tuple(int(part) for part in re.match(r"[0-9.]*", text)[0].split(".") if part)  # type: ignore[index]


def project_version() -> str:
    """Return the project's own version."""
    try:
        return version(PROJECT)
    except PackageNotFoundError:
        return _config().get("metadata", "version", fallback="unknown")


def _level(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    length = max(len(one), len(other))
    return tuple((*part, *(0,) * (length - len(part))) for part in (one, other))


def _config() -> configparser.ConfigParser:
    config = configparser.ConfigParser()
    config.read(child_process.ROOT / "setup.cfg", encoding="utf-8")
    return config


def _of_checkout() -> Iterator[Requirement]:
    config = _config()
    for line in config["options"]["install_requires"].split("\n"):
        yield from _parsed(line, None)
    for extra, lines in config["options.extras_require"].items():
        for line in lines.split("\n"):
            yield from _parsed(line, extra)


def _of_metadata() -> Iterator[Requirement]:
    try:
        lines = requires(PROJECT) or []
    except PackageNotFoundError:
        lines = []
    for line in lines:
        extra = _EXTRA.search(line)
        yield from _parsed(line, extra[1] if extra else None)


def _parsed(line: str, extra: str | None) -> Iterator[Requirement]:
    match = _NAME.match(line.strip())
    if match:
        yield Requirement(match[1], tuple(_BOUND.findall(match[2])), extra)
