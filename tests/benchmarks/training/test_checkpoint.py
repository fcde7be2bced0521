import errno
import json
import os

import keras
import numpy as np
import pytest
import safetensors.numpy
import tiny
from safetensors import safe_open

from benchmarks.errors import UserError
from benchmarks.records import atomic
from benchmarks.training import generation, train
from benchmarks.training.checkpoint import Checkpoints
from benchmarks.training.display import Display
from benchmarks.training.state import State, advance
from zoo.weights_files import sealed

RISING = (0.1, 0.2, 0.3)
IDENTITY = {"model": "tiny", "seed": 0, "protocol_digest": "d"}


class KilledError(Exception):
    pass


class KilledAfter(Display):
    """Ends a training the hard way, between two epochs."""

    def __init__(self, epoch):
        super().__init__()
        self.last = epoch

    def epoch(self, state):
        if state.epoch == self.last:
            raise KilledError


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny.load(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def eager(monkeypatch):
    """Write a generation every epoch, however long that takes."""
    monkeypatch.setattr("benchmarks.training.checkpoint.SHARE", 1e9)


def variables(model):
    return [
        np.array(keras.ops.convert_to_numpy(v))
        for v in [*model.variables, *model.optimizer.variables]
    ]


def timeless(history):
    return [
        {k: row[k] for k in ("epoch", "loss", "val_loss", "val_dice", "learning_rate")}
        for row in history
    ]


def epochs(*dice):
    """The state after epochs of these validation scores."""
    state = State()
    for epoch, score in enumerate(dice, 1):
        row = {"epoch": epoch, "loss": 1.0, "val_loss": 1.0, "val_dice": score, "seconds": 1.0}
        state = advance(state, row, tiny.PROTOCOL.train)
    return state


def trained(data, protocol, folder, display=None, seed=0):
    model = tiny.network(seed)
    checkpoints = Checkpoints(folder, IDENTITY)
    state = train.train(model, data, protocol, checkpoints, display or Display(), watch=False)
    return model, state, checkpoints


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
def test_resumed_equals_uninterrupted_bit_for_bit(data, tmp_path, eager, schedule):
    protocol = tiny.protocol(
        schedule=schedule,
        epochs=4,
        schedule_settings={"patience": 1} if schedule == "plateau" else {},
    )
    whole, state, _ = trained(data, protocol, tmp_path / "whole")
    with pytest.raises(KilledError):
        trained(data, protocol, tmp_path / "cut", KilledAfter(2))
    # Another seed: nothing of the new process may show in the result.
    resumed, again, _ = trained(data, protocol, tmp_path / "cut", seed=99)
    assert timeless(again.history) == timeless(state.history)
    assert (again.best_epoch, again.waited, again.cuts) == (
        state.best_epoch,
        state.waited,
        state.cuts,
    )
    for ours, theirs in zip(variables(resumed), variables(whole), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_finished_training_is_not_trained_again(data, tmp_path):
    protocol = tiny.protocol(epochs=2)
    first, state, _ = trained(data, protocol, tmp_path)
    again, found, _ = trained(data, protocol, tmp_path, KilledAfter(0), seed=5)
    assert found == state
    for ours, theirs in zip(again.get_weights(), first.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_best_weights_survive_worse_epochs_and_a_restart(data, tmp_path):
    model = compiled(data)
    checkpoints = Checkpoints(tmp_path, IDENTITY)
    best = epochs(0.9)
    checkpoints.save(model, best, now=True)
    kept = model.get_weights()
    model.set_weights([weight + 1 for weight in kept])
    worse = epochs(0.9, 0.5)
    checkpoints.save(model, worse, now=True)
    fresh = compiled(data, seed=3)
    again = Checkpoints(tmp_path, IDENTITY)
    assert again.restore(fresh) == worse
    np.testing.assert_array_equal(fresh.get_weights()[0], kept[0] + 1)
    again.use_best(fresh)
    np.testing.assert_array_equal(fresh.get_weights()[0], kept[0])


def compiled(data, seed=0):
    model = tiny.network(seed)
    train.compile_model(model, data, tiny.PROTOCOL)
    return model


def written(data, folder, count=3):
    model = compiled(data)
    checkpoints = Checkpoints(folder, IDENTITY)
    for epoch in range(1, count + 1):
        checkpoints.save(model, epochs(*RISING[:epoch]), now=True)
    return checkpoints


def test_two_generations_are_kept_and_a_damaged_one_is_passed_over(data, tmp_path, capsys):
    newest, older = written(data, tmp_path).generations()
    assert (newest.name, older.name) == ("epoch-00003.safetensors", "epoch-00002.safetensors")
    for damage in (lambda b: b[:1000], lambda b: b[:-9] + b"XXXXXXXXX", lambda b: b""):
        whole = newest.read_bytes()
        newest.write_bytes(damage(whole))
        assert Checkpoints(tmp_path, IDENTITY).restore(compiled(data)).epoch == 2
        (told,) = capsys.readouterr().err.splitlines()
        assert str(newest) in told
        assert told.endswith("the one before it is taken.")
        newest.write_bytes(whole)
    assert Checkpoints(tmp_path, IDENTITY).restore(compiled(data)).epoch == 3


def test_where_no_generation_is_whole_the_training_starts_anew(data, tmp_path, capsys):
    for path in written(data, tmp_path).generations():
        path.write_bytes(b"lost")
    model = compiled(data, seed=4)
    before = variables(model)
    assert Checkpoints(tmp_path, IDENTITY).restore(model) == State()
    assert capsys.readouterr().err.splitlines()[1].endswith("the training starts anew.")
    for now, then in zip(variables(model), before, strict=True):
        np.testing.assert_array_equal(now, then)


def rewritten(path, change, *, sealed_again=False):
    """Write a generation again with other facts; honest ones carry a seal that fits."""
    with safe_open(path, framework="numpy") as file:
        facts, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    seal = facts.pop("seal", None)
    changed = {name: json.loads(text) for name, text in facts.items()}
    change(changed, tensors)
    if sealed_again:
        path.write_bytes(sealed.pack(tensors, changed))
        return
    written = {name: json.dumps(value) for name, value in changed.items()}
    written |= {"seal": seal} if seal else {}
    path.write_bytes(safetensors.numpy.save(tensors, written))


def a_better_dice(facts, _):
    facts["state"]["best_dice"] = 0.99


def a_word_for_a_count(facts, _):
    facts["state"]["waited"] = "none"


def an_epoch_less(facts, _):
    facts["state"]["history"].pop()


def no_state(facts, _):
    del facts["state"]


def nan(facts, tensors):
    tensors["trainable/0"].flat[0] = np.nan
    facts["sha256"] = generation._digest(tensors)


def no_optimiser(facts, tensors):
    del tensors["optimiser/1"]
    facts["sha256"] = generation._digest(tensors)


def another_shape(facts, tensors):
    tensors["trainable/0"] = tensors["trainable/0"][..., :1]
    facts["sha256"] = generation._digest(tensors)


FORGERIES = (
    *(a_better_dice, a_word_for_a_count, an_epoch_less, no_state),
    *(nan, no_optimiser, another_shape),
)


@pytest.mark.parametrize("sealed_again", [False, True])
@pytest.mark.parametrize("change", FORGERIES)
def test_a_generation_that_no_training_wrote_is_passed_over(
    data, tmp_path, capsys, change, sealed_again
):
    newest, _ = written(data, tmp_path).generations()
    rewritten(newest, change, sealed_again=sealed_again)
    model = compiled(data, seed=4)
    assert Checkpoints(tmp_path, IDENTITY).restore(model).epoch == 2
    assert f"{newest} is damaged" in capsys.readouterr().err


def test_a_checkpoint_of_before_seals_is_gone_on_from(data, tmp_path):
    newest, _ = written(data, tmp_path).generations()
    with safe_open(newest, framework="numpy") as file:
        facts, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    del facts["seal"]
    newest.write_bytes(safetensors.numpy.save(tensors, facts))
    model = compiled(data, seed=4)
    assert Checkpoints(tmp_path, IDENTITY).restore(model) == epochs(*RISING)
    np.testing.assert_array_equal(model.get_weights()[0], tensors["trainable/0"])


def test_another_protocol_is_refused(data, tmp_path):
    written(data, tmp_path)
    other = Checkpoints(tmp_path, {**IDENTITY, "protocol_digest": "other"})
    with pytest.raises(UserError, match=r"protocol_digest 'd', and this one has 'other'"):
        other.restore(compiled(data))


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_is_one_sentence_and_the_last_generation_stays(
    data, tmp_path, monkeypatch, call
):
    checkpoints = written(data, tmp_path, 2)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(atomic.os, call, full)
    with pytest.raises(UserError, match="No space left on device"):
        checkpoints.save(compiled(data), epochs(*RISING), now=True)
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir() if "tmp" in path.name] == []
    assert Checkpoints(tmp_path, IDENTITY).restore(compiled(data)).epoch == 2


def test_writing_takes_a_small_share_of_the_time(data, tmp_path):
    checkpoints = Checkpoints(tmp_path, IDENTITY)
    model = compiled(data)
    wrote = [checkpoints.save(model, epochs(*RISING[:n])) for n in range(1, 4)]
    assert wrote == [True, False, False]
    assert checkpoints.best is not None


def test_the_states_of_random_numbers_are_among_what_is_kept(data, tmp_path):
    model = compiled(data)
    Checkpoints(tmp_path, IDENTITY).save(model, epochs(0.9), now=True)
    seeds = [v for v in model.non_trainable_variables if "seed_generator" in v.path]
    kept = [np.array(keras.ops.convert_to_numpy(seed)) for seed in seeds]
    assert kept
    for seed in seeds:
        seed.assign(seed + 1)
    Checkpoints(tmp_path, IDENTITY).restore(model)
    for seed, value in zip(seeds, kept, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(seed), value)
