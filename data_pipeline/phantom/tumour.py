"""Gliomas: foci of necrosis, enhancing rim and infiltrating edema that push the brain aside."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data_pipeline.phantom.anatomy import Anatomy
from data_pipeline.phantom.grid import Grid, smooth_noise
from data_pipeline.phantom.shapes import Points

# What a block of twelve consecutive patients of a cohort has, in an order drawn from its seed.
KINDS = ("none",) + ("ring",) * 5 + ("solid",) + ("low grade",) * 3 + ("multifocal",) * 2
NECROSIS, EDEMA, ENHANCING = 1, 2, 3


@dataclass(frozen=True)
class Focus:
    """One lesion: centre (z, y, x) and sizes in millimetres."""

    centre: tuple[float, float, float]
    stretch: tuple[float, float, float]
    core: float
    rim: float
    edema: float
    enhancing: bool


@dataclass(frozen=True)
class Tumour:
    """Coverages of the lesion's parts, each hiding those before it, and the label of each voxel."""

    edema: np.ndarray
    solid: np.ndarray
    rim: np.ndarray
    necrosis: np.ndarray
    labels: np.ndarray


def kind_of(seed: int, index: int) -> str:
    """Tell what patient `index` of a cohort suffers from."""
    block, place = divmod(index, len(KINDS))
    return KINDS[np.random.default_rng((seed, block, 12)).permutation(len(KINDS))[place]]


def draw_foci(kind: str, rng: np.random.Generator) -> list[Focus]:
    """Draw the lesions of a patient of this kind."""
    count = {"none": 0, "multifocal": 2 + int(rng.random() < 0.4)}.get(kind, 1)
    side = 1 if rng.random() < 0.5 else -1
    foci: list[Focus] = []
    while len(foci) < count:
        focus = _draw_focus(kind, side, rng)
        if all(_apart(focus, other) for other in foci):
            foci.append(focus)
        side = -side if rng.random() < 0.4 else side
    return foci


def _draw_focus(kind: str, side: int, rng: np.random.Generator) -> Focus:
    core = rng.uniform(7, 12) if kind == "multifocal" else rng.uniform(11, 19)
    low_grade = kind == "low grade"
    return Focus(
        centre=(rng.uniform(0, 46), rng.uniform(-58, 44), side * rng.uniform(24, 40)),
        stretch=tuple(np.exp(rng.normal(0, 0.12, 3))),
        core=core * (0.8 if low_grade else 1),
        rim=core if kind == "solid" else rng.uniform(2.5, 5.5),
        edema=rng.uniform(3, 8) if low_grade else rng.uniform(5, 14),
        enhancing=not low_grade,
    )


def _apart(one: Focus, other: Focus) -> bool:
    gap = np.linalg.norm(np.subtract(one.centre, other.centre))
    return bool(gap > 1.2 * (one.core + other.core) + 12)


def displace(points: Points, foci: Sequence[Focus]) -> Points:
    """Push the surrounding brain away from each core, by up to a third of its radius."""
    for focus in foci:
        offsets = [p - np.float32(c) for p, c in zip(points, focus.centre, strict=True)]
        squared = sum(o * o for o in offsets)
        reach = np.float32(focus.core + 0.5 * focus.edema + 8)
        pull = np.float32(0.35) * np.exp(-squared / (reach * reach))
        points = tuple(p - o * pull for p, o in zip(points, offsets, strict=True))
    return points


def grow(
    foci: Sequence[Focus], grid: Grid, points: Points, anatomy: Anatomy, rng: np.random.Generator
) -> Tumour:
    """Grow the lesions; edema follows the white matter and spares cortex and ventricles."""
    far = np.full(grid.shape, np.float32(99))
    edema, core, inner, rimless = far, far, far, far
    lobes, spikes, fine = (smooth_noise(rng, grid, knot) for knot in (24.0, 10.0, 6.0))
    tissue = np.maximum(np.maximum(anatomy.brain, 2.0 - anatomy.ventricles), anatomy.pial)
    cortex = np.clip((anatomy.pial + 4) / 2, 0, 2)
    for focus in foci:
        radius = _radius(focus, points)
        shell = radius - focus.core * (1 + 0.15 * lobes + 0.2 * spikes + 0.08 * fine)
        reach = focus.core + focus.edema * (1 + 0.6 * lobes + 0.4 * spikes)
        edema = np.minimum(edema, np.maximum(radius - reach + 2.5 * cortex, -99))
        core = np.minimum(core, shell)
        if focus.enhancing:
            inner = np.minimum(inner, shell + focus.rim * (1 + 0.45 * fine + 0.25 * lobes))
        else:
            rimless = np.minimum(rimless, shell)
    edema = np.maximum(np.minimum(edema, core), tissue)
    core = np.maximum(core, np.maximum(anatomy.brain + 0.5, -anatomy.ventricles * 0.5 - 3))
    return _paint(grid, edema, core, np.maximum(inner, core), np.maximum(rimless, core))


def _radius(focus: Focus, points: Points) -> np.ndarray:
    offsets = (
        (p - np.float32(c)) / np.float32(s)
        for p, c, s in zip(points, focus.centre, focus.stretch, strict=True)
    )
    radius = np.sqrt(sum(o * o for o in offsets))
    return radius + np.maximum(8 - points[2] * np.sign(focus.centre[2]), 0) * np.float32(2)


def _paint(grid: Grid, edema, core, inner, rimless) -> Tumour:
    parts = {
        "edema": grid.coverage(edema, 3.0),
        "solid": grid.coverage(rimless, 3.0),
        "core": grid.coverage(core),
        "necrosis": grid.coverage(inner),
    }
    rim = np.where(rimless < core + 1e-3, 0, parts["core"])
    labels = np.zeros(grid.shape, np.uint8)
    labels[parts["edema"] > 0.5] = EDEMA
    labels[rim > 0.5] = ENHANCING
    labels[np.maximum(parts["necrosis"], parts["solid"]) > 0.5] = NECROSIS
    return Tumour(parts["edema"], parts["solid"], rim, parts["necrosis"], labels)
