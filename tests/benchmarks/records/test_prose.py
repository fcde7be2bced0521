"""Numbers in README and findings, each against the file or the record that it comes from."""

import csv
import json
import re
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import ratios

import zoo
from benchmarks.comparison.reading import budgets
from benchmarks.records import record
from benchmarks.scoring import aggregate
from zoo.presets import shelf

ROOT = Path(__file__).parents[3]


def prose(name):
    return re.sub(r"\s+", " ", (ROOT / name).read_text(encoding="utf-8"))


def table(name):
    with (ROOT / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def found(name, pattern):
    """Return the numbers of the one sentence that a pattern finds."""
    match = re.search(pattern, prose(name))
    assert match, f"{name} says nothing like {pattern}"
    return [float(number.replace("−", "-")) for number in match.groups()]


AUDIT = json.loads((ROOT / "docs/perf/audit.json").read_text())


def test_readme_tells_the_audit_as_it_was_written():
    assert set(AUDIT) == set(zoo.names())
    assert max(one["products_unexplained_percent"] for one in AUDIT.values()) == 0
    largest = max(one["unexplained_percent"] for one in AUDIT.values())
    assert found("README.md", r"at most ([\d.]+) % on the twenty") == [round(largest, 2)]


def test_readme_tells_the_size_of_every_architecture_as_its_card_does():
    rows = re.findall(
        r"^\| `(\w+)` \|[^|]+\| ([\d.]+) M \| ([\d.]+) \| ([\dx]+) \|",
        (ROOT / "README.md").read_text(),
        re.MULTILINE,
    )
    assert [name for name, *_ in rows] != []
    assert {name for name, *_ in rows} == set(zoo.names())
    for name, params, gflops, shape in rows:
        card = zoo.card(name).reference()
        assert float(params) == round(card.params / 1e6, 2)
        assert float(gflops) == pytest.approx(card.gflops, abs=0.06)
        assert float(gflops) == pytest.approx(AUDIT[name]["counted_gflops"], abs=0.06)
        assert tuple(map(int, shape.split("x"))) == card.input_shape


def test_readme_tells_speed_against_the_faster_peer_on_a_quiet_machine():
    told = {part.title: part for part in ratios.parts()}
    data, steps = told["Data"], told["Training step and prediction"]
    assert all("quiet" in part.machine for part in (data, steps))
    slices = {row.peer: row.faster for row in data.rows if row.what == "augmented slices"}
    peers = [slices[peer] for peer in ("usual generator", "MONAI")]
    assert peers[0] < peers[1]
    pattern = r"iterator: ([\d.]+) times .+? faster peer, and ([\d.]+) times"
    assert found("README.md", pattern) == pytest.approx(peers, abs=0.06)
    for what in ("training step", "prediction"):
        own = [row for row in steps.rows if row.peer == ratios.PYTORCH and what in row.what]
        seconds = [1 / row.faster for row in own]
        pattern = rf"{what} of the five takes ([\d.]+) to ([\d.]+) times"
        assert found("README.md", pattern) == pytest.approx([min(seconds), max(seconds)], abs=6e-3)


def test_readme_tells_the_findings_as_their_tables_do():
    tax = {
        r["model"]: r for r in table("docs/findings/leakage.csv") if r["mean over"] == "patients"
    }
    span = r"(-?[\d.]+) to ([\d.]+)"
    pattern = rf"Dice was ([\d.]+) higher by slice.+?network's ([\d.]+);.+?\({span}, {span}\)"
    told = found("README.md", pattern)
    known = [tax["unet"]["tax"], tax["sa_unet"]["tax"]]
    known += [tax[m][f"tax {end}"] for m in ("unet", "sa_unet") for end in ("lower", "upper")]
    assert told == pytest.approx([float(value) for value in known], abs=6e-3)
    assert all(row["verdict"] == "cannot be told apart" for row in tax.values())
    lost = [-float(row["difference"]) for row in table("docs/findings/recipes.csv")]
    told = found("README.md", r"end ([\d.]+) to ([\d.]+) lower under their own")
    assert told == pytest.approx([min(lost), max(lost)], abs=6e-3)
    dice = [float(row["dice"]) for row in table("docs/findings/sensitivity.csv")]
    told = found("README.md", r"same masks score ([\d.]+) to ([\d.]+)")
    assert told == pytest.approx([min(dice), max(dice)], abs=6e-3)


def dice_by_patient(model, name):
    """Return each patient's Dice over the slices of all folds, and the runs."""
    paths = [
        path
        for path in (ROOT / "results").glob(f"*/{model}-{name}-*-s0*.json")
        if re.search(r"-s0(-f\d)?\.json$", path.name)
    ]
    runs = sorted((record.read(path) for path in paths), key=lambda run: run.run["fold"])
    assert [run.run["fold"] for run in runs] == [*range(5)]
    counts: dict = {}
    for run in runs:
        for patient in run.patients:
            row = patient["regions"]["tumour"]
            counts.setdefault(patient["patient"], []).append([row[n] for n in ("tp", "fp", "fn")])
    sums = {patient: np.sum(parts, axis=0) for patient, parts in counts.items()}
    return {p: 2 * tp / (2 * tp + fp + fn) for p, (tp, fp, fn) in sums.items()}, runs


def test_the_page_on_leakage_tells_its_table_and_its_folds():
    page = (ROOT / "docs/findings/leakage.md").read_text(encoding="utf-8")
    told = {
        way: [float(number) for number in re.findall(r"[+-]?\.\d+", cells)]
        for way, cells in re.findall(r"^\| ((?:patients|pooled|slices)[^|]*) \|(.*)$", page, re.M)
    }
    names = ("by patient", "by slice", "tax", "tax lower", "tax upper")
    rows = table("docs/findings/leakage.csv")
    assert len(rows) == 2 * len(told) == 8
    for way, numbers in told.items():
        own = {row["model"]: row for row in rows if row["mean over"] == way}
        known = [float(own[model][name]) for model in ("unet", "sa_unet") for name in names]
        assert numbers == pytest.approx(known, abs=6e-4)
    (by_patient, runs), (by_slice, leaky) = (
        dice_by_patient("unet", name) for name in ("lgg2d_lite", "lgg2d_lite_leaky")
    )
    taxes = [
        np.mean([by_slice[p["patient"]] - by_patient[p["patient"]] for p in run.patients])
        for run in runs
    ]
    number = r"([.\d]+)"
    pattern = rf"every fold\*\*: {number}, {number}, {number}, {number} and {number}\."
    assert found("docs/findings/leakage.md", pattern) == pytest.approx(taxes, abs=6e-4)
    best = [[run.training["best_val_dice"] for run in side[1:]] for side in (leaky, runs)]
    pattern = (
        rf"other four folds it ends at {number} to {number} by slice and at {number} to {number}"
    )
    known = [end(side) for side in best for end in (min, max)]
    assert found("docs/findings/leakage.md", pattern) == pytest.approx(known, abs=6e-3)


def test_readme_tells_what_the_usual_intervals_hold_as_the_study_does():
    rows = [
        float(row["coverage"])
        for row in table("docs/findings/coverage.csv")
        if (row["population"], row["patients"]) == ("Beta(20, 3), 1 in 20 missed", "13")
        and row["method"] not in ("ours", "Gaffke")
    ]
    told = found("README.md", r"come down to (\d+) to (\d+) % where one tumour in twenty")
    assert told == pytest.approx([100 * min(rows), 100 * max(rows)], abs=0.6)


def test_readme_and_results_count_pairs_as_the_leaderboard_does():
    text = (ROOT / "results/leaderboard.md").read_text()
    pattern = r"at once: (\d+) of (\d+) have p below .+?, (\d+) after"
    below, pairs, after = map(int, re.search(pattern, text).groups())
    told = found("README.md", r"Of their (\d+) pairs (\d+) can be told apart, of (\d+) that")
    assert told == [pairs, after, below]
    assert found("results/README.md", r"(\d+) of (\d+) pairs can be told apart") == [after, pairs]
    smallest = re.search(r"a true difference of (0\.\d+) of a typical pair", text)[1]
    assert found("README.md", r"a true difference of ([.\d]+)") == [round(float(smallest), 2)]


@pytest.fixture(scope="module")
def runs():
    """Return the committed runs of the leaderboard; a user's own may lie beside them."""
    command = ["git", "ls-files", "results/*-lgg2d_lite-*.json"]
    try:
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no clone")
    found = [record.read(ROOT / path) for path in listed.stdout.split()]
    return [run for run in found if run.run["protocol"] == "lgg2d_lite"]


def test_results_tell_calibration_and_losses_as_the_records_do(runs):
    ece, loss = {}, {}
    for run in (run for run in runs if run.history):  # not masks made elsewhere
        ece.setdefault(run.name, []).append(run.calibration["tumour"]["ece"])
        loss.setdefault(run.name, []).append(run.history[-1]["loss"])
    worst = ece.pop("res_attention_unet:head_norm")
    pattern = r"ECE ([\d.]+) for .res_attention_unet:head_norm., at most ([\d.]+) for"
    told = found("results/README.md", pattern)
    assert told == pytest.approx([np.mean(worst), max(map(np.mean, ece.values()))], abs=6e-3)
    pattern = r"stays at ([\d.]+), and ends between ([\d.]+) and ([\d.]+) without\."
    high, low = loss["res_attention_unet:head_norm"], loss["res_attention_unet"]
    known = [np.mean(high), min(low), max(low)]
    assert found("results/README.md", pattern) == pytest.approx(known, abs=0.011)
    told = found(
        "results/README.md", r"loss of `unetr`, ([\d.]+) to ([\d.]+), is still the highest"
    )
    assert told == pytest.approx([min(loss["unetr"]), max(loss["unetr"])], abs=6e-3)
    assert min(loss["unetr"]) > max(
        value
        for name, values in loss.items()
        if name not in ("unetr", "res_attention_unet:head_norm")
        for value in values
    )


def test_results_tell_what_found_nothing_as_the_records_do(runs):
    dice = {name: [] for name in ("unetpp", "segresnet")}
    for run in runs:
        if run.name in dice:
            dice[run.name].append(run.quality["brats"]["tumour"]["patient"]["dice"]["mean"])
    assert dice["unetpp"] == [0.0] * 5
    some = sorted(value for value in dice["segresnet"] if value > 0)
    assert len(dice["segresnet"]) - len(some) == 3
    told = found("results/README.md", r"nothing on three folds and ([\d.]+) and ([\d.]+) on two")
    assert told == pytest.approx(some, abs=6e-3)


def test_results_tell_the_hardest_patient_as_the_records_do(runs):
    dice = []
    for run in runs:
        rows = [p["regions"]["tumour"] for p in run.patients if "6405" in p["patient"]]
        dice += [2 * row["tp"] / (2 * row["tp"] + row["fp"] + row["fn"]) for row in rows]
    assert len(dice) >= 8
    told = found("results/README.md", r"for everyone: Dice ([\d.]+) to ([\d.]+) from")
    assert told == pytest.approx([min(dice), max(dice)], abs=6e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sa_unet", "deeplabv3plus", "resnet50_unet"])
def test_an_audit_comes_out_as_it_was_written(name):
    import audit_speed

    told, known = json.loads(json.dumps(audit_speed.audited(name))), dict(AUDIT[name])
    assert told.pop("input_shape") == known.pop("input_shape")
    assert told == pytest.approx(known, rel=1e-3, abs=2e-3)


def test_the_page_on_processors_tells_its_patients():
    text = (ROOT / "docs/findings/processors.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| ([.\d]+) \| ([.\d]+) \| ([+-][.\d]+) \[", text, re.MULTILINE)
    patients = table("docs/findings/processors.csv")
    assert len(rows) == 8
    gaps = []
    for model, *told in rows:
        own = [row for row in patients if row["model"] == model]
        before, now = (
            np.mean([float(row[f"{side} dice"]) for row in own]) for side in ("first", "second")
        )
        assert len(own) == 13
        assert [float(number) for number in told] == pytest.approx(
            [before, now, now - before], abs=6e-4
        )
        gaps.append(now - before)
    size, scatter = np.mean(np.abs(gaps)), np.sqrt(np.mean(np.square(gaps)) / 2)
    told = found(
        "docs/findings/processors.md", r"mean size of ([.\d]+), that of a scatter of ([.\d]+) from"
    )
    assert told == pytest.approx([size, scatter], abs=6e-4)


def test_the_page_on_recurrence_tells_its_table():
    told = [
        [float(number) for number in row]
        for row in re.findall(
            r"\| ([.\d]+) \| ([+-][.\d]+) \[([+-][.\d]+), ([+-][.\d]+)\] \|$",
            (ROOT / "docs/findings/recurrence.md").read_text(),
            re.MULTILINE,
        )
    ]
    names = ("other", "difference", "difference lower", "difference upper")
    known = [[float(row[name]) for name in names] for row in table("docs/findings/recurrence.csv")]
    assert len(told) == 8
    assert sorted(told) == [pytest.approx(row, abs=6e-4) for row in sorted(known)]


def test_readme_tells_the_shipped_weights_as_their_manifest_does():
    (dice,) = shelf.presets()["res_attention_unet.lgg"].dice
    told = found("README.md", r"finds ([.\d]+) \[([.\d]+), ([.\d]+)\] on fold 0's 13 patients")
    assert told == [round(value, 3) for value in (dice.mean, dice.lower, dice.upper)]
    assert dice.patients == 13


def test_the_page_on_weights_tells_its_manifest():
    page = (ROOT / "docs/weights.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+\.\w+)` \|[^|]+\|([^|]+)\|", page, re.MULTILINE)
    presets = shelf.presets()
    assert {name for name, _ in rows} == set(presets)
    for name, cell in rows:
        told = {
            region or "tumour": [*map(float, values)]
            for region, *values in re.findall(r"(\w*) ?([.\d]+) \[([.\d]+), ([.\d]+)\]", cell)
        }
        known = {one.region: [one.mean, one.lower, one.upper] for one in presets[name].dice}
        assert told.keys() == known.keys()
        for region, values in known.items():
            assert told[region] == pytest.approx(values, abs=6e-4)
        assert f"{presets[name].dice[0].patients} patients" in cell


def brats_runs(model, rank, folds):
    pattern = f"*/{model}-brats{rank}d_lite-*-s0{{}}.json"
    paths = [[*(ROOT / "results").glob(pattern.format(f"-f{n}" if n else ""))] for n in folds]
    assert [len(found) for found in paths] == [1] * len(folds)
    return [record.read(path) for (path,) in paths]


def brats_rows(model, rank, folds):
    """Return the patients that a network's folds tested."""
    return [row for run in brats_runs(model, rank, folds) for row in run.patients]


def test_the_page_on_brats_tells_its_records():
    page = (ROOT / "docs/findings/brats.md").read_text(encoding="utf-8")
    first, last = map(int, re.search(r"Folds (\d) to (\d)", page).groups())
    folds = range(first, last + 1)
    rows = re.findall(r"^\| `(\w+)`[^|]* \|((?: [.\d]+ \|){7})$", page, re.MULTILINE)
    assert len(rows) == 9
    for model, cells in rows:
        patients = brats_rows(model, 3 if model == "unet3d" else 2, folds)
        assert f"**{len(patients)} patients**" in page
        regions = aggregate.summary(patients, "brats")
        asked = [(region, "dice") for region in ("WT", "TC", "ET", "mean")]
        asked += [("WT", "hd95"), ("WT", "nsd_2mm"), ("mean", "lesion_dice")]
        known = [regions[region]["patient"][metric]["mean"] for region, metric in asked]
        told = [float(cell) for cell in re.findall(r"[.\d]+", cells)]
        near = [6e-4] * 4 + [0.51, 6e-3, 6e-3]
        assert [abs(a - b) <= n for a, b, n in zip(told, known, near, strict=True)] == [True] * 7


def test_the_page_on_brats_tells_its_records_in_volumes():
    page = (
        (ROOT / "docs/findings/brats.md").read_text(encoding="utf-8").split("In volumes, folds")[1]
    )
    rows = re.findall(
        r"^\| `(\w+)` \| ([.\d]+) \| ([.\d]+) \| ([.\d]+) \| ([.\d]+) \[.+?\] \| ([,.\d]+) k \|$",
        page,
        re.MULTILINE,
    )
    assert len(rows) == 8
    for model, *dice, params in rows:
        patients = brats_rows(model, 3, (0, 1))
        assert len(patients) == 7
        regions = aggregate.summary(patients, "brats")
        known = [regions[name]["patient"]["dice"]["mean"] for name in ("WT", "TC", "ET", "mean")]
        assert [*map(float, dice)] == pytest.approx(known, abs=6e-4)
        (count,) = {run.cost["params"] for run in brats_runs(model, 3, (0, 1))}
        assert float(params.replace(",", "")) == pytest.approx(count / 1000, rel=6e-3)


def test_the_page_on_tidying_ends_where_its_manifest_is():
    page = (ROOT / "docs/weights.md").read_text(encoding="utf-8").split("## Small components")[1]
    told, name = {}, ""
    pattern = r"^\| (?:`([\w.]+)`, )?(WT|TC|ET|lesion) \|.*?\| [.\d]+, now ([.\d]+) \|"
    for other, region, dice in re.findall(pattern, page, re.MULTILINE):
        name = other or name
        told[name, region.replace("lesion", "tumour")] = float(dice)
    shipped = shelf.presets()
    known = {(key, one.region): one.mean for key, own in shipped.items() for one in own.dice}
    assert told == pytest.approx(known, abs=6e-4)
    assert all(own.smallest for own in shipped.values())


def test_the_page_on_budget_tells_its_table():
    page = (ROOT / "docs/findings/budget.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| `(\w+)` \| (.+) \|$", page, re.MULTILINE)
    rows = {row["model"]: row for row in table("docs/findings/budget.csv")}
    assert {name for name, _ in lines} == set(rows)
    columns = ("first gmacs", "other gmacs", "first", "other", "difference")
    columns += ("difference lower", "difference upper", "p holm")
    for name, cells in lines:
        told = [float(one) for one in re.findall(r"[-+]?\d*\.\d+", cells)]
        known = [float(rows[name][column]) for column in columns]
        assert told[:7] == pytest.approx(known[:7], abs=6e-4)
        assert told[7] == pytest.approx(known[7], abs=6e-3)
    kept = sum(int(row["pairs kept"]) for row in rows.values()) / 2
    assert found("docs/findings/budget.md", r"(\d+) of (\d+) pairs keep theirs") == [kept, 28]


def test_the_page_on_widths_tells_its_tables():
    page = (ROOT / "docs/findings/width.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| `(\w+)` \| (\d+) \| (.+) \|$", page, re.MULTILINE)
    known: dict = {}
    for row in [*table("docs/findings/width.csv"), *table("docs/findings/width_folds.csv")]:
        cells = known.setdefault((row["model"], row["patients"]), {})
        for side in ("first", "other"):
            ends = [float(row[f"{side}{end}"]) for end in ("", " lower", " upper")]
            cells[row[f"{side} terms"]] = ends
    assert {(model, patients) for model, patients, _ in lines} == set(known)
    for model, patients, cells in lines:
        ordered = ("lgg2d_lite_eighth", "lgg2d_lite", "lgg2d_lite_half")
        values = [value for terms in ordered for value in known[model, patients].get(terms, [])]
        told = [float(one) for one in re.findall(r"\d*\.\d+", cells)]
        assert told == pytest.approx(values, abs=6e-4)
    half = [row for row in table("docs/findings/width.csv") if row["other terms"].endswith("half")]
    assert sum(int(row["pairs kept"]) for row in half) / 2 == 1  # of three
    assert {row["verdict"] for row in half} == {"cannot be told apart"}
    folds = table("docs/findings/width_folds.csv")
    assert {row["verdict"] for row in folds} == {"cannot be told apart"}


def test_the_page_on_brats_tells_what_folds_and_empty_masks_make():
    page = (ROOT / "docs/findings/brats.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)`[^|]* \|", page.split("In volumes, folds")[0], re.MULTILINE)

    @cache
    def dice(model, fold, region):
        patients = brats_rows(model, 3 if model == "unet3d" else 2, [fold])
        return aggregate.summary(patients, "brats")[region]["patient"]["dice"]["mean"]

    pattern = r"WT is ([.\d]+) or more on fold 3 and ([.\d]+) or less on fold 4"
    known = [min(dice(m, 3, "WT") for m in rows), max(dice(m, 4, "WT") for m in rows)]
    assert found("docs/findings/brats.md", pattern) == pytest.approx(known, abs=6e-3)
    firsts = {max(rows, key=lambda m: dice(m, fold, "mean")) for fold in range(5)}
    assert (len(firsts), len(rows)) == (4, 9)  # four networks of nine are the first of some fold
    enhancing = [row["regions"]["ET"] for row in brats_rows("sa_unet", 2, range(5))]
    assert sum(one["tp"] for one in enhancing) == 0
    nothing = sum(one["tp"] + one["fp"] + one["fn"] == 0 for one in enhancing)
    assert nothing == 4
    (told,) = found("docs/findings/brats.md", r"An ET of ([.\d]+) is nothing found")
    assert told == pytest.approx(nothing / len(enhancing), abs=6e-4)


def test_the_page_on_brats_tells_what_volumes_cost():
    slices, volumes = (
        sum(budgets.course(run).tera_macs[-1] for run in brats_runs(model, rank, range(5)))
        for model, rank in (("unet", 2), ("unet3d", 3))
    )
    pattern = r"slices of the same patients at ([.\d]+) times the multiply-adds of training"
    assert found("docs/findings/brats.md", pattern) == pytest.approx([volumes / slices], abs=0.06)


def test_the_page_on_brats_tells_pairs_and_orders_as_the_leaderboard_does():
    page = "docs/findings/brats.md"
    (own,) = re.findall(
        r"^## Table \d+: protocol brats2d_lite\n(.+?)^## ",
        (ROOT / "results/leaderboard.md").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    pairs, below, after = re.search(
        r"for (\d+) pairs at once: (\d+) of .+?, (\d+) after", own
    ).groups()
    assert int(after) == 0
    assert found(page, r"of (\d+) pairs on slices none .+? though (\d+) have p") == [
        float(pairs),
        float(below),
    ]
    tau = re.search(r"tau with the order by mean Dice is ([\d.]+)\.", own)[1]
    assert found(page, r"with Kendall's tau of ([.\d]+):") == [float(tau)]
    ranks = re.search(r"Better than, p < 0.05 \|\n.+?\n(.+?)\n\n", own, re.DOTALL)[1]
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in ranks.splitlines()]
    assert [rows[0][0], rows[-1][0], rows[-1][3]] == ["unet", "ar2_unet", "2"]
    better = [name for row in rows for name in re.findall(r"\w*unet\w*|\w+plus", row[4])]
    assert len(better) == 6


def test_the_page_on_dimensions_tells_its_table():
    page = (ROOT / "docs/findings/dimensions.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if re.match(r"\|( `\w+`)? \| (WT|TC|ET) \|", line)]
    told, model = {}, None
    for line in lines:
        name, region, *cells = [cell.strip(" `") for cell in line.strip("|").split("|")]
        model = name or model
        told[model, region] = [[float(n) for n in re.findall(r"[-+]?[\d.]+", c)] for c in cells]
    rows = {(row["model"], row["region"]): row for row in table("docs/findings/dimensions.csv")}
    assert told.keys() == rows.keys()
    for key, row in rows.items():
        names = ("slices", "volumes", "difference", "difference lower", "difference upper")
        known = [float(row[name]) for name in names]
        slices, volumes, difference, *costs = told[key]
        assert slices + volumes + difference == pytest.approx(known, abs=6e-4)
        if key[1] == "WT":
            asked = [("tera multiply-adds", 0.5), ("validation at equal cost", 6e-3)]
            pairs = [(f"{side} {what}", near) for what, near in asked for side in names[:2]]
            for (cost,), (name, near) in zip(costs, pairs, strict=True):
                assert cost == pytest.approx(float(row[name]), abs=near)


def test_the_page_on_counting_tells_its_table():
    lines = (ROOT / "docs/findings/counting.md").read_text(encoding="utf-8").splitlines()
    told = [re.findall(r"\| ([.\d]+)", line) for line in lines if line.count("|") == 7]
    told = [[float(cell) for cell in row[:4]] for row in told if len(row) >= 5]
    measured = {}
    for row in table("docs/findings/counting.csv"):
        measured.setdefault(row["way"], []).append(float(row["measured"]))
    assert told == [pytest.approx(row, abs=6e-4) for row in measured.values()]
