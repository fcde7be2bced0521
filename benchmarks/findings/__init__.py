"""Questions about comparisons themselves, which only records of equal form can answer.

Each is a module: `SUMMARY` the question, `MODELS` who is asked, `conditions(base)` under what
they train, `rows(runs)` what the records say, `figure(rows)` how it looks. `gliozoo finding` trains
what is missing, and writes both; docs/findings says in words what they mean. A question that asks
the networks themselves has `ask(pattern, runs)`, whose answer `rows` takes instead of the records;
what numbers don't show is drawn from that answer, by `picture(answer)` in the place of `figure`.
"""

NAMES = (
    "leakage",
    "sensitivity",
    "recipes",
    "recurrence",
    "coverage",
    "budget",
    "width",
    "sequences",
    "counting",
    "dimensions",
    "cases",
)
