"""What a schema cannot say about one recipe, or one part of it: things that must differ, agree, or come together.

Every check reads the tree leniently: what is of the wrong type is the schema's to complain about.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from oic.config.architecture import ARCHITECTURES
from oic.config.boot import boot_problems
from oic.config.disk import ISO, mount_point
from oic.config.disk_checks import disk_problems
from oic.config.fde import fde_problems
from oic.config.immutability_checks import immutability_problems
from oic.config.iso import answer_problems
from oic.config.merge import unit_name
from oic.config.network import network_problems
from oic.config.notes import is_left_out
from oic.config.public_keys import key_problem
from oic.config.secure_boot import secure_boot_problems
from oic.config.urls import url_problems
from oic.config.wsl import wsl_problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from oic.config.source import Node

    Problems = Iterator[tuple[Node, str]]

TRUSTED = "[trusted=yes]"
"""In place of a key: the repository is unsigned, and who wrote the recipe knows it."""

_HASHES = {"1": "md5", "5": "sha256", "6": "sha512", "2a": "bcrypt", "2b": "bcrypt", "2y": "bcrypt"}
_MOST_PASSWORD = 511  # CRYPT_MAX_PASSPHRASE_SIZE and PAM_MAX_RESP_SIZE, without the zero
_MOST_PART, _MOST_PATH = 255, 4095
_CRYPT = r"\$([0-9a-z]+)\$.+"


def problems_in(tree: Node) -> Problems:
    """Say everything that is wrong with one recipe, or part of one, beyond its schema."""
    system, disk = tree.get("systemConfig"), tree.get("disk")
    partitions = disk.get("partitions").items
    yield from same(system.get("users").items, "name", "user")
    yield from same(system.get("additionalFiles").items, "final", "file", _whole_path)
    yield from same(system.get("network", "interfaces").items, "name", "interface")
    yield from same(partitions, "id", "partition")
    yield from same(partitions, "index", "partition")
    yield from same(partitions, "mountPoint", "partition", _whole_path)
    yield from _path_problems([file.get("final") for file in system.get("additionalFiles").items])
    yield from _path_problems([user.get("home") for user in system.get("users").items])
    yield from _path_problems([partition.get("mountPoint") for partition in partitions])
    yield from disk_problems(disk)
    yield from _user_problems(system.get("users"))
    yield from _public_key_problems(system.get("users"))
    yield from _service_problems(system.get("services"))
    yield from _key_problems(tree.get("target"))
    yield from url_problems(tree)
    yield from _glob_problems(tree)
    yield from network_problems(system.get("network"))
    yield from _system_problems(system)
    for repository in tree.get("packageRepositories").items:
        yield from _repository_problems(repository)


def problems_of_whole(tree: Node) -> Problems:
    """Say what of a recipe merged over its defaults does not go together, as mappings are merged field by field."""
    yield from wsl_problems(tree)
    yield from answer_problems(tree)
    yield from secure_boot_problems(tree)
    yield from immutability_problems(tree)
    yield from _baseline_problems(tree.get("baseline"), tree.get("overlayPolicy"))
    yield from fde_problems(tree)


def disk_needs(tree: Node) -> Problems:
    """Say what a recipe merged over its defaults lacks: a disk needs a size, a root and what boots it."""
    disk, kind = tree.get("disk"), tree.get("target", "imageType").text
    if kind not in {"raw", ISO}:
        return
    if disk.value is None:
        if tree.get("defaults").value is False and tree.get("target", "arch").text in ARCHITECTURES:
            yield disk, "expected the disk of the raw image, as defaults is false, found nothing"
        return
    if not isinstance(disk.value, dict):
        return  # the schema says so
    if disk.get("size").value is None and kind == "raw":
        yield disk.get("size"), "expected the size of the raw disk, found nothing"
    if not (partitions := disk.get("partitions").items):
        yield disk.get("partitions"), "expected the partitions of the raw disk, found none"
        return
    if all(mount_point(item.get("mountPoint").text) != "/" for item in partitions):
        yield disk.get("partitions"), "expected a partition with the mountPoint /, found none"
    yield from boot_problems(tree)


def unsigned_problems(tree: Node, family: str) -> Problems:
    """Say where a recipe has metadata unsigned that are all that vouches for a repository's packages."""
    for repository in tree.get("packageRepositories").items if family == "deb" else ():
        node = repository.get("signedMetadata")
        if node.value is False and TRUSTED not in (repository.get("pkey").text, *repository.get("pkeys").texts):
            yield (
                node,
                f"expected true, as no deb is signed by itself, found false ({TRUSTED} as its key takes it unsigned)",
            )


def same(items: list[Node], key: str, thing: str, normal: Callable[[str], str] = str) -> Problems:
    """Say which of the items have a key's value in common."""
    seen: dict[object, Node] = {}
    for item in items:
        node = item.get(key)
        value = normal(node.text) or node.integer
        if not value:
            continue
        if value in seen:
            first = seen[value].line
            yield node, f"expected each {thing} to have its own {key}, found {value} here and on line {first}"
        seen.setdefault(value, node)


def _whole_path(word: str) -> str:
    """Return a path or mount point in one spelling; of none, nothing."""
    path = mount_point(word)
    return f"/{posixpath.normpath(path).lstrip('/')}" if path else ""


def _path_problems(paths: list[Node]) -> Problems:
    for node in paths:
        encoded = node.text.encode()
        if len(encoded) > _MOST_PATH or max(map(len, encoded.split(b"/"))) > _MOST_PART:
            said = f"expected a path of at most {_MOST_PATH} bytes, and {_MOST_PART} from one / to the next, found more"
            yield node, said


def _glob_problems(tree: Node) -> Problems:
    system = tree.get("systemConfig")
    lists = [system.get("packages"), system.get("kernel", "packages")]
    lists += [repository.get("allowPackages") for repository in tree.get("packageRepositories").items]
    for node in (item for one in lists for item in one.items):
        if {"[", "]"} & {*re.sub(r"\[[^\[\]]+\]", "", node.text)}:
            yield node, f"expected a glob whose brackets have characters between them, as in [0-9], found '{node.text}'"
        elif node.text.endswith(("=", "_")):
            yield node, f"expected a version at the end, as in name=1.0, found '{node.text}'"


def _user_problems(users: Node) -> Problems:
    for user in users.items:
        node, wanted = user.get("password"), user.get("hash_algo").text
        if (size := len(node.text.encode())) > _MOST_PASSWORD:
            most = f"at most {_MOST_PASSWORD} bytes, as no program takes a longer one"
            yield node, f"expected a password of {most}, found one of {size}"
        if not node.text.startswith("$"):
            continue
        match = re.fullmatch(_CRYPT, node.text)
        if match is None:
            yield node, "expected plain text or a crypt hash such as $6$salt$hash, found a broken hash (not shown)"
        elif match[1] not in {*_HASHES, *_OTHER_HASHES}:
            yield (
                node,
                "expected plain text or a crypt hash such as $6$salt$hash, found another kind of hash (not shown)",
            )
        elif wanted and _HASHES.get(match[1]) != wanted:
            found = _HASHES.get(match[1], f"${match[1]}$")
            yield user.get("hash_algo"), f"expected the algorithm of the given hash, {found}, found '{wanted}'"


def _public_key_problems(users: Node) -> Problems:
    for node in (key for user in users.items for key in user.get("sshAuthorizedKeys").items):
        if said := key_problem(node.text):
            yield node, said


_OTHER_HASHES = ("2x", "7", "gy", "sha1", "y")
"""Further kinds of crypt(5), which `hash_algo` has no name for."""


def _service_problems(services: Node) -> Problems:
    stopped = {unit_name(name): key for key in ("disable", "mask") for name in services.get(key).texts}
    for node in services.get("enable").items:
        other = stopped.get(unit_name(node.text)) if node.text else None
        if other:
            yield node, f"expected a unit either in enable or in {other}, found '{node.text}' in both"


def _key_problems(target: Node) -> Problems:
    keys = target.get("mirrorKeys")
    if keys.value is not None and target.get("mirror").value is None:
        yield keys, "expected target.mirror beside it, whose keys these are, found none"
    if TRUSTED in keys.texts and len(keys.items) > 1:
        yield keys, f"expected either keys or {TRUSTED} for an unsigned repository, found both"


def _system_problems(system: Node) -> Problems:
    for file in system.get("additionalFiles").items:
        given = [key for key in ("local", "content") if file.get(key).value is not None]
        if file.entries and len(given) != 1:
            yield file, f"expected either local or content, found {'both' if given else 'neither'}"
    wanted = system.get("packages").texts
    for node in system.get("excludePackages").items:
        if node.text in wanted:
            yield node, f"expected a package either in packages or in excludePackages, found '{node.text}' in both"


def _baseline_problems(baseline: Node, policy: Node) -> Problems:
    source, is_overlay = baseline.get("source"), baseline.get("mode").text == "overlay"
    given = [key for key in ("path", "url") if source.get(key).text]
    if is_overlay and len(given) != 1:
        yield source, f"expected either path or url, found {'both' if given else 'neither'}"
    elif source.value is not None and not is_overlay:
        yield source, "expected mode: overlay beside it, found none"
    for key in ("allowPackageRemoval", "replaceKernel"):
        node = policy.get(key)
        if node.value not in (None, False) and policy.get("packageOperation").text != "additive-and-upgrade":
            yield node, "expected packageOperation: additive-and-upgrade beside it, found none"


def _repository_problems(repository: Node) -> Problems:
    if not repository.entries or is_left_out(repository):
        return
    given = [key for key in ("url", "path", "mirrorList", "packages") if repository.get(key).value is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        yield repository, f"expected either url, path, mirrorList or packages, found {found}"
    files = repository.get("packages").value
    if files is None and repository.get("codename").value is None:
        yield repository.get("codename"), "expected the suite, or a name, found nothing"
    key, keys = repository.get("pkey").value, repository.get("pkeys").value
    if files is None and key is None and not keys:
        yield repository, "expected pkey or pkeys ([trusted=yes] for an unsigned repository), found neither"
    elif key is not None and keys is not None:
        yield repository, "expected either pkey or pkeys, found both"
    for node in (repository.get("url"), repository.get("mirrorList")):
        if repository.get("signedMetadata").value is False and node.text.startswith("http://"):
            yield node, "expected an https URL, as signedMetadata is false, found plain http"
