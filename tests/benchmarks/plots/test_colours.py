"""Colours that mean something stay apart for the colour-blind, as far as colour alone carries it.

What the three common forms see is simulated by the matrices of Machado, Oliveira and Fernandes
(2009), severity 1, on linear RGB; distances are CIE76 in Lab, of which 2.3 is just noticed.
"""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_hex

import zoo
from benchmarks.plots import style, verdicts
from benchmarks.viewing import colours as colours_of

APART = 20.0
SEEN = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def lab(colour: str, seen: str) -> np.ndarray:
    """Return what someone sees of a colour such as #009e73, in Lab."""
    channels = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    xyz = XYZ @ np.clip(np.array(SEEN[seen]) @ linear, 0, 1) / XYZ.sum(axis=1)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def nearest(colours, seen: str) -> tuple[float, tuple[str, str]]:
    pairs = combinations(dict.fromkeys(colours), 2)
    return min((float(np.linalg.norm(lab(a, seen) - lab(b, seen))), (a, b)) for a, b in pairs)


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("what", ["regions of BraTS", "errors", "better or worse"])
def test_colours_that_carry_a_meaning_alone_are_apart(what, seen):
    ends = [to_hex(verdicts.DIVERGING(place)) for place in (0.0, 0.5, 1.0)]
    colours = {
        "regions of BraTS": colours_of.of_regions(["WT", "TC", "ET"]).values(),
        "errors": colours_of.of_errors().values(),
        "better or worse": ends,
    }[what]
    distance, pair = nearest(colours, seen)
    assert distance > APART, pair


def test_models_are_told_apart_without_colours():
    """By marker: ten colours that every eye tells apart there are not."""
    eight = style.looks(style.FIRST).values()
    assert len({look.marker for look in eight}) == len(eight)
    everyone = style.looks(zoo.names()).values()
    assert len({(look.marker, look.colour) for look in everyone}) == len(everyone)


def test_the_measure_knows_what_the_colour_blind_mix_up():
    red, green = "#c83a3a", "#3f9130"
    assert nearest([red, green], "normal")[0] > 2 * nearest([red, green], "deuteranopia")[0]
