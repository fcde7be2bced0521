"""The networks of keras.applications by name, and what the weights of each expect of an image."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

import keras
from keras import layers, ops

from zoo.errors import UserError, choose

# The beginning of a name, the longest first, and what that family's weights were trained on.
FAMILIES = (
    ("efficientnet", "bytes"),  # 0 to 255: they rescale and normalise themselves
    ("convnext", "bytes"),
    ("mobilenetv3", "bytes"),
    ("densenet", "standard"),  # [0, 1], less the mean of ImageNet, over its deviation
    ("resnet", "caffe"),  # 0 to 255, blue first, less the mean
    ("vgg", "caffe"),
    ("", "signed"),  # -1 to 1: MobileNets, Inceptions, Xception, NASNets, ResNets of version 2
)
CAFFE_MEAN = (103.939, 116.779, 123.68)
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

# The last layer of each size, of those that are built most, so that it need not be looked for.
LEVELS = {
    "resnet50": {2: "conv1_relu", 4: "conv2_block3_out", 8: "conv3_block4_out"}
    | {16: "conv4_block6_out", 32: "conv5_block3_out"},
    "efficientnetb0": {2: "block2a_expand_activation", 4: "block3a_expand_activation"}
    | {8: "block4a_expand_activation", 16: "block6a_expand_activation", 32: "top_activation"},
}


@dataclass(frozen=True)
class Encoder:
    """One network of keras.applications: how it is built, and what its weights expect."""

    name: str
    title: str
    build: Callable[..., keras.Model]
    expects: str


def names() -> list[str]:
    """List the networks of this Keras."""
    return sorted(_titles())


def named(name: str) -> Encoder:
    """Return a network; of an unknown name say which is closest."""
    titles = _titles()
    title = titles[choose(name, sorted(titles), "encoder")]
    second = name.startswith("resnet") and name.endswith("v2")
    expects = next(what for start, what in FAMILIES if name.startswith(start))
    build = getattr(keras.applications, title)
    return Encoder(name, title, build, "signed" if second else expects)


def _titles() -> dict[str, str]:
    found = vars(keras.applications).items()
    return {
        title.lower(): title for title, value in found if title[0].isupper() and callable(value)
    }


def prepared(image: keras.KerasTensor, encoder: Encoder) -> keras.KerasTensor:
    """Bring [0, 1] to what the weights expect; other than 3 channels have no colours."""
    colours = image.shape[-1] == 3

    def each(values: list[float]) -> list[float] | float:
        return values if colours else sum(values) / len(values)

    if encoder.expects == "bytes":
        return layers.Rescaling(255.0, name="to_bytes")(image)
    if encoder.expects == "signed":
        return layers.Rescaling(2.0, -1.0, name="to_signed")(image)
    if encoder.expects == "standard":
        scale = each([1 / deviation for deviation in DEVIATION])
        offset = each([-m / d for m, d in zip(MEAN, DEVIATION, strict=True)])
        return layers.Rescaling(scale, offset, name="to_standard")(image)
    offset = each([-value for value in CAFFE_MEAN])
    return layers.Rescaling(255.0, offset, name="caffe")(ops.flip(image, -1) if colours else image)


@cache
def places(name: str) -> dict[int, int]:
    """Return for each stride the last layer of that size, counted from the end of the network.

    By its place: some layers bear running numbers for names. No weight is given a value, and what
    comes after draws the same seeds, whether or not this had to be looked up.
    """
    side, encoder = 256, named(name)
    before = random.getstate()
    with keras.StatelessScope(initialize_variables=False):
        network = encoder.build(include_top=False, weights=None, input_shape=(side, side, 3))
    random.setstate(before)
    found = {}
    for place, layer in enumerate(network.layers, start=-len(network.layers)):
        _, *sides, _ = layer.output.shape if len(layer.output.shape) == 4 else (0, 0, 0)
        if len(set(sides)) == 1 and sides[0] > 1 and side % sides[0] == 0:
            found[side // sides[0]] = place
    return found


def require_levels(encoder: Encoder, strides: Iterable[int]) -> None:
    """Refuse a network that never has the size of the image over one of the strides."""
    found = LEVELS.get(encoder.name) or places(encoder.name)
    for stride in strides:
        if stride not in found:
            raise UserError(
                f"The encoder {encoder.name} has no features of 1/{stride} of the image's size: "
                "choose one that has, such as resnet50 or efficientnetb0."
            )


def level(network: keras.Model, encoder: Encoder, stride: int) -> keras.KerasTensor:
    """Return the last features of a network whose sides are those of the image over `stride`."""
    if encoder.name in LEVELS:
        return network.get_layer(LEVELS[encoder.name][stride]).output
    return network.layers[places(encoder.name)[stride]].output
