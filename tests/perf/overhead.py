"""`make perf-overhead`: what the harness adds to a bare `model.fit` on the same data and model.

Both alternate in one process, round by round, over the same compiled step. What counts is the
median of the ratios in seconds of the processor, which other work on the machine stretches less
than those of the clock (told beside them). Validation is work and not overhead, so it is left out;
the clock of the data, the looks at the loss, the lines shown, the state and the checkpoints are in.
"""

import io
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import pages

from benchmarks.backends import device

MODEL = "unet"
PROTOCOL = "quick"
ROUNDS = 15
EPOCHS = 3  # of a round
STEPS = 12  # of an epoch
OUT = Path("docs/perf/overhead.json")


def main() -> int:
    """Measure, print and write."""
    machine = pages.machine()
    device.select_backend()
    import data_pipeline
    import zoo
    from benchmarks.protocols import protocol
    from benchmarks.training import train

    chosen = protocol.find(PROTOCOL, MODEL)
    data = data_pipeline.load(chosen.data)
    model = zoo.create(MODEL, data.input_shape, data.classes, width=chosen.train.width)
    train.compile_model(model, data, chosen)
    with tempfile.TemporaryDirectory() as folder:
        harness = _harness(data, chosen, Path(folder))
        _fit(model, *harness())  # trace, and fill the caches
        pairs = [(_bare(model, data), _fit(model, *harness())) for _ in range(ROUNDS)]
    clock, processor = ([ours[n] / bare[n] for bare, ours in pairs] for n in range(2))
    told = {
        "machine": machine,
        "model": MODEL,
        "protocol": PROTOCOL,
        "backend": device.backend(),
        "step_ms": round(1000 * statistics.median(b[0] for b, _ in pairs) / (EPOCHS * STEPS), 1),
        "overhead": round(statistics.median(processor) - 1, 4),
        "overhead_by_the_clock": round(statistics.median(clock) - 1, 4),
        "ratios": [round(ratio, 4) for ratio in processor],
        "ratios_by_the_clock": [round(ratio, 4) for ratio in clock],
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")
    print(json.dumps(told, indent=1))
    return 0


def _harness(data, chosen, folder: Path):
    """Return a maker of what `train` gives to `fit`; epochs never run out."""
    import dataclasses

    from benchmarks.training import train
    from benchmarks.training.checkpoint import Checkpoints
    from benchmarks.training.display import Lines
    from benchmarks.training.state import State

    endless = dataclasses.replace(
        chosen, train=dataclasses.replace(chosen.train, epochs=10**6, early_stopping=None)
    )
    checkpoints = Checkpoints(folder, {})

    def harness():
        batches, waited = train.feed(data, 0)
        supervisor = train.Supervisor(
            State(),
            endless,
            validate=lambda: (0.5, 0.5),
            checkpoints=checkpoints,
            display=Lines("overhead", EPOCHS, STEPS, file=io.StringIO()),
            waited=waited,
            steps=STEPS,
        )
        return batches, [supervisor]

    return harness


def _bare(model, data) -> tuple[float, float]:
    import keras

    if keras.config.backend() == "tensorflow":
        return _fit(model, data.epochs(0), [])
    return _fit(model, data.training_batches(0), [])


def _fit(model, batches, callbacks) -> tuple[float, float]:
    """Return the seconds of the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    model.fit(
        batches, epochs=EPOCHS, steps_per_epoch=STEPS, shuffle=False, verbose=0, callbacks=callbacks
    )
    return time.perf_counter() - clock, time.process_time() - processor


if __name__ == "__main__":
    sys.exit(main())
