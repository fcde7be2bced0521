"""The comparison: every record read once, every table that may be drawn from them."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.comparison.reading import machine_costs as machines
from benchmarks.comparison.reading import runtime_sheet
from benchmarks.comparison.reading.claims import Claim, claims
from benchmarks.comparison.reading.groups import Group, differences, group, summary
from benchmarks.comparison.reading.load import load, shown
from benchmarks.comparison.reading.runtime_sheet import Sheet
from benchmarks.comparison.reading.scores import RunScores, policy_of
from benchmarks.comparison.reading.shipped import shipped
from benchmarks.errors import UserError
from benchmarks.records.record import Record
from benchmarks.scoring import policies

if TYPE_CHECKING:
    from benchmarks.comparison.external import External
    from benchmarks.comparison.judging.table import Table

BASELINE = "unet"
REPOSITORY = "Reference results of the repository"
OTHERS = "Reference results of the other folders"
LONGEST = 400  # characters of a line that says why a file is left out


@dataclass(frozen=True)
class Comparison:
    """What the records of a results folder say together; the largest table comes first.

    `left_out` names the files that no table holds, because they are damaged, disagree with
    themselves or repeat another, each with its reason.
    """

    tables: "tuple[Table, ...]"
    costs: machines.Costs
    claims: tuple[Claim, ...]
    failed: Mapping[Path, Record]
    external: "tuple[External, ...]"
    runtimes: tuple[Sheet, ...]
    left_out: Mapping[Path, str]
    baseline: str
    own: int  # tables that hold runs of the user's; the others are there for reference
    reference: str = ""  # what those are called

    def omissions(self) -> list[str]:
        """Say of each file that is left out why, in a line."""
        return [f"{path}: {reason}"[:LONGEST] for path, reason in self.left_out.items()]

    def apart(self, table: "Table") -> list[str]:
        """Name the fields that keep a table apart from the first; none for the first itself."""
        return differences(self.tables[0].group, table.group)

    def summary(self, table: "Table") -> str:
        """Say in a line what keeps a table apart from the first."""
        return summary(self.tables[0].group, table.group)

    def cost(self, model: str, setting: machines.Setting | None) -> machines.Cost | None:
        """Return a model's costs in a setting; its counts alone where it was timed in others."""
        if setting is None:
            return None
        own = self.costs.get(setting, {}).get(model)
        return own or machines.counted(self.costs, model, setting)

    def setting(self, table: "Table") -> machines.Setting | None:
        """Return the setting in which most of a table's models were measured."""
        runs = [run.record for model in table.models for run in table.runs(model)]
        own = {machines.setting(record) for record in runs if record.cost}
        counts = {
            setting: len(set(models) & set(table.models))
            for setting, models in self.costs.items()
            if setting in own
        }
        return max(counts, key=lambda setting: counts[setting], default=None)


def compare(
    results: Path | str | Sequence[Path],
    *,
    baseline: str = BASELINE,
    protocol: str | None = None,
    policy: str | None = None,
    models: Sequence[str] = (),
) -> Comparison:
    """Compare all records of a folder, or of several, or those of one protocol.

    `models` are rows' names or wildcards: no other is ranked, nor counted among the pairs.
    """
    if policy is not None:
        policies.find(policy)
    loaded = load(results, policy)
    from benchmarks.comparison import external
    from benchmarks.comparison.judging.table import tabulate  # SciPy: `load` uses the time it takes

    everything = [*(run.record for run in loaded.runs), *loaded.failed.values()]
    _check(protocol, everything)
    _require_models(models, everything)

    def chosen(record: Record) -> bool:
        wanted = not models or any(fnmatchcase(record.name, pattern) for pattern in models)
        return wanted and protocol in (None, record.run["protocol"])

    def table(one: Group) -> "Table":
        return tabulate(one, policy_of(one.example, policy), baseline)

    runs = [run for run in loaded.runs if chosen(run.record)]
    folders = [Path(results)] if isinstance(results, Path | str) else [*results]
    mine, reference = _mine(runs, folders)
    sheets, damaged = _sheets(runs, folders)
    groups = sorted(group(runs), key=lambda one: not _holds(one, mine))  # as they were, else
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # NumPy's sorts and products run side by side
        tables = tuple(pool.map(table, groups))
    return Comparison(
        tables=tables,
        costs=machines.costs(run.record for run in runs),
        claims=tuple(claims(filter(chosen, everything))),
        failed={path: record for path, record in loaded.failed.items() if chosen(record)},
        external=external.rows(filter(chosen, loaded.external)),
        runtimes=sheets,
        left_out={**loaded.left_out, **damaged},
        baseline=baseline,
        own=sum(_holds(one, mine) for one in groups),
        reference=reference,
    )


def _sheets(
    runs: Sequence[RunScores], folders: Sequence[Path]
) -> tuple[tuple[Sheet, ...], dict[Path, str]]:
    """Return the runtimes of the networks that are compared, and what is wrong with others."""
    weights = {run.record.training.get("weights_sha256") for run in runs}
    sheets, damaged = [], {}
    for path in runtime_sheet.paths(folders):
        try:
            sheets.append(runtime_sheet.read(path))
        except UserError as error:
            damaged[shown(path, folders)] = str(error).removeprefix(f"{path}: ")
    return tuple(one for one in sheets if one.weights_sha256 in weights), damaged


def _mine(runs: Sequence[RunScores], folders: Sequence[Path]) -> tuple[set[Path], str]:
    """Return the user's records, and what the others are called.

    They lie in the first folder and did not come with the repository; without any such, all of that
    folder are.
    """
    first = {run.path for run in runs if run.path.is_relative_to(folders[0])}
    known = shipped(folders)
    theirs = {run.path for run in runs if run.path.resolve() in known}
    mine = first - theirs or first
    others = {run.path for run in runs} - mine
    return mine, REPOSITORY if others <= theirs else OTHERS


def _holds(one: Group, mine: set[Path]) -> bool:
    """Tell whether any run of a group is the user's."""
    return any(run.path in mine for runs in one.runs.values() for run in runs)


def _require_models(models: Sequence[str], records: list[Record]) -> None:
    known = sorted({record.name for record in records})
    for pattern in models:
        if not any(fnmatchcase(name, pattern) for name in known):
            close = get_close_matches(pattern, known, 1)
            raise UserError(
                f"No record is of the model {pattern!r}"
                f"{f'; did you mean {close[0]!r}?' if close else '.'}"
            )


def _check(protocol: str | None, records: list[Record]) -> None:
    known = sorted({record.run["protocol"] for record in records})
    if protocol is not None and protocol not in known:
        raise UserError(
            f"Expected a protocol that has records, one of {', '.join(known) or 'none'}. "
            f"Received: {protocol!r}."
        )
