"""docs/perf/memory.md is what `make perf-memory` measured, all of it below the ceilings."""

import json

import memory_peaks
import pages

ROWS = json.loads(memory_peaks.JSON.read_text(encoding="utf-8"))["rows"]


def test_the_page_has_the_table_of_the_figures():
    assert pages.table_of(memory_peaks.PAGE, memory_peaks.COMMAND) == memory_peaks.table(ROWS)


def test_every_command_is_measured_at_something_large_and_stays_below_its_ceiling():
    largest = {row["command"]: row for row in sorted(ROWS, key=lambda row: row["size"])}
    assert set(largest) == set(memory_peaks.CEILINGS)
    assert largest["bench"]["size"] == largest["data prepare"]["size"] == 300
    assert largest["compare"]["size"] == 5000
    assert largest["predict unet3d.brats"]["size"] >= 512 * 512 * 300
    for command, row in largest.items():
        assert row["peak_bytes"] <= memory_peaks.CEILINGS[command]


def test_a_peak_above_its_ceiling_is_told():
    rows = [{"command": "bench", "size": size, "unit": "patients"} for size in (1, 2)]
    for row, peak in zip(rows, (1e9, 3e9), strict=True):
        row["peak_bytes"] = peak
    assert "3.00 **over** | 2000.00 | 2.5 |" in memory_peaks.table(rows)
