"""One generation of a training as a file: state and tensors under one seal, read with suspicion."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.training.state import State
from zoo.weights_files import sealed
from zoo.weights_files.sealed import DamagedError, Tensors

FIELDS = frozenset(("identity", "state", "sha256"))


@dataclass(frozen=True, eq=False)
class Generation:
    """What a training needs to go on; `identity` says of which run it is."""

    identity: Mapping[str, Any]
    state: State
    tensors: Tensors


def pack(found: Generation) -> bytes:
    """Return the bytes of a file."""
    facts = {
        "identity": found.identity,
        "state": asdict(found.state),
        "sha256": _digest(found.tensors),
    }
    return sealed.pack(found.tensors, facts)


def read(path: Path) -> Generation:
    """Read a file whole; one that is not what was written is a `DamagedError`."""
    facts, tensors = sealed.read(path, FIELDS)
    if facts.get("sha256") != _digest(tensors):
        raise DamagedError("its tensors do not match the SHA-256 that it carries")
    for name, tensor in tensors.items():
        if np.isnan(tensor).any():
            raise DamagedError(f"it holds NaN in {name}")
    identity = facts.get("identity")
    if not isinstance(identity, dict):
        raise DamagedError("it does not say of which run it is")
    try:
        state = State.from_json(facts["state"])
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise DamagedError(f"its state is none that a training comes to: {error}") from error
    return Generation(identity, state, tensors)


def require_fit(tensors: Tensors, expected: Mapping[str, tuple], best: list[tuple]) -> None:
    """Refuse tensors of other names, types or shapes; the best weights are all there or none."""
    kept = {f"best/{place}": kind for place, kind in enumerate(best)}
    wanted = {**expected, **(kept if "best/0" in tensors else {})}
    found = {name: (tensor.dtype.name, tensor.shape) for name, tensor in tensors.items()}
    if found != wanted:
        names = sorted(n for n in {*found, *wanted} if found.get(n) != wanted.get(n))
        raise DamagedError(f"its {names[0]} is not that of this network")


def _digest(tensors: Tensors) -> str:
    total = hashlib.sha256()
    for name in sorted(tensors):
        total.update(f"{name} {tensors[name].dtype} {tensors[name].shape}".encode())
        total.update(tensors[name].tobytes())
    return total.hexdigest()
