"""The default: every slice architecture in under five minutes on two cores, on phantoms."""

from benchmarks.protocol import Evaluation, Protocol, Training
from data_pipeline import Cohort, DataSpec

PROTOCOL = Protocol(
    name="quick",
    data=DataSpec(
        size=(64, 64),
        batch_size=16,
        drop_last=True,
        slices="balanced",
        phantom=Cohort(patients=24, size=64),
    ),
    train=Training(epochs=5, width=0.25, learning_rate=2e-3),
    evaluate=Evaluation(batch_size=38),
)
