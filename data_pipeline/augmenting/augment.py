"""Random changes of an image together with its mask, repeatable whatever thread makes them."""

from collections.abc import Iterator, Sequence

import numpy as np

from data_pipeline.augmenting import intensity, warp
from data_pipeline.augmenting.augmentation import INTENSITY, Augmentation
from data_pipeline.augmenting.motion import Motion
from data_pipeline.augmenting.moves import Key, Numbers, draw, happens, moves, signed
from data_pipeline.storing.encoding import Empty

SLAB = 3 << 17  # bytes of a volume that are changed together: they and what they become fit a cache


def augment(
    image: np.ndarray, mask: np.ndarray, augmentation: Augmentation, rng_key: Key
) -> tuple[np.ndarray, np.ndarray]:
    """Change `(H, W, C)` or `(D, H, W, C)` voxels and their label mask, the last axis optional.

    Types are kept. Image voxels are interpolated, labels stay a set; what enters from outside is 0,
    or with `as_keras` what stands at the edge.
    """
    if not augmentation:
        return image, mask
    numbers = draw([rng_key])
    (motion,) = moves(augmentation, numbers, image.shape[:-1])
    if motion:
        image, mask = warp.image(image, motion), warp.labels(mask, motion)
    own = _of(numbers, 0)
    return _without(_shade(image, augmentation, own), augmentation, own), mask


def augment_record(
    record: np.ndarray, augmentation: Augmentation, rng_key: Key
) -> tuple[np.ndarray, np.ndarray]:
    """Change one record as `augment_records` changes a batch of them."""
    (voxels,), (label,) = augment_records([record], augmentation, [rng_key])
    return voxels, label


def augment_records(
    records: Sequence[np.ndarray],
    augmentation: Augmentation | None,
    rng_keys: Sequence[Key],
    empty: Empty = np.empty,
) -> tuple[np.ndarray, np.ndarray]:
    """Change `(..., C + 1)` records whose last channel is their label; part them into both.

    uint8 records stay so; others may come back as float32, which is warped faster than int16.
    What can be done to all at once is: each call of OpenCV's or NumPy's gives Python's lock away,
    and for one slice's microseconds the wait to have it back is longer than the work.
    """
    if not augmentation:
        return warp.records(records, [None] * len(records), empty)
    numbers = draw(rng_keys)
    motions = moves(augmentation, numbers, records[0].shape[:-1])
    voxels, labels = warp.records(records, motions, empty)
    shaded = any(getattr(augmentation, name) for name in INTENSITY)
    if shaded and voxels.dtype != np.uint8:
        voxels = voxels.astype(np.float32, copy=False)
    if shaded or augmentation.channel_dropout:
        for n, image in enumerate(voxels):
            own = _of(numbers, n)
            image[...] = _without(_shade(image, augmentation, own), augmentation, own)
    return voxels, labels


def augment_slabs(
    records: Sequence[np.ndarray], augmentation: Augmentation | None, rng_keys: Sequence[Key]
) -> Iterator[tuple[int, slice, np.ndarray, np.ndarray]]:
    """Change volumes as `augment_records` does; where they are but flipped, slab by slab.

    Yields whose each slab is, where it comes to lie, and a batch of one of its voxels and labels.
    """
    if augmentation and not augmentation.flips_alone:
        for n, (record, key) in enumerate(zip(records, rng_keys, strict=True)):
            yield n, slice(None), *augment_records([record], augmentation, [key])
        return
    depth, step = len(records[0]), max(1, SLAB // records[0][0].nbytes)
    motions: Sequence[Motion | None] = [None] * len(records)
    if augmentation:
        motions = moves(augmentation, draw(rng_keys), records[0].shape[:-1])
    for n, (record, motion) in enumerate(zip(records, motions, strict=True)):
        mirrored = motion is not None and motion.flips[0]
        for start in range(0, depth, step):
            stop = min(start + step, depth)
            place = slice(depth - stop, depth - start) if mirrored else slice(start, stop)
            yield n, place, *warp.records([record[start:stop]], [motion])


def _of(numbers: Numbers, sample: int) -> dict[str, float]:
    return {name: float(values[sample]) for name, values in numbers.items()}


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
