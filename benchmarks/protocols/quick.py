"""The default: every slice architecture in under five minutes on two cores, on 60 phantoms.

Eight slices of 64x64 a batch, half of them without tumour; a quarter of the published widths,
which leaves the encoders of keras.applications whole.
"""

from benchmarks.protocol import Evaluation, Protocol, Training
from data_pipeline import Cohort, DataSpec

PROTOCOL = Protocol(
    name="quick",
    data=DataSpec(
        size=(64, 64),
        channels=("t1", "flair", "t1ce", "t2"),
        batch_size=8,
        drop_last=True,
        slices="balanced",
        phantom=Cohort(patients=60, size=64),
    ),
    train=Training(epochs=3, width=0.25, learning_rate=5e-3),
    evaluate=Evaluation(batch_size=38),
)
