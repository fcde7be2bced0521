"""The page of `make perf-options`: each option beside the same round's plain step."""

import step_options


def test_ratios_run_from_the_smallest_round_to_the_largest():
    rounds = [
        dict.fromkeys(step_options.OPTIONS, plain * times) | {step_options.PLAIN: plain}
        for plain, times in ((1.0, 0.9), (2.0, 1.5), (5.0, 1.1))
    ]
    machine = {"cpu": "x", "cores": 2, "load": 0.1}
    lines = step_options.table({"unet": {"rounds": rounds, "machine": machine}}).splitlines()
    assert lines[-1] == "`unet`: 3 rounds, x, 2 cores, quiet."
    rows = [line for line in lines[2:] if line.startswith("|")]
    assert len(rows) == len(step_options.OPTIONS)
    assert {line.split("|")[2].strip() for line in rows} == {"0.90 to 1.50"}


def test_words_choose_options_and_what_was_not_measured_has_no_ratio():
    asked = step_options.having("remapper,wait for")
    assert asked == ["the graph's remapper off", "operations wait for one another"]
    assert step_options.having("") == [*step_options.OPTIONS]
    assert step_options.having("nothing has this") == []
    rounds = [{step_options.PLAIN: 2.0, asked[0]: 1.0}]
    assert step_options.ratios(rounds, asked[0]) == "0.50"
    assert step_options.ratios(rounds, asked[1]) == "–"
