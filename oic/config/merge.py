"""One tree over another: a recipe over its includes, the outcome over the distribution's defaults.

* ``image``, ``target``, ``disk``, ``immutability`` and single values: the upper one's, whole.
* ``packages``, ``scriptletsMayFail``: lower, then upper, first occurrence kept.
* ``kernel`` and ``bootloader``: field by field.
* ``users`` by name and field by field, ``additionalFiles`` by ``final``, ``packageRepositories`` by ``codename``;
  what is new is appended.
* ``configurations``: appended.
* ``services``: joined; what the upper one disables or masks is not enabled, and the reverse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oic.config.source import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Merge = Callable[[Node, Node], Node]


def merged(lower: Node, upper: Node) -> Node:
    """Return `upper` merged over `lower`; shapes that a schema would refuse are passed over."""
    return _by_field(lower, upper, {"systemConfig": _system, "packageRepositories": _repositories})


def unit_name(name: str) -> str:
    """Return the whole name of a systemd unit: a name without a type is a service's (systemctl(1))."""
    return name if name.endswith(_UNIT_TYPES) else f"{name}.service"


_UNIT_TYPES = (
    ".service", ".socket", ".device", ".mount", ".automount", ".swap", ".target", ".path", ".timer", ".slice", ".scope",
)  # fmt: skip


def _like(node: Node, value: dict[str, Node] | list[Node]) -> Node:
    return Node(value, node.file, node.line, node.path)


def _by_field(lower: Node, upper: Node, rules: Mapping[str, Merge]) -> Node:
    if not isinstance(upper.value, dict) or not isinstance(lower.value, dict):
        return lower if upper.value is None else upper
    fields = dict(lower.value)
    for key, value in upper.value.items():
        fields[key] = rules[key](fields[key], value) if key in fields and key in rules else value
    return _like(upper, fields)


def _fields(lower: Node, upper: Node) -> Node:
    return _by_field(lower, upper, {})


def _appended(lower: Node, upper: Node) -> Node:
    return _like(upper, [*lower.items, *upper.items])


def _joined(lower: Node, upper: Node) -> Node:
    first: dict[object, Node] = {}
    for item in (*lower.items, *upper.items):
        first.setdefault(item.text or id(item), item)
    return _like(upper, list(first.values()))


def _replaced_by(key: str, merge: Merge) -> Merge:
    """Return a merge of two lists whose items are the same thing when they agree in `key`."""

    def merge_lists(lower: Node, upper: Node) -> Node:
        items = list(lower.items)
        names = [item.get(key).text for item in items]
        for item in upper.items:
            name = item.get(key).text
            if name and name in names:
                place = names.index(name)
                items[place] = merge(items[place], item)
            else:
                items.append(item)
        return _like(upper, items)

    return merge_lists


def _repositories(lower: Node, upper: Node) -> Node:
    """Merge by codename, which may occur several times in a recipe (one suite, several URLs)."""
    taken = {item.get("codename").text for item in upper.items}
    kept = [item for item in lower.items if item.get("codename").text not in taken]
    return _like(upper, [*kept, *upper.items])


def _services(lower: Node, upper: Node) -> Node:
    enabled, stopped = _units(upper, "enable"), _units(upper, "disable") | _units(upper, "mask")
    both = _by_field(lower, upper, {"enable": _joined, "disable": _joined, "mask": _joined})
    lists = dict(both.entries)
    for key, taken in (("enable", stopped), ("disable", enabled), ("mask", enabled)):
        if key in lists:
            lists[key] = _like(lists[key], [item for item in lists[key].items if unit_name(item.text) not in taken])
    return _like(both, lists)


def _units(services: Node, key: str) -> set[str]:
    return {unit_name(text) for text in services.get(key).texts}


def _system(lower: Node, upper: Node) -> Node:
    return _by_field(lower, upper, _SYSTEM_RULES)


_SYSTEM_RULES: dict[str, Merge] = {
    "packages": _joined,
    "scriptletsMayFail": _joined,
    "kernel": _fields,
    "bootloader": _fields,
    "users": _replaced_by("name", _fields),
    "additionalFiles": _replaced_by("final", lambda _lower, upper: upper),
    "configurations": _appended,
    "services": _services,
}
