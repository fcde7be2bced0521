"""`make perf-options`: what else a training step could be told to do, and what that is worth.

Each option changes one thing of a step as the harness takes it. One run, by turns, each measurement
in a process of its own; the ratio is that of the seconds with it over those without, for as many
images, from its smallest to its largest over the rounds. Below 1 it is faster. MODELS="a b" chooses
networks of `make perf`, ONLY="remapper,wait for" options that have one of these words. What is
measured of a network takes the place of all that was known of it.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import native_speed
import pages

from benchmarks.backends import device

PLAIN = "as it is"
# What is tried, and what became of it.
OPTIONS = {
    "XLA compiles the step": "dropped",
    "oneDNN's kernels refused": "dropped",
    "norms and Adam as Keras composes them": "dropped",
    "the graph's remapper off": "dropped: one network of three gains",
    "the graph's arithmetic optimiser off": "kept for `--deterministic` alone",
    "operations wait for one another": "dropped: one network of three gains",
    "four steps an execution": "dropped",
    "gradients of two half batches added": "a protocol's choice, not the harness's",
    "mixed_bfloat16": "a protocol's choice: other numbers",
}
ROUNDS, STEPS = int(os.environ.get("ROUNDS", "3")), int(os.environ.get("STEPS", "12"))
JSON, PAGE = Path("docs/perf/options.json"), Path("docs/speed.md")
COMMAND = "make perf-options"
DEFAULT = ("sa_unet", "unet")


def main() -> int:
    """Measure by turns, print and write; or one of the measurements, for a process of its own."""
    if sys.argv[1:2] == ["--one"]:
        print(one(*sys.argv[2:4]))
        return 0
    names = native_speed.chosen(DEFAULT)
    told = json.loads(JSON.read_text(encoding="utf-8")) if JSON.exists() else {}
    machine = pages.machine()
    for name in names:
        told[name] = {"machine": machine, "rounds": measured(name)}
        JSON.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    pages.put(PAGE, COMMAND, table(told))
    return 0


def measured(name: str) -> list[dict[str, float]]:
    """Time every option of one network, by turns."""
    asked = (PLAIN, *having(os.environ.get("ONLY", "")))
    return [{option: _apart(name, option) for option in asked} for _ in range(ROUNDS)]


def having(words: str) -> list[str]:
    """Return the options that have one of these words, or all of them."""
    return [option for option in OPTIONS if any(word in option for word in words.split(","))]


def _apart(name: str, option: str) -> float:
    command = [sys.executable, __file__, "--one", name, option]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{name}, {option}, failed:\n{done.stderr[-2000:]}")
    seconds = float(done.stdout.splitlines()[-1])
    print(name, option, round(seconds, 3), file=sys.stderr, flush=True)
    return seconds


def one(name: str, option: str) -> float:
    """Return the seconds of a step on a whole batch, within `fit` as the harness calls it."""
    if option == "oneDNN's kernels refused":
        os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
    device.select_backend("tensorflow")
    import keras
    import numpy as np
    import tensorflow as tf

    import zoo
    from benchmarks.backends import fusion, programs
    from benchmarks.protocols.protocol import Training
    from benchmarks.training import losses, optimiser

    _set_graph(option)
    if option == "mixed_bfloat16":
        device.set_precision(option)
    if option != "norms and Adam as Keras composes them":
        fusion.fuse()
    own = native_speed.NETWORKS[name]
    model = zoo.create(name, own.shape, 1, width=own.width)
    halves = 2 if option == "gradients of two half batches added" else 1
    executed = 4 if option == "four steps an execution" else 1
    made = optimiser.create(Training(), 100)
    made.gradient_accumulation_steps = halves if halves > 1 else None
    model.compile(
        made,
        loss=losses.create("bce+dice"),
        jit_compile=option == "XLA compiles the step",
        steps_per_execution=executed,
    )
    if executed == 1:
        programs.train_in_one_graph(model)
    random = np.random.default_rng(0)
    batch = own.batch // halves
    images = random.random((batch, *own.shape), np.float32)
    masks = (random.random((batch, *own.shape[:-1], 1)) > 0.5).astype(np.uint8)
    endless = tf.data.Dataset.from_tensors((images, masks)).repeat().with_options(_untuned())
    steps, seconds = STEPS * halves, []
    for _ in range(2):
        began = time.perf_counter()
        model.fit(endless, steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0)
        seconds.append(time.perf_counter() - began)
    keras.backend.clear_session()
    return seconds[-1] / STEPS


def _set_graph(option: str) -> None:
    import tensorflow as tf

    if option == "the graph's remapper off":
        tf.config.optimizer.set_experimental_options({"remapping": False})
    elif option == "the graph's arithmetic optimiser off":
        tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
    elif option == "operations wait for one another":
        tf.config.threading.set_inter_op_parallelism_threads(1)


def _untuned() -> Any:
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False  # its thread takes turns with the step's own
    return options


def table(told: dict[str, Any]) -> str:
    """Return the table in Markdown: a row for each option, a column for each network."""
    lines = [
        f"| instead of a step as it is | {' | '.join(f'`{name}`' for name in told)} | |",
        "|---|" + "--:|" * len(told) + "---|",
    ]
    for option, became in OPTIONS.items():
        cells = [ratios(entry["rounds"], option) for entry in told.values()]
        lines.append(f"| {option} | {' | '.join(cells)} | {became} |")
    return "\n".join([*lines, "", *(_beneath(name, entry) for name, entry in told.items()), ""])


def _beneath(name: str, entry: dict[str, Any]) -> str:
    machine, rounds = entry["machine"], len(entry["rounds"])
    where = f"{machine['cpu']}, {machine['cores']} cores, {pages.noise(machine['load'])}"
    return f"`{name}`: {rounds} round{'s' * (rounds != 1)}, {where}."


def ratios(rounds: list[dict[str, float]], option: str) -> str:
    """Say how long a step takes with an option, times one without of the same round."""
    found = sorted(turn[option] / turn[PLAIN] for turn in rounds if option in turn)
    if not found:
        return "–"
    ends = dict.fromkeys(f"{ratio:.2f}" for ratio in (found[0], found[-1]))
    return " to ".join(ends)


if __name__ == "__main__":
    sys.exit(main())
