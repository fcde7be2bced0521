"""The default: every slice architecture in under five minutes on two cores, on phantoms."""

from benchmarks.protocol import Evaluation, Protocol, Training
from data_pipeline import Cohort, DataSpec

PROTOCOL = Protocol(
    name="quick",
    data=DataSpec(
        size=(64, 64),
        batch_size=16,
        drop_last=True,
        slices="tumour",
        phantom=Cohort(patients=24, size=64),
    ),
    train=Training(epochs=12, width=0.25),
    evaluate=Evaluation(batch_size=32),
)
