"""Signed distances in millimetres to the solids that anatomy is built from; negative inside."""

import numpy as np

Points = tuple[np.ndarray, np.ndarray, np.ndarray]


def ellipsoid(points: Points, centre: tuple, radii: tuple) -> np.ndarray:
    """Approximate the distance to an ellipsoid; centre and radii are (z, y, x)."""
    offsets = [
        (p - np.float32(c)) / np.float32(r) for p, c, r in zip(points, centre, radii, strict=True)
    ]
    inner = np.sqrt(sum(o * o for o in offsets))
    outer = np.sqrt(sum((o / np.float32(r)) ** 2 for o, r in zip(offsets, radii, strict=True)))
    return inner * (inner - 1) / np.maximum(outer, np.float32(1e-6))


def capsule(points: Points, start: tuple, end: tuple, radii: tuple) -> np.ndarray:
    """Return the distance to a segment whose radius runs linearly between two values."""
    axis = np.subtract(end, start).astype(np.float32)
    offsets = [p - np.float32(s) for p, s in zip(points, start, strict=True)]
    along = sum(o * a for o, a in zip(offsets, axis, strict=True)) / np.dot(axis, axis)
    along = np.clip(along, 0, 1)
    gaps = (o - along * a for o, a in zip(offsets, axis, strict=True))
    radius = np.float32(radii[0]) + along * np.float32(radii[1] - radii[0])
    return np.sqrt(sum(g * g for g in gaps)) - radius


def smooth_union(first: np.ndarray, second: np.ndarray, blend: float) -> np.ndarray:
    """Unite two solids with a fillet of about `blend` mm."""
    overlap = np.maximum(blend - np.abs(first - second), 0) / blend
    return np.minimum(first, second) - overlap * overlap * np.float32(blend / 4)
