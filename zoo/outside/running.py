"""A source from outside, run: its function found and called, its mistakes told in a sentence.

A file stands alone: its folder is not searched, so that its hash says all that is run of it.
"""

import importlib
import inspect
import sys
import types
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from zoo.errors import UserError
from zoo.outside import cards
from zoo.outside.origin import BUILD, Outside

SHAPES = ("input_shape", "shape", "image_shape", "input_size", "input_dims")
CLASSES = ("classes", "num_classes", "n_classes", "nclasses", "nb_classes", "out_channels")
WANTED = "build(input_shape, classes, ...)"


@cache
def builder(found: Outside) -> Callable:
    """Run the source and return its function."""
    module = _imported(found)
    function: Any = module
    for part in found.function.split("."):
        function = getattr(function, part, None)
    if not callable(function):
        raise UserError(f"{found.reference}: has no {found.function}; {_remedy(found)}.")
    return function


def _remedy(found: Outside) -> str:
    known = cards.functions(found.source.decode()) if found.source else []
    if found.function == BUILD and known:
        return (
            f"write {WANTED} that returns a keras.Model, or name the function that does as "
            f"{found.reference}:{known[0]} (there are: {', '.join(known)})"
        )
    return f"write {WANTED} that returns a keras.Model"


def _imported(found: Outside) -> types.ModuleType:
    try:
        if isinstance(found.place, str):
            return importlib.import_module(found.place)
        return _of_source(found, found.place)
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        beside = ""
        if isinstance(error, ImportError) and not isinstance(found.place, str):
            beside = " (a file stands alone: what lies beside it is not imported)"
        raise UserError(
            f"{found.reference}: raises {_told(error)} when it is imported{beside}; mend it, and "
            f"try `gliozoo check {found.reference}`."
        ) from error


def _of_source(found: Outside, path: Path) -> types.ModuleType:
    """Run the very bytes that were hashed."""
    module = types.ModuleType(f"gliozoo_outside_{found.origin.mark}_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where dataclasses and pickles look for it
    try:
        exec(compile(found.source, str(path), "exec"), module.__dict__)
    except BaseException:
        del sys.modules[module.__name__]
        raise
    return module


def settings(found: Outside, function: Callable) -> dict[str, Any]:
    """Return the further arguments of a function with their defaults."""
    known = _parameters(found, function)
    further = {
        name: parameter
        for name, parameter in known.items()
        if name not in _places(found, known)
        and parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    }
    for name, parameter in further.items():
        if parameter.default is parameter.empty:
            raise UserError(
                f"{found.reference}: {found.function} asks for {name!r}, which nothing gives; give "
                "it a default."
            )
    return {name: parameter.default for name, parameter in further.items()}


def call(
    found: Outside, function: Callable, shape: tuple, classes: int, arguments: Mapping[str, Any]
) -> Any:
    """Call a function by the names that it gives the input's shape and the number of classes."""
    first, second = _places(found, _parameters(found, function))
    try:
        return function(**{first: shape, second: classes, **arguments})
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"{found.reference}: {found.function} raises {_told(error)} for input_shape {shape} "
            f"and {classes} classes; mend it, and try `gliozoo check {found.reference}`."
        ) from error


def _parameters(found: Outside, function: Callable) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError) as error:
        raise UserError(
            f"{found.reference}: {found.function} has no signature; write {WANTED}."
        ) from error


def _places(found: Outside, known: Mapping[str, inspect.Parameter]) -> tuple[str, str]:
    """Name the parameters that take the shape and the classes: by their names, else the first."""
    plain = [name for name, one in known.items() if one.kind is one.POSITIONAL_OR_KEYWORD]
    shape = next((name for name in SHAPES if name in known), None)
    classes = next((name for name in CLASSES if name in known), None)
    if shape and classes:
        return shape, classes
    if len(plain) < 2:
        raise UserError(
            f"{found.reference}: {found.function}({', '.join(known)}) takes no input shape and "
            f"number of classes; write {WANTED}."
        )
    return plain[0], plain[1]


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
