"""Packages that only some uses need: imported when asked for, missed in one sentence."""

import importlib
from types import ModuleType

from benchmarks.errors import UserError


def require(module: str, option: str, extra: str) -> ModuleType:
    """Import a package of an extra; `option` is what the user asked for."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise UserError(f"{option} needs {package}: pip install 'gliozoo[{extra}]'.") from error
