"""STAPLE (Warfield et al. 2004): several masks as one, each weighed by how right it seems to be.

Expectation and maximisation in turn: how likely each voxel is foreground, given how often each mask
is right inside and outside; and how often that is, given the voxels. All voxels with the same votes
are alike, so it works on patterns of votes and not on voxels.
"""

import numpy as np

MOST = 16  # masks: their votes are the bits of a pattern
TURNS, CLOSE = 100, 1e-7
RIGHT = 0.99999  # how often a mask is right at first, inside and outside


def weigh(patterns: np.ndarray, masks: int) -> np.ndarray:
    """Return the float32 probability of foreground, given each voxel's votes as bits."""
    counts = np.bincount(patterns.ravel(), minlength=2**masks).astype(float)
    votes = (np.arange(2**masks)[:, None] >> np.arange(masks)) & 1
    prior = float(counts @ votes.mean(axis=1) / counts.sum())
    if prior in (0.0, 1.0):  # all say the same everywhere
        return np.full(patterns.shape, prior, np.float32)
    inside = outside = np.full(masks, RIGHT)
    chance = np.zeros(2**masks)
    for _ in range(TURNS):
        of_foreground = prior * np.prod(np.where(votes, inside, 1 - inside), axis=1)
        of_background = (1 - prior) * np.prod(np.where(votes, 1 - outside, outside), axis=1)
        before, chance = chance, of_foreground / np.maximum(of_foreground + of_background, 1e-300)
        if np.abs(chance - before)[counts > 0].max() < CLOSE:
            break
        foreground, background = counts * chance, counts * (1 - chance)
        inside = foreground @ votes / max(foreground.sum(), 1e-300)
        outside = background @ (1 - votes) / max(background.sum(), 1e-300)
    return chance.astype(np.float32)[patterns]
