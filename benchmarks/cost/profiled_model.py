"""What a profile is taken of: a model of the zoo at one shape, batch and precision."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import zoo
from benchmarks.backends import device
from benchmarks.errors import UserError

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Subject:
    """One model as it is built and fed."""

    model: str
    variant: str | None = None
    input_shape: tuple[int, ...] | None = None
    classes: int | None = None
    width: float = 1.0
    batch_size: int = 1
    precision: str = "float32"
    settings: Mapping[str, Any] = field(default_factory=dict)

    def build(self) -> "keras.Model":
        """Build the model under its precision, and leave Keras' own as it was."""
        if self.batch_size < 1:
            raise UserError(f"A batch holds at least 1 sample. Received: {self.batch_size}.")
        import keras

        from benchmarks.backends import fusion

        fusion.fuse()
        shape = None if self.input_shape is None else tuple(self.input_shape)
        before = keras.config.dtype_policy()
        try:
            device.set_precision(self.precision)
            return zoo.create(
                self.model, shape, self.classes, self.variant, self.width, **self.settings
            )
        finally:
            keras.config.set_dtype_policy(before)
