"""docs/perf/zoo.md is what `make perf-zoo` measured, and says what is outstanding."""

import json
import re

import pages
import pytest
import zoo_costs

import zoo

TOLD = json.loads(zoo_costs.JSON.read_text(encoding="utf-8"))


def test_the_page_has_the_table_of_the_figures():
    assert pages.table_of(zoo_costs.PAGE, zoo_costs.COMMAND) == zoo_costs.table(TOLD)


def test_every_architecture_is_measured_at_its_cards_shape_and_has_learned():
    told = zoo_costs.PAGE.read_text(encoding="utf-8").split(pages.END)[1]
    outstanding = set(re.findall(r"`(\w+)`", re.search(r"outstanding: (.+?)\.", told)[1]))
    assert set(TOLD["costs"]) == set(zoo.names()) - outstanding
    assert set(TOLD["quick"]) == set(zoo.names())
    for name, one in TOLD["costs"].items():
        card = zoo.card(name)
        assert tuple(one["input_shape"]) == card.input_shape
        assert one["params"] == card.reference().params
        assert one["gflops"] == pytest.approx(card.reference().gflops, rel=0.005)
        assert 0 < one["mfu"] < 1
