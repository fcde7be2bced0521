"""What a sweep says: a run's name, how it ended, and the sums."""

from benchmarks.records.result_paths import run_folder
from benchmarks.running.job import Job
from benchmarks.running.launch import INTERRUPTED, Outcome
from benchmarks.sweep.engines.processes import last_words
from benchmarks.sweep.status import Sight, Standing
from benchmarks.tables.bench_rows import row
from benchmarks.training.display import clock


def label(job: Job) -> str:
    """Name a run among those of its sweep."""
    return f"{job.model} s{job.seed} f{job.fold}"


def ending(outcome: Outcome) -> str:
    """Say how a run ended: with what Dice, or why not."""
    name = label(outcome.job)
    if outcome.code == INTERRUPTED:
        return f"{name}: interrupted, to be gone on with"
    if outcome.record is None:
        return f"{name}: not run: {last_words(run_folder(outcome.path))}"
    if outcome.record.status != "ok":
        return f"{name}: failed: {(outcome.record.error or {}).get('message')}"
    told = row(outcome.record)
    return f"{name}: Dice {told['dice']:.3f}, trained {told['train_seconds']:.0f} s"


def sums(standing: Standing, running: int) -> str:
    """Count the runs by what has become of them."""
    before = len(standing.plan.done)
    done = len(standing.succeeded) + before
    parts = [
        f"{max(0, len(standing.left) - running)} queued",
        f"{running} running",
        f"{done} done" + (f" ({before} before)" if before else ""),
        f"{len(standing.failed)} failed",
    ]
    left = standing.seconds_left()
    if left and standing.left:
        parts.append(f"about {clock(left)} left")
    return ", ".join(parts)


def sight(seen: Sight) -> str:
    """Say in some words how far a run is."""
    dice = "" if seen.dice is None else f" Dice {seen.dice:.3f}"
    return f"{label(seen.slot.job)} epoch {seen.epoch}/{seen.epochs}{dice}"
