"""One export: written aside, compared with its source, moved to its place or refused."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.errors import UserError
from benchmarks.exporting import facts as all_facts
from benchmarks.exporting import int8, parity
from benchmarks.machine import optional_packages
from benchmarks.predicting.trained_network import Trained

FORMATS = {
    "savedmodel": "savedmodel",
    "onnx": "onnx_file",
    "openvino": "openvino_file",
    "litert": "litert",
    "torch": "torch_program",
}


@dataclass(frozen=True)
class Request:
    """What is to be written, where, and how far it may lie from its source."""

    form: str
    out: Path
    limit: float = parity.LIMIT
    calibration: np.ndarray | None = None  # samples; where given, the weights become int8


def module(form: str) -> ModuleType:
    """Return the module of a format."""
    return import_module(f"benchmarks.exporting.{FORMATS[form]}")


def require(form: str, out: Path) -> None:
    """Refuse what can't come to an end, before anything heavy is loaded."""
    made = module(form)
    if out.suffix != made.SUFFIX:
        wanted = f"a name ending in {made.SUFFIX}" if made.SUFFIX else "a folder without a suffix"
        raise UserError(f"Expected {wanted} for --format {form}. Received: {out}.")
    if out.exists():
        raise UserError(f"{out}: is there already; remove it, or choose another --out.")
    for package in made.NEEDS:
        optional_packages.require(package, f"--format {form}", made.EXTRA)


def export(networks: Sequence[Any], trained: Trained | None, request: Request) -> dict[str, Any]:
    """Write the file of a model, or of the mean of several, and return its facts.

    It is refused above the limit, and nothing is left.
    """
    from benchmarks.ensembles import joined

    made = module(request.form)
    told = all_facts.of(networks, trained, request.form)
    model = joined.model_of(networks)
    sides = tuple(side or parity.FREE_SIDE for side in model.input_shape[1:])
    model.predict_on_batch(np.zeros((1, *sides), np.float32))  # Keras exports what was called once
    try:
        request.out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export-", dir=request.out.parent) as folder:
            aside = Path(folder) / request.out.name
            _write(made, model, aside, request)
            told["difference"] = _compared(made, model, aside, request)
            made.embed(aside, told)
            for path in sorted(Path(folder).iterdir(), key=lambda path: path == aside):
                shutil.move(path, request.out.with_name(path.name))
    except OSError as error:
        raise UserError(
            f"Cannot write {request.out}: {error.strerror or error}; free space there or choose "
            "another place with --out."
        ) from error
    return told


def _write(made: ModuleType, model: Any, aside: Path, request: Request) -> None:
    """Write the network; what a format lacks is one sentence."""
    try:
        made.write(model, aside)
        if request.calibration is not None:
            int8.quantise(aside, request.calibration)
    except (UserError, OSError):
        raise
    except Exception as error:  # converters raise anything, and it is about the model
        raise UserError(
            f"{model.name} can't be exported as {request.form}: {reason(error)}; "
            "choose another --format."
        ) from error


def _compared(made: ModuleType, model: Any, aside: Path, request: Request) -> dict[str, Any]:
    """Return how far the file's answers lie from the model's; above the limit it is refused."""
    try:
        network = made.runner(aside)
        found = parity.differences(model.predict_on_batch, network, model.input_shape[1:])
    except Exception as error:  # a runtime may lack what the converter wrote
        raise UserError(
            f"{model.name} as {request.form} does not run here: {reason(error)}; "
            "choose another --format."
        ) from error
    if request.calibration is not None:
        return found | int8.judged(model.predict_on_batch, network, request.calibration)
    worst = max(found.values())
    if worst > request.limit:
        raise UserError(
            f"{model.name} as {request.form} differs from its source by {worst:.2g}, more than "
            f"{request.limit:.2g}: nothing was written; state a larger --limit to accept it."
        )
    return {"limit": request.limit, **found}


def reason(error: Exception) -> str:
    """Return in a line what a converter or a runtime raised."""
    return " ".join(str(error).split())[:300] or type(error).__name__


def read(path: Path) -> dict[str, Any]:
    """Return what a file says of itself, whichever format it has."""
    for form in FORMATS:
        made = module(form)
        fits = path.is_dir() if not made.SUFFIX else path.suffix == made.SUFFIX and path.is_file()
        if fits:
            try:
                found = made.read(path)
            except UserError:
                raise
            except Exception as error:  # whatever a parser says of a damaged file
                raise UserError(f"{path}: can't be read as {form}; export it again.") from error
            if found is None:
                raise UserError(f"{path}: says nothing of itself; `gliozoo export` writes it anew.")
            return found
    suffixes = ", ".join(filter(None, (module(form).SUFFIX for form in FORMATS)))
    raise UserError(f"{path}: expected a file of {suffixes}, or a SavedModel's folder.")
