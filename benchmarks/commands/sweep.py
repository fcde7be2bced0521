"""`gliozoo sweep`: models x seeds x folds, what is done skipped, what was killed resumed."""

import argparse
import json
import sys
from contextlib import closing, redirect_stdout
from typing import TYPE_CHECKING

from benchmarks.commands import bench
from benchmarks.errors import UserError

if TYPE_CHECKING:
    from benchmarks.running.job import Job
    from benchmarks.sweep.engines.executor import Executor
    from benchmarks.sweep.plan import Plan
    from benchmarks.sweep.status import Standing
    from benchmarks.tracking import Tracker

EXECUTORS = ("local", "ray", "slurm")
OF_CLUSTERS = ("gpus", "memory", "address", "storage", "partition", "sbatch")
REFUSALS = 3  # in a row, and the reason is not one run's own


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--models", default="all", help="a name, 'a,b', a wildcard, or all (all)")
    parser.add_argument("--seeds", default="0", help="like 0,1,2 or 0-4 (0)")
    parser.add_argument("--folds", default="0", help="like 0,1,2 or 0-4 (0)")
    parser.add_argument("--executor", choices=EXECUTORS, default="local", help="who runs (local)")
    parser.add_argument("--jobs", type=int, metavar="N", help="runs at once (local: 1)")
    parser.add_argument("--gpus", type=float, metavar="F", help="GPUs of a run, or its part of one")
    parser.add_argument("--memory", type=float, metavar="GB", help="memory of a run")
    parser.add_argument("--address", help="the Ray cluster, or auto (none: Ray starts here)")
    parser.add_argument(
        "--storage", metavar="URL", help="where checkpoints outlive a node (fsspec)"
    )
    parser.add_argument("--minutes", type=int, default=240, help="of a Slurm job, then it resumes")
    parser.add_argument("--partition", help="of Slurm")
    parser.add_argument("--sbatch", metavar="K=V", action="append", default=[], help="to sbatch")
    bench.add_run_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run what is not done, then say what there is."""
    from benchmarks.machine import signals

    signals.heed()  # before what takes a second to import
    from benchmarks import tracking
    from benchmarks.running import launch
    from benchmarks.sweep import plan as planning

    planned = planning.make(
        _pattern(arguments),
        arguments.models,
        arguments.seeds,
        arguments.folds,
        any_machine=arguments.executor != "local",
    )
    for name in planned.left_out:
        bench.say(f"{name} is left out: the protocol {arguments.protocol!r} can't feed it.")
    told = tracking.trackers(arguments.track, arguments.results)
    with redirect_stdout(sys.stderr):  # engines have things to say, too
        executor = _executor(arguments)
        standing = _follow(planned, executor, told)
    _show(standing, arguments)
    if standing.refused:
        return launch.USER
    return launch.FAILED if standing.failed else launch.FINE


def _pattern(arguments: argparse.Namespace) -> "Job":
    from benchmarks.running.job import Job

    chosen = bench.chosen(arguments)
    if arguments.executor != "local":
        chosen["threads"] = arguments.threads or 1  # a cluster counts the processors of a run
    return Job(model="", quiet=True, **chosen)


def _executor(arguments: argparse.Namespace) -> "Executor":
    from benchmarks.sweep.engines.cluster_needs import Needs

    if arguments.executor == "local":
        from benchmarks.sweep.engines.local import Local

        _nothing_of_clusters(arguments)
        jobs = 1 if arguments.jobs is None else arguments.jobs
        return Local(jobs, arguments.threads, arguments.devices)
    needs = Needs(arguments.threads or 1, arguments.gpus, arguments.memory)
    if arguments.executor == "ray":
        from benchmarks.sweep.engines.on_ray import OnRay

        address, storage = arguments.address, arguments.storage
        return OnRay(needs, address=address, storage=storage, jobs=arguments.jobs)
    from benchmarks.sweep.engines.on_slurm import OnSlurm, Queue

    queue = Queue(arguments.minutes, arguments.partition, _settings(arguments.sbatch))
    return OnSlurm(needs, queue, arguments.results, arguments.jobs)


def _nothing_of_clusters(arguments: argparse.Namespace) -> None:
    """Refuse what this machine would ignore."""
    given = [f"--{name}" for name in OF_CLUSTERS if getattr(arguments, name)]
    if given:
        raise UserError(
            f"{', '.join(given)} asks something of a cluster: name one, --executor ray or slurm. "
            "Here --jobs and --threads divide the machine, and its GPUs go round."
        )


def _settings(pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise UserError(f"Expected --sbatch as KEY=VALUE. Received: {pair!r}.")
    return dict(pair.split("=", 1) for pair in pairs)


def _follow(planned: "Plan", executor: "Executor", told: "list[Tracker]") -> "Standing":
    """Run a plan to its end, or until several runs on end were refused."""
    from benchmarks import tracking
    from benchmarks.running.launch import USER
    from benchmarks.sweep.watch import Watch

    refusals = 0
    with Watch(planned, executor.parallel) as watch:
        if planned.waiting:
            with closing(executor.run(planned.waiting)) as outcomes:
                for outcome in outcomes:
                    watch.ended(outcome)
                    tracking.publish(told, outcome)
                    refusals = refusals + 1 if outcome.code == USER else 0
                    if refusals == REFUSALS:
                        bench.say("The sweep stops here: the next run would be refused too.")
                        break
    return watch.standing


def _show(standing: "Standing", arguments: argparse.Namespace) -> None:
    from benchmarks.records import record
    from benchmarks.sweep import summary

    told = summary.rows(standing)
    if arguments.json:
        print(json.dumps(record.finite(told), sort_keys=True))
        return
    summary.show(told)
    if any(one["state"] != "done" and one["state"] != "done before" for one in told):
        print("The same command runs again what failed or is left.")
