"""Recipes against their authors' code, in its own units; each value beside the words it is from."""

from math import prod

import pytest

import zoo
from benchmarks.protocols import protocol

SA_UNET = {  # rushikesh4291, Code/brain_mri_segmentation_using_SA_Unet.ipynb
    "epochs": 50,  # epochs = 50
    "batch_size": 32,  # batch_size = 32
    "learning_rate": 1e-4,  # lr = 1e-4
    "loss": "dice",  # loss=dice_coefficients_loss, which is -dice_coefficients
    # dice_coefficients(y_true, y_pred, smooth=100), of K.flatten(y_true) and K.flatten(y_pred)
    "loss_settings": {"smooth": 100.0, "pool": "batch"},
    "size": (256, 256),  # target_size=(256, 256)
    "normalisation": "div255",  # img = img / 255.0
    "slices": "all",  # get_image_mask_pairs takes every pair
    "early_stopping": None,
    "schedule": None,
    "monitor": "val_loss",  # ModelCheckpoint('unet_model.hdf5', ..., save_best_only=True)
    "augmentation": {  # train_generator_args, of keras' ImageDataGenerator
        "rotation": 0.25,  # rotation_range = 0.25
        "shift": 0.05,  # width_shift_range = 0.05, height_shift_range=0.05
        "shear": 0.05,  # shear_range=0.05
        "zoom": 0.05,  # zoom_range=0.05
        "flip": 0.5,  # horizontal_flip=True
        "as_keras": True,  # fill_mode='nearest'
    },
}
MOD_R2AU = {  # acy010797, Mod-R2AU-Net.py and Preprocessing.py
    "epochs": 100,  # epochs=100
    "batch_size": 16,  # BATCH_SIZE = 16
    "learning_rate": 1e-4,  # Adam(learning_rate=0.0001)
    "loss": "iou",  # loss = iou_loss, which is -iou
    "loss_settings": {"smooth": 100.0, "pool": "batch"},  # smooth=100; K.sum over everything
    "size": (128, 128),  # IMG_SIZE_TRAIN = (128,128)
    "normalisation": "gaussian_clahe",  # GaussianBlur(image, (3, 3), 1.5), createCLAHE on l of LAB
    "monitor": "val_loss",  # ModelCheckpoint('unet_128_mri_seg.hdf5', save_best_only=True)
    "augmentation": {  # transformator
        "rotation": 0.2,  # rotation_range=0.2
        "shift": 0.02,  # width_shift_range=0.02, height_shift_range=0.02
        "shear": 0.1,  # shear_range=0.1
        "zoom": 0.1,  # zoom_range=0.1
        "flip": 0.5,  # horizontal_flip=True
        "as_keras": True,  # fill_mode='nearest'
    },
}
SISTERS = {  # soyelshyngys, the same callbacks in three notebooks
    "epochs": 35,  # epochs=35
    "learning_rate": 1e-3,  # Adam(learning_rate=0.001)
    "early_stopping": 5,  # EarlyStopping(monitor='val_loss', patience=5, ...)
    # ReduceLROnPlateau(monitor='val_loss', factor=0.2, patience=2, min_lr=1e-6, verbose=1)
    "schedule": {"factor": 0.2, "patience": 2, "floor": 1e-6},
    "monitor": "val_loss",
    "normalisation": "minmax_slice",  # (x - np.min(x)) / (np.max(x) - np.min(x) + 1e-8)
    "augmentation": {},
}
ATTENTION_UNET = SISTERS | {  # notebook469b6b5ce1 (1).ipynb
    "batch_size": 4 * 5,  # batch_size=4, slices_per_patient=5
    "slices": "tumour",  # np.random.choice(tumor_slices, size=self.slices_per_patient, ...)
    "size": (256, 256),  # IMG_SIZE = 256
    "loss": "categorical_focal",  # tf.reduce_mean(tf.reduce_sum(loss, axis=-1))
    "loss_settings": {"gamma": 2.0, "alpha": 0.25},  # focal_loss(..., gamma=2.0, alpha=0.25)
}
DEEPLAB = SISTERS | {  # shyngys-model03-densenet.ipynb
    "batch_size": 4 * 5,  # batch_size=4, slices_per_patient=5
    "slices": "all",  # np.random.randint(VOLUME_START_AT, VOLUME_START_AT + VOLUME_SLICES)
    "size": (256, 256),  # IMG_SIZE = 256
    "loss": "weighted_dice",
    "loss_settings": {
        "class_weights": [0.1, 0.3, 0.3, 0.3],  # np.array([0.1, 0.3, 0.3, 0.3])
        "smooth": 1e-6,  # (2. * intersection + 1e-6) / (union + 1e-6)
        "pool": "batch",  # tf.reshape(y_true, [-1, len(SEGMENT_CLASSES)]), reduce_sum over axis 0
    },
}
RESNET = SISTERS | {  # shyngys-3d-resnet-model02.ipynb
    "batch_size": 1 * 100,  # batch_size=1, VOLUME_SLICES = 100
    "slices": "all",  # for j in range(VOLUME_SLICES)
    "size": (128, 128),  # IMG_SIZE = 128
    "loss": "weighted_dice",
    # sm.losses.DiceLoss(class_weights=np.array([0.1, 0.3, 0.3, 0.3])), whose defaults are
    # per_image=True and smooth=1e-5
    "loss_settings": {"class_weights": [0.1, 0.3, 0.3, 0.3], "smooth": 1e-5},
}
SOURCES = {
    "sa_unet": SA_UNET,
    "mod_r2au": MOD_R2AU,
    "attention_unet": ATTENTION_UNET,
    "deeplabv3plus": DEEPLAB,
    "resnet50_unet": RESNET,
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_recipe_is_what_its_authors_code_says(name):
    recipe = zoo.card(name).recipe
    assert {field: getattr(recipe, field) for field in SOURCES[name]} == SOURCES[name]
    assert recipe.optimiser == "adam"


@pytest.mark.parametrize("name", ["sa_unet", "mod_r2au"])
def test_the_protocol_moves_slices_in_keras_units(name):
    asked = SOURCES[name]["augmentation"]
    augmentation = protocol.find("author_lgg2d_lite", name).data.augmentation
    assert {field: getattr(augmentation, field) for field in asked} == asked


@pytest.mark.parametrize(
    ("base", "name", "smooth"),
    [
        ("lgg2d_256", "sa_unet", 100.0),
        ("lgg2d", "sa_unet", 25.0),
        ("lgg2d", "mod_r2au", 100.0),
        ("lgg2d_lite", "sa_unet", 100 * 96 * 96 / (256 * 256)),
        ("lgg2d_lite", "mod_r2au", 100 * 96 * 96 / (128 * 128)),
    ],
)
def test_a_smoothing_constant_keeps_its_share_of_a_slice(base, name, smooth):
    settings = protocol.find(f"author_{base}", name).train.loss_settings
    assert settings["smooth"] == pytest.approx(smooth, rel=1e-12)
    assert settings["pool"] == "batch"


def test_weights_of_classes_become_those_of_background_and_lesion():
    binary = protocol.find("author_lgg2d_lite", "deeplabv3plus").train.loss_settings
    assert binary["class_weights"] == [0.1, 0.9]
    classes = protocol.find("author_brats2d", "deeplabv3plus").train.loss_settings
    assert classes["class_weights"] == [0.1, 0.3, 0.3, 0.3]


def test_a_bend_in_pixels_becomes_a_share_of_the_slice():
    """Ronneberger et al. 2015: displacements of 10 pixels' standard deviation, tiles of 512."""
    assert zoo.card("unet").recipe.augmentation["elastic"] == 10
    assert protocol.find("author", "unet").data.augmentation.elastic == 10 / 512


@pytest.mark.parametrize("name", zoo.names())
def test_a_recipe_says_what_differs_or_that_the_choice_is_ours(name):
    recipe = zoo.card(name).recipe
    assert recipe.differs or "ours" in recipe.note
    if "smooth" in recipe.loss_settings:
        assert prod(recipe.size) > 1


@pytest.mark.parametrize("name", ["ar2_unet", "attention_unet"])
def test_a_card_of_a_canonical_network_names_its_batch_norm(name):
    """PyTorch's BatchNorm2d: eps=1e-5, and a moving variance with n / (n - 1)."""
    (told,) = [line for line in zoo.card(name).deviations if "epsilon" in line]
    assert all(word in told for word in ("1e-3", "1e-5", "n / (n - 1)"))


def test_what_was_fitted_to_claims_is_not_called_printed():
    (told,) = [line for line in zoo.card("mod_r2au").deviations if line.startswith("Widths")]
    assert "printed nowhere" in told
    assert "meet its two claims" in told
