"""Programs of LiteRT, run by the interpreter that is there: its own package's, or TensorFlow's."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np


def runner(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from a batch to the program's answer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        interpreter = _interpreter()(str(path))
    given = interpreter.get_input_details()[0]["index"]
    answer = interpreter.get_output_details()[0]["index"]

    def run(batch: np.ndarray) -> np.ndarray:
        interpreter.resize_tensor_input(given, batch.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(given, batch)
        interpreter.invoke()
        return interpreter.get_tensor(answer)

    return run


def _interpreter():
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        import tensorflow as tf

        return tf.lite.Interpreter
    return Interpreter
