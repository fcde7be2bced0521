"""From tissue fractions to what a scanner shows: weightings, coil shading, Rician noise."""

from dataclasses import dataclass

import numpy as np

from data_pipeline.phantom.anatomy import Tissues
from data_pipeline.phantom.grid import Grid, smooth_noise
from data_pipeline.phantom.tumour import Tumour

MODALITIES = ("flair", "t1", "t1ce", "t2")
# Signal of each tissue by modality; white matter on T1 at 1.5 T is about 0.7 of fat.
SIGNALS: dict[str, tuple[float, float, float, float]] = {
    "muscle": (0.28, 0.34, 0.42, 0.22),
    "fat": (0.62, 0.98, 0.98, 0.72),
    "marrow": (0.22, 0.42, 0.45, 0.26),
    "eye": (0.12, 0.16, 0.18, 0.98),
    "air": (0.02, 0.02, 0.02, 0.02),
    "csf": (0.13, 0.17, 0.18, 0.95),
    "grey": (0.53, 0.40, 0.43, 0.59),
    "white": (0.40, 0.62, 0.64, 0.38),
    "nuclei": (0.46, 0.51, 0.54, 0.47),
    "gliosis": (0.68, 0.50, 0.52, 0.68),
    "ventricle": (0.10, 0.16, 0.17, 0.98),
    "vessel": (0.40, 0.38, 0.92, 0.55),
    "edema": (0.74, 0.45, 0.47, 0.78),
    "solid": (0.76, 0.40, 0.43, 0.80),
    "rim": (0.66, 0.48, 0.94, 0.62),
    "necrosis": (0.42, 0.27, 0.29, 0.88),
}
BRIGHTNESS = 1000  # of the unit of signal, in the scanner's integers


@dataclass(frozen=True)
class Scanner:
    """What one examination's settings change."""

    noise: float
    shading: float
    gain: tuple[float, ...]
    edema: float
    necrosis: float
    uptake: float


def draw_scanner(rng: np.random.Generator) -> Scanner:
    """Draw the settings of one examination, and how strongly the lesion stands out."""
    return Scanner(
        noise=rng.uniform(0.012, 0.028),
        shading=rng.uniform(0.05, 0.16),
        gain=tuple(np.exp(rng.normal(0, 0.15, 4))),
        edema=rng.uniform(0.5, 1.0),
        necrosis=rng.uniform(0.5, 1.6),
        uptake=rng.uniform(0.7, 1.0),
    )


def weigh(
    scanner: Scanner, grid: Grid, tissues: Tissues, tumour: Tumour, rng: np.random.Generator
) -> np.ndarray:
    """Return the noiseless signal (D, H, W, 4) of the four sequences, as the coils see it."""
    lesion = {name: getattr(tumour, name) for name in ("edema", "solid", "rim", "necrosis")}
    texture = 1 + np.float32(0.035) * smooth_noise(rng, grid, 5.0)
    signals = np.empty((*grid.shape, len(MODALITIES)), np.float32)
    for channel in range(len(MODALITIES)):
        signal = np.zeros(grid.shape, np.float32)
        for name, cover in (tissues | lesion).items():
            signal += cover * (np.float32(_signal(name, channel, scanner)) - signal)
        shading = np.float32(scanner.shading) * smooth_noise(rng, grid, 75.0)
        signals[..., channel] = signal * texture * (1 + shading)
    return signals


def acquire(scanner: Scanner, signals: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the sequences as a magnitude image: Rician noise, gains, uint16."""
    image = np.empty(signals.shape, np.uint16)
    for clean, shown in zip(signals, image, strict=True):
        real, imaginary = rng.standard_normal((2, *clean.shape), dtype=np.float32)
        real = clean + real * np.float32(scanner.noise)
        imaginary *= np.float32(scanner.noise)
        magnitude = np.sqrt(real * real + imaginary * imaginary)
        scaled = magnitude * np.array(scanner.gain, np.float32) * BRIGHTNESS
        shown[:] = np.clip(np.rint(scaled), 1, 32767)
    return image


def _signal(name: str, channel: int, scanner: Scanner) -> float:
    value, white = SIGNALS[name][channel], SIGNALS["white"][channel]
    if name in ("edema", "solid"):
        return white + (value - white) * scanner.edema
    if name == "necrosis" and channel == 0:
        return value * scanner.necrosis
    if name == "rim" and channel == 2:
        return value * scanner.uptake
    return value
