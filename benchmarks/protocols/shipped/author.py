"""How the authors trained: the recipe on a model's card, over the data of another protocol.

Each has a digest of its own and is never ranked with the common protocols. What a card leaves open
or can't be had is the base protocol's: split, size, channels, target, evaluation, and `width`. A
loss for classes becomes its binary form where the target is one channel, with the weights of all
lesions on that channel; a smoothing constant, which counts voxels, shrinks as the slices do.
`author` is the recipe at its full length; `author_PROTOCOL` keeps to the budget of that protocol,
its epochs where the recipe has more, so that both can be set side by side at equal cost.
"""

from dataclasses import replace
from math import prod
from typing import Any

from benchmarks.errors import UserError
from benchmarks.protocols.protocol import Protocol, Training
from benchmarks.protocols.shipped import lgg2d
from data_pipeline import DataSpec
from data_pipeline.augmenting.augmentation import Augmentation
from zoo import Card, Recipe


def protocol_for(model: str, card: Card, base: Protocol | None = None) -> Protocol:
    """Return the author's protocol of a model, by default over `lgg2d`."""
    recipe, budget = card.recipe, base
    base = base or lgg2d.PROTOCOL
    if recipe is None:
        raise UserError(f"The card of {model} has no author's recipe: use a common protocol.")
    if base.data.rank not in card.ranks:
        raise UserError(
            f"{model} takes no inputs of rank {base.data.rank}, which {base.name!r} gives: name "
            "a protocol of its rank as author_PROTOCOL."
        )
    name = f"author_{base.name}" if budget else "author"
    training = _training(base, recipe)
    if budget:
        training = replace(training, epochs=min(recipe.epochs, budget.train.epochs))
    return Protocol(name, _data(base.data, recipe), training, base.evaluate)


def _data(data: DataSpec, recipe: Recipe) -> DataSpec:
    changes: dict[str, Any] = dict(recipe.augmentation)
    if "elastic" in changes:
        changes["elastic"] /= max(recipe.size)
    return replace(
        data,
        normalisation=recipe.normalisation,
        augmentation=Augmentation(**changes) if changes else None,
        batch_size=recipe.batch_size,
        slices=recipe.slices,
    )


def _training(base: Protocol, recipe: Recipe) -> Training:
    return Training(
        loss=recipe.loss,
        loss_settings=_loss_settings(base.data, recipe),
        optimiser=recipe.optimiser,
        learning_rate=recipe.learning_rate,
        schedule="plateau" if recipe.schedule else "constant",
        schedule_settings=dict(recipe.schedule or {}),
        epochs=recipe.epochs,
        early_stopping=recipe.early_stopping,
        clip_norm=None,
        width=base.train.width,
        monitor=recipe.monitor,
    )


def _loss_settings(data: DataSpec, recipe: Recipe) -> dict[str, Any]:
    settings = dict(recipe.loss_settings)
    if "smooth" in settings and recipe.size:
        settings["smooth"] *= prod(data.size) / prod(recipe.size)
    if "class_weights" in settings and data.target == "whole":
        background, *lesions = settings["class_weights"]
        settings["class_weights"] = [background, round(sum(lesions), 12)]
    return settings
