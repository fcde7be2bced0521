"""`make perf-metrics`: HD95 and NSD of a BraTS-sized volume against MONAI, on the same masks.

MONAI and torch are no dependency of this project. Where this interpreter lacks them, the
comparison runs under PEER_PYTHON, any interpreter that has numpy, scipy, torch and monai:
`make perf-metrics PEER_PYTHON=/path/to/python`. Without one only our own times are shown.
Both sides alternate in one process; what counts is the median of the ratios.
"""

import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).parents[2]))

import pages

from benchmarks.scoring import metrics, surface

SHAPE = (155, 240, 240)
REGIONS = {"WT": 1.0, "TC": 0.7, "ET": 0.5}  # radius, as a share of the whole tumour's
RADII = {"20 ml": 17.0, "50 ml": 23.0, "100 ml": 29.0}  # mm, of the whole tumour
TOLERANCES = (1.0, 2.0)
SPACING = (1.0, 1.0, 1.0)
REPEATS = 9
OUT = Path("docs/perf")

Pair = tuple[np.ndarray, np.ndarray]


def tumour(radius: float, seed: int) -> list[Pair]:
    """Make a lobed tumour of three nested regions and a prediction that errs by a few mm."""
    random = np.random.default_rng(seed)
    centre = (70, 110, 95)
    axes = np.ogrid[tuple(slice(length) for length in SHAPE)]
    distance = np.sqrt(sum((axis - at) ** 2 for axis, at in zip(axes, centre, strict=True)))
    lobes, errors = (_smooth_noise(random, width) for width in (9, 4))
    truth = distance + 0.2 * radius * lobes
    guess = truth + 1.5 * errors
    return [(truth < share * radius, guess < share * radius) for share in REGIONS.values()]


def _smooth_noise(random: np.random.Generator, width: int) -> np.ndarray:
    noise = ndimage.gaussian_filter(random.standard_normal(SHAPE).astype(np.float32), width)
    return noise / noise.std()


def ours_hd95(pairs: list[Pair]) -> list[float]:
    """Measure HD95 of each region."""
    return [surface.distances(*pair, SPACING).percentile(95) for pair in pairs]


def ours_nsd(pairs: list[Pair]) -> list[float]:
    """Measure NSD of each region at the first tolerance."""
    return [surface.distances(*pair, SPACING).nsd(TOLERANCES[0]) for pair in pairs]


def ours_both(pairs: list[Pair]) -> list[float]:
    """Measure HD95 and both NSDs of each region, as the harness does: one pass for all three."""
    found = [surface.distances(*pair, SPACING) for pair in pairs]
    told = [
        [one.percentile(95), *(one.nsd(tolerance) for tolerance in TOLERANCES)] for one in found
    ]
    return np.transpose(told).ravel().tolist()


def ours_row(pairs: list[Pair]) -> list[float]:
    """Measure everything that a record keeps: counts, slices, surfaces and lesions as well."""
    return [metrics.measure(*pair, SPACING)["hd95"] for pair in pairs]


def peers(pairs: list[Pair]) -> dict[str, Callable[[], list[float]]]:
    """Return MONAI's way of the same, on tensors that are ready before the clock starts."""
    import torch
    from monai.metrics import compute_hausdorff_distance, compute_surface_dice

    truth, guess = (
        torch.from_numpy(np.stack(masks))[None].float() for masks in zip(*pairs, strict=True)
    )

    def hd95() -> list[float]:
        found = compute_hausdorff_distance(
            guess, truth, include_background=True, percentile=95, spacing=SPACING
        )
        return found[0].tolist()

    def nsd(tolerance: float = TOLERANCES[0]) -> list[float]:
        found = compute_surface_dice(
            guess, truth, [tolerance] * len(pairs), include_background=True, spacing=SPACING
        )
        return found[0].tolist()

    def both() -> list[float]:
        return [*hd95(), *(value for tolerance in TOLERANCES for value in nsd(tolerance))]

    return {"HD95": hd95, "NSD 1 mm": nsd, "HD95, NSD 1 and 2 mm": both}


OURS = {"HD95": ours_hd95, "NSD 1 mm": ours_nsd, "HD95, NSD 1 and 2 mm": ours_both}


def compare(pairs: list[Pair], with_peer: bool) -> list[dict[str, Any]]:
    """Time each job, ours and theirs by turns, and hold the values against each other."""
    theirs = peers(pairs) if with_peer else {}
    rows = []
    for job, measure in OURS.items():
        times: list[float] = []
        peer_times: list[float] = []
        for _ in range(REPEATS):
            values = _timed(lambda: measure(pairs), times)  # noqa: B023
            if job in theirs:
                expected = _timed(theirs[job], peer_times)
                np.testing.assert_allclose(values, expected, rtol=1e-5)
        rows.append({"job": job, **_ratio(times, peer_times)})
    row_times: list[float] = []
    for _ in range(REPEATS):
        _timed(lambda: ours_row(pairs), row_times)
    return [*rows, {"job": "whole row of a record", **_ratio(row_times, [])}]


def _timed(job: Callable[[], list[float]], times: list[float]) -> list[float]:
    start = time.perf_counter()
    values = job()
    times.append(time.perf_counter() - start)
    return values


def _ratio(times: list[float], peer_times: list[float]) -> dict[str, float | None]:
    ratios = [theirs / ours for theirs, ours in zip(peer_times, times, strict=False)]
    return {
        "ms": round(1000 * statistics.median(times), 1),
        "monai_ms": round(1000 * statistics.median(peer_times), 1) if peer_times else None,
        "ratio": round(statistics.median(ratios), 1) if ratios else None,
    }


def main() -> int:
    """Run under the peer's interpreter if there is one, and write what came out."""
    has_monai = all(importlib.util.find_spec(name) for name in ("torch", "monai"))
    peer = os.environ.get("PEER_PYTHON")
    if peer and not has_monai:
        alone = {name: value for name, value in os.environ.items() if name != "PEER_PYTHON"}
        return subprocess.run([peer, __file__], env=alone).returncode
    if not has_monai:
        print("MONAI is not installed: only our own times. Set PEER_PYTHON to compare.")
    machine = pages.machine()
    sizes = {size: compare(tumour(radius, seed=1), has_monai) for size, radius in RADII.items()}
    print(_table(sizes))
    if has_monai:
        _write(sizes, machine)
    return 0


def _table(sizes: dict[str, list[dict[str, Any]]]) -> str:
    lines = [
        "| whole tumour | job, three regions | ms | MONAI, ms | ratio |",
        "|---|---|--:|--:|--:|",
    ]
    for size, rows in sizes.items():
        for row in rows:
            cells = [size, row["job"], row["ms"], row["monai_ms"] or "", row["ratio"] or ""]
            lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def _write(sizes: dict[str, list[dict[str, Any]]], machine: dict[str, Any]) -> None:
    from importlib.metadata import version

    setting = {
        "shape": SHAPE,
        "repeats": REPEATS,
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "scipy", "torch", "monai")},
    }
    OUT.mkdir(parents=True, exist_ok=True)
    report = {"machine": machine, "setting": setting, "sizes": sizes}
    (OUT / "metrics.json").write_text(json.dumps(report, indent=1, sort_keys=True) + "\n")
    facts = ", ".join(f"{name} {value}" for name, value in setting.items())
    title = "# Surface metrics: this project and MONAI, on the same masks in one process"
    (OUT / "metrics.md").write_text(f"{title}\n\nMedians; {facts}.\n\n{_table(sizes)}\n")


if __name__ == "__main__":
    sys.exit(main())
