"""The dependency graph of a locked set: install order, "why is this in", DOT.

Nodes are package names, which are unique in a set; an edge leads from a package to one it needs and carries the
`Requirement`.
"""

from __future__ import annotations

from itertools import islice, pairwise
from typing import TYPE_CHECKING

import networkx as nx

from oic.errors import SolveError
from oic.ospackage.near import near_hint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TypeAlias

    from oic.ospackage.lock import LockedPackage

    Graph: TypeAlias = nx.DiGraph[str]

_MAX_PATHS = 5


def graph_of(packages: Iterable[LockedPackage]) -> Graph:
    """Return the dependency graph; an edge carries the first of several requirements between two packages."""
    graph: Graph = nx.DiGraph()
    for package in packages:
        graph.add_node(package.name, package=package)
        for requirement in package.requires:
            if not graph.has_edge(package.name, requirement.package):
                graph.add_edge(package.name, requirement.package, requirement=requirement)
    return graph


def install_order(needs: Mapping[str, Iterable[str]], first: Mapping[str, Iterable[str]]) -> list[str]:
    """Return names with dependencies before the packages that need them; in a cycle, those in `first` (Pre-Depends).

    Cycles are common (libc6 and libgcc-s1 depend on each other); each is condensed to a node. Ties are broken by name.
    """
    graph: Graph = nx.DiGraph()
    graph.add_nodes_from(needs)
    graph.add_edges_from((needed, name) for name, others in needs.items() for needed in others)
    condensed = nx.condensation(graph)
    least = {node: min(data["members"]) for node, data in condensed.nodes(data=True)}
    order: list[str] = []
    for node in nx.lexicographical_topological_sort(condensed, key=least.__getitem__):
        order += _cycle_order(condensed.nodes[node]["members"], first)
    return order


def _cycle_order(members: set[str], first: Mapping[str, Iterable[str]]) -> list[str]:
    if len(members) == 1:
        return list(members)
    inner = {name: [other for other in first.get(name, ()) if other in members and other != name] for name in members}
    graph: Graph = nx.DiGraph()
    graph.add_nodes_from(members)
    graph.add_edges_from((needed, name) for name, others in inner.items() for needed in others)
    if not nx.is_directed_acyclic_graph(graph):
        return sorted(members)
    return list(nx.lexicographical_topological_sort(graph))


def why(packages: Sequence[LockedPackage], name: str) -> list[list[str]]:
    """Return the shortest paths from requested packages to the package, at most five, each step as text.

    Raises SolveError, with similar names, when the set has no such package.
    """
    graph = graph_of(packages)
    if name not in graph:
        raise SolveError(
            f"expected a package of the image, found none named {name}", hint=near_hint(name, sorted(graph))
        )
    roots = [package.name for package in packages if package.requested or package.essential]
    distances = nx.single_source_shortest_path_length(graph.reverse(copy=False), name)
    nearest = min((distances[root] for root in roots if root in distances), default=None)
    paths = (
        path for root in roots if distances.get(root) == nearest for path in nx.all_shortest_paths(graph, root, name)
    )
    return [_path_lines(graph, path) for path in islice(paths, _MAX_PATHS)]


def _path_lines(graph: Graph, path: list[str]) -> list[str]:
    root: LockedPackage = graph.nodes[path[0]]["package"]
    asked = f"asked for as {', '.join(root.requested)}" if root.requested else "Essential"
    steps = [f"{root.name} {root.version}: {asked}"]
    for source, target in pairwise(path):
        requirement = graph.edges[source, target]["requirement"]
        steps.append(
            f"{target} {graph.nodes[target]['package'].version}: {source} {requirement.kind} {requirement.relation}"
        )
    return steps


def to_dot(packages: Iterable[LockedPackage]) -> str:
    """Return the graph in Graphviz's language, with boxes for requested packages."""
    graph = graph_of(packages)
    lines = ["digraph packages {", "  node [shape=ellipse];"]
    requested = sorted(name for name in graph if graph.nodes[name]["package"].requested)
    lines += [f'  "{name}" [shape=box];' for name in requested]
    lines += [
        f'  "{source}" -> "{target}" [label="{data["requirement"].kind}"];'
        for source, target, data in sorted(graph.edges(data=True), key=lambda e: e[:2])
    ]
    return "\n".join([*lines, "}"]) + "\n"
