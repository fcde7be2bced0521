"""`gliozoo describe MODEL`: the card of one architecture, facts and claims apart."""

import argparse
import json
from collections.abc import Iterable

import zoo
from benchmarks.commands.list import ranks
from zoo.card import Card, Recipe, Reference
from zoo.registry import choose


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("model", metavar="MODEL", help="a name of `gliozoo list`")
    parser.add_argument("--variant", help="only this variant's counts and settings")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Print one card."""
    card = zoo.card(arguments.model)
    if arguments.variant is not None:
        choose(arguments.variant, card.variants, f"variant of {arguments.model}")
    if arguments.json:
        print(json.dumps(as_dict(arguments.model, card, arguments.variant), indent=2))
    else:
        _print_card(arguments.model, card, arguments.variant)
    return 0


def as_dict(name: str, card: Card, variant: str | None) -> dict:
    """Return the card as plain values, narrowed to one variant if asked."""
    facts = {"name": name, **card.as_dict(), "digest": card.digest()}
    if variant is not None:
        facts["variants"] = {variant: facts["variants"][variant]}
        facts["references"] = [r for r in facts["references"] if r["variant"] == variant]
    return facts


def sections(card: Card, variant: str | None = None) -> dict[str, list[str]]:
    """Return what is known of an architecture, line by line under its headings; no empty ones."""
    shape = "x".join(map(str, card.input_shape))
    built = f"{ranks(card)}; default input {shape}, classes {card.classes}; listed as {card.family}"
    found: dict[str, Iterable[str]] = {
        "Builds": [built],
        "Must come out": (_reference(r) for r in card.references if _shown(r, variant)),
        "Variants": (
            f"{key}: {value.summary}"
            for key, value in card.variants.items()
            if variant in (None, key)
        ),
        "Claimed": _claims(card),
        "The authors' recipe": _recipe(card.recipe) if card.recipe else (),
        "What it still does otherwise": card.recipe.differs if card.recipe else (),
        "Deviations from the source": card.deviations,
        "Known flaws of the source": card.flaws,
    }
    return {title: listed for title, lines in found.items() if (listed := list(lines))}


LISTS = ("What it still does otherwise", "Deviations from the source", "Known flaws of the source")


def _print_card(name: str, card: Card, variant: str | None) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console()
    console.print(Text(f"{card.title}  ", style="bold").append(name, style="dim"))
    console.print(Text(card.paper, style="dim"))
    console.print(Text(f"Source: {card.source}\n", style="dim"))
    for title, lines in sections(card, variant).items():
        console.print(Text(title, style="bold"))
        for line in lines:
            console.print(Padding(Text(f"- {line}" if title in LISTS else line), (0, 0, 0, 2)))
        console.print()


def _shown(reference: Reference, variant: str | None) -> bool:
    return variant is None or reference.variant == variant


def _reference(reference: Reference) -> str:
    counts = (
        ("parameters", reference.params),
        ("trainable", reference.trainable),
        ("in convolutions", reference.params_convolutions),
    )
    parts = [f"{value:,} {label}" for label, value in counts if value is not None]
    if reference.gflops is not None:
        parts.append(f"{reference.gflops:g} GFLOPs")
    shape = "x".join(map(str, reference.input_shape))
    variant = f" [{reference.variant}]" if reference.variant else ""
    return f"{shape} -> {reference.classes}{variant}: {', '.join(parts)}"


def _claims(card: Card) -> Iterable[str]:
    for claim in card.claims:
        values = ", ".join(f"{key} {value:g}" for key, value in claim.metrics.items())
        yield f"{claim.dataset}: {values}" + (f" ({claim.note})" if claim.note else "")
        if claim.leaks:
            yield "  † slices of one patient stand on both sides of this split"


def _recipe(recipe: Recipe) -> Iterable[str]:
    settings = ", ".join(f"{key} {value}" for key, value in recipe.loss_settings.items())
    yield f"loss {recipe.loss}" + (f" ({settings})" if settings else "")
    yield (
        f"{recipe.optimiser}, rate {recipe.learning_rate:g}, batch {recipe.batch_size}, "
        f"{recipe.epochs} epochs, inputs {recipe.normalisation}, slices {recipe.slices}"
    )
    if recipe.augmentation:
        changes = {k: v for k, v in recipe.augmentation.items() if k != "as_keras"}
        manner = " (as Keras' ImageDataGenerator)" * ("as_keras" in recipe.augmentation)
        yield "augmentation " + ", ".join(f"{k} {v:g}" for k, v in changes.items()) + manner
    if recipe.schedule:
        yield "rate on plateau " + ", ".join(f"{k} {v:g}" for k, v in recipe.schedule.items())
    if recipe.early_stopping:
        yield f"early stopping after {recipe.early_stopping} epochs"
    if recipe.size:
        yield f"made for {'x'.join(map(str, recipe.size))}; the best epoch by {recipe.monitor}"
    if recipe.note:
        yield recipe.note
