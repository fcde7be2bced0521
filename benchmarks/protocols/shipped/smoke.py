"""Does it run at all: seconds a model, on eight small phantoms. Its scores mean nothing."""

from benchmarks.protocols.protocol import Evaluation, Protocol, Training
from data_pipeline import Cohort, DataSpec

VOLUMES = "smoke3d"

PROTOCOL = Protocol(
    name="smoke",
    data=DataSpec(
        size=(32, 32),
        batch_size=8,
        drop_last=True,
        slices="tumour",
        phantom=Cohort(patients=8, size=32),
    ),
    train=Training(epochs=2, width=0.125),
    evaluate=Evaluation(batch_size=16),
)
