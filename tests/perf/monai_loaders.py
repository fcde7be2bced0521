"""The MONAI side of `make perf-data`: run by any interpreter that has MONAI and torch.

    python monai_loaders.py slices|patches ARRAYS.npz SECONDS   prints samples per second

It imports nothing of this project, so that it can live in an environment of its own.
"""

import sys
import time

import numpy as np

BATCH, WORKERS = 16, 2


def slices(arrays):
    """Cached 128x128x3 slices through RandAffined and RandFlipd."""
    from monai.data import CacheDataset, DataLoader
    from monai.transforms import Compose, EnsureTyped, RandAffined, RandFlipd, ScaleIntensityRanged

    keys = ["image", "mask"]
    chain = [
        EnsureTyped(keys),
        ScaleIntensityRanged("image", 0, 255, 0, 1),
        RandAffined(
            keys,
            prob=1.0,
            rotate_range=np.deg2rad(15),
            translate_range=(6.4, 6.4),
            scale_range=(0.1, 0.1),
            mode=("bilinear", "nearest"),
            padding_mode="zeros",
        ),
        RandFlipd(keys, prob=0.5, spatial_axis=1),
    ]
    items = [
        {"image": image.transpose(2, 0, 1).astype(np.float32), "mask": mask[None]}
        for image, mask in zip(arrays["images"], arrays["masks"], strict=True)
    ]
    cached = CacheDataset(items, Compose(chain), progress=False)
    return DataLoader(
        cached, batch_size=BATCH, shuffle=True, num_workers=WORKERS, persistent_workers=True
    )


def patches(arrays):
    """Cached z-scored volumes through RandCropByPosNegLabeld and three flips."""
    from monai.data import CacheDataset, DataLoader
    from monai.transforms import (
        Compose,
        EnsureTyped,
        FgBgToIndicesd,
        NormalizeIntensityd,
        RandCropByPosNegLabeld,
        RandFlipd,
    )

    keys = ["image", "mask"]
    chain = [
        EnsureTyped(keys),
        NormalizeIntensityd("image", nonzero=True, channel_wise=True),
        FgBgToIndicesd("mask"),  # cached too, as MONAI's own fast tutorials do
        RandCropByPosNegLabeld(
            keys,
            "mask",
            (64, 64, 64),
            pos=1,
            neg=2,
            num_samples=4,
            fg_indices_key="mask_fg_indices",
            bg_indices_key="mask_bg_indices",
        ),
        *(RandFlipd(keys, prob=0.5, spatial_axis=axis) for axis in range(3)),
    ]
    items = [
        {"image": image.transpose(3, 0, 1, 2).astype(np.float32), "mask": mask[None]}
        for image, mask in zip(arrays["images"], arrays["masks"], strict=True)
    ]
    cached = CacheDataset(items * 4, Compose(chain), progress=False)
    return DataLoader(
        cached, batch_size=1, shuffle=True, num_workers=WORKERS, persistent_workers=True
    )


def rate(loader, seconds):
    """Time whole epochs after one that warms the workers up."""
    count, began = -1, 0.0
    while count < 0 or time.perf_counter() - began < seconds:
        if count < 0:
            sum(len(batch["image"]) for batch in loader)
            count, began = 0, time.perf_counter()
        count += sum(len(batch["image"]) for batch in loader)
    return count / (time.perf_counter() - began)


if __name__ == "__main__":
    made = {"slices": slices, "patches": patches}[sys.argv[1]](np.load(sys.argv[2]))
    print(rate(made, float(sys.argv[3])))
