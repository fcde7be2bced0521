"""`Finding`: one thing that was looked at, how it is, and the one command that mends it."""

from dataclasses import dataclass

FINE, NOTE, BROKEN = "fine", "note", "broken"  # a note is nothing that a run needs


@dataclass(frozen=True)
class Finding:
    """What was found; `remedy` is empty where there is nothing to mend."""

    group: str
    name: str
    status: str
    found: str
    remedy: str = ""


def of(group: str, name: str, fine: bool, found: str, remedy: str, *, needed: bool = True):
    """Return a finding with its remedy where something is not as it must be, or might be better."""
    if fine:
        return Finding(group, name, FINE, found)
    return Finding(group, name, BROKEN if needed else NOTE, found, remedy)
