"""One phantom patient: a pure function of the cohort's seed, the patient's number and the size."""

from dataclasses import dataclass

import numpy as np

from data_pipeline.errors import UserError
from data_pipeline.phantom.anatomy import build_anatomy
from data_pipeline.phantom.contrast import Scanner, acquire, draw_scanner, weigh
from data_pipeline.phantom.grid import Grid, grid
from data_pipeline.phantom.person import draw_person, head_points
from data_pipeline.phantom.tumour import displace, draw_foci, grow, kind_of

SMALLEST, LARGEST = 16, 512
SLAB_VOXELS = 1 << 18


@dataclass(frozen=True)
class PatientVolume:
    """A whole head in four sequences, slices from the feet up, rows from the face back."""

    image: np.ndarray  # (D, H, W, 4) uint16, in the order of MODALITIES
    labels: np.ndarray  # (D, H, W) uint8: 1 necrotic or solid core, 2 edema, 3 enhancing
    brain: np.ndarray  # (D, H, W) bool: what skull stripping leaves
    spacing: float  # millimetres, in all three directions
    kind: str

    def stripped(self) -> np.ndarray:
        """Return the image as skull stripping leaves it: int16, zero outside the brain."""
        return np.where(self.brain[..., None], self.image, 0).astype(np.int16)

    def shown(self) -> np.ndarray:
        """Return the image in 8 bits, each sequence windowed to its own brightest percent."""
        tops = np.percentile(self.image[::2, ::2, ::2], 99.5, axis=(0, 1, 2))
        return np.clip(np.rint(self.image * (235 / tops)), 0, 255).astype(np.uint8)


def check_size(size: int) -> None:
    """Refuse a size at which a head makes no sense or no computer holds it."""
    if not SMALLEST <= size <= LARGEST:
        raise UserError(f"Expected a phantom size from {SMALLEST} to {LARGEST}. Received: {size}.")


def generate(seed: int, index: int, size: int = 64) -> PatientVolume:
    """Generate patient `index` of cohort `seed` at `size` columns and rows and 0.6 size slices."""
    check_size(size)
    kind, space = kind_of(seed, index), grid(size)
    scanner = draw_scanner(_rng(seed, index, "scanner"))
    parts = [_generate_slab(seed, index, scanner, slab) for slab in space.slabs(SLAB_VOXELS)]
    signals, labels, brain = (np.concatenate(part) for part in zip(*parts, strict=True))
    image = acquire(scanner, signals, _rng(seed, index, "noise"))
    return PatientVolume(
        image, np.where(brain, labels, 0).astype(np.uint8), brain, space.spacing, kind
    )


def _generate_slab(seed: int, index: int, scanner: Scanner, slab: Grid) -> tuple:
    """Work out some slices; every slab draws the same fields again, so that slabs fit together."""
    body, disease = _rng(seed, index, "body"), _rng(seed, index, "disease")
    person, foci = draw_person(body), draw_foci(kind_of(seed, index), disease)
    points = head_points(person, slab, body)
    anatomy = build_anatomy(person, slab, displace(points, foci), _rng(seed, index, "tissue"))
    tumour = grow(foci, slab, points, anatomy, disease)
    signals = weigh(scanner, slab, anatomy.tissues, tumour, _rng(seed, index, "coils"))
    return signals, tumour.labels, anatomy.brain < 1


def _rng(seed: int, index: int, part: str) -> np.random.Generator:
    return np.random.default_rng((seed, index, *part.encode()))
