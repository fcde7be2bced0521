"""A Ray cluster of a head and two workers on loopback, of which one and the driver are killed."""

import contextlib
import dataclasses
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import zoo
from benchmarks.records import record

MARK = "GLIOZOO_TEST_NODE"
# What two runs of equal seeds may differ in: times, and what was committed in between.
VARIES = ("seconds", "samples_per_sec", "data_wait_share", "first_step_s", "commit", "dirty")
SEEDS = "0-1"
RUNS = 2 * len(zoo.names())
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}  # of this cluster


def ray(*words: str, node: str, **more: str) -> None:
    """Run `ray` so that all processes of a node can be told by their environment."""
    command = [str(Path(sys.executable).parent / "ray"), *words]
    environment = os.environ | {MARK: node, "RAY_USAGE_STATS_ENABLED": "0"} | TOKEN | more
    subprocess.run(command, env=environment, check=True, capture_output=True, text=True)


def kill(node: str) -> None:
    """Kill every process of a node, as when its machine is switched off."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"{MARK}={node}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                os.kill(int(folder.name), signal.SIGKILL)


@pytest.fixture
def cluster(tmp_path):
    pytest.importorskip("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    name = tmp_path.name
    nodes = [f"{name}-{role}" for role in ("head", "one", "two")]
    port = address.rpartition(":")[2]
    head = ["start", "--head", "--node-ip-address=127.0.0.1", f"--port={port}", "--num-cpus=0"]
    quiet = ["--include-dashboard=false", "--disable-usage-stats"]
    cache = {"GLIOZOO_CACHE": str(tmp_path / "cache")}
    try:
        ray(*head, *quiet, node=nodes[0], **cache)
        for node in nodes[1:]:
            ray("start", f"--address={address}", "--num-cpus=1", node=node, **cache)
        yield address, nodes
    finally:
        for node in nodes:
            kill(node)


def sweep(folder: Path, *words: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "benchmarks", "sweep", "--models", "all", "--seeds", SEEDS]
    fixed = ["--protocol", "smoke", "--deterministic", "--threads", "1"]
    environment = os.environ | {"GLIOZOO_MACHINE": "box", "GLIOZOO_CACHE": str(folder / "cache")}
    environment |= TOKEN
    return subprocess.Popen(
        [*command, *fixed, *words],
        env=environment,
        cwd=Path(__file__).parents[3],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def finished(results: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (results / "box").glob("*.json")}


def wait_for(results: Path, count: int, process: subprocess.Popen) -> None:
    while len(finished(results)) < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.2)


def timeless(path: Path) -> dict:
    def without(values):
        return {name: value for name, value in values.items() if name not in VARIES}

    done = record.read(path)
    return dataclasses.asdict(
        dataclasses.replace(
            done,
            created="",
            command="",
            seal="",  # of all, the times too
            cost={},
            environment=without(done.environment) | {"cores": 0},
            history=[without(row) for row in done.history],
            training=without(done.training),
        )
    )


@pytest.mark.slow
def test_a_sweep_on_a_cluster_equals_the_local_one_whoever_dies(cluster, tmp_path):
    address, (_, one, _) = cluster
    results = tmp_path / "cluster"
    words = ["--executor", "ray", "--address", address, "--results", str(results)]

    driver = sweep(tmp_path, *words)
    wait_for(results, RUNS // 4, driver)
    driver.kill()
    driver.communicate()
    before = finished(results)

    driver = sweep(tmp_path, *words, "--json")
    wait_for(results, RUNS // 2, driver)
    kill(one)
    out, told = driver.communicate()
    assert driver.returncode == 0, told
    states = [row["state"] for row in json.loads(out)]
    assert states.count("done before") == len(before)
    assert states.count("done") == RUNS - len(before)
    after = finished(results)
    assert {name: after[name] for name in before} == before, "what was done is left alone"

    local = sweep(tmp_path, "--jobs", "2", "--results", str(tmp_path / "local"))
    _, told = local.communicate()
    assert local.returncode == 0, told
    assert set(finished(tmp_path / "local")) == set(after)
    for name in after:
        assert timeless(results / "box" / name) == timeless(tmp_path / "local" / "box" / name)
