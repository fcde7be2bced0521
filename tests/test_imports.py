"""Who may know whom (docs/decisions, house rules), read off the source by its syntax trees."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("zoo", "data_pipeline", "benchmarks")
MODULES = {
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
    for package in PACKAGES
    for file in sorted((ROOT / package).rglob("*.py"))
}
EDGE = ("benchmarks.device", "benchmarks.fusion", "benchmarks.replicas")
READERS = ("record", "verify", "statistics", "compare", "report", "latex", "plots")


def imports(file: Path, top_level: bool = False) -> set[str]:
    """Every module that a file imports; with `top_level` only when the file itself is imported."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = set()
    for node in _at_top(tree) if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def imported_files(file: Path) -> set[str]:
    """Every module of ours that importing a file runs, `from package import name` seen through."""
    found = set()
    for node in _at_top(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inner & set(MODULES)
            found |= {node.module} if inner - set(MODULES) else set()
    return found & set(MODULES)


def _at_top(tree: ast.AST):
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from _at_top(node)


def packages(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize(
    ("package", "strangers"),
    [("zoo", {"data_pipeline", "benchmarks"}), ("data_pipeline", {"zoo", "benchmarks", "keras"})],
)
def test_the_zoo_and_the_pipeline_know_nobody(package, strangers):
    for module, file in MODULES.items():
        if module.split(".")[0] == package:
            assert not packages(imports(file)) & strangers, module


def test_tensorflow_stands_at_the_edge_only():
    for module, file in MODULES.items():
        if not module.startswith("data_pipeline") and module not in EDGE:
            assert "tensorflow" not in packages(imports(file)), module


def test_the_data_pipeline_opens_without_tensorflow():
    for module, file in MODULES.items():
        if module.startswith("data_pipeline"):
            assert "tensorflow" not in packages(imports(file, top_level=True)), module


def test_architectures_never_import_one_another():
    for module, file in MODULES.items():
        if module.startswith("zoo.architectures."):
            foreign = {n for n in imports(file) if n.startswith("zoo.architectures")}
            assert not foreign, module


def test_readers_of_records_know_no_keras_and_no_tensorflow():
    for module, file in MODULES.items():
        parts = module.split(".")
        if parts[0] == "benchmarks" and len(parts) > 1 and parts[1] in READERS:
            assert not packages(imports(file)) & {"keras", "tensorflow"}, module


def test_commands_import_nothing_heavy_until_they_run():
    heavy = {"keras", "tensorflow", "pandas", "matplotlib", "scipy", "cv2", "nibabel", "rich"}
    for module, file in MODULES.items():
        if module.startswith("benchmarks.commands") or module == "benchmarks.__main__":
            assert not packages(imports(file, top_level=True)) & heavy, module


def test_no_circles():
    """Follow imports at the top of files; a circle would be a module that reaches itself."""
    graph = {module: imported_files(file) for module, file in MODULES.items()}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path, module))
        if module not in done:
            for name in graph[module]:
                visit(name, (*path, module))
            done.add(module)

    for module in graph:
        visit(module, ())
