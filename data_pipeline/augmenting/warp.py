"""One resampling for all spatial changes of a sample, of its image and of its labels alike.

Slices go through OpenCV. So do volumes, slice by slice, as long as they are not tilted or bent:
then rows and columns of every slice move alike, which is ten times as fast as a full 3D warp.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from scipy import ndimage

from data_pipeline.augmenting.motion import Motion
from data_pipeline.errors import UserError
from data_pipeline.storing import encoding

OPENCV_SIDE = 32766  # the longest picture that cv2.remap takes
OUTSIDE = np.float32(-9)
WORDS = {1: np.uint8, 2: np.uint16, 4: np.int32, 8: np.float64}  # by size, of those in OpenCV


def image(voxels: np.ndarray, motion: Motion) -> np.ndarray:
    """Move `(H, W, C)` or `(D, H, W, C)` voxels, interpolating linearly."""
    if motion.affine is None:
        return _flip(voxels, motion.flips)
    return _resample(voxels, motion, linear=True)


def labels(mask: np.ndarray, motion: Motion) -> np.ndarray:
    """Move a mask to a mask: labels are taken from the nearest voxel, never mixed."""
    if motion.affine is None:
        return _flip(mask, motion.flips)
    narrow = _narrow(mask).reshape(*mask.shape[: len(motion.flips)], -1)
    return _resample(narrow, motion, linear=False).reshape(mask.shape).astype(mask.dtype)


def records(
    joined: Sequence[np.ndarray],
    motions: Sequence[Motion | None],
    empty: encoding.Empty = np.empty,
) -> tuple[np.ndarray, np.ndarray]:
    """Move records whose last channel is their label; give all their voxels and their labels."""
    bent = [motion if motion and motion.affine is not None else None for motion in motions]
    if not any(bent):
        return _mirrored(joined, motions, empty)
    flipped = [
        _flip(one, motion.flips) if motion and not warped else one
        for one, motion, warped in zip(joined, motions, bent, strict=True)
    ]
    whole = np.uint8 if joined[0].dtype == np.uint8 else np.float32
    stacked = encoding.contiguous(encoding.stacked(flipped, whole, empty), empty)
    if stacked.shape[-1] in (3, 4):  # which OpenCV warps faster than voxels, then the label
        return _joined(stacked, bent, empty)
    voxels, labels = encoding.parted(stacked, empty)
    for image, label, motion in zip(voxels, labels, bent, strict=True):
        if motion:
            image[...] = _resample(image, motion, linear=True)
            label[...] = _nearest(label, motion)
    return voxels, labels


def _mirrored(
    joined: Sequence[np.ndarray], motions: Sequence[Motion | None], empty: encoding.Empty
) -> tuple[np.ndarray, np.ndarray]:
    """Flip records; their rows once voxels and labels are parted, for OpenCV likes few channels."""
    turned = [
        _turn(one, motion.flips) if motion else one
        for one, motion in zip(joined, motions, strict=True)
    ]
    voxels, labels = encoding.parted(encoding.stacked(turned, empty=empty), empty)
    for image, label, motion in zip(voxels, labels, motions, strict=True):
        if motion and motion.flips[-1]:
            image[...] = _flip_rows(image)
            label[...] = _flip_rows(label[..., None])[..., 0]
    return voxels, labels


def _joined(
    stacked: np.ndarray, motions: Sequence[Motion | None], empty: encoding.Empty
) -> tuple[np.ndarray, np.ndarray]:
    """Move images and labels in one; interpolated and rounded, a mask of 0 and 1 stays one."""
    moved = empty(stacked.shape, stacked.dtype)
    for one, into, motion in zip(stacked, moved, motions, strict=True):
        into[...] = _resample(one, motion, linear=True) if motion else one
    voxels, labels = encoding.parted(moved, empty)
    if labels.dtype != np.uint8:
        np.rint(labels, out=labels)  # cut at one half
    several = encoding.largest_labels(stacked) > 1
    for n, motion in enumerate(motions):
        if motion and several[n]:
            labels[n] = _nearest(encoding.labels(stacked[n], empty), motion)
    return voxels, labels


def _nearest(label: np.ndarray, motion: Motion) -> np.ndarray:
    return _resample(label[..., None], motion, linear=False)[..., 0]


def _flip(array: np.ndarray, flips: Sequence[bool]) -> np.ndarray:
    turned = np.ascontiguousarray(_turn(array, flips))
    if not flips[-1]:
        return turned
    pixels = turned.reshape(*turned.shape[: len(flips)], -1)
    return _flip_rows(pixels).reshape(turned.shape)


def _turn(array: np.ndarray, flips: Sequence[bool]) -> np.ndarray:
    """Flip all but the rows, which costs nothing yet."""
    return array[tuple(slice(None, None, -1 if flipped else 1) for flipped in flips[:-1])]


def _flip_rows(array: np.ndarray) -> np.ndarray:
    """Flip the rows of `(..., W, C)` pixels by OpenCV: eight times as fast as NumPy's strides."""
    words = array.view(WORDS[array.itemsize]).reshape(-1, *array.shape[-2:])
    return cv2.flip(words, 1).view(array.dtype).reshape(array.shape)


def _narrow(mask: np.ndarray) -> np.ndarray:
    if mask.dtype in (np.uint8, np.bool_):
        return mask.view(np.uint8)
    if mask.min(initial=0) < 0 or mask.max(initial=0) > 255:
        raise UserError(
            f"Expected label values from 0 to 255. Received: {mask.min()} to {mask.max()}."
        )
    return mask.astype(np.uint8)


def _resample(voxels: np.ndarray, motion: Motion, linear: bool) -> np.ndarray:
    if len(motion.flips) == 2:
        return _slice(voxels, motion, linear)
    if motion.planar:
        return _planar(voxels, motion, linear)
    return _volume(voxels, motion, linear)


def _slice(voxels: np.ndarray, motion: Motion, linear: bool) -> np.ndarray:
    mode = cv2.INTER_LINEAR if linear else cv2.INTER_NEAREST
    if motion.affine is not None and not motion.elastic:
        return _warp(voxels, motion.affine, mode, motion.repeat)
    rows, columns = motion.coordinates
    warped = cv2.remap(voxels, columns, rows, mode, borderMode=cv2.BORDER_CONSTANT)
    return warped.reshape(voxels.shape)


def _warp(voxels: np.ndarray, affine: np.ndarray, mode: int, repeat: bool) -> np.ndarray:
    # OpenCV counts x before y.
    matrix = affine[::-1][:, [1, 0, 2]]
    height, width = voxels.shape[:2]
    warped = cv2.warpAffine(
        voxels,
        matrix,
        (width, height),
        flags=mode | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE if repeat else cv2.BORDER_CONSTANT,
    )
    return warped.reshape(voxels.shape)


def _planar(voxels: np.ndarray, motion: Motion, linear: bool) -> np.ndarray:
    assert motion.affine is not None
    mode = cv2.INTER_LINEAR if linear else cv2.INTER_NEAREST
    depth = len(voxels)
    in_plane = motion.affine[1:, 1:]
    heights = motion.affine[0, 0] * np.arange(depth) + motion.affine[0, 3]
    below = np.floor(heights + (0 if linear else 0.5)).astype(int)
    wanted = {z for z in (*below, *(below + linear)) if 0 <= z < depth}
    moved = {z: _warp(voxels[z], in_plane, mode, motion.repeat) for z in wanted}
    empty = np.zeros(voxels.shape[1:], voxels.dtype)
    result = np.empty_like(voxels)
    for z, (low, height) in enumerate(zip(below, heights, strict=True)):
        first = moved.get(low, empty)
        part = height - low
        if linear and part > 1e-6:
            cv2.addWeighted(first, 1 - part, moved.get(low + 1, empty), part, 0, result[z])
        else:
            result[z] = first
    return result


def _volume(voxels: np.ndarray, motion: Motion, linear: bool) -> np.ndarray:
    depth, height, width, channels = voxels.shape
    z, y, x = motion.coordinates
    if depth * (height + 1) > OPENCV_SIDE:
        return _large_volume(voxels, [z, y, x], linear)
    # The slices one below the other in one picture, an empty row after each to part them.
    atlas = np.pad(voxels, ((0, 0), (0, 1), (0, 0), (0, 0))).reshape(-1, width, channels)
    mode = cv2.INTER_LINEAR if linear else cv2.INTER_NEAREST
    below = np.floor(z if linear else z + np.float32(0.5))
    y = np.where((y <= -1) | (y >= height), OUTSIDE, y)

    def layer(level: np.ndarray) -> np.ndarray:
        rows = y + level * (height + 1)
        rows[(level < 0) | (level >= depth) | (y == OUTSIDE)] = OUTSIDE
        maps = x.reshape(-1, width), rows.reshape(-1, width)
        moved = cv2.remap(atlas, *maps, mode, borderMode=cv2.BORDER_CONSTANT)
        return moved.reshape(voxels.shape)

    if not linear:
        return layer(below)
    part = (z - below)[..., None]
    moved = layer(below) * (1 - part) + layer(below + 1) * part
    return (np.rint(moved) if voxels.dtype.kind in "iu" else moved).astype(voxels.dtype)


def _large_volume(voxels: np.ndarray, where: list, linear: bool) -> np.ndarray:
    result = np.empty_like(voxels)
    for channel in range(voxels.shape[3]):
        source = voxels[..., channel].astype(np.float32)
        moved = ndimage.map_coordinates(source, where, order=int(linear), mode="grid-constant")
        result[..., channel] = np.rint(moved) if voxels.dtype.kind in "iu" else moved
    return result
