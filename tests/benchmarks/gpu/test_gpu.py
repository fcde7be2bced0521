"""`make gpu`: what comes first, how long it may take, and what is done already."""

import json
import re
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from typing import ClassVar

import fabricate
import pytest

import zoo
from benchmarks.errors import UserError
from benchmarks.gpu import agenda, carry, command_line, needs, piece, sizing, tasks
from benchmarks.gpu.agenda import Stage
from benchmarks.gpu.member import CUT, ERROR
from benchmarks.gpu.piece import Piece
from benchmarks.gpu.tasks import Plan, Training
from benchmarks.machine import child_process
from benchmarks.protocols import protocol
from benchmarks.records import record
from benchmarks.running import settle
from benchmarks.running.job import Job
from data_pipeline.phantom.write import ensure

PLAN = Plan(watch=0.0)


def trained(results, model, name="lgg2d", epochs=60, **terms):
    """Write the record that a training on the GPU leaves."""
    made = fabricate.a_record(model)
    terms = {"backend": "jax", "precision": "mixed_bfloat16"} | terms
    settled = protocol.shipped("lgg2d")
    settled = replace(settled, train=replace(settled.train, epochs=epochs))
    found = replace(
        made,
        run={**made.run, "protocol": name, **terms},
        protocol=settled.as_json(),
        protocol_digest=settled.digest,
    )
    return record.write(found, results)


def test_trainings_come_first_and_everything_comes_once():
    every = tasks.tasks(PLAN)
    names = [task.name for task in every]
    assert len(names) == len(set(names))
    assert names[:8] == [f"train lgg2d {model}" for model in tasks.FIRST]
    assert names[8] == "profile sa_unet-128x128x3-b16-jax-mixed_bfloat16"
    assert "profile unet3d-128x128x128x4-b1-jax-mixed_bfloat16" in names
    slices = {name for name in zoo.names() if 2 in zoo.card(name).ranks}
    for base in PLAN.protocols:
        of_it = {one.model for one in every if isinstance(one, Training) and one.protocol == base}
        assert of_it == slices


def test_a_training_is_done_where_its_record_lies_with_whatever_epochs(tmp_path):
    terms = ("lgg2d", "jax", "mixed_bfloat16")
    unet, sa_unet = Training("unet", *terms), Training("sa_unet", *terms)
    trained(tmp_path, "unet", backend="tensorflow")
    trained(tmp_path, "unet", name="lgg2d_256")
    assert not unet.done(tmp_path)
    trained(tmp_path, "unet", name="lgg2d_23e", epochs=23)
    assert unet.done(tmp_path)
    assert not sa_unet.done(tmp_path)


def test_a_profile_is_done_where_its_file_is_whole(tmp_path):
    task = tasks.profiles(PLAN, ("unet",))[0]
    path = task.path(tmp_path, "box")
    path.parent.mkdir(parents=True)
    path.write_text('{"model": ')
    assert not task.done(tmp_path)
    path.write_text("{}")
    assert task.done(tmp_path)


@pytest.mark.parametrize(
    ("per_epoch", "seconds", "epochs", "models"),
    [
        ({"a": 1.0, "b": 4.0}, 100.0, 25, ("a", "b")),
        ({"b": 4.0, "a": 1.0}, 1000.0, 60, ("b", "a")),  # no more than the protocol has
        ({"a": 1.0, "b": 4.0, "c": 50.0}, 100.0, 25, ("a", "b")),  # two epochs of c: it waits
        ({"a": 9.0, "b": 99.0}, 20.0, 0, ()),  # so few epochs would be its size for good
        ({"a": 9.0}, -5.0, 0, ()),
    ],
)
def test_everyone_gets_the_epochs_that_the_slowest_can_do(per_epoch, seconds, epochs, models):
    assert sizing.epochs(per_epoch, seconds, 60) == sizing.Size(epochs, models)


def test_a_sized_protocol_differs_in_its_epochs_alone(tmp_path):
    own, results = protocol.shipped("lgg2d"), [tmp_path / "none", tmp_path / "results"]
    assert agenda.known_epochs(results, "lgg2d") is None
    name = sizing.written("lgg2d", 23, tmp_path, "box")
    assert name == "results/box/protocols/lgg2d_23e.toml"
    found = protocol.find(str(tmp_path / name), "unet")
    assert found == replace(own, name="lgg2d_23e", train=replace(own.train, epochs=23))
    assert agenda.known_epochs(results, "lgg2d") == 23
    assert agenda.known_epochs(results, "lgg2d_256") is None


def test_a_size_that_is_the_protocols_own_is_the_protocol(tmp_path):
    own = protocol.shipped("lgg2d").train.epochs
    assert sizing.written("lgg2d", own, tmp_path, "box") == "lgg2d"
    assert agenda.known_epochs([tmp_path / "results"], "lgg2d") == own


def test_time_is_kept_for_what_comes_after():
    training = Training("unet", "lgg2d", "jax", "float32")
    (profile, *_) = tasks.profiles(PLAN, ("unet",))
    assert Stage([training], [profile], None).share(500) == 400
    assert Stage([training], [training], None).share(500) == 500
    assert Stage([training], [], None).share(150) == 0  # so few epochs would be its size for good
    assert Stage([training], [], 23).share(150) == 150
    assert Stage([profile], [training], None).share(500) == 250
    assert Stage([profile], [training], None).share(300) == 300  # nothing could begin after it
    assert Stage([profile], [], None).share(20) == 0


def test_a_timetable_has_no_gap_before_its_end(tmp_path):
    lines = list(agenda.timetable(Plan(), [tmp_path], 8.5))
    spans = [line.split()[0].split("-") for line in lines]
    for (_, ends), (begins, _) in pairwise(spans[:-1]):
        assert ends == begins
    assert spans[-1][1] == "8:30"
    assert "8 processes start" in lines[0]
    assert any("profiles, one at a time" in line for line in lines)
    assert not any("brats2d" in line for line in lines)
    for model in tasks.FIRST:
        trained(tmp_path, model)
    lines = list(agenda.timetable(Plan(), [tmp_path], 8.5))
    assert "22 profiles" in lines[1]
    assert any("brats2d: all train together" in line for line in lines)


class Asked:
    """A crew whose members answer at once, as they are told here."""

    crews: ClassVar[list] = []

    def __init__(self, models, settings, work, log, outside):
        self.members = dict.fromkeys(models)
        self.results, self.requests = work / "results", []
        self.crews.append(self)

    def ask(self, requests, deadline):
        self.requests.append(requests)
        return {model: self.answer(model, **request) for model, request in requests.items()}

    def answer(self, model, do, **how):
        if model == "mod_r2au":
            return {ERROR: "its process is gone"}
        if do == "measure":
            return {"epoch": {"unet": 0.5, "sa_unet": 0.25, "ar2_unet": 400.0}[model]}
        if do == "train":
            return self.train(model, **how)
        return {"start": 1.0}

    def train(self, model, protocol, data):
        if model == "sa_unet":
            return {CUT: True}
        trained(self.results, model)
        return {"epochs": 60}

    def close(self):
        self.members = {}


@pytest.fixture
def a_piece(tmp_path, monkeypatch):
    monkeypatch.setattr(piece, "Crew", Asked)
    monkeypatch.setattr(Asked, "crews", [])
    plan = replace(
        PLAN, models=("sa_unet", "unet", "mod_r2au", "ar2_unet"), protocols=("lgg2d",), slices=(64,)
    )

    def make(data="data/lgg2d", minutes=6.0):
        folders = (tmp_path / "results",)
        where = {} if data is None else {"lgg2d": data}
        return Piece(plan, tmp_path, "box", time.monotonic() + 60 * minutes, {}, where, folders)

    return make


def test_a_piece_sizes_its_trainings_and_the_next_one_goes_on_with_that_size(
    a_piece, tmp_path, capsys
):
    first = a_piece()
    first.run()
    told = capsys.readouterr().out
    warm, measure, train, *profiles = Asked.crews[0].requests
    assert set(warm) == {"sa_unet", "unet", "mod_r2au", "ar2_unet"}
    assert set(measure) == {"sa_unet", "unet", "ar2_unet"}  # one is gone
    assert set(train) == {"sa_unet", "unet"}  # and one is too slow for this piece
    epochs = protocol.shipped("lgg2d").train.epochs
    assert {request["protocol"] for request in train.values()} == {"lgg2d"}
    assert f"{epochs} for each of sa_unet, unet" in told
    assert "cut short: train lgg2d, sa_unet" in told
    assert first.failed == 1
    assert not any("mod_r2au" in one for one in profiles)  # the others keep their processes
    assert [set(one) for one in profiles[:2]] == [{"sa_unet"}, {"sa_unet"}]
    assert json.loads((tmp_path / "results/box/profiles").glob("unet-64*").__next__().read_text())

    a_piece().run()
    train = Asked.crews[1].requests[0]
    assert set(train) == {"sa_unet", "mod_r2au", "ar2_unet"}  # no timing any more
    assert {request["protocol"] for request in train.values()} == {"lgg2d"}


def test_trainings_wait_for_their_records_and_profiles_do_not(a_piece, capsys):
    a_piece(data=None).run()
    assert "lgg2d waits for all parts of its records" in capsys.readouterr().out
    asked = [one for crew in Asked.crews for requests in crew.requests for one in requests.values()]
    assert {request["do"] for request in asked} == {"profile"}


def test_without_time_nothing_begins(a_piece, capsys):
    a_piece(minutes=0.5).run()
    assert "train lgg2d sa_unet and 3 more wait for the next piece." in capsys.readouterr().out
    assert Asked.crews == []


def test_a_python_that_lacks_something_is_told_so_in_one_sentence(monkeypatch):
    with pytest.raises(UserError, match=r"lacks no_such_library: bring wheels"):
        needs.require(("numpy", "no_such_library"))


def test_it_is_told_so_before_anything_is_imported_that_needs_it(tmp_path):
    command = [sys.executable, "-S", "-m", "benchmarks.gpu", "run", "--dry-run"]
    done = subprocess.run(command, cwd=child_process.ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert re.fullmatch(r"gliozoo: The Python of \S+ lacks absl, .+\n", done.stderr)


@pytest.mark.parametrize("minutes", ["0", "-3", "nan", "inf"])
def test_minutes_that_are_none_are_refused(minutes, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["gpu", "run", "--dry-run", "--minutes", minutes])
    assert command_line.main() == 2
    assert capsys.readouterr().err.startswith("gliozoo: Expected --minutes above 0.")


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("base", "layout", "version"), [("lgg2d", "lgg", None), ("brats2d", "brats", "2021")]
)
def test_carried_records_are_what_a_sized_training_takes(base, layout, version, tmp_path):
    source = ensure(tmp_path / "made", layout, patients=5, size=16, seed=0)
    store = carry.store(base, source, version, tmp_path / "cache")
    carry.records(store, tmp_path / "carry", 100_000)
    assert len(list((tmp_path / "carry").glob("*.part"))) > 1
    assert carry.unpack(tmp_path / "carry", tmp_path / "data" / base)
    name = sizing.written(base, 23, tmp_path, "box")
    job = Job("unet", str(tmp_path / name), data=str(tmp_path / "data" / base), cache=str(tmp_path))
    slot = settle.slot(job)
    assert slot.protocol.train.epochs == 23
    assert store.name.startswith(slot.data.fingerprint[:8])
