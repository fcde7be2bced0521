"""The walls of the house: who may import whom, read off the source by its syntax trees."""

from pathlib import Path

import pytest
from import_graph import Import, Modules, circle, modules_of, read

ROOT = Path(__file__).parent.parent

# From the ground up: each room, and the rooms below it that it may import. A room is a folder, or a
# module that stands beside the folders; `zoo` and `data_pipeline` alone are their front doors.
ROOMS = {
    "zoo": {
        "card": "",
        "errors": "",
        "blocks": "errors",
        "outside": "card errors",
        "registry": "card errors outside",
        "presets": "errors registry",
        "architectures": "blocks card",
        "building": "card errors outside registry",
        "supervision": "blocks errors",
        "weights_files": "building errors outside registry",
        "weights": "building errors registry weights_files",
        "creating": "building errors presets weights",
        "zoo": "card creating errors registry",
    },
    "data_pipeline": {
        "errors": "",
        "grid": "",
        "identity": "",
        "plain": "",
        "data_pipeline": "errors",
        "files": "errors",
        "formats": "errors files",
        "phantom": "errors files",
        "storing": "errors files grid",
        "augmenting": "errors plain storing",
        "cases": "errors files formats",
        "sources": "cases errors files formats phantom",
        "spec": "augmenting errors grid plain sources",
        "checking": "cases errors files formats phantom sources",
        "feeding": "augmenting errors files grid spec storing",
        "preparing": "cases checking errors files grid plain spec storing",
        "splitting": "cases checking errors files",
        "origin": "checking errors files identity phantom preparing sources spec splitting storing",
        "scans": "cases errors feeding files formats grid preparing sources storing",
        "data": "errors feeding scans spec splitting storing",
        "loading": "data feeding origin preparing spec splitting storing",
    },
    "benchmarks": {
        "terminal": "",
        "starters": "",
        "errors": "data_pipeline.errors zoo.errors",
        "__main__": "errors terminal",
        "scoring": "errors",
        "metrics": "scoring",
        "commands.data": (
            "data_pipeline.checking data_pipeline.files data_pipeline.grid data_pipeline.phantom "
            "data_pipeline.preparing data_pipeline.sources data_pipeline.splitting "
            "data_pipeline.storing errors terminal"
        ),
        "protocols": (
            "data_pipeline data_pipeline.augmenting data_pipeline.plain errors scoring zoo "
            "zoo.registry"
        ),
        "backends": "data_pipeline.feeding errors protocols",
        "inference": "protocols",
        "protocols.shipped": "data_pipeline data_pipeline.augmenting errors protocols zoo",
        "records": (
            "data_pipeline.files data_pipeline.sources data_pipeline.splitting errors "
            "protocols scoring"
        ),
        "comparison.reading": "errors records scoring",
        "machine": "backends errors",
        "doctor": "backends data_pipeline.files errors machine zoo.presets",
        "training": (
            "backends data_pipeline data_pipeline.feeding errors inference protocols records "
            "scoring zoo.registry zoo.supervision zoo.weights_files"
        ),
        "comparison.judging": "comparison.reading scoring",
        "cost": "backends errors machine training zoo zoo.blocks",
        "contract": ("backends data_pipeline errors machine training zoo zoo.registry zoo.weights"),
        "predicting": (
            "data_pipeline data_pipeline.cases data_pipeline.checking data_pipeline.feeding "
            "data_pipeline.files data_pipeline.grid data_pipeline.phantom data_pipeline.preparing "
            "data_pipeline.scans data_pipeline.sources data_pipeline.storing errors protocols "
            "records terminal training zoo.building zoo.presets zoo.weights"
        ),
        "ensembles": "errors inference predicting training zoo.weights",
        "exporting": (
            "backends data_pipeline.cases data_pipeline.scans ensembles errors machine predicting "
            "zoo.weights"
        ),
        "runtimes": (
            "backends comparison.reading cost data_pipeline ensembles errors exporting inference "
            "machine predicting records terminal training zoo.weights"
        ),
        "external": (
            "data_pipeline data_pipeline.cases data_pipeline.feeding data_pipeline.grid "
            "data_pipeline.origin data_pipeline.preparing data_pipeline.scans "
            "data_pipeline.sources data_pipeline.splitting data_pipeline.storing ensembles errors "
            "predicting protocols records scoring training zoo zoo.weights"
        ),
        "comparison": "comparison.judging comparison.reading errors records scoring",
        "releasing": (
            "backends comparison.judging comparison.reading data_pipeline data_pipeline.origin "
            "data_pipeline.phantom data_pipeline.scans ensembles errors external inference "
            "predicting records scoring training zoo.presets zoo.weights"
        ),
        "flops": "cost",
        "running": (
            "backends cost data_pipeline data_pipeline.data data_pipeline.files "
            "data_pipeline.identity "
            "data_pipeline.origin data_pipeline.preparing data_pipeline.spec errors "
            "inference machine predicting protocols records terminal training zoo "
            "zoo.registry zoo.weights"
        ),
        "sweep.engines": "data_pipeline.origin errors machine records running training",
        "tables": "comparison comparison.judging comparison.reading records scoring",
        "tracking": "machine records running zoo.registry",
        "plots": "comparison comparison.judging comparison.reading records tables zoo",
        "sweep": "errors protocols records running sweep.engines tables terminal training",
        "plots.of_findings": "plots",
        "findings.evidence": (
            "comparison.judging comparison.reading data_pipeline data_pipeline.feeding errors "
            "inference plots predicting protocols records running scoring sweep terminal training "
            "zoo.weights"
        ),
        "findings": (
            "backends comparison.judging comparison.reading errors findings.evidence plots "
            "plots.of_findings protocols records running"
        ),
        "gpu": (
            "backends cost data_pipeline.origin data_pipeline.preparing data_pipeline.storing "
            "errors inference machine protocols records running sweep terminal training zoo "
            "zoo.weights"
        ),
        "report": "comparison comparison.judging comparison.reading plots records tables",
        "viewing": (
            "data_pipeline.cases data_pipeline.files data_pipeline.formats data_pipeline.scans "
            "errors predicting records report scoring tables"
        ),
        "commands": (
            "__main__ backends comparison comparison.reading contract cost data_pipeline.scans "
            "doctor ensembles errors exporting external findings findings.evidence machine plots "
            "predicting protocols records releasing report running runtimes starters sweep "
            "sweep.engines tables terminal tracking viewing zoo zoo.card zoo.outside zoo.presets "
            "zoo.registry zoo.weights"
        ),
        "python": (
            "backends data_pipeline.cases data_pipeline.files data_pipeline.scans ensembles "
            "errors external machine predicting records running scoring"
        ),
        "benchmarks": "",
    },
}
MOST = 12  # modules in a room that one still takes in at a glance
LARGER = {
    "zoo.architectures": "one file, one paper: the folder is the registry",
    "zoo.blocks": "one idea a file, and twenty papers have many",
    "benchmarks.protocols.shipped": "one file, one protocol: the folder is the registry",
    "benchmarks.commands": "one file, one command: the folder is the registry",
}
# Packages that stand in these rooms alone; and rooms that open in a second, because they have none.
EDGES = {
    "tensorflow": ("data_pipeline.feeding", "benchmarks.backends"),
    "keras": ("zoo", "benchmarks"),
}
READERS = ("records", "comparison", "tables", "plots", "report", "scoring", "terminal")
HEAVY = {"keras", "tensorflow", "pandas", "matplotlib", "scipy", "cv2", "nibabel", "rich"}


def room_of(module: str, packages: set[str]) -> str:
    """Name the room of a module: its folder, or itself where it stands beside the folders."""
    folder = module if module in packages else module.rpartition(".")[0]
    return module if folder in ROOMS else folder


def allowed() -> dict[str, list[str]]:
    """Return the table with whole names, in its order."""
    return {
        _whole(room, package): [_whole(other, package) for other in others.split()]
        for package, rooms in ROOMS.items()
        for room, others in rooms.items()
    }


def _whole(room: str, package: str) -> str:
    return room if room.split(".")[0] in ROOMS else f"{package}.{room}"


def floors() -> dict[str, int]:
    """Number the rooms' floors: each stands above all that it may import."""
    found: dict[str, int] = {}
    for room, others in allowed().items():
        found[room] = 1 + max((found[other] for other in others), default=0)
    return found


def wrong_imports(modules: Modules, packages: set[str]) -> list[str]:
    """Say of each import that the table doesn't allow which floors it joins."""
    table, floor = allowed(), floors()
    said = []
    for module, names in modules.items():
        room = room_of(module, packages)
        for other in sorted(modules_of(names, modules)):
            goal = room_of(other, packages)
            if goal not in (room, *table[room]):
                said.append(
                    f"{module} imports {other}: {room} (floor {floor[room]}) may import "
                    f"{', '.join(table[room]) or 'nothing of ours'}, and {goal} stands on floor "
                    f"{floor[goal]}."
                )
    return said


@pytest.fixture(scope="module")
def modules() -> dict[str, list[Import]]:
    return read(ROOT, tuple(ROOMS))


@pytest.fixture(scope="module")
def packages() -> set[str]:
    return {
        ".".join(file.parent.relative_to(ROOT).parts)
        for package in ROOMS
        for file in (ROOT / package).rglob("__init__.py")
    }


def test_the_table_goes_from_the_ground_up_and_names_every_room(modules, packages):
    seen: set[str] = set()
    for room, others in allowed().items():
        assert not set(others) - seen, f"{room} may import {set(others) - seen}, which is not below"
        seen.add(room)
    rooms = {room_of(module, packages) for module in modules}
    assert rooms == seen, "rooms of the tree on the left, rooms of the table on the right"


def test_every_import_goes_down_to_a_room_that_the_table_allows(modules, packages):
    assert not wrong_imports(modules, packages)


def test_the_table_allows_nothing_that_nobody_needs(modules, packages):
    used: dict[str, set[str]] = {room: set() for room in allowed()}
    for module, names in modules.items():
        used[room_of(module, packages)] |= {
            room_of(other, packages) for other in modules_of(names, modules)
        }
    assert not {room: idle for room, may in allowed().items() if (idle := set(may) - used[room])}


def test_a_wrong_import_is_said_with_its_floors(modules, packages):
    made_up = {**modules, "benchmarks.tables.cells": [Import("benchmarks.training.train", False)]}
    (said,) = wrong_imports(made_up, packages)
    floor = floors()
    assert said.startswith("benchmarks.tables.cells imports benchmarks.training.train: ")
    assert f"benchmarks.tables (floor {floor['benchmarks.tables']}) may import" in said
    assert said.endswith(f"training stands on floor {floor['benchmarks.training']}.")


def test_no_circles_of_modules(modules):
    graph = {name: modules_of(found, modules) - {name} for name, found in modules.items()}
    assert not circle(graph)
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


def test_no_room_is_too_full_without_a_reason(modules, packages):
    count: dict[str, int] = {}
    for module in modules.keys() - packages:
        count[room_of(module, packages)] = count.get(room_of(module, packages), 0) + 1
    assert not {room: n for room, n in count.items() if n > MOST and room not in LARGER}


def test_backends_stay_at_the_edge(modules, packages):
    for module, names in modules.items():
        for package, rooms in EDGES.items():
            if package in {each.name.split(".")[0] for each in names}:
                room = room_of(module, packages)
                assert room.startswith(rooms), f"{module} imports {package}: not in {room}"


def test_the_data_pipeline_opens_without_tensorflow(modules):
    for module, names in modules.items():
        at_once = {each.name.split(".")[0] for each in names if each.at_once}
        assert not (module.startswith("data_pipeline") and "tensorflow" in at_once), module


def test_readers_of_records_know_no_keras(modules):
    rooms = tuple(f"benchmarks.{room}" for room in READERS)
    for module, names in modules.items():
        known = {each.name.split(".")[0] for each in names} & {"keras", "tensorflow"}
        assert not (module.startswith(rooms) and known), module


def test_architectures_never_import_one_another(modules):
    for module, names in modules.items():
        if module.startswith("zoo.architectures."):
            assert not {each.name for each in names if "zoo.architectures" in each.name}, module


def test_commands_import_nothing_heavy_until_they_run(modules):
    for module, names in modules.items():
        if module.startswith("benchmarks.commands") or module == "benchmarks.__main__":
            at_once = {each.name.split(".")[0] for each in names if each.at_once}
            assert not at_once & HEAVY, module
