"""Records as a run would write them, with scores that are known beforehand."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

import zoo
from benchmarks.protocols.protocol import digest_of
from benchmarks.records import record
from benchmarks.records.record import Record
from benchmarks.scoring import aggregate, policies
from data_pipeline.identity import Identity

MACHINE = "bench-box"
FINGERPRINT = "feedc0ffee"
REGION = "lgg"

# What the fabricated models are like: the mean Dice, GMACs and million parameters.
MODELS = {
    "unet": (0.84, 40.9, 31.0),
    "mod_r2au": (0.875, 26.9, 21.3),
    "ar2_unet": (0.87, 38.4, 39.4),
    "attention_unet": (0.855, 33.2, 34.9),
    "res_attention_unet": (0.845, 16.2, 39.1),
    "resnet50_unet": (0.86, 2.67, 32.6),
    "deeplabv3plus": (0.865, 1.76, 7.57),
    "sa_unet": (0.80, 0.74, 1.13),
}


def patients(count: int) -> list[str]:
    """Name patients as the LGG collection does."""
    return [f"TCGA_{number:03d}" for number in range(count)]


def row(dice: float, volume: int = 4000, voxels: int = 400_000, bias: float = 0.0) -> dict:
    """Return counts whose Dice is `dice` within a voxel; `bias` above 0 draws too much."""
    predicted = max(0, round(volume * (1 + bias))) if dice > 0 else 0
    tp = min(round(dice * (volume + predicted) / 2), volume, predicted)
    fp, fn = predicted - tp, volume - tp
    status = "ok" if predicted else ("pred_empty" if volume else "both_empty")
    told: dict[str, Any] = {
        "tp": tp,
        "fp": fp,
        "fn": fn,
        "tn": voxels - tp - fp - fn,
        "status": status,
        "voxel_volume_mm3": 5.0,
        "diagonal_mm": 340.0,
        "slices": _slices(tp, fp, fn),
    }
    surfaces = dict.fromkeys(("hd95", "hd", "assd", "nsd_1mm", "nsd_2mm"))
    if status == "ok":
        off = 1 + 40 * (1 - dice)
        surfaces = {
            "hd95": off,
            "hd": 2 * off,
            "assd": off / 5,
            "nsd_1mm": dice**2,
            "nsd_2mm": dice,
        }
    return {**told, **surfaces}


def _slices(tp: int, fp: int, fn: int, slices: int = 20) -> list[list[int]]:
    """Spread counts over the middle slices; the others are empty."""
    shares = np.maximum(0, np.sin(np.linspace(-0.6, math.pi + 0.6, slices)))
    shares = shares / shares.sum()
    spread = [np.floor(count * shares).astype(int) for count in (tp, fp, fn)]
    for counts, total in zip(spread, (tp, fp, fn), strict=True):
        counts[slices // 2] += total - counts.sum()
    return np.stack(spread, axis=1).tolist()


def a_record(
    model: str = "unet",
    dice: Any = (0.8, 0.9, 0.7, 0.85, 0.6, 0.95),
    *,
    seed: int = 0,
    fold: int = 0,
    regions: tuple[str, ...] = (REGION,),
    names: list[str] | None = None,
    machine: str = MACHINE,
    **changes: Any,
) -> Record:
    """Return a finished record with one Dice a patient; `changes` replaces whole sections."""
    names = names or patients(len(dice))
    rows = [
        {"patient": name, "regions": {region: row(float(value)) for region in regions}}
        for name, value in zip(names, dice, strict=True)
    ]
    built = Record(
        run={"model": model, "variant": None, "protocol": "quick", "seed": seed, "fold": fold},
        protocol={
            "data": {"size": [64, 64], "folds": 5},
            "train": {"epochs": 60, "loss": "bce+dice"},
            "evaluate": {"policy": "brats"},
        },
        protocol_digest="0123456789abcdef",
        data={
            **identity(fold).as_json(),
            "layout": "lgg",
            "leaky": False,
            "n_train": 80,
            "n_val": 12,
            "n_test": len(rows),
        },
        environment=environment(machine),
        created="2026-01-02T03:04:05+00:00",
        command=f"gliozoo bench {model} --protocol quick --seed {seed} --fold {fold}",
        card=zoo.card(model).as_dict() if model in zoo.names() else {},
        patients=rows,
        cost=cost(model),
    )
    return replace(built, **changes)


def identity(fold: int = 0, fingerprint: str = FINGERPRINT) -> Identity:
    """Return what tells the data of fabricated records from others."""
    return Identity(fingerprint, f"split{fold}")


def no_data(monkeypatch) -> None:
    """Let jobs be settled on the data of fabricated records, which are looked for nowhere."""
    monkeypatch.setattr("benchmarks.running.settle.origin.find", lambda *_: None)
    monkeypatch.setattr(
        "benchmarks.running.settle.origin.identify", lambda spec, fold, _: identity(fold)
    )


def environment(machine: str = MACHINE) -> dict[str, Any]:
    """Return an environment of two CPU cores."""
    return {
        "machine": machine,
        "cpu": "Xeon 2.8 GHz, 2 cores",
        "gpu": None,
        "driver": None,
        "python": "3.11.9",
        "keras": "3.15.0",
        "backend": "tensorflow",
        "backend_version": "2.21.0",
        "precision": "float32",
        "jit": False,
        "deterministic": True,
        "commit": "0a1b2c3d",
        "dirty": False,
    }


def cost(model: str, speed: float = 120.0) -> dict[str, Any]:
    """Return what `profile` would tell at 128x128; `speed` is the GFLOP/s that is reached."""
    _, gmacs, params = MODELS.get(model, MODELS["unet"])
    reached = speed * (0.45 + 0.4 * min(gmacs, 40) / 40)
    seconds = 2 * gmacs / reached
    return {
        "params": int(params * 1e6),
        "params_trainable": int(params * 0.999e6),
        "gmacs": gmacs,
        "gflops": 2 * gmacs,
        "gflops_other": 0.1 * gmacs,
        "input_shape": [128, 128, 3],
        "precision": "float32",
        "infer_batch_size": 1,
        "latency_ms": {"p50": 1000 * seconds, "p95": 1150 * seconds},
        "infer_samples_per_sec": 1 / seconds,
        "train_samples_per_sec": 0.3 / seconds,
        "compile_s": 2.5,
        "peak_memory_bytes": int(9e8 + params * 4e6),
        "peak_gflops_measured": 150.0,
        "mfu": reached / 150,
        "arithmetic_intensity": 8 + 3 * math.sqrt(gmacs),
    }


def a_study(
    models: dict[str, tuple[float, float, float]] | None = None,
    *,
    count: int = 40,
    seeds: int = 3,
    regions: tuple[str, ...] = (REGION,),
    seed: int = 0,
) -> list[Record]:
    """Return the records of a whole study: patients differ in difficulty, seeds in luck."""
    generator = np.random.default_rng(seed)
    difficulty = generator.normal(0, 0.8, count)
    volumes = np.exp(generator.normal(8.5, 1.0, count) - 0.4 * difficulty).astype(int)
    found = []
    for name, (mean, _, _) in (models or MODELS).items():
        own = generator.normal(0, 0.25, count)
        for number in range(seeds):
            noise = own + generator.normal(0, 0.15, count)
            logit = math.log(mean / (1 - mean)) + 0.35 - 0.9 * difficulty + noise
            dice = 1 / (1 + np.exp(-logit))
            dice[(volumes < 900) & (generator.random(count) < 0.3)] = 0.0
            found.append(_member(name, dice, volumes, number, regions, generator))
    return found


def _member(name, dice, volumes, seed, regions, generator) -> Record:
    built = a_record(name, dice, seed=seed, regions=regions)
    bias = generator.normal(0.02 * (len(name) - 10), 0.12, len(dice))
    rows = [
        {
            "patient": patient["patient"],
            "regions": {
                region: row(max(0.0, dice[i] - 0.06 * place), int(volumes[i]), bias=bias[i])
                for place, region in enumerate(regions)
            },
        }
        for i, patient in enumerate(built.patients)
    ]
    return replace(
        built,
        patients=rows,
        history=history(float(np.mean(dice)), generator),
        training={"epochs": 60, "best_epoch": 52, "stopped": "patience", "seconds": 900.0},
        calibration={region: calibration(generator) for region in regions},
    )


def history(final: float, generator: np.random.Generator, epochs: int = 60) -> list[dict]:
    """Return a training that saturates."""
    rows = []
    for epoch in range(epochs):
        share = 1 - math.exp(-epoch / 12)
        rows.append(
            {
                "epoch": epoch + 1,
                "loss": 1.2 - share + abs(generator.normal(0, 0.02)),
                "val_loss": 1.25 - 0.95 * share + abs(generator.normal(0, 0.03)),
                "val_dice": max(0.0, final * share + generator.normal(0, 0.012)),
                "learning_rate": 1e-3 * (1 - epoch / epochs),
                "seconds": 15.0,
                "data_wait_share": 0.02,
            }
        )
    return rows


def calibration(generator: np.random.Generator) -> dict[str, Any]:
    """Return reliability bins of an overconfident model."""
    bins = []
    for place in range(15):
        confidence = (place + 0.5) / 15
        frequency = confidence - 0.12 * math.sin(math.pi * confidence) * generator.uniform(0.3, 1)
        bins.append(
            {"confidence": confidence, "frequency": frequency, "count": 10 ** (6 - place // 3)}
        )
    return {"ece": 0.004, "brier": 0.006, "bins": bins}


def honest(one: Record) -> Record:
    """Return a record whose digest and aggregates are what its own content gives."""
    built = replace(one, protocol_digest=digest_of(one.protocol))
    if one.status != "ok" or one.quality:
        return built
    quality = {policy: aggregate.summary(one.patients, policy) for policy in policies.POLICIES}
    return replace(built, quality=quality)


def archive(records: list[Record], results) -> None:
    """Write records as the harness does: their digests and aggregates are their own."""
    for one in records:
        record.write(honest(one), results)
