"""UNETR: a vision transformer in, a convolutional decoder out (Hatamizadeh et al. 2021).

    image ────────────────────────────────── res 16 ─────────────── up0 16 ─ mask
      └ patches of 16 to 768, positions
          └ 4 blocks ─ (up, res) x2 after up ─ 32 ────────── up1 32 ┘
              └ 3 blocks ─ (up, res) after up ─ 64 ───── up2 64 ┘
                  └ 3 blocks ─ up ─ 128 ─────────── up3 128 ┘
                      └ 2 blocks, norm ─ 768 ──────────┘

    block:  x += attention(norm(x)); x += MLP(norm(x)), all places at once
    up:     transposed convolution, concat, res; res: two convolutions, InstanceNorm, leaky ReLU

ViT-B/16 in place of a U-Net's encoder: one resolution, whose features the decoder scales up.
"""

import keras
from keras import layers

from zoo.blocks.blocked import blocked_convolution
from zoo.blocks.ends import entry, head, require_static
from zoo.blocks.residual import residual, up_residual
from zoo.blocks.sampling import up_transposed
from zoo.blocks.transformer import Positions, fitting, layer_norm, mlp, self_attention, tokens
from zoo.card import Card, Published, Recipe, Reference

CARD = Card(
    title="UNETR",
    family="transformers",
    paper="Hatamizadeh et al.: UNETR: Transformers for 3D Medical Image Segmentation. WACV 2022, "
    "arXiv 2103.10504",
    source="Project-MONAI/MONAI (networks/nets/unetr.py)",
    ranks=(2, 3),
    input_shape=(128, 128, 128, 4),
    classes=3,
    references=(
        Reference((128, 128, 128, 4), 3, None, 102_449_715, 102_449_715, gflops=367.287),
        Reference((256, 256, 3), 1, None, 87_708_913, 87_708_913, gflops=52.653),
    ),
    recipe=Recipe(
        loss="categorical_crossentropy+dice",
        optimiser="adam",
        learning_rate=1e-4,
        batch_size=6,
        epochs=100,
        normalisation="zscore_brain",
        augmentation={"flip": 0.5, "flip_vertical": 0.5, "flip_depth": 0.5},
        size=(128, 128, 128),
        note="The authors state 20,000 iterations: 100 epochs are ours.",
        differs=(
            "Adam for AdamW; without their shift and scale of intensities.",
            "Classes that exclude each other; theirs are three regions within each other.",
        ),
    ),
    claims=(
        Published(
            "MSD Task01",
            {"dice": 0.711, "dice_wt": 0.789, "dice_et": 0.585, "dice_tc": 0.761},
        ),
    ),
    deviations=(
        "The source has 18,432 parameters more (102,468,147 in 3D, 87,727,345 in 2D): each of its "
        "12 blocks holds a LayerNorm of 768 channels for a cross-attention that is never called.",
        "Features are those behind blocks 4, 7 and 10, as in the source, whose list counts from 0; "
        "the paper prints 3, 6 and 9, which `taps=(3, 6, 9)` gives at the same counts.",
        "Three classes are a softmax; the source's three are regions, each a sigmoid of its own.",
        "The transformer's width is rounded to a multiple of its 12 heads.",
        "Sides are stated, and divisible by 16: each place has a learned position.",
        "Norms pass no gradient of an empty slice; in PyTorch each makes it 316 times as large.",
    ),
)


def build(
    input_shape: tuple[int | None, ...],
    classes: int,
    *,
    widths: tuple[int, ...] = (16, 32, 64, 128, 768),
    heads: int = 12,
    depth: int = 12,
    taps: tuple[int, ...] = (4, 7, 10),
) -> keras.Model:
    """Build UNETR; `widths` are the decoder's from the finest, and the transformer's."""
    *decoder, width = widths
    image = entry(input_shape, multiple=16)
    require_static(input_shape, "unetr")
    grid = blocked_convolution(image, fitting(width, heads), 16, 16, name="embed")
    x = Positions(name="positions")(tokens(grid, name="tokens"))
    features = []
    for number in range(1, depth + 1):
        x = _block(x, heads, name=f"block{number}")
        if number in taps:
            features.append(layers.Reshape(grid.shape[1:], name=f"feature{number}")(x))
    x = layers.Reshape(grid.shape[1:], name="feature")(layer_norm(x, name="norm"))
    skips = [residual(image, decoder[0], name="skip0")]
    for level, (feature, filters) in enumerate(zip(features, decoder[1:], strict=True), start=1):
        skips.append(_raised(feature, filters, len(features) - level, name=f"skip{level}"))
    for level, skip in reversed([*enumerate(skips)]):
        x = up_residual(x, skip, level)
    return keras.Model(image, head(x, classes), name="unetr")


def _block(x: keras.KerasTensor, heads: int, *, name: str) -> keras.KerasTensor:
    """Attend to all places, then an MLP at each; each is added to what went in."""
    y = layer_norm(x, name=f"{name}_norm0")
    y = self_attention(y, heads, bias=False, name=name)
    x = layers.Add(name=f"{name}_add0")([x, y])
    y = mlp(layer_norm(x, name=f"{name}_norm1"), 4 * x.shape[-1], name=f"{name}_mlp")
    return layers.Add(name=f"{name}_add1")([x, y])


def _raised(x: keras.KerasTensor, filters: int, more: int, *, name: str) -> keras.KerasTensor:
    """Double the sides once, and `more` times with a residual block behind."""
    x = up_transposed(x, filters, bias=False, name=f"{name}_up")
    for step in range(more):
        x = up_transposed(x, filters, bias=False, name=f"{name}_up{step}")
        x = residual(x, filters, name=f"{name}_{step}")
    return x
