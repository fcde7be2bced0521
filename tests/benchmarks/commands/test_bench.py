import json
import signal

import fabricate
import pytest

import zoo
from benchmarks.__main__ import main
from benchmarks.records import record
from benchmarks.running import launch
from benchmarks.running.launch import Outcome


@pytest.fixture
def launched(monkeypatch, tmp_path):
    """Pretend to run jobs; `endings` says how each model ends."""
    jobs, endings = [], {}
    fabricate.no_data(monkeypatch)
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    def pretend(slot):
        job = slot.job
        jobs.append(job)
        ending = endings.get(job.model, "ok")
        if ending == "user":
            return Outcome(job, launch.USER, tmp_path, None)
        changes = {}
        if ending == "failed":
            changes = {"status": "failed", "error": {"message": "killed by SIGKILL"}}
        training = {"seconds": 12.0}
        found = fabricate.a_record(job.model, training=training, **changes)
        path = record.write(found, tmp_path / "results")
        return Outcome(job, launch.FAILED if changes else launch.FINE, path, found)

    monkeypatch.setattr(launch, "launch", pretend)
    return jobs, endings


def test_one_model_ends_with_its_row(launched, capsys):
    assert main(["bench", "unet"]) == 0
    out, err = capsys.readouterr()
    assert "unet" in out
    assert "0.800 [" in out  # the mean of fabricate's six patients, and its interval
    assert out.rstrip().endswith("/")
    assert err == ""


def test_options_reach_the_job(launched):
    jobs, _ = launched
    main(
        [
            "bench",
            "unet",
            "--protocol",
            "smoke",
            "--seed",
            "2",
            "--fold",
            "1",
            "--no-jit",
            "--deterministic",
            "--force",
        ]
    )
    (job,) = jobs
    assert (job.model, job.protocol, job.seed, job.fold) == ("unet", "smoke", 2, 1)
    assert (job.jit, job.deterministic, job.force, job.quiet) == (False, True, True, False)


def test_a_failed_run_is_named_the_others_go_on_and_the_code_is_1(launched, capsys):
    jobs, endings = launched
    endings["sa_unet"] = "failed"
    assert main(["bench", "sa_unet,unet", "--protocol", "smoke"]) == 1
    assert [job.model for job in jobs] == ["sa_unet", "unet"]
    out, err = capsys.readouterr()
    assert "killed by SIGKILL" in out
    assert err.splitlines()[0] == "sa_unet: failed: killed by SIGKILL"
    assert err.splitlines()[1].startswith("unet: Dice 0.800, in ")


def test_a_users_mistake_stops_at_once_with_2(launched):
    jobs, endings = launched
    endings["sa_unet"] = "user"
    assert main(["bench", "sa_unet,unet"]) == 2
    assert len(jobs) == 1


def test_json_is_one_document_on_standard_output(launched, capsys):
    _, endings = launched
    endings["unet"] = "failed"
    assert main(["bench", "*unet", "--protocol", "quick", "--json"]) == 1
    out, err = capsys.readouterr()
    rows = {row["model"]: row for row in json.loads(out)}
    assert rows["sa_unet"]["dice"] == pytest.approx(0.8, abs=1e-3)
    assert rows["sa_unet"]["ci_lower"] < rows["sa_unet"]["dice"] < rows["sa_unet"]["ci_upper"]
    assert rows["unet"]["error"] == "killed by SIGKILL"
    assert "sa_unet: Dice" in err


def test_what_a_wildcard_leaves_out_is_said(launched, capsys):
    jobs, _ = launched
    assert main(["bench", "all", "--protocol", "lgg2d"]) == 0
    assert "unet3d is left out" in capsys.readouterr().err
    planar = [name for name in zoo.names() if 2 in zoo.card(name).ranks]
    assert [job.model for job in jobs] == planar


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["bench", ""], "Usage: gliozoo bench MODEL"),
        (["bench", "mod_r2ua"], "Did you mean 'mod_r2au'"),
        (["bench", "unet", "--protocol", "quik"], "Did you mean 'quick'"),
        (["bench", "unet3d", "--protocol", "lgg2d"], "rank 3"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_2(words, told, capsys):
    assert main(words) == 2
    err = capsys.readouterr().err
    assert told in err
    assert len(err.splitlines()) == 1
