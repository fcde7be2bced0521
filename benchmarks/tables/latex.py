r"""leaderboard.tex: one booktabs table for each table, ready for `\input`."""

from benchmarks.comparison.compare import Comparison
from benchmarks.comparison.judging.estimates import Estimate
from benchmarks.comparison.judging.table import Table
from benchmarks.scoring.policies import LOWER_IS_BETTER
from benchmarks.tables import cells

SHOWN = ("dice", "iou", "precision", "sensitivity", "hd95")

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}",
    "†": r"$^{\dagger}$",
    "–": "--",
    "−": "$-$",
}


def escape(name: object) -> str:
    """Return a name as LaTeX prints it; characters that LaTeX may lack become a question mark."""
    text = cells.printable(name)
    return "".join(_SPECIAL.get(char, char if ord(char) < 0x250 else "?") for char in text)


def to_latex(comparison: Comparison) -> str:
    """Print the tables; the best value of a column is bold."""
    head = "% Needs \\usepackage{booktabs} and \\usepackage{textcomp}; made by gliozoo compare.\n"
    head += "".join(f"% Left out: {escape(line)}\n" for line in comparison.omissions())
    return head + "\n".join(
        _table(comparison, table, place) for place, table in enumerate(comparison.tables, 1)
    )


def _table(comparison: Comparison, table: Table, place: int) -> str:
    metrics = [name for name in SHOWN if name in table.metrics]
    heads = [_heading(name, table.in_mm) for name in metrics]
    rows = [_row(comparison, table, model, metrics) for model in table.models]
    body = "\n".join(rf"    {' & '.join(row)} \\" for row in rows)
    return rf"""\begin{{table}}[t]
  \centering
  \caption{{{_caption(comparison, table)}}}
  \label{{tab:gliozoo-{place}}}
  \begin{{tabular}}{{rl{"c" * len(metrics)}crr}}
    \toprule
    Rank & Model & {" & ".join(heads)} & {_versus(comparison)} & Params (M) & GMACs \\
    \midrule
{body}
    \bottomrule
  \end{{tabular}}
\end{{table}}
"""


def _heading(metric: str, in_mm: bool) -> str:
    arrow = r"$\downarrow$" if metric in LOWER_IS_BETTER else r"$\uparrow$"
    return f"{cells.label(metric, in_mm)} {arrow}"


def _versus(comparison: Comparison) -> str:
    return rf"$\Delta$Dice, {escape(comparison.baseline)}"


def _caption(comparison: Comparison, table: Table) -> str:
    terms = table.terms
    leaky = " The split shares patients between training and test." if terms.leaky else ""
    return (
        f"Protocol {escape(terms.protocol)} (digest {escape(terms.protocol_digest[:8])}), "
        f"{len(table.patients)} test patients, policy `{escape(table.policy)}' for empty masks: "
        r"mean over patients with its 95\,\% bootstrap interval; best in bold. "
        r"$\sim$: not distinguishable from the baseline (interval, or Holm-adjusted tests "
        r"over patients and seeds)."
        f"{leaky}"
    )


def _row(comparison: Comparison, table: Table, model: str, metrics: list[str]) -> list[str]:
    cost = comparison.cost(model, comparison.setting(table))
    params = cost.params / 1e6 if cost and cost.params is not None else None
    return [
        cells.rank(table.standings[model]).replace("–", "--"),
        escape(model),
        *(_estimate(table, model, metric) for metric in metrics),
        _difference(comparison, table, model),
        cells.short(params).replace("–", "--"),
        cells.short(cost.gmacs if cost else None).replace("–", "--"),
    ]


def _estimate(table: Table, model: str, metric: str) -> str:
    found = table.estimates.get((model, table.regions[0], metric))
    if found is None:
        return "--"
    places = cells.decimals(metric)
    mean = cells.number(found.mean, places)
    if mean == cells.number(_best(table, metric), places):
        mean = rf"\textbf{{{mean}}}"
    return f"{mean}{_interval(found, places)}"


def _interval(found: Estimate, places: int) -> str:
    if found.ci_lower != found.ci_lower:
        return ""
    lower, upper = cells.number(found.ci_lower, places), cells.number(found.ci_upper, places)
    return rf" {{\footnotesize [{lower}, {upper}]}}"


def _best(table: Table, metric: str) -> float:
    means = [
        found.mean
        for model in table.models
        if (found := table.estimates.get((model, table.regions[0], metric)))
    ]
    return min(means) if metric in LOWER_IS_BETTER else max(means)


def _difference(comparison: Comparison, table: Table, model: str) -> str:
    found = table.against(model, comparison.baseline)
    if found is None:
        return "--"
    value = f"${found.difference:+.3f}$"
    return value if found.distinguishable else rf"$\sim$ {value}"
