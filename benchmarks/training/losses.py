"""Losses on probabilities: one float32 value per SAMPLE, right for empty masks.

`create("bce+dice", {}, exclusive=False)` adds losses by their names. Targets and predictions are
`(batch, ..., channels)`: one sigmoid channel, several that may overlap, or (`exclusive`) softmax
classes with the background first. `keras.losses.Dice` pools over the batch, so that a sample's loss
depends on its neighbours, and calls two empty masks a total failure; these do neither, unless the
setting `pool` is "batch": then the voxels of a batch are one sample, as in code that flattens it.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from keras import ops

from benchmarks.errors import UserError
from benchmarks.protocols import own_source
from benchmarks.training.focal import EPSILON, categorical_focal, focal
from zoo.registry import choose

Loss = Callable[[Any, Any], Any]
POOLS = ("sample", "batch")


def create(name: str, settings: Mapping[str, Any] | None = None, exclusive: bool = False) -> Loss:
    """Return the loss of this name, or the sum of several joined by `+`; settings go by keyword."""
    parts = [_part(part.strip()) for part in name.split("+")]
    settings = dict(settings or {})
    pool = choose(settings.pop("pool", "sample"), POOLS, "pool of a loss")
    known = {key for part in parts for key in inspect.signature(part).parameters}
    for key in settings:
        choose(key, known - {"y", "p", "exclusive"}, f"setting of the loss {name!r}")

    def loss(y_true, y_pred):
        y, p = _flat(y_true, pool), _flat(y_pred, pool)
        return sum(
            part(y, p, **_accepted(part, {**settings, "exclusive": exclusive})) for part in parts
        )

    loss.__name__ = "loss"
    return loss


def _part(name: str) -> Callable:
    """Return a loss of this module, or one in a file of the user's, such as `./losses.py:mine`."""
    if own_source.is_one(name):
        return own_source.load(name)
    return LOSSES[choose(name, LOSSES, "loss")]


def _accepted(part: Callable, settings: dict[str, Any]) -> dict[str, Any]:
    known = inspect.signature(part).parameters
    return {key: value for key, value in settings.items() if key in known}


def _flat(tensor, pool: str):
    """Return `(samples, voxels, channels)` in float32, whatever the precision policy."""
    tensor = ops.cast(tensor, "float32")
    samples = 1 if pool == "batch" else ops.shape(tensor)[0]
    return ops.reshape(tensor, (samples, -1, tensor.shape[-1]))


def bce(y, p):
    """Return the binary cross-entropy, each channel by itself."""
    p = ops.clip(p, EPSILON, 1 - EPSILON)
    return -ops.mean(y * ops.log(p) + (1 - y) * ops.log(1 - p), axis=(1, 2))


def categorical_crossentropy(y, p, exclusive: bool = False):
    """Return the cross-entropy of softmax classes; of channels that are none, the binary one."""
    if not exclusive:
        return bce(y, p)
    return -ops.mean(ops.sum(y * ops.log(ops.maximum(p, EPSILON)), axis=2), axis=1)


def dice(y, p, smooth: float = 1.0, exclusive: bool = False):
    """Return 1 - soft Dice, the mean over the channels but the background."""
    y, p = _foreground(y, p, exclusive)
    return ops.mean(_dice(y, p, smooth), axis=1)


def weighted_dice(y, p, class_weights: tuple[float, ...] | None = None, smooth: float = 1.0):
    """Return 1 - soft Dice, the mean over all channels by these weights, the background's first.

    Two weights for one channel are those of its background and of itself.
    """
    if p.shape[-1] == 1 and class_weights is not None and len(class_weights) == 2:
        y, p = (ops.concatenate([1 - channel, channel], axis=2) for channel in (y, p))
    weights = [1.0] * p.shape[-1] if class_weights is None else list(class_weights)
    if len(weights) != p.shape[-1]:
        raise UserError(
            f"Expected {p.shape[-1]} class_weights, one for each channel of the model. "
            f"Received: {weights}."
        )
    weighted = _dice(y, p, smooth) * ops.convert_to_tensor(weights, "float32")
    return ops.sum(weighted, axis=1) / sum(weights)


def tversky(
    y, p, alpha: float = 0.3, beta: float = 0.7, smooth: float = 1.0, exclusive: bool = False
):
    """Return 1 - Tversky index (Salehi et al. 2017); `alpha` weighs false positives."""
    y, p = _foreground(y, p, exclusive)
    tp, fp, fn = _sums(y * p), _sums((1 - y) * p), _sums(y * (1 - p))
    return ops.mean(1 - (tp + smooth) / (tp + alpha * fp + beta * fn + smooth), axis=1)


def iou(y, p, smooth: float = 1.0, exclusive: bool = False):
    """Return 1 - soft intersection over union, the mean over the channels but the background."""
    y, p = _foreground(y, p, exclusive)
    overlap = _sums(y * p)
    union = _sums(y) + _sums(p) - overlap
    return ops.mean(1 - (overlap + smooth) / (union + smooth), axis=1)


def _dice(y, p, smooth):
    return 1 - (2 * _sums(y * p) + smooth) / (_sums(y) + _sums(p) + smooth)


def _sums(tensor):
    """Sum over the voxels of each sample: `(batch, channels)`."""
    return ops.sum(tensor, axis=1)


def _foreground(y, p, exclusive: bool):
    return (y[..., 1:], p[..., 1:]) if exclusive else (y, p)


LOSSES: Mapping[str, Callable] = {
    "bce": bce,
    "categorical_crossentropy": categorical_crossentropy,
    "focal": focal,
    "categorical_focal": categorical_focal,
    "dice": dice,
    "weighted_dice": weighted_dice,
    "tversky": tversky,
    "iou": iou,
}
