"""`gliozoo list`: every architecture in one table, in a blink and without Keras."""

import argparse
import json

import zoo
from zoo.card import Card, Published, Reference
from zoo.outside import packages


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print what the zoo holds."""
    cards = {name: zoo.card(name) for name in zoo.names()}
    if arguments.json:
        print(json.dumps([entry(name, card) for name, card in cards.items()], indent=2))
    else:
        _print_table(cards)
    return 0


def entry(name: str, card: Card) -> dict:
    """Return one architecture's row as plain values."""
    reference = card.reference()
    return {
        "name": name,
        "title": card.title,
        "ranks": list(card.ranks),
        "params": reference.params,
        "params_trainable": reference.trainable,
        "gflops": reference.gflops,
        "input_shape": list(reference.input_shape),
        "classes": reference.classes,
        "variants": list(card.variants),
        "claims": [
            {"dataset": claim.dataset, "metrics": dict(claim.metrics), "leaks": claim.leaks}
            for claim in card.claims
        ],
    }


def _print_table(cards: dict[str, Card]) -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    console.print(_line("name", "rank", "params", "GFLOPs", "at", "architecture"), style="dim")
    for name, card in cards.items():
        console.print(
            f"[bold]{name:19}[/]"
            + _line("", ranks(card), *counts(card.reference()), card.title)[19:]
        )
        for claim in filter(headline, card.claims):
            console.print(
                f"  claimed on {headline(claim)}{' †' if claim.leaks else ''}", style="dim"
            )
    given = packages.told()
    for name, package in given.items():
        console.print(f"[bold]{name:19}[/] of the package {package}", highlight=False)
    console.print(
        "\nGFLOPs: 2 x multiply-adds of convolutions for one input of the size under `at`.\n"
        "Claims are as printed by their authors and are never ranked with measurements.\n"
        "†: slices of one patient stand on both sides of the source's split.\n"
        "More about one: gliozoo describe NAME",
        style="dim",
    )


def _line(name: str, rank: str, params: str, gflops: str, at: str, title: str) -> str:
    return f"{name:19}{rank:6}{params:>8}{gflops:>7}  {at:7} {title}"


def ranks(card: Card) -> str:
    """Say in which dimensions a card's architecture builds."""
    return " ".join(f"{rank}D" for rank in card.ranks)


def counts(reference: Reference) -> tuple[str, str, str]:
    """Format parameters, GFLOPs and the input they were counted at."""
    params = f"{reference.params / 1e6:.2f} M" if reference.params else ""
    gflops = f"{reference.gflops:.1f}" if reference.gflops else ""
    side, *sides, channels = reference.input_shape
    power = "²³"[len(sides) - 1]
    return params, gflops, f"{side}{power}x{channels}"


HEADLINES = {
    "dice": "Dice {:g}",
    "dice_mean": "mean Dice {:g}",
    "iou": "IoU {:g}",
    "mean_iou": "mean IoU {:g}",
    "val_mean_iou": "validation mean IoU {:g}",
    "f1": "F1 {:g}",
    "params_m": "{:g} M parameters",
    "gflops": "{:g} GFLOPs",
}


def headline(claim: Published) -> str:
    """Say what a claim prints of overlap or cost; the whole of it is in `describe`."""
    values = [text.format(claim.metrics[k]) for k, text in HEADLINES.items() if k in claim.metrics]
    return f"{claim.dataset}: {', '.join(values)}" if values else ""
