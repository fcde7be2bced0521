"""A healthy head as tissue fractions: folded cortex, white matter, ventricles, skull, scalp."""

from dataclasses import dataclass

import numpy as np

from data_pipeline.phantom.grid import Grid, noise_at, smooth_noise
from data_pipeline.phantom.person import Person
from data_pipeline.phantom.shapes import Points, capsule, ellipsoid, smooth_union

# Later tissues lie over earlier ones: each is a coverage in [0, 1] that hides what it covers.
Tissues = dict[str, np.ndarray]


@dataclass(frozen=True)
class Anatomy:
    """Tissue coverages in painting order and the distances that pathology needs, in mm."""

    tissues: Tissues
    brain: np.ndarray
    pial: np.ndarray
    ventricles: np.ndarray


def build_anatomy(person: Person, grid: Grid, points: Points, rng: np.random.Generator) -> Anatomy:
    """Lay out the tissues of one head at `points`, the head coordinates of each voxel."""
    hull, cerebrum, hindbrain = *_cerebrum(points), _hindbrain(points)
    brain = np.minimum(cerebrum, hindbrain)
    cranial = smooth_union(cerebrum, hindbrain, 14.0) - np.float32(2.0)
    ventricles = _ventricles(points, person)
    sheets = _folds(grid, points, hull, rng)
    np.minimum(sheets, _midline(points), out=sheets)
    np.minimum(sheets, _sylvian(grid, points, rng), out=sheets)
    np.minimum(sheets, _folia(points, hindbrain, cerebrum), out=sheets)
    pial = np.maximum(brain, np.float32(person.sulci) - sheets)
    tissues = _outside(person, grid, points, cranial, rng)
    tissues["csf"] = grid.coverage(cranial)
    tissues["grey"] = grid.coverage(np.maximum(pial, brain))
    tissues["white"] = grid.coverage(pial + np.float32(person.cortex), 1.5)
    tissues |= _deep(person, grid, points, ventricles, rng)
    return Anatomy(tissues, brain, pial, ventricles)


def _cerebrum(points: Points) -> tuple[np.ndarray, np.ndarray]:
    """Return the hull that the cortex folds in from, and the part of it above the skull base."""
    z, y, x = points
    dome = ellipsoid(points, (8, -8, 0), (62, 84, 66))
    base = -14 - z - np.float32(0.12) * np.maximum(-y - 30, 0)
    temporal = ellipsoid((z, y, np.abs(x)), (-17, -2, 43), (19, 40, 20))
    hull = smooth_union(dome, temporal, 6.0)
    return hull, smooth_union(np.maximum(dome, base), temporal, 6.0)


def _hindbrain(points: Points) -> np.ndarray:
    z, y, x = points
    mirrored = (z, y, np.abs(x))
    cerebellum = ellipsoid(mirrored, (-33, -54, 22), (19, 27, 30))
    stem = capsule(points, (-4, -16, 0), (-70, -34, 0), (14.0, 9.0))
    return smooth_union(cerebellum, stem, 5.0)


def _folds(grid: Grid, points: Points, hull: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the distance to the sulci: sheets of noise extruded inward from the surface."""
    distance = np.full(hull.shape, np.float32(50))
    near = (hull < 3) & (hull > -28)
    wobble = (np.float32(2.5) * smooth_noise(rng, grid, 11.0)[near] for _ in range(3))
    z, y, x = (p[near] + w for p, w in zip(points, wobble, strict=True))
    # Each hemisphere folds towards its own core, so that sulci meet its surface at right angles.
    offsets = np.stack([(z - 6) / 60, (y + 6) / 84, 0.7 * x / 46])
    directions = 70 * offsets / np.sqrt((offsets**2).sum(0))
    directions[2] += np.where(x > 0, np.float32(40), np.float32(-40))
    sheet = np.abs(noise_at(rng, directions, 7.5, 120.0)) * np.float32(5.2)
    depth = np.float32(13) + 5 * noise_at(rng, directions, 18.0, 120.0)
    distance[near] = np.hypot(sheet, np.maximum(-hull[near] - depth, 0))
    return distance


def _midline(points: Points) -> np.ndarray:
    z, y, x = points
    callosum = ellipsoid((z, y, 0 * x), (2, -8, 0), (25, 42, 1e3))
    return np.hypot(x, np.maximum(-callosum, 0)) - np.float32(0.4)


def _sylvian(grid: Grid, points: Points, rng: np.random.Generator) -> np.ndarray:
    """Return the distance to the cleft above each temporal lobe and to the insula at its end."""
    z, y, x = points
    side = np.abs(x) + 2 * smooth_noise(rng, grid, 14.0)
    height = z - (np.float32(0) - np.float32(0.45) * (y - 2)) + 4 * smooth_noise(rng, grid, 17.0)
    along = np.maximum(np.abs(y - 2) - 22, 0)
    fissure = np.sqrt(height**2 + np.maximum(38 - side, 0) ** 2 + along**2)
    insula = np.sqrt((side - 38) ** 2 + np.maximum(np.abs(height) - 9, 0) ** 2 + along**2)
    return np.minimum(fissure, insula) - np.float32(0.6)


def _folia(points: Points, hindbrain: np.ndarray, cerebrum: np.ndarray) -> np.ndarray:
    """Return the distance to the cerebellum's fissures: onion shells about the brain stem."""
    z, y, x = points
    radius = np.sqrt((z + 20) ** 2 + (y + 30) ** 2 + 0.3 * x * x)
    sheet = np.abs((radius / 6.0) % 1 - 0.5) * 6 + 0.6
    sheet = np.hypot(sheet, np.maximum(-hindbrain - 9, 0))
    return np.where((hindbrain < cerebrum) & (y < -32), sheet, np.float32(50))


def _ventricles(points: Points, person: Person) -> np.ndarray:
    z, y, x = points
    mirrored = (z, y, np.abs(x))
    k = person.ventricles
    horns = capsule(mirrored, (6, 31, 11), (15, 17, 8.5), (3.5 * k, 6 * k))
    for start, end, radii in (
        ((15, 17, 8.5), (20, -12, 10), (6 * k, 5.5 * k)),
        ((20, -12, 10), (12, -38, 21), (5.5 * k, 7.5 * k)),
        ((12, -38, 21), (6, -60, 23), (7.5 * k, 2.5 * k)),
        ((12, -38, 21), (-14, -20, 34), (5.5 * k, 2.8 * k)),
        ((-14, -20, 34), (-18, 0, 31), (2.8 * k, 2.0 * k)),
    ):
        horns = np.minimum(horns, capsule(mirrored, start, end, radii))
    horns = np.maximum(horns, np.float32(0.9) - mirrored[2])
    third = ellipsoid(points, (0, -6, 0), (10, 15, 2.6 * k))
    fourth = ellipsoid(points, (-31, -41, 0), (9, 5, 7 * k))
    return np.minimum(horns, np.minimum(third, fourth))


def _deep(person, grid, points, ventricles, rng) -> Tissues:
    z, y, x = points
    mirrored = (z, y, np.abs(x))
    nuclei = ellipsoid(mirrored, (6, -14, 11), (9, 14, 9))
    nuclei = np.minimum(nuclei, ellipsoid(mirrored, (12, 18, 14), (12, 11, 5.5)))
    nuclei = np.minimum(nuclei, ellipsoid(mirrored, (3, 4, 26), (10, 17, 6.5)))
    patches = smooth_noise(rng, grid, 9.0)
    rim = ventricles - np.float32(1 + 3.5 * person.leukoaraiosis) * (1 + 0.8 * patches)
    spots = (np.float32(3.4 - 0.9 * person.leukoaraiosis) - patches) * 4
    white = grid.coverage(np.maximum(ventricles - 26, 5 - ventricles), 4.0)
    lesions = np.maximum(grid.coverage(rim, 3.0), grid.coverage(spots, 2.0) * white)
    plexus = ellipsoid(mirrored, (12, -37, 20), (3, 6, 2.5))
    return {
        "nuclei": grid.coverage(nuclei, 2.5),
        "gliosis": lesions * np.float32(0.35 + 0.65 * person.leukoaraiosis),
        "ventricle": grid.coverage(ventricles),
        "vessel": grid.coverage(plexus),
    }


def _outside(person, grid, points, cranial, rng) -> Tissues:
    z, y, x = points
    width, length = np.float32(78), np.float32(99)
    head = ellipsoid((np.maximum(z, 6), y, x), (6, -6, 0), (76, length, width))
    mottle = smooth_noise(rng, grid, 7.0)
    eyes = ellipsoid((z, y, np.abs(x)), (-24, 68, 32), (12, 12, 12))
    sinus = ellipsoid(points, (-34, 72, 0), (22, 20, 13))
    sinus = np.minimum(sinus, ellipsoid((z, y, np.abs(x)), (-42, -18, 58), (9, 12, 9)))
    fat = np.maximum(head, -head - np.float32(person.scalp))
    marrow = np.maximum(np.abs(cranial - person.skull / 2 - 1) - 0.8, head + person.scalp + 1)
    face = np.maximum(head, np.float32(person.skull) - cranial)
    return {
        "muscle": grid.coverage(face) * np.clip(0.75 + 0.25 * mottle, 0, 1),
        "fat": np.maximum(grid.coverage(fat), grid.coverage(eyes - 5) * grid.coverage(head)),
        "marrow": grid.coverage(marrow) * np.float32(0.6),
        "eye": grid.coverage(eyes),
        "air": grid.coverage(np.maximum(sinus, head + 4)),
    }
