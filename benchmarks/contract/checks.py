"""The parts of the contract, one function each: nothing where it is kept, else why and what to do.

What a builder itself refuses, such as a source without `build` or logits, is told by `zoo.create`.
"""

import inspect
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

import zoo
from benchmarks.errors import USER_ERRORS, UserError
from zoo import registry, weights

SIDES = {2: (64, 64), 3: (32, 32, 32)}
NARROWEST = 8  # channels of the first level, with which a network can still learn by heart
CLASSES = 4


@dataclass(frozen=True)
class Tried:
    """An architecture in one rank; models are small where it says how to make them so."""

    reference: str
    rank: int

    def create(self, classes: int = 1, channels: int = 3, sides: tuple[int, ...] = ()):
        """Build it."""
        shape = (*(sides or SIDES[self.rank]), channels)
        return zoo.create(self.reference, shape, classes, width=self.width)

    @property
    def width(self) -> float:
        """Return the factor that makes it small."""
        parameters = inspect.signature(registry.builder(self.reference)).parameters
        widths = parameters["widths"].default if "widths" in parameters else ()
        fits = isinstance(widths, tuple | list) and widths and min(widths) > 0
        return min(1.0, NARROWEST / min(widths)) if fits else 1.0

    def image(self, channels: int = 3) -> np.ndarray:
        """Return two images of noise."""
        shape = (2, *SIDES[self.rank], channels)
        return np.random.default_rng(1).normal(size=shape).astype("float32")


def ranks(reference: str) -> tuple[int, ...]:
    """Return the ranks to try: those of its card; without one, what it builds of slices first."""
    found = registry.outside(reference)
    if found is None or found.card.references or found.card.ranks != (2, 3):
        return registry.card(reference).ranks
    try:
        Tried(reference, 2).create()
    except USER_ERRORS as error:
        try:
            Tried(reference, 3).create()
        except USER_ERRORS:
            raise error from None
        return (3,)
    return (2,)


def run(tried: Tried) -> Iterator[tuple[str, str | None]]:
    """Give each part of the contract with what is wrong, until one makes the next pointless."""
    for name, part in PARTS.items():
        try:
            part(tried)
        except USER_ERRORS as error:
            yield name, str(error)
            if part is probabilities:
                return
        else:
            yield name, None


def probabilities(tried: Tried) -> None:
    """One sigmoid channel of the image's size."""
    tried.create()


def classes(tried: Tried) -> None:
    """A softmax that sums to one, and images of one channel."""
    tried.create(CLASSES, channels=1)


def odd_sides(tried: Tried) -> None:
    """A side that does not fit its depth is refused in words, or it fits."""
    sides = tuple(side + 1 for side in SIDES[tried.rank])
    try:
        tried.create(sides=sides)
    except USER_ERRORS as error:
        cause = error.__cause__
        if cause is None or isinstance(cause, ValueError):
            return
        raise UserError(
            f"for sides of {sides} it raises {type(cause).__name__}; raise a ValueError that says "
            "what they must be divisible by, as zoo.blocks.ends.entry does."
        ) from error


def mixed_precision(tried: Tried) -> None:
    """Float32 answers where the layers compute in bfloat16."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        tried.create()
    finally:
        keras.config.set_dtype_policy("float32")


def same_seed(tried: Tried) -> None:
    """Weights that follow from Keras' seed alone."""
    digests = []
    for _ in range(2):
        keras.utils.set_random_seed(7)
        digests.append(weights.digest(tried.create()))
    if digests[0] != digests[1]:
        raise UserError(
            "two models of one seed begin with different weights; draw every weight by an "
            "initialiser of Keras, which keras.utils.set_random_seed settles."
        )


def saved(tried: Tried) -> None:
    """A model that is restored from its weights answers as it did."""
    keras.utils.set_random_seed(7)
    model = tried.create()
    before = _answer(model, tried)
    with tempfile.TemporaryDirectory(prefix="gliozoo-") as folder:
        path = Path(folder) / "weights.safetensors"
        weights.save(model, path)
        keras.utils.set_random_seed(8)
        outside = registry.outside(tried.reference)
        again = weights.restore(path, tried.reference if outside else None)
    if not np.allclose(before, _answer(again, tried), atol=1e-5):
        raise UserError(
            "restored from its weights it answers otherwise; keep all that it computes with in "
            "weights of its layers, and build it the same way each time."
        )


def _answer(model: keras.Model, tried: Tried) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(tried.image(), training=False))


PARTS: dict[str, Callable[[Tried], None]] = {
    "answers probabilities of the image's size": probabilities,
    "answers several classes, of grey images too": classes,
    "takes sides that do not fit, or refuses them": odd_sides,
    "answers in float32 where it computes in bfloat16": mixed_precision,
    "begins alike with one seed": same_seed,
    "is saved and loaded": saved,
}
