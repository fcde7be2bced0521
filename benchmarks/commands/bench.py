"""`gliozoo bench MODEL`: train, score and measure, each model in a process of its own."""

import argparse
import json
import time
from typing import TYPE_CHECKING, Any

from benchmarks.terminal.streams import say

if TYPE_CHECKING:
    from benchmarks.running.job import Job
    from benchmarks.running.launch import Outcome

BACKENDS = ("tensorflow", "jax", "torch")
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("models", metavar="MODEL", help="a name, 'a,b', a wildcard, or all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--variant", help="a published variant of the model")
    parser.add_argument(
        "--recalibrate",
        action="store_true",
        help="train as without it, or take such a run's weights; then estimate the moving "
        "statistics of BatchNorm anew, in a pass over the training data",
    )
    parser.add_argument("--from", dest="from_weights", metavar="RUN", help="go on from its weights")
    add_run_arguments(parser)


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what is the same for every run of a command."""
    parser.add_argument("--protocol", default="quick", help="what is equal for all (quick)")
    parser.add_argument("--data", metavar="DIR", help="the data set, or prepared records")
    parser.add_argument(
        "--version", metavar="YEAR", help="of a BraTS data set: what its labels mean"
    )
    parser.add_argument("--backend", choices=BACKENDS)
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    parser.add_argument("--jit", action=argparse.BooleanOptionalAction, help="compile with XLA")
    parser.add_argument("--deterministic", action="store_true", help="equal bits on every repeat")
    parser.add_argument("--require-gpu", action="store_true", help="fail if no GPU is seen")
    parser.add_argument("--threads", type=int, metavar="T", help="processor threads of a run")
    parser.add_argument("--devices", type=int, default=1, metavar="N", help="of one training")
    parser.add_argument("--results", metavar="DIR", default="results")
    parser.add_argument("--cache", metavar="DIR", help="prepared data (default: $GLIOZOO_CACHE)")
    parser.add_argument("--force", action="store_true", help="repeat what is finished, from zero")
    parser.add_argument("--track", metavar="A,B", help="tell others too: tensorboard, mlflow")
    parser.add_argument("--json", action="store_true", help="print the rows as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Run every model that is meant; the table comes last."""
    from benchmarks.machine import signals

    signals.heed()  # before what takes a second to import
    from benchmarks import tracking
    from benchmarks.protocols import chosen_models
    from benchmarks.running import launch, settle
    from benchmarks.terminal import progress

    names, left_out = chosen_models.models(arguments.models, arguments.protocol)
    for name in left_out:
        say(f"{name} is left out: the protocol {arguments.protocol!r} can't feed it.")
    told = tracking.trackers(arguments.track, arguments.results)
    jobs = [_job(arguments, name, quiet=len(names) > 1) for name in names]
    outcomes = []
    for slot in settle.slots(jobs, progress.progress("Checking")):
        began = time.monotonic()
        outcome = launch.launch(slot)
        if outcome.record is None:
            return outcome.code  # it has said why, and would say it of every other model too
        outcomes.append(outcome)
        tracking.publish(told, outcome)
        if len(names) > 1:
            say(_line(outcome, time.monotonic() - began))
    _show(outcomes, as_json=arguments.json)
    return launch.FAILED if any(outcome.code for outcome in outcomes) else launch.FINE


def _job(arguments: argparse.Namespace, model: str, quiet: bool) -> "Job":
    from benchmarks.running.job import Job

    return Job(model=model, quiet=quiet, **chosen(arguments))


def chosen(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options that go into a job."""
    return {name: value for name, value in vars(arguments).items() if name in _OPTIONS}


_OPTIONS = (
    *("protocol", "data", "version", "seed", "fold", "variant", "backend", "precision", "jit"),
    *("deterministic", "require_gpu", "threads", "devices", "results", "cache", "force"),
    "recalibrate",
    "from_weights",
)


def _line(outcome: "Outcome", seconds: float) -> str:
    """Say how a run ended in a line."""
    from benchmarks.tables.bench_rows import row

    assert outcome.record is not None
    if outcome.record.status != "ok":
        return f"{outcome.record.name}: failed: {(outcome.record.error or {}).get('message')}"
    done = f"in {seconds:.0f} s" if outcome.repeated else "done before"
    return f"{outcome.record.name}: Dice {row(outcome.record)['dice']:.3f}, {done}"


def _show(outcomes: "list[Outcome]", *, as_json: bool) -> None:
    from benchmarks.records import record, result_paths
    from benchmarks.tables import bench_rows

    records = [outcome.record for outcome in outcomes if outcome.record]
    if as_json:
        rows = [
            {**bench_rows.row(one), "record": str(outcome.path)}
            for outcome, one in zip(outcomes, records, strict=True)
        ]
        print(json.dumps(record.finite(rows), sort_keys=True))
        return
    bench_rows.show(records)
    for outcome in outcomes:
        again = "" if outcome.repeated else " (done before; --force repeats it)"
        print(f"{outcome.path}{again}")
        print(f"{result_paths.run_folder(outcome.path)}/")
