"""The native network of `make perf` is our network: equal weights give equal masks."""

import keras
import numpy as np
import pytest

import zoo
from benchmarks.backends import fusion

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.backends


def test_native_ar2_unet_answers_as_ours_does():
    from ar2_unet_torch import AR2UNet

    fusion.fuse()
    keras.utils.set_random_seed(0)
    ours, theirs = zoo.create("ar2_unet", (32, 32, 3), 1, width=0.125), AR2UNet(width=0.125).eval()
    images = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    for _ in range(30):  # statistics of these images: without them recurrent blocks grow
        ours(images, training=True)
    deepest = len(theirs.downs) - 1
    for level, block in enumerate(theirs.downs):
        _block(ours, block, "bottleneck" if level == deepest else f"down{level}")
    for up, gate, join, level in zip(
        theirs.ups, theirs.gates, theirs.joins, reversed(range(deepest)), strict=True
    ):
        _conv_norm(ours, up.once[1:3], f"up{level}_enter")
        for part in ("skip", "signal", "psi"):
            _conv_norm(ours, getattr(gate, part)[:2], f"gate{level}_{part}")
        _block(ours, join, f"up{level}")
    _conv(ours, theirs.head, "logits")
    with torch.no_grad():
        native = theirs(torch.from_numpy(images.transpose(0, 3, 1, 2))).numpy()
    np.testing.assert_allclose(
        ours.predict_on_batch(images), native.transpose(0, 2, 3, 1), atol=1e-4
    )


def _block(ours, block, name):
    _conv(ours, block.project, f"{name}_project")
    for turn, unit in enumerate(block.units):
        _conv_norm(ours, unit.once[:2], f"{name}_unit{turn}")


def _conv_norm(ours, pair, name):
    _conv(ours, pair[0], f"{name}_conv")
    norm = ours.get_layer(f"{name}_norm")
    pair[1].eps = norm.epsilon
    for own, weights in zip(
        (pair[1].weight, pair[1].bias, pair[1].running_mean, pair[1].running_var),
        norm.get_weights(),
        strict=True,
    ):
        own.data.copy_(torch.from_numpy(weights))


def _conv(ours, own, name):
    kernel, bias = ours.get_layer(name).get_weights()
    own.weight.data.copy_(torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()))
    own.bias.data.copy_(torch.from_numpy(bias))
