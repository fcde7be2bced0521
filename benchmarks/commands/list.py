"""`gliozoo list`: every architecture in one table, in a blink and without Keras."""

import argparse
import json
import re

import zoo
from benchmarks.errors import UserError
from zoo.card import FAMILIES, Card, Published, Reference
from zoo.outside import packages


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--rank", type=int, choices=(2, 3), help="only those that build in 2D or 3D"
    )
    parser.add_argument("--params-below", metavar="N", help="only smaller ones, such as 5M or 300k")
    parser.add_argument("--claims", action="store_true", help="only those with printed scores")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print one JSON document")
    output.add_argument("--markdown", action="store_true", help="print README's table")


def run(arguments: argparse.Namespace) -> int:
    """Print what the zoo holds."""
    cards = chosen(arguments.rank, arguments.params_below, arguments.claims)
    if arguments.json:
        print(json.dumps([entry(name, card) for name, card in cards.items()], indent=2))
    elif arguments.markdown:
        print("\n".join(markdown(cards)))
    else:
        _print_table(cards)
    return 0


def chosen(
    rank: int | None = None, below: str | None = None, claims: bool = False
) -> dict[str, Card]:
    """Return the cards that pass the filters, by family and name."""
    most = number(below) if below else None
    cards = {
        name: card
        for name in zoo.names()
        for card in [zoo.card(name)]
        if rank in (None, *card.ranks)
        and (most is None or (card.reference().params or 0) < most)
        and (not claims or any(map(headline, card.claims)))
    }
    return dict(sorted(cards.items(), key=lambda item: FAMILIES.index(item[1].family)))


def number(text: str) -> float:
    """Read a count such as 5M, 300k or 28248."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kKmM]?)", text)
    if not match:
        raise UserError(f"--params-below is a count such as 5M or 300k. Received: {text}.")
    return float(match[1]) * {"": 1, "k": 1e3, "m": 1e6}[match[2].lower()]


def entry(name: str, card: Card) -> dict:
    """Return one architecture's row as plain values."""
    reference = card.reference()
    return {
        "name": name,
        "title": card.title,
        "family": card.family,
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


def markdown(cards: dict[str, Card]) -> list[str]:
    """Return the lines of a table, as README has it."""
    lines = ["| name | rank | parameters | GFLOPs | at | family | variants |"]
    lines.append("|---|---|--:|--:|---|---|---|")
    for name, card in cards.items():
        params, gflops, _ = counts(card.reference())
        shape = "x".join(map(str, card.reference().input_shape))
        variants = " ".join(f"`{variant}`" for variant in card.variants)
        cells = (f"`{name}`", ranks(card), params, gflops, shape, card.family, variants)
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _print_table(cards: dict[str, Card]) -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    console.print(_line("name", "rank", "params", "GFLOPs", "at", "architecture"), style="dim")
    family = None
    for name, card in cards.items():
        if card.family != family:
            family = card.family
            console.print(f"\n{family}", style="italic")
        console.print(
            f"[bold]{name:19}[/]"
            + _line("", ranks(card), *counts(card.reference()), card.title)[19:]
        )
        for claim in filter(headline, card.claims):
            console.print(
                f"  claimed on {headline(claim)}{' †' if claim.leaks else ''}", style="dim"
            )
    if not cards:
        console.print("None: leave a filter out.")
    given = packages.told()
    for name, package in given.items():
        console.print(f"[bold]{name:19}[/] of the package {package}", highlight=False)
    console.print(
        "\nGFLOPs: 2 x multiply-adds of convolutions and other products, for one input.\n"
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
    *sides, channels = reference.input_shape
    power = "²³"[len(sides) - 2]
    shape = f"{sides[0]}{power}" if len(set(sides)) == 1 else "x".join(map(str, sides))
    return params, gflops, f"{shape}x{channels}"


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
