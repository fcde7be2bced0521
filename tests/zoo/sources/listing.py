"""Which forms there are, read without importing torch, which takes seconds."""

import ast
from pathlib import Path

SOURCES = Path(__file__).parent


def forms() -> list[tuple]:
    """Return (architecture, input_shape, classes, variant) of every form."""
    found = []
    for file in sorted(SOURCES.glob("*.py")):
        for line in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "FORMS":
                found += [(file.stem, *form) for form in ast.literal_eval(line.value)]
    return found


def named(form: tuple) -> str:
    name, shape, _, variant = form
    return f"{name}-{variant or 'default'}-{len(shape) - 1}d"
