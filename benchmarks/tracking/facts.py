"""What trackers are told of a record, as flat names and plain values."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.records.record import Record

EPOCH = ("loss", "val_loss", "val_dice", "learning_rate", "samples_per_sec", "data_wait_share")


def settings(record: Record) -> dict[str, Any]:
    """Return what was settled before the run: `model`, `seed`, `train.learning_rate`, ..."""
    return {
        **record.run,
        "protocol_digest": record.protocol_digest,
        **dict(_flat(record.protocol)),
        **{name: record.data.get(name) for name in ("fingerprint", "split_digest")},
        **{
            name: record.environment.get(name)
            for name in ("machine", "gpu", "cpu", "instructions", "commit")
        },
    }


def epochs(record: Record) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield the numbers of each epoch; those that were not measured are left out."""
    for row in record.history:
        values = {name: row.get(name) for name in EPOCH}
        yield row["epoch"], {name: value for name, value in values.items() if value is not None}


def results(record: Record) -> dict[str, float]:
    """Return means over the test patients, `test/REGION/METRIC`, and costs, `cost/NAME`."""
    policy = record.protocol.get("evaluate", {}).get("policy", "brats")
    told = {
        f"test/{region}/{metric}": summary["mean"]
        for region, levels in record.quality.get(policy, {}).items()
        for metric, summary in levels["patient"].items()
    }
    told |= {f"cost/{name}": value for name, value in record.cost.items()}
    told |= {f"training/{name}": value for name, value in record.training.items()}
    return {name: float(value) for name, value in told.items() if _is_number(value)}


def _flat(section: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in section.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield above + name, value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
