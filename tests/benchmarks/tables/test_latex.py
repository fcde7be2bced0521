"""The LaTeX table: escaped, aligned, best in bold."""

import re

import fabricate
import pytest

from benchmarks.comparison.compare import compare
from benchmarks.tables import latex


def table_of(tmp_path, records):
    fabricate.archive(records, tmp_path)
    return latex.to_latex(compare(tmp_path))


def test_the_best_of_each_column_is_bold(tmp_path):
    records = [fabricate.a_record("unet", [0.9] * 6), fabricate.a_record("sa_unet", [0.7] * 6)]
    lines = [line for line in table_of(tmp_path, records).splitlines() if line.endswith(r"\\")]
    head, best, worst = lines
    assert best.count(r"\textbf") == 5  # lower HD95 is better, and is the same model's
    assert worst.count(r"\textbf") == 0
    assert r"sa\_unet" in worst
    assert len({line.count(" & ") for line in (head, best, worst)}) == 1


@pytest.mark.parametrize("rule", [r"\toprule", r"\midrule", r"\bottomrule", r"\begin{tabular}"])
def test_it_is_a_booktabs_table(tmp_path, rule):
    assert rule in table_of(tmp_path, [fabricate.a_record("unet")])


def test_every_special_character_is_text():
    escaped = latex.escape(r"\input{x} $a_b^c$ 50% & #1 ~ <s> | " + '"q"')
    left = re.sub(r"\\(text[a-z]+\{\}|[{}$&#%_])", "", escaped)
    assert not set(left) & set('\\{}$&#%_^~<>|"')


def test_hostile_names_are_text(tmp_path):
    run = {"model": r"\input{/etc/passwd}", "variant": "%", "protocol": "a&b", "seed": 0, "fold": 0}
    text = table_of(tmp_path, [fabricate.a_record(run=run)])
    assert r"\input{" not in text
    assert r"\textbackslash{}input\{/etc/passwd\}:\%" in text
    assert r"a\&b" in text


def test_what_cannot_be_told_apart_is_marked(tmp_path):
    records = [fabricate.a_record("unet"), fabricate.a_record("sa_unet")]
    assert r"$\sim$ $+0.000$" in table_of(tmp_path, records)
