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
