"""TensorFlow's fused kernels for batch normalisation and Adam, which Keras 3 no longer calls.

Keras composes both of elementwise operations, each a pass over memory of its own: on a CPU a third
of a training step. A kernel computes the same in one pass or two. Layers and optimisers keep their
class, variables and names; JAX and torch have fused operations of their own.
"""

from typing import Any

import keras
from keras.layers import BatchNormalization
from keras.optimizers import Adam

LEAST_EPSILON = 1.001e-5  # below it the kernel would use this instead
_composed = BatchNormalization.call
_composed_step = Adam.update_step


def fuse() -> None:
    """Let what this process builds and trains use the kernels where they can be used."""
    if keras.config.backend() == "tensorflow":
        BatchNormalization.call = _call
        Adam.update_step = _step


def _call(self, inputs, training=None, mask=None):
    if mask is not None or not _fits(self, inputs):
        return _composed(self, inputs, training=training, mask=mask)
    return _fused(self, inputs, bool(training and self.trainable))


def _fits(layer: Any, inputs: Any) -> bool:
    rank = len(inputs.shape)
    return (
        rank > 2
        and keras.backend.standardize_dtype(inputs.dtype) != "float64"  # the kernel knows none
        and layer.axis in (-1, rank - 1)
        and layer.epsilon >= LEAST_EPSILON
        and not (layer.renorm or layer.synchronized)
    )


def _fused(layer: Any, inputs: Any, training: bool) -> Any:
    import tensorflow as tf

    channels = inputs.shape[-1]
    pixels = tf.reshape(inputs, (-1, 1, 1, channels))
    moving = {} if training else {"mean": layer.moving_mean, "variance": layer.moving_variance}
    outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
        pixels,
        tf.convert_to_tensor(layer.gamma) if layer.scale else tf.ones(channels),
        tf.convert_to_tensor(layer.beta) if layer.center else tf.zeros(channels),
        **{name: tf.convert_to_tensor(value) for name, value in moving.items()},
        epsilon=layer.epsilon,
        is_training=training,
    )
    if training:
        _move(layer, tf.cast(tf.shape(pixels)[0], tf.float32), mean, variance)
    return keras.ops.cast(tf.reshape(outputs, tf.shape(inputs)), layer.compute_dtype)


def _move(layer: Any, count: Any, mean: Any, variance: Any) -> None:
    """Update the moving statistics; the kernel's variance is that of a sample, Keras' is not."""
    variance = variance * (keras.ops.maximum(count - 1.0, 1.0) / count)
    for moving, now in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
        moving.assign(moving * layer.momentum + now * (1.0 - layer.momentum))


def _step(self, gradient, variable, learning_rate):
    import tensorflow as tf

    alone = tf.distribute.get_strategy().num_replicas_in_sync == 1
    single = keras.backend.standardize_dtype(variable.dtype) == "float32"
    if self.amsgrad or not (alone and single and tf.is_tensor(gradient)):
        _composed_step(self, gradient, variable, learning_rate)
        return
    place = self._get_variable_index(variable)
    count = keras.ops.cast(self.iterations + 1, "float32")
    tf.raw_ops.ResourceApplyAdam(
        var=_handle(variable),
        m=_handle(self._momentums[place]),
        v=_handle(self._velocities[place]),
        beta1_power=tf.pow(tf.constant(self.beta_1, tf.float32), count),
        beta2_power=tf.pow(tf.constant(self.beta_2, tf.float32), count),
        lr=tf.cast(learning_rate, tf.float32),
        beta1=self.beta_1,
        beta2=self.beta_2,
        epsilon=self.epsilon,
        grad=tf.cast(gradient, tf.float32),
    )


def _handle(variable: Any) -> Any:
    """Return the resource of a variable, TensorFlow's own or Keras' around it."""
    return variable.value.handle if isinstance(variable, keras.Variable) else variable.handle
