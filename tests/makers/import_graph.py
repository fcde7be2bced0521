"""What the source imports, read off its syntax trees without running any of it."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Import:
    """What a module imports, and whether it does so as soon as it is imported itself."""

    name: str
    at_once: bool


Modules = Mapping[str, list[Import]]


def read(root: Path, packages: tuple[str, ...]) -> dict[str, list[Import]]:
    """Return the imports of every module; a package's own are those of its `__init__.py`."""
    return {
        ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): list(
            imports(ast.parse(file.read_text(encoding="utf-8")))
        )
        for package in packages
        for file in sorted((root / package).rglob("*.py"))
    }


def imports(tree: ast.AST, at_once: bool = True) -> Iterator[Import]:
    """Find imports anywhere but under TYPE_CHECKING, where nothing is imported."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, at_once) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (Import(f"{node.module}.{alias.name}", at_once) for alias in node.names)
        yield from imports(node, at_once and not isinstance(node, ast.FunctionDef))


def modules_of(names: list[Import], modules: Modules) -> set[str]:
    """Return the modules of ours among imports: `package.module.name` is `package.module`."""
    found = set()
    for name in (each.name for each in names):
        whole = name if name in modules else name.rpartition(".")[0]
        found |= {whole} & modules.keys()
    return found


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """Return the first circle that following a graph leads into; empty where there is none."""
    done: set[str] = set()

    def follow(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        done.add(name)
        return next(filter(None, (follow(other, [*path, name]) for other in graph[name])), [])

    return next(filter(None, (follow(name, []) for name in graph)), [])
