"""Progress for people: on a terminal a bar or a spinner, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

SECONDS = 10.0  # between plain lines


def progress(title: str) -> Callable[[Iterable[Any], int], Iterable[Any]]:
    """Give a function that passes items on while it tells on standard error how many went by."""

    def shown(items: Iterable[Any], total: int) -> Iterable[Any]:
        return _bar(title, items, total) if sys.stderr.isatty() else _lines(title, items, total)

    return shown


def waiting(title: str) -> AbstractContextManager[Any]:
    """Show on a terminal that work without countable parts goes on; elsewhere say nothing."""
    if not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console
    from rich.markup import escape

    return Console(stderr=True).status(f"{escape(title)} ...")


def _bar(title: str, items: Iterable[Any], total: int) -> Iterator[Any]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(items, escape(title), total, console=console, transient=True)


def _lines(title: str, items: Iterable[Any], total: int) -> Iterator[Any]:
    told = time.monotonic()
    for count, item in enumerate(items, start=1):
        yield item
        if time.monotonic() - told > SECONDS and count < total:
            told = time.monotonic()
            print(f"{title}: {count} of {total}", file=sys.stderr, flush=True)
