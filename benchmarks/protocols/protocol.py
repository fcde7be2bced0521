"""`Protocol`: what must be EQUAL for two models to be compared, and the digest that says so.

Paths, machines, backends and threads are no part of it; a changed number gives another digest, and
rows of different digests are never ranked together.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import zoo
from benchmarks.errors import UserError
from benchmarks.protocols import own_metric, own_source, toml_file
from benchmarks.scoring.policies import POLICIES
from data_pipeline import DataSpec
from data_pipeline.plain import LATER, plain
from zoo.registry import choose

FOLDER = Path(__file__).parent / "shipped"
AUTHOR = "author"
PARTS = ("data", "train", "evaluate")
LONGEST = 60  # characters of a name
SCHEDULES = ("constant", "cosine", "plateau")
OPTIMISERS = ("adam", "adamw", "sgd")
BLENDINGS = ("gaussian", "constant")
MONITORS = ("val_dice", "val_loss")


class WrongRankError(UserError):
    """A protocol of slices was asked for a model of volumes, or the other way round."""


@dataclass(frozen=True)
class Training:
    """How every model of a protocol learns; `width` scales every model's channels.

    `loss` joins names of `benchmarks.training.losses`, or of functions in files such as
    `./losses.py:mine`, with `+`. `monitor` tells which epoch is the best one: by the foreground's
    Dice on the validation patients, or by the loss there; `early_stopping` and the plateau schedule
    count epochs without a better one. `deep_supervision` asks each coarser level of a decoder too,
    by heads that are gone after the training.
    """

    loss: str = "bce+dice"
    loss_settings: Mapping[str, Any] = field(default_factory=dict)
    optimiser: str = "adam"
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    schedule_settings: Mapping[str, float] = field(default_factory=dict)
    epochs: int = 60
    early_stopping: int | None = None
    clip_norm: float | None = 1.0
    width: float = 1.0
    deep_supervision: bool = False
    monitor: str = field(default="val_dice", metadata=LATER)

    def __post_init__(self) -> None:
        _one_of("schedule", self.schedule, SCHEDULES)
        _one_of("monitor", self.monitor, MONITORS)
        _one_of("optimiser", self.optimiser, OPTIMISERS)
        for name in ("learning_rate", "epochs", "width", "clip_norm", "early_stopping"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UserError(f"Expected train.{name} above 0. Received: {value}.")


@dataclass(frozen=True)
class Evaluation:
    """How a trained model is scored; what is None is chosen on the validation patients.

    A component of the lesion below `smallest` times the largest one's voxels is left out of masks.

    A model of volumes slides over a scan in windows of its input's size: `overlap` is the share of
    a side that two neighbours have in common, `blending` how their answers are weighted. `metrics`
    are files of one's own, `./metrics.py:NAME`, shown as `x_NAME` beside the others.
    """

    threshold: float | None = 0.5
    policy: str = "brats"
    surfaces: bool = True
    batch_size: int = 16
    overlap: float = 0.5
    blending: str = "gaussian"
    metrics: tuple[str, ...] = field(default=(), metadata=LATER)
    smallest: float | None = field(default=0.0, metadata=LATER)

    def __post_init__(self) -> None:
        _one_of("policy", self.policy, tuple(POLICIES))
        _one_of("blending", self.blending, BLENDINGS)
        if not 0 <= self.overlap < 1:
            raise UserError(f"Expected overlap from 0 to below 1. Received: {self.overlap}.")
        if self.threshold is not None and not 0 < self.threshold < 1:
            raise UserError(f"Expected a threshold between 0 and 1. Received: {self.threshold}.")
        if self.smallest is not None and not 0 <= self.smallest <= 1:
            raise UserError(f"Expected smallest from 0 to 1. Received: {self.smallest}.")
        own_source.require_apart(self.metrics, "metrics")

    def as_json(self) -> dict[str, Any]:
        """Return plain values; files by their names and hashes."""
        told = plain(self)
        return told | (
            {"metrics": [str(own_metric.find(one)) for one in self.metrics]} if self.metrics else {}
        )


@dataclass(frozen=True)
class Protocol:
    """Data, training and evaluation under one name; equal for all models that are ranked."""

    name: str
    data: DataSpec
    train: Training = field(default_factory=Training)
    evaluate: Evaluation = field(default_factory=Evaluation)

    def as_json(self) -> dict[str, Any]:
        """Return the three parts as plain values, ready for a record."""
        train = plain(self.train)
        return {
            "data": self.data.as_json(),
            "train": {**train, "loss": own_source.told(train["loss"])},
            "evaluate": self.evaluate.as_json(),
        }

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of everything but the name."""
        return digest_of(self.as_json())


def digest_of(parts: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a protocol's parts, as `Protocol.as_json` or a record has them."""
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def names() -> list[str]:
    """List the protocols: the folder is the registry."""
    return sorted(file.stem for file in FOLDER.glob("*.py") if not file.stem.startswith("_"))


def shipped(name: str) -> Protocol:
    """Return a protocol of the folder, or of a TOML file, whatever model it is for."""
    if toml_file.is_file(name):
        return _of_file(Path(name), ())
    if name == AUTHOR:
        raise UserError(
            f"{AUTHOR!r} is made of the recipe on a model's card, so it is another one for each "
            "model: `gliozoo describe MODEL` prints the recipe."
        )
    return _module(choose(name, names(), "protocol")).PROTOCOL


def find(name: str, model: str) -> Protocol:
    """Return the protocol of this name for a model.

    A protocol for slices may name its twin for volumes, which a model takes that has no other rank;
    one that differs from model to model has `for_model`; `author` and `author_PROTOCOL` are made of
    the recipe on the model's card; a name that ends in `.toml` is a file.
    """
    card = zoo.card(model)
    if name == AUTHOR or (name.startswith(f"{AUTHOR}_") and not _is_there(name)):
        base = name.removeprefix(AUTHOR).removeprefix("_") or None
        return _module(AUTHOR).protocol_for(model, card, base and find(base, model))
    found = shipped(name)
    module = None if toml_file.is_file(name) else _module(name)
    if found.data.rank in card.ranks:
        own = getattr(module, "for_model", None)
        return own(model) if own else found
    twin = _twin(module, found)
    if twin is None:
        fitting = [other for other in names() if _rank(other) in card.ranks]
        raise WrongRankError(
            f"{model} takes inputs of rank {' or '.join(map(str, card.ranks))}, and the protocol "
            f"{name!r} gives rank {found.data.rank}: use one of {', '.join(fitting) or 'none'}."
        )
    return _module(twin).PROTOCOL


def twin_of(name: str) -> str | None:
    """Name the protocol for volumes that belongs to one for slices, or the other way round."""
    return None if toml_file.is_file(name) else _twin(_module(name), shipped(name))


def _twin(module: ModuleType | None, found: Protocol) -> str | None:
    return getattr(module, "VOLUMES" if found.data.rank == 2 else "SLICES", None)


def name_of(name: str | None) -> str | None:
    """Return the name that records give a protocol: a file says its own."""
    return shipped(name).name if name and toml_file.is_file(name) else name


def _is_there(name: str) -> bool:
    return name in names() or (toml_file.is_file(name) and Path(name).is_file())


def _of_file(path: Path, above: tuple[Path, ...]) -> Protocol:
    """Put a file's tables over its `base`, another protocol or file; without one, the defaults."""
    if path.resolve() in above:
        raise UserError(f"{path}: is its own base; name a shipped protocol as base in one of them.")
    content = toml_file.read(path)
    name, base = content.pop("name", path.stem), content.pop("base", None)
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST:
        raise UserError(f"{path}: expected name as a text of 1 to {LONGEST} characters.")
    if not isinstance(base, str | None):
        raise UserError(f"{path}: expected base as the name of a protocol. Received: {base!r:.80}.")
    try:
        toml_file.require_known(content, list(PARTS), "a protocol")
        if base is None:
            found = Protocol(name, DataSpec())
        elif toml_file.is_file(base):
            found = _of_file(path.parent / base, (*above, path.resolve()))
        else:
            found = shipped(base)
        parts = {
            part: toml_file.changed(getattr(found, part), table, part)
            for part, table in content.items()
        }
        if "loss" in content.get("train", {}):
            loss = own_source.beside(parts["train"].loss, path.parent)
            parts["train"] = replace(parts["train"], loss=loss)
        if "metrics" in content.get("evaluate", {}):
            own = (own_source.beside(one, path.parent) for one in parts["evaluate"].metrics)
            parts["evaluate"] = replace(parts["evaluate"], metrics=tuple(own))
        return replace(found, name=name, **parts)
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error


def _rank(name: str) -> int | None:
    found = getattr(_module(name), "PROTOCOL", None)
    return found.data.rank if found else None


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"benchmarks.protocols.shipped.{name}")


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        listed = ", ".join(map(repr, choices))
        raise UserError(f"Expected {name} to be one of {listed}. Received: {value!r}.")
