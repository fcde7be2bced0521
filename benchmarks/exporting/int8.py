"""Eight bits for weights and activations by onnxruntime, judged by masks and not by hope."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.errors import UserError
from benchmarks.exporting.parity import Network
from benchmarks.machine import optional_packages
from benchmarks.predicting.trained_network import Trained
from data_pipeline.cases.case import Case
from data_pipeline.scans import predicted_scan

SAMPLES = 48
LEAST = 0.95  # Dice of the masks with the source's own, over the samples


def samples(trained: Trained, cases: list[Case]) -> np.ndarray:
    """Return slices or windows that hold something, spread over all scans."""
    found: list[np.ndarray] = []
    each = max(1, SAMPLES // max(1, len(cases)))
    for case in cases[:SAMPLES]:
        _, voxels = predicted_scan.read(case, trained.preparation, trained.value_range)
        found += parts(np.asarray(voxels), trained.spec.size, each)
    if not found:
        raise UserError("Expected --calibrate with scans to measure ranges on. Received: none.")
    return np.stack(found[:SAMPLES])


def parts(images: np.ndarray, size: tuple[int, ...], count: int) -> list[np.ndarray]:
    """Return slices of a scan that hold something, or the window in its middle."""
    if len(size) == 2:
        filled = np.flatnonzero(images.any(axis=(1, 2, 3)))
        chosen = filled[np.linspace(0, len(filled) - 1, min(count, len(filled))).astype(int)]
        return [images[place] for place in dict.fromkeys(chosen)]
    starts = [(side - least) // 2 for side, least in zip(images.shape, size, strict=False)]
    box = tuple(slice(at, at + side) for at, side in zip(starts, size, strict=True))
    return [images[box]]


def quantise(path: Path, calibration: np.ndarray) -> None:
    """Rewrite an ONNX file with eight bits, ranges measured on samples."""
    tool = optional_packages.require("onnxruntime.quantization", "--int8", "export")
    import onnxruntime

    name = onnxruntime.InferenceSession(str(path)).get_inputs()[0].name

    class Reader(tool.CalibrationDataReader):  # type: ignore[name-defined]
        def __init__(self) -> None:
            self._left: Iterator[dict[str, Any]] = iter([{name: one[None]} for one in calibration])

        def get_next(self):
            return next(self._left, None)

    aside = path.with_name(f"int8-{path.name}")
    tool.quantize_static(
        str(path),
        str(aside),
        Reader(),
        quant_format=tool.QuantFormat.QDQ,
        per_channel=True,
        activation_type=tool.QuantType.QUInt8,
        weight_type=tool.QuantType.QInt8,
    )
    aside.replace(path)


def judged(source: Network, exported: Network, calibration: np.ndarray) -> dict[str, Any]:
    """Return how alike the masks of both are; refused where they are not."""
    first, second = (_foreground(network, calibration) for network in (source, exported))
    size = int(first.sum() + second.sum())
    dice = 2 * float((first & second).sum()) / size if size else 1.0
    if dice < LEAST:
        raise UserError(
            f"With int8 the masks agree with the source's by Dice {dice:.3f}, below {LEAST}: "
            "nothing was written; calibrate on more scans, or leave --int8 out."
        )
    return {"int8": True, "dice_to_source": dice, "samples": len(calibration)}


def _foreground(network: Network, batch: np.ndarray) -> np.ndarray:
    answers = np.concatenate([np.asarray(network(one[None])) for one in batch])
    if answers.shape[-1] == 1:
        return answers[..., 0] >= 0.5
    return answers.argmax(axis=-1) > 0
