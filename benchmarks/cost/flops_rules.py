"""What one call of a layer costs, in closed form; every rule is for a batch of one.

MACS holds the multiply-adds of convolutions, transposed convolutions, dense layers, attention and
transforms. All else is `other`, counted as operations per element:

    bias 1; ReLU and its kin 1; sigmoid, tanh 4; softmax, SiLU, ELU 5; GELU 45
    BatchNorm (its statistics folded), Normalization, Rescaling 2; LayerNorm, GroupNorm and kin 8
    merging n inputs n - 1; pooling: the elements of the window; reductions: 1 per INPUT element
    bilinear resampling 7, trilinear doubling 9, resizing 3 an axis
    copies (repetition, concatenation, padding, reshaping) and layers idle in inference: none
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Call:
    """One call of an operation in the graph, with the shapes it meets there (batch included)."""

    name: str
    operation: Any
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]

    @property
    def kind(self) -> str:
        """Return the class of the operation."""
        return type(self.operation).__name__


def _positions(shape: Shape, layer: Any) -> int:
    channels_first = getattr(layer, "data_format", None) == "channels_first"
    return math.prod(shape[2:] if channels_first else shape[1:-1])


def convolution(call: Call) -> int:
    """k^n x Cin / groups x Cout x OUTPUT positions; dilation changes nothing."""
    layer = call.operation
    return math.prod(layer.kernel.shape) * _positions(call.outputs[0], layer)


def transposed(call: Call) -> int:
    """k^n x Cin x Cout x INPUT positions: the stride spreads the inputs, it adds no products."""
    layer = call.operation
    return math.prod(layer.kernel.shape) * _positions(call.inputs[0], layer)


def separable(call: Call) -> int:
    """Depthwise, then 1x1 over all channels."""
    layer = call.operation
    weights = math.prod(layer.depthwise_kernel.shape) + math.prod(layer.pointwise_kernel.shape)
    return weights * _positions(call.outputs[0], layer)


def depthwise(call: Call) -> int:
    """k^n x channels x OUTPUT positions; where it spreads, a transposed one's INPUT positions."""
    layer = call.operation
    places = call.inputs[0] if layer.spread else call.outputs[0]
    return math.prod(layer.kernel.shape) * math.prod(places[1:-1])


def dense(call: Call) -> int:
    """Inputs x units, at every position of an input of more than two axes."""
    return math.prod(call.inputs[0][1:]) * call.operation.units


def products_by_side(call: Call) -> list[int]:
    """Return the product of each side with its matrix: rows x positions before x channels.

    Forwards from the first side, on one frequency more than is kept; backwards from the last.
    """
    (_, *before, channels), (_, *after, _) = call.inputs[0], call.outputs[0]
    sides, axes = [*before], [*range(len(before))]
    if call.kind == "Hartley":
        after = [frequencies + 1 for frequencies in after]
    else:
        sides, axes = [frequencies + 1 for frequencies in before], axes[::-1]
    found = []
    for axis in axes:
        found.append(after[axis] * math.prod(sides) * channels)
        sides[axis] = after[axis]
    return found


def hartley(call: Call) -> int:
    """One product with a small matrix a side."""
    return sum(products_by_side(call))


def attention(call: Call) -> int:
    """Scores and weighted values, queries x keys x channels each."""
    (queries, keys), channels = _attended(call), call.outputs[0][-1]
    return 2 * queries * keys * channels


def _attended(call: Call) -> tuple[int, int]:
    """Return the queries, of all windows, and the keys that each of them sees."""
    return math.prod(call.outputs[0][1:-1]), call.inputs[-1][-2]


MACS: Mapping[str, Callable[[Call], int]] = {
    **{f"Conv{rank}D": convolution for rank in (1, 2, 3)},
    # Of the zoo: all taps count, and a kernel's shape knows of its groups.
    **{
        f"{kind}Conv{rank}D": convolution
        for kind in ("Blocked", "Dilated", "Halved")
        for rank in (2, 3)
    },
    "DepthwiseConvolution": depthwise,
    **{f"Conv{rank}DTranspose": transposed for rank in (1, 2, 3)},
    "SpreadConv2D": transposed,
    "ThinnedConv2D": convolution,
    **{f"DepthwiseConv{rank}D": convolution for rank in (1, 2)},  # one input channel each
    **{f"SeparableConv{rank}D": separable for rank in (1, 2)},
    "Dense": dense,
    **dict.fromkeys(("Hartley", "InverseHartley"), hartley),
    **dict.fromkeys(("Attention", "WindowAttention"), attention),
}

# Operations without weights that multiply matrices all the same: no rule, so no silent zero.
_PRODUCTS = """AdditiveAttention Conv ConvTranspose DepthwiseConv SeparableConv Dot Einsum
    Inner Matmul Outer Tensordot Vdot"""
PRODUCTS = frozenset(_PRODUCTS.split())

_ACTIVATIONS = {
    "linear": 0,
    **dict.fromkeys(("sigmoid", "tanh"), 4),
    **dict.fromkeys(("softmax", "silu", "swish", "elu", "selu"), 5),
    "gelu": 45,  # exact: its erf is a quotient of polynomials
}


def _outputs(call: Call) -> int:
    return sum(math.prod(shape) for shape in call.outputs)


def _inputs(call: Call) -> int:
    return sum(math.prod(shape) for shape in call.inputs)


def _activation(call: Call) -> int:
    name = getattr(call.operation.activation, "__name__", "")
    return _ACTIVATIONS.get(name, 1) * _outputs(call)


def _bias_and_activation(call: Call) -> int:
    if call.kind == "DepthwiseConvolution":
        return _outputs(call)
    return _outputs(call) * bool(call.operation.use_bias) + _activation(call)


def _upsampling(call: Call) -> int:
    smooth = getattr(call.operation, "interpolation", "nearest") != "nearest"
    return 7 * _outputs(call) if smooth else 0


def _pooling(call: Call) -> int:
    return math.prod(call.operation.pool_size) * _outputs(call)


def _attention(call: Call) -> int:
    """Scale the queries; softmax of each head's scores, and bias and mask where windows have it."""
    queries, keys = _attended(call)
    biased = 1 + 2 * any(call.operation.shifts) if call.kind == "WindowAttention" else 0
    return _outputs(call) + (5 + biased) * queries * keys * call.operation.heads


def _put_together(call: Call) -> int:
    """Add the frequencies with one side turned, and all sides, and halve."""
    return 5 * min(_inputs(call), _outputs(call))


def _resizing(call: Call) -> int:
    """One difference, product and sum an axis, each on what is left of the others."""
    (_, *before, channels), (_, *after, _) = call.inputs[0], call.outputs[0]
    done = [math.prod((*after[:axis], *before[axis:])) for axis in range(1, len(after) + 1)]
    return 3 * channels * sum(done)


def _per_output(operations: int) -> Callable[[Call], int]:
    return lambda call: operations * _outputs(call)


def _merge(call: Call) -> int:
    return max(1, len(call.inputs) - 1) * _outputs(call)


OTHER: Mapping[str, Callable[[Call], int]] = {
    **dict.fromkeys(MACS, _bias_and_activation),
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"), _merge),
    **dict.fromkeys(("Mean", "Max", "Min", "Sum"), _inputs),
    **{f"{kind}Pooling{rank}D": _pooling for kind in ("Max", "Average") for rank in (1, 2, 3)},
    **{f"Global{kind}Pooling{rank}D": _inputs for kind in ("Max", "Average") for rank in (1, 2, 3)},
    **dict.fromkeys(
        ("BatchNormalization", "SteppedBatchNormalization", "Normalization", "Rescaling"),
        _per_output(2),
    ),
    **dict.fromkeys(
        ("LayerNormalization", "GroupNormalization", "RMSNormalization", "SampleNormalization"),
        _per_output(8),
    ),
    **dict.fromkeys(("ReLU", "LeakyReLU", "PReLU"), _per_output(1)),
    **dict.fromkeys(("Softmax", "ELU"), _per_output(5)),
    **dict.fromkeys(("UpSampling1D", "UpSampling2D", "UpSampling3D"), _upsampling),
    **dict.fromkeys(("Hartley", "InverseHartley"), _put_together),
    **dict.fromkeys(("Attention", "WindowAttention"), _attention),
    "Activation": _activation,
    **dict.fromkeys(("Positions", "LayerScale"), _per_output(1)),
    "LinearResize": _resizing,
    "TrilinearDoubling": _per_output(9),
}

# They copy or rename values, or do nothing in inference.
_FREE = """InputLayer Identity Concatenate Reshape Flatten Permute RepeatVector Dropout
    SpatialDropout1D SpatialDropout2D SpatialDropout3D GaussianNoise GaussianDropout AlphaDropout
    ActivityRegularization DropBlock ZeroPadding1D ZeroPadding2D ZeroPadding3D Cropping1D Cropping2D
    Cropping3D Embedding Flip Take OnesLike ZerosLike Transpose Squeeze ExpandDims Stack Repeat Tile
    Pad BroadcastTo GetItem Cast Partition Reunion
    StochasticDepth"""
FREE = frozenset(_FREE.split())
