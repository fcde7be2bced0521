"""`gliozoo new model|protocol|dataset|loss|metric PATH`: a commented file to start from."""

import argparse
import json
from pathlib import Path

from benchmarks import starters


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("kind", choices=[*starters.KINDS])
    parser.add_argument("path", metavar="PATH", type=Path, help="the file; of a dataset its folder")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Write it where nothing is, and say what comes next."""
    from benchmarks.errors import UserError

    kind, path = arguments.kind, arguments.path
    suffix = starters.KINDS[kind].removesuffix(".txt").rpartition(".")[2]
    if kind == "dataset":
        path = path / "dataset.toml" if path.name != "dataset.toml" else path
    elif path.suffix != f".{suffix}":
        raise UserError(f"Expected a name that ends in .{suffix}. Received: {path}.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(starters.text(kind))
    except FileExistsError:
        raise UserError(f"{path}: is there already; name another one.") from None
    except OSError as error:
        raise UserError(f"{path}: can't be written ({error.strerror}).") from error
    following = starters.NEXT[kind].format(path=path, folder=path.parent)
    if arguments.json:
        print(json.dumps({"path": str(path), "next": following}))
    else:
        print(f"Wrote {path}. Next: {following}")
    return 0
