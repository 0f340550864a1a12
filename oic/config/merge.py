"""One tree over another: a recipe over its parts and parents, the result over the distribution's defaults.

* ``image``, ``target``, ``disk`` and single values: the upper one's, whole.
* ``packages``, ``scriptletsMayFail``: lower, then upper, first occurrence kept. ``excludePackages``: joined; a name
  leaves the lower list of packages, and a package the upper one asks for is excluded no longer.
* ``kernel``, ``bootloader``, ``immutability``, ``fde`` and ``network``: field by field, where an empty text or list
  counts as absent; ``network.interfaces`` by ``name``.
* ``users`` by ``name``, field by field, ``groups`` joined, ``sudo`` the upper one's even where it is absent.
* ``additionalFiles`` by ``final``; ``packageRepositories`` by ``codename``, ``url`` and ``path`` together.
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


def _given_fields(rules: Mapping[str, Merge]) -> Merge:
    """Return a merge field by field in which an empty text or list of the upper mapping counts as absent."""

    def merge_given(lower: Node, upper: Node) -> Node:
        if isinstance(upper.value, dict) and isinstance(lower.value, dict):
            empty = {key for key, value in upper.value.items() if value.value in ("", []) and key in lower.value}
            upper = _like(upper, {key: value for key, value in upper.value.items() if key not in empty})
        return _by_field(lower, upper, rules)

    return merge_given


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


def _upper_one(_lower: Node, upper: Node) -> Node:
    return upper


def _user(lower: Node, upper: Node) -> Node:
    """Merge two users of one name; a hash that the upper one gives does not keep the lower one's ``hash_algo``."""
    kept = {key: value for key, value in lower.entries.items() if key != "sudo"}
    if upper.get("password").text.startswith("$"):
        kept.pop("hash_algo", None)
    return _given_fields({"groups": _joined})(_like(lower, kept), upper)


def _bootloader(lower: Node, upper: Node) -> Node:
    """Merge field by field; where the upper one wants a BIOS, the lower one's systemd-boot, which has none, goes."""
    fields = dict(lower.entries)
    if upper.get("bootType").text == "legacy" and lower.get("provider").text == "systemd-boot":
        del fields["provider"]
    return _given_fields({})(_like(lower, fields) if fields else lower, upper)


def _repositories(lower: Node, upper: Node) -> Node:
    """Merge by codename, url and path; a recipe may have one of them several times (a component each).

    Package files without a codename are never those of another recipe.
    """
    taken = {_place(item) for item in upper.items if any(_place(item))}
    kept = [item for item in lower.items if _place(item) not in taken]
    return _like(upper, [*kept, *upper.items])


def _place(repository: Node) -> tuple[str, ...]:
    return tuple(repository.get(key).text for key in ("codename", "url", "path", "mirrorList"))


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
    return _by_field(*_without_excluded(lower, upper), _SYSTEM_RULES)


def _without_excluded(lower: Node, upper: Node) -> tuple[Node, Node]:
    """Return the lower tree without the packages the upper one excludes, or no longer excludes."""
    excluded, wanted = upper.get("excludePackages").texts, upper.get("packages").texts
    fields = dict(lower.entries)
    for key, names in (("packages", excluded), ("excludePackages", wanted)):
        if key in fields and names:
            fields[key] = _like(fields[key], [item for item in fields[key].items if item.text not in names])
    return (_like(lower, fields) if lower.entries else lower), upper


_SYSTEM_RULES: dict[str, Merge] = {
    "packages": _joined,
    "excludePackages": _joined,
    "scriptletsMayFail": _joined,
    "kernel": _given_fields({}),
    "bootloader": _bootloader,
    "immutability": _given_fields({}),
    "fde": _given_fields({}),
    "network": _given_fields({"interfaces": _replaced_by("name", _upper_one)}),
    "users": _replaced_by("name", _user),
    "additionalFiles": _replaced_by("final", _upper_one),
    "configurations": _appended,
    "services": _services,
}
