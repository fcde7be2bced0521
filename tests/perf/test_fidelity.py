"""docs/fidelity.md is what `make fidelity` measured, of all that there is; without torch."""

import json
import re

import fidelity
import pages
import pytest

import zoo

TOLD = json.loads(fidelity.JSON.read_text(encoding="utf-8"))


def test_the_page_has_the_table_of_the_figures():
    assert pages.table_of(fidelity.PAGE, fidelity.COMMAND) == fidelity.table(TOLD)


def test_every_form_of_every_architecture_is_measured():
    assert list(TOLD) == zoo.names()
    forms = fidelity.forms()
    tried = {fidelity.named(form) for form in forms}
    assert {form for one in TOLD.values() for form in one["forms"]} == tried
    for name in zoo.names():
        default = [shape for other, shape, _, variant in forms if (other, variant) == (name, None)]
        assert {len(shape) - 1 for shape in default} == set(zoo.card(name).ranks)


@pytest.mark.parametrize("name", zoo.names())
def test_the_counts_are_the_cards_and_every_form_is_near(name):
    one = TOLD[name]
    assert one["params"] == zoo.card(name).reference().params
    assert one["params_of_form"] == one["params_with_settings"]
    if not one["settings"]:
        assert one["params_with_settings"] == one["params"]
    for each in one["forms"].values():
        assert max(each["float64"].values()) < 1e-4


@pytest.mark.parametrize(
    ("part", "apart"), [("inference", {"hnoseg_xs"}), ("training", {"hnoseg_xs", "cmunext"})]
)
def test_answers_in_float32_are_as_the_page_tells(part, apart):
    largest = {
        name: max(each["float32"][part] for each in one["forms"].values() if "float32" in each)
        for name, one in TOLD.items()
    }
    assert {name for name, value in largest.items() if value >= 1e-4} == apart


def test_gradients_in_float32_are_as_near_as_rounding_leaves_the_form_to_itself():
    apart = {
        form: one["float32"]["gradients"] / one["float32"][fidelity.OWN]
        for each in TOLD.values()
        for form, one in each["forms"].items()
        if "float32" in one and one["float32"]["gradients"] >= 1e-4
    }
    further = {form for form, times in apart.items() if times > 7}
    assert further == {"swin_unetr-default-3d", "cmunext-default-3d", "hnoseg_xs-default-2d"}
    assert (len(apart), len(further)) == (14, 3)
    told = fidelity.PAGE.read_text()
    assert round(apart["cmunext-default-3d"]) == int(re.search(r"3D \((\d+) times\)", told)[1])
    assert round(apart["hnoseg_xs-default-2d"]) == int(re.search(r"2D \((\d+) times\)", told)[1])
