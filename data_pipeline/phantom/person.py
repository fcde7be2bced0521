"""Who a phantom patient is: the numbers in which one healthy head differs from another."""

from dataclasses import dataclass

import numpy as np

from data_pipeline.phantom.grid import Grid, smooth_noise
from data_pipeline.phantom.shapes import Points


@dataclass(frozen=True)
class Person:
    """Size, posture and age of one head."""

    scale: tuple[float, float, float]
    tilt: tuple[float, float, float]
    ventricles: float
    sulci: float
    cortex: float
    skull: float
    scalp: float
    leukoaraiosis: float


def draw_person(rng: np.random.Generator) -> Person:
    """Draw an adult; atrophy widens the ventricles and the sulci together."""
    atrophy = rng.beta(2, 3)
    return Person(
        scale=tuple(rng.uniform(0.93, 1.06, 3)),
        tilt=tuple(np.radians(rng.normal(0, (2.5, 3, 4)))),
        ventricles=0.65 + 0.6 * atrophy + rng.uniform(-0.1, 0.1),
        sulci=0.5 + 1.0 * atrophy,
        cortex=rng.uniform(3.0, 4.0),
        skull=rng.uniform(5.5, 8.0),
        scalp=rng.uniform(4.5, 7.5),
        leukoaraiosis=atrophy * rng.uniform(0, 1),
    )


def head_points(person: Person, grid: Grid, rng: np.random.Generator) -> Points:
    """Map the scanner's grid into the average head's millimetres: posture, size, asymmetry."""
    axes = grid.z[:, None, None], grid.y[None, :, None], grid.x[None, None, :]
    rotation = (_rotations(*person.tilt) / np.array(person.scale)[:, None]).astype(np.float32)
    amplitudes = np.array([1.5, 2.0, 2.0], np.float32)
    return tuple(
        row[0] * axes[0] + row[1] * axes[1] + row[2] * axes[2] + a * smooth_noise(rng, grid, 42.0)
        for row, a in zip(rotation, amplitudes, strict=True)
    )


def _rotations(nod: float, lean: float, turn: float) -> np.ndarray:
    def plane(angle: float, first: int, second: int) -> np.ndarray:
        matrix = np.eye(3)
        matrix[first, first] = matrix[second, second] = np.cos(angle)
        matrix[first, second], matrix[second, first] = -np.sin(angle), np.sin(angle)
        return matrix

    return plane(nod, 0, 1) @ plane(lean, 0, 2) @ plane(turn, 1, 2)
