"""What is committed in results: it verifies, shows no patient, lists what the GPU has to do.

A user's own runs lie beside it, so all of this is asked of the last commit.
"""

import io
import itertools
import re
import subprocess
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import zoo
from benchmarks.__main__ import main
from benchmarks.comparison.compare import compare
from benchmarks.findings.evidence import batches, needed_runs, published_ways
from benchmarks.gpu import agenda, tasks
from benchmarks.records import record

ROOT = Path(__file__).parents[3]
# In the checkout that trained the folds a record had changed, and no code: results/README.md.
ONLY_RECORDS_CHANGED = "159d8f39"
EIGHT = ("res_attention_unet", "ar2_unet", "deeplabv3plus", "attention_unet")
EIGHT += ("mod_r2au", "unet", "resnet50_unet", "sa_unet")
SHOWN = ("dice", "ci_lower", "ci_upper", "rank_ci_lower", "rank_ci_upper", "n_runs")
SHOWN += ("param_count", "infer_gflops")


@pytest.fixture(scope="module")
def committed(tmp_path_factory):
    """Unpack README.md, results and findings of the last commit."""
    command = ["git", "archive", "HEAD", "README.md", "results", "docs/findings"]
    try:
        packed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no clone")
    folder = tmp_path_factory.mktemp("committed")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture
def results(committed):
    return committed / "results"


def test_every_committed_record_verifies(results):
    assert list(results.glob("*/*.json"))
    assert main(["verify", "--results", str(results)]) == 0


def test_a_committed_record_can_be_repeated_and_names_no_place_of_a_machine(results):
    for path in results.glob("*/*.json"):
        found = record.read(path)
        begun = f"gliozoo bench {found.run['model']} "
        if found.run.get("origin", {}).get("kind") == "masks":  # made by another tool
            begun = "gliozoo score masks "
        assert found.command.startswith(begun)
        assert not re.search(r"(/(home|root|tmp|work|Users|mnt)/|--results /)", path.read_text())
        changed = found.environment.get("dirty")  # masks made elsewhere have no commit
        assert not changed or found.environment["commit"].startswith(ONLY_RECORDS_CHANGED)


@pytest.mark.thorough
def test_the_leaderboard_is_what_its_records_make(results, tmp_path):
    assert main(["compare", "--results", str(results), "--out", str(tmp_path)]) == 0
    made, found = (pd.read_csv(folder / "leaderboard.csv") for folder in (tmp_path, results))
    pd.testing.assert_frame_equal(made, found, rtol=1e-6)


def test_the_readme_shows_the_published_networks_of_the_leaderboard(committed, results):
    board = pd.read_csv(results / "leaderboard.csv").query("table == 1").set_index("model")
    board = board[board["variant"].isna() & ~board["recalibrated"] & board["n_runs"].notna()]
    board = board[[name in zoo.names() for name in board.index]]
    text = (committed / "README.md").read_text()
    rows = re.findall(r"^\| `(.+?)` \| (.+) \| ([\d.]+) \| ([\d.]+) \|$", text, re.MULTILINE)
    assert [model for model, *_ in rows] == list(board.index)
    assert f"| rank of {len(rows)} |" in text
    for model, *rest in rows:
        told = [float(number) for number in re.findall(r"[\d.]+", " ".join(rest))]
        known = [float(board.at[model, name]) for name in SHOWN]
        if known[3] == known[4]:  # a rank that is one number
            del known[4]
        assert told == pytest.approx(known, rel=5e-3, abs=5e-4)


def test_the_readme_tells_what_the_first_eight_are_asked_alone(committed, results):
    alone = compare(results, protocol="lgg2d_lite", models=EIGHT).tables[0]
    pairs = [alone.against(*pair) for pair in itertools.combinations(alone.models, 2)]
    apart = sum(pair.distinguishable for pair in pairs)
    smallest = float(np.median([pair.detectable for pair in pairs]))
    pattern = r"asked alone \(`gliozoo compare --models`\), (\d+) of (\d+) can, and ([.\d]+) is"
    text = re.sub(r"\s+", " ", (committed / "README.md").read_text())
    told = [float(number) for number in re.search(pattern, text).groups()]
    assert told == [apart, len(pairs), round(smallest, 2)]


def test_results_hold_no_picture_of_a_patient(results):
    assert not list(results.glob("*/runs/**/*.png"))
    assert not (results / "plots" / "qualitative.png").exists()


def test_the_readme_lists_what_is_outstanding_for_the_gpu(results):
    every = tasks.tasks(tasks.Plan())
    missing = {task.name for task in agenda.outstanding(every, [results])}
    lines = re.findall(r"^- \[([ x])\] (.+)$", (results / "README.md").read_text(), re.MULTILINE)
    told = {name: mark for mark, name in lines}
    assert told == {task.name: " " if task.name in missing else "x" for task in every}


@pytest.fixture
def slices(results):
    """Return a function that gives the slices of a record's test patients, by patient."""

    def of(name):
        (path,) = results.glob(f"*/{name}.json")
        return needed_runs.patients([record.read(path)])

    return of


def test_the_claim_of_sa_unet_is_told_in_its_own_way(committed, results, slices):
    """A batch of 32 shuffled slices as one picture: every number of both texts, recomputed."""
    sound = slices("sa_unet-lgg2d_lite-7d8aa8cd-9eb49996-87b357a2-s0")
    leaky = slices("sa_unet-lgg2d_lite_leaky-f68a8368-s0")
    second = slices("sa_unet-lgg2d_lite-7d8aa8cd-s1")
    (run,) = [np.concatenate(parts) for parts in zip(*sound.values(), strict=True)]
    by_slice = "slices,\nsmooth = 100"
    known = [
        published_ways.value(published_ways.columns(sound, "patients")),
        *batches.shuffled(sound),
        *batches.shuffled(leaky),
        batches.dice(run),
        published_ways.value(published_ways.columns(sound, "pooled voxels")),
        published_ways.value(published_ways.columns(sound, by_slice)),
        published_ways.value(published_ways.columns(second, by_slice)),
        batches.shuffled(second)[0],
    ]
    told = re.search(
        r"\*\*The claim of .*\n\n", (committed / "docs/findings/leakage.md").read_text(), re.DOTALL
    )
    missing = [f"{value:.4f}" for value in known if not says(told[0], value)]
    assert not missing, told[0]
    (row,) = re.findall(r"^\| `sa_unet` \| \.9047.*$", (results / "README.md").read_text(), re.M)
    assert all(says(row, value) for value in known[:3])


def says(text, value):
    """Tell whether a text holds a number to three digits."""
    return any(abs(float(told) - value) < 6e-4 for told in re.findall(r"(?<![\d.])\.\d{3}\b", text))


def test_the_recipes_page_tells_its_table_and_no_more(committed):
    """Both means and the interval of each difference; and how few trainings they are of."""
    told = (committed / "docs/findings/recipes.md").read_text()
    rows = pd.read_csv(committed / "docs/findings/recipes.csv")
    for row in rows.to_dict("records"):
        known = [row[name] for name in ("common", "author", "difference lower", "difference upper")]
        assert all(says(told, abs(value)) for value in known), row["model"]
        assert f"`{row['model']}`" in told
    assert set(rows["folds"]) == {5}
    assert rows["p holm"].max() < 1e-5
    assert (
        rows["verdict"].str.startswith("lower beyond the scatter of patients and of 5 folds").all()
    )
    assert "beyond the scatter of patients and of 5 folds" in told
    assert f"{rows.patients[0]} patients" in told
    assert "One seed" in told
    assert not re.search(r"certainly|each beyond doubt[,;]|any network can", told)
