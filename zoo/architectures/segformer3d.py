"""SegFormer3D: a small transformer of four resolutions, and a decoder of MLPs (Perera et al. 2024).

    volume ─ 7, stride 4 ─ 32 ── 2 blocks ─ 256 ──────────────────┐
               └ 3, stride 2 ─ 64 ── 2 blocks ─ 256 ─ up ─────────┤
                   └ 3, stride 2 ─ 160 ── 2 blocks ─ 256 ─ up ────┤
                       └ 3, stride 2 ─ 256 ── 2 blocks ─ 256 ─ up ┴─ 256 ─ logits ─ up x4 ─ mask

    block:  x += attention(norm(x)); x += MLP(norm(x))
            keys and values are those of a coarser image: a strided convolution, and a norm
            the MLP convolves each channel 3x3x3 between its layers, which tells it where it is

No convolutions but those that shrink and those within the MLPs; no skips but the four levels.
"""

import keras
from keras import layers

from zoo.blocks.blocked import blocked_convolution
from zoo.blocks.convolution import batch_norm, convolution, rank_of, relu
from zoo.blocks.depthwise import depthwise
from zoo.blocks.ends import entry, probabilities, require_static
from zoo.blocks.resizing import resize_linear
from zoo.blocks.transformer import Attention, fitting, layer_norm, tokens
from zoo.card import Card, Published, Recipe, Reference

CARD = Card(
    title="SegFormer3D",
    family="transformers",
    paper="Perera, Navard, Yilmaz: SegFormer3D: an Efficient Transformer for 3D Medical Image "
    "Segmentation. CVPR Workshops 2024, arXiv 2404.10156",
    source="the paper; its code is GPL-3 and was not opened",
    ranks=(2, 3),
    input_shape=(128, 128, 128, 4),
    classes=3,
    references=(Reference((128, 128, 128, 4), 3, None, 4_533_955, 4_525_251, gflops=31.094),),
    recipe=Recipe(
        loss="categorical_crossentropy+dice",
        optimiser="adam",
        learning_rate=1e-4,
        batch_size=2,
        epochs=1000,
        normalisation="zscore_brain",
        augmentation={"flip": 0.5, "flip_vertical": 0.5, "flip_depth": 0.5},
        size=(128, 128, 128),
        note="Dice and cross-entropy are the paper's; the rest is ours.",
        differs=(
            "Adam for AdamW, and a rate that stays: theirs warms up and falls.",
            "Classes that exclude each other; theirs are three regions within each other.",
        ),
    ),
    claims=(
        Published(
            "BraTS 2017",
            {"dice": 0.821, "params_m": 4.5, "gflops": 17.5},
            "MSD Task01; the GFLOPs as printed, multiply-adds come to 15.55 G here",
        ),
    ),
    deviations=(
        "What the paper leaves open follows from the count of 4,525,251: biases in queries, keys "
        "and values, a LayerNorm behind each embedding, stage and projection of the decoder, and "
        "none of a bias in the convolution before its BatchNorm.",
        "Without dropout in the decoder.",
        "In 2D, which the paper has not, the same with squares for cubes.",
        "A width is rounded to a multiple of its stage's heads: 1, 2, 5, 8 whatever the width.",
        "Three classes are a softmax; theirs are three regions, each a sigmoid of its own.",
        "BatchNorm's epsilon is 1e-3 (Keras), PyTorch's 1e-5 there.",
    ),
)


def build(
    input_shape: tuple[int | None, ...],
    classes: int,
    *,
    widths: tuple[int, ...] = (32, 64, 160, 256, 256),
    heads: tuple[int, ...] = (1, 2, 5, 8),
    reductions: tuple[int, ...] = (4, 2, 1, 1),
    depth: int = 2,
) -> keras.Model:
    """Build SegFormer3D; `widths` are the stages' and, last, the decoder's."""
    *encoder, decoder = widths
    image = x = entry(input_shape, multiple=32)
    require_static(input_shape, "segformer3d")
    features = []
    for stage, (width, count, reduction) in enumerate(zip(encoder, heads, reductions, strict=True)):
        kernel, strides = (3, 2) if stage else (7, 4)
        x = _embedded(x, fitting(width, count), kernel, strides, name=f"embed{stage}")
        for number in range(depth):
            x = _block(x, count, reduction, name=f"stage{stage}_{number}")
        x = layer_norm(x, name=f"stage{stage}_norm")
        features.append(x)
    joined = [
        _projected(x, decoder, features[0].shape[1:-1], name=f"level{stage}")
        for stage, x in reversed([*enumerate(features)])
    ]
    x = convolution(layers.Concatenate(name="join")(joined), decoder, 1, bias=False, name="fuse")
    x = relu(batch_norm(x, name="fuse_norm"), name="fuse_relu")
    x = convolution(x, classes, 1, name="logits")
    x = resize_linear(x, input_shape[:-1], name="up")  # type: ignore[arg-type]
    return keras.Model(image, probabilities(x, classes), name="segformer3d")


def _embedded(
    x: keras.KerasTensor, width: int, kernel: int, strides: int, *, name: str
) -> keras.KerasTensor:
    """Convolve patches that overlap, centred on even places, and normalise."""
    pad = {2: layers.ZeroPadding2D, 3: layers.ZeroPadding3D}[rank_of(x)]
    x = pad(kernel // 2, name=f"{name}_pad")(x)
    x = blocked_convolution(x, width, kernel, strides, name=f"{name}_conv")
    return layer_norm(x, name=f"{name}_norm")


def _block(x: keras.KerasTensor, heads: int, reduction: int, *, name: str) -> keras.KerasTensor:
    y = _attended(layer_norm(x, name=f"{name}_norm0"), heads, reduction, name=name)
    x = layers.Add(name=f"{name}_add0")([x, y])
    y = _mixed(layer_norm(x, name=f"{name}_norm1"), name=name)
    return layers.Add(name=f"{name}_add1")([x, y])


def _attended(x: keras.KerasTensor, heads: int, reduction: int, *, name: str) -> keras.KerasTensor:
    """Attend to a coarser image of the same features."""
    width, coarse = x.shape[-1], x
    if reduction > 1:
        coarse = convolution(x, width, reduction, strides=reduction, name=f"{name}_reduce")
        coarse = layer_norm(coarse, name=f"{name}_reduce_norm")
    query = layers.Dense(width, name=f"{name}_query")(tokens(x, name=f"{name}_row"))
    pairs = layers.Dense(2 * width, name=f"{name}_pairs")(tokens(coarse, name=f"{name}_reduced"))
    y = layers.Dense(width, name=f"{name}_project")(
        Attention(heads, name=f"{name}_attend")(query, pairs)
    )
    return layers.Reshape(x.shape[1:], name=f"{name}_image")(y)


def _mixed(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    """Widen channels, convolve each on its own, normalise, GELU, narrow."""
    width = x.shape[-1]
    x = layers.Dense(4 * width, name=f"{name}_widen")(x)
    x = batch_norm(depthwise(x, 3, name=f"{name}_depthwise"), name=f"{name}_mix_norm")
    x = layers.Activation("gelu", name=f"{name}_gelu")(x)
    return layers.Dense(width, name=f"{name}_narrow")(x)


def _projected(
    x: keras.KerasTensor, width: int, sides: tuple[int, ...], *, name: str
) -> keras.KerasTensor:
    """Bring a level to the decoder's width and to the finest level's size."""
    x = layer_norm(layers.Dense(width, name=name)(x), name=f"{name}_norm")
    return resize_linear(x, sides, name=f"{name}_up") if x.shape[1:-1] != sides else x
