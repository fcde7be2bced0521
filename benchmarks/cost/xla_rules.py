"""How XLA writes one layer call, predicted in closed form from the layer's settings."""

import math
from dataclasses import dataclass

from benchmarks.cost import flops_rules
from benchmarks.cost.flops_rules import Call
from zoo.blocks import depthwise, dilated

SAME = "equal"
BORDER = "XLA leaves out the taps that fall on padding at the border"
CROPPED = "XLA leaves out the taps whose outputs 'same' padding crops"
BATCHED = "TensorFlow dilates by cutting the padded image into a batch: more positions than outputs"
SPREAD = "XLA convolves the zeros between the values, too"
BLOCKS = "the zoo fills a kernel up by zeros to whole blocks of its stride"
MATRICES = "XLA resamples by products with matrices of weights; counted as `other`"


@dataclass(frozen=True)
class Form:
    """The operations of the instructions that XLA may write for a part, and why they differ."""

    flops: tuple[int, ...]
    explanation: str


@dataclass(frozen=True)
class Part:
    """Something that XLA writes with products; `forms` are tried in order."""

    operation: str
    counted: int
    forms: tuple[Form, ...]
    other: int = 0


def parts(call: Call) -> list[Part]:
    """Return the parts of a call that have products; most calls have one or none."""
    kind, layer = call.kind, call.operation
    if kind == "Dense":
        return [_exact(kind, flops_rules.dense(call))]
    if kind.endswith("Hartley"):
        return [_exact(f"{kind}, a side", macs) for macs in flops_rules.products_by_side(call)]
    if kind.endswith("Attention"):
        half = flops_rules.attention(call) // 2
        return [_exact(f"{kind}, {product}", half) for product in ("scores", "values")]
    if kind.startswith("Separable"):
        return _separable(call)
    if kind.endswith("Transpose"):
        return [_transposed(call)]
    if kind == "DepthwiseConvolution":
        return [_depthwise(call)]
    if kind.startswith("Blocked"):
        return [_blocked(call)]
    if kind.startswith("Halved"):
        return [_halved(call)]
    if kind in flops_rules.MACS:
        return [_convolution(call, _label(call), math.prod(layer.kernel.shape))]
    if kind.startswith("UpSampling") and flops_rules.OTHER[kind](call):
        return [_resampling(call)]
    return []


def _exact(operation: str, macs: int) -> Part:
    return Part(operation, 2 * macs, (Form((2 * macs,), SAME),))


def _label(call: Call) -> str:
    layer = call.operation
    kernel = "x".join(map(str, layer.kernel_size))
    dilation = max(layer.dilation_rate)
    return f"{call.kind} {kernel}" + (f" dilated {dilation}" if dilation > 1 else "")


def _sides(shape: tuple[int, ...], layer) -> tuple[int, ...]:
    return shape[2:] if layer.data_format == "channels_first" else shape[1:-1]


def _convolution(call: Call, operation: str, weights: int) -> Part:
    """Predict a convolution: per axis the taps inside of the image replace kernel x outputs."""
    layer = call.operation
    image, output = (_sides(shape[0], layer) for shape in (call.inputs, call.outputs))
    channels = weights // math.prod(layer.kernel_size)
    taps = [
        inside(n, out, k, s, d, padded=layer.padding != "valid", causal=layer.padding == "causal")
        for n, out, k, s, d in zip(
            image, output, layer.kernel_size, layer.strides, layer.dilation_rate, strict=True
        )
    ]
    counted = 2 * weights * math.prod(output)
    forms = [_form(2 * channels * math.prod(taps), counted, BORDER)]
    if max(layer.dilation_rate) > 1:
        forms.append(Form((2 * weights * _batched(layer, image),), BATCHED))
    return Part(operation, counted, tuple(forms))


def _form(predicted: int, counted: int, explanation: str) -> Form:
    return Form((predicted,), SAME if predicted == counted else explanation)


def inside(
    image: int,
    output: int,
    kernel: int,
    stride: int,
    dilation: int,
    padded: bool = True,
    causal: bool = False,
) -> int:
    """Count the pairs of output and tap along one axis that meet the image."""
    span = (kernel - 1) * dilation
    missing = max(0, (output - 1) * stride + span + 1 - image) if padded else 0
    before = span if causal else missing // 2
    return sum(
        0 <= place * stride + tap * dilation - before < image
        for place in range(output)
        for tap in range(kernel)
    )


def _batched(layer, image: tuple[int, ...]) -> int:
    """Count the positions of TensorFlow's dilated convolution: each phase of the padded image."""
    positions = 1
    for n, kernel, rate in zip(image, layer.kernel_size, layer.dilation_rate, strict=True):
        if isinstance(layer, dilated.Reaching):  # leaves out the taps beyond the image
            kernel = 1 + 2 * dilated.reach(kernel, n, rate)
            rate = rate if kernel > 1 else 1
        padded = n + ((kernel - 1) * rate if layer.padding == "same" else 0)
        positions *= rate * (math.ceil(padded / rate) - kernel + 1)
    return positions


def _transposed(call: Call) -> Part:
    """Predict a transposed convolution: the convolution that it is the gradient of."""
    layer = call.operation
    image, output = (_sides(shape[0], layer) for shape in (call.inputs, call.outputs))
    taps = [
        inside(out, n, k, s, d, padded=layer.padding == "same")
        for n, out, k, s, d in zip(
            image, output, layer.kernel_size, layer.strides, layer.dilation_rate, strict=True
        )
    ]
    counted = 2 * flops_rules.transposed(call)
    channels = math.prod(layer.kernel.shape) // math.prod(layer.kernel_size)
    form = _form(2 * channels * math.prod(taps), counted, CROPPED)
    return Part(_label(call), counted, (form,))


def _separable(call: Call) -> list[Part]:
    layer = call.operation
    depthwise = _convolution(
        call, f"{_label(call)}, depthwise", math.prod(layer.depthwise_kernel.shape)
    )
    positions = math.prod(_sides(call.outputs[0], layer))
    exact = 2 * math.prod(layer.pointwise_kernel.shape) * positions
    return [depthwise, Part(f"{_label(call)}, pointwise", exact, (Form((exact,), SAME),))]


def _halved(call: Call) -> Part:
    """Predict a convolution of two groups, which the zoo writes as two convolutions."""
    layer = call.operation
    whole = _convolution(call, _label(call), math.prod(layer.kernel.shape))
    forms = (Form((form.flops[0] // 2,) * 2, form.explanation) for form in whole.forms)
    return Part(whole.operation, whole.counted, tuple(forms))


def _blocked(call: Call) -> Part:
    """Predict a convolution over blocks: a kernel of whole blocks, no padding."""
    layer = call.operation
    (size, *_), (stride, *_), positions = layer.kernel_size, layer.strides, call.outputs[0][1:-1]
    whole = (math.ceil(size / stride) * stride) ** len(positions)
    counted = 2 * flops_rules.convolution(call)
    predicted = counted // math.prod(layer.kernel_size) * whole
    return Part(_label(call), counted, (_form(predicted, counted, BLOCKS),))


def _depthwise(call: Call) -> Part:
    """Predict a depthwise convolution: of a volume, one of slices for each tap in depth."""
    layer = call.operation
    size, stride, (_, *image, channels) = layer.size, layer.strides, call.inputs[0]
    if layer.spread:
        image = [2 * side - 1 for side in image]
    output = call.outputs[0][1:-1]
    taps = math.prod(
        inside(n, out, size, 1, 1) if stride == 1 else size * out
        for n, out in zip(image[-2:], output[-2:], strict=True)
    )
    slices = [1]
    if len(image) == 3:
        ends = (depthwise.reach(image[0], size, tap, stride) for tap in range(size))
        slices = [last - first + 1 for first, last in ends if last >= first]
    counted = 2 * flops_rules.depthwise(call)
    flops = tuple(2 * channels * taps * number for number in slices)
    why = SAME if sum(flops) == counted else SPREAD if layer.spread else BORDER
    return Part(f"{call.kind} {size}", counted, (Form(flops, why),))


def _resampling(call: Call) -> Part:
    """Predict bilinear resampling: TensorFlow's 3x3 neighbours, or JAX's axis after axis."""
    layer = call.operation
    (*_, channels), (*_, height, width, _) = call.inputs[0], call.outputs[0]
    rows, columns = _sides(call.inputs[0], layer)
    neighbours = 9 * height * width
    by_axis = (
        2 * height * columns * channels * rows,
        2 * height * width * channels * columns,
    )
    forms = (
        Form((2 * neighbours, 2 * neighbours * channels), MATRICES),
        Form(by_axis, MATRICES),
    )
    other = flops_rules.OTHER[call.kind](call)
    return Part(f"{call.kind} bilinear", 0, forms, other)
