"""What the demo shows, made of a finished run: `make demo-files RUN=results/HOST/runs/RUN`.

Written into `website/in_browser`: the run's record and weights, the network as ONNX, and slices of
the first phantoms that tested it, each with its reference and what Keras answers.
"""

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.scoring import metrics, policies
from data_pipeline.storing import encoding
from website.demo import FACTS, FOLDER, NETWORK, RECORD, WEIGHTS, part

PHANTOMS = 3  # of those that tested the run, in the order of its split
SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)  # of the way through a tumour, from its lowest slice up
WINDOW = (0.5, 99.5)  # percentiles of a channel's voxels that are drawn black and white


@dataclass(frozen=True, eq=False)
class Slices:
    """Some slices of a phantom, in the order in which their file holds them."""

    voxels: np.ndarray  # (S, h, w, C) int16, as a store holds them
    expected: np.ndarray  # (S, h, w) float32: the probabilities that Keras gives
    reference: np.ndarray  # (S, h, w) uint8: 1 is tumour

    def as_bytes(self) -> bytes:
        """Return what `demo.js` reads, in the byte order of all processors that browsers run on."""
        parts = (self.voxels.astype("<i2"), self.expected.astype("<f4"), self.reference)
        return b"".join(part.tobytes() for part in parts)

    def images(self, scales: Sequence[float]) -> np.ndarray:
        """Return what the network is given: `(S, h, w, C)` float32."""
        images = np.empty(self.voxels.shape, np.float32)
        encoding.decode(self.voxels, scales, images)
        return images


def read(path: Path, told: dict[str, Any], place: int) -> Slices:
    """Read the slices of a phantom back."""
    content = path.read_bytes()
    shape = (len(told["phantoms"][place]["slices"]), *told["size"])
    channels, count = len(told["channels"]), int(np.prod(shape))
    return Slices(
        np.frombuffer(content, "<i2", count * channels).reshape(*shape, channels),
        np.frombuffer(content, "<f4", count, 2 * channels * count).reshape(shape),
        np.frombuffer(content, np.uint8, count, (2 * channels + 4) * count).reshape(shape),
    )


def make(run: Path, folder: Path = FOLDER) -> dict[str, Any]:
    """Write all files; return what `demo.json` says."""
    from benchmarks.backends import device

    device.start("tensorflow")
    import data_pipeline
    from benchmarks.exporting import exported
    from benchmarks.predicting import trained_network
    from zoo import weights

    source = trained_network.find(run)
    trained = trained_network.read(source)
    shutil.copyfile(run / "record.json", folder / RECORD)
    shutil.copyfile(source, folder / WEIGHTS)
    (folder / NETWORK).unlink(missing_ok=True)
    model = weights.restore(source)
    with device.silence():
        exported.export([model], trained, exported.Request("onnx", folder / NETWORK))
    data = data_pipeline.load(trained.spec)
    shown = [
        _phantom(model, data, member, trained.threshold, folder / part(place))
        for place, member in enumerate(data.members["test"][:PHANTOMS])
    ]
    told = {"channels": list(trained.spec.channels), "size": trained.spec.size, "phantoms": shown}
    (folder / FACTS).write_text(json.dumps(told, indent=1) + "\n")
    return told


def _phantom(model: Any, data: Any, member: Any, threshold: float, path: Path) -> dict[str, Any]:
    """Write the slices of one phantom; return what is known of it."""
    case = data.store.cases[member.case]
    tumour = np.flatnonzero(case.lesion)
    numbers = [int(tumour[round(share * (len(tumour) - 1))]) for share in SHARES]
    every = encoding.parted(data.store.records(member.case))[0]
    voxels, labels = encoding.parted(data.store.records(member.case)[numbers])
    found = Slices(voxels, np.empty(0), (labels > 0).astype(np.uint8))
    answers = np.asarray(model.predict_on_batch(found.images(case.scales)))[..., 0]
    path.write_bytes(replace(found, expected=answers).as_bytes())
    return {
        "name": case.name,
        "scales": [float(np.float32(scale)) for scale in case.scales],
        "windows": [_window(every[..., channel]) for channel in range(every.shape[-1])],
        "depth": case.depth,
        "slices": [
            {"number": number, **scores(truth, answer >= threshold)}
            for number, truth, answer in zip(numbers, found.reference, answers, strict=True)
        ],
    }


def _window(voxels: np.ndarray) -> list[int]:
    """Return what is drawn black and white; outside the head all is zero, and does not count."""
    return [round(float(value)) for value in np.percentile(voxels[voxels != 0], WINDOW)]


def scores(reference: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """Return what the page shows of Keras' mask."""
    found = metrics.measure(reference[None] > 0, mask[None], (1.0, 1.0, 1.0), surfaces=False)
    return {"dice": policies.values(found, "brats")["dice"], "pixels": int(mask.sum())}


if __name__ == "__main__":
    make(Path(sys.argv[1]))
