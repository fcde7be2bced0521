"""Profiles: the keys that users rely on, and numbers that agree with each other."""

import dataclasses
import json
import shutil

import keras
import pytest

from benchmarks import __main__ as command_line
from benchmarks.backends import device
from benchmarks.commands import profile as command
from benchmarks.cost import flops, memory
from benchmarks.cost.profile import bytes_moved, intensity, profile
from benchmarks.cost.profiled_model import Subject
from benchmarks.errors import UserError

KEYS = """model variant input_shape classes width backend precision params params_trainable gmacs
gflops gflops_other infer_batch_size latency_ms infer_samples_per_sec train_samples_per_sec
compile_s peak_memory_bytes peak_gflops_measured mfu arithmetic_intensity audit"""
SMALL = Subject("sa_unet", input_shape=(32, 32, 3), classes=1, width=0.25, batch_size=2)


@pytest.fixture(scope="module")
def profiled():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "peak_bytes", lambda *_: 5_000_000)
        return profile(SMALL, train=True, audited=device.backend() != "torch", budget_s=0)


@pytest.fixture
def quick(monkeypatch):
    """Skip the process of its own, which has a test of its own."""
    monkeypatch.setattr(memory, "peak_bytes", lambda *_: None)


def test_keys_of_the_interface(profiled):
    written = profiled.as_dict()
    assert set(KEYS.split()) <= set(written)
    assert set(written["latency_ms"]) == {"p50", "p95"}
    assert json.loads(json.dumps(written))["input_shape"] == [32, 32, 3]


def test_numbers_agree_with_each_other(profiled):
    counted = flops.count(SMALL.build())
    assert profiled.gflops == 2 * profiled.gmacs == pytest.approx(2e-9 * counted.macs)
    assert (profiled.params, profiled.gflops_other) == (counted.params, 1e-9 * counted.other)
    rate = 2 / (1e-3 * profiled.latency_ms["p50"])
    assert profiled.infer_samples_per_sec == pytest.approx(rate)
    achieved = profiled.gflops * profiled.infer_samples_per_sec
    assert profiled.mfu == pytest.approx(achieved / profiled.peak_gflops_measured)
    step = 2 / (1e-3 * profiled.train_step_ms["p50"])
    assert profiled.train_samples_per_sec == pytest.approx(step)


@pytest.mark.slow
def test_peak_memory_of_a_process_of_its_own():
    larger = dataclasses.replace(SMALL, batch_size=64, input_shape=(128, 128, 3))
    peaks = [memory.peak_bytes(subject, False, False) for subject in (SMALL, larger)]
    # The first convolution of the larger one alone writes 64 x 128 x 128 x 4 numbers.
    assert None not in peaks
    assert peaks[1] - peaks[0] > 4 * 64 * 128 * 128 * 4


def test_energy_is_measured_or_none(profiled):
    assert profiled.energy_j_per_sample is None or profiled.energy_j_per_sample > 0


@pytest.mark.parametrize("program", ["false", "true"])
def test_a_process_that_dies_or_says_nothing_leaves_memory_unknown(monkeypatch, program):
    monkeypatch.setattr(memory.sys, "executable", shutil.which(program))
    assert memory.peak_bytes(SMALL, jit=False, train=False) is None


def test_intensity_by_hand():
    image = keras.layers.Input((8, 8, 4))
    model = keras.Model(image, keras.layers.Conv2D(6, 3, padding="same", use_bias=False)(image))
    counted, weights = flops.count(model), 9 * 4 * 6
    batch = Subject("unet", batch_size=5)
    assert bytes_moved(counted, batch) == 4 * (5 * 64 * (4 + 6) + weights)
    assert intensity(counted, batch) == 2 * 5 * 64 * weights / bytes_moved(counted, batch)
    half = dataclasses.replace(batch, precision="mixed_bfloat16")
    assert bytes_moved(counted, half) == 2 * 5 * 64 * (4 + 6) + 4 * weights


def test_profile_in_3d(quick):
    volume = Subject("unet3d", input_shape=(16, 16, 16, 2), classes=3, width=0.125)
    measured = profile(volume, budget_s=0)
    assert measured.input_shape == (16, 16, 16, 2)
    assert measured.classes == 3
    assert measured.train_samples_per_sec is None
    assert measured.audit == ()


def test_mixed_precision_is_profiled_and_left_again(quick):
    half = dataclasses.replace(SMALL, precision="mixed_bfloat16")
    measured = profile(half, budget_s=0)
    assert measured.precision == "mixed_bfloat16"
    assert keras.config.dtype_policy().name == "float32"


def test_command_prints_one_json_document(quick, capsys, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", device.backend())
    arguments = "profile sa_unet --input-shape 32,32,3 --width 0.25 --seconds 0 --json"
    assert command_line.main(arguments.split()) == 0
    assert json.loads(capsys.readouterr().out)["width"] == 0.25


def test_command_prints_a_table(quick, capsys, profiled):
    command.print_profile(profiled)
    printed = capsys.readouterr().out
    for word in ("GMACs", "images/s", "MFU", "peak memory"):
        assert word in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("profile nonet", "Unknown architecture 'nonet'"),
        ("profile unet --variant x", "Unknown variant of unet 'x'"),
        ("profile unet --input-shape 130,128,3", "divisible by 16"),
        ("profile unet --batch-size 0", "at least 1"),
    ],
)
def test_mistakes_are_one_sentence(arguments, said, capsys, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", device.backend())
    assert command_line.main(arguments.split()) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert "Traceback" not in printed


def test_a_shape_that_is_none_is_refused(capsys):
    with pytest.raises(SystemExit) as raised:
        command_line.main(["profile", "unet", "--input-shape", "big"])
    assert raised.value.code == 2
    assert "128,128,3" in capsys.readouterr().err


def test_subject_without_a_sample():
    with pytest.raises(UserError, match="at least 1"):
        dataclasses.replace(SMALL, batch_size=0).build()
