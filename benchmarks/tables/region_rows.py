"""Each region by itself: overlap and distance, lesion by lesion, and the user's own metrics."""

from benchmarks.comparison.judging.table import Table
from benchmarks.tables import cells

METRICS = ("dice", "hd95", "nsd_1mm", "lesion_dice", "lesion_hd95")
TITLE = "By region"


def are_shown(table: Table) -> bool:
    """Tell whether they say more than the ranking does."""
    return len(table.regions) > 1 or bool(table.own)


def rows(table: Table) -> tuple[list[str], list[list[str]]]:
    """Return the headings, and a row for each region and model."""
    metrics = (*METRICS, *table.own)
    head = ["Region", "Model", *(cells.label(metric, table.in_mm) for metric in metrics)]
    found = [
        [region, model, *(_cell(table, model, region, metric) for metric in metrics)]
        for region in table.regions
        for model in table.models
    ]
    return head, found


def _cell(table: Table, model: str, region: str, metric: str) -> str:
    return cells.estimate(table.estimates.get((model, region, metric)), metric)
