"""`smoke` for architectures of volumes: patches of the same eight small phantoms."""

from benchmarks.protocols.protocol import Evaluation, Protocol, Training
from data_pipeline import Cohort, DataSpec

SLICES = "smoke"

PROTOCOL = Protocol(
    name="smoke3d",
    data=DataSpec(
        rank=3,
        size=(16, 32, 32),
        batch_size=2,
        drop_last=True,
        phantom=Cohort(patients=8, size=32),
    ),
    train=Training(epochs=2, width=0.125),
    evaluate=Evaluation(batch_size=2),
)
