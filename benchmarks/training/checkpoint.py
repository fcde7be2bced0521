"""Checkpoints: all that a training needs to go on, in one file that appears whole or not at all.

A generation holds every variable of model and optimiser (the states of dropout's random numbers
among them), the best weights so far, and the `State`. The newest two are kept, so that damage to
one leaves another. Their writing is kept to a hundredth of the time, unless more is allowed.
"""

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmarks.errors import UserError
from benchmarks.records import atomic
from benchmarks.training import generation
from benchmarks.training.generation import Generation
from benchmarks.training.state import State
from zoo.weights_files.sealed import DamagedError, Tensors

SHARE, KEEN = 0.01, 0.25  # of the time may be spent on writing; where an end is near at any time
KEPT = 2


class Checkpoints:
    """The generations of one run in its folder; `identity` is what a checkpoint must agree with."""

    def __init__(self, folder: Path, identity: Mapping[str, Any], share: float = SHARE):
        self.folder, self.share = folder, share
        self.identity = json.loads(json.dumps(identity))
        self.best: list[np.ndarray] | None = None
        self._written, self._cost = -np.inf, 0.0

    def save(self, model: keras.Model, state: State, *, now: bool = False) -> bool:
        """Take in an epoch; write a generation if it is time, or `now`. Return whether it was."""
        if state.improved:
            self.best = [np.array(weight) for weight in model.get_weights()]
        began = time.monotonic()
        if not now and began - self._written < self._cost / self.share:
            return False
        self._write(model, state)
        self._written = time.monotonic()
        self._cost = self._written - began
        return True

    def _write(self, model: keras.Model, state: State) -> None:
        tensors = _variables(model)
        # The best weights are these very ones after an epoch that is the best.
        kept = None if state.improved else self.best
        tensors |= {f"best/{place}": weight for place, weight in enumerate(kept or ())}
        content = generation.pack(Generation(self.identity, state, tensors))
        path = self.folder / f"epoch-{state.epoch:05d}.safetensors"
        try:
            atomic.write(path, content)
        except OSError as error:
            raise UserError(
                f"Cannot write the checkpoint {path}: {error.strerror or error}; free space there, "
                "and the same command goes on from the last one."
            ) from error
        for old in self.generations()[KEPT:]:
            old.unlink(missing_ok=True)

    def generations(self) -> list[Path]:
        """List the generations, the newest first."""
        found = sorted(self.folder.glob("epoch-*.safetensors"), reverse=True)
        return [path for path in found if path.is_file()]

    def restore(self, model: keras.Model) -> State:
        """Load the newest generation that is whole into model and optimiser; else a fresh state."""
        found = self.generations()
        for path in found:
            try:
                return self._load(path, model)
            except DamagedError as error:
                last = path == found[-1]
                then = "the training starts anew" if last else "the one before it is taken"
                print(f"gliozoo: {path} is damaged: {error}; {then}.", file=sys.stderr, flush=True)
        return State()

    def _load(self, path: Path, model: keras.Model) -> State:
        found = generation.read(path)
        self._require_same(path, found.identity)
        best = model.get_weights()
        generation.require_fit(
            found.tensors, _kinds(model), [(w.dtype.name, w.shape) for w in best]
        )
        _assign(model, found.tensors)
        if "best/0" in found.tensors:
            self.best = [found.tensors[f"best/{place}"] for place in range(len(best))]
        else:
            self.best = [np.array(weight) for weight in model.get_weights()]
        return found.state

    def _require_same(self, path: Path, identity: Mapping[str, Any]) -> None:
        for name in {**identity, **self.identity}:
            saved, asked = identity.get(name), self.identity.get(name)
            if saved != asked:
                raise UserError(
                    f"{path} belongs to a run with {name} {saved!r}, and this one has {asked!r}: "
                    "run as before to go on, or start anew with --force."
                )

    def use_best(self, model: keras.Model) -> None:
        """Give the model its best weights."""
        if self.best is not None:
            model.set_weights(self.best)

    def discard(self) -> None:
        """Remove every generation: the run is finished, or starts anew."""
        for path in [*self.generations(), *self.folder.glob(".epoch-*.tmp")]:
            path.unlink(missing_ok=True)


def _all_variables(model: keras.Model) -> list[tuple[str, Any]]:
    groups = {
        "trainable": model.trainable_variables,
        "other": model.non_trainable_variables,  # moving statistics and states of random numbers
        "optimiser": model.optimizer.variables,
    }
    # By place: Keras numbers the names of layers and optimisers anew in every process.
    return [
        (f"{group}/{place}", variable)
        for group, variables in groups.items()
        for place, variable in enumerate(variables)
    ]


def _kinds(model: keras.Model) -> dict[str, tuple[str, tuple[int, ...]]]:
    return {
        name: (keras.backend.standardize_dtype(variable.dtype), tuple(variable.shape))
        for name, variable in _all_variables(model)
    }


def _variables(model: keras.Model) -> Tensors:
    return {
        name: np.array(keras.ops.convert_to_numpy(variable), order="C")
        for name, variable in _all_variables(model)
    }


def _assign(model: keras.Model, tensors: Tensors) -> None:
    for name, variable in _all_variables(model):
        variable.assign(tensors[name])
