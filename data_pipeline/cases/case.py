"""One examined scan on disk (`Case`), its voxels in memory (`Volume`), and a set of them.

Axes are decided here, once, for the whole project. A volume is `(D, H, W, C)`: axial slices from
the feet to the head, rows from the face to the back, columns from the patient's right to the left
(radiological; NIfTI calls it LPS with the axes reversed). A BraTS file lies that way already, so
its `(X, Y, Z)` array is only transposed. Files stored otherwise are flipped and permuted, never
resampled, and `Volume.to_file` undoes it exactly, so that a prediction can be written on the
input's own grid with the input's own affine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from data_pipeline.errors import UserError

PASSES = 4  # arrays that a slice is in at once: read, stacked, with its mask, compared
Form = Literal["volumes", "stack", "slices"]
Labels = Mapping[str, int]
Regions = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Case:
    """Where one scan lies: its files, what they hold, and how its label values are to be read.

    `form` says what `images` are: a NIfTI file for each channel (`volumes`), one 4D NIfTI file
    with the channels in order (`stack`), or an image file for each slice (`slices`).
    """

    patient: str  # the unit that a split must not divide
    name: str
    form: Form
    channels: tuple[str, ...]
    images: tuple[Path, ...]
    masks: tuple[Path, ...]  # as many as slices, or one file; none: a scan to predict
    values: Mapping[int, int]  # label value in the file -> the project's value
    remedy: str = ""  # what to do about a label value that is not in `values`
    notes: tuple[str, ...] = ()
    problem: str | None = None  # why it can't be read, known from its file names alone
    spacing: tuple[float, float, float] | None = None  # mm of (D, H, W) where its files state none


@dataclass(frozen=True)
class Dataset:
    """What a source found under a folder."""

    layout: str
    root: Path
    cases: tuple[Case, ...]
    channels: tuple[str, ...]
    labels: Labels  # name -> the project's value
    regions: Regions  # name -> the values that it unites
    version: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Volume:
    """The voxels of one case, in the axes that this module's first lines describe."""

    image: np.ndarray  # (D, H, W, C): uint8, int16 or float32
    channels: tuple[str, ...]
    label: np.ndarray | None  # (D, H, W) uint8, in the project's values
    affine: np.ndarray  # 4 x 4 of the FILE's (X, Y, Z) grid, to RAS+ millimetres
    spacing: tuple[float, float, float]  # of (D, H, W); 1, 1, 1 where the file states none
    in_mm: bool  # whether `spacing` is in millimetres or only counts voxels
    orientation: np.ndarray | None = None  # nibabel's, of the file's axes; None: not stated
    sha256: Mapping[str, str] = field(default_factory=dict)  # of each file's bytes, by `file_key`
    warnings: tuple[str, ...] = ()

    def split(self) -> list["Volume"]:
        """Give a volume for each channel; all look at the same voxels."""
        return [
            replace(self, image=self.image[..., place : place + 1], channels=(name,))
            for place, name in enumerate(self.channels)
        ]

    def to_file(self, array: np.ndarray) -> np.ndarray:
        """Put a `(D, H, W)` array back on the file's own `(X, Y, Z)` grid."""
        from data_pipeline.formats import affine

        return affine.from_lps(array.transpose(2, 1, 0), self.orientation)

    def spacing_mm(self, name: str) -> tuple[float, float, float]:
        """Give the spacing in millimetres, or refuse where the file does not state it."""
        if self.in_mm:
            return self.spacing
        raise UserError(
            f"{name}: its files state no voxel size, but millimetres are needed here; write the "
            "true pixdim and sform into the header, or ask for results in voxels."
        )


def file_key(path: Path) -> str:
    """Name a file within its case: MSD's image and label differ by their folder alone."""
    return f"{path.parent.name}/{path.name}"


def bytes_to_read(case: Case) -> int:
    """Estimate what reading a case takes at most, from its files' headers."""
    from data_pipeline.formats import nifti, raster

    if case.problem or not case.images:
        return 0
    if case.form == "slices":  # all of one size, or they are refused
        return PASSES * len(case.images) * raster.announced_bytes(case.images[0])
    return sum(nifti.announced_bytes(path) for path in (*case.images, *case.masks))
