"""A network as a program of the backend: run at its fastest, or read as XLA's own text."""

from collections.abc import Callable
from typing import Any

from benchmarks.backends import device
from benchmarks.errors import UserError


def forward(model: Any, jit: bool) -> Callable[[Any], Any]:
    """Return inference as the backend runs it fastest: graph, compiled function or eager."""
    if device.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(lambda x: model(x, training=False), jit_compile=jit)
    if device.backend() == "jax":
        return _forward_jax(model, jit)
    import torch

    def infer(x: Any) -> Any:
        with torch.no_grad():
            return model(x, training=False)

    return torch.compile(infer) if jit else infer


def _forward_jax(model: Any, jit: bool) -> Callable[[Any], Any]:
    import jax

    state = [[v.value for v in group] for group in _variables(model)]

    def infer(weights: list, x: Any) -> Any:
        return model.stateless_call(*weights, x, training=False)[0]

    compiled = jax.jit(infer) if jit else infer
    return lambda x: compiled(state, x)


def train_in_one_graph(model: Any) -> None:
    """Let `fit` take a compiled model's step as one graph of TensorFlow; the same bits come out.

    Keras puts a function into a function, and TensorFlow optimises both before the first step. XLA
    needs the inner one, which reads no dataset, and so do several devices.
    """
    if device.backend() != "tensorflow" or model.jit_compile:
        return
    import tensorflow as tf

    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        model.train_function = tf.function(
            lambda batches: model.train_step(batches.get_next()),
            autograph=False,
            reduce_retracing=True,
        )


def _variables(model: Any) -> tuple[list, list]:
    return model.trainable_variables, model.non_trainable_variables


def lowered(model: Any, shape: tuple[int, ...]) -> str:
    """Return inference as the HLO program that XLA is given, before its optimisations."""
    if device.backend() == "tensorflow":
        import tensorflow as tf

        function = tf.function(lambda x: model(x, training=False), jit_compile=True)
        spec = tf.TensorSpec(shape, model.inputs[0].dtype)
        return function.experimental_get_compiler_ir(spec)(stage="hlo")
    if device.backend() == "jax":
        import jax

        def infer(weights: list, x: Any) -> Any:
            return model.stateless_call(*weights, x, training=False)[0]

        state = [[v.value for v in group] for group in _variables(model)]
        image = jax.ShapeDtypeStruct(shape, model.inputs[0].dtype)
        module: Any = jax.jit(infer).lower(state, image).compiler_ir(dialect="hlo")
        return module.as_hlo_text()
    raise UserError("The audit reads XLA's program: run it with --backend tensorflow or jax.")
