"""The figures: every model has one look, odd studies still draw, files are well-formed."""

import itertools
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import fabricate
import numpy as np
import pytest
from matplotlib.image import imsave
from matplotlib.text import Text

import zoo
from benchmarks.comparison.compare import compare
from benchmarks.plots import (
    draw,
    frontier,
    point_labels,
    qualitative,
    quality,
    style,
    training_curves,
    verdicts,
)
from benchmarks.records import record, result_paths


def compared(tmp_path, records, **options):
    fabricate.archive(records, tmp_path)
    return compare(tmp_path, **options)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return compared(tmp_path_factory.mktemp("study"), fabricate.a_study(count=12, seeds=2))


def test_every_architecture_has_a_look_of_its_own():
    looks = style.looks(zoo.names())
    assert len({(look.colour, look.marker) for look in looks.values()}) == len(zoo.names())


def test_a_look_does_not_depend_on_who_else_is_there():
    everyone, alone = style.looks(zoo.names()), style.looks(["sa_unet"])
    assert alone["sa_unet"] == everyone["sa_unet"]


def test_a_variant_has_its_models_colour_and_a_hollow_marker():
    looks = style.looks(["sa_unet", "sa_unet:original"])
    assert looks["sa_unet"].colour == looks["sa_unet:original"].colour
    assert looks["sa_unet:original"].face == style.PAPER
    assert looks["sa_unet"].face == looks["sa_unet"].colour


def test_every_colour_can_be_seen_on_both_pages():
    def luminance(colour):
        channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    for colour in style.COLOURS:
        on_white = 1.05 / (luminance(colour) + 0.05)
        on_dark = (luminance(colour) + 0.05) / (luminance("#171c22") + 0.05)
        assert min(on_white, on_dark) > 2.4, colour


def test_a_whole_study_draws_every_figure(study):
    with style.settings():
        names = [plot.name for plot in draw.of_table(study, study.tables[0])]
    assert names == [
        "frontier",
        "patients",
        "significance",
        "precision_sensitivity",
        "volume",
        "orders",
        "training",
        "learning_cost",
        "calibration",
        "roofline",
    ]


@pytest.mark.thorough
def test_files_are_svg_and_png_and_the_same_twice(study, tmp_path):
    first = draw.save(study, tmp_path / "a")
    second = draw.save(study, tmp_path / "b")
    assert {path.suffix for path in first} == {".svg", ".png"}
    for path, again in zip(first, second, strict=True):
        assert path.read_bytes() == again.read_bytes()
        if path.suffix == ".svg":
            assert ElementTree.parse(path).getroot().tag.endswith("svg")
        else:
            assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.thorough
@pytest.mark.parametrize(
    "records",
    [
        [fabricate.a_record("unet", [0.8])],
        [fabricate.a_record("unet", [0.0, 0.0, 0.0])],
        [fabricate.a_record("unet", [1.0] * 4), fabricate.a_record("sa_unet", [1.0] * 4)],
        [fabricate.a_record("unet", cost={})],
        [fabricate.a_record("unet", history=[{"epoch": 1, "loss": None, "val_dice": None}])],
        [fabricate.a_record("unet", calibration={"lgg": {"ece": None, "bins": []}})],
        [
            replace(fabricate.a_record(), run={**fabricate.a_record().run, "model": "$x_{"}),
            fabricate.a_record("unet"),
        ],
    ],
    ids=["one patient", "all missed", "all equal", "no cost", "no history", "no bins", "odd name"],
)
def test_odd_studies_draw_what_they_can(tmp_path, records):
    comparison = compared(tmp_path, records)
    with style.settings():
        for plot in draw.of_table(comparison, comparison.tables[0]):
            ElementTree.fromstring(draw.svg(plot, text="none"))


def test_undefined_scores_draw(tmp_path):
    one = fabricate.a_record("unet", [0.6, 0.8, 0.7])
    one.patients[0]["regions"]["lgg"] = fabricate.row(0.0, volume=0)
    comparison = compared(tmp_path, [one], policy="exclude")
    with style.settings():
        assert quality.patients(comparison.tables[0])
        assert quality.volume(comparison.tables[0])


def test_the_pareto_front_by_hand():
    cost, gain = [4, 1, 2, 3, 2], [0.9, 0.5, 0.7, 0.6, 0.7]
    assert frontier.pareto(cost, gain) == [1, 2, 0]
    assert frontier.pareto([1], [0.3]) == [0]


def test_bubbles_grow_with_parameters(study):
    measured = next(iter(study.costs.values()))
    figure = frontier.frontier(study.tables[0], measured)
    areas = [bubble.get_sizes()[0] for bubble in figure.axes[0].collections]
    params = np.array([measured[name].params for name in study.tables[0].models])
    assert areas[: len(params)] == pytest.approx(frontier.LARGEST * params / params.max())


def test_the_significance_matrix_says_what_the_contrasts_say(study):
    table = study.tables[0]
    texts = [text.get_text() for text in verdicts.significance(table).axes[0].texts]
    size = len(table.models)
    assert len(texts) == size * (size - 1)
    unsure = sum(not pair.distinguishable for pair in table.contrasts.values())
    assert texts.count("~") == unsure


def test_calibration_adds_runs_up_by_voxels(tmp_path):
    def bins(frequency, count):
        return {"ece": 0.1, "bins": [{"confidence": 0.5, "frequency": frequency, "count": count}]}

    records = [
        fabricate.a_record("unet", seed=0, calibration={"lgg": bins(0.2, 100)}),
        fabricate.a_record("unet", seed=1, calibration={"lgg": bins(0.8, 300)}),
    ]
    figure = training_curves.calibration(compared(tmp_path, records).tables[0])
    curve = figure.axes[0].lines[1]
    assert curve.get_ydata() == pytest.approx([(0.2 * 100 + 0.8 * 300) / 400])


def test_volumes_are_millilitres(tmp_path):
    one = fabricate.a_record("unet", [0.8])
    one.patients[0]["regions"]["lgg"] |= {"voxel_volume_mm3": 2.0}
    assert quality.volumes(compared(tmp_path, [one]).tables[0]) == pytest.approx([8.0])


def test_the_same_patients_are_drawn_across_models(tmp_path):
    records = [fabricate.a_record(name) for name in ("unet", "sa_unet")]
    comparison = compared(tmp_path, records)
    table = comparison.tables[0]
    assert qualitative.grid(table) is None
    for path in record.read_all(tmp_path).records:
        for patient in ("TCGA_002", "TCGA_004" if "sa_unet" in path.name else "TCGA_001"):
            picture = result_paths.overlay_path(result_paths.run_folder(path), patient)
            picture.parent.mkdir(parents=True, exist_ok=True)
            imsave(picture, np.full((10, 30, 3), 0.5))
    axes = qualitative.grid(table).axes
    assert [panel.get_title() for panel in axes[:2]] == ["TCGA_002", "TCGA_001"]
    drawn = {model: len(axes[2 * row + 1].images) for row, model in enumerate(table.models)}
    assert drawn == {"unet": 1, "sa_unet": 0}


def test_names_do_not_lie_on_each_other():
    figure, axes = style.single()
    axes.set(xlim=(0, 10), ylim=(0, 10))
    point_labels.beside(axes, ["first", "second", "third"], [5, 5, 5.05], [5, 5.01, 5.02])
    figure.draw_without_rendering()
    boxes = [Text.get_window_extent(text) for text in axes.texts]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.padded(-1).overlaps(other.padded(-1))


def test_what_no_machine_changes_is_drawn_for_all(tmp_path):
    """Dice against GFLOPs shows a model that was timed on another machine, too."""
    here, there = (fabricate.a_record(model) for model in ("unet", "sa_unet"))
    there = replace(there, environment=there.environment | {"cpu": "another"})
    fabricate.archive([here, there], tmp_path)
    found = compare(tmp_path)
    kinds = [kind for kind in draw.KINDS if kind.name == "frontier"]
    (plot,) = draw.of_table(found, found.tables[0], kinds)
    drawn = [text.get_text() for text in plot.figure.axes[0].texts]
    assert {"unet", "sa_unet"} <= set(drawn)


def test_a_recalibrated_row_looks_like_its_model_but_hollow():
    looks = style.looks(["mod_r2au", "mod_r2au recalibrated", "mod_r2au:own_norms"])
    assert len({look.colour for look in looks.values()}) == 1
    assert [look.hollow for look in looks.values()] == [False, True, True]
