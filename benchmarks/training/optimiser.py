"""The optimiser of a protocol, with its schedule, gradient clipping and loss scaling."""

import keras

from benchmarks.protocols.protocol import Training

_KINDS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "sgd": lambda rate, **settings: keras.optimizers.SGD(rate, momentum=0.99, **settings),
}
WARMUP = 0.05  # of all steps, unless the protocol says otherwise
FLOOR = 0.01  # of the rate, where the cosine ends


def create(training: Training, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """Return a fresh optimiser; under float16 it scales the loss so that gradients survive."""
    rate = training.learning_rate
    if training.schedule == "cosine":
        rate = cosine(training, steps_per_epoch)
    optimiser = _KINDS[training.optimiser](rate, global_clipnorm=training.clip_norm)
    if keras.config.dtype_policy().compute_dtype == "float16":
        return keras.optimizers.LossScaleOptimizer(optimiser)
    return optimiser


def cosine(training: Training, steps_per_epoch: int) -> keras.optimizers.schedules.CosineDecay:
    """Warm up linearly, then follow half a cosine down to a hundredth of the rate."""
    total = training.epochs * steps_per_epoch
    warmup = round(training.schedule_settings.get("warmup", WARMUP) * total)
    return keras.optimizers.schedules.CosineDecay(
        training.learning_rate / 10 if warmup else training.learning_rate,
        decay_steps=max(1, total - warmup),
        alpha=training.schedule_settings.get("floor", FLOOR),
        warmup_target=training.learning_rate if warmup else None,
        warmup_steps=warmup,
    )


def rate_of(optimiser: keras.optimizers.Optimizer) -> float:
    """Return the rate at this moment."""
    return float(keras.ops.convert_to_numpy(optimiser.learning_rate))
