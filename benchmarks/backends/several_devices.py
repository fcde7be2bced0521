"""One training over several devices of a machine; the global batch stays the protocol's.

Each device has a copy of the model and an equal part of every batch. What concerns the batch as a
whole is asked of all of them together, so that the result is that of one device: the statistics of
batch normalisation, the gradient before it is clipped, and so every weight. Dropout alone draws
other numbers under TensorFlow, where each device draws its own.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from benchmarks.backends import device
from benchmarks.errors import UserError
from benchmarks.protocols.protocol import Protocol

if TYPE_CHECKING:
    import keras

    from data_pipeline import Data


def expose(count: int) -> None:
    """Make a processor look like `count` devices, before a backend starts; GPUs are what they are.

    Call it after `device.select_backend`.
    """
    if count == 1:
        return
    require_backend(count, device.backend())
    if device.backend() == "jax":
        flag = f"--xla_force_host_platform_device_count={count}"
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flag}".strip()
        return
    _refuse_several_hosts()
    import tensorflow as tf

    if not tf.config.list_physical_devices("GPU"):
        (processor, *_) = tf.config.list_physical_devices("CPU")
        parts = [tf.config.LogicalDeviceConfiguration() for _ in range(count)]
        tf.config.set_logical_device_configuration(processor, parts)


def require_backend(count: int, backend: str) -> None:
    """Refuse several devices to a backend that trains on one, and less than one to any."""
    if count < 1:
        raise UserError(f"Expected --devices of 1 or more. Received: {count}.")
    if count > 1 and backend == "torch":
        raise UserError("--devices needs --backend tensorflow or jax: torch trains on one device.")


def _refuse_several_hosts() -> None:
    cluster = json.loads(os.environ.get("TF_CONFIG") or "{}").get("cluster", {})
    if sum(map(len, cluster.values())) > 1:
        raise UserError(
            "TF_CONFIG names several hosts, and Keras 3 does not train under "
            "MultiWorkerMirroredStrategy (keras-team/keras#20585): unset it, or use "
            "--backend jax, as docs/scaling.md shows."
        )


def require_equal_parts(count: int, protocol: Protocol, data: "Data") -> None:
    """Refuse batches that don't divide by the devices: some samples would weigh more."""
    training, size = data.pipelines["train"], data.spec.batch_size
    sizes = {"the training's batch": size, "the training's last batch": size}
    if not data.spec.drop_last:
        sizes["the training's last batch"] = len(training.sampler) % size
    if device.backend() == "jax":
        sizes["the evaluation's batch"] = protocol.evaluate.batch_size
    require_divisor(count, sizes)


def require_divisor(count: int, sizes: Mapping[str, int]) -> None:
    """Refuse devices that a batch does not divide by."""
    for name, samples in sizes.items():
        if samples % count:
            raise UserError(
                f"Expected {name} to divide by --devices {count}. Received: {samples} samples."
            )


@contextmanager
def spread(count: int) -> Iterator[None]:
    """Build and train on the first `count` devices what is built and trained within."""
    if count == 1:
        yield
    elif device.backend() == "jax":
        import keras

        with keras.distribution.DataParallel(devices=_first(count)).scope():
            yield
    else:
        import tensorflow as tf

        with tf.distribute.MirroredStrategy(_first(count)).scope():
            yield


def _first(count: int) -> list[Any]:
    """Name the devices as the backend wants them."""
    if device.backend() == "jax":
        import jax

        found = [f"{one.platform}:{one.id}" for one in jax.local_devices()]
    else:
        import tensorflow as tf

        kind = "GPU" if device.gpus() else "CPU"
        found = [one.name for one in tf.config.list_logical_devices(kind)]
    if len(found) < count:
        raise UserError(f"Expected --devices up to {len(found)}, all that are here. Got: {count}.")
    return found[:count]


def ask_together(model: "keras.Model") -> None:
    """Let the copies of a compiled model agree on statistics and on the clipping of gradients."""
    import keras

    if keras.config.backend() != "tensorflow":
        return  # JAX computes as on one device, and divides the work afterwards
    import tensorflow as tf

    strategy = tf.distribute.get_strategy()
    if strategy.num_replicas_in_sync == 1:
        return
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True
    if isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer):
        raise UserError("--devices needs float32 or mixed_bfloat16: mixed_float16 scales a loss.")
    _clip_together(model.optimizer, strategy.num_replicas_in_sync)


def _clip_together(optimiser: Any, count: int) -> None:
    """Clip the sum of the copies' gradients: Keras clips each copy's own, and sums afterwards."""
    import tensorflow as tf

    clip = optimiser._clip_gradients

    def clip_sum(gradients: list[Any]) -> list[Any]:
        replica = tf.distribute.get_replica_context()
        summed = replica.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        return [gradient / count for gradient in clip(summed)]  # Keras sums these once more

    optimiser._clip_gradients = clip_sum
