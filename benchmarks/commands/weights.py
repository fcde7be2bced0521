"""`gliozoo weights list|show|verify|card|add|tidy|fetch`: presets, trained weights by name."""

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.errors import UserError
from benchmarks.terminal.streams import say, shown
from zoo.presets import home, shelf
from zoo.presets.preset import Preset

ACTIONS = ("list", "show", "verify", "card", "add", "tidy", "fetch")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("action", choices=ACTIONS, metavar="ACTION", help=", ".join(ACTIONS))
    parser.add_argument(
        "names", nargs="*", metavar="PRESET", help="names; of `add`, the folders of runs"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--offline", action="store_true", help="fetch nothing")
    parser.add_argument("--name", help="of `add`: ARCHITECTURE.TAG, such as unet.lgg")
    parser.add_argument("--summary", default="", help="of `add`: one line about it")
    parser.add_argument(
        "--scans", type=Path, nargs="+", default=(), help="of `add`: what taught it"
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="of `add`: test on it what 16 bits cost; of `tidy`: choose on it; of `card "
        "--pictures`: whom to show",
    )
    parser.add_argument("--version", metavar="YEAR", help="of BraTS data that are shown")
    parser.add_argument(
        "--pictures", action="store_true", help="of `card --out`: its best and its worst beside it"
    )
    parser.add_argument(
        "--into", type=Path, metavar="DIR", help="of `add` and `tidy` (default: your own)"
    )
    parser.add_argument("--url", default="", help="of `add`: the folder its files will lie in")
    parser.add_argument("--float32", action="store_true", help="of `add`: keep all 32 bits")
    parser.add_argument("--out", type=Path, metavar="FILE", help="of `card`: where to write it")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked for."""
    return globals()[f"_{arguments.action}"](arguments)


def _list(arguments: argparse.Namespace) -> int:
    from benchmarks.releasing import made

    rows = [made.as_row(preset) for preset in shelf.presets().values()]
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return 0
    if rows:
        _table(rows)
    else:
        print("no presets yet: `gliozoo weights add RUN... --name MODEL.TAG` makes one of runs")
    return 0


def _table(rows: list[dict[str, Any]]) -> None:
    """Print a row a preset."""
    from benchmarks.tables import fitted

    columns = [
        fitted.Column("Preset", justify="left"),
        fitted.Column("Of", justify="left"),
        fitted.Column("Sequences", 1, "left"),
        fitted.Column("Folds", 3),
        fitted.Column("MB", 2),
        fitted.Column("Dice", justify="left"),
        fitted.Column("Patients"),
    ]
    cells = [
        (
            *(shown(row["name"]), f"{row['rank']}D", shown(", ".join(row["channels"]))),
            *(str(row["folds"]), f"{row['megabytes']:.2f}"),
            shown(", ".join(f"{name} {value[0]:.3f}" for name, value in row["dice"].items())),
            str(row["patients"]),
        )
        for row in rows
    ]
    place = fitted.console()
    fitted.show(place, columns, cells)
    place.print("Dice is the mean of patients that the networks never saw.")


def _show(arguments: argparse.Namespace) -> int:
    told = [preset.as_json() for preset in _asked(arguments)]
    if arguments.json:
        print(json.dumps(told if told[1:] else told[0], indent=2))
        return 0
    for facts in told:
        for name, value in facts.items():
            fact = f"{len(value)} files of scans" if name == "scans" else value
            print(f"{name:<16} {shown(fact if isinstance(fact, str) else json.dumps(fact))}")
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from benchmarks.predicting import trained_network
    from zoo import weights

    presets = _asked(arguments) if arguments.names else list(shelf.presets().values())
    checked = []
    for preset in presets:
        for file in preset.files:
            path = shelf.path_of(preset, file, offline=arguments.offline or None)
            header, _ = weights.read(path)
            if header.identity.architecture != preset.model:
                raise UserError(
                    f"{path}: holds {header.identity.architecture}, not {preset.model}."
                )
            trained_network.read(path)
            checked.append(str(path))
            say(f"whole: {path}")
    if arguments.json:
        print(json.dumps(checked, indent=2))
    return 0


def _card(arguments: argparse.Namespace) -> int:
    from benchmarks.records import atomic
    from benchmarks.releasing import card

    (preset,) = _asked(arguments)[:1]
    if arguments.pictures and not arguments.out:
        raise UserError("Expected --out FILE with --pictures: they are written beside the card.")
    text = card.text(preset, _pictures(preset, arguments) if arguments.pictures else None)
    if arguments.out:
        atomic.write_out(arguments.out, text.encode())
    else:
        print(text, end="")
    return 0


def _pictures(preset: Preset, arguments: argparse.Namespace):
    from benchmarks.backends import device

    device.start()
    from benchmarks.releasing import pictures

    say(f"Scoring {arguments.data or 'phantoms'} ...")
    with device.silence():
        return pictures.draw(
            preset,
            arguments.out.absolute().parent,
            arguments.data,
            arguments.version,
        )


def _add(arguments: argparse.Namespace) -> int:
    from benchmarks.releasing import made

    if not arguments.names or not arguments.name:
        raise UserError("Expected `gliozoo weights add RUN... --name MODEL.TAG`.")
    wish = made.Wish(
        name=arguments.name,
        folder=arguments.into or home.weights(),
        summary=arguments.summary,
        url=arguments.url,
        half=not arguments.float32,
        data=arguments.data,
        scans=arguments.scans,
    )
    preset = made.preset([Path(name) for name in arguments.names], wish)
    if arguments.json:
        print(json.dumps(made.as_row(preset), indent=2))
    say(f"{preset.name}: {len(preset.files)} file(s), {preset.bytes / 1e6:.2f} MB in {wish.folder}")
    return 0


def _tidy(arguments: argparse.Namespace) -> int:
    from benchmarks.backends import device

    (preset,) = _asked(arguments)[:1]
    device.start()
    from benchmarks.releasing import made, tidying

    with device.silence():
        tidy = tidying.tidied(preset, arguments.data, arguments.into or home.weights())
    if arguments.json:
        print(json.dumps(made.as_row(tidy.preset), indent=2))
    for fold, share in tidy.shares.items():
        say(f"fold {fold}: below {share:g} of the largest component")
    for before, after in zip(tidy.before, tidy.preset.dice, strict=True):
        lesions = "{:.3f}, now {:.3f}".format(*tidy.lesions[after.region])
        say(
            f"{after.region}: Dice {before.mean:.3f}, now {after.mean:.3f}, by lesion {lesions}, "
            f"{after.patients} patients"
        )
    return 0


def _fetch(arguments: argparse.Namespace) -> int:
    fetched: dict[str, list[str]] = {}
    for preset in _asked(arguments):
        fetched[preset.name] = []
        for path in shelf.paths(preset.name, offline=arguments.offline or None):
            fetched[preset.name].append(str(path))
            say(f"{preset.name}: {path}")
    if arguments.json:
        print(json.dumps(fetched, indent=2))
    return 0


def _asked(arguments: argparse.Namespace) -> list[Preset]:
    if not arguments.names:
        raise UserError(f"Expected a preset: gliozoo weights {arguments.action} NAME.")
    return [shelf.find(name) for name in arguments.names]
