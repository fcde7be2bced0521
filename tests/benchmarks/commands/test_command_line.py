"""The command line as a user types it."""

import argparse
import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pages
import pytest

import zoo
from benchmarks.__main__ import COMMANDS, main, parser_for
from benchmarks.machine import child_process
from zoo.card import FAMILIES

OPTION = re.compile(r"(?<![\w-])--[a-z]+(?:-[a-z]+)*(?![\w(])")


def test_list_imports_no_keras():
    code = (
        "import sys; from benchmarks.__main__ import main; assert main(['list', '--json']) == 0;"
        "assert not {'keras', 'tensorflow', 'numpy', 'pandas'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert set(rows) == set(zoo.names())
    assert rows["mod_r2au"]["params"] == 21_271_317
    assert rows["sa_unet"]["claims"][0]["leaks"] is True


def test_list_and_describe_fit_a_narrow_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("mod_r2au") and "21.27 M" in line for line in lines)
    assert main(["describe", "mod_r2au"]) == 0
    text = capsys.readouterr().out
    assert "21,271,317 parameters" in text
    assert "Known flaws of the source" in text


def listed(capsys, *options):
    assert main(["list", "--json", *options]) == 0
    return {row["name"]: row for row in json.loads(capsys.readouterr().out)}


def test_a_list_is_filtered_by_rank_size_and_claims(capsys):
    volumes, small = listed(capsys, "--rank", "3"), listed(capsys, "--params-below", "1.2M")
    assert "unet3d" in volumes
    assert "deeplabv3plus" not in volumes
    assert {"sa_unet", "hnoseg_xs"} <= set(small)
    assert all(row["params"] < 1.2e6 for row in small.values())
    assert set(listed(capsys, "--params-below", "30k")) == {"hnoseg_xs"}
    claimed = listed(capsys, "--claims")
    assert "sa_unet" in claimed
    assert "unet" not in claimed
    assert listed(capsys, "--rank", "2", "--params-below", "10") == {}
    assert main(["list", "--params-below", "5x"]) == 2
    assert "such as 5M or 300k. Received: 5x" in capsys.readouterr().err


def test_a_list_goes_by_family_and_every_family_has_its_place(capsys):
    families = [row["family"] for row in listed(capsys).values()]
    assert families == sorted(families, key=FAMILIES.index)
    assert main(["list", "--rank", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines.index("U-Nets") < lines.index("transformers")
    assert "ImageNet encoders" not in lines


def test_the_table_in_readme_is_that_of_the_cards(capsys):
    assert main(["list", "--markdown"]) == 0
    table = pages.table_of(Path(__file__).parents[3] / "README.md", "gliozoo list --markdown")
    assert table == capsys.readouterr().out


def test_describe_tells_a_recipe_in_its_authors_units_and_what_differs(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["describe", "sa_unet"]) == 0
    told = capsys.readouterr().out
    assert "loss dice (smooth 100.0, pool batch)" in told
    assert "rotation 0.25, shift 0.05, shear 0.05, zoom 0.05, flip 0.5 (as Keras'" in told
    assert "made for 256x256; the best epoch by val_loss" in told
    assert "What it still does otherwise" in told


def test_describe_as_json_narrows_to_a_variant(capsys):
    assert main(["describe", "sa_unet", "--variant", "original", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert [reference["params"] for reference in facts["references"]] == [538_707]
    assert list(facts["variants"]) == ["original"]


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["describe", "sa_unt"], "Did you mean 'sa_unet'?"),
        (["describe", "sa_unet", "--variant", "orginal"], "Did you mean 'original'?"),
    ],
)
def test_mistakes_exit_with_2_and_one_line(argv, sentence, capsys):
    assert main(argv) == 2
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert captured.err.count("\n") == 1
    assert not captured.out


@pytest.mark.parametrize("argv", [[], ["lst"], ["list", "--jsn"]])
def test_unknown_words_exit_with_2(argv, capsys):
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert "usage: gliozoo" in capsys.readouterr().out


def options(parser):
    """Name every option of a parser and of those below it."""
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from options(below)


def leaves(parser):
    """Give the parsers of commands that have no subcommands, each with what options are above."""
    below = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not below:
        yield parser
    for action in below:
        for one in action.choices.values():
            yield from leaves(one)


def test_every_command_answers_as_json():
    for parser in leaves(parser_for(*COMMANDS)):
        if parser.prog == "gliozoo completion":  # prints a script
            continue
        assert "--json" in set(options(parser)), parser.prog


@pytest.mark.parametrize(
    ("argv", "keys"),
    [
        (["protocol", "show", "lgg2d_lite"], {"name", "digest", "train"}),
        (["data", "phantom", "{}/phantoms", "--patients", "1", "--size", "32"], {"path"}),
        (["new", "metric", "{}/mine.py"], {"path", "next"}),
        (["report", "--results", "{}"], {"path", "scans"}),
        (["weights", "show", "res_attention_unet.lgg"], {"name", "files"}),
        (["weights", "fetch", "res_attention_unet.lgg"], {"res_attention_unet.lgg"}),
    ],
)
def test_a_json_document_is_all_that_is_on_standard_output(argv, keys, tmp_path, capsys):
    assert main([word.format(tmp_path) for word in [*argv, "--json"]]) == 0
    assert keys <= set(json.loads(capsys.readouterr().out))


def sentences(source):
    """Find the texts of a file that are made of words: messages, and help; no bare arguments."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.value


def test_every_option_that_a_sentence_names_is_there():
    known = {option for command in COMMANDS for option in options(parser_for(command))}
    known |= {"--machine", "--python", "--rehearse", "--lgg", "--dry-run"}  # of benchmarks.gpu
    known |= {"--logdir"}  # of TensorBoard
    for package in ("zoo", "data_pipeline", "benchmarks"):
        for path in (child_process.ROOT / package).rglob("*.py"):
            if path.name == "figures.py":
                continue  # colours, which CSS calls so
            for sentence in sentences(path.read_text()):
                assert set(OPTION.findall(sentence)) <= known, f"{path.name}: {sentence}"
