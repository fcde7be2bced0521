"""leaderboard.md: the comparison for a reader, every name escaped."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from benchmarks.comparison.compare import Comparison
from benchmarks.comparison.judging.table import Table
from benchmarks.comparison.notes import notes
from benchmarks.comparison.reading.claims import DAGGER, Claim
from benchmarks.comparison.reading.machine_costs import Cost
from benchmarks.comparison.verdict import conclusions, reservations
from benchmarks.tables import (
    budget_rows,
    cells,
    challenge_rows,
    external_rows,
    region_rows,
    runtime_rows,
)
from benchmarks.tables.cells import for_markdown as safe

SHOWN = ("dice", "iou", "precision", "sensitivity", "hd95", "nsd_2mm", "lesion_dice", "accuracy")

COSTS: tuple[tuple[str, Callable[[Cost], float | None]], ...] = (
    ("Latency p50 (ms)", lambda cost: cost.latency_p50),
    ("p95 (ms)", lambda cost: cost.latency_p95),
    ("Inference (images/s)", lambda cost: cost.infer_samples_per_sec),
    ("Training (images/s)", lambda cost: cost.train_samples_per_sec),
    ("GFLOP/s", lambda cost: cost.achieved_gflops),
    ("MFU", lambda cost: cost.mfu),
    ("Peak memory (GB)", lambda cost: _scaled(cost.peak_memory_bytes, 1e-9)),
    ("Compile (s)", lambda cost: cost.compile_s),
    ("Training (min)", lambda cost: _scaled(cost.train_seconds, 1 / 60)),
    ("Energy (J/image)", lambda cost: cost.energy_j_per_sample),
)


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def to_markdown(comparison: Comparison) -> str:
    """Print the comparison."""
    parts = ["# Leaderboard", "", *_left_out(comparison)]
    if not comparison.tables:
        parts += ["No run has finished.", ""]
    for place, table in enumerate(comparison.tables, 1):
        parts += [f"**{comparison.reference}**", ""] if place == comparison.own + 1 else []
        parts += _table(comparison, table, place)
    parts += _external(comparison) + _runtimes(comparison)
    parts += _costs(comparison) + _claims(comparison.claims) + _failed(comparison)
    return "\n".join(parts).rstrip() + "\n"


def _left_out(comparison: Comparison) -> list[str]:
    lines = [f"- {safe(line)}" for line in comparison.omissions()]
    return ["**Left out of every table:**", "", *lines, ""] if lines else []


def _external(comparison: Comparison) -> list[str]:
    rows = external_rows.rows(comparison.external)
    return _section(external_rows.TITLE, external_rows.NOTE, external_rows.HEAD, rows)


def _runtimes(comparison: Comparison) -> list[str]:
    note = safe(runtime_rows.note(comparison.runtimes))
    rows = runtime_rows.rows(comparison.runtimes)
    return _section(runtime_rows.TITLE, note, runtime_rows.HEAD, rows)


def _section(
    title: str, note: str, head: Sequence[str], rows: Sequence[Sequence[str]]
) -> list[str]:
    """Return a table of its own, or nothing where it has no rows."""
    if not rows:
        return []
    lines = [[safe(cell) for cell in row] for row in rows]
    return [f"## {title}", "", note, "", *_grid(list(head), lines), ""]


def _table(comparison: Comparison, table: Table, place: int) -> list[str]:
    terms = table.terms
    leaky = " **The split leaks: patients are on both sides.**" if terms.leaky else ""
    parts = [
        f"## Table {place}: protocol {safe(terms.protocol)}",
        "",
        f"{len(table.patients)} test patients, policy '{table.policy}' for empty masks, protocol "
        f"digest `{terms.protocol_digest[:8]}`, data fingerprint "
        f"`{cells.printable(terms.fingerprint)[:8]}`.{leaky}",
        "",
    ]
    if place > 1:
        fields = "; ".join(map(safe, comparison.apart(table)))
        parts += [f"Not ranked with table 1: {safe(comparison.summary(table))}.", ""]
        parts += [f"<details><summary>every field</summary>{fields}</details>", ""]
    parts += [f"- {safe(sentence)}" for sentence in conclusions(table)]
    parts += [f"- {safe(sentence)}" for sentence in reservations(table)]
    parts += ["", *_grid(*_ranking(comparison, table)), ""]
    parts += [*(f"- {safe(sentence)}" for sentence in notes(table)), ""]
    if region_rows.are_shown(table):
        parts += [f"{region_rows.TITLE}:", "", *_grid(*_regions(table)), ""]
    parts += _challenge(table)
    if len(table.models) > 1:
        parts += ["Does the order hold?", "", *_grid(*_orders(table)), ""]
    return parts + _budgets(table) + _commands(table)


def _ranking(comparison: Comparison, table: Table) -> tuple[list[str], list[list[str]]]:
    metrics = [name for name in SHOWN if name in table.metrics]
    compared = comparison.baseline in table.models
    header = ["Rank [95 %]", "Model", *(cells.label(name, table.in_mm) for name in metrics)]
    header += [f"Dice − {safe(comparison.baseline)}"] if compared else []
    empty = any(found.number for found in table.empties.values())
    header += ["Both masks empty"] if empty else []
    header += ["Params (M)", "GMACs", "Runs", "SD over seeds", "Dice claimed"]
    rows = []
    for model in table.models:
        row = [cells.rank(table.standings[model]), safe(model)]
        row += [
            cells.estimate(table.estimates.get((model, table.regions[0], name)), name)
            for name in metrics
        ]
        if compared:
            row.append(cells.difference(table.against(model, comparison.baseline)))
        row += [cells.empty(table.empties[model, table.regions[0]])] if empty else []
        rows.append([*row, *_size(comparison, table, model), _claimed(comparison, table, model)])
    return header, rows


def _size(comparison: Comparison, table: Table, model: str) -> list[str]:
    cost, standing = comparison.cost(model, comparison.setting(table)), table.standings[model]
    params = cost.params / 1e6 if cost and cost.params is not None else None
    runs = f"{len(standing.seeds)} × {len(standing.folds)}"
    spread = cells.number(standing.seed_spread)
    return [cells.short(params), cells.short(cost.gmacs if cost else None), runs, spread]


def _claimed(comparison: Comparison, table: Table, model: str) -> str:
    name = table.runs(model)[0].record.run["model"]
    found = [
        f"{claim.metrics['dice']:g}{claim.mark} ({safe(claim.dataset)})"
        for claim in comparison.claims
        if claim.model == name and "dice" in claim.metrics
    ]
    return ", ".join(found) or cells.ABSENT


def _regions(table: Table) -> tuple[list[str], list[list[str]]]:
    head, rows = region_rows.rows(table)
    return head, [[safe(cell) for cell in row] for row in rows]


def _challenge(table: Table) -> list[str]:
    if table.challenge is None:
        return []
    rows = challenge_rows.rows(table.challenge, table.models)
    grid = _grid(challenge_rows.HEAD, [[safe(cell) for cell in row] for row in rows])
    note = safe(challenge_rows.note(table, table.challenge))
    return [f"{challenge_rows.TITLE}:", "", note, "", *grid, ""]


def _orders(table: Table) -> tuple[list[str], list[list[str]]]:
    header = ["Model", *(f"by {order.level}, {order.policy}" for order in table.orders)]
    rows = [
        [safe(model)] + [f"{o.ranks[model]} ({cells.number(o.dice[model])})" for o in table.orders]
        for model in table.models
    ]
    rows.append(["Kendall's tau", *(cells.number(order.tau, 2) for order in table.orders)])
    return header, rows


def _budgets(table: Table) -> list[str]:
    if table.budgets is None:
        return []
    rows = [[safe(cell) for cell in row] for row in budget_rows.rows(table, table.budgets)]
    note = safe(budget_rows.note(table.budgets))
    return [f"{budget_rows.TITLE}:", "", note, "", *_grid(budget_rows.HEAD, rows), ""]


def _commands(table: Table) -> list[str]:
    """Name the command that repeats each run."""
    commands = [command for model in table.models for command in table.commands(model)]
    lines = [f"    {cells.printable(command)}" for command in commands]
    return ["What repeats each row:", "", *lines, ""] if lines else []


def _costs(comparison: Comparison) -> list[str]:
    parts = []
    for setting, models in comparison.costs.items():
        parts += [f"## Cost on {safe(setting)}", "", *_grid(*_cost_rows(models)), ""]
    return parts


def _cost_rows(models: Mapping[str, Cost]) -> tuple[list[str], list[list[str]]]:
    head, rows = costs(models)
    return head, [[safe(name), *numbers] for name, *numbers in rows]


def costs(models: Mapping[str, Cost]) -> tuple[list[str], list[list[str]]]:
    """Return heading and rows of a cost table, without columns that nobody measured."""
    shown = [
        (heading, value)
        for heading, value in COSTS
        if any(value(cost) is not None for cost in models.values())
    ]
    rows = [
        [name, *(cells.short(value(cost)) for _, value in shown)] for name, cost in models.items()
    ]
    return ["Model", *(heading for heading, _ in shown)], rows


def _claims(claims: Sequence[Claim]) -> list[str]:
    if not claims:
        return []
    rows = [
        [
            safe(claim.title) + claim.mark,
            safe(claim.dataset),
            ", ".join(f"{safe(name)} {value:g}" for name, value in claim.metrics.items()),
            safe(claim.note),
        ]
        for claim in claims
    ]
    return [
        "## Claimed by authors, not measured here",
        "",
        *_grid(["Architecture", "Data", "Claimed", "Note"], rows),
        "",
        f"{DAGGER} The source splits by slice: slices of one patient are on both sides.",
        "",
    ]


def _failed(comparison: Comparison) -> list[str]:
    parts = []
    if comparison.failed:
        rows = [
            [
                safe(record.name),
                safe(record.run["protocol"]),
                f"{record.run['seed']} / {record.run['fold']}",
                safe((record.error or {}).get("kind", "")),
                safe((record.error or {}).get("message", "no reason recorded")),
            ]
            for record in comparison.failed.values()
        ]
        header = ["Model", "Protocol", "Seed / fold", "Kind", "Reason"]
        parts += ["## Failed runs", "", *_grid(header, rows), ""]
    return parts


def _grid(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]
