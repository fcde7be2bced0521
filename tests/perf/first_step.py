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

ROOT = Path(__file__).parent.parent.parent
MODELS = ("mod_r2au", "unet", "resnet50_unet")
ROUNDS = int(os.environ.get("ROUNDS", "3"))


def measure(model: str, how: str) -> dict:
    import numpy as np
    import tensorflow as tf

    import zoo
    from benchmarks import losses, optimiser
    from benchmarks.protocol import Training

    network = zoo.create(model, (64, 64, 3), 1, width=0.25)
    loss = losses.create("bce+dice")
    made = optimiser.create(Training(), 100)
    made.build(network.trainable_variables)
    random = np.random.default_rng(0)
    images = random.random((16, 64, 64, 3), np.float32)
    masks = (random.random((16, 64, 64, 1)) > 0.5).astype(np.uint8)
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
        network.fit(dataset, steps_per_epoch=1, epochs=1, shuffle=False, verbose=0)
    return {"s": time.perf_counter() - clock, "cpu_s": time.process_time() - processor}


def main() -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    hows = ("bare", "harness", "fit as Keras sets it")
    for model in sys.argv[1:] or MODELS:
        found: dict[str, list[float]] = {how: [] for how in hows}
        for _ in range(ROUNDS):
            for how in hows:
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


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(*sys.argv[2:])))
    else:
        main()
