# ruff: noqa: INP001  the folders of tests are packages, it is none itself
"""Whatever reads or writes a tree does so from inside it, read off the source: ``root / …`` only where root is /."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from test_architecture import MODULES, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator

OUTSIDE = {
    "oic.image.tree.views.mounted_view": "mounts what `places` found to be no link, and reads nothing",
    "oic.provider.rpm.install.install": "mounts where `_make_place` has made a directory",
}
"""Functions that name a path of a tree from outside of it, and why that leads nowhere else."""
WALKED = [name for name in MODULES if name.startswith(("oic.provider.", "oic.runs.", "oic.image."))]


def functions_of(module: str) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.walk(tree_of(module)) if isinstance(node, ast.FunctionDef)}


def calls_in(function: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(function) if isinstance(node, ast.Call))


def given_to_inside() -> set[str]:
    """Return the names of the functions that `child.inside` is given, and of those that these call in turn."""
    calls = [call for module in MODULES for call in calls_in(tree_of(module))]
    todo = [
        ast.unparse(call.args[1]).rpartition(".")[2]
        for call in calls
        if ast.unparse(call.func).rpartition(".")[2] == "inside"
    ]
    known: dict[str, list[ast.FunctionDef]] = {}
    for module in WALKED:
        for name, function in functions_of(module).items():
            known.setdefault(name, []).append(function)
    found: set[str] = set()
    while todo:
        name = todo.pop()
        if name in known and name not in found:
            found.add(name)
            of_name = [call for function in known[name] for call in calls_in(function)]
            todo += [ast.unparse(call.func).removeprefix("database.").removeprefix("effects.") for call in of_name]
    return found


def below_root(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            left = ast.unparse(node.left)
            if left == "root" or left.endswith(".root"):
                yield f"{node.lineno}: {ast.unparse(node)}"


def test_paths_of_a_tree_are_named_from_inside_it() -> None:
    inside = given_to_inside()
    assert {"write_database", "_forbid_services", "_write", "merge_usr", "interests_of"} <= inside, "it finds none"
    found = {
        f"{module}.{name}": paths
        for module in WALKED
        for name, function in functions_of(module).items()
        if name not in inside and (paths := list(below_root(function)))
    }
    assert {name: paths for name, paths in found.items() if name not in OUTSIDE} == {}
    assert set(OUTSIDE) <= set(found), "one that is no more"
