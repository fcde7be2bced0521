"""Pictures: a run's training curve, what it drew on chosen patients, and a predicted scan."""

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from benchmarks.predicting.predict import Prediction
from benchmarks.predicting.region_colours import FALSE, MISSED, NESTED, TRUE
from benchmarks.records import atomic, result_paths
from benchmarks.training import evaluate
from benchmarks.training.evaluate import Predict, Quality
from data_pipeline import Data, PatientData

SIDES = ("axial", "coronal", "sagittal")
FILL = 0.55


def patients(
    predict: Predict, data: Data, quality: Quality, policy: str, folder: Path
) -> list[Path]:
    """Draw the patients that tell most of this model, and those that every model draws."""
    chosen = choose(evaluate.dice_by_patient(quality, policy), tumours(quality))
    files = []
    for patient in data.patients("test"):
        if patient.id in chosen:
            found = patient.restore(predict(patient.images))
            masks = quality.cut.masks(found, data.target, data.regions)
            figure = draw(patient, data, masks, chosen[patient.id])
            files.append(save(figure, result_paths.overlay_path(folder, patient.id)))
    return files


def tumours(quality: Quality) -> dict[str, int]:
    """Return the voxels of each patient's largest region; leave out those without a tumour."""
    sizes = {
        patient["patient"]: max(row["tp"] + row["fn"] for row in patient["regions"].values())
        for patient in quality.patients
    }
    return {patient: size for patient, size in sizes.items() if size}


def choose(dice: Mapping[str, float], sizes: Mapping[str, int]) -> dict[str, str]:
    """Return patients with a title: best, median and worst; smallest and largest tumour.

    The last two depend on the data alone, so that models can be compared on the same patients.
    """
    by_dice = sorted(dice, key=lambda patient: (-dice[patient], patient))
    by_size = sorted(sizes.keys() & dice.keys(), key=lambda patient: (sizes[patient], patient))
    roles: dict[str, list[str]] = {}
    for order, name, place in (
        (by_dice, "best", 0),
        (by_dice, "median", len(by_dice) // 2),
        (by_dice, "worst", -1),
        (by_size, "smallest tumour", 0),
        (by_size, "largest tumour", -1),
    ):
        if order:
            roles.setdefault(order[place], []).append(name)
    return {
        patient: f"{', '.join(names)}: {patient}, Dice {dice[patient]:.3f}"
        for patient, names in roles.items()
    }


class Shown(Protocol):
    """What a picture asks of the data that a patient is of."""

    @property
    def channels(self) -> Sequence[str]:
        """Give the names of an image's channels."""

    @property
    def regions(self) -> Mapping[str, tuple[int, ...]]:
        """Give the label values of each region."""


def draw(patient: PatientData, data: Shown, masks: Mapping[str, np.ndarray], title: str) -> Figure:
    """Draw image, reference, prediction and error of each region on its fullest slice."""
    planes = shown_planes(patient, data)
    figure = Figure(figsize=(10, 2.75 * len(masks) + 0.35), layout="constrained")
    axes = figure.subplots(len(masks), 4, squeeze=False)
    for row, (region, mask) in zip(axes, masks.items(), strict=True):
        reference = np.isin(patient.reference, data.regions[region])
        place = fullest(reference, mask)
        image = grey(planes[place])
        _panels(row, image, reference[place], mask[place])
        row[0].set_ylabel(f"{plain(region)}, slice {place}", fontsize=9)
    for panel, name in zip(axes[0], ("Image", "Reference", "Prediction", "Error"), strict=True):
        panel.set_title(name, fontsize=9)
    figure.suptitle(plain(title), fontsize=10)
    figure.legend(
        handles=[
            Patch(color=TRUE, label="found"),
            Patch(color=MISSED, label="missed"),
            Patch(color=FALSE, label="made up"),
        ],
        loc="outside lower center",
        ncols=3,
        fontsize=8,
        frameon=False,
    )
    return figure


def shown_planes(patient: PatientData, data: Shown) -> np.ndarray:
    """Return the slices of the channel that pictures show, on the scan's own grid."""
    shown = data.channels.index("flair") if "flair" in data.channels else 0
    images = patient.geometry.to_native(patient.images, np.zeros(len(data.channels)))
    return images[..., shown]


def prediction(found: Prediction) -> bytes:
    """Draw a predicted scan on its fullest slice; a volume from three sides."""
    volume, masks = found.scan.volume, found.masks
    whole = found.labels > 0
    drawn = found.scan.drawn()
    sides = SIDES if found.scan.case.form != "slices" else SIDES[:1]
    figure = Figure(figsize=(2.9 * len(sides), 5.6), layout="constrained")
    axes = figure.subplots(2, len(sides), squeeze=False)
    for axis, (column, name) in enumerate(zip(axes.T, sides, strict=True)):
        place = int(whole.sum(axis=tuple({0, 1, 2} - {axis})).argmax())
        rest = [size for at, size in enumerate(volume.spacing) if at != axis]
        image = grey(np.take(drawn, place, axis))
        picture = nested(image, [np.take(mask, place, axis) for mask in masks.values()])
        for panel, plane in zip(column, (image, picture), strict=True):
            panel.imshow(plane, aspect=rest[0] / rest[1], origin="lower" if axis else "upper")
            panel.set(xticks=[], yticks=[])
        column[0].set_title(f"{name}, slice {place}", fontsize=9)
    figure.legend(
        handles=[Patch(color=c, label=plain(n)) for n, c in zip(masks, NESTED, strict=False)],
        loc="outside lower center",
        ncols=len(masks),
        fontsize=8,
        frameon=False,
    )
    figure.suptitle(plain(found.scan.case.name), fontsize=10)
    return _png(figure)


def plain(name: str) -> str:
    """Return a name as a picture shows it: nothing but characters, and no `$` begins a formula."""
    shown = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)
    return "".join(shown).replace("$", r"\$")


def nested(image: np.ndarray, masks: Sequence[np.ndarray]) -> np.ndarray:
    """Colour each pixel by the innermost region that it is in."""
    innermost = np.zeros(image.shape[:2], int)
    for depth, mask in enumerate(masks, start=1):
        innermost[mask] = depth
    for depth, colour in enumerate(NESTED, start=1):
        image = tint(image, innermost == depth, colour)
    return image


def _panels(row: Sequence[Any], image: np.ndarray, truth: np.ndarray, guess: np.ndarray) -> None:
    error = tint(image, truth & guess, TRUE)
    error = tint(tint(error, truth & ~guess, MISSED), guess & ~truth, FALSE)
    for panel, picture in zip(
        row, (image, tint(image, truth, TRUE), tint(image, guess, TRUE), error), strict=True
    ):
        panel.imshow(picture, interpolation="nearest")
        panel.set(xticks=[], yticks=[])


def fullest(reference: np.ndarray, mask: np.ndarray) -> int:
    """Return the slice with the most reference; without any, that with the most prediction."""
    areas = reference.sum(axis=(1, 2))
    return int((areas if areas.any() else mask.sum(axis=(1, 2))).argmax())


def grey(plane: np.ndarray) -> np.ndarray:
    """Return an RGB picture of a slice between its 1st and 99.5th percentile."""
    low, high = np.percentile(plane, (1, 99.5))
    scaled = np.clip((plane - low) / max(high - low, 1e-6), 0, 1)
    return np.repeat(scaled[..., None], 3, axis=-1)


def tint(picture: np.ndarray, mask: np.ndarray, colour: tuple[float, float, float]) -> np.ndarray:
    """Lay a colour over the masked pixels."""
    tinted = picture.copy()
    tinted[mask] = (1 - FILL) * picture[mask] + FILL * np.array(colour)
    return tinted


def curves(history: Iterable[Mapping[str, Any]], title: str, folder: Path) -> Path:
    """Draw loss and validation Dice by epoch."""
    rows = list(history)
    epochs = [row["epoch"] for row in rows]
    figure = Figure(figsize=(7.5, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(epochs, [row["loss"] for row in rows], "-o", ms=3, label="training")
    left.plot(epochs, [row["val_loss"] for row in rows], "--s", ms=3, label="validation")
    left.set(xlabel="Epoch", ylabel="Loss")
    left.legend(fontsize=8, frameon=False)
    dice = [row["val_dice"] for row in rows]
    right.plot(epochs, dice, "-o", ms=3, color=TRUE)
    best = int(np.argmax(dice)) if dice else 0
    if dice:
        right.annotate(
            f"best {dice[best]:.3f}",
            (epochs[best], dice[best]),
            (0, 6 if dice[best] < 0.85 else -14),
            textcoords="offset points",
            ha="right" if best > len(dice) / 2 else "left",
            fontsize=8,
        )
    right.set(xlabel="Epoch", ylabel="Validation Dice", ylim=(0, 1))
    for panel in (left, right):
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, fontsize=9)
    return save(figure, folder / "curves.png")


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG, whole or not at all."""
    atomic.write(path, _png(figure))
    return path


def _png(figure: Figure) -> bytes:
    content = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(content, format="png", dpi=110)
    return content.getvalue()
