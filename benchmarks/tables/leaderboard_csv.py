"""leaderboard.csv: a row for each table, model and region, every number in full precision."""

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.comparison.compare import Comparison
from benchmarks.comparison.judging.table import Table
from benchmarks.comparison.reading.claims import Claim
from benchmarks.comparison.reading.machine_costs import Cost, Setting
from benchmarks.comparison.reading.scores import METRICS
from benchmarks.records import csv_table

Row = dict[str, Any]

VERDICTS = {"+": "better", "-": "worse", "~": "~"}  # a lone sign would start a formula
_OTHERS = [name for name in METRICS if name != "dice"]
ENDS = ("_ci_lower", "_ci_upper", "_n_used")
COLUMNS = (
    "table model variant region status rank rank_ci_lower rank_ci_upper "
    "dice ci_lower ci_upper dice_median dice_q1 dice_q3 n_used n_total dice_seed_std "
    "dice_slice dice_pooled "
    + " ".join(f"{name} {name}_ci_lower {name}_ci_upper {name}_n_used" for name in _OTHERS)
    + " ece brier "
    "baseline difference difference_ci_lower difference_ci_upper p p_seeds p_holm effect verdict "
    "verdict_against_best "
    "param_count infer_gmacs infer_gflops gflops_other "
    "machine device backend compute_precision infer_batch_size infer_img_size infer_step_time "
    "infer_step_time_p95 infer_samples_per_sec train_samples_per_sec compile_s "
    "peak_memory_bytes mfu arithmetic_intensity energy_j_per_sample train_seconds "
    "claimed_dataset claimed_dice claimed_iou claimed_precision claimed_recall claimed_leaks "
    "protocol protocol_digest data_fingerprint leaky policy n_train n_val n_test seed fold "
    "n_runs error command n_both_empty dice_of_both_empty recalibrated p_folds detectable"
).split()


def to_csv(comparison: Comparison) -> str:
    """Print the comparison; columns never change their order, the user's own come after them."""
    own = sorted({name for table in comparison.tables for name in table.own})
    further = [f"{name}{end}" for name in own for end in ("", *ENDS)]
    return csv_table.text(list(rows(comparison)), [*COLUMNS, *further])


def rows(comparison: Comparison) -> Iterator[Row]:
    """Yield the rows of every table, then of every failed run, then of every file left out."""
    for place, table in enumerate(comparison.tables, 1):
        for model in table.models:
            for region in table.regions:
                yield {"table": place, **_row(comparison, table, model, region)}
    for record in comparison.failed.values():
        yield {
            **_run(record.run),
            "status": "failed",
            "machine": record.machine,
            "protocol_digest": record.protocol_digest,
            "error": (record.error or {}).get("message"),
            "command": record.command,
        }
    for line in comparison.omissions():
        yield {"status": "left out", "error": line}


def _run(run: Row) -> Row:
    told = {name: run.get(name) for name in ("model", "variant", "protocol", "seed", "fold")}
    origin = run.get("origin")
    return told | ({"model": f"{told['model']}@{origin['sha256'][:8]}"} if origin else {})


def _row(comparison: Comparison, table: Table, model: str, region: str) -> Row:
    run, standing = table.runs(model)[0].record, table.standings[model]
    setting = comparison.setting(table)
    return {
        **_run(run.run),
        "region": region,
        "status": "ok",
        "rank": standing.rank,
        "rank_ci_lower": standing.rank_lower,
        "rank_ci_upper": standing.rank_upper,
        "dice_seed_std": standing.seed_spread,
        **_quality(table, model, region),
        **_calibration(table, model, region),
        **_contrast(comparison, table, model),
        **_cost(comparison.cost(model, setting), setting),
        **_claim(comparison.claims, run.run["model"], str(run.data.get("layout") or "")),
        "protocol_digest": table.terms.protocol_digest,
        "data_fingerprint": table.terms.fingerprint,
        "leaky": table.terms.leaky,
        "policy": table.policy,
        **{name: run.data.get(name) for name in ("n_train", "n_val", "n_test")},
        "seed": standing.seeds,
        "fold": standing.folds,
        "n_runs": len(table.runs(model)),
        "command": " && ".join(table.commands(model)),
        "n_both_empty": table.empties[model, region].number,
        "dice_of_both_empty": table.empties[model, region].part,
        "recalibrated": bool(run.run.get("recalibrated")),
    }


def _quality(table: Table, model: str, region: str) -> Row:
    told: Row = {}
    for metric in (*METRICS, *table.own):
        found = table.estimates.get((model, region, metric))
        if found is None:
            continue
        prefix = "" if metric == "dice" else f"{metric}_"
        told |= {
            metric: found.mean,
            f"{prefix}ci_lower": found.ci_lower,
            f"{prefix}ci_upper": found.ci_upper,
            f"{prefix}n_used": found.n_used,
        }
        if metric == "dice":
            told |= {"dice_median": found.median, "dice_q1": found.q1, "dice_q3": found.q3}
            told["n_total"] = found.n_total
    if region == table.regions[0]:
        for order in table.orders:
            if order.policy == table.policy and order.level != "patient":
                told[f"dice_{order.level}"] = order.dice[model]
    return told


def _calibration(table: Table, model: str, region: str) -> Row:
    found = [run.record.calibration.get(region) or {} for run in table.runs(model)]
    return {
        name: sum(values) / len(values)
        for name in ("ece", "brier")
        if (values := [one[name] for one in found if isinstance(one.get(name), int | float)])
    }


def _contrast(comparison: Comparison, table: Table, model: str) -> Row:
    best = table.against(model, table.models[0])
    told: Row = {"verdict_against_best": VERDICTS[best.sign] if best else None}
    found = table.against(model, comparison.baseline)
    if found is None:
        return told
    return told | {
        "baseline": found.second,
        "difference": found.difference,
        "difference_ci_lower": found.lower,
        "difference_ci_upper": found.upper,
        "p": found.p,
        "p_seeds": found.p_seeds,
        "p_folds": found.p_folds,
        "detectable": found.detectable,
        "p_holm": found.p_holm,
        "effect": found.effect,
        "verdict": VERDICTS[found.sign],
    }


def _cost(cost: Cost | None, setting: Setting | None) -> Row:
    if cost is None or setting is None:
        return {}
    counts: Row = {
        "param_count": cost.params / 1e6 if cost.params is not None else None,
        "infer_gmacs": cost.gmacs,
        "infer_gflops": cost.gflops,
        "gflops_other": cost.gflops_other,
    }
    if cost.latency_p50 is None and cost.train_seconds is None:
        return counts  # timed in another setting
    return counts | {
        "machine": setting.machine,
        "device": setting.device,
        "backend": setting.backend,
        "compute_precision": setting.precision,
        "infer_batch_size": setting.batch_size,
        "infer_img_size": setting.input_shape,
        "infer_step_time": cost.latency_p50,
        "infer_step_time_p95": cost.latency_p95,
        "infer_samples_per_sec": cost.infer_samples_per_sec,
        "train_samples_per_sec": cost.train_samples_per_sec,
        "compile_s": cost.compile_s,
        "peak_memory_bytes": cost.peak_memory_bytes,
        "mfu": cost.mfu,
        "arithmetic_intensity": cost.arithmetic_intensity,
        "energy_j_per_sample": cost.energy_j_per_sample,
        "train_seconds": cost.train_seconds,
    }


def _claim(claims: Sequence[Claim], model: str, layout: str) -> Row:
    """Return the claim on data of the same collection, else the first."""
    own = [claim for claim in claims if claim.model == model]
    own.sort(key=lambda claim: not claim.dataset.lower().startswith(layout.lower() or "?"))
    if not own:
        return {}
    metrics = own[0].metrics
    return {
        "claimed_dataset": own[0].dataset,
        "claimed_dice": metrics.get("dice"),
        "claimed_iou": metrics.get("iou"),
        "claimed_precision": metrics.get("precision"),
        "claimed_recall": metrics.get("recall", metrics.get("sensitivity")),
        "claimed_leaks": own[0].leaks,
    }
