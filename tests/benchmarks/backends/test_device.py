"""The edge to the backends: what is chosen, what is refused in one sentence, what is known."""

import logging
import logging.handlers
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers, models

from benchmarks.backends import device, meters, programs
from benchmarks.errors import UserError
from benchmarks.machine import child_process, environment

FACTS = """machine cpu instructions gpu driver python keras backend backend_version precision layout
    jit commit dirty devices"""
ROOT = Path(__file__).parents[3]
HERE = keras.config.backend()


@pytest.fixture
def unset(monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)


def only(*names):
    return lambda name: name in names


def test_the_backend_that_runs_can_be_asked_for_again(unset):
    assert device.select_backend(HERE) == device.backend() == HERE


def test_the_environment_decides_where_nothing_is_asked_for(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", HERE)
    assert device.select_backend() == HERE


def test_the_first_installed_is_the_default(unset, monkeypatch):
    monkeypatch.setattr(device, "installed", only(HERE))
    assert device.select_backend() == HERE


@pytest.mark.skipif(HERE != "tensorflow", reason="TensorFlow alone warns")
@pytest.mark.parametrize("heard", [True, False])
def test_several_networks_answer_without_a_warning_of_tensorflow(heard):
    """Without the filter it warns, for it takes six networks' traces for those of one."""
    logger, lines = logging.getLogger("tensorflow"), logging.handlers.BufferingHandler(99)
    device.select_backend()
    logger.addHandler(lines)
    if heard:
        logger.removeFilter(device._worth_saying)
    try:
        for side in range(8, 14):
            image = layers.Input((side, side, 1))
            models.Model(image, layers.ReLU()(image)).predict_on_batch(np.ones((1, side, side, 1)))
        logger.warning("all else is said")
    finally:
        logger.removeHandler(lines)
        device.select_backend()
    told = [line.getMessage() for line in lines.buffer]
    assert told[-1] == "all else is said"
    assert any("retracing" in line for line in told) == heard


@pytest.mark.skipif(HERE != "tensorflow", reason="oneDNN is asked of TensorFlow")
@pytest.mark.parametrize(
    ("processor", "set_before", "left"),
    [("x86_64", None, "1"), ("AMD64", None, "1"), ("x86_64", "0", "0"), ("aarch64", None, None)],
)
def test_old_x86_processors_get_their_fast_kernels_unless_told_otherwise(
    monkeypatch, processor, set_before, left
):
    monkeypatch.setattr(device.platform, "machine", lambda: processor)
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    if set_before:
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", set_before)
    device.select_backend()
    assert os.environ.get("TF_ENABLE_ONEDNN_OPTS") == left


def test_unknown_backend_names_the_known_ones(unset):
    with pytest.raises(UserError, match=r"'theano'.*tensorflow, jax, torch"):
        device.select_backend("theano")


@pytest.mark.parametrize("name", ["tensorflow", "jax", "torch"])
def test_missing_backend_says_how_to_install_it(unset, monkeypatch, name):
    monkeypatch.setattr(device, "installed", only())
    with pytest.raises(UserError, match=rf"'{name}' is not installed: run `pip install"):
        device.select_backend(name)


def test_no_backend_at_all(unset, monkeypatch):
    monkeypatch.setattr(device, "installed", only())
    with pytest.raises(UserError, match="No backend"):
        device.select_backend()


def test_another_backend_than_the_running_one_is_refused(unset, monkeypatch):
    monkeypatch.setattr(device, "installed", only("tensorflow", "jax", "torch"))
    other = next(name for name in device.BACKENDS if name != HERE)
    with pytest.raises(UserError, match=f"already runs on '{HERE}'.*KERAS_BACKEND={other}"):
        device.select_backend(other)


def test_precision_reaches_the_layers_built_later():
    before = keras.config.dtype_policy()
    try:
        device.set_precision("mixed_bfloat16")
        assert layers.Dense(1).compute_dtype == "bfloat16"
        with pytest.raises(UserError, match="'float8'"):
            device.set_precision("float8")
    finally:
        keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("visible", ["-1", None])
def test_a_missing_gpu_is_said_with_its_reason(monkeypatch, visible):
    monkeypatch.setattr(device, "gpus", list)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with pytest.raises(UserError) as raised:
        device.require_gpu()
    assert ("hides every GPU" in str(raised.value)) == bool(visible)
    monkeypatch.setattr(device, "gpus", lambda: ["a GPU"])
    device.require_gpu()


def test_forward_equals_the_model():
    model = models.Sequential([layers.Input((8, 8, 3)), layers.Conv2D(2, 3)])
    image = keras.ops.ones((1, 8, 8, 3))
    expected = keras.ops.convert_to_numpy(model(image, training=False))
    for jit in (False, HERE != "torch"):
        found = programs.forward(model, jit)(image)
        device.synchronise(found)
        assert keras.ops.convert_to_numpy(found) == pytest.approx(expected, abs=1e-5)


def test_only_jax_compiles_whole_programs_unless_told():
    assert device.resolve_jit(None) == (HERE == "jax")
    assert device.resolve_jit(True)
    assert not device.resolve_jit(False)


@pytest.mark.skipif(device.gpus() != [], reason="here the memory is the GPU's")
def test_memory_grows_with_what_is_held():
    before = meters.resident_memory()
    held = bytearray(b"x" * (64 << 20))
    assert meters.resident_memory() - before > 48 << 20
    assert meters.peak_memory() >= before + (48 << 20)
    assert len(held) == 64 << 20


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells it apart")
def test_a_process_does_not_inherit_the_peak_of_the_one_that_started_it():
    held = bytearray(b"x" * (512 << 20))
    code = "from benchmarks.backends import meters; print(meters.peak_resident_memory())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT)
    assert int(told.stdout) < len(held) // 2


def test_energy_is_none_without_a_gpu():
    if not device.gpus():
        assert meters.energy_joules() is None


def test_environment_facts():
    facts = environment.facts(jit=False)
    assert set(facts) >= set(FACTS.split())
    assert facts["keras"] == keras.__version__
    assert facts["backend"] == HERE
    assert facts["backend_version"]
    assert facts["cores"] >= 1
    assert facts["jit"] is False


@pytest.mark.parametrize(
    ("told", "widest"),
    [
        ("flags\t\t: fpu sse2 avx avx2 fma", "AVX2"),
        ("flags\t\t: avx avx2 avx512f avx512_vnni", "AVX-512 VNNI"),
        ("Features\t: fp asimd", "NEON"),
        ("flags\t\t: fpu sse2", None),
        ("", None),
    ],
)
def test_two_processors_of_one_name_are_told_apart(told, widest, monkeypatch, tmp_path):
    path = tmp_path / "cpuinfo"
    path.write_text(f"processor\t: 0\nmodel name\t: AMD EPYC\n{told}\n\nprocessor\t: 1\n")
    monkeypatch.setattr(environment, "CPUINFO", path)
    for one in (environment.cpu, environment.instructions):
        monkeypatch.setattr(environment, one.__name__, one.__wrapped__)
    assert environment.processor() == ", ".join(filter(None, ("AMD EPYC", widest)))
    assert environment.facts()["instructions"] == widest


def test_machine_can_be_named(monkeypatch):
    monkeypatch.setenv("GLIOZOO_MACHINE", "bench-box")
    assert environment.facts()["machine"] == "bench-box"


def test_outside_of_a_checkout_there_is_no_commit(monkeypatch, tmp_path):
    monkeypatch.setattr(child_process, "ROOT", tmp_path)
    facts = environment.facts()
    assert facts["commit"] is None
    assert facts["dirty"] is None


@pytest.fixture
def in_order(monkeypatch):
    """Add gradients in order for one test."""
    tf = pytest.importorskip("tensorflow")
    from tensorflow.python.ops import gen_math_ops

    monkeypatch.setattr(gen_math_ops, "add_n", gen_math_ops.add_n)  # put back afterwards
    kept = tf.config.optimizer.get_experimental_options()
    device._add_in_order()
    yield
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": True} | kept)


@pytest.mark.skipif(HERE != "tensorflow", reason="AddN is TensorFlow's")
def test_no_sum_of_a_deterministic_gradient_begins_where_it_likes(in_order):
    """As it is run, after the optimisers: a weight that is used four times has three additions."""
    import tensorflow as tf
    from tensorflow.python.eager import context

    weight = tf.Variable(tf.random.stateless_normal((3, 3), (0, 0)))

    @tf.function
    def gradient():
        with tf.GradientTape() as tape:
            value = tf.ones((2, 3))
            for _ in range(4):
                value = tf.tanh(value @ weight)
            loss = tf.reduce_sum(value)
        return tape.gradient(loss, weight)

    context.context().enable_run_metadata()
    try:
        gradient()
        graphs = context.context().export_run_metadata().function_graphs
    finally:
        context.context().disable_run_metadata()
    run = [node.op for graph in graphs for node in graph.post_optimization_graph.node]
    assert run.count("AddV2") >= 3
    assert "AddN" not in run


REPEATED = """
from benchmarks.backends import device
device.select_backend("tensorflow")
import tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(2)
device.make_deterministic()
import keras, zoo
keras.utils.set_random_seed(0)
model = zoo.create("mod_r2au", (96, 96, 3), 1, width=0.25)
image = keras.random.normal((8, 96, 96, 3))

@tf.function
def gradients():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model(image, training=True) ** 2)
    return tape.gradient(loss, model.trainable_variables)

print(len({b"".join(one.numpy().tobytes() for one in gradients()) for _ in range(30)}))
"""


@pytest.mark.slow
@pytest.mark.skipif(HERE != "tensorflow", reason="AddN is TensorFlow's")
def test_a_recurrence_has_one_gradient_however_its_operations_are_scheduled():
    """Without additions in order these 30 had up to seven answers on two cores."""
    done = subprocess.run(
        [sys.executable, "-c", REPEATED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[-1] == "1"
