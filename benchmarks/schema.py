"""What a record file must hold to be read, and how older ones are brought up to date."""

from collections.abc import Callable
from typing import Any

from benchmarks.errors import UserError

SCHEMA = 1

Section = dict[str, Any]

_TYPES: dict[str, type] = {
    "run": dict,
    "protocol": dict,
    "protocol_digest": str,
    "data": dict,
    "environment": dict,
    "status": str,
    "card": dict,
    "history": list,
    "training": dict,
    "patients": list,
    "quality": dict,
    "calibration": dict,
    "cost": dict,
}


def checked(content: Any) -> Section:
    """Return the sections of a parsed record, upgraded, each of the right type."""
    if not isinstance(content, dict):
        raise UserError("expected a JSON object at the top.")
    content = upgrade(content)
    for name, expected in _TYPES.items():
        if not isinstance(content.get(name), expected):
            raise UserError(f"its section '{name}' is missing or of the wrong type.")
    _check_run(content["run"])
    _check_patients(content["patients"])
    if content["status"] not in ("ok", "failed"):
        raise UserError(f"its status is {content['status']!r}, expected 'ok' or 'failed'.")
    return content


def _check_run(run: Section) -> None:
    for key, expected in (("model", str), ("protocol", str), ("seed", int), ("fold", int)):
        if not isinstance(run.get(key), expected):
            raise UserError(f"its run has no valid '{key}'.")


def _check_patients(patients: list[Any]) -> None:
    for row in patients:
        if not isinstance(row, dict) or not isinstance(row.get("regions"), dict):
            raise UserError("one of its patients has no regions.")
        for counts in row["regions"].values():
            if not isinstance(counts, dict):
                raise UserError(f"the regions of patient {row.get('patient')!r} hold no counts.")


def upgrade(content: Section) -> Section:
    """Bring a record of an older schema to this one, a version at a time."""
    version = content.get("schema", 0)
    if not isinstance(version, int) or version > SCHEMA:
        raise UserError(
            f"its schema is {version!r}, newer than this GlioZoo's {SCHEMA}; update GlioZoo."
        )
    while version < SCHEMA:
        if version not in UPGRADES:
            raise UserError(f"its schema {version} is too old to be read; run the benchmark again.")
        content = UPGRADES[version](content)
        version += 1
    return {**content, "schema": SCHEMA}


def _from_0(content: Section) -> Section:
    """Complete a record from before versions were written: no fold, sections left out if empty."""
    empty: Section = {name: kind() for name, kind in _TYPES.items() if kind in (dict, list)}
    run = {"variant": None, "fold": 0, **content.get("run", {})}
    return {**empty, "status": "ok", "protocol_digest": "", **content, "run": run}


UPGRADES: dict[int, Callable[[Section], Section]] = {0: _from_0}
