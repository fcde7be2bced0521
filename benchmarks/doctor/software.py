"""Python, the packages that a run needs, Keras' backend, and the extras."""

import platform
import sys
from collections.abc import Iterator

from benchmarks.backends import device
from benchmarks.doctor import finding, requirements
from benchmarks.doctor.finding import FINE, NOTE, Finding
from benchmarks.doctor.requirements import Requirement
from benchmarks.errors import UserError

LEAST = (3, 11)
BACKENDS = ("tensorflow", "jax", "torch")  # packages that may stand in for one another


def findings() -> Iterator[Finding]:
    """Look at all of it."""
    asked = requirements.all_of_them()
    yield finding.of(
        "software",
        "Python",
        sys.version_info >= LEAST,
        platform.python_version(),
        "install Python 3.11 or newer: https://www.python.org/downloads",
    )
    yield from (_package(one) for one in asked if one.extra is None)
    yield _backend()
    for extra in dict.fromkeys(one.extra for one in asked if one.extra):
        yield _extra(extra, [one for one in asked if one.extra == extra])


def _package(one: Requirement) -> Finding:
    spare = one.name in BACKENDS and any(map(device.installed, BACKENDS))
    found = _found(one)
    mend = f"pip install '{one.name}{one.wanted}'"
    return finding.of("software", one.name, found == one.installed, found, mend, needed=not spare)


def _found(one: Requirement) -> str:
    """Say what is there: the version alone where all is well."""
    if one.installed is None:
        return "missing"
    if not one.importable:
        return f"{one.installed}, and its files are not found"
    return one.installed if one.within else f"{one.installed}, known to work: {one.wanted}"


def _backend() -> Finding:
    try:
        chosen = device.choose_backend()
    except UserError as error:
        return finding.of("software", "backend", False, str(error), "pip install tensorflow")
    others = [name for name in BACKENDS if name != chosen and device.installed(name)]
    found = f"{chosen}, also installed: {', '.join(others)}" if others else chosen
    return Finding("software", "backend", FINE, found)


def _extra(extra: str, asked: list[Requirement]) -> Finding:
    wrong = [f"{one.name} {found}" for one in asked if (found := _found(one)) != one.installed]
    name = f"extra {extra}"
    if not wrong:
        return Finding("software", name, FINE, ", ".join(one.name for one in asked))
    return Finding("software", name, NOTE, "; ".join(wrong), f"pip install 'gliozoo[{extra}]'")
