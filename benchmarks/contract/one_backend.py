"""The contract on one backend, in a process of its own: a line of JSON for each part of it."""

import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.backends import device
from benchmarks.errors import USER_ERRORS
from benchmarks.machine import child_process

Told = tuple[str, str | None]


def tried(reference: str, seconds: float, whole: bool) -> Iterator[Told]:
    """Give each part with what is wrong; without `whole` only that it builds, saves and loads."""
    from benchmarks.contract import by_heart, checks

    try:
        ranks = checks.ranks(reference)
    except USER_ERRORS as error:
        yield "is built", str(error)
        return
    for rank in ranks:
        one, failed = checks.Tried(reference, rank), False
        for name, wrong in checks.run(one):
            failed |= wrong is not None
            yield f"{rank}D: {name}", wrong
        if whole and not failed:
            yield f"{rank}D: {by_heart.PART}", _learned(one, seconds / len(ranks))


def _learned(one, seconds: float) -> str | None:
    from benchmarks.contract import by_heart

    with tempfile.TemporaryDirectory(prefix="gliozoo-") as folder:
        try:
            by_heart.require(one, seconds, Path(folder))
        except USER_ERRORS as error:
            return str(error)
    return None


def main(request: str) -> None:
    """Answer one request on standard output."""
    child_process.follow_parent()
    content = json.loads(request)
    answers = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):  # a source from outside may print
        device.start(content.pop("backend"))
        for told in tried(**content):
            print(json.dumps(told), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
