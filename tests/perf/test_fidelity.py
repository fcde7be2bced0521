"""docs/fidelity.md is what `make fidelity` measured, of all that there is; without torch."""

import json
import re

import fidelity
import pytest

import zoo

TOLD = json.loads(fidelity.JSON.read_text(encoding="utf-8"))


def test_the_page_has_the_table_of_the_figures():
    page = fidelity.PAGE.read_text(encoding="utf-8")
    assert page.split(fidelity.BEGIN)[1].split(fidelity.END)[0] == fidelity.table(TOLD)


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
    times = float(re.search(r"than ([\d.]+)\s+times that", fidelity.PAGE.read_text())[1])
    ratios = [
        one["gradients"] / one[fidelity.OWN]
        for forms in (each["forms"].values() for each in TOLD.values())
        for one in (form["float32"] for form in forms if "float32" in form)
        if one["gradients"] >= 1e-4
    ]
    assert len(ratios) > 5
    assert max(ratios) <= times <= 1.1 * max(ratios)
