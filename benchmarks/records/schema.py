"""What a record file must hold to be read, and how older ones are brought up to date.

Every field that anything reads has a type and a range here; other fields may be there and pass.
"""

from collections.abc import Callable
from typing import Any

from benchmarks.errors import UserError
from benchmarks.records.json_kinds import (
    fields,
    flag,
    listed,
    named,
    number,
    one_of,
    or_none,
    rows,
    text,
    whole,
)

SCHEMA = 2

Section = dict[str, Any]

PATIENTS = 20_000  # a record; what a comparison draws 10,000 times over
REGIONS = 128
_name, _words, _trace = text(1_000), text(100_000), text(1_000_000)
_maybe, _count = or_none(_name), or_none(whole())
_real, _cost = or_none(number()), or_none(number(0, 1e24))
_share = or_none(number(0, 1))
_distance = or_none(number(0, 1e9))

_origin = fields({"kind": _name, "name": _name, "sha256": text(64)}, {"version": _maybe})
_external = fields(
    {"site": _name, "weights": listed(_name, 100)},
    {
        "seen": whole(),
        "resampled": whole(),
        "checked": flag(),
        "internal": or_none(named(listed(_share, 1_000_000), REGIONS)),
    },
)
_run = fields(
    {"model": _name, "protocol": _name, "seed": whole(-(2**53)), "fold": whole(0, 10_000)},
    {
        "variant": _maybe,
        "backend": _maybe,
        "precision": _maybe,
        "recalibrated": flag(),
        "origin": or_none(_origin),
        "external": or_none(_external),
        "started_from": or_none(fields({"weights_sha256": text(64)})),
    },
)
_evaluate = {
    "policy": _name,
    "metrics": listed(_name, 100),
    **dict.fromkeys(("threshold", "smallest"), _share),
}
_protocol = fields({}, {"evaluate": fields({}, _evaluate)})
_data = fields(
    {},
    {
        **dict.fromkeys(("fingerprint", "split_digest", "layout"), _maybe),
        **dict.fromkeys(("n_train", "n_val", "n_test", "classes"), _count),
        "leaky": or_none(flag()),
        "channels": listed(_name, 1_000),
        "regions": named(listed(whole(), 1_000), REGIONS),
        "split": or_none(named(listed(_name, 1_000_000), 10)),
    },
)
_environment = fields(
    {},
    {
        **dict.fromkeys(("machine", "cpu", "gpu", "backend", "backend_version"), _maybe),
        **dict.fromkeys(("instructions", "precision", "commit", "keras", "python"), _maybe),
        **dict.fromkeys(("jit", "dirty"), or_none(flag())),
    },
)
_claim = fields(
    {},
    {
        "dataset": _words,
        "note": _words,
        "leaks": flag(),
        "metrics": named(_real, 100),
    },
)
_card = fields(
    {},
    {
        "title": _words,
        "paper": _words,
        "claims": listed(_claim, 100),
        **dict.fromkeys(("deviations", "flaws"), listed(_words, 1_000)),
    },
)
_EPOCH = ("loss", "val_loss", "val_dice", "learning_rate", "seconds", "samples_per_sec")
_epoch = fields({}, {**dict.fromkeys((*_EPOCH, "data_wait_share"), _real), "epoch": _count})
_TRAINED = ("best_val_dice", "seconds", "first_step_s", "threshold", "smallest")
_training = fields(
    {},
    {
        **dict.fromkeys(_TRAINED, _real),
        **dict.fromkeys(("epochs", "best_epoch"), _count),
        **dict.fromkeys(("stopped", "weights_sha256"), _maybe),
        "recalibration": fields({}, {"batches": whole(), "weights_sha256_before": _name}),
    },
)
_lesion = fields({"dice": number(0, 1)}, {"hd95": _distance, "voxels": whole()})
_own = fields({"facts": named(_real, 1_000), "values": named(_real, 10)}, {"error": text(1_000)})
_row = fields(
    {
        **dict.fromkeys(("tp", "fp", "fn", "tn"), whole()),
        "status": one_of("ok", "both_empty", "pred_empty", "ref_empty"),
    },
    {
        **dict.fromkeys(("hd95", "hd", "assd", "diagonal_mm", "voxel_volume_mm3"), _distance),
        **dict.fromkeys(("nsd_1mm", "nsd_2mm"), _share),
        "slices": rows(3, 100_000),
        "lesions": listed(_lesion, 100_000),
        "lesion_false_positives": whole(),
        "own": named(_own, 100),
    },
)
_patient = fields({"patient": _name, "regions": named(_row, REGIONS)}, {"in_mm": flag()})
_mean = fields({}, {"mean": _real, "n_used": _count, "n_total": _count})
_bin = fields({}, {"confidence": _share, "frequency": _share, "count": or_none(number(0, 2**53))})
_calibrated = fields({}, {"ece": _share, "brier": _share, "bins": listed(_bin, 1_000)})
_COSTS = (
    *("params", "params_trainable", "gmacs", "gflops", "gflops_other", "compile_s"),
    *("infer_samples_per_sec", "train_samples_per_sec", "peak_memory_bytes"),
    *("peak_gflops_measured", "mfu", "arithmetic_intensity", "energy_j_per_sample"),
)
_costs = fields(
    {},
    {
        **dict.fromkeys(_COSTS, _cost),
        "latency_ms": or_none(fields({}, {"p50": _cost, "p95": _cost})),
        "precision": _maybe,
        "infer_batch_size": _count,
        "input_shape": or_none(listed(whole(), 10)),
    },
)
_error = fields({}, {"kind": _maybe, "message": or_none(_words), "traceback": or_none(_trace)})

_record = fields(
    {
        "run": _run,
        "protocol": _protocol,
        "protocol_digest": _name,
        "data": _data,
        "environment": _environment,
        "status": one_of("ok", "failed"),
        "card": _card,
        "history": listed(_epoch, 1_000_000),
        "training": _training,
        "patients": listed(_patient, PATIENTS),
        "quality": named(named(named(named(_mean, 100), 10), REGIONS + 1), 10),
        "calibration": named(_calibrated, REGIONS),
        "cost": _costs,
    },
    {"error": or_none(_error), "created": _name, "command": _words, "seal": _name},
)


def checked(content: Any) -> Section:
    """Return the sections of a parsed record, upgraded, after a look at every field."""
    if not isinstance(content, dict):
        raise UserError("expected a JSON object at the top.")
    content = upgrade(content)
    if not _record.fit([content]):
        raise UserError(str(_record.find(content)).removeprefix("."))
    return content


def upgrade(content: Section) -> Section:
    """Bring a record of an older schema to this one, a version at a time."""
    version = content.get("schema", 0)
    if type(version) is not int or not 0 <= version <= SCHEMA:
        told = version if type(version) is int and abs(version) < 10**9 else type(version).__name__
        raise UserError(f"schema {told} is none of 0 to {SCHEMA}, which are known; update GlioZoo.")
    while version < SCHEMA:
        if version not in UPGRADES:
            raise UserError(f"its schema {version} is too old to be read; run the benchmark again.")
        content = UPGRADES[version](content)
        version += 1
    return {**content, "schema": SCHEMA}


def _from_0(content: Section) -> Section:
    """Complete a record from before versions were written: no fold, sections left out if empty."""
    empty: Section = {name: {} for name in ("card", "training", "quality", "calibration", "cost")}
    run = content.get("run")
    if isinstance(run, dict):
        run = {"variant": None, "fold": 0, **run}
    told = {"history": [], "patients": [], "status": "ok", "protocol_digest": "", **content}
    return {"protocol": {}, "data": {}, "environment": {}, **empty, **told, "run": run}


def _from_1(content: Section) -> Section:
    """Take over a record from before seals."""
    return {**content, "seal": ""}


UPGRADES: dict[int, Callable[[Section], Section]] = {0: _from_0, 1: _from_1}
