"""What users install: built as they get it, with all that runs and nothing that does not."""

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("zoo", "data_pipeline", "benchmarks")
NEEDED = ("setup.cfg", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")
TOLD = ("CITATION.cff", "CHANGELOG.md", "locked.txt")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build both from a copy, so that nothing is left in the checkout."""
    copy = tmp_path_factory.mktemp("source")
    for name in (*NEEDED, *TOLD):
        shutil.copy(ROOT / name, copy)
    for name in (*PACKAGES, "tests", "results"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "build", "--no-isolation", "--quiet", str(copy)]
    subprocess.run(command, check=True, capture_output=True)
    return copy / "dist"


@pytest.mark.thorough
def test_both_are_as_an_index_wants_them(built):
    files = [str(file) for file in sorted(built.iterdir())]
    assert [file.rpartition(".")[2] for file in files] == ["whl", "gz"]
    command = [sys.executable, "-m", "twine", "check", "--strict", *files]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_the_wheel_holds_all_that_runs_and_no_more(built):
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read(next(name for name in names if name.endswith("/METADATA"))).decode()
    tops = {name.partition("/")[0] for name in names}
    assert tops == {*PACKAGES, next(name for name in tops if name.endswith(".dist-info"))}
    ours = {
        str(file.relative_to(ROOT))
        for package in PACKAGES
        for file in (ROOT / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert ours == {name for name in names if name.partition("/")[0] in PACKAGES}
    assert {f"{package}/py.typed" for package in PACKAGES} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "License-Expression: Apache-2.0" in metadata


def test_the_source_holds_neither_tests_nor_results(built):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()} - {""}
    tops = {name.partition("/")[0] for name in inside}
    assert {*PACKAGES, *NEEDED, *TOLD} <= tops
    assert tops <= {*PACKAGES, *NEEDED, *TOLD, "PKG-INFO", "gliozoo.egg-info"}


def test_the_citation_is_one(tmp_path):
    schema = ["--builtin-schema", "vendor.citation-file-format"]
    command = [sys.executable, "-m", "check_jsonschema", *schema, str(ROOT / "CITATION.cff")]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    version = re.search(r"^version = (.+)$", (ROOT / "setup.cfg").read_text(), re.MULTILINE)[1]
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text()


def test_locked_versions_hold_every_dependency_within_its_bounds():
    from configparser import ConfigParser

    from packaging.requirements import Requirement

    locked = dict(
        line.lower().replace("_", "-").split("==") for line in _lines(ROOT / "locked.txt")
    )
    told = ConfigParser()
    told.read(ROOT / "setup.cfg")
    wanted = told["options"]["install_requires"] + told["options.extras_require"]["dev"]
    for requirement in map(Requirement, filter(None, wanted.splitlines())):
        assert requirement.specifier.contains(locked[requirement.name.lower()]), requirement


def test_the_image_copies_what_there_is_and_lets_nothing_else_in():
    """No docker is needed: every path is there, and the list of what enters says the same."""
    copied = [
        word
        for line in _lines(ROOT / "Dockerfile")
        if line.startswith("COPY ")
        for word in line.split()[1:-1]
    ]
    assert all((ROOT / word).exists() for word in copied)
    entering = {line[1:] for line in _lines(ROOT / ".dockerignore") if line.startswith("!")}
    assert entering == set(copied)
    assert {*PACKAGES, "setup.cfg", "pyproject.toml"} <= set(copied)
    text = (ROOT / "Dockerfile").read_text()
    assert text.index("USER gliozoo") < text.index('ENTRYPOINT ["gliozoo"]')


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
