"""Focal losses on probabilities, `(samples, voxels, channels)` in, a value a sample out."""

import keras
from keras import ops

EPSILON = 1e-7


def focal(y, p, gamma: float = 2.0, alpha: float | None = None, exclusive: bool = False):
    """Return the focal loss (Lin et al. 2017, eq. 4 and 5), by the focal-loss package if it runs.

    Its `pos_weight` weighs positives alone: alpha / (1 - alpha) of it, times 1 - alpha, is eq. 5.
    """
    if exclusive:
        return categorical_focal(y, p, gamma, alpha, exclusive)
    if keras.config.backend() == "tensorflow":
        from focal_loss import binary_focal_loss

        ratio = None if alpha is None else alpha / (1 - alpha)
        scale = 1.0 if alpha is None else 1 - alpha
        return scale * ops.mean(binary_focal_loss(y, p, gamma, pos_weight=ratio), axis=(1, 2))
    return keras_focal(y, p, gamma, alpha)


def keras_focal(y, p, gamma: float = 2.0, alpha: float | None = None):
    """Return Keras' own binary focal loss, which takes the package's place without TensorFlow."""
    balanced = {} if alpha is None else {"apply_class_balancing": True, "alpha": alpha}
    return ops.mean(keras.losses.binary_focal_crossentropy(y, p, gamma=gamma, **balanced), axis=1)


def categorical_focal(
    y, p, gamma: float = 2.0, alpha: float | None = None, exclusive: bool = False
):
    """Return the focal loss of softmax classes, `alpha` the same for each.

    A channel that is none of several classes counts as two, with and without.
    """
    p = ops.clip(p, EPSILON, 1 - EPSILON)
    entropy = -y * ops.log(p) * ops.power(1 - p, gamma)
    if not exclusive:
        entropy -= (1 - y) * ops.log(1 - p) * ops.power(p, gamma)
    total = ops.sum(entropy, axis=2) if exclusive else ops.mean(entropy, axis=2)
    return ops.mean(total, axis=1) * (1.0 if alpha is None else alpha)
