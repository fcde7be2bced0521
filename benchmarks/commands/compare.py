"""`gliozoo compare`: rank what may be ranked, and say what may not."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `gliozoo compare`."""
    parser.add_argument(
        "folders", metavar="FOLDER", type=Path, nargs="*", help="folders of records: mine, others'"
    )
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of records")
    parser.add_argument("--out", type=Path, help="where the tables go (default: the results)")
    parser.add_argument("--protocol", help="only the runs of this protocol")
    parser.add_argument(
        "--models", default="", metavar="NAME[,...]", help="only these rows; wildcards match"
    )
    parser.add_argument("--baseline", default="unet", help="the model that others are compared to")
    parser.add_argument("--policy", help="for empty masks: brats or exclude (default: protocol's)")
    parser.add_argument("--against", type=Path, help="an older folder; exit 1 on a real loss")
    parser.add_argument("--latex", action="store_true", help="write leaderboard.tex as well")
    parser.add_argument("--plots", action="store_true", help="draw the figures, SVG and PNG")
    parser.add_argument("--json", action="store_true", help="print the rows as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Write the tables, print the ranking."""
    from benchmarks.comparison.compare import compare
    from benchmarks.protocols.protocol import name_of
    from benchmarks.terminal.progress import waiting
    from benchmarks.terminal.streams import say

    def of(results):
        with waiting("Comparing"):
            return compare(
                results,
                baseline=arguments.baseline,
                protocol=name_of(arguments.protocol),
                policy=arguments.policy,
                models=[*filter(None, map(str.strip, arguments.models.split(",")))],
            )

    folders = arguments.folders or [arguments.results]
    if arguments.folders:
        arguments.results = folders[0]
    comparison = of(folders if len(folders) > 1 else folders[0])
    if arguments.against:
        return _against(of(arguments.against), comparison, arguments.json)
    with waiting("Drawing" if arguments.plots else "Writing"):
        written = _write(comparison, arguments)
    _print(comparison, arguments.json)
    for path in written:
        say(f"Wrote {path}")
    return 0


def _write(comparison, arguments: argparse.Namespace) -> list[Path]:
    from benchmarks.records import atomic
    from benchmarks.tables import latex, leaderboard_csv, markdown

    out = arguments.out or arguments.results
    texts = {
        out / "leaderboard.csv": leaderboard_csv.to_csv(comparison),
        out / "leaderboard.md": markdown.to_markdown(comparison),
    }
    if arguments.latex:
        texts[out / "leaderboard.tex"] = latex.to_latex(comparison)
    for path, text in texts.items():
        atomic.write_out(path, text.encode())
    if not arguments.plots:
        return list(texts)
    from benchmarks.plots import draw

    return [*texts, *draw.save(comparison, out / "plots")]


def _print(comparison, as_json: bool) -> None:
    if as_json:
        import json

        from benchmarks.records.record import finite
        from benchmarks.tables.leaderboard_csv import rows

        print(json.dumps(finite(list(rows(comparison))), sort_keys=True))
        return
    from benchmarks.tables.terminal import show

    show(comparison)


def _against(before, now, as_json: bool) -> int:
    from benchmarks.comparison.changes import changes
    from benchmarks.tables.terminal import show_changes
    from benchmarks.terminal.streams import say

    for line in (*before.omissions(), *now.omissions()):
        say(f"Left out: {line}")
    found = changes(before, now)
    show_changes(found, as_json)
    return 1 if any(change.is_loss for change in found) else 0
