"""`make perf-patient`: seconds and memory from a patient's files to a mask, and where they go.

Each network of both BraTS protocols for two cores, untrained, for that is as fast, with one thread
and in a process of its own; the median of three scans after one that is not counted. The scan is
the one in SCAN (a folder of NIfTI files as BraTS names them), or a phantom as large.
"""

import itertools
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pages

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

JSON, PAGE = ROOT / "docs/perf/patient.json", ROOT / "docs/perf/patient.md"
PROTOCOLS = {"brats2d_lite": 2, "brats3d_lite": 3}
STAGES = ("read", "network", "grid", "mask", "write")
ROUNDS, PHANTOM = 3, 207  # sides of a phantom with as many voxels as 155 x 240 x 240
COHORT = (6, 64)
LIMIT = 30  # seconds that a patient may take


def one(model: str, name: str, scan: Path) -> dict[str, Any]:
    """Predict one scan by stages; this process is its own, so its peak is the network's."""
    import data_pipeline
    import zoo
    from benchmarks.backends import device, fusion

    device.start()
    from benchmarks.inference.predictor import Predictor
    from benchmarks.predicting import predict
    from benchmarks.predicting.trained_network import Trained
    from benchmarks.predicting.written import Folder
    from benchmarks.protocols import protocol
    from benchmarks.training.cut import Cut
    from data_pipeline import Cohort
    from data_pipeline.scans import mask_files, predicted_scan, search

    fusion.fuse()
    chosen = protocol.shipped(name)
    spec = replace(chosen.data, layout="phantom", version=None, phantom=Cohort(*COHORT))
    with tempfile.TemporaryDirectory() as folder:
        data = data_pipeline.load(spec, cache=Path(folder) / "cache", threads=1)
        trained = Trained.of(replace(chosen, data=spec), data, Cut())
        network = Predictor(
            zoo.create(model, data.input_shape, data.classes, width=chosen.train.width),
            trained.evaluation,
        )
        (case,) = search.find([scan], trained.wanted)
        if case.problem:
            sys.exit(f"{scan}: {case.problem}")
        rounds = []
        for place in range(ROUNDS + 1):
            marks = [time.perf_counter()]
            read, images = predicted_scan.read(case, trained.preparation, trained.value_range)
            marks.append(time.perf_counter())
            answer = network(images)
            del images
            marks.append(time.perf_counter())
            found = read.restore(answer, trained.target)
            marks.append(time.perf_counter())
            told = predict.of_answer(read, found, trained)
            marks.append(time.perf_counter())
            into = Folder(Path(folder) / str(place))
            into.write(mask_files.mask_files(case, read.volume, told.labels))
            marks.append(time.perf_counter())
            rounds.append([after - before for before, after in itertools.pairwise(marks)])
            del answer, found, told
    each = [statistics.median(stage) for stage in zip(*rounds[1:], strict=True)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "model": model,
        "protocol": name,
        "seconds": round(sum(each), 2),
        "stages": {stage: round(value, 2) for stage, value in zip(STAGES, each, strict=True)},
        "peak_bytes": peak,
    }


def measured(scan: Path, names: list[str]) -> list[dict[str, Any]]:
    """Measure every network that a protocol takes, one process after the other, one thread each."""
    import zoo
    from benchmarks.machine import resources

    found = []
    for name, rank in PROTOCOLS.items():
        for model in names or zoo.names():
            if rank not in zoo.card(model).ranks:
                continue
            command = [sys.executable, __file__, "one", model, name, str(scan)]
            environment = {**os.environ, **resources.threads(1)}
            ended = subprocess.run(command, env=environment, capture_output=True, text=True)
            if ended.returncode:
                print(f"{model} under {name}: {ended.stderr.strip()[-300:]}", file=sys.stderr)
                continue
            found.append(json.loads(ended.stdout.splitlines()[-1]))
            print(found[-1], file=sys.stderr, flush=True)
    return found


def table(rows: list[dict[str, Any]]) -> str:
    """Write the rows as Markdown, the fastest of each protocol first."""
    lines = [
        f"| protocol | network | seconds | {' | '.join(STAGES)} | peak, GB |",
        "|---|---|--:|" + "--:|" * len(STAGES) + "--:|",
    ]
    for row in sorted(rows, key=lambda row: (row["protocol"], row["seconds"])):
        stages = " | ".join(f"{row['stages'][stage]:.1f}" for stage in STAGES)
        late = " **over**" if row["seconds"] > LIMIT else ""
        lines.append(
            f"| `{row['protocol']}` | `{row['model']}` | {row['seconds']:.1f}{late} | {stages} "
            f"| {row['peak_bytes'] / 1e9:.1f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure those that are named, or all, and write figures and page."""
    with tempfile.TemporaryDirectory() as folder:
        scan = Path(os.environ["SCAN"]) if os.environ.get("SCAN") else _phantom(Path(folder))
        before = os.getloadavg()[0]
        rows = measured(scan, sys.argv[1:])
    told = {
        "scan": "a BraTS patient" if os.environ.get("SCAN") else "a phantom",
        "load_before": before,
        "cpu": _cpu(),
        "python": platform.python_version(),
        "rows": rows,
    }
    JSON.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    pages.put(PAGE, "make perf-patient", table(rows))
    return 0


def _phantom(folder: Path) -> Path:
    from data_pipeline.phantom import write

    root = write.ensure(folder, "brats", 1, PHANTOM, 7)
    return next(path for path in sorted(root.iterdir()) if path.is_dir())


def _cpu() -> str:
    from benchmarks.machine import environment

    return environment.processor()


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        print(json.dumps(one(sys.argv[2], sys.argv[3], Path(sys.argv[4]))))
        sys.exit(0)
    sys.exit(main())
