"""What `quick` promises: four epochs are enough for eight architectures, and not for noise.

What the others have by then is in docs/perf/zoo.md; that all can learn, tests/zoo/test_by_heart.py.
"""

import dataclasses

import pytest

import data_pipeline
import zoo
from benchmarks.gpu.tasks import FIRST
from benchmarks.inference import predictor
from benchmarks.protocols import protocol
from benchmarks.records import record
from benchmarks.running import run
from benchmarks.running.job import Job
from benchmarks.training import evaluate, train
from benchmarks.training.checkpoint import Checkpoints
from benchmarks.training.display import Display


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def dice(summary) -> float:
    return summary["brats"]["WT"]["patient"]["dice"]["mean"]


@pytest.mark.slow
@pytest.mark.parametrize("model", FIRST)
def test_the_architectures_of_the_audited_tables_learn(model, cache, tmp_path):
    done = record.read(run.run(Job(model, results=str(tmp_path), cache=str(cache))))
    assert done.status == "ok", done.error
    assert dice(done.quality) >= 0.80


@pytest.mark.slow
def test_nothing_is_learned_from_shuffled_labels(cache, tmp_path):
    quick = protocol.find("quick", "unet")
    shuffled = dataclasses.replace(
        quick, data=dataclasses.replace(quick.data, shuffled_labels=True)
    )
    assert shuffled.digest != quick.digest
    data = data_pipeline.load(shuffled.data, cache=cache)
    model = zoo.create("unet", data.input_shape, data.classes, width=quick.train.width)
    train.train(model, data, shuffled, Checkpoints(tmp_path, {}), Display())
    predict = predictor.Predictor(model, quick.evaluate)
    assert dice(evaluate.evaluate(predict, data, quick.evaluate).summary) < 0.2
