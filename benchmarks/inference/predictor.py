"""Probabilities for a whole scan: batches of one fixed shape, so that one trace serves them all."""

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.inference import sliding
from benchmarks.protocols.protocol import Evaluation

if TYPE_CHECKING:
    import keras

    from data_pipeline.scans.predicted_scan import Voxels


class Predictor:
    """Runs a model over scans; the last batch is filled up rather than traced anew.

    `mirror` averages over flips: left and right, and, in volumes, front and back, top and bottom.
    """

    def __init__(
        self,
        model: "keras.Model",
        evaluation: Evaluation,
        *,
        mirror: bool = False,
        progress: sliding.Progress | None = None,
    ):
        self.model = model
        self.evaluation = evaluation
        self.progress = progress
        self.sides: tuple[int, ...] = model.input_shape[1:-1]
        axes = (1,) if len(self.sides) == 2 else (0, 1, 2)
        self._network = sliding.mirrored(self._answer, axes) if mirror else self._answer

    def __call__(self, images: "np.ndarray | Voxels") -> np.ndarray:
        """Return `(D, h, w, K)` probabilities of `(D, h, w, C)` images.

        A model of slices takes them one by one; a model of volumes slides over them.
        """
        if len(self.sides) == 2:
            return self.batched(images)
        return sliding.slide(
            self._network,
            images,
            sliding.Windows(self.sides, self.evaluation.overlap, self.evaluation.blending),
            batch_size=self.evaluation.batch_size,
            progress=self.progress,
        )

    def batched(self, samples: "np.ndarray | Voxels") -> np.ndarray:
        """Return the model's answer to any number of samples."""
        size = self.evaluation.batch_size
        starts = range(0, len(samples), size)
        chunks = (samples[start : start + size] for start in starts)  # one is float32 at a time
        watched = self.progress(chunks, len(starts)) if self.progress else chunks
        return np.concatenate([self._network(chunk) for chunk in watched])

    def _answer(self, batch: np.ndarray) -> np.ndarray:
        wanted, missing = len(batch), self.evaluation.batch_size - len(batch)
        if missing:
            batch = np.concatenate([batch, np.zeros((missing, *batch.shape[1:]), batch.dtype)])
        return np.asarray(self.model.predict_on_batch(batch))[:wanted]
