"""`make perf-first-step`: the wait for the first training step, against one bare `tf.function`.

Each is measured in a process of its own, by turns, in seconds of the processor, which on a busy
machine says more than the clock: 1.2 is the goal of the harness over the bare function.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pages

import zoo

ROOT = Path(__file__).parent.parent.parent
OUT = ROOT / "docs" / "perf" / "first_step.json"
ROUNDS = int(os.environ.get("ROUNDS", "3"))
HOWS = ("bare", "harness")
AS_KERAS = "fit as Keras sets it"  # compiled by XLA: what the harness had to get away from


def measure(model: str, how: str) -> dict:
    import numpy as np
    import tensorflow as tf

    from benchmarks.backends import fusion, programs
    from benchmarks.protocols.protocol import Training
    from benchmarks.training import losses, optimiser

    side, batch = (32, 2) if 2 not in zoo.card(model).ranks else (64, 16)
    sides = (side,) * min(zoo.card(model).ranks)
    fusion.fuse()
    network = zoo.create(model, (*sides, 3), 1, width=0.25)
    loss = losses.create("bce+dice")
    made = optimiser.create(Training(), 100)
    made.build(network.trainable_variables)
    random = np.random.default_rng(0)
    images = random.random((batch, *sides, 3), np.float32)
    masks = (random.random((batch, *sides, 1)) > 0.5).astype(np.uint8)
    dataset = tf.data.Dataset.from_tensors((images, masks)).repeat()
    clock, processor = time.perf_counter(), time.process_time()
    if how == "bare":

        @tf.function
        def step(x, y):
            with tf.GradientTape() as tape:
                value = tf.reduce_mean(loss(y, network(x, training=True)))
            gradients = tape.gradient(value, network.trainable_variables)
            made.apply(gradients, network.trainable_variables)
            return value

        step(*next(iter(dataset)))
    else:
        network.compile(made, loss=loss, jit_compile=False if how == "harness" else "auto")
        if how == "harness":
            programs.train_in_one_graph(network)
        network.fit(dataset, steps_per_epoch=1, epochs=1, shuffle=False, verbose=0)
    return {"s": time.perf_counter() - clock, "cpu_s": time.process_time() - processor}


def main() -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    hows = (*HOWS, AS_KERAS) if os.environ.get("AS_KERAS") else HOWS
    machine = pages.machine()
    kept = json.loads(OUT.read_text()) if OUT.exists() else {}
    for model in sys.argv[1:] or zoo.names():
        found: dict[str, list[float]] = {how: [] for how in hows}
        for turn in range(ROUNDS):
            for how in hows if turn % 2 == 0 else hows[::-1]:
                command = [sys.executable, __file__, "--one", model, how]
                done = subprocess.run(
                    command, env=environment, capture_output=True, text=True, check=True
                )
                found[how].append(json.loads(done.stdout.splitlines()[-1])["cpu_s"])
        seconds = {how: statistics.median(values) for how, values in found.items()}
        told = ", ".join(
            f"{how} {value:.1f} s ({value / seconds['bare']:.2f} x)"
            for how, value in seconds.items()
        )
        print(f"{model}: {told}", flush=True)
        ratio = seconds["harness"] / seconds["bare"]
        kept[model] = {"machine": machine, "cpu_s": found, "harness_over_bare": ratio}
        OUT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(*sys.argv[2:])))
    else:
        main()
