"""Random changes of an image together with its mask, repeatable whatever thread makes them."""

import numpy as np

from data_pipeline.augmenting import intensity, warp
from data_pipeline.augmenting.augmentation import INTENSITY, Augmentation
from data_pipeline.augmenting.moves import Key, draw, happens, move, signed
from data_pipeline.storing import encoding


def augment(
    image: np.ndarray, mask: np.ndarray, augmentation: Augmentation, rng_key: Key
) -> tuple[np.ndarray, np.ndarray]:
    """Change `(H, W, C)` or `(D, H, W, C)` voxels and their label mask, the last axis optional.

    Types are kept. Image voxels are interpolated, labels stay a set; what enters from outside is 0,
    or with `as_keras` what stands at the edge.
    """
    if not augmentation:
        return image, mask
    numbers = draw(rng_key)
    motion = move(augmentation, numbers, image.shape[:-1])
    if motion:
        image, mask = warp.image(image, motion), warp.labels(mask, motion)
    return _without(_shade(image, augmentation, numbers), augmentation, numbers), mask


def augment_record(
    record: np.ndarray, augmentation: Augmentation, rng_key: Key
) -> tuple[np.ndarray, np.ndarray]:
    """Change a `(..., C + 1)` record whose last channel is its label; part it into both.

    A uint8 record stays one; any other may come back as float32, which is warped faster than int16.
    """
    numbers = draw(rng_key)
    motion = move(augmentation, numbers, record.shape[:-1])
    voxels, label = warp.record(record, motion) if motion else encoding.parted(record)
    if voxels.dtype != np.uint8 and any(getattr(augmentation, name) for name in INTENSITY):
        voxels = voxels.astype(np.float32, copy=False)
    return _without(_shade(voxels, augmentation, numbers), augmentation, numbers), label


def _shade(image: np.ndarray, a: Augmentation, numbers: dict[str, float]) -> np.ndarray:
    happening = [name for name in INTENSITY if happens(a, name, numbers)]
    if not happening:
        return image
    change = intensity.Change(
        gamma=np.exp(signed(numbers["gamma_value"]) * a.gamma) if "gamma" in happening else 1.0,
        contrast=1 + signed(numbers["contrast_value"]) * a.contrast * ("contrast" in happening),
        noise=numbers["noise_value"] * a.noise * ("noise" in happening),
        bias=numbers["bias_value"] * a.bias_field * ("bias_field" in happening),
        seeds=(int(numbers["noise_seed"] * 2**32), int(numbers["bias_seed"] * 2**32)),
    )
    return intensity.apply(image, change)


def _without(image: np.ndarray, a: Augmentation, numbers: dict[str, float]) -> np.ndarray:
    """Leave out channels, each by chance; where all would go, one that chance names stays."""
    if not a.channel_dropout:
        return image
    chance = np.random.Generator(np.random.Philox(key=int(numbers["channel_seed"] * 2**32)))
    gone = np.less(chance.random(image.shape[-1]), a.channel_dropout)
    if gone.all():
        gone[chance.integers(len(gone))] = False
    if gone.any():
        image = image.copy()
        image[..., gone] = 0
    return image
