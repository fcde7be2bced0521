"""The page: a scan, its masks and the viewer itself, in one file that asks no network."""

from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from benchmarks.errors import UserError
from benchmarks.records import atomic
from benchmarks.report.html import Html, data, digest, tag, template, text
from benchmarks.viewing import colours, voxels
from benchmarks.viewing.figures import figures
from benchmarks.viewing.shown_scan import Shown
from data_pipeline.scans.predicted_scan import DRAWN

TEMPLATES = Path(__file__).parent / "templates"
MADE = b'<!doctype html>\n<html lang="en" data-made-by="gliozoo view">'


def page(shown: Shown) -> str:
    """Return the whole document."""
    scripts = {
        "niivue": template("niivue.umd.js", TEMPLATES),
        "script": template("theme.js") + template("view.js", TEMPLATES),
    }
    style = template("theme.css") + template("view.css", TEMPLATES)
    return Template(template("view.html", TEMPLATES)).substitute(
        scripts,
        allowed=" ".join(f"'{digest(script)}'" for script in scripts.values()),
        style=style,
        style_hash=digest(style),
        title=text(shown.name),
        lead=_lead(shown),
        figures=figures(shown) or tag("p", "No mask was given, and no label lies beside the scan."),
        case=data("case", _case(shown)),
    )


def write(path: Path, content: str) -> None:
    """Write a page, whole or not at all; only a page of this kind is replaced."""
    if path.is_dir():
        raise UserError(f"{path}: expected a file for the page, and it is a folder.")
    if path.exists():
        with path.open("rb") as file:
            if file.read(len(MADE)) != MADE:
                raise UserError(f"{path}: is no page of `gliozoo view`; choose another --out.")
    atomic.write_out(path, content.encode())


def _lead(shown: Shown) -> Html:
    volume = shown.volume
    depth, rows, columns = volume.image.shape[:3]
    size = " × ".join(f"{side:.3g}" for side in reversed(volume.spacing))
    told = f"{columns} × {rows} × {depth} voxels"
    told += f" of {size} mm" if volume.in_mm else "; the files state no voxel size"
    if voxels.drawn_spacing(volume)[0] != volume.spacing[0]:
        told += f", slices are drawn {voxels.drawn_spacing(volume)[0]:.3g} apart"
    return tag("p", told, class_="lead")


def _case(shown: Shown) -> dict[str, Any]:
    """Return what the script needs."""
    volume, layers = shown.volume, shown.layers
    contrasts = voxels.contrasts(volume)
    regions = colours.of_regions(shown.regions)
    return {
        "header": voxels.header(volume),
        "shape": volume.image.shape[2::-1],
        "contrasts": list(contrasts),
        "first": list(contrasts).index(DRAWN) if DRAWN in contrasts else 0,
        "flat": voxels.drawn_spacing(volume)[0] != volume.spacing[0],
        "start": _start(layers, volume.image.shape[:3]),
        "layers": list(layers),
        "reference": shown.reference is not None,
        "voxels": [*contrasts.values(), *map(voxels.packed, layers.values())],
        "regions": [
            {"name": name, "values": list(values), "colour": regions[name]}
            for name, values in shown.regions.items()
        ],
        "errors": colours.of_errors(),
    }


def _start(layers: Mapping[str, np.ndarray], shape: tuple[int, ...]) -> list[int]:
    """Return a voxel, x first, in the fullest slice of the first mask that has any."""
    for labels in layers.values():
        lesion = labels > 0
        if lesion.any():
            place = int(lesion.sum(axis=(1, 2)).argmax())
            row, column = (int(np.median(found)) for found in np.nonzero(lesion[place]))
            return [column, row, place]
    return [side // 2 for side in reversed(shape)]
