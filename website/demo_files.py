"""What the demo shows, made of a finished run: `make demo-files RUN=results/HOST/runs/RUN`.

Written into `website/in_browser`: the run's record and weights, the network as ONNX, and slices of
the first phantoms that tested it, each with its reference and what Keras answers.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.scoring import metrics, policies
from website.demo import FACTS, FOLDER, NETWORK, RECORD, WEIGHTS, part

PHANTOMS = 3  # of those that tested the run, in the order of its split
SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)  # of the way through a tumour, from its lowest slice up
WINDOW = (0.5, 99.5)  # percentiles of a channel's voxels that are drawn black and white


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
        exported.export(model, trained, exported.Request("onnx", folder / NETWORK))
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
    from data_pipeline.storing import encoding

    case = data.store.cases[member.case]
    tumour = np.flatnonzero(case.lesion)
    numbers = [int(tumour[round(share * (len(tumour) - 1))]) for share in SHARES]
    every = encoding.parted(data.store.records(member.case))[0]
    voxels, labels = encoding.parted(data.store.records(member.case)[numbers])
    images = np.empty(voxels.shape, np.float32)
    encoding.decode(voxels, case.scales, images)
    answers = np.asarray(model.predict_on_batch(images))[..., 0]
    reference = (labels > 0).astype(np.uint8)
    written = (voxels.astype("<i2"), answers.astype("<f4"), reference)
    path.write_bytes(b"".join(np.ascontiguousarray(one).tobytes() for one in written))
    return {
        "name": case.name,
        "scales": [float(np.float32(scale)) for scale in case.scales],
        "windows": [_window(every[..., channel]) for channel in range(every.shape[-1])],
        "depth": case.depth,
        "slices": [
            {"number": number, **_scores(truth, answer >= threshold)}
            for number, truth, answer in zip(numbers, reference, answers, strict=True)
        ],
    }


def _window(voxels: np.ndarray) -> list[int]:
    """Return what is drawn black and white; outside the head all is zero, and does not count."""
    return [round(float(value)) for value in np.percentile(voxels[voxels != 0], WINDOW)]


def _scores(reference: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    found = metrics.measure(reference[None] > 0, mask[None], (1.0, 1.0, 1.0), surfaces=False)
    return {"dice": policies.values(found, "brats")["dice"], "pixels": int(mask.sum())}


if __name__ == "__main__":
    make(Path(sys.argv[1]))
