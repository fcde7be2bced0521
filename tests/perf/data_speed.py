"""`make perf-data`: the pipeline against a generator of the usual kind and against MONAI.

One run, the same slices and the same augmentation, contenders in turn; what counts is the median.
MONAI and torch are no dependency of this project: `make perf-data PEER_PYTHON=/path/to/python`
names an interpreter that has them, otherwise MONAI is left out.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from itertools import count
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "makers"))

import clinical_scans
import pages

from benchmarks.machine.environment import processor
from data_pipeline import Data, DataSpec, load, sources
from data_pipeline.augmenting.augment import Augmentation
from data_pipeline.cases.read_case import read_case
from data_pipeline.feeding.batches import Batch, BatchMaker
from data_pipeline.feeding.pipeline import Pipeline
from data_pipeline.files import processors

SECONDS, ROUNDS, SIDE, BATCH = 2.0, 5, 128, 16
SETS = (5, 52, 517)  # patients, of whom five are the fewest; of the last 10,000 slices train
OUT = Path("docs/perf")
CACHE = Path("cache/perf")
TURN, ZOOM, SHIFT, FLIP = 15.0, 0.1, 0.05, 0.5
SLICES = DataSpec(
    layout="lgg",
    size=(SIDE, SIDE),
    normalisation="div255",
    augmentation=Augmentation(rotation=TURN, zoom=ZOOM, shift=SHIFT, flip=FLIP),
    batch_size=BATCH,
)
PATCHES = DataSpec(
    layout="nnunet",
    rank=3,
    size=(64, 64, 64),
    channels=("flair", "t1ce"),
    augmentation=Augmentation(flip=FLIP, flip_vertical=FLIP, flip_depth=FLIP),
    batch_size=4,
    patches_per_volume=64,
    folds=3,
)
Rate = Callable[[], float]
LOADS: list[float] = []  # of the machine, as each round began


def usual(root: Path, data: Data) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Read, resize and warp sample by sample, as hand-written Keras generators do."""
    names = {data.store.cases[member.case].name for member in data.members["train"]}
    masks = sorted(path for name in names for path in (root / name).glob("*_mask.tif"))
    random = np.random.default_rng(0)
    while True:
        for start in range(0, len(masks) - BATCH, BATCH):
            pairs = [_usual_sample(path, random) for path in masks[start : start + BATCH]]
            yield np.stack([image for image, _ in pairs]), np.stack([mask for _, mask in pairs])


def _usual_sample(path: Path, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    files = (cv2.imread(str(path).replace("_mask", "")), cv2.imread(str(path), 0))
    image, mask = (cv2.resize(np.asarray(picture), (SIDE, SIDE)) for picture in files)
    angle, zoom = random.uniform(-TURN, TURN), random.uniform(1 - ZOOM, 1 + ZOOM)
    matrix: np.ndarray = np.asarray(cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), angle, zoom))
    matrix[:, 2] += random.uniform(-SHIFT, SHIFT, 2) * SIDE
    image, mask = (cv2.warpAffine(picture, matrix, (SIDE, SIDE)) for picture in (image, mask))
    if random.random() < FLIP:
        image, mask = image[:, ::-1], mask[:, ::-1]
    return image / np.float32(255), (mask > 127).astype(np.float32)[..., None]


def bare_reads(data: Data) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Only copy the batches' records out of the memory map: what reading alone would reach."""
    pipeline = data.pipelines["train"]
    size = data.spec.batch_size
    for epoch in count():
        samples = pipeline.sampler.epoch(epoch)
        for start in range(0, len(samples) - size + 1, size):
            chosen = samples[start : start + size]
            batch = np.stack([pipeline.maker.record(sample) for sample in chosen])
            yield batch, batch


class WarpsAlone(BatchMaker):
    """Only reads the records and lets OpenCV turn them: what no pipeline that does so can beat."""

    def batch(self, samples: np.ndarray, epoch: int | None) -> Batch:
        """Make one batch of nothing but turned records."""
        turned = np.asarray(cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), TURN, 1 + ZOOM))
        batch = [cv2.warpAffine(self.record(sample), turned, (SIDE, SIDE)) for sample in samples]
        return np.asarray(batch), np.empty(0)


def ongoing(batches: Iterator) -> Rate:
    """Measure the rate of an endless iterator, which goes on from round to round."""

    def rate() -> float:
        for _ in range(8):
            next(batches)
        made, began = 0, time.perf_counter()
        while time.perf_counter() - began < SECONDS:
            made += len(next(batches)[0])
        return made / (time.perf_counter() - began)

    return rate


def in_graph(data: Data) -> Rate:
    """Measure the dataset as `fit` takes it: batches are asked for inside of a tf.function."""
    import tensorflow as tf

    batches = iter(data.epochs(0))

    @tf.function
    def take(count):
        made = tf.constant(0)
        for _ in tf.range(count):
            made += tf.shape(next(batches)[0])[0]
        return made

    def rate() -> float:
        take(tf.constant(8))
        made, began = 0, time.perf_counter()
        while time.perf_counter() - began < SECONDS:
            made += int(take(tf.constant(64)))
        return made / (time.perf_counter() - began)

    return rate


def monai(kind: str, arrays: Path) -> Rate | None:
    """Measure MONAI under PEER_PYTHON."""
    peer = os.environ.get("PEER_PYTHON")
    if not peer:
        print("MONAI is left out: set PEER_PYTHON to an interpreter that has monai and torch.")
        return None
    command = [peer, str(Path(__file__).with_name("monai_loaders.py")), kind, arrays, SECONDS]

    def rate() -> float:
        done = subprocess.run([*map(str, command)], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"MONAI failed under {peer}:\n{done.stderr[-2000:]}")
        return float(done.stdout.split()[-1])

    return rate


def contend(contenders: dict[str, Rate]) -> dict[str, list[float]]:
    """Let the contenders take turns."""
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        LOADS.append(os.getloadavg()[0])
        for name, rate in contenders.items():
            rates[name].append(rate())
            print(f"{name}: {rates[name][-1]:,.0f}/s", file=sys.stderr)
    return rates


def slices() -> dict[str, list[float]]:
    """Compare slices of 128x128x3."""
    root = clinical_scans.write_slices(CACHE / "slices", 24)
    data = load(SLICES, root=root, cache=CACHE)
    arrays = CACHE / "slices.npz"
    records = [data.store.records(member.case) for member in data.members["train"]]
    joined = np.concatenate(records)
    np.savez(arrays, images=joined[..., :3], masks=joined[..., 3])
    own = data.pipelines["train"]
    maker = WarpsAlone(own.maker.store, own.maker.spec, own.maker.target, own.maker.seed)
    warps = Pipeline(maker, own.sampler, augmented=True)
    others = {
        "OpenCV's warp alone": ongoing(warps.iterator(0, None)),
        "usual generator": ongoing(usual(root, data)),
    }
    return contend(_ours(data) | others | _peer("slices", arrays))


def patches() -> dict[str, list[float]]:
    """Compare patches of 64x64x64x2 out of volumes of 155x240x240."""
    root = clinical_scans.write_volumes(CACHE / "volumes", 4)
    data = load(PATCHES, root=root, cache=CACHE)
    arrays = CACHE / "volumes.npz"
    cases = sources.find(root, "nnunet").cases
    names = {data.store.cases[member.case].name for member in data.members["train"]}
    volumes = [read_case(case) for case in cases if case.name in names]
    labels = [np.minimum(volume.label, 1) for volume in volumes if volume.label is not None]
    np.savez(arrays, images=[volume.image for volume in volumes], masks=labels)
    return contend(_ours(data) | _peer("patches", arrays))


def scaling() -> dict[str, list[float]]:
    """Compare one thread and two, over sets of slices from small to large."""
    contenders: dict[str, Rate] = {}
    for patients in SETS:
        root = clinical_scans.write_slices(CACHE / f"slices{patients}", patients, SIDE)
        for threads in (1, 2):
            data = load(SLICES, root=root, cache=CACHE, threads=threads)
            name = f"{len(data.pipelines['train'].sampler):,} slices, {threads}"
            contenders[name] = ongoing(data.training_batches(0))
    return contend(contenders)


def _ours(data: Data) -> dict[str, Rate]:
    return {
        "this pipeline, tf.data": in_graph(data),
        "this pipeline, no TensorFlow": ongoing(data.training_batches(0)),
        "bare reads": ongoing(bare_reads(data)),
    }


def _peer(kind: str, arrays: Path) -> dict[str, Rate]:
    rate = monai(kind, arrays)
    return {"MONAI": rate} if rate else {}


def table(rates: dict[str, list[float]], unit: str) -> list[str]:
    """Give the medians, and the medians by round of the ratio of our tf.data chain to each."""
    ours = rates["this pipeline, tf.data"]
    lines = [f"| | {unit}/s | ours is faster by |", "|---|--:|--:|"]
    for name, values in rates.items():
        ratio = statistics.median(a / b for a, b in zip(ours, values, strict=True))
        lines.append(f"| {name} | {statistics.median(values):,.0f} | {ratio:.2f} |")
    return lines


def scaled(rates: dict[str, list[float]]) -> list[str]:
    """Give the medians by size of the set, and by round what the second thread is worth."""
    lines = [
        "| training slices | one thread, slices/s | µs a record | two threads | times one |",
        "|--:|--:|--:|--:|--:|",
    ]
    for size in dict.fromkeys(name.rpartition(" slices, ")[0] for name in rates):
        one, two = rates[f"{size} slices, 1"], rates[f"{size} slices, 2"]
        gain = statistics.median(b / a for a, b in zip(one, two, strict=True))
        alone = statistics.median(one)
        told = (f"{alone:,.0f}", f"{1e6 / alone:.0f}", f"{statistics.median(two):,.0f}")
        lines.append(f"| {size} | {' | '.join(told)} | {gain:.2f} |")
    return lines


def main() -> int:
    """Measure, print and write."""
    machine = pages.machine()
    measured = {"slices": slices(), "patches": patches()}
    threads = scaling()
    text = [
        "# Throughput of the data pipeline",
        "",
        "`make perf-data`, one run, contenders in turn, median of "
        f"{ROUNDS} rounds of {SECONDS:g} s. {_machine()}.",
        "",
        f"Slices of 128x128x3, batches of {BATCH}: rotation, zoom, shift, flip of image and mask.",
        "",
        *table(measured["slices"], "slices"),
        "",
        "Patches of 64x64x64 of two modalities out of volumes of 240x240x155, one in three centred "
        "on a lesion; three flips.",
        "",
        *table(measured["patches"], "patches"),
        "",
        "tf.data's batches are taken as `fit` takes them, inside of a tf.function. `bare reads` "
        "copies the records of a batch out of the memory map and does nothing else; "
        "`OpenCV's warp alone` also turns them, in as many threads as this pipeline. "
        "MONAI runs CacheDataset and DataLoader with 2 workers; its cache holds prepared arrays.",
        "",
        "More threads, more slices: the plain iterator, over sets that fit the processor's cache "
        "and over larger ones.",
        "",
        *scaled(threads),
        "",
        _busy(),
    ]
    print("\n".join(text))
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "data.md").write_text("\n".join(text) + "\n")
    facts = {
        "load_average": [round(load, 1) for load in LOADS],
        "machine": machine,
        "samples_per_second": measured,
        "scaling": threads,
        "seconds": SECONDS,
    }
    (OUT / "data.json").write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n")
    return 0


def _busy() -> str:
    text = f"Load average as the rounds began: {min(LOADS):.1f} to {max(LOADS):.1f}"
    if max(LOADS) < 1.5 * processors.count():
        return text + "."
    return text + f" on {processors.count()} processors: other work lowered every rate."


def _machine() -> str:
    names = ("tensorflow", "numpy", "opencv-python-headless")
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    machine = f"{processor()}, {processors.count()} processors"
    return f"{machine}, Python {platform.python_version()}, {packages}"


if __name__ == "__main__":
    sys.exit(main())
