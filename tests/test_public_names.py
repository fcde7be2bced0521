"""The names that users' scripts import, which stay when the modules behind them move."""

import subprocess
import sys
from pathlib import Path

import numpy as np

import zoo
from benchmarks import metrics
from data_pipeline import DataSpec


def test_metrics_are_found_under_their_public_name():
    mask = np.zeros((4, 4), bool)
    mask[1:3, 1:3] = True
    assert metrics.score(mask, mask, spacing=(1, 1))["dice"] == 1.0


def test_flops_are_found_under_their_public_name():
    from benchmarks import flops
    from benchmarks.cost.flops import count

    assert flops.count is count


def test_public_names_open_without_keras():
    code = """
import sys
import benchmarks.metrics, data_pipeline, zoo, zoo.weights
import benchmarks.comparison.compare, benchmarks.tables.markdown, benchmarks.plots.draw
zoo.names(), zoo.card("unet"), data_pipeline.DataSpec, zoo.weights.save
assert not {"keras", "tensorflow"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_front_door_of_the_harness_imports_nothing_before_it_is_asked():
    code = """
import sys, benchmarks
assert len([name for name in sys.modules if name.startswith("benchmarks")]) == 1
benchmarks.frame, benchmarks.bench, benchmarks.predict, benchmarks.evaluate, benchmarks.reliability
assert not {"keras", "tensorflow", "pandas", "sklearn", "matplotlib"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_room_is_in_the_drawing():
    from test_imports import ROOMS

    drawn = (Path(__file__).parent.parent / "docs" / "architecture.svg").read_text()
    doors = {"errors", "__main__", "metrics", "flops", "plain", "identity", *ROOMS}
    for rooms in ROOMS.values():
        for room in rooms.keys() - doors:
            assert f">{room.replace('.', '/')}<" in drawn, f"{room} has no box in the drawing"


def test_the_rest_is_there():
    assert callable(zoo.create)
    assert DataSpec(size=(32, 32)).rank == 2
