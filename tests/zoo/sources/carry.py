"""Weights from a Keras model into a torch module, layer by layer, by their names.

A torch form names its submodules as our layers are named, with dots for underscores where it
nests: `down0.unit0.conv` is `down0_unit0_conv`, and `gate0.itself` is `gate0`. Values travel under
these rules:

    kernel (k.., in, out) -> weight (out, in, k..), of dense layers and transposed convolutions too
    depthwise kernel (k.., channels, 1) -> weight (channels, 1, k..)
    depthwise_kernel, pointwise_kernel of a separable one -> likewise, under their names
    gamma, beta, moving_mean, moving_variance -> weight, bias, running_mean, running_var
    all else keeps its name and shape

An epsilon comes with the weights: where ours is not the source's, the card says so.
"""

import keras
import numpy as np
import torch

NAMES = {
    "kernel": "weight",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def pairs(model: keras.Model, module: torch.nn.Module) -> list[tuple]:
    """Return each weighted layer with its torch module; all parameters must have a layer."""
    named = module.named_modules()
    modules = {path.replace(".", "_").removesuffix("_itself"): part for path, part in named}
    found = [(layer, modules[layer.name]) for layer in model.layers if layer.weights]
    theirs = {id(value) for _, part in found for value in part.parameters(recurse=False)}
    for path, value in module.named_parameters():
        assert id(value) in theirs, f"{path} of the torch form has no layer"
    return found


def values(layer: keras.layers.Layer, arrays: list) -> dict[str, np.ndarray]:
    """Return weights of a layer, or their gradients, under torch's names and in its order."""
    return {
        NAMES.get(weight.name, weight.name): _ordered(layer, weight.name, np.asarray(array))
        for weight, array in arrays
    }


def _ordered(layer: keras.layers.Layer, name: str, array: np.ndarray) -> np.ndarray:
    if not name.endswith("kernel"):
        return array
    *taps, before, last = range(array.ndim)
    if "Depthwise" in type(layer).__name__ or name == "depthwise_kernel":
        return array.transpose(before, last, *taps)
    return array.transpose(last, before, *taps)


def carry(model: keras.Model, module: torch.nn.Module) -> None:
    """Give the torch form the weights of the model."""
    for layer, part in pairs(model, module):
        state = part.state_dict()
        arrays = values(layer, [(weight, weight.numpy()) for weight in layer.weights])
        for name, array in arrays.items():
            assert state[name].shape == array.shape, f"{layer.name}: {name}"
            state[name].copy_(torch.from_numpy(array.copy()))
        if hasattr(part, "eps"):
            part.eps = layer.epsilon


def to_torch(images: np.ndarray) -> torch.Tensor:
    """Move the channels to the front."""
    return torch.from_numpy(np.moveaxis(images, -1, 1).copy())


def from_torch(images: torch.Tensor) -> np.ndarray:
    """Move the channels to the back."""
    return np.moveaxis(images.detach().numpy(), 1, -1)
