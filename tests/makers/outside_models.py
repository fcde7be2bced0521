"""Sources of models as users write them: one that is sound, as a file and as a package; and nine
that are broken, each in its own way."""

from pathlib import Path

SOUND = """
import keras
from keras import layers


def build(input_shape, classes, *, widths=(8, 16)):
    image = x = layers.Input(input_shape)
    skips = []
    for width in widths:
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    for width, skip in zip(widths[::-1], skips[::-1]):
        x = layers.Concatenate()([layers.UpSampling2D()(x), skip])
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
    last = "sigmoid" if classes == 1 else "softmax"
    return keras.Model(image, layers.Conv2D(classes, 1, activation=last, dtype="float32")(x))
"""
LAST = 'activation=last, dtype="float32")(x))'
assert LAST in SOUND

# file name -> source, a part of the sentence that refuses it
BROKEN = {
    "no_build": (SOUND.replace("def build", "def make"), "has no build"),
    "no_python": (SOUND.replace("def build", "def def"), "is not Python (line 6"),
    "raises": ("import keras\n1 / 0\n" + SOUND, "raises ZeroDivisionError"),
    "logits": (SOUND.replace(LAST, 'dtype="float32")(x))'), "are logits"),
    "sigmoid_of_classes": (SOUND.replace('else "softmax"', 'else "sigmoid"'), "do not sum to 1"),
    "low_precision": (SOUND.replace(LAST, "activation=last)(x))"), "answers in bfloat16"),
    "half_the_size": (
        SOUND.replace("layers.Input(input_shape)", "layers.Input(input_shape)\n    x = "
                      "layers.AveragePooling2D(2)(x)"),
        "a mask of the image's size",
    ),
    "no_model": (SOUND.replace("return keras.Model(image, ", "return ("), "not a model"),
    "own_dice": (
        SOUND.replace("import keras\n", "import keras\nimport numpy as np\n", 1).replace(
            "    last =", "    x = x * np.random.rand()\n    last ="
        ),
        "it answers otherwise",
    ),
}  # fmt: skip


def write(folder: Path, name: str, source: str = SOUND) -> str:
    """Write a source file and return how a user names it."""
    path = folder / f"{name}.py"
    path.write_text(source)
    return str(path)


def install(folder: Path, name: str = "their_unet", source: str = SOUND, version="1.2") -> None:
    """Lay out a package as an installed wheel lies there: modules, metadata, entry points."""
    package = f"{name}_package"
    (folder / package).mkdir(parents=True)
    (folder / package / "__init__.py").write_text("")
    (folder / package / "models.py").write_text(source)
    facts = folder / f"{package}-{version}.dist-info"
    facts.mkdir()
    head = f"Metadata-Version: 2.1\nName: {package.replace('_', '-')}\nVersion: {version}\n"
    (facts / "METADATA").write_text(head)
    group = f"[gliozoo.architectures]\n{name} = {package}.models:build\n"
    (facts / "entry_points.txt").write_text(group)
